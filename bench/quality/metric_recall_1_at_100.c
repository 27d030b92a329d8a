/* SPDX-License-Identifier: MIT
 * metric_recall_1_at_100.c - faiss' 1-recall@100: is the nearest of all among the first 100? */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_nearest_in(v, 100); }

const struct metric_ops metric_recall_1_at_100 = {
    .name = "recall_1_at_100",
    .summary = "share of queries whose exact nearest is among the first 100 found",
    .label = "1-recall@100",
    .of = of,
};
