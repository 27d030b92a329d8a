/* SPDX-License-Identifier: MIT
 * ann_levels.c - sorts index points into lines over recall, and tells what those cost at one level of it. */
#include "bench/points/ann_levels.h"
#include <math.h>
#include <string.h>
#include "bench/rows/row.h"

static const struct index *model_of(const struct ann_arm *a)
{
    return a->built->index->model ? a->built->index->model : a->built->index;
}

static int same_line(const struct ann_arm *a, const struct ann_arm *b) { return model_of(a) == model_of(b); }

static int is_digit(char c) { return c >= '0' && c <= '9'; }

/* "ivf:nprobe=8,inner=(flat)" and "ivf:nprobe=64,inner=(flat)": "ivf:nprobe=8..64,inner=(flat)"; what differs in more
 * than a number stands whole. */
static void name_line(struct text *out, const char *first, const char *last)
{
    const size_t a = strlen(first), b = strlen(last), least = a < b ? a : b;
    size_t head = 0, tail = 0;
    text_add(out, "%s", first);
    if (strcmp(first, last) == 0) return;
    while (head < least && first[head] == last[head]) head++;
    while (head && is_digit(first[head - 1])) head--;
    while (tail < least - head && first[a - 1 - tail] == last[b - 1 - tail]) tail++;
    while (tail && is_digit(first[a - tail])) tail--;
    if (strspn(first + head, "0123456789") != a - tail - head || strspn(last + head, "0123456789") != b - tail - head ||
        head == a - tail) {
        text_add(out, " .. %s", last);
        return;
    }
    text_clear(out);
    text_add(out, "%.*s..%.*s%s", (int)(a - tail), first, (int)(b - tail - head), last + head, first + a - tail);
}

/* The points of one line, moved to stand together. */
static size_t gather(struct ann_levels *l, const struct ann_arm *arms, size_t first, size_t *place, size_t *taken)
{
    const size_t from = *taken;
    size_t last = first;
    for (size_t i = first; i < l->arms; i++)
        if (same_line(&arms[first], &arms[i])) place[i] = (*taken)++, last = i;
    name_line(&l->names[l->count], arms[first].point.spec, arms[last].point.spec);
    l->lines[l->count++] = (struct recall_line){ l->points + from, *taken - from };
    return *taken - from;
}

int ann_levels_init(struct ann_levels *l, const struct ann_arm *arms, size_t count, size_t queries, size_t reps, struct err *e)
{
    *l = (struct ann_levels){ .queries = queries, .reps = reps, .arms = count };
    size_t *place = mem_alloc(count, sizeof *place), taken = 0;
    l->lines = mem_zero(count + 1, sizeof *l->lines);
    l->names = mem_zero(count + 1, sizeof *l->names);
    l->points = mem_zero(2 * count, sizeof *l->points);
    l->room = mem_alloc(2 * count, (queries + reps) * sizeof *l->room);
    l->place = place;
    if (!place || !l->lines || !l->names || !l->points || !l->room) {
        ann_levels_fini(l);
        return FAIL(e, ERR_MEM, "no memory for %zu points of %zu queries", count, queries);
    }
    for (size_t i = 0; i < 2 * count; i++) {
        l->points[i].recall = l->room + i * (queries + reps);
        l->points[i].us = l->points[i].recall + queries;
    }
    for (size_t i = 0; i < count; i++) {
        int is_first = 1;
        for (size_t j = 0; j < i; j++) is_first &= !same_line(&arms[i], &arms[j]);
        if (!is_first) continue;
        const size_t points = gather(l, arms, i, place, &taken);
        if (i == 0) l->again = points;
    }
    text_add(&l->names[l->count], "A/A");
    l->lines[l->count++] = (struct recall_line){ l->points + count, l->again };
    return ERR_OK;
}

void ann_levels_fini(struct ann_levels *l)
{
    for (size_t i = 0; l->names && i < l->count; i++) text_free(&l->names[i]);
    mem_free(l->lines), mem_free(l->names), mem_free(l->points), mem_free(l->room), mem_free(l->place);
    *l = (struct ann_levels){ 0 };
}

void ann_levels_repeat(const struct ann_levels *l, struct ann_arm *arms)
{
    size_t more = l->arms;
    for (size_t i = 0; i < l->arms; i++)
        if (same_line(&arms[0], &arms[i])) arms[more++] = (struct ann_arm){ .point = arms[i].point, .built = arms[i].built };
}

