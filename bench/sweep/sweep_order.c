/* SPDX-License-Identifier: MIT
 * sweep_order.c - in which order a budget is spent: points as far as can be from those before, so that whatever it reaches
 * covers the whole grid evenly (Gonzalez 1985, farthest first), the defaults first of all. */
#define _GNU_SOURCE /* qsort_r */
#include "bench/sweep/sweep.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS_MOST = 3000 }; /* n^2 distances: a second; larger plans are taken by hash, which is as even */

struct place { double at[SWEEP_NAMES]; };

/* Each value's place among those of its name, as points come by them: 0..1; names that are no numbers apart by 1. */
static void place_all(const struct plan *p, const struct point *const *points, size_t count, struct place *out, unsigned char *is_word)
{
    for (size_t name = 0; name < p->names.count; name++) {
        size_t values = 0;
        is_word[name] = p->names.at[name].type != PARAM_INT && p->names.at[name].type != PARAM_REAL;
        for (size_t i = 0; p->varies[name] && i < count; i++) {
            const char *value = points[i]->values[name];
            size_t before = 0;
            while (before < i && points[before]->values[name] != value) before++; /* equal texts are one */
            out[i].at[name] = before < i ? out[before].at[name] : (double)values++;
        }
        for (size_t i = 0; values > 1 && i < count; i++) out[i].at[name] /= (double)(values - 1);
    }
}

static double apart(const struct plan *p, const struct place *x, const struct place *y, const unsigned char *is_word)
{
    double sum = 0;
    for (size_t name = 0; name < p->names.count; name++) {
        const double d = fabs(x->at[name] - y->at[name]);
        if (p->varies[name]) sum += is_word[name] ? d > 0 : d;
    }
    return sum;
}

/* Ids are hashes. */
static int by_id(const void *a, const void *b, void *points)
{
    const struct point *const *of = points;
    return strcmp(of[*(const size_t *)a]->id, of[*(const size_t *)b]->id);
}

/* The point with most values at their defaults, which others are compared with. */
static size_t plainest(const struct plan *p, const struct point *const *points, size_t count)
{
    size_t best = 0, most = 0;
    for (size_t i = 0; i < count; i++) {
        size_t usual = 0;
        for (size_t name = 0; name < p->names.count; name++) {
            const char *value = points[i]->values[name], *wanted = p->usual[name];
            usual += p->varies[name] && (!value || (wanted && strcmp(value, wanted) == 0));
        }
        if (usual > most) most = usual, best = i;
    }
    return best;
}

int sweep_order(const struct plan *p, const struct point *const *points, size_t count, size_t *order, struct err *e)
{
    unsigned char is_word[SWEEP_NAMES];
    for (size_t i = 0; i < count; i++) order[i] = i;
    if (count < 3) return ERR_OK;
    if (count > POINTS_MOST) return qsort_r(order, count, sizeof *order, by_id, (void *)(uintptr_t)points), ERR_OK;
    struct place *places = mem_zero(count, sizeof *places);
    double *nearest = mem_alloc(count, sizeof *nearest);
    if (!places || !nearest) {
        mem_free(places);
        mem_free(nearest);
        return FAIL(e, ERR_MEM, "no memory to order %zu points", count);
    }
    place_all(p, points, count, places, is_word);
    for (size_t i = 0; i < count; i++) nearest[i] = INFINITY;
    for (size_t n = 0, at = plainest(p, points, count); n < count; n++) {
        order[n] = at;
        nearest[at] = -1;
        size_t next = at;
        for (size_t i = 0; i < count; i++) {
            if (nearest[i] < 0) continue;
            nearest[i] = fmin(nearest[i], apart(p, &places[i], &places[at], is_word));
            if (nearest[next] < nearest[i]) next = i;
        }
        at = next;
    }
    mem_free(places);
    mem_free(nearest);
    return ERR_OK;
}
