/* SPDX-License-Identifier: MIT
 * sweep_refine.c - which points of a plan, by what is measured of them, are worth measuring again. */
#include "bench/quality/metric.h"
#include "bench/sweep/sweep.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const usual_quality[] = { "label_ndcg_at_10", "label_mrr", "recall_strict" };

struct known {
    const char *id;
    size_t at; /* of the plan */
    double quality, cost, rows;
};

static int by_id(const void *a, const void *b) { return strcmp(((const struct known *)a)->id, ((const struct known *)b)->id); }

static int has_values(const struct table *t, const char *name)
{
    const int column = table_column(t, name);
    for (size_t i = 0; column >= 0 && i < t->count; i++)
        if (!isnan(table_number(t, i, column))) return 1;
    return 0;
}

static int find_columns(const struct table *t, struct refine_wish *w, int columns[2], struct err *e)
{
    for (size_t i = 0; !w->quality && i < sizeof usual_quality / sizeof *usual_quality; i++)
        if (has_values(t, usual_quality[i])) w->quality = usual_quality[i];
    if (!w->cost) w->cost = "lat_p50_us";
    if (!w->quality) return FAIL(e, ERR_NOT_FOUND, "%s: no column of quality has values; --max COLUMN", w->csv);
    const char *const names[2] = { w->quality, w->cost };
    for (int i = 0; i < 2; i++) {
        columns[i] = table_column(t, names[i]);
        if (columns[i] < 0) return FAIL(e, ERR_ARG, "%s has no column '%s'%s", w->csv, names[i], NEAREST(names[i], t->names, t->columns));
        if (!has_values(t, names[i])) return FAIL(e, ERR_NOT_FOUND, "%s: no row has %s", w->csv, names[i]);
    }
    return ERR_OK;
}

/* Means over the good rows of every point of the plan. */
static int gather(const struct table *t, const struct plan *p, const int columns[2], double turn, struct known *all, size_t *strangers)
{
    const int id = table_column(t, "point_id"), ok = table_column(t, "status");
    size_t found = 0;
    for (size_t i = 0; i < p->count; i++) all[i] = (struct known){ .id = p->points[i].id, .at = i };
    qsort(all, p->count, sizeof *all, by_id);
    for (size_t i = 0; i < t->count; i++) {
        const struct known key = { .id = table_text(t, i, id) };
        const double quality = table_number(t, i, columns[0]), cost = table_number(t, i, columns[1]);
        if (strcmp(table_text(t, i, ok), "ok") != 0 || isnan(quality) || isnan(cost)) continue;
        struct known *k = bsearch(&key, all, p->count, sizeof *all, by_id);
        if (!k) {
            ++*strangers;
            continue;
        }
        found += k->rows == 0;
        k->quality += turn * quality;
        k->cost += cost;
        k->rows++;
    }
    for (size_t i = 0; i < p->count; i++)
        if (all[i].rows > 0) all[i].quality /= all[i].rows, all[i].cost /= all[i].rows;
    return (int)found;
}

/* 1 when no other point is clearly better: as good and cheaper by more than `near`, or as cheap and better by more than
 * that share of what qualities span. */
static int is_near(const struct known *all, size_t count, size_t i, double near, double span)
{
    for (size_t j = 0; j < count; j++) {
        const struct known *o = &all[j], *x = &all[i];
        if (j == i || o->rows == 0) continue;
        if (o->quality >= x->quality && o->cost * (1 + near) < x->cost) return 0;
        if (o->cost <= x->cost && o->quality > x->quality + near * span) return 0;
    }
    return 1;
}

int sweep_refine(const struct plan *p, struct refine_wish *w, unsigned char *only, struct refine_found *out, struct err *e)
{
    struct table t = { .whole_lines = 1 };
    struct known *all = mem_alloc(p->count, sizeof *all);
    int columns[2], status = all ? table_append(&t, w->csv, e) : FAIL(e, ERR_MEM, "no memory for %zu points", p->count);
    if (status == ERR_OK && (table_column(&t, "point_id") < 0 || table_column(&t, "status") < 0))
        status = FAIL(e, ERR_FORMAT, "%s: no rows of points", w->csv);
    if (status == ERR_OK) status = find_columns(&t, w, columns, e);
    *out = (struct refine_found){ 0 };
    if (status == ERR_OK) {
        const struct metric_ops *m = metric_find(w->quality);
        out->measured = (size_t)gather(&t, p, columns, m && m->better == METRIC_LESS ? -1 : 1, all, &out->strangers);
        if (!out->measured)
            status = FAIL(e, ERR_NOT_FOUND, "%s: none of its points is in this plan: is it of another config, or of other data?", w->csv);
    }
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; status == ERR_OK && i < p->count; i++)
        if (all[i].rows > 0) least = fmin(least, all[i].quality), most = fmax(most, all[i].quality);
    for (size_t i = 0; status == ERR_OK && i < p->count; i++) {
        only[all[i].at] = all[i].rows > 0 && is_near(all, p->count, i, w->near, most - least);
        out->near += only[all[i].at];
    }
    table_free(&t);
    mem_free(all);
    return status;
}
