/* SPDX-License-Identifier: MIT
 * metric_label_all_recall_at_10.c - 1 when nothing relevant is missing from the first ten: what a question of
 * several hops needs (HippoRAG's AR@10, arXiv 2405.14831, table 6). */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_all_recall_at(v, 10); }

const struct metric_ops metric_label_all_recall_at_10 = {
    .name = "label_all_recall_at_10",
    .summary = "share of the questions with all their relevant entities among the first ten (AR@10)",
    .label = "labels: all relevant in 10",
    .of = of,
};
