/* SPDX-License-Identifier: MIT
 * metric_label_all_recall_at_10.c - 1 when nothing relevant is missing from the first ten: what a question of
 * several hops needs (HippoRAG's AR@10, arXiv 2405.14831, table 6). */
#include "bench/metric.h"
#include <math.h>

static double of(const struct evidence *v)
{
    const double share = v->k < 10 ? NAN : metric_relevant_share(v, v->answers, 10);
    return isnan(share) ? NAN : share == 1;
}

const struct metric_ops metric_label_all_recall_at_10 = {
    .name = "label_all_recall_at_10",
    .summary = "share of the questions with all their relevant entities among the first ten (AR@10)",
    .of = of,
};
