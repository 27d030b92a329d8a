/* SPDX-License-Identifier: MIT
 * rag_row.c - the row of a pipeline point: what was asked, what was measured. */
#include "bench/points/rag_row.h"
#include "bench/time/stats.h"
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "pipeline/stage.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int rag_layout(struct layout *l, struct err *e)
{
    struct param *table = pipeline_params();
    if (!table) return FAIL(e, ERR_MEM, "no memory for the parameters of a pipeline");
    const int status = layout_add(l, table, e);
    mem_free(table);
    return status;
}

static int as_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* What was learnt is part of a point, where it lies is not.  A file that cannot be read: its path. */
static void add_canonical(struct text *out, const char *setting)
{
    static const char learnt[] = "utility_file=";
    uint64_t hash;
    if (strncmp(setting, learnt, sizeof learnt - 1) == 0 && file_hash(setting + sizeof learnt - 1, &hash, NULL) == ERR_OK)
        text_add(out, "%s%016llx\n", learnt, (unsigned long long)hash);
    else text_add(out, "%s\n", setting);
}

int rag_point_id(char out[17], const struct rag_set *s, const struct rag_point *p, struct err *e)
{
    struct text canonical = { 0 };
    const char **sorted = mem_alloc(p->setting_count, sizeof *sorted);
    if (!sorted) return FAIL(e, ERR_MEM, "no memory for settings");
    for (size_t i = 0; i < p->setting_count; i++) sorted[i] = p->settings[i];
    qsort(sorted, p->setting_count, sizeof *sorted, as_text);
    for (size_t i = 0; i < p->setting_count; i++) /* that a service may be asked is no part of what is measured */
        if (strcmp(sorted[i], SETTINGS_TRUST) != 0) add_canonical(&canonical, sorted[i]);
    text_add(&canonical, "k=%zu\nthreads=%d\nkernel=%s\n", p->k, p->threads, p->kernel);
    mem_free(sorted);
    if (!canonical.failed) point_id(out, text_of(&canonical), s->hash);
    const int status = canonical.failed ? FAIL(e, ERR_MEM, "no memory for settings") : ERR_OK;
    text_free(&canonical);
    return status;
}

static void sizes_row(struct row *row, const struct rag_set *s)
{
    row_int(row, "n", (int64_t)s->base_count);
    row_int(row, "dim", (int64_t)s->dim);
}

void rag_identity(struct row *row, const struct run *run, const struct rag_set *s, const struct rag_point *p, int rep)
{
    char id[17];
    for (size_t i = 0; i < p->setting_count; i++) {
        char key[64];
        const char *equals = strchr(p->settings[i], '=');
        if (!equals) continue;
        snprintf(key, sizeof key, "%.*s", (int)(equals - p->settings[i]), p->settings[i]);
        row_try(row, key, equals + 1);
    }
    run_row(run, row);
    if (rag_point_id(id, s, p, NULL) == ERR_OK) row_text(row, "point_id", id);
    else row->failed = 1;
    row_int(row, "rep", rep);
    row_text(row, "dataset", s->name);
    row_hash(row, "data", s->hash);
    row_text(row, "metric", "cosine");
    if (s->dim) sizes_row(row, s); /* else nothing was loaded: the point failed early */
    if (s->queries.count) row_int(row, "queries", (int64_t)s->queries.count);
    row_int(row, "k", (int64_t)p->k);
    row_int(row, "threads", p->threads);
    row_int(row, "batch", 1);
    row_text(row, "kernel_asked", *p->kernel ? p->kernel : "auto");
}

static void index_row(struct row *row, const struct rag_set *s, const struct index *ix)
{
    struct text spec = { 0 };
    struct index_stats stats;
    ix->ops->stats(ix, &stats);
    index_spec(ix, &spec);
    row_text(row, "index", text_of(&spec));
    text_free(&spec);
    for (const struct param *p = ix->ops->params; p && p->name; p++)
        if (strcmp(p->name, "bits") == 0 || strcmp(p->name, "layout") == 0)
            row_text(row, p->name, params_text(ix->params, p->name));
    const uint64_t index_bytes = stats.code_bytes + stats.side_bytes + stats.other_bytes;
    row_real(row, "bytes_per_vector", index_bytes_per_vector(&stats));
    row_int(row, "index_bytes", (int64_t)index_bytes);
    row_int(row, "bytes_total", (int64_t)(index_bytes + s->base_count * s->dim * sizeof(float)));
}

/* What the last hop of the expansion adds to the one before. */
static void hop_row(struct row *row, const struct rag_arm *a)
{
    if (!a->depth) return;
    const struct rag_hop *last = &a->hops[a->depth], *before = last - 1;
    const double edges = last->edges - before->edges, us = last->us - before->us;
    const double relevant = last->relevant - before->relevant;
    row_real(row, "hop_edges", edges);
    row_real(row, "hop_relevant", relevant);
    row_real(row, "yield_per_edge", edges > 0 ? relevant / edges : NAN);
    row_real(row, "yield_per_us", us > 0 ? relevant / us : NAN);
}

int rag_row(struct row *row, const struct run *run, const struct rag_set *s, const struct rag_arm *a, int rep,
            struct err *e)
{
    static const char *const stage_columns[SLOT_COUNT] = { "t_embed_us",  "t_retrieve_us",
                                                           "t_rerank_us", "t_expand_us",
                                                           "t_score_us",  "t_filter_us",
                                                           "t_context_us" };
    struct text used = { 0 };
    const struct index *ix = pipeline_index(a->pipeline);
    /* In this order, so that a name that means something closer to the pipeline wins. */
    for (const struct param *p = ix ? ix->ops->params : NULL; p && p->name; p++)
        row_try(row, p->name, params_text(ix->params, p->name));
    for (size_t i = 0; i < pipeline_setting_count(a->pipeline); i++) {
        const char *key, *value;
        pipeline_setting(a->pipeline, i, &key, &value);
        row_try(row, key, value);
    }
    if (s->blind) { /* what ran, not what is set: words alone are asked, and keep their order */
        row_try(row, slot_name(SLOT_EMBED), "none");
        row_try(row, slot_name(SLOT_RERANK), "none");
    }
    rag_identity(row, run, s, &a->point, rep);
    sizes_row(row, s); /* of a base without vectors, too */
    if (ix) index_row(row, s, ix);
    row_text(row, "status", "ok");
    pipeline_kernels(a->pipeline, &used);
    row_text(row, "kernel_used", text_of(&used));
    text_free(&used);
    for (int slot = 0; slot < SLOT_COUNT; slot++) row_real(row, stage_columns[slot], a->stage_us[slot]);
    double named_us = a->fetch_us;
    for (int slot = 0; slot < SLOT_COUNT; slot++) named_us += a->stage_us[slot];
    row_real(row, "t_fetch_us", a->fetch_us);
    if (a->calls.count) row_real(row, "t_other_us", stats_mean(a->calls.us, a->calls.count) - named_us);
    ann_read_row(row, &a->read);
    hop_row(row, a);
    if (a->build_s > 0) row_real(row, "build_s", a->build_s);
    point_resources(row, a->steal_ms);
    int status = point_quality(row, &a->quality, e);
    if (status == ERR_OK) status = point_latency(row, &a->calls, 1, 0, e);
    return status;
}
