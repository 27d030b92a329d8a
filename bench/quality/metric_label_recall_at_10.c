/* SPDX-License-Identifier: MIT
 * metric_label_recall_at_10.c - trec_eval's recall_10: relevant in the first ten / all relevant. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_recall_at(v, 10); }

const struct metric_ops metric_label_recall_at_10 = {
    .name = "label_recall_at_10",
    .summary = "share of the relevant entities among the first ten (trec_eval recall_10)",
    .label = "labels: recall@10",
    .of = of,
};
