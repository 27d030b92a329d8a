/* SPDX-License-Identifier: MIT
 * grid.c - chooses the columns of a table and writes it twice: as HTML what is shown, as JSON all there is. */
#include "bench/report/grid.h"
#include "bench/report/html.h"
#include "kernels/base/mem.h"
#include <inttypes.h>
#include <string.h>

/* What a reader asks of a row first, whatever file it is of; in this order. */
static const char *const first[] = {
    "op", "isa", "variant", "base", "arm", "subject", "loop", "quantity", "verdict", "label_ndcg_at_10", "label_recall_at_10",
    "agree_at_10", "recall_strict", "candidate_recall", "lat_p50_us", "lat_p99_us", "bytes_per_vector", "qps", "build_s",
    "peak_rss_bytes", "dim", "bits", "batch", "where", "access", "ns_per_vector", "x_compiler", "pct_of_ceiling", "x_saved",
    "since_saved", "published", "theory", "ours", "ratio", "iteration_ns", "detectable_pct", "processes"
};
static const char *const bookkeeping[] = { "schema", "run_id", "rep", "machine", "binary", "data", "kernel_used" };

struct shown { int column, lo, hi; }; /* TABLE_NONE: the name of a point; no such end */

struct grid {
    const struct table *t;
    const struct grid_plan *plan;
    struct shown shown[GRID_WHOLE];
    size_t count;
    int *all; /* columns that vary, and point_id */
    size_t all_count;
    uint64_t *ids;     /* of each row; 0: its row belongs to no point */
    struct text *names; /* of each row's point */
};

static int in_list(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], name) == 0) return 1;
    return 0;
}
#define IS_IN(name, list) in_list((name), (list), sizeof(list) / sizeof *(list))

static int varies(const struct table *t, size_t column)
{
    for (size_t r = 1; r < t->count; r++)
        if (strcmp(table_text(t, 0, (int)column), table_text(t, r, (int)column)) != 0) return 1;
    return 0;
}

static int is_end(const char *name) { return strstr(name, "_lo") || strstr(name, "_hi"); }

static void show(struct grid *g, int column)
{
    if (g->count == (g->plan->is_whole ? GRID_WHOLE : GRID_SHOWN)) return;
    const char *name = g->t->names[column];
    g->shown[g->count++] = (struct shown){ column, table_end_column(g->t, name, "lo"), table_end_column(g->t, name, "hi") };
}

/* Position of a table's column among those in the JSON; -1: it is not there. */
static int place_of(const struct grid *g, int column)
{
    for (size_t i = 0; i < g->all_count; i++)
        if (g->all[i] == column) return (int)i;
    return -1;
}

static int is_shown(const struct grid *g, const char *name)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->shown[i].column >= 0 && strcmp(g->t->names[g->shown[i].column], name) == 0) return 1;
    return 0;
}

static void choose(struct grid *g)
{
    const struct table *t = g->t;
    const int has_points = g->plan->results && g->plan->results->count;
    for (size_t c = 0; c < t->columns; c++)
        if (varies(t, c) || strcmp(t->names[c], "point_id") == 0 || g->plan->is_whole || (t->count == 1 && *table_text(t, 0, (int)c)))
            g->all[g->all_count++] = (int)c;
    if (has_points) g->shown[g->count++] = (struct shown){ TABLE_NONE, TABLE_NONE, TABLE_NONE };
    for (size_t i = 0; !g->plan->is_whole && i < sizeof first / sizeof *first; i++) {
        const int c = table_column(t, first[i]);
        const int is_told = has_points && figure_is_setting(t, c < 0 ? 0 : (size_t)c);
        if (strcmp(first[i], "recall_strict") == 0 && is_shown(g, "agree_at_10")) continue;
        if (c >= 0 && !is_told && (varies(t, (size_t)c) || (t->count == 1 && *table_text(t, 0, c)))) show(g, c);
    }
    for (size_t i = 0; (g->count < 4 || g->plan->is_whole) && i < g->all_count; i++) { /* of a file that we do not know */
        const char *name = t->names[g->all[i]];
        if (g->plan->is_whole ? !is_end(name) : !IS_IN(name, first) && !IS_IN(name, bookkeeping) && !is_end(name)) show(g, g->all[i]);
    }
    for (size_t i = 0; i < g->count; i++) { /* ends that are the same everywhere */
        const int ends[] = { g->shown[i].lo, g->shown[i].hi };
        for (int k = 0; k < 2; k++)
            if (ends[k] >= 0 && place_of(g, ends[k]) < 0) g->all[g->all_count++] = ends[k];
    }
}

