/* SPDX-License-Identifier: MIT
 * metric_label_candidate_recall.c - the ceiling of all re-ranking: what stage one lost only the graph can bring back. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_relevant_share(v, v->candidates, v->candidates.count); }

const struct metric_ops metric_label_candidate_recall = {
    .name = "label_candidate_recall",
    .summary = "share of the relevant entities among all candidates of stage one",
    .label = "labels: recall of candidates",
    .of = of,
};
