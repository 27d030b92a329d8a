/* SPDX-License-Identifier: MIT
 * index_ivf.c - inverted lists: rows are parted by their nearest k-means centre, and a query goes through the
 * lists of its nprobe nearest centres.
 *
 * Every list is an index of its own, like one model that is made from the spec `inner`: one rotation, one codebook.
 * A query is prepared once and goes from list to list with one heap, so that what one has found prunes the next.
 * A cosine or dot query ranks centres by inner product (for dot after training on unit rows: a long row then lies
 * with its direction).  Ranking reads centres of 8 bits: a quarter of the bytes of floats and a fifth of the time
 * (512 x 384: 9 us as floats), and it moves rows at the rim of a part at most; by l2, where centres may lie far from
 * the origin and near to each other, their mean is taken off both sides first.
 *
 * residual=1 codes x - m, m the centre times what the rows of its part have of it on average.
 * l2: |q - x| = |(q - m) - (x - m)|, where both are short and so is the error; the query is prepared anew for each
 * list (0.6 us at 384 dimensions).  cosine: the same of unit vectors, 1 - |q - x|^2 / 2 at the end; recall@10 of 4
 * bits on 100k x 384 in clusters goes from .920 to .948.  A zero vector, which has no direction, stands opposite to its
 * centre.
 * dot: <q, x> = <q, m> + <q, x - m>, prepared once; it gains only where m is most of x, for q stays long. */
#include <math.h>
#include <string.h>
#include "index/codec.h"
#include "index/idset.h"
#include "index/index.h"
#include "index/kmeans.h"
#include "index/persist.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"

static const struct param table[] = {
    { "nlist", PARAM_INT, 1, 65536, "512", "lists", NULL, "parts, at most the rows first seen" },
    { "nprobe", PARAM_INT, 1, 65536, "8", "lists", NULL, "parts that a query goes through" },
    { "iterations", PARAM_INT, 1, 1000, "12", "rounds", NULL, "rounds of k-means that find the parts" },
    { "residual", PARAM_FLAG, 0, 0, "0", "", NULL, "code what a row differs by from its centre" },
    { "inner", PARAM_SPEC, 0, 0, "turboquant:bits=4", "", NULL, "the index of a part" },
    { 0 }
};

enum { ROWS_PER_LIST = 128, ROUTED_ROWS = 8192, MODEL_ROWS = 32768 };

struct ivf {
    struct index base;
    struct idset ids;
    int is_residual;
    struct index *model;  /* empty; what the lists are like */
    struct kmeans kmeans; /* count 0: not trained */
    int8_t *coarse;       /* centres, by l2 less their mean, as kmeans.count x padded steps */
    size_t padded;        /* dim up to whole groups */
    float *steps;         /* of each */
    float *mean;          /* l2: of the centres */
    float *halves;        /* l2: |centre - mean|^2 / 2 */
    float *shares;        /* residual: m = share * centre */
    struct index **lists; /* kmeans.count */
    size_t *sizes;        /* rows of each: an empty one is not worth a probe */
    uint32_t *list_of;    /* a row */
    size_t room;
};

static struct index_config inner_config(const struct ivf *v)
{
    struct index_config c = v->base.config;
    c.threads = 1;
    if (v->is_residual && c.metric == METRIC_COSINE) c.metric = METRIC_L2; /* of unit vectors */
    c.kernels = &v->base.kernels;
    return c;
}

static void drop_lists(struct ivf *v)
{
    for (size_t i = 0; v->lists && i < v->kmeans.count; i++)
        (v->model->ops->like ? v->model->ops->destroy : index_destroy)(v->lists[i]);
    mem_free(v->lists);
    mem_free(v->sizes);
    mem_free(v->coarse);
    mem_free(v->steps);
    mem_free(v->mean);
    mem_free(v->halves);
    mem_free(v->shares);
    v->lists = NULL;
    v->sizes = NULL;
    v->coarse = NULL;
    v->steps = v->mean = v->halves = v->shares = NULL;
    kmeans_fini(&v->kmeans);
    v->kmeans.count = 0;
}

static void destroy(struct index *ix)
{
    struct ivf *v = (struct ivf *)ix;
    if (!v || ix->model) {
        mem_free(v);
        return;
    }
    drop_lists(v);
    index_destroy(v->model);
    idset_fini(&v->ids);
    mem_free(v->list_of);
    mem_free(v);
}

