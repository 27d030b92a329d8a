/* SPDX-License-Identifier: MIT
 * metric_recall_1_at_4.c - faiss' 1-recall@4: is the nearest of all among the first 4? */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_nearest_in(v, 4); }

const struct metric_ops metric_recall_1_at_4 = {
    .name = "recall_1_at_4",
    .summary = "share of queries whose exact nearest is among the first 4 found",
    .label = "1-recall@4",
    .of = of,
};
