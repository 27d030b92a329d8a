/* SPDX-License-Identifier: MIT
 * metric_label_pool_recall.c - the ceiling of score, filter and k: no order of the pool finds more. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_relevant_share(v, v->pool, v->pool.count); }

const struct metric_ops metric_label_pool_recall = {
    .name = "label_pool_recall",
    .summary = "share of the relevant entities in the pool, after expansion",
    .label = "labels: recall of the pool",
    .of = of,
};
