/* SPDX-License-Identifier: MIT
 * archive_diff.c - two runs side by side: the points of both, and what their queries say of the difference. */
#include "bench/rows/archive.h"
#include "bench/rows/archive_inside.h"
#include "bench/quality/metric.h"
#include "bench/rows/pq.h"
#include "bench/rows/row.h"
#include "bench/time/paired.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MOST = 16, SEED = 1 };
static const double significant = 0.05;
/* Where a process's memory lies moves its times by some per cent, whatever its queries agree on: below this a difference of
 * two processes is not resolved.  (As assay bench --fail-slower has it.) */
static const double process = 1.05;
static const char *const usual[] = { "label_ndcg_at_10", "label_mrr", "recall_strict", "lat_p50_us" };

struct cell {
    double a, b;            /* means over repetitions; NaN: none */
    double p;               /* of quality: of the randomization test, then Holm's; NaN: not tested */
    struct interval ratio;  /* of times: of b's to a's, by query */
    double median;          /* NaN: no queries */
};

struct common { char *id, *name; struct cell cells[COLUMNS_MOST]; };

struct diff {
    struct archive *a;
    const struct archive_wish *w;
    struct text where[2]; /* SQL */
    const char *columns[COLUMNS_MOST];
    char *copy;           /* of the caller's columns, cut up */
    size_t column_count;
    struct common *at;
    size_t count, room;
    struct text forced;
};

static void diff_free(struct diff *d)
{
    for (size_t i = 0; i < d->count; i++) free(d->at[i].id), free(d->at[i].name);
    mem_free(d->at);
    text_free(&d->where[0]);
    text_free(&d->where[1]);
    text_free(&d->forced);
    free(d->copy);
}

static int count_of(struct diff *d, int64_t *out, struct err *e, const char *what, const char *where)
{
    sqlite3_stmt *st = NULL;
    const int status = archive_prepare(d->a, &st, e, "SELECT %s FROM rows WHERE status = 'ok' AND (%s)", what, where);
    if (status == ERR_OK && sqlite3_step(st) == SQLITE_ROW) *out = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return status;
}

/* What a run is called, as SQL; ERR_NOT_FOUND names some that there are. */
static int find_run(struct diff *d, int side, const char *run, struct err *e)
{
    int64_t rows = 0;
    const size_t size = strlen(run) - (run[0] && run[1] && run[strlen(run) - 1] == '/');
    char *sql = strpbrk(run, "=<>")
                    ? sqlite3_mprintf("%s", run)
                    : sqlite3_mprintf("(%d AND substr(run_id, 1, %d) = %Q) OR file IN (SELECT id FROM files WHERE path = %.*Q OR "
                                      "substr(path, 1, %d) = %.*Q || '/')", size >= 4, (int)size, run, (int)size, run, (int)size + 1,
                                      (int)size, run);
    text_add(&d->where[side], "%s", sql ? sql : "");
    if (!sql) return FAIL(e, ERR_MEM, "%s: no memory", d->a->path);
    sqlite3_free(sql);
    int status = count_of(d, &rows, e, "count(*)", text_of(&d->where[side]));
    if (status != ERR_OK || rows) return status;
    struct text some = { 0 };
    sqlite3_stmt *st = NULL;
    status = archive_prepare(d->a, &st, e, "SELECT DISTINCT path FROM files ORDER BY id DESC LIMIT 5");
    while (status == ERR_OK && sqlite3_step(st) == SQLITE_ROW) text_add(&some, "%s%s", some.size ? ", " : "", sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    status = FAIL(e, ERR_NOT_FOUND, "%s: no good row of '%s' (a run_id, a path as it was imported: %s; or a condition in SQL)", d->a->path,
                  run, text_of(&some));
    text_free(&some);
    return status;
}

/* Different machines or binaries are refused, or, forced, marked. */
static int check_alike(struct diff *d, struct err *e)
{
    static const char *const what[] = { "machine", "binary" };
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < 2; i++) {
        sqlite3_stmt *st = NULL;
        struct text all = { 0 };
        size_t count = 0;
        status = archive_prepare(d->a, &st, e, "SELECT DISTINCT %s FROM rows WHERE status = 'ok' AND ((%s) OR (%s)) ORDER BY 1", what[i],
                                 text_of(&d->where[0]), text_of(&d->where[1]));
        while (status == ERR_OK && sqlite3_step(st) == SQLITE_ROW) text_add(&all, "%s%s", count++ ? " and " : "", sqlite3_column_text(st, 0));
        sqlite3_finalize(st);
        if (status == ERR_OK && count > 1 && !d->w->force)
            status = FAIL(e, ERR_ARG, "of different %s (%s): times are not comparable; --force compares all the same, and marks it",
                          i ? "binaries" : "machines", text_of(&all));
        if (count > 1) text_add(&d->forced, "%s%s %s", d->forced.size ? "; " : "", i ? "binaries" : "machines", text_of(&all));
        text_free(&all);
    }
    return status;
}

