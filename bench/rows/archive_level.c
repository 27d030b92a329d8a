/* SPDX-License-Identifier: MIT
 * archive_level.c - what each index costs where it finds enough: the fastest measured point, and what lies between two. */
#define _GNU_SOURCE
#include "bench/rows/archive.h"
#include "bench/rows/archive_inside.h"
#include "bench/rows/row.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What varies along a line of points on one build. */
static const char *const along[] = { "rerank", "nprobe", "ef", "eps0" };

struct level_point {
    char *group, *method, *line, *spec; /* owned */
    double recall, qps, bytes, reps;
};

struct levels {
    struct level_point *at;
    size_t count, room;
};

static void levels_free(struct levels *l)
{
    for (size_t i = 0; i < l->count; i++) free(l->at[i].group), free(l->at[i].method), free(l->at[i].line), free(l->at[i].spec);
    mem_free(l->at);
}

/* Appends every setting but those along a line, as one SQL text. */
static int line_sql(struct archive *a, struct text *out, struct err *e)
{
    sqlite3_stmt *st = NULL;
    const int status = archive_prepare(a, &st, e, "SELECT * FROM rows LIMIT 0");
    text_add(out, "''");
    for (int c = 0; status == ERR_OK && c < sqlite3_column_count(st); c++) {
        const char *name = sqlite3_column_name(st, c);
        int skip = column_role(name) == COLUMN_MEASUREMENT || strcmp(name, "index") == 0 || strcmp(name, "file") == 0 ||
                   strcmp(name, "row_hash") == 0 || strcmp(name, "rep") == 0;
        for (size_t i = 0; i < sizeof along / sizeof *along; i++) skip |= strcmp(name, along[i]) == 0;
        char *quoted = skip ? NULL : sqlite3_mprintf("||'|'||coalesce(\"%w\",'')", name);
        if (!skip) text_add(out, "%s", quoted ? quoted : "");
        sqlite3_free(quoted);
    }
    sqlite3_finalize(st);
    return status == ERR_OK && out->failed ? FAIL(e, ERR_MEM, "%s: no memory", a->path) : status;
}

static int take_point(struct levels *l, sqlite3_stmt *st)
{
    if (!mem_one_more(&l->at, l->count, &l->room, sizeof *l->at)) return 0;
    struct level_point *p = &l->at[l->count++];
    const char *spec = (const char *)sqlite3_column_text(st, 2);
    *p = (struct level_point){ .recall = sqlite3_column_double(st, 3), .qps = sqlite3_column_double(st, 4),
                               .bytes = sqlite3_column_type(st, 5) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(st, 5),
                               .reps = sqlite3_column_double(st, 6) };
    p->group = strdup((const char *)sqlite3_column_text(st, 0));
    p->line = strdup((const char *)sqlite3_column_text(st, 1));
    p->spec = strdup(spec ? spec : "");
    p->method = strndup(p->spec, strcspn(p->spec, ": "));
    return p->group && p->line && p->spec && p->method;
}

/* By group, method, line, recall. */
static int by_line(const void *a, const void *b)
{
    const struct level_point *x = a, *y = b;
    int c = strcmp(x->group, y->group);
    if (!c) c = strcmp(x->method, y->method);
    if (!c) c = strcmp(x->line, y->line);
    return c ? c : (x->recall > y->recall) - (x->recall < y->recall);
}

