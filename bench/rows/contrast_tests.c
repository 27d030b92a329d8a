/* SPDX-License-Identifier: MIT
 * contrast_tests.c - the queries of points side by side, and what the paired tests say of them. */
#include "bench/rows/contrast.h"
#include "bench/rows/contrast_inside.h"
#include "bench/rows/pq.h"
#include "bench/time/paired.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <string.h>

/* 1 when rows a and b of the same point have the same per-query file (repetitions), which counts
 * once. */
static int read_before(const struct contrast_group *g, const struct contrast_subject *s, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(contrast_cell(g->c, s->rows[j], "point_id"), contrast_cell(g->c, s->rows[i], "point_id")) == 0)
            return 1;
    return 0;
}

/* Adds what one seed's file says.  0: there is none, or it is of other queries. */
static int add_queries(struct contrast_group *g, struct contrast_subject *s, size_t row)
{
    struct pq p = { 0 };
    int good = pq_read(&p, contrast_folder(g->c, row), contrast_cell(g->c, row, "point_id"), NULL) == ERR_OK;
    if (good && !g->query_count) g->query_count = p.query_count;
    good = good && p.query_count == g->query_count;
    for (size_t m = 0; good && m < g->metric_count; m++) {
        const double *from = pq_column(&p, g->metrics[m]);
        if (from && !s->values[m]) s->values[m] = mem_zero(p.query_count, sizeof **s->values);
        good = from && s->values[m];
        for (size_t q = 0; good && q < p.query_count; q++) s->values[m][q] += from[q];
    }
    pq_free(&p);
    return good;
}

void contrast_read_queries(struct contrast_group *g)
{
    for (size_t i = 0; i < g->count; i++) {
        struct contrast_subject *s = &g->subjects[i];
        size_t seeds = 0, good = 1;
        for (size_t r = 0; good && r < s->count; r++) {
            if (read_before(g, s, r)) continue;
            good = (size_t)add_queries(g, s, s->rows[r]);
            seeds++;
        }
        for (size_t m = 0; m < g->metric_count; m++) {
            for (size_t q = 0; good && q < g->query_count; q++) s->values[m][q] /= (double)seeds;
            if (good) continue;
            mem_free(s->values[m]);
            s->values[m] = NULL;
            g->untested = 1;
        }
    }
}

/* value of b - value of a, of the queries that both have; how many.  0 where a file is missing. */
size_t contrast_differences(const struct contrast_subject *a, const struct contrast_subject *b, size_t m,
                          size_t queries, double *out)
{
    size_t n = 0;
    for (size_t q = 0; a->values[m] && b->values[m] && q < queries; q++) {
        const double d = b->values[m][q] - a->values[m][q];
        if (!isnan(d)) out[n++] = d;
    }
    return n;
}

void contrast_tests_free(struct contrast_tests *t)
{
    mem_free(t->p);
    mem_free(t->raw);
    mem_free(t->adjusted);
    mem_free(t->apart);
    mem_free(t->at);
    mem_free(t->wanted);
}

/* Every point is wanted.  0 without memory; free it either way. */
int contrast_tests_init(struct contrast_tests *t, const struct contrast_group *g)
{
    *t = (struct contrast_tests){
        mem_alloc(g->count, sizeof *t->p),        mem_alloc(g->count, sizeof *t->raw),
        mem_alloc(g->count, sizeof *t->adjusted), mem_alloc(g->query_count, sizeof *t->apart),
        mem_alloc(g->count, sizeof *t->at),       mem_alloc(g->count, 1)
    };
    if (!t->p || !t->raw || !t->adjusted || !t->apart || !t->at || !t->wanted) return 0;
    memset(t->wanted, 1, g->count);
    for (size_t i = 0; i < g->count; i++) t->p[i] = (double)NAN;
    return 1;
}

/* Every wanted point against `base`, by metric m. */
void contrast_test_all(const struct contrast_group *g, size_t base, size_t m, struct contrast_tests *t)
{
    size_t tested = 0;
    for (size_t i = 0; i < g->count; i++) {
        if (i == base || !t->wanted[i]) continue;
        const size_t n =
            contrast_differences(&g->subjects[base], &g->subjects[i], m, g->query_count, t->apart);
        if (n == 0) continue;
        t->at[tested] = i;
        t->raw[tested++] = paired_p(t->apart, n, SEED);
    }
    paired_holm(t->raw, tested, t->adjusted);
    for (size_t i = 0; i < tested; i++) t->p[t->at[i]] = t->adjusted[i];
}