static int choose_columns(struct diff *d, const char *said, struct err *e)
{
    char *save = NULL;
    int status = ERR_OK;
    if (said && !(d->copy = strdup(said))) return FAIL(e, ERR_MEM, "no memory");
    for (char *name = said ? strtok_r(d->copy, ",", &save) : NULL; status == ERR_OK && name; name = strtok_r(NULL, ",", &save)) {
        if (d->column_count == COLUMNS_MOST) return FAIL(e, ERR_ARG, "--columns: more than %d", COLUMNS_MOST);
        status = archive_has_column(d->a, name, e);
        d->columns[d->column_count++] = name;
    }
    for (size_t i = 0; !said && i < sizeof usual / sizeof *usual; i++) {
        int64_t a = 0, b = 0;
        char what[64];
        snprintf(what, sizeof what, "count(\"%s\")", usual[i]);
        if (archive_has_column(d->a, usual[i], NULL) != ERR_OK) continue;
        if (count_of(d, &a, NULL, what, text_of(&d->where[0])) == ERR_OK && count_of(d, &b, NULL, what, text_of(&d->where[1])) == ERR_OK &&
            a && b)
            d->columns[d->column_count++] = usual[i];
    }
    return status == ERR_OK && !d->column_count ? FAIL(e, ERR_NOT_FOUND, "no column of both") : status;
}

/* Appends SQL for what a point is called: its index, and the settings that the first run varies. */
static int name_sql(struct diff *d, struct text *out, struct err *e)
{
    sqlite3_stmt *all = NULL;
    int status = archive_prepare(d->a, &all, e, "SELECT * FROM rows LIMIT 0");
    text_add(out, "coalesce(\"index\",'')");
    for (int c = 0; status == ERR_OK && c < sqlite3_column_count(all); c++) {
        static const char *const quiet[] = { "index", "file", "row_hash", "rep", "run_id", "point_id", "status", "schema", "machine",
                                             "binary", "data", "kernel_used", "seed" };
        const char *name = sqlite3_column_name(all, c);
        int64_t values = 0;
        int skip = column_role(name) == COLUMN_MEASUREMENT;
        for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++) skip |= strcmp(name, quiet[i]) == 0;
        char *what = skip ? NULL : sqlite3_mprintf("count(DISTINCT \"index\"||'|'||coalesce(\"%w\", '')) - count(DISTINCT \"index\")", name);
        if (what) status = count_of(d, &values, e, what, text_of(&d->where[0]));
        sqlite3_free(what);
        if (values < 1) continue; /* of one index it is always the same */
        char *part = sqlite3_mprintf("||coalesce(' %q='||\"%w\",'')", name, name);
        text_add(out, "%s", part ? part : "");
        sqlite3_free(part);
    }
    sqlite3_finalize(all);
    return status == ERR_OK && out->failed ? FAIL(e, ERR_MEM, "no memory") : status;
}

