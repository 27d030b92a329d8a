/* SPDX-License-Identifier: MIT
 * metric_code_ceiling.c - exact search over the vectors that the codes stand for: no index on these
 * codes can do better without looking at the originals. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_recall(v, v->decoded, v->k); }

const struct metric_ops metric_code_ceiling = {
    .name = "code_ceiling",
    .summary = "recall of an exact search over the decoded vectors (ann --ceiling)",
    .label = "code ceiling, recall@k",
    .of = of,
};
