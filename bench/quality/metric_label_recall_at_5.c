/* SPDX-License-Identifier: MIT
 * metric_label_recall_at_5.c - trec_eval's recall_5: relevant in the first five / all relevant. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_recall_at(v, 5); }

const struct metric_ops metric_label_recall_at_5 = {
    .name = "label_recall_at_5",
    .summary = "share of the relevant entities among the first five (trec_eval recall_5)",
    .label = "labels: recall@5",
    .of = of,
};
