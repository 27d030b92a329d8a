/* SPDX-License-Identifier: MIT
 * metric_label_mrr.c - trec_eval's recip_rank: 1 / rank of the first relevant, 0 when none. */
#include "bench/quality/metric.h"
#include <math.h>

static double of(const struct evidence *v)
{
    if (!v->answers.at || !metric_is_judged(v)) return NAN;
    for (size_t i = 0; i < v->answers.count; i++)
        if (metric_grade(v, v->answers.at[i]) > 0) return 1.0 / (double)(i + 1);
    return 0;
}

const struct metric_ops metric_label_mrr = {
    .name = "label_mrr",
    .summary = "1 / rank of the first relevant result, over the k returned (trec_eval recip_rank)",
    .label = "labels: MRR",
    .of = of,
};
