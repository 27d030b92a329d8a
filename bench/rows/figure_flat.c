/* SPDX-License-Identifier: MIT
 * figure_flat.c - figures that have nothing to show but a line that does not move: a sentence says that better. */
#include "bench/rows/figure_draw.h"
#include "bench/rows/axis.h"
#include <math.h>
#include <string.h>

/* Shares that differ by less than this, and times by less than that part of themselves: with their intervals (of other
 * queries, of other calls) one over another, and another process 10 % off by itself, there is nothing to see. */
static const double share_moves = 0.01, share_resolved = 0.002, time_moves = 0.15;

struct range { double least, most, lo, hi, apart; int is_apart; };

static struct range range_of(const struct figure *f, size_t y)
{
    struct range all = { INFINITY, -INFINITY, INFINITY, -INFINITY, 0, 0 };
    for (size_t i = 0; i < f->count; i++) {
        const struct series *s = &f->series[i];
        double least = INFINITY, most = -INFINITY, lo = -INFINITY, hi = INFINITY;
        for (size_t p = 0; s->mark == SERIES_OURS && p < s->count; p++) {
            const struct value v = s->points[p].y[y];
            if (!isfinite(v.at)) continue;
            least = fmin(least, v.at), most = fmax(most, v.at);
            lo = fmax(lo, isfinite(v.lo) ? v.lo : v.at), hi = fmin(hi, isfinite(v.hi) ? v.hi : v.at);
            all.lo = fmin(all.lo, isfinite(v.lo) ? v.lo : v.at), all.hi = fmax(all.hi, isfinite(v.hi) ? v.hi : v.at);
        }
        all.least = fmin(all.least, least), all.most = fmax(all.most, most);
        const int is_share = most <= 1;
        const double moves = is_share ? most - least : (most - least) / least;
        all.is_apart |= most > least && (moves > (is_share ? share_moves : time_moves) || (is_share && lo > hi && moves > share_resolved));
    }
    return all;
}

static void add_range(struct text *why, const char *label, const struct range *r)
{
    char least[32], most[32], lo[32], hi[32];
    axis_number(least, sizeof least, r->least, 4);
    axis_number(most, sizeof most, r->most, 4);
    axis_number(lo, sizeof lo, r->lo, 4);
    axis_number(hi, sizeof hi, r->hi, 4);
    text_add(why, "%s %s", label, least);
    if (strcmp(least, most) != 0) text_add(why, " to %s", most);
    if (r->lo < r->least || r->hi > r->most) text_add(why, " [%s, %s]", lo, hi);
}

static void take_out(struct figure *f, size_t y)
{
    for (size_t i = 0; i < f->count; i++)
        for (size_t p = 0; p < f->series[i].count + f->series[i].off_count; p++)
            memmove(f->series[i].points[p].y + y, f->series[i].points[p].y + y + 1,
                    (FIGURE_PANELS - 1 - y) * sizeof f->series[i].points[p].y[0]);
    memmove(f->y + y, f->y + y + 1, (FIGURE_PANELS - 1 - y) * sizeof *f->y);
    f->y_count--;
}

/* The largest part of the whole that column y is anywhere. */
static double largest_part(const struct figure *f, size_t y)
{
    double most = 0;
    for (size_t i = 0; i < f->count; i++)
        for (size_t p = 0; p < f->series[i].count; p++)
            most = fmax(most, f->series[i].points[p].y[y].at / f->series[i].points[p].x.at);
    return most;
}

/* Stages that are nowhere a hundredth of the whole belong to the last, "other", and so does the ninth. */
void figure_fold_stages(struct figure *f)
{
    while (f->kind->layout == LAYOUT_STAGES && f->y_count > 1) {
        const size_t last = f->y_count - 1;
        size_t least = 0;
        for (size_t y = 1; y < last; y++)
            if (largest_part(f, y) < largest_part(f, least)) least = y;
        if (f->y_count <= 8 && largest_part(f, least) > 0.01) return;
        for (size_t i = 0; i < f->count; i++)
            for (size_t p = 0; p < f->series[i].count; p++) {
                struct figure_point *at = &f->series[i].points[p];
                if (isfinite(at->y[least].at)) at->y[last].at = at->y[least].at + (isfinite(at->y[last].at) ? at->y[last].at : 0);
            }
        take_out(f, least);
    }
}

static size_t distinct_x(const struct figure *f, double *least, double *most)
{
    *least = INFINITY, *most = -INFINITY;
    size_t points = 0;
    for (size_t i = 0; i < f->count; i++)
        for (size_t p = 0; f->series[i].mark != SERIES_FRONT && p < f->series[i].count + f->series[i].off_count; p++) {
            *least = fmin(*least, f->series[i].points[p].x.at), *most = fmax(*most, f->series[i].points[p].x.at);
            points++;
        }
    return points;
}

int figure_is_flat(struct figure *f, struct text *why)
{
    double from, to;
    char low[32], high[32];
    if (!f->x || f->kind->by || f->kind->levels || f->kind->make) return 0;
    const size_t points = distinct_x(f, &from, &to);
    axis_number(low, sizeof low, from, 4);
    axis_number(high, sizeof high, to, 4);
    if (points == 1) text_add(why, "one point: %s %s; ", figure_label(f->x), low);
    else text_add(why, "%s from %s to %s does not move ", figure_label(f->x), low, high);
    if (f->kind->front || f->kind->ceiling || f->kind->along) {
        if (points > 1) {
            text_clear(why);
            return 0;
        }
        for (size_t y = 0; y < f->y_count; y++) {
            const struct range r = range_of(f, y);
            if (y) text_add(why, ", ");
            add_range(why, figure_label(f->y[y]), &r);
        }
        return 1;
    }
    int said = 0;
    for (size_t y = 0; y < f->y_count;) {
        const struct range r = range_of(f, y);
        if (r.is_apart) {
            y++;
            continue;
        }
        if (said++) text_add(why, ", ");
        add_range(why, figure_label(f->y[y]), &r);
        take_out(f, y);
    }
    if (!said) text_clear(why);
    return f->y_count == 0;
}