/* Checks the inner spec before an index is made of it: making one may open a library. */
static int check_inner(const char *spec, int adds_shifts, struct err *e)
{
    const struct index_ops *ops;
    struct params *params;
    int status = index_parse(spec, &ops, &params, e);
    if (status != ERR_OK) return status;
    params_destroy(params);
    if (!ops->search_into || !ops->remove)
        return FAIL(e, ERR_ARG, "ivf: inner=(%s) cannot stand inside another index", ops->name);
    if (adds_shifts && !ops->search_prepared)
        return FAIL(e, ERR_ARG, "ivf: residual=1 by dot: inner=(%s) cannot add what a list's rows have in common",
                    ops->name);
    return ERR_OK;
}

static int create(struct index **out, const struct index *base, struct err *e)
{
    struct ivf *v = mem_zero(1, sizeof *v);
    if (!v) return FAIL(e, ERR_MEM, "ivf: no memory");
    v->base = *base;
    v->is_residual = (int)params_int(base->params, "residual");
    v->padded = codes_groups(base->config.dim) * CODES_DIMS;
    const struct index_config c = inner_config(v);
    const char *inner = params_text(base->params, "inner");
    int status = check_inner(inner, v->is_residual && c.metric == METRIC_DOT, e);
    if (status == ERR_OK) status = index_create(&v->model, inner, &c, e);
    if (status == ERR_OK) *out = &v->base;
    else destroy(&v->base);
    return status;
}

static void less(const float *x, const float *mean, size_t dim, float *out)
{
    for (size_t i = 0; i < dim; i++) out[i] = x[i] - mean[i];
}

/* Makes v->coarse, against which a query is held to rank the lists. */
static int make_coarse(struct ivf *v, struct err *e)
{
    const size_t count = v->kmeans.count, dim = v->base.config.dim;
    const int centres = v->base.config.metric == METRIC_L2;
    float *spare = mem_alloc(dim, sizeof *spare);
    v->coarse = mem_alloc(count, v->padded);
    v->steps = mem_alloc(count, sizeof *v->steps);
    v->mean = mem_zero(dim, sizeof *v->mean);
    v->halves = mem_zero(count, sizeof *v->halves);
    const int whole = spare && v->coarse && v->steps && v->mean && v->halves;
    for (size_t i = 0; whole && centres && i < dim; i++) {
        double sum = 0;
        for (size_t c = 0; c < count; c++) sum += (double)v->kmeans.centres[c * dim + i];
        v->mean[i] = (float)(sum / (double)count);
    }
    for (size_t c = 0; whole && c < count; c++) {
        less(v->kmeans.centres + c * dim, v->mean, dim, spare);
        v->steps[c] = codec_query(spare, dim, v->padded, 127, v->coarse + c * v->padded);
        if (!centres) continue;
        v->kmeans.dot(spare, spare, 0, NULL, 1, dim, &v->halves[c]);
        v->halves[c] /= 2;
    }
    mem_free(spare);
    return whole ? ERR_OK : FAIL(e, ERR_MEM, "ivf: no memory for %zu lists", count);
}

/* Makes the lists, still empty, and v->coarse, which ranks them. */
static int make_lists(struct ivf *v, struct err *e)
{
    const struct index_config c = inner_config(v);
    const struct index_ops *ops = v->model->ops;
    const size_t count = v->kmeans.count;
    v->lists = mem_zero(count, sizeof *v->lists);
    v->sizes = mem_zero(count, sizeof *v->sizes);
    int status = v->lists && v->sizes ? make_coarse(v, e) : FAIL(e, ERR_MEM, "ivf: no memory for %zu lists", count);
    for (size_t i = 0; i < count && status == ERR_OK; i++)
        status = ops->like ? ops->like(&v->lists[i], v->model, e)
                           : index_create(&v->lists[i], params_text(v->base.params, "inner"), &c, e);
    if (status != ERR_OK) drop_lists(v);
    return status;
}

/* What residuals are taken of: by cosine the unit row, which goes into spare; otherwise the row as it is. */
static const float *scored(const struct ivf *v, const float *x, float *spare)
{
    if (v->base.config.metric != METRIC_COSINE) return x;
    kmeans_unit(&v->kmeans, x, spare);
    return spare;
}

