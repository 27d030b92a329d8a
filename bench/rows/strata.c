/* SPDX-License-Identifier: MIT
 * strata.c - folds the per-query files of points by quintile, and picks which of many points are worth it. */
#include "bench/rows/strata.h"
#include "bench/quality/interval.h"
#include "bench/rows/contrast_inside.h"
#include "bench/rows/figure.h"
#include "bench/rows/output.h"
#include "bench/rows/pq.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { KINDS = 2, RESAMPLES = 2000 };
static const char *const quintile[KINDS] = { "lid_quintile", "contrast_quintile" };
static const char *const words[KINDS] = { "lid", "contrast" };
static const char *const called[KINDS] = { "local dimension", "contrast" };

/* --- which rows ------------------------------------------------------------------------------------- */
static int is_ok(const struct contrast *c, size_t row) { return strcmp(contrast_cell(c, row, "status"), "ok") == 0; }

static int in_one_figure(const struct contrast *c, size_t a, size_t b)
{
    static const char *const same[] = { "dataset", "data", "machine", "k" };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (strcmp(contrast_cell(c, a, same[i]), contrast_cell(c, b, same[i])) != 0) return 0;
    return 1;
}

/* An index by its name, and every setting that is a word. */
static int same_method(const struct contrast *c, size_t a, size_t b)
{
    const struct table *t = &c->table;
    for (size_t i = 0; i < t->columns; i++) {
        const char *x = table_text(t, a, (int)i), *y = table_text(t, b, (int)i);
        const size_t name = strcspn(x, ":");
        if (!figure_is_setting(t, i) || strcmp(t->names[i], "kernel_asked") == 0) continue;
        if (strcmp(t->names[i], "index") == 0) {
            if (name != strcspn(y, ":") || memcmp(x, y, name) != 0) return 0;
        } else if (isnan(table_number(t, a, (int)i)) && isnan(table_number(t, b, (int)i)) && strcmp(x, y) != 0) {
            return 0;
        }
    }
    return 1;
}

/* How many rows of the same method have each setting of this one, summed: the highest is the most usual. */
static size_t usualness(const struct contrast *c, size_t row)
{
    const struct table *t = &c->table;
    size_t sum = 0;
    for (size_t r = 0; r < t->count; r++) {
        if (!is_ok(c, r) || !in_one_figure(c, row, r) || !same_method(c, row, r)) continue;
        for (size_t i = 0; i < t->columns; i++)
            sum += figure_is_setting(t, i) && strcmp(table_text(t, r, (int)i), table_text(t, row, (int)i)) == 0;
    }
    return sum;
}

/* wanted[row] of the rows that share a figure with `first`: of each point its first row; of many points, a method's. */
static void pick(const struct contrast *c, size_t first, size_t most_points, unsigned char *wanted, unsigned char *seen)
{
    const size_t n = c->table.count;
    size_t points = 0;
    for (size_t r = first; r < n; r++) {
        if (!is_ok(c, r) || !in_one_figure(c, first, r)) continue;
        wanted[r] = seen[r] = 1;
        for (size_t b = first; b < r && wanted[r]; b++)
            wanted[r] = !(wanted[b] && in_one_figure(c, b, r) &&
                          strcmp(contrast_cell(c, b, "point_id"), contrast_cell(c, r, "point_id")) == 0);
        points += wanted[r];
    }
    if (points <= most_points) return;
    for (size_t a = first; a < n; a++) {
        if (!wanted[a] || !in_one_figure(c, first, a)) continue;
        size_t best = a, most = usualness(c, a);
        for (size_t b = a + 1; b < n; b++) {
            if (!wanted[b] || !in_one_figure(c, a, b) || !same_method(c, a, b)) continue;
            const size_t usual = usualness(c, b);
            wanted[usual > most ? best : b] = 0;
            if (usual > most) best = b, most = usual;
        }
    }
}

/* --- one stratum -------------------------------------------------------------------------------------- */
/* The queries of one quintile: metrics by registry, then latency, `count` values each. */
struct stratum { double *values; size_t count; double latency; };

static int take(struct stratum *s, const struct pq *p, const double *of, int number, struct err *e)
{
    const double *lat = pq_column(p, "lat_us");
    double *room = mem_alloc(p->query_count + 1, sizeof *room);
    size_t timed = 0;
    s->count = 0;
    for (size_t q = 0; q < p->query_count; q++) s->count += of[q] == number;
    s->values = mem_alloc(metric_count() * s->count + 1, sizeof *s->values);
    if (!s->values || !room) {
        mem_free(room);
        return FAIL(e, ERR_MEM, "strata: no memory for %zu queries", p->query_count);
    }
    for (size_t m = 0; m < metric_count(); m++) {
        const double *column = pq_column(p, metric_at(m)->name);
        for (size_t q = 0, at = 0; q < p->query_count; q++)
            if (of[q] == number) s->values[m * s->count + at++] = column ? column[q] : NAN;
    }
    for (size_t q = 0; lat && q < p->query_count; q++)
        if (of[q] == number && isfinite(lat[q])) room[timed++] = lat[q];
    stats_sort(room, timed);
    s->latency = timed ? stats_median(room, timed) : NAN;
    mem_free(room);
    return ERR_OK;
}

