/* SPDX-License-Identifier: MIT
 * metric_label_filter_loss.c - what the filter cost: relevant entities that the best k of the pool hold and the
 * answer does not. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v)
{
    return metric_relevant_share(v, v->unfiltered, v->k) - metric_relevant_share(v, v->answers, v->k);
}

const struct metric_ops metric_label_filter_loss = {
    .name = "label_filter_loss",
    .summary = "share of the relevant entities that would be among the k results without the filter",
    .label = "labels: recall without the filter",
    .of = of,
};
