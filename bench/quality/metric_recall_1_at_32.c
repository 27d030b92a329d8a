/* SPDX-License-Identifier: MIT
 * metric_recall_1_at_32.c - faiss' 1-recall@32: is the nearest of all among the first 32? */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_nearest_in(v, 32); }

const struct metric_ops metric_recall_1_at_32 = {
    .name = "recall_1_at_32",
    .summary = "share of queries whose exact nearest is among the first 32 found",
    .label = "1-recall@32",
    .of = of,
};
