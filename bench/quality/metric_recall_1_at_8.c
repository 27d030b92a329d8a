/* SPDX-License-Identifier: MIT
 * metric_recall_1_at_8.c - faiss' 1-recall@8: is the nearest of all among the first 8? */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_nearest_in(v, 8); }

const struct metric_ops metric_recall_1_at_8 = {
    .name = "recall_1_at_8",
    .summary = "share of queries whose exact nearest is among the first 8 found",
    .label = "1-recall@8",
    .of = of,
};
