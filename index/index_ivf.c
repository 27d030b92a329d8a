/* SPDX-License-Identifier: MIT
 * index_ivf.c - inverted lists: rows are parted by their nearest k-means centre, and a query goes through the
 * lists of its nprobe nearest centres.
 *
 * Every list is an index of its own, made from the spec `inner` with one seed, so all share one rotation; a query
 * goes from list to list with one heap, and what one has found prunes the next.  A cosine or dot query ranks
 * centres by inner product (for dot after training on unit rows: a long row then lies with its direction). */
#include <math.h>
#include <string.h>
#include "index/idset.h"
#include "index/index.h"
#include "index/kmeans.h"
#include "index/persist.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"

static const struct param table[] = {
    { "nlist", PARAM_INT, 1, 65536, "512", "lists", NULL, "parts, at most the rows first seen" },
    { "nprobe", PARAM_INT, 1, 65536, "8", "lists", NULL, "parts that a query goes through" },
    { "inner", PARAM_SPEC, 0, 0, "turboquant:bits=4", "", NULL, "the index of a part" },
    { 0 }
};

enum { KMEANS_ROUNDS = 12, ROWS_PER_LIST = 128 };

struct ivf {
    struct index base;
    struct idset ids;
    struct kmeans kmeans; /* count 0: not trained */
    struct index **lists; /* kmeans.count */
    size_t *sizes;        /* rows of each: an empty one is not worth a probe */
    uint32_t *list_of;    /* a row */
    size_t room;
};

static struct index_config inner_config(const struct ivf *v)
{
    struct index_config c = v->base.config;
    c.threads = 1;
    c.kernels = &v->base.kernels;
    return c;
}

static void drop_lists(struct ivf *v)
{
    for (size_t i = 0; v->lists && i < v->kmeans.count; i++) index_destroy(v->lists[i]);
    mem_free(v->lists);
    mem_free(v->sizes);
    v->lists = NULL;
    v->sizes = NULL;
    kmeans_fini(&v->kmeans);
    v->kmeans.count = 0;
}

static void destroy(struct index *ix)
{
    struct ivf *v = (struct ivf *)ix;
    if (!v) return;
    drop_lists(v);
    idset_fini(&v->ids);
    mem_free(v->list_of);
    mem_free(v);
}

/* Makes one inner index only to see that its spec is good. */
static int create(struct index **out, const struct index *base, struct err *e)
{
    struct ivf *v = mem_zero(1, sizeof *v);
    if (!v) return FAIL(e, ERR_MEM, "ivf: no memory");
    v->base = *base;
    struct index *inner = NULL;
    const struct index_config c = inner_config(v);
    int status = index_create(&inner, params_text(base->params, "inner"), &c, e);
    if (status == ERR_OK && (!inner->ops->search_into || !inner->ops->remove))
        status = FAIL(e, ERR_ARG, "ivf: inner=(%s) cannot stand inside another index", inner->ops->name);
    index_destroy(inner);
    if (status == ERR_OK) *out = &v->base;
    else destroy(&v->base);
    return status;
}

static int make_lists(struct ivf *v, struct err *e)
{
    const struct index_config c = inner_config(v);
    v->lists = mem_zero(v->kmeans.count, sizeof *v->lists);
    v->sizes = mem_zero(v->kmeans.count, sizeof *v->sizes);
    int status = v->lists && v->sizes ? ERR_OK : FAIL(e, ERR_MEM, "ivf: no memory for %zu lists", v->kmeans.count);
    for (size_t i = 0; i < v->kmeans.count && status == ERR_OK; i++)
        status = index_create(&v->lists[i], params_text(v->base.params, "inner"), &c, e);
    if (status != ERR_OK) drop_lists(v);
    return status;
}

/* Unit rows where length does not matter for routing. */
static int routed(const struct ivf *v, struct rows rows, struct rows *out, struct err *e)
{
    *out = rows;
    if (v->base.config.metric == METRIC_L2) return ERR_OK;
    float *unit = mem_alloc(rows.count * rows.dim, sizeof *unit);
    if (!unit) return FAIL(e, ERR_MEM, "ivf: no memory for %zu rows", rows.count);
    *out = (struct rows){ unit, rows.count, rows.dim, rows.dim };
    for (size_t r = 0; r < rows.count; r++) {
        float square;
        const float *x = rows_at(rows, r);
        v->base.kernels.of[OP_dot_f32]->fn.dot_f32(x, x, 0, NULL, 1, rows.dim, &square);
        const float scale = square > 0 ? 1 / sqrtf(square) : 0;
        for (size_t i = 0; i < rows.dim; i++) unit[r * rows.dim + i] = x[i] * scale;
    }
    return ERR_OK;
}

static void free_routed(struct rows routed_rows, struct rows rows)
{
    if (routed_rows.at != rows.at) mem_free((void *)(uintptr_t)routed_rows.at);
}

static int train(struct index *ix, struct rows sample, struct err *e)
{
    struct ivf *v = (struct ivf *)ix;
    if (v->ids.count) return FAIL(e, ERR_ARG, "ivf: cannot train with %zu rows added", v->ids.count);
    struct rows unit;
    int status = routed(v, sample, &unit, e);
    if (status != ERR_OK) return status;
    drop_lists(v);
    const size_t nlist = (size_t)params_int(ix->params, "nlist");
    status = kmeans_train(&v->kmeans, unit, ROWS_PER_LIST * nlist, nlist, ix->config.metric != METRIC_L2, KMEANS_ROUNDS,
                          ix->config.seed, ix->config.threads, &ix->kernels, e);
    free_routed(unit, sample);
    return status == ERR_OK ? make_lists(v, e) : status;
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
            memcpy(x + i * dim, rows_at(f->rows, row), dim * sizeof *x);
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
    uint32_t *list_of = mem_grow(v->list_of, v->ids.count, room, sizeof *list_of);
    if (!list_of) return FAIL(e, ERR_MEM, "ivf: no memory for %zu rows", room);
    v->list_of = list_of;
    v->room = room;
    return ERR_OK;
}

