/* SPDX-License-Identifier: MIT
 * metric_recall_strict.c - share of the exact nearest k that were found, by id. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_recall(v, v->found, v->k); }

const struct metric_ops metric_recall_strict = {
    .name = "recall_strict",
    .summary = "share of the exact nearest k among the k found, by id",
    .label = "recall@k",
    .of = of,
};
