/* SPDX-License-Identifier: MIT
 * metric_label_p_at_10.c - trec_eval's P_10: relevant in the first ten / 10, however few came back. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_p_at(v, 10); }

const struct metric_ops metric_label_p_at_10 = {
    .name = "label_p_at_10",
    .summary = "share of the first ten places that hold a relevant entity (trec_eval P_10)",
    .label = "labels: P@10",
    .of = of,
};
