/* SPDX-License-Identifier: MIT
 * figure.c - turns a table of results into the series of one figure: which rows, which columns, which series. */
#include "bench/rows/figure.h"
#include "bench/rows/figure_inside.h"
#include "bench/quality/metric.h"
#include "bench/rows/row.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows that differ in one of these go into figures of their own; the second list, where time is drawn. */
static const char *const split_always[] = { "dataset", "k", NULL };
static const char *const split_timed[] = { "machine", "threads", "batch", NULL };

/* Of columns that are no metrics; those bring their own. */
static const char *const labels[][2] = {
    { "lat_p50_us", "latency p50 (us)" },
    { "lat_p99_us", "latency p99 (us)" },
    { "n", "base vectors" },
    { "threads", "threads" },
    { "batch", "queries in one call" },
    { "graph_depth", "hops along the graph (graph_depth)" },
    { "top_k_candidates", "candidates of stage one (top_k_candidates)" },
    { "top_k_rerank", "kept by exact re-ranking (top_k_rerank)" },
    { "context_depth", "hops of context (context_depth)" },
    { "rerank", "re-scored exactly (rerank)" },
    { "nprobe", "lists read (nprobe)" },
    { "ef", "length of the search's list (ef)" },
    { "hop_edges", "edges looked at by the last hop, a question" },
    { "churn_pct", "rows changed (% of those at the start)" },
    { "t_add_us", "to add a row (us)" },
    { "t_remove_us", "to remove a row (us)" },
    { "t_replace_us", "to replace a row (us)" },
    { "qps", "queries a second (1/s)" },
    { "ns_per_vector", "time per vector (ns)" },
    { "bytes_per_vector", "bytes per vector, all side data included" },
    { "taken", "results taken, k" },
    { "recall_1_at_k", "share of queries whose nearest is among them" },
    { "lat_us", "latency of a query (us)" },
    { "share_slower", "share of queries that take longer" },
    { "difference", "mean difference" },
    { "ratio", "time of the base / time" },
    { "rank", "mean rank, 1 is best" },
    { "off_median", "off the median (%)" },
    { "lat_mean_us", "mean time of a query (us)" },
    { "bits", "bits per dimension" },
    { "bit_width", "bits per dimension (bit_width)" },
    { "lid_quintile", "fifths by local dimension, 1 easiest" },
    { "contrast_quintile", "fifths by relative contrast, 1 easiest" },
};

const char *figure_label(const char *column)
{
    const struct metric_ops *metric = metric_find(column);
    if (metric) return metric->label;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (strcmp(labels[i][0], column) == 0) return labels[i][1];
    return column;
}

/* "recall_strict_lo", "lat_p50_lo_us": the column of an end, or TABLE_NONE. */
static int end_column(const struct table *t, const char *column, const char *end)
{
    const char *unit = strrchr(column, '_');
    char name[96];
    snprintf(name, sizeof name, "%s_%s", column, end);
    const int found = table_column(t, name);
    if (found >= 0 || !unit) return found;
    snprintf(name, sizeof name, "%.*s_%s%s", (int)(unit - column), column, end, unit);
    return table_column(t, name);
}

static struct value value_of(const struct table *t, size_t row, const char *column)
{
    return (struct value){ table_number(t, row, table_column(t, column)),
                           table_number(t, row, end_column(t, column, "lo")),
                           table_number(t, row, end_column(t, column, "hi")) };
}

static int in_table(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0) return 1;
    return 0;
}

/* `name` is one of the names in "a,b|c". */
int figure_in_list(const char *list, const char *name)
{
    const size_t size = strlen(name);
    for (const char *at = list; at && *at; at += strspn(at, ",|")) {
        const size_t one = strcspn(at, ",|");
        if (one == size && memcmp(at, name, size) == 0) return 1;
        at += one;
    }
    return 0;
}

int figure_is_callers(const char *name) { return figure_in_list("rerank,churn_pct,churn_built", name); }

/* Parameters stand behind the last fixed column of a row; other tables have none.  A seed is asked for, but nothing to
 * tell points apart by: rows of other seeds are one point. */
int figure_is_setting(const struct table *t, size_t column)
{
    if (strcmp(t->names[column], "seed") == 0) return 0;
    const int last_fixed = table_column(t, "steal_ms");
    const enum column_role role = column_role(t->names[column]);
    return role == COLUMN_SETTING || (role == COLUMN_OTHER && last_fixed >= 0 && (int)column > last_fixed);
}

