/* SPDX-License-Identifier: MIT
 * metric_label_all_recall_at_5.c - 1 when nothing relevant is missing from the first five: what a question of
 * several hops needs (HippoRAG's AR@5, arXiv 2405.14831, table 6). */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_all_recall_at(v, 5); }

const struct metric_ops metric_label_all_recall_at_5 = {
    .name = "label_all_recall_at_5",
    .summary = "share of the questions with all their relevant entities among the first five (AR@5)",
    .label = "labels: all relevant in 5",
    .of = of,
};
