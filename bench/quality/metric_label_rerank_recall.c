/* SPDX-License-Identifier: MIT
 * metric_label_rerank_recall.c - the ceiling without a graph: what rerank handed on. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_relevant_share(v, v->reranked, v->reranked.count); }

const struct metric_ops metric_label_rerank_recall = {
    .name = "label_rerank_recall",
    .summary = "share of the relevant entities among those that rerank kept",
    .label = "labels: recall of what rerank kept",
    .of = of,
};