static int read_points(struct archive *a, const struct archive_wish *w, const char *recall, struct levels *l, struct err *e)
{
    struct text line = { 0 };
    sqlite3_stmt *st = NULL;
    int rc = SQLITE_DONE, whole = 1, status = archive_has_column(a, recall, e);
    if (status == ERR_OK) status = archive_has_column(a, "rerank", e);
    if (status == ERR_OK) status = line_sql(a, &line, e);
    if (status == ERR_OK)
        status = archive_prepare(a, &st, e,
            "SELECT printf('%%s (%%s), %%s, k=%%s, batch %%s, threads %%s%%s', dataset, data, metric, k, batch, threads, %s), %s,"
            " coalesce(\"index\",'')||CASE WHEN rerank > 0 THEN ' rerank='||rerank ELSE '' END, avg(\"%w\"), avg(qps), avg(bytes_per_vector),"
            " count(*) FROM rows WHERE status = 'ok' AND \"%w\" IS NOT NULL"
            " AND qps > 0 AND (%s) GROUP BY point_id, 1, 2",
            w->force ? "''" : "printf(', machine %s, binary %s', machine, binary)", text_of(&line), recall, recall,
            w->where ? w->where : "1");
    while (status == ERR_OK && whole && (rc = sqlite3_step(st)) == SQLITE_ROW) whole = take_point(l, st);
    if (status == ERR_OK && !whole) status = FAIL(e, ERR_MEM, "%s: no memory for its points", a->path);
    if (status == ERR_OK && rc != SQLITE_DONE) status = archive_failed(a, e);
    if (status == ERR_OK && l->count == 0) status = FAIL(e, ERR_NOT_FOUND, "%s: no row is ok and has both %s and qps", a->path, recall);
    if (status == ERR_OK) qsort(l->at, l->count, sizeof *l->at, by_line);
    sqlite3_finalize(st);
    text_free(&line);
    return status;
}

struct between { double qps; const struct level_point *below, *above; };

/* Of the points of one method: the fastest that reach the level; the best between two of a line that are around it, where
 * each is the fastest of its line that finds as much. */
static const struct level_point *best_of(const struct level_point *at, size_t count, double level, struct between *between)
{
    const struct level_point *best = NULL;
    *between = (struct between){ .qps = 0 };
    for (size_t from = 0, to; from < count; from = to) {
        const struct level_point *above = NULL, *below = NULL;
        for (to = from; to < count && strcmp(at[to].line, at[from].line) == 0; to++) {
            const struct level_point *p = &at[to];
            if (p->recall >= level && (!above || p->qps > above->qps)) above = p;
        }
        for (size_t i = from; i < to; i++)
            if (at[i].recall < level && above && at[i].qps > above->qps && (!below || at[i].recall > below->recall)) below = &at[i];
        if (above && (!best || above->qps > best->qps)) best = above;
        if (!above || !below) continue;
        const double share = (level - below->recall) / (above->recall - below->recall);
        const double qps = exp(log(below->qps) + share * (log(above->qps) - log(below->qps)));
        if (qps > between->qps) *between = (struct between){ qps, below, above };
    }
    return best;
}

static void add_json(struct text *out, const struct level_point *first, const struct level_point *best, const struct between *b,
                     const char *recall, double level, const char *forced)
{
    text_add(out, "{\"group\":");
    text_add_json(out, first->group);
    text_add(out, ",\"method\":");
    text_add_json(out, first->method);
    text_add(out, ",\"recall_column\":\"%s\",\"level\":%.9g,\"index\":", recall, level);
    if (best) text_add_json(out, best->spec), text_add(out, ",\"recall\":%.9g,\"qps\":%.9g,\"points\":%g", best->recall, best->qps, best->reps);
    else text_add(out, "null,\"recall\":null,\"qps\":null,\"points\":0");
    if (b && b->below) {
        text_add(out, ",\"interpolated_qps\":%.9g,\"below\":", b->qps);
        text_add_json(out, b->below->spec);
        text_add(out, ",\"above\":");
        text_add_json(out, b->above->spec);
    }
    if (*forced) text_add(out, ",\"forced\":"), text_add_json(out, forced);
    text_add(out, "}\n");
}

