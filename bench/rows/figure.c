/* SPDX-License-Identifier: MIT
 * figure.c - turns a table of results into the series of one figure. */
#define _GNU_SOURCE /* strverscmp */
#include "bench/rows/figure.h"
#include "bench/quality/metric.h"
#include "bench/rows/row.h"
#include "bench/time/stats.h"
#include "index/index.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows that differ in one of these go into figures of their own; the second list, where time is drawn. */
static const char *const split_always[] = { "dataset", "k", NULL };
static const char *const split_timed[] = { "machine", "threads", "batch", NULL };

/* The machine of numbers that were published or taken down elsewhere: quality only, never time. */
#define RECORDED "recorded"
#define EXTERNAL "ids:" /* how the index of another program's answers begins */

/* Of columns that are no metrics; those bring their own. */
static const char *const labels[][2] = {
    { "lat_p50_us", "latency p50 (us)" },
    { "lat_p99_us", "latency p99 (us)" },
    { "n", "base vectors" },
    { "churn_pct", "rows removed, added and replaced (% of those at the start, each)" },
    { "t_add_us", "to add a row (us)" },
    { "t_remove_us", "to remove a row (us)" },
    { "t_replace_us", "to replace a row (us)" },
    { "qps", "queries a second" },
    { "ns_per_vector", "time per vector (ns)" },
    { "bytes_per_vector", "bytes per vector, what is held once shared by all" },
    { "ours", "distortion E |x - decoded x|^2 of unit vectors" },
    { "bits", "bits per dimension" },
    { "bit_width", "bits per dimension (bit_width)" },
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
static int in_list(const char *list, const char *name)
{
    const size_t size = strlen(name);
    for (const char *at = list; at && *at; at += strspn(at, ",|")) {
        const size_t one = strcspn(at, ",|");
        if (one == size && memcmp(at, name, size) == 0) return 1;
        at += one;
    }
    return 0;
}

int figure_is_callers(const char *name) { return in_list("rerank,churn_pct,churn_built", name); }

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

struct selection { /* the rows of one figure */
    size_t *rows, count;
};

/* What a figure makes of a table. */
struct view {
    const struct table *t;
    const struct figure_kind *k;
    const char *x;
    int pipeline; /* bits are called bit_width, and the index spec repeats them */
    char *apart;  /* of each column: it tells series apart */
};

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

/* Leaves rows that have a number in a column, or (has 0) that have none. */
static void keep_where(const struct table *t, struct selection *s, const char *column, int has)
{
    const int c = table_column(t, column);
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (isfinite(table_number(t, s->rows[i], c)) == has) s->rows[kept++] = s->rows[i];
    s->count = kept;
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
static const char *usual_value(const struct table *t, const struct selection *s, int column)
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
    if (v->k->by) return in_list(v->k->by, name);
    if (v->k->levels) return names_method(name);
    if (!figure_is_setting(v->t, column) || in_list(v->k->along, name) || in_list(v->k->x, name)) return 0;
    if (in_list(v->k->across, name)) return 0;
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
        if (!figure_is_setting(t, c) || in_list(v->k->x, name) || in_list(v->k->by, name) ||
            strcmp(name, "index") == 0)
            continue;
        const char *usual = usual_value(t, s, (int)c);
        for (size_t i = 0; i < s->count; i++)
            odd[i] += odd[i] < 255 && strcmp(table_text(t, s->rows[i], (int)c), usual) != 0;
    }
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (odd[i] <= most) s->rows[kept++] = s->rows[i];
    s->count = kept;
    mem_free(odd);
}

/* --- series
 * --------------------------------------------------------------------------------------- */

/* Another program's answers are called by the file, without its folders. */
static void add_external(struct text *out, const char *value)
{
    value += strcspn(value, "=:") + 1;
    if (strncmp(value, "file=", 5) == 0) value += 5;
    const size_t size = strcspn(value, ",");
    size_t name = size;
    while (name > 0 && value[name - 1] != '/') name--;
    text_add(out, "%.*s (external)", (int)(size - name), value + name);
}

