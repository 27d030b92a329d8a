/* SPDX-License-Identifier: MIT
 * metric_label_all_recall_at_5.c - 1 when nothing relevant is missing from the first five: what a question of
 * several hops needs (HippoRAG's AR@5, arXiv 2405.14831, table 6). */
#include "bench/metric.h"
#include <math.h>

static double of(const struct evidence *v)
{
    const double share = v->k < 5 ? NAN : metric_relevant_share(v, v->answers, 5);
    return isnan(share) ? NAN : share == 1;
}

const struct metric_ops metric_label_all_recall_at_5 = {
    .name = "label_all_recall_at_5",
    .summary = "share of the questions with all their relevant entities among the first five (AR@5)",
    .of = of,
};
