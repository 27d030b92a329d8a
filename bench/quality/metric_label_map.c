/* SPDX-License-Identifier: MIT
 * metric_label_map.c - trec_eval's map over the k returned: the mean, over all that is relevant, of the
 * precision at its rank; 0 for what did not come back. */
#include "bench/quality/metric.h"
#include <math.h>

static double of(const struct evidence *v)
{
    const size_t relevant = metric_relevant(v);
    if (!v->answers.at || !metric_is_judged(v)) return NAN;
    if (relevant == 0) return 0;
    double sum = 0;
    size_t found = 0;
    for (size_t i = 0; i < v->answers.count; i++)
        if (metric_is_first(v->answers, i) && metric_grade(v, v->answers.at[i]) > 0)
            sum += (double)++found / (double)(i + 1);
    return sum / (double)relevant;
}

const struct metric_ops metric_label_map = {
    .name = "label_map",
    .summary = "mean average precision of the k returned (trec_eval map)",
    .label = "labels: MAP",
    .of = of,
};
