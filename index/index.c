/* SPDX-License-Identifier: MIT
 * index.c - the registry of indexes, and what is checked before any of them is called. */
#include "index/index.h"
#include "kernels/base/parallel.h"
#include "kernels/base/mem.h"
#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define PLUGIN(file) extern const struct index_ops file;
#include "gen/indexes.inc"
#undef PLUGIN

static const struct index_ops *const all[] = {
#define PLUGIN(file) &file,
#include "gen/indexes.inc"
#undef PLUGIN
    NULL
};

const struct index_ops *index_at(size_t i) { return i < sizeof all / sizeof *all ? all[i] : NULL; }

const struct index_ops *index_find(const char *name)
{
    for (size_t i = 0; all[i]; i++)
        if (strcmp(all[i]->name, name) == 0) return all[i];
    return NULL;
}

static const char *const metric_names[] = { "cosine", "dot", "l2" };

const char *metric_name(enum metric m) { return metric_names[m]; }

int metric_parse(const char *name, enum metric *out, struct err *e)
{
    for (int m = 0; m < METRIC_COUNT; m++)
        if (strcmp(metric_names[m], name) == 0) {
            *out = (enum metric)m;
            return ERR_OK;
        }
    return FAIL(e, ERR_ARG, "metric=%s is none of cosine|dot|l2", name);
}

double index_bytes_per_vector(const struct index_stats *s)
{
    return s->rows ? (double)(s->code_bytes + s->side_bytes + s->shared_bytes) / (double)s->rows : 0;
}

static int unknown_index(const char *name, struct err *e)
{
    const char *names[sizeof all / sizeof *all];
    size_t count = 0;
    while (all[count]) names[count] = all[count]->name, count++;
    return FAIL(e, ERR_ARG, "no index '%s'%s", name, NEAREST(name, names, count));
}

/* "ids:FILE,lat=F" is short for "ids:file=FILE,lat=F" where the first parameter is a text. */
static int parse_args(struct params **out, const struct index_ops *ops, const char *args, struct err *e)
{
    const struct param *first = ops->params;
    const size_t head = args ? strcspn(args, "=,(") : 0;
    if (!args || !first || first->type != PARAM_TEXT || args[head] == '=')
        return params_create(out, first, ops->name, args, e);
    struct text named = { 0 };
    text_add(&named, "%s=%s", first->name, args);
    const int status = named.failed ? FAIL(e, ERR_MEM, "%s: no memory", ops->name)
                                    : params_create(out, first, ops->name, text_of(&named), e);
    text_free(&named);
    return status;
}

int index_parse(const char *spec, const struct index_ops **out, struct params **params, struct err *e)
{
    char name[64];
    const char *args;
    int status = spec_split(spec, name, sizeof name, &args, e);
    if (status != ERR_OK) return status;
    const struct index_ops *ops = index_find(name);
    if (!ops) return unknown_index(name, e);
    status = parse_args(params, ops, args, e);
    if (status == ERR_OK) *out = ops;
    return status;
}

void index_doubt(const char *spec, size_t rows, struct text *out)
{
    const struct index_ops *ops;
    struct params *params = NULL;
    if (*spec == '(') { /* as a setting of a pipeline may have it */
        struct text inside = { 0 };
        text_add(&inside, "%.*s", (int)strlen(spec) - 2, spec + 1);
        index_doubt(text_of(&inside), rows, out);
        text_free(&inside);
        return;
    }
    if (index_parse(spec, &ops, &params, NULL) != ERR_OK) return;
    const size_t entries = ops->entries ? ops->entries(params) : 0;
    if (entries > rows)
        text_add(out, "%s%s: codebooks of %zu entries for %zu rows: every row may be its own code", out->size ? "; " : "", spec,
                 entries, rows);
    if (ops->params && param_find(ops->params, "inner")) index_doubt(params_text(params, "inner"), rows, out);
    params_destroy(params);
}