/* <x, centre> / <centre, centre> over the rows of each part. */
static int learn_shares(struct ivf *v, struct rows rows, const uint32_t *nearest, struct err *e)
{
    const size_t count = v->kmeans.count;
    double *sums = mem_zero(2 * count, sizeof *sums), *wholes = sums + count;
    float *spare = mem_alloc(rows.dim, sizeof *spare);
    v->shares = mem_alloc(count, sizeof *v->shares);
    if (!sums || !spare || !v->shares) {
        mem_free(sums), mem_free(spare);
        return FAIL(e, ERR_MEM, "ivf: no memory for %zu lists", count);
    }
    for (size_t r = 0; r < rows.count; r++) {
        const float *centre = v->kmeans.centres + nearest[r] * rows.dim;
        float dot, square;
        v->kmeans.dot(centre, scored(v, rows_at(rows, r), spare), 0, NULL, 1, rows.dim, &dot);
        v->kmeans.dot(centre, centre, 0, NULL, 1, rows.dim, &square);
        sums[nearest[r]] += (double)dot;
        wholes[nearest[r]] += (double)square;
    }
    for (size_t i = 0; i < count; i++) v->shares[i] = wholes[i] > 0 ? (float)(sums[i] / wholes[i]) : 0;
    mem_free(sums), mem_free(spare);
    return ERR_OK;
}

/* out = x - m of the list; may be x. */
static void less_mean(const struct ivf *v, size_t list, const float *x, float *out)
{
    const size_t dim = v->base.config.dim;
    const float *centre = v->kmeans.centres + list * dim;
    for (size_t i = 0; i < dim; i++) out[i] = x[i] - v->shares[list] * centre[i];
}

/* The residual of a row that is added, which by cosine is made a unit row first. */
static void residual_of(const struct ivf *v, size_t list, const float *x, float *out)
{
    const size_t dim = v->base.config.dim;
    const float *centre = v->kmeans.centres + list * dim;
    float square = 1;
    if (v->base.config.metric == METRIC_COSINE) v->kmeans.dot(x, x, 0, NULL, 1, dim, &square);
    less_mean(v, list, scored(v, x, out), out);
    for (size_t i = 0; i < dim && square == 0; i++) out[i] -= centre[i];
}

/* The nearest centre of every row; a block at a time, because where length does not matter rows are made unit ones. */
static int route(const struct ivf *v, struct rows rows, uint32_t *list_of, struct err *e)
{
    const struct index_config *c = &v->base.config;
    if (c->metric == METRIC_L2) return kmeans_assign(&v->kmeans, rows, list_of, c->threads, e);
    const size_t most = rows.count < ROUTED_ROWS ? rows.count : ROUTED_ROWS;
    float *unit = mem_alloc(most * rows.dim, sizeof *unit);
    int status = unit ? ERR_OK : FAIL(e, ERR_MEM, "ivf: no memory for %zu rows", most);
    for (size_t from = 0; status == ERR_OK && from < rows.count; from += most) {
        const size_t count = rows.count - from < most ? rows.count - from : most;
        for (size_t r = 0; r < count; r++) kmeans_unit(&v->kmeans, rows_at(rows, from + r), unit + r * rows.dim);
        const struct rows block = { unit, count, rows.dim, rows.dim };
        status = kmeans_assign(&v->kmeans, block, list_of + from, c->threads, e);
    }
    mem_free(unit);
    return status;
}

/* The model learns from what lists will hold: rows, or in a residual index rows less their centre, whose shares
 * are worked out here too. */
static int learn_lists(struct ivf *v, struct rows rows, struct err *e)
{
    const struct index_ops *ops = v->model->ops;
    const int learns = ops->like && ops->train;
    if (!v->is_residual) return learns ? ops->train(v->model, rows, e) : ERR_OK;
    uint32_t *nearest = mem_alloc(rows.count, sizeof *nearest);
    const size_t taught = !learns ? 0 : rows.count < MODEL_ROWS ? rows.count : MODEL_ROWS;
    float *rest = mem_alloc(taught, rows.dim * sizeof *rest);
    int status = nearest && rest ? ERR_OK : FAIL(e, ERR_MEM, "ivf: no memory for %zu rows", rows.count);
    if (status == ERR_OK) status = route(v, rows, nearest, e);
    if (status == ERR_OK) status = learn_shares(v, rows, nearest, e);
    for (size_t i = 0; status == ERR_OK && i < taught; i++) {
        const size_t r = i * rows.count / taught;
        residual_of(v, nearest[r], rows_at(rows, r), rest + i * rows.dim);
    }
    if (status == ERR_OK && learns)
        status = ops->train(v->model, (struct rows){ rest, taught, rows.dim, rows.dim }, e);
    mem_free(nearest), mem_free(rest);
    return status;
}

static int train(struct index *ix, struct rows sample, struct err *e)
{
    struct ivf *v = (struct ivf *)ix;
    if (v->ids.count) return FAIL(e, ERR_ARG, "ivf: cannot train with %zu rows added", v->ids.count);
    drop_lists(v);
    const size_t nlist = (size_t)params_int(ix->params, "nlist");
    int status = kmeans_train(&v->kmeans, sample, ROWS_PER_LIST * nlist, nlist, ix->config.metric != METRIC_L2,
                              (int)params_int(ix->params, "iterations"), ix->config.seed, ix->config.threads,
                              &ix->kernels, e);
    if (status == ERR_OK) status = learn_lists(v, sample, e);
    if (status == ERR_OK) status = make_lists(v, e);
    if (status != ERR_OK) drop_lists(v);
    return status;
}

