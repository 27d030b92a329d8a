/* SPDX-License-Identifier: MIT
 * metric_recall_1_at_64.c - faiss' 1-recall@64: is the nearest of all among the first 64? */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_nearest_in(v, 64); }

const struct metric_ops metric_recall_1_at_64 = {
    .name = "recall_1_at_64",
    .summary = "share of queries whose exact nearest is among the first 64 found",
    .label = "1-recall@64",
    .of = of,
};
