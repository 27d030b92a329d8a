/* SPDX-License-Identifier: MIT
 * contrast.c - points side by side: which may be compared, which settings differ, and the tables that say so. */
#include "bench/rows/contrast.h"
#include "bench/rows/contrast_inside.h"
#include "bench/quality/metric.h"
#include "bench/rows/figure.h"
#include "bench/rows/row.h"
#include "bench/time/paired.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <string.h>

enum { METRICS_SHOWN = 3, RESAMPLES = 4000 };
static const double significant = 0.05;

/* --- files
 * ------------------------------------------------------------------------------------------- */
int contrast_add(struct contrast *c, const char *path, struct err *e)
{
    const size_t first = c->table.count;
    int status = table_append(&c->table, path, e);
    if (status == ERR_OK && table_column(&c->table, "point_id") < 0)
        status = FAIL(e, ERR_FORMAT, "%s: no file of rows (no column point_id)", path);
    if (status == ERR_OK &&
        !mem_extend(&c->sources, c->source_count, c->source_count + 1, sizeof *c->sources))
        status = FAIL(e, ERR_MEM, "%s: no memory", path);
    if (status != ERR_OK) return status;
    const char *slash = strrchr(path, '/');
    struct source *s = &c->sources[c->source_count++];
    snprintf(s->folder, sizeof s->folder, "%.*s", slash ? (int)(slash - path) : 1,
             slash ? path : ".");
    s->first = first;
    return ERR_OK;
}

void contrast_free(struct contrast *c)
{
    table_free(&c->table);
    mem_free(c->sources);
    *c = (struct contrast){ 0 };
}

const char *contrast_folder(const struct contrast *c, size_t row)
{
    size_t s = c->source_count;
    while (c->sources[s - 1].first > row) s--;
    return c->sources[s - 1].folder;
}

const char *contrast_cell(const struct contrast *c, size_t row, const char *column)
{
    return table_text(&c->table, row, table_column(&c->table, column));
}

/* --- points
 * -------------------------------------------------------------------------------------------- */

static void group_free(struct contrast_group *g)
{
    for (size_t i = 0; i < g->count; i++) {
        mem_free(g->subjects[i].rows);
        for (size_t m = 0; m < METRICS_MOST; m++) mem_free(g->subjects[i].values[m]);
    }
    mem_free(g->subjects);
    *g = (struct contrast_group){ 0 };
}

static int comparable(const struct contrast *c, size_t a, size_t b)
{
    static const char *const same[] = { "dataset", "data", "machine", "k" };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (strcmp(contrast_cell(c, a, same[i]), contrast_cell(c, b, same[i])) != 0) return 0;
    return 1;
}

static int is_ok(const struct contrast *c, size_t row)
{
    return strcmp(contrast_cell(c, row, "status"), "ok") == 0;
}

static int add_row(struct contrast_group *g, size_t row)
{
    const uint64_t id = figure_point_id(&g->c->table, row);
    size_t at = 0;
    while (at < g->count && figure_point_id(&g->c->table, g->subjects[at].rows[0]) != id) at++;
    if (at == g->count) {
        if (!mem_extend(&g->subjects, g->count, g->count + 1, sizeof *g->subjects)) return 0;
        g->count++;
    }
    struct contrast_subject *s = &g->subjects[at];
    if (!mem_extend(&s->rows, s->count, s->count + 1, sizeof *s->rows)) return 0;
    s->rows[s->count++] = row;
    return 1;
}

/* The rows that may be compared with `first`, which is the first of them.  0: no memory. */
static int group_init(struct contrast_group *g, const struct contrast *c, size_t first)
{
    *g = (struct contrast_group){ .c = c };
    for (size_t r = first; r < c->table.count; r++)
        if (is_ok(c, r) && comparable(c, first, r) && !add_row(g, r)) return 0;
    return 1;
}

/* The first row of the next group, from `from` on; the table's count: none. */
static size_t next_group(const struct contrast *c, size_t from)
{
    for (size_t r = from; r < c->table.count; r++) {
        size_t before = 0;
        while (before < r && !(is_ok(c, before) && comparable(c, before, r))) before++;
        if (is_ok(c, r) && before == r) return r;
    }
    return c->table.count;
}

