/* SPDX-License-Identifier: MIT
 * metric_label_ndcg_at_10.c - trec_eval's ndcg_cut_10: gain grade / log2(rank + 1), over the ideal
 * order of all that was judged. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_ndcg_at(v, 10); }

const struct metric_ops metric_label_ndcg_at_10 = {
    .name = "label_ndcg_at_10",
    .summary = "gain of the first ten results over the best possible (trec_eval ndcg_cut_10)",
    .label = "labels: nDCG@10",
    .of = of,
};