static int add_common(struct diff *d, sqlite3_stmt *st)
{
    if (!mem_one_more(&d->at, d->count, &d->room, sizeof *d->at)) return 0;
    struct common *p = &d->at[d->count++];
    *p = (struct common){ .id = strdup((const char *)sqlite3_column_text(st, 0)), .name = strdup((const char *)sqlite3_column_text(st, 1)) };
    for (size_t c = 0; c < d->column_count; c++) {
        struct cell *cell = &p->cells[c];
        const int a = 2 + 2 * (int)c, b = a + 1;
        *cell = (struct cell){ .a = (double)NAN, .b = (double)NAN, .p = (double)NAN, .median = (double)NAN };
        if (sqlite3_column_type(st, a) != SQLITE_NULL) cell->a = sqlite3_column_double(st, a);
        if (sqlite3_column_type(st, b) != SQLITE_NULL) cell->b = sqlite3_column_double(st, b);
    }
    return p->id && p->name;
}

static int read_common(struct diff *d, struct err *e)
{
    struct text name = { 0 }, means = { 0 };
    sqlite3_stmt *st = NULL;
    int rc = SQLITE_DONE, whole = 1, status = name_sql(d, &name, e);
    for (size_t c = 0; c < d->column_count; c++)
        text_add(&means, ", avg(CASE WHEN (%s) THEN \"%s\" END), avg(CASE WHEN (%s) THEN \"%s\" END)", text_of(&d->where[0]), d->columns[c],
                 text_of(&d->where[1]), d->columns[c]);
    if (status == ERR_OK && means.failed) status = FAIL(e, ERR_MEM, "no memory");
    if (status == ERR_OK)
        status = archive_prepare(d->a, &st, e, "SELECT point_id, max(%s)%s FROM rows WHERE status = 'ok' AND ((%s) OR (%s)) AND (%s) GROUP BY point_id "
                                 "HAVING max((%s)) AND max((%s)) ORDER BY 2, 1", text_of(&name), text_of(&means), text_of(&d->where[0]),
                                 text_of(&d->where[1]), d->w->where ? d->w->where : "1", text_of(&d->where[0]), text_of(&d->where[1]));
    while (status == ERR_OK && whole && (rc = sqlite3_step(st)) == SQLITE_ROW) whole = add_common(d, st);
    if (status == ERR_OK && !whole) status = FAIL(e, ERR_MEM, "no memory for points");
    if (status == ERR_OK && rc != SQLITE_DONE) status = archive_failed(d->a, e);
    if (status == ERR_OK && d->count == 0) status = FAIL(e, ERR_NOT_FOUND, "no point was measured by both runs");
    sqlite3_finalize(st);
    text_free(&name);
    text_free(&means);
    return status;
}

/* --- queries ------------------------------------------------------------------------------------------- */
/* 1 when the archive has what the queries of the point came to in that run. */
static int read_queries(struct diff *d, int side, const char *id, struct pq *out)
{
    sqlite3_stmt *st = NULL;
    int good = archive_prepare(d->a, &st, NULL, "SELECT tsv FROM per_query WHERE point_id = %Q AND run_id IN (SELECT run_id FROM rows WHERE "
                               "point_id = %Q AND (%s)) ORDER BY run_id LIMIT 1", id, id, text_of(&d->where[side])) == ERR_OK;
    good = good && sqlite3_step(st) == SQLITE_ROW;
    good = good && pq_parse(out, (const char *)sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0), id, NULL) == ERR_OK;
    sqlite3_finalize(st);
    return good;
}

static int is_time(const char *column) { return strncmp(column, "lat_", 4) == 0 || strcmp(column, "qps") == 0; }