/* "ivf:nlist=9,inner=(rabitq:bits=8)" is ivf(rabitq); of a peer all but what follows ';' is its name. */
static void add_method(struct text *out, const char *name, const char *value)
{
    static const char inner[] = "inner=(", peer[] = "peer:lib=";
    if (strcmp(name, "rerank") == 0) {
        text_add(out, "%s", *value && strcmp(value, "0") != 0 ? " + exact rerank" : "");
        return;
    }
    if (strncmp(value, EXTERNAL, strlen(EXTERNAL)) == 0) {
        add_external(out, value);
        return;
    }
    if (strncmp(value, peer, strlen(peer)) == 0) {
        value += strlen(peer);
        const size_t library = strcspn(value, ":");
        const int is_factory = value[library] && !strchr(value, '=') ? 1 : strchr(value, ';') != NULL;
        text_add(out, "%.*s%s", (int)(is_factory ? strcspn(value, ";") : library), value,
                 is_factory && strchr(value, ';') ? ")" : "");
        return;
    }
    char index[64];
    snprintf(index, sizeof index, "%.*s", (int)strcspn(value, ":"), value);
    text_add(out, "%s", index);
    const struct index_ops *ops = index_find(index);
    const struct param *p = ops ? param_find(ops->params, "inner") : NULL;
    const char *at = strstr(value, inner);
    if (at || p) at = at ? at + strlen(inner) : p->usual;
    if (at) text_add(out, "(%.*s)", (int)strcspn(at, ":,)"), at);
}

/* A setting as it tells series apart: an index spec loses the parameters that vary along the line.
 */
static void add_value(struct text *out, const struct view *v, const char *name, const char *value)
{
    if (v->k->levels) {
        add_method(out, name, value);
        return;
    }
    if (strcmp(name, "index") != 0) {
        text_add(out, "%s", value);
        return;
    }
    if (strncmp(value, "peer:lib=", 9) == 0) value += 9;
    if (strncmp(value, EXTERNAL, strlen(EXTERNAL)) == 0) {
        add_external(out, value);
        return;
    }
    const size_t before = out->size;
    for (const char *at = value; *at;) { /* pieces end at , ( ) : and keep their end */
        const size_t size = strcspn(at, ",():"), key = strcspn(at, "=");
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)(key < size ? key : 0), at);
        const int varies = *word && (in_list(v->k->along, word) || in_list(v->k->x, word) ||
                                     (v->pipeline && strcmp(word, "bits") == 0));
        const size_t whole = size + (at[size] != 0);
        if (!varies) text_add_bytes(out, at, whole);
        if (varies &&
            at[size] != ',') { /* the last of its list: so is the comma or colon before it */
            while (out->size && strchr(",:", out->at[out->size - 1])) out->at[--out->size] = 0;
            text_add_bytes(out, at + size, whole - size);
        }
        at += whole;
    }
    if (out->size > before + 3 && memcmp(out->at + out->size - 3, ":()", 3) == 0) out->at[out->size -= 3] = 0;
}

/* A library that was built for any CPU: its recall is right, its speed is an artefact. */
static int is_generic(const struct table *t, size_t row)
{
    return strstr(table_text(t, row, table_column(t, "kernel_used")), "peer_isa=generic") != NULL;
}

static enum series_mark mark_of(const struct table *t, size_t row)
{
    const char *index = table_text(t, row, table_column(t, "index"));
    const int recorded = strcmp(table_text(t, row, table_column(t, "machine")), RECORDED) == 0;
    return recorded || strncmp(index, EXTERNAL, strlen(EXTERNAL)) == 0 || is_generic(t, row) ? SERIES_FOREIGN
                                                                            : SERIES_OURS;
}

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

static int add_point(struct series *s, struct figure_point p)
{
    struct figure_point *grown = mem_grow(s->points, s->count, s->count + 1, sizeof p);
    if (!grown) return 0;
    s->points = grown;
    s->points[s->count++] = p;
    return 1;
}

