/* SPDX-License-Identifier: MIT
 * metric_agree_at_10.c - what approximation costs the final answer. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_same_ten(v->answers, v->exact_answers, v->k); }

const struct metric_ops metric_agree_at_10 = {
    .name = "agree_at_10",
    .summary = "share of the ten results that the same pipeline gives with an exact stage one and all candidates",
    .label = "agreement@10 with exact",
    .of = of,
};
