/* SPDX-License-Identifier: MIT
 * metric_coverage_99.c - how many queries are served well, where a mean hides those that are not. */
#include "bench/quality/metric.h"

static double of(const struct evidence *v) { return metric_covered(v, 0.99); }

const struct metric_ops metric_coverage_99 = {
    .name = "coverage_99",
    .summary = "share of queries whose recall_strict is 0.99 or more",
    .label = "queries with recall >= .99",
    .of = of,
};