/* --- adding ------------------------------------------------------------------------------------- */

struct filling {
    struct ivf *v;
    struct rows rows;
    size_t first;          /* of the index, what rows.at[0] becomes */
    const uint32_t *order; /* rows by list */
    const size_t *starts;  /* of each list in order; kmeans.count + 1 */
    int *status;           /* a list */
    struct err *errors;    /* a thread */
};

static void fill_lists(void *context, int thread, size_t from, size_t to)
{
    struct filling *f = context;
    const size_t dim = f->rows.dim;
    for (size_t list = from; list < to; list++) {
        const size_t count = f->starts[list + 1] - f->starts[list];
        if (count == 0) continue;
        float *x = mem_alloc(count * dim, sizeof *x);
        int64_t *ids = mem_alloc(count, sizeof *ids);
        f->status[list] = x && ids ? ERR_OK : FAIL(&f->errors[thread], ERR_MEM, "ivf: no memory for %zu rows", count);
        for (size_t i = 0; i < count && f->status[list] == ERR_OK; i++) {
            const size_t row = f->order[f->starts[list] + i];
            if (f->v->is_residual) residual_of(f->v, list, rows_at(f->rows, row), x + i * dim);
            else memcpy(x + i * dim, rows_at(f->rows, row), dim * sizeof *x);
            ids[i] = idset_id(&f->v->ids, f->first + row);
        }
        struct index *inner = f->v->lists[list];
        if (f->status[list] == ERR_OK)
            f->status[list] = inner->ops->add(inner, (struct rows){ x, count, dim, dim }, ids, &f->errors[thread]);
        mem_free(x), mem_free(ids);
    }
}

/* Takes the rows of `first`.. out again, from those lists that got them. */
static void undo(struct filling *f)
{
    struct ivf *v = f->v;
    size_t row;
    for (size_t r = v->ids.count; r-- > f->first;) {
        const uint32_t list = v->list_of[r];
        const int64_t id = idset_id(&v->ids, r);
        if (f->status[list] == ERR_OK) v->lists[list]->ops->remove(v->lists[list], id, NULL);
        idset_remove(&v->ids, id, &row, "ivf", NULL);
    }
}

static int fill(struct filling *f, struct err *e)
{
    struct ivf *v = f->v;
    const size_t lists = v->kmeans.count, n = f->rows.count;
    size_t *starts = mem_zero(lists + 2, sizeof *starts);
    uint32_t *order = mem_alloc(n, sizeof *order);
    f->status = mem_zero(lists, sizeof *f->status);
    f->errors = mem_zero((size_t)v->base.config.threads, sizeof *f->errors);
    int status = starts && order && f->status && f->errors
                     ? ERR_OK
                     : FAIL(e, ERR_MEM, "ivf: no memory for %zu rows", n);
    if (status == ERR_OK) {
        for (size_t r = 0; r < n; r++) starts[v->list_of[f->first + r] + 2]++;
        for (size_t i = 1; i < lists + 2; i++) starts[i] += starts[i - 1];
        for (size_t r = 0; r < n; r++) order[starts[v->list_of[f->first + r] + 1]++] = (uint32_t)r;
        f->order = order, f->starts = starts;
        parallel_for(v->base.config.threads, lists, 1, fill_lists, f);
        for (size_t i = 0; i < lists && status == ERR_OK; i++) status = f->status[i];
        for (int t = 0; t < v->base.config.threads && status != ERR_OK; t++)
            if (f->errors[t].code && e) *e = f->errors[t];
        if (status != ERR_OK) undo(f);
        for (size_t i = 0; i < lists && status == ERR_OK; i++) v->sizes[i] += starts[i + 1] - starts[i];
    } else {
        size_t row;
        while (v->ids.count > f->first) idset_remove(&v->ids, idset_id(&v->ids, v->ids.count - 1), &row, "ivf", NULL);
    }
    mem_free(starts), mem_free(order), mem_free(f->status), mem_free(f->errors);
    return status;
}

static int reserve(struct ivf *v, size_t rows, struct err *e)
{
    if (rows <= v->room) return ERR_OK;
    const size_t room = rows < 2 * v->room ? 2 * v->room : rows;
    if (!mem_extend(&v->list_of, v->ids.count, room, sizeof *v->list_of))
        return FAIL(e, ERR_MEM, "ivf: no memory for %zu rows", room);
    v->room = room;
    return ERR_OK;
}

