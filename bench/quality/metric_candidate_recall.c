/* SPDX-License-Identifier: MIT
 * metric_candidate_recall.c - what stage one hands on: no later stage can repair what it lost. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_recall(v, v->candidates, v->candidates.count); }

const struct metric_ops metric_candidate_recall = {
    .name = "candidate_recall",
    .summary = "share of the exact nearest k among all candidates of stage one",
    .label = "candidate recall@k",
    .of = of,
};
