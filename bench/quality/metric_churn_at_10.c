/* SPDX-License-Identifier: MIT
 * metric_churn_at_10.c - how much graph expansion changes.  Not whether for the better: only
 * label_* can say that. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v)
{
    return 1 - metric_same_ten(v->answers, v->ungraphed_answers, v->k);
}

const struct metric_ops metric_churn_at_10 = {
    .name = "churn_at_10",
    .summary = "share of the ten results that the same pipeline without expansion would not have given",
    .label = "churn@10 by expansion",
    .better = METRIC_NEITHER,
    .of = of,
};