int index_create(struct index **out, const char *spec, const struct index_config *config, struct err *e)
{
    struct index base = { .config = *config };
    int status = index_parse(spec, &base.ops, &base.params, e);
    if (status != ERR_OK) return status;
    if (config->dim < 1 || config->dim > INDEX_DIM_MAX) {
        params_destroy(base.params);
        return FAIL(e, ERR_ARG, "%s: dim=%zu outside 1..%d", base.ops->name, config->dim, INDEX_DIM_MAX);
    }
    if (base.config.threads < 1) base.config.threads = 1;
    if (config->kernels) base.kernels = *config->kernels;
    else status = kernel_set_resolve(&base.kernels, NULL, e);
    base.config.kernels = NULL;
    struct index *ix = NULL;
    if (status == ERR_OK) status = base.ops->create(&ix, &base, e);
    if (status != ERR_OK) {
        params_destroy(base.params);
        return status;
    }
    ix->config.kernels = &ix->kernels;
    *out = ix;
    return ERR_OK;
}

int index_view(struct index **out, const struct index *model, const char *spec, struct err *e)
{
    const struct index_ops *ops;
    struct index base = *model, *ix = NULL;
    int status = index_parse(spec, &ops, &base.params, e);
    if (status != ERR_OK) return status;
    base.model = model->model ? model->model : model;
    base.map = (struct mem_map){ 0 };
    base.config.kernels = NULL;
    if (model->ops->view && params_are_of(model->params, ops->params)) status = model->ops->view(&ix, model, &base, e);
    else status = FAIL(e, ERR_UNSUPPORTED, "%s: built anew for every spec", ops->name);
    if (status != ERR_OK) {
        params_destroy(base.params);
        return status;
    }
    ix->config.kernels = &ix->kernels;
    *out = ix;
    return ERR_OK;
}

void index_destroy(struct index *ix)
{
    if (!ix) return;
    struct params *params = ix->params;
    struct mem_map map = ix->map;
    ix->ops->destroy(ix);
    params_destroy(params);
    mem_map_close(&map);
}

void index_spec(const struct index *ix, struct text *out) { params_canonical(ix->params, out); }

/* Lanes side by side, or the compiler may not vectorise: 250 -> 45 ns a row of 384, a fifth of building. */
static float sum_of_sizes(const float *x, size_t n)
{
    enum { LANES = 16 };
    float lanes[LANES] = { 0 }, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++) lanes[j] += fabsf(x[i + j]);
    for (; i < n; i++) sum += fabsf(x[i]);
    for (size_t j = 0; j < LANES; j++) sum += lanes[j];
    return sum;
}

/* Of a length whose square is a normal float32, or 0: below, (1e-15)^2 / 65536 is still above 1.2e-38. */
static int has_length(float sum) { return sum < 1e18f && (sum == 0 || sum >= 1e-15f); }

int index_takes(const float *x, size_t dim) { return has_length(sum_of_sizes(x, dim)); }

int index_check_rows(struct rows rows, enum metric metric, const char *name, const char *what, struct err *e)
{
    for (size_t r = 0; r < rows.count; r++) {
        const float *x = rows_at(rows, r);
        const float sum = sum_of_sizes(x, rows.dim);
        if (sum < 1e18f && (metric != METRIC_COSINE || has_length(sum))) continue;
        if (sum < 1e-15f)
            return FAIL(e, ERR_ARG, "%s: %s %zu: the sum of its absolute values is %g, too small for a cosine (at least 1e-15, "
                        "or 0): scale it", name, what, r, (double)sum);
        for (size_t i = 0; i < rows.dim; i++)
            if (!isfinite(x[i]))
                return FAIL(e, ERR_ARG, "%s: %s %zu, column %zu is %g", name, what, r, i,
                            (double)x[i]);
        return FAIL(e, ERR_ARG, "%s: %s %zu: the sum of its absolute values is %g, at most 1e18",
                    name, what, r, (double)sum);
    }
    return ERR_OK;
}

static int check_rows(const struct index *ix, struct rows rows, const char *what, struct err *e)
{
    const char *name = ix->ops->name;
    if (rows.count && rows.dim != ix->config.dim)
        return FAIL(e, ERR_ARG, "%s: %s of %zu dimensions where the index has %zu", name, what,
                    rows.dim, ix->config.dim);
    return index_check_rows(rows, ix->config.metric, name, what, e);
}

static int check_writable(const struct index *ix, struct err *e)
{
    if (ix->model) return FAIL(e, ERR_UNSUPPORTED, "%s: a view, where nothing is changed", ix->ops->name);
    if (!ix->is_mapped) return ERR_OK;
    return FAIL(e, ERR_UNSUPPORTED, "%s: mapped from a file, where nothing can be added or removed: load it",
                ix->ops->name);
}