static int add(struct index *ix, struct rows rows, const int64_t *ids, struct err *e)
{
    struct ivf *v = (struct ivf *)ix;
    struct rows unit;
    int status = v->kmeans.count ? ERR_OK : train(ix, rows, e);
    if (status == ERR_OK) status = reserve(v, v->ids.count + rows.count, e);
    if (status == ERR_OK) status = routed(v, rows, &unit, e);
    if (status != ERR_OK) return status;
    status = kmeans_assign(&v->kmeans, unit, v->list_of + v->ids.count, ix->config.threads, e);
    free_routed(unit, rows);
    struct filling f = { .v = v, .rows = rows, .first = v->ids.count };
    if (status == ERR_OK) status = idset_add(&v->ids, ids, rows.count, "ivf", e);
    return status == ERR_OK ? fill(&f, e) : status;
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

/* --- searching ---------------------------------------------------------------------------------- */

static size_t probes(const struct ivf *v)
{
    const size_t wanted = (size_t)params_int(v->base.params, "nprobe");
    return wanted < v->kmeans.count ? wanted : v->kmeans.count;
}

static size_t rounded(size_t bytes) { return (bytes + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN; }

/* Scores of the centres, the nearest of them, then the scratch of a list. */
static size_t scratch_bytes(const struct index *ix, size_t query_count, size_t k)
{
    const struct ivf *v = (const struct ivf *)ix;
    (void)query_count;
    size_t inner = 0; /* lists may differ in size, so in scratch */
    for (size_t i = 0; i < v->kmeans.count; i++) {
        const size_t one = v->lists[i]->ops->scratch_bytes(v->lists[i], 1, k);
        inner = one > inner ? one : inner;
    }
    return rounded(v->kmeans.count * sizeof(float)) + rounded(probes(v) * sizeof(struct hit)) + inner;
}

static void search_one(const struct ivf *v, struct rows query, struct topk *best, void *scratch)
{
    const size_t lists = v->kmeans.count, nprobe = probes(v);
    float *scores = scratch;
    struct hit *nearest = (struct hit *)((char *)scratch + rounded(lists * sizeof(float)));
    void *inner = (char *)nearest + rounded(nprobe * sizeof *nearest);
    struct topk order;
    if (lists == 0) return; /* nothing was added yet */
    topk_init(&order, nearest, nprobe);
    v->kmeans.dot(query.at, v->kmeans.centres, query.dim, NULL, lists, query.dim, scores);
    for (size_t i = 0; i < lists; i++)
        if (v->sizes[i]) topk_push(&order, (int64_t)i, scores[i] - v->kmeans.halves[i]);
    const size_t count = topk_finish(&order);
    for (size_t i = 0; i < count; i++) {
        const struct index *list = v->lists[nearest[i].id];
        const int again = i > 0 && list->ops->search_again; /* 1 us a list less at 384 dimensions */
        (again ? list->ops->search_again : list->ops->search_into)(list, query, best, inner);
    }
}

static void search(const struct index *ix, struct rows queries, size_t k, void *scratch,
                   struct hit *hits, size_t *counts)
{
    for (size_t q = 0; q < queries.count; q++) {
        struct topk best;
        topk_init(&best, hits + q * k, k);
        search_one((const struct ivf *)ix,
                   (struct rows){ rows_at(queries, q), 1, queries.dim, queries.stride }, &best,
                   scratch);
        counts[q] = topk_finish(&best);
    }
}

static void describe(const struct index *ix, struct text *out)
{
    const struct ivf *v = (const struct ivf *)ix;
    kernel_set_describe(&ix->kernels, OP_dot_f32, out);
    if (v->kmeans.count) v->lists[0]->ops->kernels(v->lists[0], out);
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
    for (size_t i = 0; i < lists && status == ERR_OK; i++) status = v->lists[i]->ops->save(v->lists[i], w, e);
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
    v->kmeans.dot = v->base.kernels.of[OP_dot_f32]->fn.dot_f32;
    v->kmeans.centres = mem_alloc(bytes, 1);
    v->kmeans.halves = mem_alloc(bytes / row, sizeof(float));
    if (!v->kmeans.centres || !v->kmeans.halves) return FAIL(e, ERR_MEM, "ivf: no memory for %zu centres", bytes / row);
    if (bytes) memcpy(v->kmeans.centres, centres, bytes);
    status = index_read_into(r, "halves", v->kmeans.halves, bytes / row * sizeof(float), e);
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
    }
    out->other_bytes += sizeof *v + v->kmeans.count * (ix->config.dim + 1) * sizeof(float) + idset_row_bytes(&v->ids) +
                        idset_other_bytes(&v->ids) + v->room * sizeof *v->list_of;
}

static int decode(const struct index *ix, int64_t id, float *out, struct err *e)
{
    const struct ivf *v = (const struct ivf *)ix;
    const int64_t row = idset_row(&v->ids, id);
    if (row == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "ivf: no id %lld", (long long)id);
    return index_decode(v->lists[v->list_of[row]], id, out, e);
}

const struct index_ops index_ivf = {
    .name = "ivf",
    .summary = "k-means lists of another index; a query goes through the nearest",
    .params = table,
    .create = create,
    .train = train,
    .add = add,
    .remove = remove_id,
    .scratch_bytes = scratch_bytes,
    .search = search,
    .kernels = describe,
    .save = save,
    .load = load,
    .stats = stats,
    .decode = decode,
    .destroy = destroy,
};