int ann_levels_take(struct ann_levels *l, const struct ann_arm *arms, size_t rep, struct err *e)
{
    size_t metric = 0;
    while (strcmp(metric_at(metric)->name, "recall_strict") != 0) metric++;
    for (size_t i = 0; i < l->arms + l->again; i++) {
        const struct ann_arm *a = &arms[i];
        struct recall_point *p = &l->points[i < l->arms ? l->place[i] : i];
        double *sorted = mem_alloc(a->calls.count, sizeof *sorted);
        if (!sorted) return FAIL(e, ERR_MEM, "no memory for %zu times", a->calls.count);
        memcpy(sorted, a->calls.us, a->calls.count * sizeof *sorted);
        stats_sort(sorted, a->calls.count);
        p->us[rep] = a->calls.count ? stats_median(sorted, a->calls.count) : (double)NAN;
        mem_free(sorted);
        if (rep == 0)
            memcpy(p->recall, a->quality.values + metric * l->queries, l->queries * sizeof *p->recall);
    }
    return ERR_OK;
}

/* --- telling --------------------------------------------------------------------------------------- */

static void add_time(struct text *out, const struct at_recall *a)
{
    if (isnan(a->us)) text_add(out, " %29s", "not reached");
    else if (isnan(a->us_within.lo)) text_add(out, " %s%9.4g %17s", a->at_most ? "<=" : "  ", a->us, "");
    else {
        char within[40];
        snprintf(within, sizeof within, "[%.4g, %.4g]", a->us_within.lo, a->us_within.hi);
        text_add(out, " %s%9.4g %17s", a->at_most ? "<=" : "  ", a->us, within);
    }
}

static void add_ratio(struct text *out, const struct at_recall *a)
{
    if (isnan(a->ratio)) text_add(out, "%7s", "-");
    else text_add(out, "%s%.3f", a->at_most ? "at least " : "x", a->ratio);
    if (!isnan(a->ratio) && !isnan(a->ratio_within.lo))
        text_add(out, " [%.3f, %.3f]", a->ratio_within.lo, a->ratio_within.hi);
}

static void tell_table(const struct ann_levels *l, double level, const struct at_recall *all, struct text *out)
{
    size_t width = strlen("index");
    for (size_t i = 0; i < l->count; i++) width = l->names[i].size > width ? l->names[i].size : width;
    text_add(out, "\nrecall %g\n%-*s %29s  times as fast as the first\n", level, (int)width, "index", "us a call");
    for (size_t i = 0; i < l->count; i++) {
        text_add(out, "%-*s", (int)width, text_of(&l->names[i]));
        add_time(out, &all[i]);
        text_add(out, "  ");
        add_ratio(out, &all[i]);
        text_add(out, "\n");
    }
}

/* Numbers by the names of the columns; empty, or in JSON null, where there is none. */
static void tell_values(const struct at_recall *a, int json, struct text *out)
{
    const struct { const char *name; double value; } cells[] = {
        { "us", a->us }, { "us_lo", a->us_within.lo }, { "us_hi", a->us_within.hi }, { "at_most", a->at_most },
        { "ratio", a->ratio }, { "ratio_lo", a->ratio_within.lo }, { "ratio_hi", a->ratio_within.hi },
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        if (json) text_add(out, ",\"%s\":", cells[i].name);
        else text_add(out, ",");
        if (!isnan(cells[i].value)) text_add(out, "%.9g", cells[i].value);
        else if (json) text_add(out, "null");
    }
}

void ann_levels_csv_head(struct text *out) { text_add(out, "index,recall,us,us_lo,us_hi,at_most,ratio,ratio_lo,ratio_hi\n"); }

int ann_levels_tell(const struct ann_levels *l, double level, uint64_t seed, enum ann_levels_form form, struct text *out,
                    struct err *e)
{
    struct at_recall *all = mem_alloc(l->count, sizeof *all);
    if (!all) return FAIL(e, ERR_MEM, "no memory for %zu lines", l->count);
    const int status = at_recall(l->lines, l->count, l->queries, l->reps, level, seed, all, e);
    if (status == ERR_OK && form == ANN_LEVELS_TABLE) tell_table(l, level, all, out);
    for (size_t i = 0; status == ERR_OK && form != ANN_LEVELS_TABLE && i < l->count; i++) {
        if (form == ANN_LEVELS_JSON) {
            text_add(out, "{\"index\":");
            text_add_json(out, text_of(&l->names[i]));
            text_add(out, ",\"recall\":%.9g", level);
        } else {
            csv_add(out, text_of(&l->names[i]));
            text_add(out, ",%.9g", level);
        }
        tell_values(&all[i], form == ANN_LEVELS_JSON, out);
        text_add(out, form == ANN_LEVELS_JSON ? "}\n" : "\n");
    }
    mem_free(all);
    return status == ERR_OK && out->failed ? FAIL(e, ERR_MEM, "no memory for a table") : status;
}
