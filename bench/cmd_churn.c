/* SPDX-License-Identifier: MIT
 * cmd_churn.c - recall, latency and bytes of indexes whose rows come, go and change. */
#include "bench/command.h"
#include "bench/points/ann_row.h"
#include "bench/quality/truth.h"
#include "bench/rows/sink.h"
#include "kernels/base/clock.h"
#include "kernels/base/mem.h"
#include "kernels/base/option.h"
#include "kernels/base/parallel.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHURN_INDEXES = 16 };

struct request {
    const char *base, *query, *metric, *kernel, *out;
    struct option_list specs;
    int64_t k, rerank, threads, seed, steps, least_calls;
    double step_pct, held_pct;
    int json;
};

static const struct param churn_params[] = {
    { "churn_pct", PARAM_REAL, 0, INFINITY, "0", "%", NULL,
      "of the rows at the start, so many were removed, so many added and so many replaced" },
    { "churn_built", PARAM_CHOICE, 0, 0, "updated", "", "updated|rebuilt",
      "updated row by row, or built anew from the same rows" },
    { 0 },
};

/* The rows of the base, of which some are in the index: an id is a row's number. */
struct world {
    struct ann_set set; /* its base.rows are `matrix`, its truth that of the live rows */
    float *matrix;      /* a replaced row and one outside have changed vectors */
    uint32_t *order;    /* live ids first, then the others */
    size_t live;
    float *compact; /* live rows one after the other */
    int64_t *ids;   /* their ids */
    struct rng rng;
    uint64_t base_hash;
};

/* What the changes of a step cost, us a row. */
struct costs {
    double add_us, remove_us, replace_us;
};

static float *row_of(const struct world *w, uint32_t id)
{
    return w->matrix + (size_t)id * w->set.base.rows.dim;
}