/* Which settings differ among our series: they make the labels.  -1: no memory to know. */
static int differs(const struct view *v, const struct figure *f, size_t c)
{
    struct text first = { 0 }, other = { 0 };
    int found = 0;
    for (size_t i = 0; i < f->count && found == 0 && f->series[i].mark == SERIES_OURS; i++) {
        struct text *to = i ? &other : &first;
        text_clear(to);
        add_value(to, v, v->t->names[c], table_text(v->t, f->series[i].row, (int)c));
        found = to->failed ? -1 : i && strcmp(text_of(&first), text_of(&other)) != 0;
    }
    text_free(&first);
    text_free(&other);
    return found;
}

static void add_label(struct series *series, const struct view *v, const struct selection *s,
                      const char *differing)
{
    const struct table *t = v->t;
    const int bars = !v->k->x;
    struct text *label = &series->label;
    for (size_t c = 0; v->k->levels && c < t->columns; c++)
        if (v->apart[c]) add_value(label, v, t->names[c], table_text(t, series->row, (int)c));
    for (size_t c = 0; c < t->columns; c++) {
        if (!differing[c] || series->mark != SERIES_OURS || v->k->levels) continue;
        const char *name = t->names[c], *value = table_text(t, series->row, (int)c);
        if (bars && strcmp(value, usual_value(t, s, (int)c)) == 0)
            continue; /* bars: what is unusual */
        if (!*value) continue;
        if (label->size) text_add(label, "  ");
        if (strcmp(name, "index") != 0) text_add(label, "%s=", name);
        add_value(label, v, name, value);
    }
    if (label->size == 0) {
        const char *index = table_text(t, series->row, table_column(t, "index"));
        if (*index && !bars)
            add_value(label, v, "index", index);
        else
            text_add(label, "defaults");
    }
    if (strcmp(table_text(t, series->row, table_column(t, "machine")), RECORDED) == 0)
        text_add(label, " (" RECORDED ")");
    if (is_generic(t, series->row)) text_add(label, " (generic build)");
}

static int by_label(const void *a, const void *b)
{
    const struct series *p = a, *q = b;
    if (p->mark != q->mark) return (int)p->mark - (int)q->mark;
    const char *s = text_of(&p->label), *t = text_of(&q->label);
    return strcmp(s, t) == 0            ? 0
           : strcmp(s, "defaults") == 0 ? -1
           : strcmp(t, "defaults") == 0 ? 1
                                        : strverscmp(s, t);
}

static int by_mark(const void *a, const void *b)
{
    const struct series *p = a, *q = b;
    return p->mark != q->mark ? (int)p->mark - (int)q->mark : (p->row > q->row) - (p->row < q->row);
}

/* The fastest first, by what the lowest level allows. */
static int by_level(const void *a, const void *b)
{
    const struct series *p = a, *q = b;
    const double x = p->points[0].y[0].at, y = q->points[0].y[0].at;
    return (x < y) - (x > y);
}

static int label_series(const struct view *v, struct figure *f, const struct selection *s,
                        struct err *e)
{
    char *differing = mem_zero(v->t->columns, 1);
    int ok = differing != NULL;
    qsort(f->series, f->count, sizeof *f->series, by_mark);
    for (size_t c = 0; ok && c < v->t->columns; c++) {
        const int beside_others = strcmp(v->t->names[c], "index") == 0 && f->count &&
                                  f->series[f->count - 1].mark == SERIES_FOREIGN;
        const int found = !v->apart[c] ? 0 : beside_others ? 1 : differs(v, f, c);
        differing[c] = (char)(found > 0);
        ok = found >= 0;
    }
    for (size_t i = 0; ok && i < f->count; i++) {
        add_label(&f->series[i], v, s, differing);
        ok = !f->series[i].label.failed;
    }
    mem_free(differing);
    qsort(f->series, f->count, sizeof *f->series, v->k->levels ? by_level : by_label);
    return ok ? ERR_OK : FAIL(e, ERR_MEM, "figure %s: out of memory", v->k->name);
}

