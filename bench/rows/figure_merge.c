/* SPDX-License-Identifier: MIT
 * figure_merge.c - what a series is drawn as: repetitions become one point, then fronts and levels. */
#include "bench/rows/figure.h"
#include "bench/rows/figure_inside.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_number(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static int by_x(const void *a, const void *b)
{
    const struct figure_point *p = a, *q = b;
    return by_number(&p->x.at, &q->x.at);
}

static int by_x_and_y(const void *a, const void *b)
{
    const struct figure_point *p = a, *q = b;
    const int order = by_x(a, b);
    return order ? order : by_number(&p->y[0].at, &q->y[0].at);
}

/* Rows without an id (written by hand) are repetitions only where they are equal. */
static int by_id(const void *a, const void *b)
{
    const struct figure_point *p = a, *q = b;
    if (p->id != q->id) return p->id < q->id ? -1 : 1;
    return p->id ? 0 : by_x_and_y(a, b);
}

static int by_seed(const void *a, const void *b)
{
    const struct figure_point *p = a, *q = b;
    return strcmp(p->seed, q->seed);
}

static double median(double *values, size_t count)
{
    stats_sort(values, count);
    return count == 0 ? (double)NAN : stats_median(values, count);
}

/* Coordinate y of a point; x is the one past the last. */
static const struct value *coordinate(const struct figure_point *p, size_t y)
{
    return y < FIGURE_PANELS ? &p->y[y] : &p->x;
}

/* Half an interval: median distance of the rows' own ends from their values; 0 where they have none. */
static double own_reach(const struct figure_point *p, size_t count, size_t y, int upwards, double *room)
{
    size_t have = 0;
    for (size_t i = 0; i < count; i++) {
        const struct value v = *coordinate(&p[i], y);
        const double reach = upwards ? v.hi - v.at : v.at - v.lo;
        if (isfinite(reach)) room[have++] = fmax(reach, 0);
    }
    return have ? median(room, have) : (double)NAN;
}

/* One number a seed (the median of its repetitions), or where there is one seed a number a repetition. */
static size_t replicates(const struct figure_point *p, size_t count, size_t y, double *out, double *room)
{
    size_t seeds = 0;
    for (size_t i = 0, end; i < count; i = end) {
        size_t have = 0;
        for (end = i; end < count && by_seed(&p[end], &p[i]) == 0; end++)
            if (isfinite(coordinate(&p[end], y)->at)) room[have++] = coordinate(&p[end], y)->at;
        if (end - i == count) memcpy(out, room, have * sizeof *out);
        if (end - i == count) return have;
        if (have) out[seeds++] = median(room, have);
    }
    return seeds;
}

/* Points of one id, in the order of seeds, as one value.  room: 2 x count. */
static struct value merged_value(const struct figure_point *p, size_t count, size_t y, double *room)
{
    double *of = room + count;
    const size_t n = replicates(p, count, y, of, room);
    if (n == 0) return (struct value){ (double)NAN, (double)NAN, (double)NAN };
    stats_sort(of, n);
    const double at = stats_median(of, n);
    struct interval apart = stats_sign_interval(of, n, 0.05, 1);
    if (!isfinite(apart.hi)) apart = (struct interval){ of[0], of[n - 1] };
    const double down = own_reach(p, count, y, 0, room), up = own_reach(p, count, y, 1, room);
    if (n == 1) return (struct value){ at, at - down, at + up };
    return (struct value){ at, at - hypot(isnan(down) ? 0 : down, at - apart.lo),
                           at + hypot(isnan(up) ? 0 : up, apart.hi - at) };
}

/* Points that `same` cannot tell apart become one, the median of each coordinate; then by x. */
static void merge_points(struct series *s, int (*same)(const void *, const void *), double *room)
{
    qsort(s->points, s->count, sizeof *s->points, same);
    size_t merged = 0;
    for (size_t i = 0, end; i < s->count; i = end) {
        for (end = i + 1; end < s->count && same(&s->points[end], &s->points[i]) == 0;) end++;
        qsort(s->points + i, end - i, sizeof *s->points, by_seed);
        struct figure_point p = s->points[i];
        p.x = merged_value(s->points + i, end - i, FIGURE_PANELS, room);
        for (size_t y = 0; y < FIGURE_PANELS; y++) p.y[y] = merged_value(s->points + i, end - i, y, room);
        s->points[merged++] = p;
    }
    s->count = merged;
    qsort(s->points, s->count, sizeof *s->points, by_x_and_y);
}