/* --- which rows, which columns ---------------------------------------------------------------- */

static int usable(const struct table *t, size_t row)
{
    const int status = table_column(t, "status");
    const char *text = table_text(t, row, status);
    return !*text || strcmp(text, "ok") == 0;
}

/* The first of "a|b" that has a value in the selected rows. */
static const char *resolve(const struct table *t, const struct selection *s, const char *wanted)
{
    while (wanted && *wanted) {
        const size_t size = strcspn(wanted, "|");
        for (size_t c = 0; c < t->columns; c++) {
            if (strlen(t->names[c]) != size || memcmp(t->names[c], wanted, size) != 0) continue;
            for (size_t i = 0; i < s->count; i++)
                if (isfinite(table_number(t, s->rows[i], (int)c))) return t->names[c];
        }
        wanted += size + (wanted[size] == '|');
    }
    return NULL;
}

/* Leaves rows that have a number in a column. */
static void keep_where(const struct table *t, struct selection *s, const char *column)
{
    const int c = table_column(t, column);
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (isfinite(table_number(t, s->rows[i], c))) s->rows[kept++] = s->rows[i];
    s->count = kept;
}

/* Leaves rows that have no number in any column of the list. */
static void keep_without(const struct table *t, struct selection *s, const char *list)
{
    for (size_t c = 0; c < t->columns; c++) {
        size_t kept = 0;
        if (!figure_in_list(list, t->names[c])) continue;
        for (size_t i = 0; i < s->count; i++)
            if (!isfinite(table_number(t, s->rows[i], (int)c))) s->rows[kept++] = s->rows[i];
        s->count = kept;
    }
}

static void keep_zero(const struct table *t, struct selection *s, const char *column)
{
    const int c = table_column(t, column);
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (!(table_number(t, s->rows[i], c) > 0)) s->rows[kept++] = s->rows[i];
    s->count = kept;
}

/* The commonest value of a column: in a sweep of one axis at a time, the default. */
const char *figure_usual_value(const struct table *t, const struct selection *s, int column)
{
    const char *best = "";
    size_t best_count = 0;
    for (size_t i = 0; i < s->count; i++) {
        const char *value = table_text(t, s->rows[i], column);
        size_t count = 0;
        for (size_t j = 0; j < s->count; j++)
            count += strcmp(value, table_text(t, s->rows[j], column)) == 0;
        if (count > best_count) best = value, best_count = count;
    }
    return best;
}

/* Some index spec says "name=", and so the column for it: it would be told twice. */
static int in_specs(const struct table *t, const struct selection *s, const char *name)
{
    const int index = table_column(t, "index");
    const size_t size = strlen(name);
    for (size_t i = 0; i < s->count; i++)
        for (const char *at = table_text(t, s->rows[i], index); (at = strstr(at, name)); at += size)
            if (at[size] == '=' && strchr(",:(", at[-1])) return 1;
    return 0;
}

/* A method is an index and whether its best are scored exactly, whatever the parameters. */
static int names_method(const char *name) { return strcmp(name, "index") == 0 || strcmp(name, "rerank") == 0; }

/* A setting that tells series of this kind apart, and not just another name for its x. */
static int tells_apart(const struct view *v, const struct selection *s, size_t column)
{
    const char *name = v->t->names[column];
    if (v->k->by) return figure_in_list(v->k->by, name);
    if (v->k->levels) return names_method(name) || (figure_is_across_sets(v->k) && strcmp(name, "dataset") == 0);
    if (v->k->method && strcmp(name, "rerank") == 0) return 1;
    if (!figure_is_setting(v->t, column) || figure_in_list(v->k->along, name) || figure_in_list(v->k->x, name)) return 0;
    if (figure_in_list(v->k->across, name)) return 0;
    /* The canonical spec of an index says all its parameters; these are the caller's. */
    if (!v->pipeline && column_role(name) != COLUMN_SETTING && !figure_is_callers(name)) return 0;
    if (!v->k->timed && (in_table(split_timed + 1, name) || strcmp(name, "kernel_asked") == 0))
        return 0;
    return !in_specs(v->t, s, name);
}