/* --- what is the same in all rows --------------------------------------------------------------- */

static void add_common(struct text *out, const struct table *t)
{
    size_t n = 0;
    struct text same = { 0 };
    for (size_t c = 0; t->count > 1 && c < t->columns; c++) {
        const char *value = table_text(t, 0, (int)c);
        if (!*value || varies(t, c)) continue;
        text_add(&same, n++ ? ", " : "");
        html_add(&same, t->names[c]);
        text_add(&same, " = <code>");
        html_add(&same, value);
        text_add(&same, "</code>");
    }
    if (n) text_add(out, "<details><summary>The same in every row: %zu columns</summary><p>%s.</p></details>\n", n, text_of(&same));
    text_free(&same);
}

/* --- HTML --------------------------------------------------------------------------------------- */

static void add_heading(struct text *out, const struct grid *g, size_t i)
{
    if (g->shown[i].column < 0) text_add(out, "point");
    else html_label(out, g->t->names[g->shown[i].column]);
}

static void add_data_cell(struct text *out, const struct grid *g, size_t row, size_t i)
{
    const struct shown *s = &g->shown[i];
    const char *value = table_text(g->t, row, s->column), *lo = table_text(g->t, row, s->lo), *hi = table_text(g->t, row, s->hi);
    double number;
    text_add(out, html_is_number(value, &number) ? "<td data-l=\"" : "<td class=\"t\" data-l=\"");
    add_heading(out, g, i);
    text_add(out, "\">");
    html_cell(out, value);
    if (*lo && *hi) {
        text_add(out, " <small>[");
        html_cell(out, lo);
        text_add(out, ", ");
        html_cell(out, hi);
        text_add(out, "]</small>");
    }
    text_add(out, "</td>");
}

static void add_row(struct text *out, const struct grid *g, size_t row)
{
    text_add(out, g->ids[row] ? "<tr data-r=\"%zu\" data-p=\"%016" PRIx64 "\">" : "<tr data-r=\"%zu\">", row, g->ids[row]);
    text_add(out, "<th scope=\"row\"><button type=\"button\" class=\"more\" aria-expanded=\"false\">");
    if (g->shown[0].column < 0) html_add(out, text_of(&g->names[row]));
    else html_cell(out, table_text(g->t, row, g->shown[0].column));
    text_add(out, "</button></th>");
    for (size_t i = 1; i < g->count; i++) add_data_cell(out, g, row, i);
    text_add(out, "</tr>\n");
}

/* Of the first row that has a value. */
static int is_text(const struct grid *g, size_t i)
{
    const int column = g->shown[i].column;
    double number;
    for (size_t r = 0; column >= 0 && r < g->t->count; r++)
        if (*table_text(g->t, r, column)) return !html_is_number(table_text(g->t, r, column), &number);
    return 0;
}