uint64_t figure_point_id(const struct table *t, size_t row)
{
    uint64_t id = 0;
    if (!*table_text(t, row, table_column(t, "point_id"))) return 0;
    for (size_t c = 0; c < t->columns; c++) {
        if (!figure_is_setting(t, c) && strcmp(t->names[c], "data") != 0) continue;
        const char *value = table_text(t, row, (int)c);
        id = hash64(id, value, strlen(value) + 1);
    }
    return id ? id : 1;
}

static struct figure_point point_of(const struct table *t, const struct figure *f, size_t row)
{
    const struct value none = { (double)NAN, (double)NAN, (double)NAN };
    const char *x = f->x ? f->x : f->kind->total;
    struct figure_point p = { .x = x ? value_of(t, row, x) : none,
                              .id = figure_point_id(t, row),
                              .seed = table_text(t, row, table_column(t, "seed")) };
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
            add_value(&key, v, t->names[c], table_text(t, row, (int)c));
            text_add(&key, "\n");
        }
        struct series *series = find_series(f, text_of(&key));
        ok = !key.failed && series && add_point(series, point_of(t, f, row));
        if (ok && series->count == 1) {
            series->row = row;
            series->mark = mark_of(t, row);
        }
    }
    text_free(&key);
    return ok ? ERR_OK : FAIL(e, ERR_MEM, "figure %s: out of memory", v->k->name);
}

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

static void series_free(struct series *s)
{
    text_free(&s->key);
    text_free(&s->label);
    mem_free(s->points);
}

static int by_x_then_cost(const void *a, const void *b)
{
    const struct figure_point *p = a, *q = b;
    const int order = by_x(a, b);
    return order ? order : by_number(&q->y[0].at, &p->y[0].at);
}

/* Those that no other beats in x (high) or y (low) without losing in the other: from the highest x down, and of equal x
 * from the cheapest up, each must be cheaper than all before. */
static void keep_front(struct series *s)
{
    qsort(s->points, s->count, sizeof *s->points, by_x_then_cost);
    double lowest = INFINITY;
    size_t kept = s->count;
    for (size_t i = s->count; i-- > 0;)
        if (s->points[i].y[0].at < lowest) {
            lowest = s->points[i].y[0].at;
            s->points[--kept] = s->points[i];
        }
    memmove(s->points, s->points + kept, (s->count - kept) * sizeof *s->points);
    s->count -= kept;
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
        if (!add_point(&taken, p)) return 0;
    }
    mem_free(s->points);
    s->points = taken.points;
    s->count = reached ? taken.count : 0;
    return 1;
}

