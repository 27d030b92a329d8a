/* SPDX-License-Identifier: MIT
 * figure_make.c - parts of figures that are made by hand: groups of rows, names, series. */
#include "bench/rows/figure_make.h"
#include "bench/rows/figure_inside.h"
#include "bench/rows/row.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <string.h>

static const char *const apart[] = { "dataset", "k", "machine", "threads", "batch" };
enum { APART = sizeof apart / sizeof *apart };

static const char *cell(const struct table *t, size_t row, const char *column) { return table_text(t, row, table_column(t, column)); }

static int is_ok(const struct table *t, size_t row)
{
    const char *status = cell(t, row, "status");
    return (!*status || strcmp(status, "ok") == 0) && strcmp(cell(t, row, "machine"), RECORDED) != 0;
}

static int in_one(const struct table *t, size_t a, size_t b)
{
    for (size_t i = 0; i < APART; i++)
        if (strcmp(cell(t, a, apart[i]), cell(t, b, apart[i])) != 0) return 0;
    return 1;
}

int make_each_group(const struct figure_source *from, const struct figure_kind *k,
                    int (*made)(const struct figure_source *from, const struct figure_kind *k, const struct figure_group *g,
                                struct err *e),
                    struct err *e)
{
    const struct table *t = from->t;
    unsigned char *seen = mem_zero(t->count + 1, 1);
    struct figure_group g = { mem_alloc(t->count + 1, sizeof *g.rows), 0 };
    int status = seen && g.rows ? ERR_OK : FAIL(e, ERR_MEM, "figure %s: out of memory", k->name);
    for (size_t first = 0; status == ERR_OK && first < t->count; first++) {
        if (seen[first] || !is_ok(t, first)) continue;
        g.count = 0;
        for (size_t r = first; r < t->count; r++)
            if (is_ok(t, r) && in_one(t, first, r)) seen[r] = 1, g.rows[g.count++] = r;
        status = made(from, k, &g, e);
    }
    mem_free(seen);
    mem_free(g.rows);
    return status;
}

static int counts(const struct table *t, size_t column)
{
    const char *name = t->names[column];
    if (!figure_is_setting(t, column) || strcmp(name, "kernel_asked") == 0) return 0;
    if (strcmp(name, "index") == 0 || strcmp(name, "bits") == 0 || strcmp(name, "bit_width") == 0 ||
        strcmp(name, "layout") == 0) /* which not every index has */
        return 0;
    const int is_pipeline = table_column(t, "top_k_candidates") >= 0;
    return is_pipeline || column_role(name) == COLUMN_SETTING || figure_is_callers(name);
}

static double bits_of(const struct table *t, size_t row)
{
    const double width = table_number(t, row, table_column(t, "bit_width"));
    return isfinite(width) ? width : table_number(t, row, table_column(t, "bits"));
}

void make_label(const struct table *t, const struct figure_group *g, size_t row, struct text *out)
{
    static const struct figure_kind kind = { .along = "bits,bit_width", .x = "bits" };
    const struct view v = { .t = t, .k = &kind };
    const struct selection s = { g->rows, g->count };
    const double bits = bits_of(t, row);
    figure_add_value(out, &v, "index", cell(t, row, "index"));
    if (isfinite(bits)) text_add(out, ", %g bit%s", bits, bits == 1 ? "" : "s");
    for (size_t c = 0; c < t->columns; c++) {
        const char *value = table_text(t, row, (int)c);
        if (counts(t, c) && *value && strcmp(value, figure_usual_value(t, &s, (int)c)) != 0)
            text_add(out, ", %s=%s", t->names[c], value);
    }
}

enum { ODD = 16 }; /* a setting that is not the usual one */

static size_t rank_of(const struct table *t, const struct selection *s, size_t row)
{
    static const char order[] = "42183657"; /* papers show 4 and 2 */
    const double bits = bits_of(t, row);
    const char *at = bits >= 1 && bits <= 8 ? strchr(order, '0' + (int)bits) : NULL;
    size_t odd = 0;
    for (size_t c = 0; c < t->columns; c++)
        odd += counts(t, c) && strcmp(table_text(t, row, (int)c), figure_usual_value(t, s, (int)c)) != 0;
    return ODD * odd + (at ? (size_t)(at - order) : 8);
}

void make_choose(const struct table *t, struct figure_group *g, size_t most)
{
    const struct selection s = { g->rows, g->count };
    size_t usual = 0;
    for (size_t i = 0; i < g->count; i++) usual += rank_of(t, &s, g->rows[i]) < ODD;
    for (;;) {
        size_t worst = 0, rank = 0;
        for (size_t i = 0; i < g->count; i++) {
            const size_t mine = rank_of(t, &s, g->rows[i]);
            if (mine >= rank) worst = i, rank = mine;
        }
        if (g->count <= most && (rank < ODD || usual < 2)) return;
        memmove(g->rows + worst, g->rows + worst + 1, (--g->count - worst) * sizeof *g->rows);
    }
}

static int splits(const struct figure_kind *k, const char *column)
{
    for (size_t i = 0; i < APART; i++)
        if (strcmp(column, apart[i]) == 0) return k->timed || i < 2;
    return 0;
}

int make_begin(struct figure *f, const struct figure_source *from, const struct figure_kind *k, size_t row)
{
    *f = (struct figure){ .kind = k, .table = from->t, .x = k->x, .y = { k->y[0] }, .y_count = 1 };
    figure_name(from->t, f, row, splits);
    return !f->name.failed && !f->title.failed;
}

struct series *make_series(struct figure *f, const char *label, size_t row)
{
    if (!mem_extend(&f->series, f->count, f->count + 1, sizeof *f->series)) return NULL;
    struct series *s = &f->series[f->count++];
    *s = (struct series){ .mark = SERIES_OURS, .row = row };
    text_add(&s->label, "%s", label);
    return s->label.failed ? NULL : s;
}

int make_point(struct series *s, const struct table *t, size_t row, struct value x, struct value y)
{
    struct figure_point p = { .x = x, .id = figure_point_id(t, row), .seed = "", .bits = (double)NAN, .row = row };
    for (size_t i = 0; i < FIGURE_PANELS; i++) p.y[i] = make_value((double)NAN, (double)NAN, (double)NAN);
    p.y[0] = y;
    return series_add_point(s, p);
}

struct value make_value(double at, double lo, double hi) { return (struct value){ at, lo, hi }; }

int make_hand_over(struct figure *f, const struct figure_source *from, int whole, struct err *e)
{
    int status = whole && !f->under.failed ? ERR_OK : FAIL(e, ERR_MEM, "figure %s: out of memory", f->kind->name);
    if (status == ERR_OK && f->count) status = from->each(f, from->context, e);
    for (size_t i = 0; i < f->count; i++) series_free(&f->series[i]);
    mem_free(f->series);
    text_free(&f->name);
    text_free(&f->title);
    text_free(&f->under);
    return status;
}