/* Fills what queries say of one point, all columns; work: room for as many as there are queries. */
static void test_point(const struct diff *d, struct common *p, const struct pq *a, const struct pq *b, double *work)
{
    for (size_t c = 0; c < d->column_count; c++) {
        const int time = is_time(d->columns[c]);
        const double *x = pq_column(a, time ? "lat_us" : d->columns[c]), *y = pq_column(b, time ? "lat_us" : d->columns[c]);
        struct cell *cell = &p->cells[c];
        size_t n = 0;
        for (size_t q = 0; x && y && q < a->query_count; q++) {
            const double apart = time ? log(y[q] / x[q]) : y[q] - x[q];
            if (isfinite(apart)) work[n++] = apart;
        }
        if (n == 0 || (!time && !metric_find(d->columns[c]))) continue;
        if (!time) {
            cell->p = paired_p(work, n, SEED);
            continue;
        }
        stats_sort(work, n);
        const struct interval within = stats_sign_interval(work, n, significant, d->count);
        cell->median = exp(stats_median(work, n));
        cell->ratio = (struct interval){ exp(within.lo), exp(within.hi) };
    }
}

static int same_queries(const struct pq *a, const struct pq *b)
{
    if (a->query_count != b->query_count || a->query_count == 0) return 0;
    for (size_t q = 0; q < a->query_count; q++)
        if (strcmp(a->queries[q], b->queries[q]) != 0) return 0;
    return 1;
}

static int test_all(struct diff *d, struct err *e)
{
    for (size_t i = 0; i < d->count; i++) {
        struct pq a = { 0 }, b = { 0 };
        const int both = read_queries(d, 0, d->at[i].id, &a) && read_queries(d, 1, d->at[i].id, &b) && same_queries(&a, &b);
        double *work = both ? mem_alloc(a.query_count, sizeof *work) : NULL;
        if (work) test_point(d, &d->at[i], &a, &b, work);
        mem_free(work);
        pq_free(&a);
        pq_free(&b);
        if (both && !work) return FAIL(e, ERR_MEM, "no memory for queries");
    }
    double *raw = mem_alloc(d->count, sizeof *raw), *adjusted = mem_alloc(d->count, sizeof *adjusted);
    size_t *at = mem_alloc(d->count, sizeof *at);
    for (size_t c = 0; raw && adjusted && at && c < d->column_count; c++) {
        size_t n = 0;
        for (size_t i = 0; i < d->count; i++)
            if (!isnan(d->at[i].cells[c].p)) at[n] = i, raw[n++] = d->at[i].cells[c].p;
        if (n) paired_holm(raw, n, adjusted);
        for (size_t i = 0; i < n; i++) d->at[at[i]].cells[c].p = adjusted[i];
    }
    const int whole = raw && adjusted && at;
    mem_free(raw);
    mem_free(adjusted);
    mem_free(at);
    return whole ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu tests", d->count);
}

/* --- on paper ------------------------------------------------------------------------------------------- */
static const char *verdict(const char *column, const struct cell *c)
{
    const struct metric_ops *m = metric_find(column);
    if (is_time(column))
        return isnan(c->median) ? "" : c->ratio.lo > process ? "slower" : c->ratio.hi < 1 / process ? "faster" : "not resolved";
    if (isnan(c->p)) return "";
    if (c->p >= significant) return "not resolved";
    return (c->b > c->a) == (m->better == METRIC_MORE) ? "better" : "worse";
}

static void add_json(const struct diff *d, struct text *out)
{
    for (size_t i = 0; i < d->count; i++)
        for (size_t c = 0; c < d->column_count; c++) {
            const struct cell *x = &d->at[i].cells[c];
            text_add(out, "{\"point_id\":\"%s\",\"point\":", d->at[i].id);
            text_add_json(out, d->at[i].name);
            text_add(out, ",\"column\":\"%s\"", d->columns[c]);
            const struct { const char *name; double value; } all[] = {
                { "a", x->a }, { "b", x->b }, { "difference", x->b - x->a }, { "p", x->p }, { "ratio", x->median },
                { "ratio_lo", isnan(x->median) ? x->median : x->ratio.lo }, { "ratio_hi", isnan(x->median) ? x->median : x->ratio.hi } };
            for (size_t v = 0; v < sizeof all / sizeof *all; v++)
                if (isfinite(all[v].value)) text_add(out, ",\"%s\":%.9g", all[v].name, all[v].value);
            text_add(out, ",\"verdict\":\"%s\"", verdict(d->columns[c], x));
            if (d->forced.size) text_add(out, ",\"forced\":"), text_add_json(out, text_of(&d->forced));
            text_add(out, "}\n");
        }
}

