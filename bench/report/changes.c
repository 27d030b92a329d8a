/* SPDX-License-Identifier: MIT
 * changes.c - finds the points that two runs have in common, and judges their differences. */
#include "bench/report/changes.h"
#include "bench/report/said.h"
#include "bench/time/stats.h"
#include "bench/time/verdict.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <string.h>

enum { SEED = 1, REPEATED = 4, REPEATS_MOST = 64 };
static const double alpha = 0.05;

const char *change_word(enum change_verdict v, int is_time)
{
    switch (v) {
    case CHANGE_BETTER: return is_time ? "faster" : "better";
    case CHANGE_WORSE: return is_time ? "slower" : "worse";
    case CHANGE_NONE: return "the same";
    case CHANGE_OPEN: return "not resolved";
    default: return "not judged";
    }
}

static int find_point(const struct folder *f, uint64_t id, const struct result_group **group, const struct result_point **point)
{
    for (size_t i = 0; i < f->count; i++)
        for (size_t g = 0; !f->results[i].is_parts && g < f->results[i].count; g++)
            for (size_t p = 0; p < f->results[i].groups[g].count; p++)
                if (f->results[i].groups[g].points[p].id == id) {
                    *group = &f->results[i].groups[g];
                    *point = &f->results[i].groups[g].points[p];
                    return 1;
                }
    return 0;
}

static size_t count_points(const struct folder *f)
{
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++)
        for (size_t g = 0; !f->results[i].is_parts && g < f->results[i].count; g++) count += f->results[i].groups[g].count;
    return count;
}

static int is_same(const double *x, const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(x[i] == y[i]) && !(isnan(x[i]) && isnan(y[i]))) return 0;
    return 1;
}

static void judge_quality(struct change *c, size_t comparisons)
{
    struct said a, b = { 0 };
    double *work = NULL;
    c->apart = (struct value){ c->by_b.at - c->by_a.at, (double)NAN, (double)NAN };
    c->quality = CHANGE_UNJUDGED;
    if (said_read(&a, c->group_a, c->a) && said_read(&b, c->group_b, c->b) && a.n == b.n &&
        (work = mem_alloc(2 * a.n, sizeof *work))) {
        const struct quality_difference d = verdict_quality(a.by, b.by, a.n, comparisons, SEED, work);
        c->apart.lo = d.interval.lo;
        c->apart.hi = d.interval.hi;
        c->quality = is_same(a.by, b.by, a.n) ? CHANGE_NONE : d.interval.lo > 0 ? CHANGE_BETTER
                     : d.interval.hi < 0      ? CHANGE_WORSE
                                              : CHANGE_OPEN;
    }
    mem_free(work);
    said_free(&a);
    said_free(&b);
}

/* ln of p50 of every repetition; how many. */
static size_t logs_of(const struct result_group *g, const struct result_point *p, double *out)
{
    const int column = table_column(g->t, "lat_p50_us");
    size_t n = 0;
    for (size_t i = 0; i < p->count && n < REPEATS_MOST; i++) {
        const double us = table_number(g->t, p->rows[i], column);
        if (us > 0) out[n++] = log(us);
    }
    return n;
}

static int judge_time(struct change *c, size_t comparisons, struct err *e)
{
    const char *const on_a = table_text(c->group_a->t, c->a->rows[0], table_column(c->group_a->t, "machine"));
    const char *const on_b = table_text(c->group_b->t, c->b->rows[0], table_column(c->group_b->t, "machine"));
    double a[REPEATS_MOST], b[REPEATS_MOST];
    const size_t n = logs_of(c->group_a, c->a, a), m = logs_of(c->group_b, c->b, b);
    c->faster = (struct value){ (double)NAN, (double)NAN, (double)NAN };
    c->time = CHANGE_UNJUDGED;
    if (strcmp(on_a, on_b) != 0 || !n || !m) return ERR_OK;
    c->faster.at = c->us_a / c->us_b;
    if (n < REPEATED || m < REPEATED) return ERR_OK;
    struct shift shift;
    const int status = stats_shift(a, n, b, m, alpha, comparisons, &shift, e);
    if (status != ERR_OK) return status;
    c->faster = (struct value){ exp(shift.at), exp(shift.interval.lo), exp(shift.interval.hi) };
    if (!isfinite(shift.interval.lo) || !isfinite(shift.interval.hi)) return ERR_OK; /* too few for so many points */
    c->time = c->faster.lo > 1 ? CHANGE_BETTER : c->faster.hi < 1 ? CHANGE_WORSE : CHANGE_OPEN;
    return ERR_OK;
}

static int judge(struct change *c, size_t comparisons, struct err *e)
{
    const char *const by = c->group_b->by;
    const struct value none = { (double)NAN, (double)NAN, (double)NAN };
    c->by_a = by ? result_value(c->group_a, c->a, by) : none;
    c->by_b = by ? result_value(c->group_b, c->b, by) : none;
    c->us_a = result_value(c->group_a, c->a, "lat_p50_us").at;
    c->us_b = result_value(c->group_b, c->b, "lat_p50_us").at;
    judge_quality(c, comparisons);
    return judge_time(c, comparisons, e);
}

int changes_find(struct changes *c, const struct folder *a, const struct folder *b, struct err *e)
{
    const size_t in_a = count_points(a), in_b = count_points(b);
    *c = (struct changes){ .at = mem_zero(in_b, sizeof *c->at) };
    if (!c->at) return FAIL(e, ERR_MEM, "no memory for what changed");
    for (size_t i = 0; i < b->count; i++)
        for (size_t g = 0; !b->results[i].is_parts && g < b->results[i].count; g++) {
            const struct result_group *group = &b->results[i].groups[g];
            for (size_t p = 0; p < group->count; p++) {
                struct change *one = &c->at[c->count];
                *one = (struct change){ .group_b = group, .b = &group->points[p] };
                c->count += (size_t)find_point(a, one->b->id, &one->group_a, &one->a);
            }
        }
    c->only_a = in_a - c->count;
    c->only_b = in_b - c->count;
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < c->count; i++) status = judge(&c->at[i], c->count, e);
    if (status != ERR_OK) changes_free(c);
    return status;
}

size_t changes_repetitions(size_t points)
{
    size_t n = REPEATED;
    while (n < REPEATS_MOST && stats_shift_rank(n, n, alpha, points) == 0) n++;
    return n;
}

void changes_free(struct changes *c)
{
    mem_free(c->at);
    *c = (struct changes){ 0 };
}