static void add_html(struct text *out, const struct grid *g)
{
    const size_t rows = g->t->count < GRID_PAGE ? g->t->count : GRID_PAGE;
    text_add(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"table: ");
    html_add(out, g->plan->caption);
    text_add(out, "\"><table id=\"t%zu\"><thead><tr>", g->plan->number);
    for (size_t i = 0; i < g->count; i++) {
        text_add(out, is_text(g, i) ? "<th scope=\"col\" class=\"t\">" : "<th scope=\"col\">");
        text_add(out, "<button type=\"button\" class=\"sort\">");
        add_heading(out, g, i);
        text_add(out, "</button></th>");
    }
    text_add(out, "</tr></thead><tbody>\n");
    for (size_t r = 0; r < rows; r++) add_row(out, g, r);
    text_add(out, "</tbody></table></div>\n");
    if (rows < g->t->count)
        text_add(out, "<noscript><p>The first %zu of %zu rows; all are in the file.</p></noscript>\n", rows, g->t->count);
}

/* --- JSON --------------------------------------------------------------------------------------- */

static void add_json_row(struct text *out, const struct grid *g, size_t row)
{
    text_add(out, row ? ",\n[" : "\n[");
    if (g->ids[row]) text_add(out, "\"%016" PRIx64 "\",", g->ids[row]);
    else text_add(out, "\"\",");
    html_json(out, text_of(&g->names[row]));
    for (size_t i = 0; i < g->all_count; i++) {
        text_add(out, ",");
        html_json(out, table_text(g->t, row, g->all[i]));
    }
    text_add(out, "]");
}

static void add_json(struct text *out, const struct grid *g)
{
    text_add(out, "<script type=\"application/json\" data-of=\"t%zu\">{\"page\":%d,\"columns\":[", g->plan->number, GRID_PAGE);
    for (size_t i = 0; i < g->all_count; i++) {
        text_add(out, i ? "," : "");
        html_json(out, g->t->names[g->all[i]]);
    }
    text_add(out, "],\"shown\":[");
    for (size_t i = 0; i < g->count; i++) {
        const struct shown *s = &g->shown[i];
        text_add(out, "%s[%d,%d,%d,", i ? "," : "", place_of(g, s->column), place_of(g, s->lo), place_of(g, s->hi));
        html_json(out, s->column < 0 ? "point" : figure_label(g->t->names[s->column]));
        text_add(out, "]");
    }
    text_add(out, "],\"rows\":[");
    for (size_t r = 0; r < g->t->count; r++) add_json_row(out, g, r);
    text_add(out, "]}</script>\n");
}

/* Ids and names go from points to rows. */
static void name_rows(struct grid *g)
{
    const struct results *results = g->plan->results;
    for (size_t r = 0; g->plan->ids && r < g->t->count; r++) g->ids[r] = g->plan->ids[r];
    for (size_t i = 0; results && i < results->count; i++) {
        const struct result_group *group = &results->groups[i];
        for (size_t p = 0; p < group->count; p++)
            for (size_t r = 0; r < group->points[p].count; r++) {
                const size_t row = group->points[p].rows[r];
                g->ids[row] = group->points[p].id;
                if (results->count > 1) {
                    result_data(group, &g->names[row]);
                    text_add(&g->names[row], ": ");
                }
                result_name(group, &group->points[p], &g->names[row]);
            }
    }
    for (size_t r = 0; results && results->count && r < g->t->count; r++)
        if (!g->names[r].size) text_add(&g->names[r], "failed");
}

void grid_add(struct text *out, const struct grid_plan *plan, const struct table *t)
{
    struct grid g = { .t = t, .plan = plan, .all = mem_alloc(t->columns, sizeof *g.all),
                      .ids = mem_zero(t->count, sizeof *g.ids), .names = mem_zero(t->count, sizeof *g.names) };
    if (!g.all || !g.ids || !g.names) out->failed = 1;
    else {
        choose(&g);
        name_rows(&g);
        add_html(out, &g);
        add_json(out, &g);
        if (!plan->is_whole) add_common(out, t);
    }
    for (size_t r = 0; g.names && r < t->count; r++) text_free(&g.names[r]);
    mem_free(g.names);
    mem_free(g.ids);
    mem_free(g.all);
}
