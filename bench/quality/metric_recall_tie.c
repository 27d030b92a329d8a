/* SPDX-License-Identifier: MIT
 * metric_recall_tie.c - recall that forgives neighbours as near as the k-th.
 *
 * A found id counts when its exact score is at least s_k - eps, with
 *     eps = 0.001 (s_1 - s_k) + 1e-7 max(1, |s_k|),
 * s_1 and s_k the exact scores of the first and the k-th neighbour.  Relative to the spread, because
 * ann-benchmarks' absolute 1e-3 is lenient for cosine among near duplicates and nothing at all for
 * unnormalised l2; the second term is the rounding of float32 vectors.  Scores are recomputed in
 * float64: an index's own are never trusted. */
#include "bench/quality/metric.h"
#include <math.h>

static double of(const struct evidence *v)
{
    if (!v->found.at || !v->found_scores || !v->truth.at || !v->truth_scores || v->truth.count == 0) return NAN;
    const size_t among = v->truth.count < v->k ? v->truth.count : v->k;
    const double first = v->truth_scores[0], last = v->truth_scores[among - 1];
    const double bound = last - 0.001 * (first - last) - 1e-7 * fmax(1, fabs(last));
    size_t near = 0;
    for (size_t i = 0; i < v->found.count && i < v->k; i++)
        near += metric_is_first(v->found, i) && v->found_scores[i] >= bound;
    /* n < k: nothing can be found that is not a neighbour. */
    return (double)(near < among ? near : among) / (double)among;
}

const struct metric_ops metric_recall_tie = {
    .name = "recall_tie",
    .summary = "share of the k found that are as near as the exact k-th (within 0.1 % of the spread)",
    .label = "recall@k, ties counted",
    .of = of,
};
