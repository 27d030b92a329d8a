/* SPDX-License-Identifier: MIT
 * metric_recall_p5.c - the tail of recall: one query in twenty does no better than this. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_recall(v, v->found, v->k); }

const struct metric_ops metric_recall_p5 = {
    .name = "recall_p5",
    .summary = "5th percentile over queries of recall_strict",
    .label = "recall@k, worst 5 % of queries",
    .fold = METRIC_P5,
    .of = of,
};
