/* SPDX-License-Identifier: MIT
 * metric_recall_1_at_16.c - faiss' 1-recall@16: is the nearest of all among the first 16? */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_nearest_in(v, 16); }

const struct metric_ops metric_recall_1_at_16 = {
    .name = "recall_1_at_16",
    .summary = "share of queries whose exact nearest is among the first 16 found",
    .label = "1-recall@16",
    .of = of,
};
