/* SPDX-License-Identifier: MIT
 * metric_recall_1_at_1.c - faiss' 1-recall@1: is the nearest of all among the first 1? */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_nearest_in(v, 1); }

const struct metric_ops metric_recall_1_at_1 = {
    .name = "recall_1_at_1",
    .summary = "share of queries whose exact nearest is among the first 1 found",
    .label = "1-recall@1",
    .of = of,
};