static int by_id(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* In the order of their ids, which is that of ties. */
static struct rows live_rows(const struct world *w)
{
    const size_t dim = w->set.base.rows.dim;
    for (size_t i = 0; i < w->live; i++) w->ids[i] = w->order[i];
    qsort(w->ids, w->live, sizeof *w->ids, by_id);
    for (size_t i = 0; i < w->live; i++)
        memcpy(w->compact + i * dim, row_of(w, (uint32_t)w->ids[i]), dim * sizeof *w->compact);
    return (struct rows){ w->compact, w->live, dim, dim };
}

static int world_open(struct world *w, const struct request *r, struct err *e)
{
    *w = (struct world){ 0 };
    int status = ann_set_open(&w->set, r->base, r->query, r->metric, e);
    if (status != ERR_OK) return status;
    const struct rows b = w->set.base.rows;
    w->matrix = mem_alloc(b.count, b.dim * sizeof *w->matrix);
    w->compact = mem_alloc(b.count, b.dim * sizeof *w->compact);
    w->order = mem_alloc(b.count, sizeof *w->order);
    w->ids = mem_alloc(b.count, sizeof *w->ids);
    if (!w->matrix || !w->compact || !w->order || !w->ids)
        return FAIL(e, ERR_MEM, "no memory for a copy of %zu rows", b.count);
    for (size_t i = 0; i < b.count; i++)
        memcpy(w->matrix + i * b.dim, rows_at(b, i), b.dim * sizeof *w->matrix);
    for (size_t i = 0; i < b.count; i++) w->order[i] = (uint32_t)i;
    w->set.base.rows = (struct rows){ w->matrix, b.count, b.dim, b.dim };
    w->base_hash = w->set.hash;
    w->live = (size_t)((double)b.count * (1 - r->held_pct / 100));
    if (w->live < (size_t)r->k || w->live == b.count)
        return FAIL(e, ERR_ARG,
                    "--hold %g: of %zu rows %zu start in the index, at least k=%lld and not all",
                    r->held_pct, b.count, w->live, (long long)r->k);
    rng_seed(&w->rng, (uint64_t)r->seed, 0);
    rng_shuffle(&w->rng, w->order, b.count);
    return ERR_OK;
}

static void world_close(struct world *w)
{
    mem_free(w->matrix);
    mem_free(w->compact);
    mem_free(w->order);
    mem_free(w->ids);
    ann_set_close(&w->set);
}

/* Exact neighbours among the live rows, by id. */
static int find_truth(struct world *w, const struct request *r, struct err *e)
{
    struct truth t;
    const int status = truth_compute(&t, live_rows(w), w->set.query.rows, (size_t)r->k,
                                     w->set.metric, (int)r->threads, NULL, e);
    if (status != ERR_OK) return status;
    mem_free(w->set.truth);
    w->set.truth = mem_alloc(t.count * t.k, sizeof *w->set.truth);
    if (!w->set.truth) {
        truth_free(&t);
        return FAIL(e, ERR_MEM, "no memory for the truth of %zu queries", t.count);
    }
    for (size_t i = 0; i < t.count * t.k; i++) w->set.truth[i] = (int32_t)w->ids[t.ids[i]];
    w->set.truth_k = t.k;
    truth_free(&t);
    return ERR_OK;
}

/* --- changes
 * ------------------------------------------------------------------------------------------ */
/* One change of each live index, timed. */
struct change {
    enum { REMOVE, ADD, REPLACE } what;
    uint32_t id;
};

static int apply(const struct world *w, struct index *ix, struct change c, double *ns,
                 struct err *e)
{
    const size_t dim = w->set.base.rows.dim;
    const struct rows row = { row_of(w, c.id), 1, dim, dim };
    const int64_t id = c.id;
    const uint64_t start = clock_ns();
    const int status = c.what == REMOVE ? index_remove(ix, id, e)
                       : c.what == ADD  ? index_add(ix, row, &id, e)
                                        : index_replace(ix, id, row.at, e);
    *ns += (double)(clock_ns() - start);
    return status;
}

static void swap(uint32_t *order, size_t a, size_t b)
{
    const uint32_t kept = order[a];
    order[a] = order[b];
    order[b] = kept;
}

/* Draws a change and makes it in the world: the indexes follow. */
static struct change draw(struct world *w, int what)
{
    const size_t dim = w->set.base.rows.dim, dead = w->set.base.rows.count - w->live;
    const size_t at = (size_t)rng_below(&w->rng, w->live),
                 other = w->live + (size_t)rng_below(&w->rng, dead);
    const uint32_t id = w->order[what == ADD ? other : at];
    if (what == REMOVE) swap(w->order, at, --w->live);
    if (what == ADD) swap(w->order, other, w->live++);
    for (size_t i = 0; what == REPLACE && i < dim;
         i++) { /* the two change places: no vector comes twice */
        float *mine = &row_of(w, id)[i], *theirs = &row_of(w, w->order[other])[i];
        const float kept = *mine;
        *mine = *theirs;
        *theirs = kept;
    }
    return (struct change){ what, id };
}

/* So many of each, in turns. */
static int change_some(struct world *w, struct ann_index *built, size_t count, size_t changes,
                       struct costs *costs, struct err *e)
{
    double ns[3] = { 0 };
    for (size_t i = 0; i < count; i++) costs[i] = (struct costs){ 0 };
    for (size_t n = 0; n < changes; n++)
        for (int what = REMOVE; what <= REPLACE; what++) {
            const struct change c = draw(w, what);
            for (size_t i = 0; i < count; i++) {
                ns[what] = 0;
                const int status = apply(w, built[i].index, c, &ns[what], e);
                if (status != ERR_OK) return status;
                if (what == REMOVE) costs[i].remove_us += ns[what] * 1e-3 / (double)changes;
                if (what == ADD) costs[i].add_us += ns[what] * 1e-3 / (double)changes;
                if (what == REPLACE) costs[i].replace_us += ns[what] * 1e-3 / (double)changes;
            }
        }
    mem_free(w->set.side); /* norms of rows that are others now */
    w->set.side = NULL;
    return ERR_OK;
}

/* --- measuring
 * ------------------------------------------------------------------------------------------ */
static int build(struct ann_index *out, const struct world *w, const struct ann_point *p,
                 struct err *e)
{
    struct ann_index x = { 0 };
    int status = kernel_set_resolve(&x.kernels, p->kernel, e);
    if (status != ERR_OK) return status;
    const struct rows rows = live_rows(w);
    const struct index_config config = { rows.dim, w->set.metric, p->seed, p->threads, &x.kernels };
    const uint64_t start = clock_ns();
    status = index_create(&x.index, p->spec, &config, e);
    if (status == ERR_OK) status = index_train(x.index, rows, e);
    if (status == ERR_OK) status = index_add(x.index, rows, w->ids, e);
    x.build_s = (double)(clock_ns() - start) * 1e-9;
    if (status == ERR_OK)
        *out = x;
    else
        index_destroy(x.index);
    return status;
}

static int emit(struct sink *o, const struct world *w, const struct ann_arm *a, double pct,
                int rebuilt, const struct costs *costs, struct err *e)
{
    struct row row;
    char id[17];
    struct text canonical = { 0 };
    int status = row_init(&row, &o->layout, e);
    if (status != ERR_OK) return status;
    status = ann_row(&row, &o->run, &w->set, a, 0, e);
    if (status == ERR_OK) status = ann_canonical(&a->point, &canonical, e);
    text_add(&canonical, ",churn_built=%d", rebuilt);
    if (status == ERR_OK) {
        point_id(id, text_of(&canonical), w->set.hash);
        row_text(&row, "point_id", id);
        row_int(&row, "n", (int64_t)w->live);
        double ns; /* of all rows, where only those that are in were scanned */
        if (text_to_f64(row_get(&row, "ns_per_vector"), &ns))
            row_real(&row, "ns_per_vector", ns * (double)w->set.base.rows.count / (double)w->live);
        row_real(&row, "churn_pct", pct);
        row_text(&row, "churn_built", rebuilt ? "rebuilt" : "updated");
        if (!rebuilt && pct > 0) {
            row_real(&row, "t_add_us", costs->add_us);
            row_real(&row, "t_remove_us", costs->remove_us);
            row_real(&row, "t_replace_us", costs->replace_us);
        }
        if (!o->json)
            printf("%6.4g %%  %-8s %-40s recall %-8.6s p50 %-8.7s us  %-6.6s B/vector  add %-7.6s "
                   "remove %-7.6s replace %.6s us\n",
                   pct, rebuilt ? "rebuilt" : "updated", row_get(&row, "index"),
                   row_get(&row, "recall_strict"), row_get(&row, "lat_p50_us"),
                   row_get(&row, "bytes_per_vector"), row_get(&row, "t_add_us"),
                   row_get(&row, "t_remove_us"), row_get(&row, "t_replace_us"));
        status = sink_emit(o, &row, NULL, &a->quality, &a->calls, a->point.batch, e);
    }
    text_free(&canonical);
    row_fini(&row);
    return status;
}

/* Every index as it was updated, beside one that is built anew from the same rows. */
static int measure_step(struct world *w, const struct request *r, struct sink *o,
                        const struct ann_point *points, struct ann_index *built, size_t count,
                        size_t step, const struct costs *costs, struct err *e)
{
    struct ann_index fresh[CHURN_INDEXES] = { 0 };
    struct ann_arm arms[2 * CHURN_INDEXES] = { 0 };
    const double pct = (double)step * r->step_pct;
    const uint64_t state[] = { w->base_hash, (uint64_t)r->seed, step, (uint64_t)(r->step_pct * 1e6),
                               w->live };
    const size_t arm_count = step ? 2 * count : count;
    w->set.hash = hash64(0, state, sizeof state);
    int status = find_truth(w, r, e);
    for (size_t i = 0; i < count && status == ERR_OK; i++) {
        arms[i] = (struct ann_arm){ .point = points[i], .built = &built[i] };
        arms[count + i] = (struct ann_arm){ .point = points[i], .built = &fresh[i] };
        if (step) status = build(&fresh[i], w, &points[i], e);
    }
    const struct ann_plan plan = { .least_calls = (size_t)r->least_calls };
    if (status == ERR_OK) status = ann_measure(&w->set, arms, arm_count, &plan, e);
    for (size_t i = 0; i < arm_count && status == ERR_OK; i++)
        status = emit(o, w, &arms[i], pct, i >= count, &costs[i % count], e);
    for (size_t i = 0; i < arm_count; i++) ann_arm_fini(&arms[i]);
    for (size_t i = 0; i < count; i++) ann_index_fini(&fresh[i]);
    return status;
}

static int measure(struct world *w, const struct request *r, struct sink *o, struct err *e)
{
    const size_t count = (size_t)r->specs.count,
                 changes = (size_t)((double)w->live * r->step_pct / 100);
    struct ann_point points[CHURN_INDEXES];
    struct ann_index built[CHURN_INDEXES] = { 0 };
    struct costs costs[CHURN_INDEXES] = { 0 };
    int status =
        changes ? ERR_OK : FAIL(e, ERR_ARG, "--step %g: of %zu rows none", r->step_pct, w->live);
    for (size_t i = 0; i < count && status == ERR_OK; i++) {
        points[i] = (struct ann_point){ r->specs.at[i],    r->kernel, (size_t)r->k,
                                        (size_t)r->rerank, 1,         (int)r->threads,
                                        (uint64_t)r->seed };
        status = build(&built[i], w, &points[i], e);
    }
    for (size_t step = 0; step <= (size_t)r->steps && status == ERR_OK; step++) {
        if (step) status = change_some(w, built, count, changes, costs, e);
        if (status == ERR_OK) status = measure_step(w, r, o, points, built, count, step, costs, e);
    }
    for (size_t i = 0; i < count; i++) ann_index_fini(&built[i]);
    return status;
}

static int open_sink(struct sink *o, const struct request *r, const struct world *w, int argc,
                     char **argv, struct err *e)
{
    int status = sink_init(o, argc, argv, r->json, r->out, e);
    for (int i = 0; status == ERR_OK && i < r->specs.count; i++) {
        const struct index_ops *ops;
        struct params *params;
        status = index_parse(r->specs.at[i], &ops, &params, e);
        if (status != ERR_OK) break;
        params_destroy(params);
        if (!ops->remove || !ops->replace)
            return FAIL(e, ERR_UNSUPPORTED, "%s: its rows cannot be removed", ops->name);
        status = ann_layout(&o->layout, ops, e);
    }
    if (status == ERR_OK) status = layout_add(&o->layout, churn_params, e);
    if (status != ERR_OK) return status;
    run_note(&o->run, "dataset", "%s, %zu x %zu, %016llx; %zu rows at the start", w->set.name,
             w->set.base.rows.count, w->set.base.rows.dim,
             (unsigned long long)w->set.base.content_hash, w->live);
    run_note(&o->run, "seed", "%lld", (long long)r->seed);
    return sink_create(o, "churn.csv", r->kernel, e);
}

static int parse(int argc, char **argv, struct request *r, struct err *e)
{
    const struct option options[] = {
        { "--base", OPTION_TEXT, &r->base, 0, 0 },
        { "--query", OPTION_TEXT, &r->query, 0, 0 },
        { "--index", OPTION_LIST, &r->specs, 0, 0 },
        { "--metric", OPTION_TEXT, &r->metric, 0, 0 },
        { "--kernel", OPTION_TEXT, &r->kernel, 0, 0 },
        { "-k", OPTION_INT, &r->k, 1, 1e6 },
        { "--rerank", OPTION_INT, &r->rerank, 0, 1e6 },
        { "--threads", OPTION_INT, &r->threads, 1, PARALLEL_THREADS_MAX },
        { "--seed", OPTION_INT, &r->seed, 0, 1e15 },
        { "--steps", OPTION_INT, &r->steps, 1, 1000 },
        { "--step", OPTION_REAL, &r->step_pct, 1e-6, 100 },
        { "--hold", OPTION_REAL, &r->held_pct, 0, 99 },
        { "--min-calls", OPTION_INT, &r->least_calls, 0, 1e9 },
        { "--out", OPTION_TEXT, &r->out, 0, 0 },
        { "--json", OPTION_FLAG, &r->json, 0, 0 },
        { 0 },
    };
    const int status = options_parse(argc, argv, options, NULL, e);
    if (status != ERR_OK) return status;
    if (!r->base || !r->query || r->specs.count == 0)
        return FAIL(e, ERR_ARG, "--base, --query and --index are needed");
    if (r->specs.count > CHURN_INDEXES)
        return FAIL(e, ERR_ARG, "--index more than %d times", CHURN_INDEXES);
    return ERR_OK;
}

static int run(int argc, char **argv, struct err *e)
{
    struct request r = { .kernel = "",
                         .k = 10,
                         .threads = 1,
                         .seed = 42,
                         .steps = 5,
                         .step_pct = 10,
                         .held_pct = 20 };
    struct world w = { 0 };
    struct sink o = { .fd = -1 };
    int status = parse(argc, argv, &r, e);
    if (status == ERR_OK) status = world_open(&w, &r, e);
    if (status == ERR_OK) status = open_sink(&o, &r, &w, argc, argv, e);
    if (status == ERR_OK) status = measure(&w, &r, &o, e);
    sink_close(&o);
    world_close(&w);
    return status;
}

const struct command cmd_churn = {
    .name = "churn",
    .summary = "recall, latency and bytes of indexes whose rows come, go and change",
    .help =
        "usage: assay churn --base FILE --query FILE --index SPEC [--index SPEC ...] [options]\n\n"
        "Builds each index from a part of the base.  In every step so many rows are removed, as "
        "many of those outside are\n"
        "added, and as many change their vector for that of one outside; then the queries are "
        "asked, and answers judged by\n"
        "the exact neighbours among the rows that are in.  Beside each index stands one built anew "
        "from the same rows:\n"
        "what the updates cost in recall, time and bytes is their difference.\n\n"
        "  --steps N        so many times                                             (5)\n"
        "  --step P         percent of the rows at the start: so many removed, added and replaced "
        "in a step  (10)\n"
        "  --hold P         percent of the base that are outside at the start         (20)\n"
        "  -k N, --rerank N results a query (10); the top so many are scored exactly  (0)\n"
        "  --metric M       cosine, dot, l2                                           (the base file's, cosine)\n"
        "  --min-calls N    timed calls a point                                       (2,000)\n"
        "  --threads N, --kernel SPEC, --seed N                                       (1, best, "
        "42)\n"
        "  --out DIR        churn.csv, POINT_ID.pq.tsv\n"
        "  --json           one object a row\n\n"
        "example: assay churn --base d/base.fvecs --query d/query.fvecs --index turboquant:bits=3 "
        "--index pq --out d\n"
        "         assay plot d/churn.csv\n",
    .run = run,
};
