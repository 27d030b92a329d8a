/* SPDX-License-Identifier: MIT
 * topk.h - the best k of a stream of scored ids, with the one tie rule of the project:
 * higher score first, then lower id.  The result does not depend on the order of arrival. */
#ifndef ASSAY_TOPK_H
#define ASSAY_TOPK_H
#include <math.h>
#include <stddef.h>
#include "kernels/base/rows.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 1 when a comes before b. */
static inline int hit_before(struct hit a, struct hit b)
{
    return a.score > b.score || (a.score == b.score && a.id < b.id);
}

/* A heap of at most k hits in the caller's storage, worst at the root. */
struct topk {
    struct hit *hits;
    size_t k, count;
};

static inline void topk_init(struct topk *t, struct hit *storage, size_t k)
{
    *t = (struct topk){ storage, k, 0 };
}

/* Scores below this cannot enter; equal ones may, by their id.  -inf until k hits are held. */
static inline float topk_bound(const struct topk *t)
{
    return t->count < t->k ? -INFINITY : t->k ? t->hits[0].score : INFINITY;
}

/* What a number must reach so that it may reach `bound` once `shift` is added to it: no lower one can, whatever the
 * rounding of the sum. */
static inline float score_before(float bound, float shift)
{
    if (shift == 0 || !isfinite(bound)) return bound;
    const double least = (double)bound - (double)shift;
    return (float)(least - 0x1p-22 * (fabs(least) + fabs((double)bound)));
}

/* The same of a score that is to enter: leaving lower ones out changes no answer. */
static inline float topk_bound_shifted(const struct topk *t, float shift)
{
    return score_before(topk_bound(t), shift);
}

void topk_push_slow(struct topk *t, struct hit h);

/* Scores must not be NaN. */
static inline void topk_push(struct topk *t, int64_t id, float score)
{
    if (score >= topk_bound(t)) topk_push_slow(t, (struct hit){ id, score });
}

/* Sorts what is held, best first, and returns the count.  The heap is spent. */
size_t topk_finish(struct topk *t);
/* Sorts any array of hits, best first. */
void hits_sort(struct hit *hits, size_t count);

#ifdef __cplusplus
}
#endif
#endif
