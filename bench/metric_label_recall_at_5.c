/* SPDX-License-Identifier: MIT
 * metric_label_recall_at_5.c - trec_eval's recall_5: relevant in the first five / all relevant. */
#include "bench/metric.h"
#include <math.h>

static double of(const struct evidence *v)
{
    return v->k < 5 ? NAN : metric_relevant_share(v, v->answers, 5);
}

const struct metric_ops metric_label_recall_at_5 = {
    .name = "label_recall_at_5",
    .summary = "share of the relevant entities among the first five (trec_eval recall_5)",
    .of = of,
};