static int add(struct index *ix, struct rows rows, const int64_t *ids, struct err *e)
{
    struct ivf *v = (struct ivf *)ix;
    const int learns = !v->kmeans.count;
    int status = learns ? train(ix, rows, e) : ERR_OK;
    if (status == ERR_OK) status = reserve(v, v->ids.count + rows.count, e);
    if (status == ERR_OK) status = route(v, rows, v->list_of + v->ids.count, e);
    struct filling f = { .v = v, .rows = rows, .first = v->ids.count };
    if (status == ERR_OK) status = idset_add(&v->ids, ids, rows.count, "ivf", e);
    if (status == ERR_OK) status = fill(&f, e);
    if (status != ERR_OK && learns) drop_lists(v);
    return status;
}

static int remove_id(struct index *ix, int64_t id, struct err *e)
{
    struct ivf *v = (struct ivf *)ix;
    const int64_t at = idset_row(&v->ids, id);
    if (at == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "ivf: no id %lld", (long long)id);
    struct index *inner = v->lists[v->list_of[at]];
    size_t row;
    int status = inner->ops->remove(inner, id, e);
    if (status == ERR_OK) status = idset_remove(&v->ids, id, &row, "ivf", e);
    if (status != ERR_OK) return status;
    v->sizes[v->list_of[row]]--;
    v->list_of[row] = v->list_of[v->ids.count];
    return ERR_OK;
}

/* A row that another list gets is there before it leaves the old one, and goes back if it cannot leave. */
static int move_row(struct ivf *v, size_t row, int64_t id, uint32_t list, const float *x, struct err *e)
{
    struct index *to = v->lists[list], *from = v->lists[v->list_of[row]];
    if (to == from) return to->ops->replace(to, id, x, e);
    int status = to->ops->add(to, (struct rows){ x, 1, v->base.config.dim, v->base.config.dim }, &id, e);
    if (status != ERR_OK) return status;
    status = from->ops->remove(from, id, e);
    if (status != ERR_OK) {
        to->ops->remove(to, id, NULL);
        return status;
    }
    v->sizes[v->list_of[row]]--;
    v->sizes[list]++;
    v->list_of[row] = list;
    return ERR_OK;
}

static int replace(struct index *ix, int64_t id, const float *x, struct err *e)
{
    struct ivf *v = (struct ivf *)ix;
    const size_t dim = ix->config.dim;
    const int64_t row = idset_row(&v->ids, id);
    if (row == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "ivf: no id %lld", (long long)id);
    uint32_t list = 0;
    float *rest = mem_alloc(dim, sizeof *rest);
    int status = rest ? route(v, (struct rows){ x, 1, dim, dim }, &list, e) : FAIL(e, ERR_MEM, "ivf: no memory");
    if (status == ERR_OK && v->is_residual) residual_of(v, list, x, rest);
    if (status == ERR_OK) status = move_row(v, (size_t)row, id, list, v->is_residual ? rest : x, e);
    mem_free(rest);
    return status;
}

/* --- searching ---------------------------------------------------------------------------------- */

static size_t probes(const struct ivf *v)
{
    const size_t wanted = (size_t)params_int(v->base.params, "nprobe");
    return wanted < v->kmeans.count ? wanted : v->kmeans.count;
}

struct scratch {
    int8_t *query;       /* in steps */
    int32_t *sums;       /* a centre */
    float *scores;       /* a centre */
    struct hit *nearest; /* centres */
    uint32_t *pick;      /* the same, as numbers */
    float *shifts;       /* residual, dot: <q, m> of each */
    float *unit, *moved; /* the query: residual, by cosine; as a list sees it, or by l2 their ranking */
    struct index_work *work;
    void *inner;
};

/* scratch may be NULL; returns the bytes before that of a list. */
static size_t lay_out(const struct ivf *v, void *scratch, struct scratch *s)
{
    struct mem_parts parts = { .at = scratch };
    const size_t lists = v->kmeans.count, nprobe = probes(v);
    s->query = mem_part(&parts, v->padded);
    s->sums = mem_part(&parts, lists * sizeof *s->sums);
    s->scores = mem_part(&parts, lists * sizeof *s->scores);
    s->nearest = mem_part(&parts, nprobe * sizeof *s->nearest);
    s->pick = mem_part(&parts, nprobe * sizeof *s->pick);
    s->shifts = mem_part(&parts, nprobe * sizeof *s->shifts);
    s->unit = mem_part(&parts, v->base.config.dim * sizeof *s->unit);
    s->moved = mem_part(&parts, v->base.config.dim * sizeof *s->moved);
    s->work = mem_part(&parts, sizeof *s->work);
    s->inner = mem_part(&parts, 0);
    return parts.bytes;
}

