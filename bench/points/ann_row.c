/* SPDX-License-Identifier: MIT
 * ann_row.c - the row of an index point: what was asked, what was measured. */
#include "bench/points/ann_row.h"
#include <math.h>
#include <string.h>

static const struct param own_params[] = {
    { "rerank", PARAM_INT, 0, 1e9, "0", "vectors", NULL, "the top so many are scored exactly; 0: none" },
    { 0 },
};

int ann_layout(struct layout *l, const struct index_ops *ops, struct err *e)
{
    const int status = layout_add(l, own_params, e);
    return status == ERR_OK ? layout_add(l, ops->params, e) : status;
}

int ann_canonical(const struct ann_point *p, struct text *out, struct err *e)
{
    const struct index_ops *ops;
    struct params *params;
    const int status = index_parse(p->spec, &ops, &params, e);
    if (status != ERR_OK) return status;
    text_add(out, "index=(");
    params_canonical(params, out);
    text_add(out, "),k=%zu,rerank=%zu,batch=%zu,threads=%d,kernel=(%s),seed=%llu", p->k, p->rerank,
             p->batch, p->threads, p->kernel, (unsigned long long)p->seed);
    params_destroy(params);
    return out->failed ? FAIL(e, ERR_MEM, "%s: no memory", p->spec) : ERR_OK;
}

int ann_point_id(char out[17], const struct ann_set *s, const struct ann_point *p, struct err *e)
{
    struct text canonical = { 0 };
    const int status = ann_canonical(p, &canonical, e);
    if (status == ERR_OK) point_id(out, text_of(&canonical), s->hash);
    text_free(&canonical);
    return status;
}

/* Every parameter of the index by its name; defaults too. */
static void params_row(struct row *row, const struct index *ix)
{
    for (const struct param *p = ix->ops->params; p && p->name; p++)
        row_try(row, p->name, params_text(ix->params, p->name));
}

static void sizes_row(struct row *row, const struct ann_set *s, const struct ann_arm *a)
{
    struct index_stats stats;
    a->built->index->ops->stats(a->built->index, &stats);
    const uint64_t index_bytes = stats.code_bytes + stats.side_bytes + stats.other_bytes;
    const uint64_t originals = a->point.rerank ? s->base.rows.count * s->base.rows.dim * sizeof(float) : 0;
    row_real(row, "bytes_per_vector", index_bytes_per_vector(&stats));
    row_int(row, "index_bytes", (int64_t)index_bytes);
    row_int(row, "bytes_total", (int64_t)(index_bytes + originals));
}

void ann_identity(struct row *row, const struct run *run, const struct ann_set *s, const struct ann_point *p, int rep)
{
    char id[17];
    run_row(run, row);
    if (ann_point_id(id, s, p, NULL) == ERR_OK) row_text(row, "point_id", id);
    else row->failed = 1;
    row_int(row, "rep", rep);
    row_text(row, "dataset", s->name);
    row_hash(row, "data", s->hash);
    row_text(row, "metric", metric_name(s->metric));
    row_int(row, "n", (int64_t)s->base.rows.count);
    row_int(row, "dim", (int64_t)s->base.rows.dim);
    row_int(row, "queries", (int64_t)s->query.rows.count);
    row_int(row, "k", (int64_t)p->k);
    row_int(row, "seed", (int64_t)p->seed);
    row_int(row, "threads", p->threads);
    row_int(row, "batch", (int64_t)p->batch);
    row_int(row, "rerank", (int64_t)p->rerank);
    row_text(row, "kernel_asked", *p->kernel ? p->kernel : "auto");
    row_text(row, "index", p->spec);
}

static double mean_of(uint64_t sum, size_t queries) { return sum ? (double)sum / (double)queries : NAN; }

struct ann_read ann_read_of(const struct index_work *sum, size_t queries)
{
    return (struct ann_read){ .survivors = mean_of(sum->survivors, queries), .hops = mean_of(sum->hops, queries),
                              .scored = mean_of(sum->scored, queries), .rescored = mean_of(sum->rescored, queries),
                              .bytes = queries ? (double)sum->bytes / (double)queries : NAN };
}

void ann_read_row(struct row *row, const struct ann_read *read)
{
    row_real(row, "survivors_mean", read->survivors);
    row_real(row, "hops_mean", read->hops);
    row_real(row, "scored_mean", read->scored);
    row_real(row, "rescored_mean", read->rescored);
    row_real(row, "bytes_touched_per_query", read->bytes);
}

int ann_row(struct row *row, const struct run *run, const struct ann_set *s, const struct ann_arm *a, int rep,
            struct err *e)
{
    const struct index *ix = a->built->index;
    struct text spec = { 0 }, used = { 0 };
    params_row(row, ix); /* first: the core's own columns win */
    ann_identity(row, run, s, &a->point, rep);
    row_text(row, "status", "ok");
    index_spec(ix, &spec);
    ix->ops->kernels(ix, &used);
    if (a->point.rerank && !strstr(text_of(&used), s->metric == METRIC_COSINE ? "cosine_f32=" : "dot_f32="))
        kernel_set_describe(&a->built->kernels, s->metric == METRIC_COSINE ? OP_cosine_f32 : OP_dot_f32, &used);
    row_text(row, "index", text_of(&spec));
    row_text(row, "kernel_used", text_of(&used));
    text_free(&spec);
    text_free(&used);
    row_real(row, "t_retrieve_us", a->retrieve_us);
    if (a->point.rerank) row_real(row, "t_rerank_us", a->rerank_us);
    ann_read_row(row, &a->read);
    if (!ann_is_external(ix)) {
        row_real(row, "build_s", a->built->build_s);
        sizes_row(row, s, a);
    }
    point_resources(row, a->steal_ms);
    int status = point_quality(row, &a->quality, e);
    if (status == ERR_OK) status = point_latency(row, &a->calls, a->point.batch, s->base.rows.count, e);
    return status;
}