int index_train(struct index *ix, struct rows sample, struct err *e)
{
    if (!ix->ops->train || sample.count == 0) return ERR_OK;
    int status = check_writable(ix, e);
    if (status == ERR_OK) status = check_rows(ix, sample, "row", e);
    return status == ERR_OK ? ix->ops->train(ix, sample, e) : status;
}

int index_learns(const struct index *ix) { return ix->ops->train && (!ix->ops->learns || ix->ops->learns(ix)); }

int index_add(struct index *ix, struct rows rows, const int64_t *ids, struct err *e)
{
    int status = check_writable(ix, e);
    if (status == ERR_OK) status = check_rows(ix, rows, "row", e);
    return status == ERR_OK && rows.count ? ix->ops->add(ix, rows, ids, e) : status;
}

int index_remove(struct index *ix, int64_t id, struct err *e)
{
    if (!ix->ops->remove) return FAIL(e, ERR_UNSUPPORTED, "%s: cannot remove", ix->ops->name);
    const int status = check_writable(ix, e);
    return status == ERR_OK ? ix->ops->remove(ix, id, e) : status;
}

int index_replace(struct index *ix, int64_t id, const float *x, struct err *e)
{
    const struct rows row = { x, 1, ix->config.dim, ix->config.dim };
    if (!ix->ops->replace) return FAIL(e, ERR_UNSUPPORTED, "%s: cannot replace", ix->ops->name);
    int status = check_writable(ix, e);
    if (status == ERR_OK) status = check_rows(ix, row, "row", e);
    return status == ERR_OK ? ix->ops->replace(ix, id, x, e) : status;
}

int index_decode(const struct index *ix, int64_t id, float *out, struct err *e)
{
    if (!ix->ops->decode) return FAIL(e, ERR_UNSUPPORTED, "%s: cannot decode", ix->ops->name);
    return ix->ops->decode(ix, id, out, e);
}

int index_bind(struct index *ix, struct rows queries, struct err *e)
{
    return ix->ops->bind ? ix->ops->bind(ix, queries, e) : ERR_OK;
}

int index_check_queries(const struct index *ix, struct rows queries, size_t k, struct err *e)
{
    if (k == 0) return FAIL(e, ERR_ARG, "%s: k=0, at least 1", ix->ops->name);
    if (k > UINT32_MAX) return FAIL(e, ERR_ARG, "%s: k=%zu, at most %u", ix->ops->name, k, UINT32_MAX);
    return check_rows(ix, queries, "query", e);
}

struct search {
    const struct index *ix;
    struct rows queries;
    size_t k, scratch_bytes;
    char *scratch; /* scratch_bytes a thread */
    struct hit *hits;
    size_t *counts;
};

static void search_some(void *context, int thread, size_t from, size_t to)
{
    const struct search *s = context;
    const struct rows some = { rows_at(s->queries, from), to - from, s->queries.dim, s->queries.stride };
    s->ix->ops->search(s->ix, some, s->k, s->scratch + (size_t)thread * s->scratch_bytes, s->hits + from * s->k,
                       s->counts + from);
}

int index_search(const struct index *ix, struct rows queries, size_t k, size_t batch, int threads, struct hit *hits,
                 size_t *counts, struct err *e)
{
    const int status = index_check_queries(ix, queries, k, e);
    if (status != ERR_OK || queries.count == 0) return status;
    if (batch < 1) batch = 1;
    if (batch > queries.count) batch = queries.count;
    if (threads < 1) threads = 1;
    if (threads > PARALLEL_THREADS_MAX) threads = PARALLEL_THREADS_MAX;
    struct search s = { .ix = ix, .queries = queries, .k = k, .hits = hits, .counts = counts };
    s.scratch_bytes = mem_rounded(ix->ops->scratch_bytes(ix, batch, k));
    s.scratch = mem_alloc(s.scratch_bytes, (size_t)threads);
    if (!s.scratch)
        return FAIL(e, ERR_MEM, "%s: no memory for %d x %zu bytes of scratch", ix->ops->name, threads, s.scratch_bytes);
    parallel_for(threads, queries.count, batch, search_some, &s);
    mem_free(s.scratch);
    return ERR_OK;
}
