/* SPDX-License-Identifier: MIT
 * metric_label_success_at_1.c - trec_eval's success_1: the first result is relevant. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_success_at(v, 1); }

const struct metric_ops metric_label_success_at_1 = {
    .name = "label_success_at_1",
    .summary = "share of the questions whose first result is relevant (trec_eval success_1, Hit@1)",
    .label = "labels: Hit@1",
    .of = of,
};
