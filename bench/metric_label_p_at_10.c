/* SPDX-License-Identifier: MIT
 * metric_label_p_at_10.c - trec_eval's P_10: relevant in the first ten / 10, however few came back. */
#include "bench/metric.h"
#include <math.h>

static double of(const struct evidence *v)
{
    if (v->k < 10 || !v->answers.at || metric_relevant(v) == 0) return NAN;
    return (double)metric_relevant_in(v, v->answers, 10) / 10;
}

const struct metric_ops metric_label_p_at_10 = {
    .name = "label_p_at_10",
    .summary = "share of the first ten places that hold a relevant entity (trec_eval P_10)",
    .of = of,
};