static void add_number(struct sheet *g, double value, const char *fmt)
{
    if (isnan(value)) sheet_add(g, SHEET_NONE, "-");
    else sheet_add(g, SHEET_NONE, fmt, value); /* NOLINT: a format of ours */
}

static int add_table(const struct diff *d, size_t c, const char *first, const char *second, struct text *out)
{
    const int time = is_time(d->columns[c]);
    struct sheet g = { .columns = 6 };
    const char *const heads[] = { d->columns[c], first, second, "difference", time ? "by query" : "p (Holm)", "verdict" };
    for (size_t i = 0; i < 6; i++) sheet_add(&g, SHEET_NONE, "%s", heads[i]);
    for (size_t i = 0; i < d->count; i++) {
        const struct cell *x = &d->at[i].cells[c];
        sheet_add(&g, SHEET_NONE, "%s", d->at[i].name);
        add_number(&g, x->a, "%.6g");
        add_number(&g, x->b, "%.6g");
        add_number(&g, x->b - x->a, "%+.4g");
        if (time && !isnan(x->median)) sheet_add(&g, SHEET_NONE, "x%.3f [%.3f, %.3f]", x->median, x->ratio.lo, x->ratio.hi);
        else add_number(&g, x->p, "%.4f");
        sheet_add(&g, SHEET_NONE, "%s%s", *verdict(d->columns[c], x) ? verdict(d->columns[c], x) : "-", d->forced.size ? " (forced)" : "");
    }
    sheet_print(&g, SHEET_PLAIN, out);
    text_add(out, "\n");
    const int whole = !g.failed;
    sheet_free(&g);
    return whole;
}

static int tell(struct diff *d, const char *first, const char *second, struct text *out, struct err *e)
{
    int64_t only[2] = { 0 };
    int whole = 1, status = ERR_OK;
    if (d->w->json) add_json(d, out);
    for (int i = 0; status == ERR_OK && i < 2 && !d->w->json; i++)
        status = count_of(d, &only[i], e, "count(DISTINCT point_id)", text_of(&d->where[i]));
    if (!d->w->json) {
        text_add(out, "%zu points of both; %lld more in %s, %lld in %s\n", d->count, (long long)only[0] - (long long)d->count, first,
                 (long long)only[1] - (long long)d->count, second);
        if (d->forced.size) text_add(out, "FORCED: %s; what follows compares what is not comparable\n", text_of(&d->forced));
        text_add(out, "\n");
        for (size_t c = 0; whole && c < d->column_count; c++) whole = add_table(d, c, "first", "second", out);
        text_add(out, "first: %s; second: %s.  Quality: a randomization test over the queries of both, Holm over the points, %g.\n"
                      "Times: second's over first's, by query, the median and its sign interval at %g over all points.  One process\n"
                      "each, whose memory alone may move a time by %.0f %%: what lies within that is not resolved (assay compare takes\n"
                      "ten of each).\n",
                 first, second, significant, 1 - significant, 100 * (process - 1));
    }
    return status == ERR_OK && (!whole || out->failed) ? FAIL(e, ERR_MEM, "no memory for tables") : status;
}

int archive_diff(struct archive *a, const struct archive_wish *w, const char *first, const char *second, const char *columns,
                 struct text *out, struct err *e)
{
    struct diff d = { .a = a, .w = w };
    int status = find_run(&d, 0, first, e);
    if (status == ERR_OK) status = find_run(&d, 1, second, e);
    if (status == ERR_OK) status = check_alike(&d, e);
    if (status == ERR_OK) status = choose_columns(&d, columns, e);
    if (status == ERR_OK) status = read_common(&d, e);
    if (status == ERR_OK) status = test_all(&d, e);
    if (status == ERR_OK) status = tell(&d, first, second, out, e);
    diff_free(&d);
    return status;
}
