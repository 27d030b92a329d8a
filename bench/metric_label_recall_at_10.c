/* SPDX-License-Identifier: MIT
 * metric_label_recall_at_10.c - trec_eval's recall_10: relevant in the first ten / all relevant. */
#include "bench/metric.h"
#include <math.h>

static double of(const struct evidence *v)
{
    return v->k < 10 ? NAN : metric_relevant_share(v, v->answers, 10);
}

const struct metric_ops metric_label_recall_at_10 = {
    .name = "label_recall_at_10",
    .summary = "share of the relevant entities among the first ten (trec_eval recall_10)",
    .of = of,
};