/* One method's line of a table. */
static void add_line(struct sheet *g, const struct level_point *first, const struct level_point *best, const struct between *b)
{
    sheet_add(g, SHEET_NONE, "%s", best ? best->spec : first->method);
    sheet_add(g, SHEET_NONE, best ? "%.4f" : "never", best ? best->recall : 0.0);
    sheet_add(g, SHEET_NONE, best ? "%.0f" : "-", best ? best->qps : 0.0);
    sheet_add(g, SHEET_NONE, best && !isnan(best->bytes) ? "%.1f" : "-", best ? best->bytes : 0.0);
    sheet_add(g, SHEET_NONE, best ? "%.0f" : "-", best ? best->reps : 0.0);
    if (!b) return;
    sheet_add(g, SHEET_NONE, b->below ? "%.0f" : "-", b->qps);
    if (b->below) sheet_add(g, SHEET_NONE, "%s .. %s", b->below->spec, b->above->spec);
    else sheet_add(g, SHEET_NONE, "-");
}

static void add_head(struct sheet *g, const char *recall, int interpolate)
{
    static const char *const names[] = { "index", NULL, "queries/s", "B/vec", "reps", "interpolated", "between" };
    g->columns = interpolate ? 7 : 5;
    for (size_t i = 0; i < g->columns; i++) sheet_add(g, SHEET_NONE, "%s", names[i] ? names[i] : recall);
}

/* What is forced together, or "". */
static int say_forced(struct archive *a, const struct archive_wish *w, struct text *out, struct err *e)
{
    sqlite3_stmt *st = NULL;
    if (!w->force) return ERR_OK;
    const int status = archive_prepare(a, &st, e, "SELECT count(DISTINCT machine), count(DISTINCT binary) FROM rows WHERE status = 'ok' AND (%s)",
                                       w->where ? w->where : "1");
    if (status == ERR_OK && sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int(st, 0) + sqlite3_column_int(st, 1) > 2)
        text_add(out, "%d machines and %d binaries", sqlite3_column_int(st, 0), sqlite3_column_int(st, 1));
    sqlite3_finalize(st);
    return status;
}

int archive_at_recall(struct archive *a, const struct archive_wish *w, const char *recall, double level, int interpolate,
                      struct text *out, struct err *e)
{
    struct levels l = { 0 };
    struct text forced = { 0 };
    struct sheet g = { 0 };
    int status = read_points(a, w, recall, &l, e);
    if (status == ERR_OK) status = say_forced(a, w, &forced, e);
    for (size_t from = 0, to; status == ERR_OK && from < l.count; from = to) {
        const struct level_point *first = &l.at[from];
        struct between b;
        for (to = from; to < l.count && strcmp(l.at[to].group, first->group) == 0 && strcmp(l.at[to].method, first->method) == 0;) to++;
        const struct level_point *best = best_of(first, to - from, level, &b);
        if (w->json) {
            add_json(out, first, best, interpolate ? &b : NULL, recall, level, text_of(&forced));
            continue;
        }
        if (from == 0 || strcmp(l.at[from - 1].group, first->group) != 0) {
            text_add(out, "%s%s\n%s at least %g: the fastest measured point of each index%s\n", from ? "\n" : "", first->group, recall,
                     level, interpolate ? "; interpolated, not measured: at that recall, linear in recall and in the logarithm of "
                                          "queries/s, between the two named" : "");
            if (forced.size) text_add(out, "FORCED together: %s, whose times are not comparable\n", text_of(&forced));
            add_head(&g, recall, interpolate);
        }
        add_line(&g, first, best, interpolate ? &b : NULL);
        if (to < l.count && strcmp(l.at[to].group, first->group) == 0) continue;
        sheet_print(&g, SHEET_PLAIN, out);
        if (g.failed) status = FAIL(e, ERR_MEM, "%s: no memory for a table", a->path);
        sheet_free(&g);
        g = (struct sheet){ 0 };
    }
    if (status == ERR_OK && (out->failed || forced.failed)) status = FAIL(e, ERR_MEM, "%s: no memory for a table", a->path);
    sheet_free(&g);
    text_free(&forced);
    levels_free(&l);
    return status;
}
