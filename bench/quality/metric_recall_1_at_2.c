/* SPDX-License-Identifier: MIT
 * metric_recall_1_at_2.c - faiss' 1-recall@2: is the nearest of all among the first 2? */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_nearest_in(v, 2); }

const struct metric_ops metric_recall_1_at_2 = {
    .name = "recall_1_at_2",
    .summary = "share of queries whose exact nearest is among the first 2 found",
    .label = "1-recall@2",
    .of = of,
};