static size_t scratch_bytes(const struct index *ix, size_t query_count, size_t k)
{
    const struct ivf *v = (const struct ivf *)ix;
    struct scratch s;
    (void)query_count;
    size_t inner = 0; /* lists may differ in size, so in scratch */
    for (size_t i = 0; i < v->kmeans.count; i++) {
        const size_t one = v->lists[i]->ops->scratch_bytes(v->lists[i], 1, k);
        inner = one > inner ? one : inner;
    }
    return lay_out(v, NULL, &s) + inner;
}

/* The nearest lists that are not empty, best first; how many. */
static size_t rank_lists(const struct ivf *v, const float *query, const struct scratch *s)
{
    const size_t lists = v->kmeans.count;
    if (v->base.config.metric == METRIC_L2) {
        less(query, v->mean, v->base.config.dim, s->moved);
        query = s->moved;
    }
    const float step = codec_query(query, v->base.config.dim, v->padded, 127, s->query);
    struct topk order;
    topk_init(&order, s->nearest, probes(v));
    v->base.kernels.of[OP_dot_i8]->fn.dot_i8(s->query, v->coarse, v->padded, NULL, lists, v->padded, s->sums);
    for (size_t i = 0; i < lists; i++) s->scores[i] = (float)s->sums[i] * (step * v->steps[i]) - v->halves[i];
    for (size_t i = 0; i < lists; i++)
        if (s->scores[i] >= topk_bound(&order) && v->sizes[i])
            topk_push_slow(&order, (struct hit){ (int64_t)i, s->scores[i] });
    const size_t count = topk_finish(&order);
    for (size_t i = 0; i < count; i++) s->pick[i] = (uint32_t)s->nearest[i].id;
    return count;
}

/* Adds to the query's count what one list has read of it. */
static void count_work(const struct ivf *v, const struct index *list, const struct scratch *s)
{
    struct index_work one = { 0 };
    if (v->model->ops->work) v->model->ops->work(list, s->inner, 1, &one);
    index_work_add(s->work, &one);
}

static void search_prepared(const struct ivf *v, struct rows query, size_t count, const struct scratch *s,
                            struct topk *best)
{
    const struct index_ops *ops = v->model->ops;
    if (v->is_residual) v->kmeans.dot(query.at, v->kmeans.centres, query.dim, s->pick, count, query.dim, s->shifts);
    for (size_t i = 0; v->is_residual && i < count; i++) s->shifts[i] *= v->shares[s->pick[i]];
    ops->prepare(v->model, query, s->inner);
    for (size_t i = 0; i < count; i++)
        ops->search_prepared(v->lists[s->pick[i]], query, v->is_residual ? s->shifts + i : NULL, best, s->inner);
    count_work(v, v->model, s);
}

static void search_anew(const struct ivf *v, struct rows query, size_t count, const struct scratch *s,
                        struct topk *best)
{
    for (size_t i = 0; i < count; i++) {
        const struct index *list = v->lists[s->pick[i]];
        if (v->is_residual) less_mean(v, s->pick[i], query.at, s->moved);
        const struct rows asked = { v->is_residual ? s->moved : query.at, 1, query.dim, query.dim };
        list->ops->search_into(list, asked, best, s->inner);
        count_work(v, list, s);
    }
}

/* 1 - |q - x|^2 / 2 of unit vectors; nothing is near to a zero query or far from it. */
static void as_cosines(struct hit *hits, size_t count, float square)
{
    for (size_t i = 0; i < count; i++) hits[i].score = square > 0 ? 1 + hits[i].score / 2 : 0;
    hits_sort(hits, count); /* what was not equal may have become so */
}

static size_t search_one(const struct ivf *v, struct rows query, size_t k, const struct scratch *s, struct hit *hits)
{
    const enum metric metric = v->base.config.metric;
    const int by_angle = v->is_residual && metric == METRIC_COSINE, moves = v->is_residual && metric != METRIC_DOT;
    struct topk best;
    float square = 0;
    topk_init(&best, hits, k);
    const size_t lists = v->kmeans.count ? rank_lists(v, query.at, s) : 0; /* none: nothing was added yet */
    if (lists == 0) return 0;
    if (by_angle) {
        v->kmeans.dot(query.at, query.at, 0, NULL, 1, query.dim, &square);
        for (size_t i = 0; i < query.dim; i++) s->unit[i] = square > 0 ? query.at[i] / sqrtf(square) : 0;
        query.at = s->unit;
    }
    (v->model->ops->search_prepared && !moves ? search_prepared : search_anew)(v, query, lists, s, &best);
    const size_t count = topk_finish(&best);
    if (by_angle) as_cosines(hits, count, square);
    return count;
}

