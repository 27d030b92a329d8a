/* SPDX-License-Identifier: MIT
 * cmd_results.c - many runs in one SQLite file, asked together. */
#include "bench/command.h"
#include "bench/rows/archive.h"
#include "kernels/base/text.h"
#include <stdio.h>

static const char usual_db[] = "results.sqlite";

struct request {
    struct option_list words;
    const char *db, *where, *recall, *columns;
    double level;
    int json, force, interpolate;
};

static int parse(int argc, char **argv, struct request *r, struct err *e)
{
    *r = (struct request){ .db = usual_db, .recall = "recall_strict", .level = 0.95 };
    const struct option options[] = {
        { "--db", OPTION_TEXT, &r->db, 0, 0 },           { "--where", OPTION_TEXT, &r->where, 0, 0 },
        { "--column", OPTION_TEXT, &r->recall, 0, 0 },   { "--columns", OPTION_TEXT, &r->columns, 0, 0 },
        { "--recall", OPTION_REAL, &r->level, 0, 1 },    { "--json", OPTION_FLAG, &r->json, 0, 0 },
        { "--force", OPTION_FLAG, &r->force, 0, 0 },     { "--interpolate", OPTION_FLAG, &r->interpolate, 0, 0 },
        { 0 },
    };
    return options_parse(argc, argv, options, &r->words, e);
}

static int import(int argc, char **argv, struct err *e)
{
    struct request r;
    struct archive *a = NULL;
    struct archive_added n;
    int status = parse(argc, argv, &r, e);
    if (status == ERR_OK && r.words.count == 0) status = FAIL(e, ERR_ARG, "import needs folders or CSV files");
    if (status == ERR_OK) status = archive_open(&a, r.db, 1, e);
    if (status == ERR_OK) status = archive_import(a, r.words.at, (size_t)r.words.count, &n, e);
    if (status == ERR_OK)
        printf(r.json ? "{\"rows\":%zu,\"rows_before\":%zu,\"files\":%zu,\"files_before\":%zu,\"per_query\":%zu,\"others\":%zu}\n"
                      : "%zu rows added (%zu were there), of %zu files (%zu were there); %zu files of queries; %zu CSV files without "
                        "rows of points passed over\n",
               n.rows, n.rows_before, n.files, n.files_before, n.per_query, n.others);
    archive_close(a);
    return status;
}

/* Opens, asks, prints. */
static int ask(const struct request *r, int (*what)(const struct request *, struct archive *, struct text *, struct err *), struct err *e)
{
    struct archive *a = NULL;
    struct text out = { 0 };
    int status = archive_open(&a, r->db, 0, e);
    if (status == ERR_OK) status = what(r, a, &out, e);
    if (status == ERR_OK) fputs(text_of(&out), stdout);
    text_free(&out);
    archive_close(a);
    return status;
}

static int ask_sql(const struct request *r, struct archive *a, struct text *out, struct err *e)
{
    return archive_query(a, r->words.at[0], r->json, out, e);
}

static int query(int argc, char **argv, struct err *e)
{
    struct request r;
    int status = parse(argc, argv, &r, e);
    if (status == ERR_OK && r.words.count != 1) status = FAIL(e, ERR_ARG, "query needs one statement in SQL");
    return status == ERR_OK ? ask(&r, ask_sql, e) : status;
}

static int ask_level(const struct request *r, struct archive *a, struct text *out, struct err *e)
{
    const struct archive_wish w = { r->where, r->force, r->json };
    return archive_at_recall(a, &w, r->recall, r->level, r->interpolate, out, e);
}

static int at_recall(int argc, char **argv, struct err *e)
{
    struct request r;
    int status = parse(argc, argv, &r, e);
    if (status == ERR_OK && r.words.count) status = FAIL(e, ERR_ARG, "at-recall takes options only, not '%s'", r.words.at[0]);
    return status == ERR_OK ? ask(&r, ask_level, e) : status;
}

static int ask_diff(const struct request *r, struct archive *a, struct text *out, struct err *e)
{
    const struct archive_wish w = { r->where, r->force, r->json };
    return archive_diff(a, &w, r->words.at[0], r->words.at[1], r->columns, out, e);
}

static int diff(int argc, char **argv, struct err *e)
{
    struct request r;
    int status = parse(argc, argv, &r, e);
    if (status == ERR_OK && r.words.count != 2) status = FAIL(e, ERR_ARG, "diff needs two runs");
    return status == ERR_OK ? ask(&r, ask_diff, e) : status;
}

static int run(int argc, char **argv, struct err *e)
{
    static const struct subverb actions[] = {
        { "import", import }, { "query", query }, { "diff", diff }, { "at-recall", at_recall }, { 0 } };
    return command_action(actions, argc, argv, e);
}

const struct command cmd_results = {
    .name = "results",
    .summary = "many runs in one SQLite file: import, query, diff, at-recall",
    .help =
        "usage: assay results import    DIR|CSV ... [--db FILE]       adds what the file does not hold yet\n"
        "       assay results query     SQL [--db FILE]               one statement that changes nothing\n"
        "       assay results diff      RUN RUN [--columns LIST]      the points of both, with paired verdicts\n"
        "       assay results at-recall [--recall R] [--interpolate]  queries a second where enough is found\n\n"
        "  --db FILE        default: results.sqlite.  Tables: rows (columns by their names in CSV), files (path, notes),\n"
        "                   per_query (point_id, run_id, tsv)\n"
        "  --where SQL      at-recall, diff: rows that count, as 'n = 100000 AND batch = 1'\n"
        "  --json           one object a line\n"
        "  --force          diff: also of different machines or binaries; at-recall: those in one table; marked\n\n"
        "import: CSV files of rows (of sweep, ann, rag), and every such one of a folder, with the .pq.tsv beside it.  A row is\n"
        "known by what it says: a file, a grown file and a merge of it add each row once.\n\n"
        "diff: RUN is a run_id or its beginning, a file or folder as it was imported, or a condition in SQL.\n"
        "  --columns LIST   default: those of label_ndcg_at_10, label_mrr, recall_strict, lat_p50_us that both have\n\n"
        "at-recall: of each index by name the fastest measured point that reaches R; datasets, k, batch, threads, machines and\n"
        "binaries in tables of their own.\n"
        "  --recall R       a share, default 0.95;  --column NAME: of what, default recall_strict\n"
        "  --interpolate    also queries a second at just that recall, between two points of one build, which are named\n\n"
        "example:\n"
        "  assay results import results/mine results/yours\n"
        "  assay results query 'SELECT \"index\", recall_strict, qps FROM rows ORDER BY qps DESC LIMIT 10'\n"
        "  assay results diff results/mine results/yours --columns recall_strict,lat_p50_us\n"
        "  assay results at-recall --recall .95 --interpolate\n",
    .run = run,
};