/* Mean over the rows of a point; NaN: none has a number. */
static double number_of(const struct contrast_group *g, const struct contrast_subject *s, const char *column)
{
    double sum = 0;
    size_t have = 0;
    for (size_t i = 0; i < s->count; i++) {
        const double value =
            table_number(&g->c->table, s->rows[i], table_column(&g->c->table, column));
        if (isfinite(value)) sum += value, have++;
    }
    return have ? sum / (double)have : (double)NAN;
}

/* --- metrics
 * ------------------------------------------------------------------------------------------- */
static int has_values(const struct contrast_group *g, const char *metric)
{
    for (size_t i = 0; i < g->count; i++)
        if (isfinite(number_of(g, &g->subjects[i], metric))) return 1;
    return 0;
}

static int asked_metrics(struct contrast_group *g, const char *columns, struct err *e)
{
    while (*columns) {
        char name[64];
        const size_t size = strcspn(columns, ",");
        snprintf(name, sizeof name, "%.*s", (int)size, columns);
        const struct metric_ops *metric = metric_find(name);
        if (!metric || !has_values(g, name))
            return FAIL(e, ERR_ARG, "--columns %s: %s", name,
                        metric ? "no row has a value of it" : "no such metric");
        if (g->metric_count == METRICS_MOST)
            return FAIL(e, ERR_ARG, "--columns: more than %d", METRICS_MOST);
        g->metrics[g->metric_count++] = metric->name;
        columns += size + (columns[size] == ',');
    }
    return ERR_OK;
}

static int choose_metrics(struct contrast_group *g, const char *columns, struct err *e)
{
    static const char *const usual[] = { "label_ndcg_at_10", "label_recall_at_10", "agree_at_10",
                                         "recall_strict", NULL };
    if (columns) return asked_metrics(g, columns, e);
    for (size_t i = 0; usual[i] && g->metric_count < METRICS_SHOWN; i++)
        if (has_values(g, usual[i])) g->metrics[g->metric_count++] = usual[i];
    return ERR_OK;
}

/* --- settings
 * -------------------------------------------------------------------------------------------- */
static int differ_in(const struct contrast_group *g, size_t column, size_t a, size_t b)
{
    const struct table *t = &g->c->table;
    return strcmp(table_text(t, g->subjects[a].rows[0], (int)column),
                  table_text(t, g->subjects[b].rows[0], (int)column)) != 0;
}

/* An index spec tells its parameters again, which a pipeline has as settings of its own: 1 where
 * some other setting that differs, too, says what the spec says.  A plain index is its spec, and
 * its parameters are not settings beside it. */
static int is_pipeline(const struct contrast_group *g)
{
    return has_values(g, "agree_at_10") || has_values(g, "t_score_us");
}

static int counts_as_setting(const struct contrast_group *g, size_t column)
{
    const struct table *t = &g->c->table;
    const char *name = t->names[column];
    if (!figure_is_setting(t, column)) return 0;
    if (is_pipeline(g)) return strcmp(name, "index") != 0 || table_column(t, "bit_width") < 0;
    return column_role(name) == COLUMN_SETTING || figure_is_callers(name);
}

/* How many settings two points differ in; *which is one of them. */
static size_t settings_apart(const struct contrast_group *g, size_t a, size_t b, size_t *which)
{
    size_t count = 0;
    for (size_t c = 0; c < g->c->table.columns; c++)
        if (counts_as_setting(g, c) && differ_in(g, c, a, b)) *which = c, count++;
    return count;
}

static void add_setting(const struct contrast_group *g, size_t subject, size_t column, struct text *out)
{
    const struct table *t = &g->c->table;
    const char *name = t->names[column],
               *value = table_text(t, g->subjects[subject].rows[0], (int)column);
    if (out->size) text_add(out, " ");
    if (strcmp(name, "index") != 0) text_add(out, "%s=", name);
    text_add(out, "%s", *value ? value : "-");
}

/* All settings that differ among the points of the group. */
static void describe(const struct contrast_group *g, size_t subject, struct text *out)
{
    for (size_t c = 0; c < g->c->table.columns; c++) {
        int differs = 0;
        for (size_t i = 1; i < g->count && !differs; i++)
            differs = counts_as_setting(g, c) && differ_in(g, c, 0, i);
        if (differs) add_setting(g, subject, c, out);
    }
    if (!out->size) text_add(out, "%s", contrast_cell(g->c, g->subjects[subject].rows[0], "index"));
}