static void search(const struct index *ix, struct rows queries, size_t k, void *scratch,
                   struct hit *hits, size_t *counts)
{
    const struct ivf *v = (const struct ivf *)ix;
    struct scratch s;
    lay_out(v, scratch, &s);
    *s.work = (struct index_work){ 0 };
    for (size_t q = 0; q < queries.count; q++) {
        const struct rows query = { rows_at(queries, q), 1, queries.dim, queries.dim };
        counts[q] = search_one(v, query, k, &s, hits + q * k);
    }
}

static void describe(const struct index *ix, struct text *out)
{
    const struct ivf *v = (const struct ivf *)ix;
    kernel_set_describe(&ix->kernels, OP_dot_i8, out);
    if (v->is_residual && ix->config.metric == METRIC_DOT) kernel_set_describe(&ix->kernels, OP_dot_f32, out);
    v->model->ops->kernels(v->model, out);
}

/* --- the rest ----------------------------------------------------------------------------------- */

static int save(const struct index *ix, struct index_writer *w, struct err *e)
{
    const struct ivf *v = (const struct ivf *)ix;
    const size_t lists = v->kmeans.count;
    int status = idset_save(&v->ids, w, e);
    if (status == ERR_OK) status = index_write(w, "list_of", v->list_of, v->ids.count * sizeof *v->list_of, e);
    if (status == ERR_OK)
        status =
            index_write(w, "centres", v->kmeans.centres, lists * ix->config.dim * sizeof(float), e);
    if (status == ERR_OK) status = index_write(w, "halves", v->kmeans.halves, lists * sizeof(float), e);
    if (status == ERR_OK && v->is_residual) status = index_write(w, "shares", v->shares, lists * sizeof(float), e);
    if (status == ERR_OK) status = v->model->ops->save(v->model, w, e);
    for (size_t i = 0; i < lists && status == ERR_OK; i++) status = v->lists[i]->ops->save(v->lists[i], w, e);
    return status;
}

/* What the lists share; it holds no rows itself. */
static int load_model(struct ivf *v, struct index_reader *r, struct err *e)
{
    const uint64_t rows = r->rows;
    r->rows = 0;
    v->model->is_mapped = r->maps;
    const int status = v->model->ops->load(v->model, r, e);
    r->rows = rows;
    return status;
}

static int load_centres(struct ivf *v, struct index_reader *r, struct err *e)
{
    const void *centres = NULL;
    size_t bytes = 0;
    const size_t row = v->base.config.dim * sizeof(float);
    int status = index_read_any(r, "centres", &centres, &bytes, e);
    if (status != ERR_OK) return status;
    if (bytes % row || bytes / row > UINT32_MAX) return FAIL(e, ERR_FORMAT, "%s: %zu bytes of centres", r->path, bytes);
    v->kmeans = (struct kmeans){ .dim = v->base.config.dim, .is_spherical = v->base.config.metric != METRIC_L2 };
    v->kmeans.dot = v->base.kernels.of[OP_dot_f32]->fn.dot_f32, v->kmeans.kernels = &v->base.kernels;
    v->kmeans.centres = mem_alloc(bytes, 1);
    v->kmeans.halves = mem_alloc(bytes / row, sizeof(float));
    if (!v->kmeans.centres || !v->kmeans.halves) return FAIL(e, ERR_MEM, "ivf: no memory for %zu centres", bytes / row);
    if (bytes) memcpy(v->kmeans.centres, centres, bytes);
    status = index_read_into(r, "halves", v->kmeans.halves, bytes / row * sizeof(float), e);
    if (status == ERR_OK && v->is_residual) {
        v->shares = mem_alloc(bytes / row, sizeof *v->shares);
        status = v->shares ? index_read_into(r, "shares", v->shares, bytes / row * sizeof(float), e)
                           : FAIL(e, ERR_MEM, "ivf: no memory for %zu centres", bytes / row);
    }
    if (status == ERR_OK) status = load_model(v, r, e);
    if (status != ERR_OK || bytes == 0) return status;
    v->kmeans.count = bytes / row;
    return make_lists(v, e);
}

