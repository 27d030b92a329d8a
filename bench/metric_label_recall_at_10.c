/* SPDX-License-Identifier: MIT
 * metric_label_recall_at_10.c - trec_eval's recall_10: relevant in the first ten / all relevant. */
#include "bench/metric.h"
#include <math.h>

static double of(const struct evidence *v)
{
    if (!v->labels || !v->answers.at || v->k < 10) return NAN;
    size_t relevant = 0, found = 0;
    for (size_t i = 0; i < v->label_count; i++) relevant += v->labels[i].grade > 0;
    for (size_t i = 0; i < v->answers.count && i < 10; i++)
        found += metric_is_first(v->answers, i) && metric_grade(v, v->answers.at[i]) > 0;
    return relevant ? (double)found / (double)relevant : NAN;
}

const struct metric_ops metric_label_recall_at_10 = {
    .name = "label_recall_at_10",
    .summary = "share of the relevant entities among the first ten (trec_eval recall_10)",
    .of = of,
};