/* The point that most others differ from in one setting alone, the first of equals; *changes: how
 * many those are. */
static size_t centre_of(const struct contrast_group *g, size_t *changes)
{
    size_t best = 0;
    *changes = 0;
    for (size_t i = 0; i < g->count; i++) {
        size_t near = 0, which;
        for (size_t j = 0; j < g->count; j++) near += settings_apart(g, i, j, &which) == 1;
        if (near > *changes) best = i, *changes = near;
    }
    return best;
}

/* --- tables
 * ---------------------------------------------------------------------------------------------- */
static void heading(const struct contrast_group *g, enum sheet_format format, struct text *out)
{
    const size_t row = g->subjects[0].rows[0];
    const char *start = format == SHEET_MARKDOWN ? "**" : format == SHEET_LATEX ? "% " : "";
    text_add(out, "%s%s, %s queries, k = %s, machine %s%s\n", start, contrast_cell(g->c, row, "dataset"),
             contrast_cell(g->c, row, "queries"), contrast_cell(g->c, row, "k"), contrast_cell(g->c, row, "machine"),
             format == SHEET_MARKDOWN ? "**\n" : "");
}

static void note(enum sheet_format format, struct text *out, const char *text)
{
    text_add(out, "%s%s\n",
             format == SHEET_LATEX      ? "% "
             : format == SHEET_MARKDOWN ? "\n"
                                        : "",
             text);
}

static void add_number(struct sheet *sheet, double value, const char *format_of)
{
    char number[32] = "";
    if (isfinite(value))
        snprintf(number, sizeof number, strcmp(format_of, "%.4f") == 0 ? "%.4f" : "%.4g", value);
    sheet_add(sheet, SHEET_NONE, "%s", number);
}

static void add_value(const struct contrast_group *g, struct sheet *sheet, const struct contrast_subject *s,
                      const char *metric, enum sheet_mark mark)
{
    char lo[64], hi[64];
    const double value = number_of(g, s, metric);
    snprintf(lo, sizeof lo, "%.50s_lo", metric);
    snprintf(hi, sizeof hi, "%.50s_hi", metric);
    const double low = number_of(g, s, lo), high = number_of(g, s, hi);
    if (!isfinite(value))
        sheet_add(sheet, mark, "%s", "");
    else if (!isfinite(low) || !isfinite(high))
        sheet_add(sheet, mark, "%.4f", value);
    else
        sheet_add(sheet, mark, "%.4f [%.4f, %.4f]", value, low, high);
}

static const char *const times[] = { "lat_p50_us", "lat_p99_us", "qps", "bytes_per_vector", NULL };

static size_t best_of(const struct contrast_group *g, const char *metric)
{
    const enum metric_better better = metric_find(metric)->better;
    size_t best = g->count;
    for (size_t i = 0; better != METRIC_NEITHER && i < g->count; i++) {
        const double value = number_of(g, &g->subjects[i], metric);
        const double most =
            best < g->count ? number_of(g, &g->subjects[best], metric) : (double)NAN;
        if (isfinite(value) && !(better == METRIC_MORE ? value <= most : value >= most)) best = i;
    }
    return best;
}

/* One column's marks: the best, and those that are not significantly worse; 0: no memory. */
static int mark_column(const struct contrast_group *g, size_t m, unsigned char *marks)
{
    const size_t best = best_of(g, g->metrics[m]);
    struct contrast_tests t;
    const int whole = contrast_tests_init(&t, g);
    if (whole && best < g->count) contrast_test_all(g, best, m, &t);
    for (size_t i = 0; whole && i < g->count; i++) {
        marks[i] = SHEET_NONE;
        if (best < g->count)
            marks[i] = i == best ? SHEET_BEST : t.p[i] >= significant ? SHEET_TIE : SHEET_NONE;
    }
    contrast_tests_free(&t);
    return whole;
}