static int load_lists(struct ivf *v, struct index_reader *r, struct err *e)
{
    const uint64_t rows = r->rows;
    for (size_t row = 0; row < v->ids.count; row++) {
        if (v->list_of[row] >= v->kmeans.count) return FAIL(e, ERR_FORMAT, "%s: row %zu in no list", r->path, row);
        v->sizes[v->list_of[row]]++;
    }
    int status = ERR_OK;
    for (size_t i = 0; i < v->kmeans.count && status == ERR_OK; i++) {
        r->rows = v->sizes[i];
        v->lists[i]->is_mapped = r->maps;
        status = v->lists[i]->ops->load(v->lists[i], r, e);
    }
    r->rows = rows;
    return status;
}

static int load(struct index *ix, struct index_reader *r, struct err *e)
{
    struct ivf *v = (struct ivf *)ix;
    struct idset ids = { 0 };
    const void *list_of = NULL;
    int status = idset_load(&ids, r, e);
    if (status == ERR_OK) status = index_read(r, "list_of", ids.count * sizeof *v->list_of, &list_of, e);
    if (status == ERR_OK) status = reserve(v, ids.count, e);
    v->ids = ids;
    if (status != ERR_OK) return status;
    if (ids.count) memcpy(v->list_of, list_of, ids.count * sizeof *v->list_of);
    status = load_centres(v, r, e);
    return status == ERR_OK ? load_lists(v, r, e) : status;
}

static void stats(const struct index *ix, struct index_stats *out)
{
    const struct ivf *v = (const struct ivf *)ix;
    *out = (struct index_stats){ .rows = v->ids.count };
    for (size_t i = 0; i < v->kmeans.count; i++) {
        struct index_stats s;
        v->lists[i]->ops->stats(v->lists[i], &s);
        out->code_bytes += s.code_bytes;
        out->side_bytes += s.side_bytes;
        out->other_bytes += s.other_bytes;
        out->shared_bytes += s.shared_bytes;
    }
    struct index_stats model;
    v->model->ops->stats(v->model, &model);
    const uint64_t centroids = v->kmeans.count * ((ix->config.dim + 4) * sizeof(float) + v->padded) +
                               ix->config.dim * sizeof(float);
    const uint64_t by_row = idset_row_bytes(&v->ids) + v->ids.count * sizeof *v->list_of;
    out->shared_bytes += model.shared_bytes + centroids + by_row;
    out->other_bytes += model.other_bytes + sizeof *v + centroids + by_row + idset_other_bytes(&v->ids) +
                        (v->room - v->ids.count) * sizeof *v->list_of;
}

static void work(const struct index *ix, const void *scratch, size_t query_count, struct index_work *out)
{
    const struct ivf *v = (const struct ivf *)ix;
    struct scratch s;
    lay_out(v, (void *)(uintptr_t)scratch, &s);
    const size_t means = v->is_residual ? probes(v) * ix->config.dim * sizeof(float) : 0,
                 coarse = v->kmeans.count * (v->padded + 2 * sizeof(float));
    *out = *s.work;
    out->bytes += query_count * (coarse + means);
}

static int has(const struct index *ix, int64_t id)
{
    return idset_row(&((const struct ivf *)ix)->ids, id) != IDSET_NONE;
}

static int decode(const struct index *ix, int64_t id, float *out, struct err *e)
{
    const struct ivf *v = (const struct ivf *)ix;
    const int64_t row = idset_row(&v->ids, id);
    if (row == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "ivf: no id %lld", (long long)id);
    const size_t list = v->list_of[row];
    const int status = index_decode(v->lists[list], id, out, e);
    const float *centre = v->kmeans.centres + list * ix->config.dim;
    for (size_t i = 0; status == ERR_OK && v->is_residual && i < ix->config.dim; i++)
        out[i] += v->shares[list] * centre[i];
    return status;
}

static int view(struct index **out, const struct index *model, const struct index *base, struct err *e)
{
    if (!params_equal_but(model->params, base->params, "nprobe"))
        return FAIL(e, ERR_UNSUPPORTED, "ivf: other lists");
    struct ivf *v = mem_alloc(1, sizeof *v);
    if (!v) return FAIL(e, ERR_MEM, "ivf: no memory");
    *v = *(const struct ivf *)model;
    v->base = *base;
    *out = &v->base;
    return ERR_OK;
}

const struct index_ops index_ivf = {
    .name = "ivf",
    .summary = "k-means lists of another index; a query goes through the nearest",
    .params = table,
    .create = create,
    .train = train,
    .add = add,
    .remove = remove_id,
    .replace = replace,
    .scratch_bytes = scratch_bytes,
    .search = search,
    .work = work,
    .kernels = describe,
    .save = save,
    .load = load,
    .stats = stats,
    .has = has,
    .decode = decode,
    .view = view,
    .destroy = destroy,
};