static void number(struct text *out, double value)
{
    if (isfinite(value)) text_add(out, "%.9g", value);
}

static int in_list(const char *const *list, const char *name)
{
    while (*list && strcmp(*list, name) != 0) list++;
    return *list != NULL;
}

/* Columns of the file: what the point is, metrics and latency, of those that have a value; and the end of the fixed ones,
 * by which readers know what stands behind it for settings. */
static int is_kept(const struct contrast *c, const unsigned char *wanted, size_t column)
{
    const struct table *t = &c->table;
    const char *name = t->names[column];
    static const char *const what[] = { "schema", "run_id", "point_id", "rep", "status", "data", "binary", "queries", "bits",
                                        "layout", "kernel_used", "lat_p50_us", "bytes_per_vector", "bytes_total", "index_bytes",
                                        "build_s", NULL };
    int kept = column_role(name) != COLUMN_MEASUREMENT || in_list(what, name);
    for (size_t m = 0; m < metric_count(); m++)
        kept |= strcmp(name, metric_at(m)->name) == 0 || strcmp(name, metric_lo(m)) == 0 || strcmp(name, metric_hi(m)) == 0;
    for (size_t r = 0; kept && r < t->count; r++)
        if (wanted[r] && *table_text(t, r, (int)column)) return 1;
    return strcmp(name, "steal_ms") == 0;
}

/* The cell of a column: of a metric and its ends, latency, how many; settings as they are. */
static void cell(struct text *out, const struct contrast *c, size_t row, const char *name, const struct stratum *s,
                 const struct interval *ends, double *room)
{
    for (size_t m = 0; m < metric_count(); m++) {
        const double *values = s->values + m * s->count;
        if (strcmp(name, metric_at(m)->name) == 0) {
            number(out, metric_folded(metric_at(m), values, s->count, room));
            return;
        }
        if (strcmp(name, metric_lo(m)) == 0 || strcmp(name, metric_hi(m)) == 0) {
            number(out, strcmp(name, metric_lo(m)) == 0 ? ends[m].lo : ends[m].hi);
            return;
        }
    }
    if (strcmp(name, "lat_p50_us") == 0) number(out, s->latency);
    else if (strcmp(name, "queries") == 0) text_add(out, "%zu", s->count);
    else if (strcmp(name, "steal_ms") != 0) csv_add(out, contrast_cell(c, row, name));
}

/* What is written, and where it goes. */
struct writing {
    const struct contrast *c;
    struct text out;
    unsigned char *wanted, *seen, *kept; /* by row, by row, by column */
    int only, kind; /* only: the one quintile that is asked for, of this kind; 0: all, of both */
    size_t count;
};

static int add_stratum(struct writing *w, size_t row, const struct pq *p, int kind, int at, struct err *e)
{
    const struct table *t = &w->c->table;
    struct stratum s = { 0 };
    struct interval *ends = mem_alloc(metric_count(), sizeof *ends);
    int status = ends ? take(&s, p, pq_column(p, quintile[kind]), at, e) : FAIL(e, ERR_MEM, "strata: no memory");
    double *room = status == ERR_OK ? mem_alloc(s.count + 1, sizeof *room) : NULL;
    if (status == ERR_OK && !room) status = FAIL(e, ERR_MEM, "strata: no memory");
    if (status == ERR_OK && s.count) status = metric_intervals(s.values, s.count, ends, e);
    for (size_t i = 0, written = 0; status == ERR_OK && s.count && i < t->columns; i++) {
        if (!w->kept[i]) continue;
        if (written++) text_add(&w->out, ",");
        if (w->only && strcmp(t->names[i], "dataset") == 0)
            text_add(&w->out, "\"%s, %s quintile %d\"", contrast_cell(w->c, row, "dataset"), words[kind], at);
        else cell(&w->out, w->c, row, t->names[i], &s, ends, room);
    }
    if (status == ERR_OK && s.count && !w->only) text_add(&w->out, kind ? ",,%d" : ",%d,", at);
    if (status == ERR_OK && s.count) text_add(&w->out, "\n");
    w->count += status == ERR_OK && s.count;
    mem_free(s.values);
    mem_free(room);
    mem_free(ends);
    return status;
}

