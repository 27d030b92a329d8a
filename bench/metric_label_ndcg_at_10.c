/* SPDX-License-Identifier: MIT
 * metric_label_ndcg_at_10.c - trec_eval's ndcg_cut_10: gain grade / log2(rank + 1), over the ideal
 * order of all that was judged. */
#include "bench/metric.h"
#include <math.h>

static double of(const struct evidence *v)
{
    if (!v->labels || !v->answers.at || v->k < 10) return NAN;
    double gain = 0, ideal = 0;
    for (size_t i = 0; i < 10; i++) {
        const double discount = log2((double)i + 2);
        if (i < v->label_count && v->labels[i].grade > 0) ideal += (double)v->labels[i].grade / discount;
        if (i >= v->answers.count || !metric_is_first(v->answers, i)) continue;
        const int64_t grade = metric_grade(v, v->answers.at[i]);
        gain += (double)(grade > 0 ? grade : 0) / discount;
    }
    return ideal > 0 ? gain / ideal : NAN;
}

const struct metric_ops metric_label_ndcg_at_10 = {
    .name = "label_ndcg_at_10",
    .summary = "gain of the first ten results over the best possible (trec_eval ndcg_cut_10)",
    .of = of,
};
