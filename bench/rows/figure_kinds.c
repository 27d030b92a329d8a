/* SPDX-License-Identifier: MIT
 * figure_kinds.c - the table of figures that rows of results can fill. */
#include "bench/rows/figure_kinds.h"
#include <string.h>

#define QUALITY     "agree_at_10|recall_strict"
#define SPEED       "qps", "lat_p50_us", "lat_p99_us"
#define STRATA_OF   QUALITY, "label_recall_at_10", "lat_p50_us"
#define ALONG_QUERY "rerank,nprobe,ef,eps0"
#define ALONG_CODES "bits,bit_width,m,nbits,"
#define NO_PIPELINE "agree_at_10,churn_pct"

static const double recall_levels[] = { .90, .95, .99, 0 };
static const char *const recall_marks[] = { "recall at least 0.90", "0.95", "0.99", NULL };
const struct figure_kind figure_kinds[] = {
    { .name = "qps_recall",
      .gp = "lines",
      .x = "recall_strict",
      .y = { "qps" },
      .along = ALONG_CODES ALONG_QUERY,
      .without = NO_PIPELINE,
      .least = 1,
      .timed = 1,
      .method = 1,
      .front = -1 },
    { .name = "recall_latency",
      .gp = "lines",
      .x = "recall_strict",
      .y = { "lat_p50_us" },
      .along = ALONG_CODES ALONG_QUERY,
      .without = NO_PIPELINE,
      .least = 1,
      .timed = 1,
      .method = 1,
      .front = 1 },
    { .name = "quality_latency",
      .gp = "lines",
      .x = "agree_at_10",
      .y = { "lat_p50_us" },
      .along = ALONG_CODES "top_k_candidates,top_k_rerank",
      .without = "churn_pct",
      .least = 2,
      .timed = 1,
      .front = 1 },
    { .name = "qps_at_recall",
      .gp = "rows",
      .layout = LAYOUT_ROWS,
      .marks = recall_marks,
      .of_y = 1,
      .x = "recall_strict",
      .y = { "qps" },
      .without = NO_PIPELINE,
      .along = ALONG_QUERY,
      .levels = recall_levels,
      .least = 1,
      .timed = 1 },
    { .name = "recall_bits",
      .gp = "lines",
      .x = "bits",
      .y = { "recall_strict", "code_ceiling" },
      .without = NO_PIPELINE,
      .ceiling = 1,
      .ceiling_label = "ceiling of the codes",
      .least = 2 },
    { .name = "recall_bytes",
      .gp = "lines",
      .x = "bytes_per_vector",
      .y = { "recall_strict" },
      .along = ALONG_CODES "layout,nlist,M," ALONG_QUERY,
      .without = NO_PIPELINE,
      .zero = "rerank", /* which reads the original vectors, too */
      .best = 1,
      .least = 1 },
    { .name = "candidates",
      .gp = "lines",
      .x = "top_k_candidates",
      .y = { "agree_at_10", "candidate_recall" },
      .without = "churn_pct",
      .ceiling = 1,
      .ceiling_label = "of stage one's candidates",
      .least = 2 },
    { .name = "axis",
      .gp = "lines",
      .x = "",
      .y = { QUALITY, "candidate_recall", "label_recall_at_10", "lat_p50_us" },
      .without = "churn_pct",
      .least = 2,
      .timed = 1 },
    { .name = "graph_depth",
      .gp = "lines",
      .x = "graph_depth",
      .across = "graph_depth",
      .y = { "label_recall_at_10", QUALITY, "lat_p50_us", "hop_edges" },
      .needs = "lat_p50_us",
      .without = "churn_pct",
      .least = 2,
      .timed = 1 },
    { .name = "threads",
      .gp = "lines",
      .x = "threads",
      .across = "threads",
      .y = { SPEED },
      .without = "churn_pct",
      .least = 2,
      .timed = 1 },
    { .name = "batch",
      .gp = "lines",
      .x = "batch",
      .across = "batch",
      .y = { "qps" }, /* a call of one query and one of many never share an axis of latency */
      .without = "churn_pct",
      .least = 2,
      .timed = 1 },
    { .name = "n",
      .gp = "lines",
      .x = "n",
      .across = "n,dataset,queries",
      .y = { SPEED },
      .without = "churn_pct",
      .least = 2,
      .timed = 1 },
    { .name = "churn",
      .gp = "lines",
      .x = "churn_pct",
      .across = "churn_pct,n",
      .y = { "recall_strict", "lat_p50_us", "bytes_per_vector", "t_add_us", "t_remove_us", "t_replace_us" },
      .least = 2,
      .timed = 1 },
    { .name = "bits_candidates",
      .gp = "heatmap",
      .layout = LAYOUT_GRID,
      .x = "bit_width|bits",
      .y = { QUALITY },
      .by = "top_k_candidates",
      .without = "churn_pct",
      .least = 2,
      .timed = 1 },
    { .name = "stages",
      .gp = "stages",
      .layout = LAYOUT_STAGES,
      .y = { "t_embed_us", "t_retrieve_us", "t_rerank_us", "t_expand_us", "t_score_us", "t_filter_us", "t_context_us",
             "t_fetch_us", "t_other_us" },
      .total = "lat_mean_us",
      .needs = "t_score_us",
      .without = "churn_pct",
      .least = 1,
      .timed = 1 },
    { .name = "strata_lid",
      .gp = "lines",
      .x = "lid_quintile",
      .y = { STRATA_OF },
      .along = "contrast_quintile",
      .least = 2,
      .timed = 1 },
    { .name = "strata_contrast",
      .gp = "lines",
      .x = "contrast_quintile",
      .y = { STRATA_OF },
      .along = "lid_quintile",
      .least = 2,
      .timed = 1 },
    { 0 },
};

size_t figure_kind_count(void) { return sizeof figure_kinds / sizeof *figure_kinds - 1; }

const struct figure_kind *figure_kind_find(const char *name, struct err *e)
{
    const char *names[sizeof figure_kinds / sizeof *figure_kinds];
    for (size_t i = 0; i < figure_kind_count(); i++) {
        names[i] = figure_kinds[i].name;
        if (strcmp(name, names[i]) == 0) return &figure_kinds[i];
    }
    FAIL(e, ERR_ARG, "--kind %s: no such figure%s", name, NEAREST(name, names, figure_kind_count()));
    return NULL;
}

int figure_kind_is_for(const char *column)
{
    for (const struct figure_kind *k = figure_kinds; k->name; k++)
        if (k->x && k->across && strcmp(k->x, column) == 0) return 1;
    return 0;
}