/* Rows whose settings are usual but for at most `most` of them (the axes of the figure aside). */
static void keep_usual(const struct view *v, struct selection *s, size_t most)
{
    const struct table *t = v->t;
    unsigned char *odd = mem_zero(s->count, 1);
    if (!odd) return;
    for (size_t c = 0; c < t->columns; c++) {
        const char *name = t->names[c];
        if (!figure_is_setting(t, c) || figure_in_list(v->k->x, name) || figure_in_list(v->k->by, name) ||
            strcmp(name, "index") == 0)
            continue;
        const char *usual = figure_usual_value(t, s, (int)c);
        for (size_t i = 0; i < s->count; i++)
            odd[i] += odd[i] < 255 && strcmp(table_text(t, s->rows[i], (int)c), usual) != 0;
    }
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (odd[i] <= most) s->rows[kept++] = s->rows[i];
    s->count = kept;
    mem_free(odd);
}

/* --- series --------------------------------------------------------------------------------------- */

static struct series *find_series(struct figure *f, const char *key)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(text_of(&f->series[i].key), key) == 0) return &f->series[i];
    struct series *grown = mem_grow(f->series, f->count, f->count + 1, sizeof *grown);
    if (!grown) return NULL;
    f->series = grown;
    struct series *made = &f->series[f->count++];
    text_add(&made->key, "%s", key);
    return made->key.failed ? NULL : made;
}

int series_add_point(struct series *s, struct figure_point p)
{
    struct figure_point *grown = mem_grow(s->points, s->count, s->count + 1, sizeof p);
    if (!grown) return 0;
    s->points = grown;
    s->points[s->count++] = p;
    return 1;
}

/* A sum, of settings that have a value, so that neither columns of other rows nor their order count. */
uint64_t figure_point_id(const struct table *t, size_t row)
{
    uint64_t id = 0;
    if (!*table_text(t, row, table_column(t, "point_id"))) return 0;
    for (size_t c = 0; c < t->columns; c++) {
        const char *name = t->names[c], *value = table_text(t, row, (int)c);
        if (!*value || (!figure_is_setting(t, c) && strcmp(name, "data") != 0)) continue;
        id += hash64(hash64(0, name, strlen(name) + 1), value, strlen(value));
    }
    return id ? id : 1;
}

static double bits_of(const struct table *t, size_t row)
{
    const double width = table_number(t, row, table_column(t, "bit_width"));
    return isfinite(width) ? width : table_number(t, row, table_column(t, "bits"));
}

static struct figure_point point_of(const struct table *t, const struct figure *f, size_t row)
{
    const struct value none = { (double)NAN, (double)NAN, (double)NAN };
    const char *x = f->x ? f->x : f->kind->total;
    struct figure_point p = { .x = x ? value_of(t, row, x) : none,
                              .id = figure_point_id(t, row),
                              .seed = table_text(t, row, table_column(t, "seed")),
                              .bits = bits_of(t, row),
                              .row = row };
    for (size_t y = 0; y < FIGURE_PANELS; y++) p.y[y] = y < f->y_count ? value_of(t, row, f->y[y]) : none;
    return p;
}

static int collect(const struct view *v, struct figure *f, const struct selection *s, struct err *e)
{
    const struct table *t = v->t;
    struct text key = { 0 };
    int ok = 1;
    for (size_t i = 0; ok && i < s->count; i++) {
        const size_t row = s->rows[i];
        text_clear(&key);
        for (size_t c = 0; c < t->columns; c++) {
            if (!v->apart[c]) continue;
            figure_add_value(&key, v, t->names[c], table_text(t, row, (int)c));
            text_add(&key, "\n");
        }
        struct series *series = find_series(f, text_of(&key));
        ok = !key.failed && series && series_add_point(series, point_of(t, f, row));
        if (ok && series->count == 1) {
            series->row = row;
            series->mark = figure_mark_of(t, row);
        }
    }
    text_free(&key);
    return ok ? ERR_OK : FAIL(e, ERR_MEM, "figure %s: out of memory", v->k->name);
}

void series_free(struct series *s)
{
    text_free(&s->key);
    text_free(&s->label);
    mem_free(s->points);
}

/* --- figures -------------------------------------------------------------------------------------- */

static int splits(const struct figure_kind *k, const char *name)
{
    if (figure_in_list(k->across, name)) return 0;
    return in_table(split_always, name) || (k->timed && in_table(split_timed, name));
}

static int same_figure(const struct table *t, const struct figure_kind *k, size_t a, size_t b)
{
    for (size_t c = 0; c < t->columns; c++)
        if (splits(k, t->names[c]) &&
            strcmp(table_text(t, a, (int)c), table_text(t, b, (int)c)) != 0)
            return 0;
    return 1;
}