static int print_table(struct contrast_group *g, const struct contrast_plan *plan, struct text *out)
{
    struct sheet sheet = { 0 };
    unsigned char *marks = mem_zero(g->metric_count * g->count, 1);
    int whole = marks != NULL;
    for (size_t m = 0; whole && m < g->metric_count; m++)
        whole = mark_column(g, m, marks + m * g->count);
    sheet_add(&sheet, SHEET_NONE, "point");
    for (size_t m = 0; m < g->metric_count; m++) sheet_add(&sheet, SHEET_NONE, "%s", g->metrics[m]);
    for (size_t t = 0; times[t]; t++) sheet_add(&sheet, SHEET_NONE, "%s", times[t]);
    sheet.columns = sheet.count;
    for (size_t i = 0; whole && i < g->count; i++) {
        struct text name = { 0 };
        describe(g, i, &name);
        sheet_add(&sheet, SHEET_NONE, "%s", text_of(&name));
        text_free(&name);
        for (size_t m = 0; m < g->metric_count; m++)
            add_value(g, &sheet, &g->subjects[i], g->metrics[m],
                      (enum sheet_mark)marks[m * g->count + i]);
        for (size_t t = 0; times[t]; t++)
            add_number(&sheet, number_of(g, &g->subjects[i], times[t]), "%.4g");
    }
    whole = whole && !sheet.failed;
    heading(g, plan->format, out);
    if (whole) sheet_print(&sheet, plan->format, out);
    note(plan->format, out,
         plan->format == SHEET_PLAIN
             ? "* best of its column; = not significantly worse (paired randomization test over "
               "queries, Holm over the column, 0.05)"
             : "Bold: best of its column; = not significantly worse (paired randomization test "
               "over queries, Holm over the column, 0.05).");
    mem_free(marks);
    sheet_free(&sheet);
    return whole;
}

/* One line: what changed, the metric, the difference, its p, and latency. */
static void ablation_line(const struct contrast_group *g, size_t base, size_t i, size_t m, double p,
                          double *work, struct sheet *sheet)
{
    const struct contrast_subject *s = &g->subjects[i], *b = &g->subjects[base];
    struct text name = { 0 };
    size_t which;
    settings_apart(g, base, i, &which);
    add_setting(g, i, which, &name);
    sheet_add(sheet, SHEET_NONE, "%s", text_of(&name));
    text_free(&name);
    add_value(g, sheet, s, g->metrics[m], SHEET_NONE);
    const size_t n = contrast_differences(b, s, m, g->query_count, work);
    const double apart = number_of(g, s, g->metrics[m]) - number_of(g, b, g->metrics[m]);
    if (n) {
        const struct interval d = stats_bootstrap_mean(work, n, 0.95, RESAMPLES, SEED);
        sheet_add(sheet, p < significant ? SHEET_BEST : SHEET_NONE, "%+.4f [%+.4f, %+.4f]", apart,
                  d.lo, d.hi);
    } else
        sheet_add(sheet, SHEET_NONE, "%+.4f", apart);
    if (isnan(p))
        sheet_add(sheet, SHEET_NONE, "%s", "");
    else
        sheet_add(sheet, SHEET_NONE, "%.4f", p);
    const double us = number_of(g, s, "lat_p50_us"), base_us = number_of(g, b, "lat_p50_us");
    add_number(sheet, us, "%.4g");
    if (us > 0 && base_us > 0)
        sheet_add(sheet, SHEET_NONE, "x%.2f", us / base_us);
    else
        sheet_add(sheet, SHEET_NONE, "%s", "");
}

static int ablate_metric(const struct contrast_group *g, size_t base, const unsigned char *changed, size_t m,
                         const struct contrast_plan *plan, struct text *out)
{
    struct sheet sheet = { .columns = 6 };
    struct contrast_tests t;
    int whole = contrast_tests_init(&t, g);
    if (whole) memcpy(t.wanted, changed, g->count);
    if (whole) contrast_test_all(g, base, m, &t);
    sheet_add(&sheet, SHEET_NONE, "change");
    sheet_add(&sheet, SHEET_NONE, "%s", g->metrics[m]);
    static const char *const rest[] = { "difference [95 %]", "p (Holm)", "lat_p50_us",
                                        "of baseline's" };
    for (size_t i = 0; i < 4; i++) sheet_add(&sheet, SHEET_NONE, "%s", rest[i]);
    sheet_add(&sheet, SHEET_NONE, "baseline");
    add_value(g, &sheet, &g->subjects[base], g->metrics[m], SHEET_NONE);
    for (size_t i = 0; i < 2; i++) sheet_add(&sheet, SHEET_NONE, "%s", "");
    add_number(&sheet, number_of(g, &g->subjects[base], "lat_p50_us"), "%.4g");
    sheet_add(&sheet, SHEET_NONE, "%s", "");
    for (size_t i = 0; whole && i < g->count; i++)
        if (changed[i]) ablation_line(g, base, i, m, t.p[i], t.apart, &sheet);
    whole = whole && !sheet.failed;
    if (whole) sheet_print(&sheet, plan->format, out);
    text_add(out, "\n");
    contrast_tests_free(&t);
    sheet_free(&sheet);
    return whole;
}