static int add_point(struct writing *w, size_t row, struct err *e)
{
    struct pq p = { 0 };
    if (pq_read(&p, contrast_folder(w->c, row), contrast_cell(w->c, row, "point_id"), NULL) != ERR_OK) return ERR_OK;
    int status = ERR_OK;
    for (int kind = 0; status == ERR_OK && kind < KINDS; kind++)
        for (int at = 1; status == ERR_OK && pq_column(&p, quintile[kind]) && at <= DIFFICULTY_STRATA; at++)
            if (!w->only || (w->only == at && w->kind == kind)) status = add_stratum(w, row, &p, kind, at, e);
    pq_free(&p);
    return status;
}

/* "lid=5". */
static int parse(struct writing *w, const char *only, struct err *e)
{
    const char *equals = only ? strchr(only, '=') : NULL;
    int64_t number = 0;
    if (!only) return ERR_OK;
    while (w->kind < KINDS && !(equals && strlen(words[w->kind]) == (size_t)(equals - only) &&
                                memcmp(words[w->kind], only, (size_t)(equals - only)) == 0))
        w->kind++;
    if (w->kind == KINDS || !text_to_i64(equals + 1, &number) || number < 1 || number > DIFFICULTY_STRATA)
        return FAIL(e, ERR_ARG, "stratum '%s': not lid=1..%d or contrast=1..%d, 1 the easiest", only, DIFFICULTY_STRATA, DIFFICULTY_STRATA);
    w->only = (int)number;
    return ERR_OK;
}

static void head(struct writing *w)
{
    const struct table *t = &w->c->table;
    size_t columns = 0;
    for (size_t i = 0; i < t->note_count; i++) text_add(&w->out, "# %s\n", t->notes[i]);
    for (size_t i = 0; i < t->columns; i++) {
        w->kept[i] = (unsigned char)is_kept(w->c, w->wanted, i);
        if (!w->kept[i]) continue;
        if (columns++) text_add(&w->out, ",");
        csv_add(&w->out, t->names[i]);
    }
    if (!w->only) text_add(&w->out, ",%s,%s", quintile[0], quintile[1]);
    text_add(&w->out, "\n");
}

int strata_write(const struct contrast *c, const char *path, const char *only, size_t *count, struct err *e)
{
    const struct table *t = &c->table;
    struct writing w = { .c = c };
    int status = parse(&w, only, e);
    if (status != ERR_OK) return status;
    w.wanted = mem_zero(2 * t->count + t->columns + 1, 1);
    if (!w.wanted) return FAIL(e, ERR_MEM, "strata: no memory for %zu rows", t->count);
    w.seen = w.wanted + t->count;
    w.kept = w.seen + t->count;
    for (size_t r = 0; r < t->count; r++)
        if (!w.seen[r] && is_ok(c, r)) pick(c, r, w.only ? SIZE_MAX : STRATA_MOST, w.wanted, w.seen);
    head(&w);
    for (size_t r = 0; status == ERR_OK && r < t->count; r++)
        if (w.wanted[r]) status = add_point(&w, r, e);
    if (status == ERR_OK && w.count) status = output_write(path, &w.out, e);
    if (status == ERR_OK) *count = w.count;
    text_free(&w.out);
    mem_free(w.wanted);
    return status;
}

/* --- for a person --------------------------------------------------------------------------------------- */
static void line(struct text *out, const double *values, const int *stratum, size_t count, double *room)
{
    for (int s = 1; s <= DIFFICULTY_STRATA; s++) {
        size_t held = 0;
        for (size_t q = 0; q < count; q++)
            if (stratum[q] == s && !isnan(values[q])) room[held++] = values[q];
        if (held < 2) {
            text_add(out, "  %20s", "-");
            continue;
        }
        const struct interval i = stats_bootstrap_mean(room, held, .95, RESAMPLES, 1);
        text_add(out, "  %.4f [%.3f, %.3f]", stats_mean(room, held), i.lo, i.hi);
    }
    text_add(out, "\n");
}

void strata_lines(struct text *out, const struct quality *q, const char *metric)
{
    size_t m = 0, known = 0;
    while (m < metric_count() && strcmp(metric_at(m)->name, metric) != 0) m++;
    if (!q->hard || m == metric_count()) return;
    const double *values = q->values + m * q->query_count;
    for (size_t i = 0; i < q->query_count; i++) known += !isnan(values[i]) && q->hard->lid_stratum[i] > 0;
    double *room = mem_alloc(q->query_count, sizeof *room);
    out->failed |= !room;
    for (int kind = 0; room && known && kind < KINDS; kind++) {
        text_add(out, "  %s by %-16s", metric, called[kind]);
        line(out, values, kind ? q->hard->contrast_stratum : q->hard->lid_stratum, q->query_count, room);
    }
    mem_free(room);
}