static void figure_free(struct figure *f)
{
    for (size_t i = 0; i < f->count; i++) series_free(&f->series[i]);
    mem_free(f->series);
    text_free(&f->name);
    text_free(&f->title);
    text_free(&f->under);
}

static int several(const struct table *t, const struct selection *s, const char *column)
{
    const int c = table_column(t, column);
    for (size_t i = 1; i < s->count; i++)
        if (strcmp(table_text(t, s->rows[i], c), table_text(t, s->rows[0], c)) != 0) return 1;
    return 0;
}

/* Fills *f from the rows; f->count stays 0 where they have nothing to show. */
static int build(const struct table *t, struct figure *f, struct selection *s, struct err *e)
{
    const struct figure_kind *k = f->kind;
    const size_t first_row = s->rows[0];
    if (k->without) keep_without(t, s, k->without);
    if (k->zero) keep_zero(t, s, k->zero);
    f->x = k->x ? resolve(t, s, k->x) : NULL;
    for (size_t y = 0; y < FIGURE_PANELS && k->y[y]; y++) {
        const char *column = resolve(t, s, k->y[y]);
        if (column) f->y[f->y_count++] = column;
    }
    const char *needed = resolve(t, s, k->needs ? k->needs : k->y[0]);
    if (!needed || (k->x && !f->x)) return ERR_OK;
    if (f->x) keep_where(t, s, f->x);
    keep_where(t, s, needed);
    if (figure_is_across_sets(k) && !several(t, s, "dataset")) return ERR_OK;
    struct view v = { t, k, f->x, resolve(t, s, "bit_width") != NULL, mem_zero(t->columns, 1) };
    if (!v.apart) return FAIL(e, ERR_MEM, "figure %s: out of memory", k->name);
    for (size_t c = 0; c < t->columns; c++) v.apart[c] = (char)tells_apart(&v, s, c);
    if (!k->x || k->by) keep_usual(&v, s, k->by ? 0 : 1);
    int status = collect(&v, f, s, e);
    if (status == ERR_OK) status = figure_tidy(f, s->count, e);
    if (status == ERR_OK) status = figure_label_series(&v, f, s, e);
    if (status == ERR_OK && k->front && f->count) status = figure_add_front(f, e);
    figure_name(t, f, first_row, splits);
    if (status == ERR_OK && (f->name.failed || f->title.failed)) status = FAIL(e, ERR_MEM, "figure %s: out of memory", k->name);
    mem_free(v.apart);
    return status;
}

int figures_each(const struct table *t, const struct figure_kind *kind,
                 int (*each)(struct figure *f, void *context, struct err *e), void *context,
                 struct err *e)
{
    unsigned char *done = mem_zero(t->count, 1);
    size_t *rows = mem_alloc(t->count, sizeof *rows);
    int status = done && rows ? ERR_OK : FAIL(e, ERR_MEM, "figure %s: out of memory", kind->name);
    for (size_t first = 0; status == ERR_OK && first < t->count; first++) {
        if (done[first] || !usable(t, first)) continue;
        struct selection s = { rows, 0 };
        for (size_t r = first; r < t->count; r++)
            if (!done[r] && usable(t, r) && same_figure(t, kind, first, r)) {
                done[r] = 1;
                s.rows[s.count++] = r;
            }
        struct figure f = { .kind = kind, .table = t };
        status = build(t, &f, &s, e);
        size_t ours = 0;
        for (size_t i = 0; i < f.count; i++) ours += f.series[i].mark != SERIES_FOREIGN;
        if (status == ERR_OK && ours > (kind->by != NULL)) status = each(&f, context, e);
        figure_free(&f);
    }
    mem_free(done);
    mem_free(rows);
    return status;
}

size_t figure_axes(const struct table *t, const char **names, size_t room)
{
    size_t count = 0;
    for (size_t c = 0; c < t->columns; c++) {
        if (!figure_is_setting(t, c) || splits(&(struct figure_kind){ .timed = 1 }, t->names[c])) continue;
        double least = INFINITY, most = -INFINITY;
        int numbers = 1;
        for (size_t r = 0; r < t->count; r++) {
            const double value = table_number(t, r, (int)c);
            numbers &= isfinite(value) || !*table_text(t, r, (int)c);
            least = fmin(least, value);
            most = fmax(most, value);
        }
        if (numbers && least < most && count < room) names[count++] = t->names[c];
    }
    return count;
}