static int print_ablation(struct contrast_group *g, const struct contrast_plan *plan, struct text *out)
{
    size_t changes, which;
    const size_t base = centre_of(g, &changes);
    unsigned char *changed = mem_zero(g->count, 1);
    struct text line = { 0 };
    int whole = changed != NULL;
    for (size_t i = 0; whole && i < g->count; i++)
        changed[i] = settings_apart(g, base, i, &which) == 1;
    heading(g, plan->format, out);
    text_add(&line, "baseline:");
    for (size_t c = 0; c < g->c->table.columns; c++) {
        int differs = 0;
        for (size_t i = 0; whole && i < g->count && !differs; i++)
            differs = changed[i] && counts_as_setting(g, c) && differ_in(g, c, base, i);
        if (differs) add_setting(g, base, c, &line);
    }
    note(plan->format, out, text_of(&line));
    text_add(out, "\n");
    for (size_t m = 0; whole && m < g->metric_count; m++)
        whole = ablate_metric(g, base, changed, m, plan, out);
    text_clear(&line);
    text_add(&line,
             "%s: significant (paired randomization test over queries, Holm over the column, 0.05)",
             plan->format == SHEET_PLAIN ? "*" : "bold");
    if (g->count > changes + 1)
        text_add(&line, "; %zu other points change more than one setting", g->count - changes - 1);
    note(plan->format, out, text_of(&line));
    text_free(&line);
    mem_free(changed);
    return whole;
}

static int each_group(const struct contrast *c, const struct contrast_plan *plan, int ablation,
                      struct text *out, struct err *e)
{
    size_t printed = 0, rows = 0;
    int status = ERR_OK;
    for (size_t first = next_group(c, 0); status == ERR_OK && first < c->table.count;
         first = next_group(c, first + 1)) {
        struct contrast_group g;
        size_t changes = 1;
        rows++;
        int whole = group_init(&g, c, first);
        if (whole && ablation) (void)centre_of(&g, &changes);
        if (whole && changes) {
            status = choose_metrics(&g, plan->columns, e);
            if (status == ERR_OK) contrast_read_queries(&g);
            if (status == ERR_OK && printed++) text_add(out, "\n");
            if (status == ERR_OK)
                whole = ablation ? print_ablation(&g, plan, out) : print_table(&g, plan, out);
            if (g.untested)
                note(plan->format, out,
                     "some per-query files (POINT_ID.pq.tsv) are missing or of other queries: "
                     "those points are not tested");
        }
        group_free(&g);
        if (status == ERR_OK && (!whole || out->failed))
            status = FAIL(e, ERR_MEM, "no memory for a table");
    }
    if (status == ERR_OK && !rows) status = FAIL(e, ERR_NOT_FOUND, "no row is ok");
    if (status == ERR_OK && !printed)
        status = FAIL(e, ERR_NOT_FOUND, "no two points differ in one setting alone");
    return status;
}

int contrast_table(const struct contrast *c, const struct contrast_plan *plan, struct text *out,
                   struct err *e)
{
    return each_group(c, plan, 0, out, e);
}

int contrast_ablation(const struct contrast *c, const struct contrast_plan *plan, struct text *out,
                      struct err *e)
{
    return each_group(c, plan, 1, out, e);
}

int contrast_is_star(const struct contrast *c)
{
    struct contrast_group g;
    size_t changes = 0, total = 0;
    const size_t first = next_group(c, 0);
    if (first == c->table.count) return 0;
    if (group_init(&g, c, first)) {
        (void)centre_of(&g, &changes);
        total = g.count;
    }
    group_free(&g);
    return changes > 1 &&
           (changes + 1 == total || strcmp(table_note(&c->table, "one_at_a_time"), "true") == 0);
}