static int by_x_then_cost(const void *a, const void *b)
{
    const struct figure_point *p = a, *q = b;
    const int order = by_x(a, b);
    return order ? order : by_number(&q->y[0].at, &p->y[0].at);
}

static int by_x_then_gain(const void *a, const void *b)
{
    const int order = by_x(a, b);
    return order ? order : by_x_and_y(a, b);
}

/* Points of a front first; each part by x. */
static int by_front(const void *a, const void *b)
{
    const struct figure_point *p = a, *q = b;
    return p->on_front != q->on_front ? q->on_front - p->on_front : by_x_and_y(a, b);
}

/* Those that no other beats in x (high) or y (low, or where `way` is -1 high) without losing in the other: from the
 * highest x down, and of equal x from the best up, each must be better than all before.  The others stand behind them. */
static void keep_front(struct series *s, int way)
{
    qsort(s->points, s->count, sizeof *s->points, way > 0 ? by_x_then_cost : by_x_then_gain);
    double best = INFINITY;
    size_t front = 0;
    for (size_t i = s->count; i-- > 0;) {
        const double cost = way * s->points[i].y[0].at;
        s->points[i].on_front = cost < best;
        if (cost < best) best = cost, front++;
    }
    qsort(s->points, s->count, sizeof *s->points, by_front);
    s->off_count = s->count - front;
    s->count = front;
}

static void keep_best(struct series *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (kept && s->points[kept - 1].x.at == s->points[i].x.at) {
            if (s->points[i].y[0].at > s->points[kept - 1].y[0].at) s->points[kept - 1] = s->points[i];
        } else s->points[kept++] = s->points[i];
    }
    s->count = kept;
}

/* The points of a series become one a level; 0: no memory. */
static int take_levels(struct series *s, const double *levels)
{
    struct series taken = { 0 };
    size_t reached = 0;
    for (; *levels; levels++) {
        const struct value none = { (double)NAN, (double)NAN, (double)NAN };
        struct figure_point p = { .x = { *levels, (double)NAN, (double)NAN }, .seed = "" };
        for (size_t y = 0; y < FIGURE_PANELS; y++) p.y[y] = none;
        for (size_t i = 0; i < s->count; i++)
            if (s->points[i].x.at >= *levels && !(p.y[0].at >= s->points[i].y[0].at)) p.y[0] = s->points[i].y[0];
        reached += isfinite(p.y[0].at);
        if (!series_add_point(&taken, p)) return 0;
    }
    mem_free(s->points);
    s->points = taken.points;
    s->count = reached ? taken.count : 0;
    return 1;
}

int figure_tidy(struct figure *f, size_t rows, struct err *e)
{
    double *room = mem_alloc(2 * rows, sizeof *room);
    if (!room) return FAIL(e, ERR_MEM, "figure %s: out of memory", f->kind->name);
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        /* Where x is measured, repetitions of a point have different x. */
        merge_points(&f->series[i], f->kind->along ? by_id : by_x, room);
        if (f->kind->front) keep_front(&f->series[i], f->kind->front);
        if (f->kind->best) keep_best(&f->series[i]);
        if (f->kind->levels && !take_levels(&f->series[i], f->kind->levels)) {
            mem_free(room);
            return FAIL(e, ERR_MEM, "figure %s: out of memory", f->kind->name);
        }
        if (f->series[i].count >= f->kind->least || (f->series[i].mark == SERIES_FOREIGN && !f->kind->levels))
            f->series[kept++] = f->series[i];
        else
            series_free(&f->series[i]);
    }
    f->count = kept;
    mem_free(room);
    return ERR_OK;
}

/* Adds the Pareto front of all our own points as a series. */
int figure_add_front(struct figure *f, struct err *e)
{
    struct series front = { .mark = SERIES_FRONT };
    size_t total = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (f->series[i].mark != SERIES_OURS) continue;
        for (size_t j = 0; j < f->series[i].count; j++, total++)
            if (!series_add_point(&front, f->series[i].points[j])) goto out_of_memory;
    }
    if (total < 2) {
        series_free(&front);
        return ERR_OK;
    }
    keep_front(&front, f->kind->front);
    front.off_count = 0;
    text_add(&front.label, "Pareto front");
    if (front.label.failed) goto out_of_memory;
    struct series *grown = mem_grow(f->series, f->count, f->count + 1, sizeof *grown);
    if (!grown) goto out_of_memory;
    f->series = grown;
    f->series[f->count++] = front;
    return ERR_OK;
out_of_memory:
    series_free(&front);
    return FAIL(e, ERR_MEM, "figure %s: out of memory", f->kind->name);
}