static int tidy(struct figure *f, size_t rows, struct err *e)
{
    double *room = mem_alloc(2 * rows, sizeof *room);
    if (!room) return FAIL(e, ERR_MEM, "figure %s: out of memory", f->kind->name);
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        /* Where x is measured, repetitions of a point have different x. */
        merge_points(&f->series[i], f->kind->along ? by_id : by_x, room);
        if (f->kind->front) keep_front(&f->series[i]);
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
static int add_front(struct figure *f, struct err *e)
{
    struct series front = { .mark = SERIES_FRONT };
    size_t total = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (f->series[i].mark != SERIES_OURS) continue;
        for (size_t j = 0; j < f->series[i].count; j++, total++)
            if (!add_point(&front, f->series[i].points[j])) goto out_of_memory;
    }
    if (total < 2) {
        series_free(&front);
        return ERR_OK;
    }
    keep_front(&front);
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

/* --- figures
 * ------------------------------------------------------------------------------------------ */

static int splits(const struct figure_kind *k, const char *name)
{
    if (in_list(k->across, name)) return 0;
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

/* "wordnet/kb.sqlite" is called wordnet, unless another file of that folder is in the table. */
static size_t short_dataset(const struct table *t, int column, const char *value)
{
    const size_t folder = strcspn(value, "/");
    for (size_t r = 0; r < t->count; r++) {
        const char *other = table_text(t, r, column);
        if (strcspn(other, "/") == folder && memcmp(other, value, folder) == 0 &&
            strcmp(other, value) != 0)
            return strlen(value);
    }
    return folder;
}

/* The file's name carries what other figures of the same kind have otherwise; the title says it
 * all. */
static void name_figure(const struct table *t, struct figure *f, size_t row)
{
    text_add(&f->name, "%s", f->kind->name);
    for (size_t c = 0; c < t->columns; c++) {
        const char *name = t->names[c], *value = table_text(t, row, (int)c);
        if (!splits(f->kind, name) || !*value) continue;
        const int is_dataset = strcmp(name, "dataset") == 0;
        int several = 0;
        for (size_t r = 0; r < t->count; r++) {
            const char *other = table_text(t, r, (int)c);
            several |= *other && strcmp(other, value) != 0 && strcmp(other, RECORDED) != 0;
        }
        const size_t size = is_dataset ? short_dataset(t, (int)c, value) : strlen(value);
        if (several) text_add(&f->name, "_%s%.*s", is_dataset ? "" : name, (int)size, value);
        if (!several && strcmp(name, "machine") == 0) continue;
        text_add(&f->title, "%s%s%s", f->title.size ? ", " : "", is_dataset ? "" : name,
                 is_dataset ? "" : " ");
        text_add(&f->title, "%s", value);
    }
    for (size_t i = 0; i < f->name.size; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
                    f->name.at[i]))
            f->name.at[i] = '_'; /* what gnuplot takes as the name of an SVG */
}

static void figure_free(struct figure *f)
{
    for (size_t i = 0; i < f->count; i++) series_free(&f->series[i]);
    mem_free(f->series);
    text_free(&f->name);
    text_free(&f->title);
}

/* Fills *f from the rows; f->count stays 0 where they have nothing to show. */
static int build(const struct table *t, struct figure *f, struct selection *s, struct err *e)
{
    const struct figure_kind *k = f->kind;
    const size_t first_row = s->rows[0];
    if (k->without) keep_where(t, s, k->without, 0);
    if (k->zero) keep_zero(t, s, k->zero);
    f->x = k->x ? resolve(t, s, k->x) : NULL;
    for (size_t y = 0; y < FIGURE_PANELS && k->y[y]; y++) {
        const char *column = resolve(t, s, k->y[y]);
        if (column) f->y[f->y_count++] = column;
    }
    const char *needed = resolve(t, s, k->needs ? k->needs : k->y[0]);
    if (!needed || (k->x && !f->x)) return ERR_OK;
    if (f->x) keep_where(t, s, f->x, 1);
    keep_where(t, s, needed, 1);
    struct view v = { t, k, f->x, resolve(t, s, "bit_width") != NULL, mem_zero(t->columns, 1) };
    if (!v.apart) return FAIL(e, ERR_MEM, "figure %s: out of memory", k->name);
    for (size_t c = 0; c < t->columns; c++) v.apart[c] = (char)tells_apart(&v, s, c);
    if (!k->x || k->by) keep_usual(&v, s, k->by ? 0 : 1);
    int status = collect(&v, f, s, e);
    if (status == ERR_OK) status = tidy(f, s->count, e);
    if (status == ERR_OK) status = label_series(&v, f, s, e);
    if (status == ERR_OK && k->front && f->count) status = add_front(f, e);
    name_figure(t, f, first_row);
    if (status == ERR_OK && (f->name.failed || f->title.failed)) status = FAIL(e, ERR_MEM, "figure %s: out of memory", k->name);
    mem_free(v.apart);
    return status;
}

int figures_each(const struct table *t, const struct figure_kind *kind,
                 int (*each)(const struct figure *f, void *context, struct err *e), void *context,
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
        struct figure f = { .kind = kind };
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
