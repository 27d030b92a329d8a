/* SPDX-License-Identifier: MIT
 * cmd_cite.c - where a number comes from: command, data, sources and machine of one row. */
#include "bench/command.h"
#include "bench/rows/table.h"
#include "kernels/base/option.h"
#include "kernels/base/text.h"
#include <stdio.h>
#include <string.h>

/* Files that were merged have the notes of all. */
static void say_note(const struct table *t, const char *key, const char *label)
{
    const size_t size = strlen(key);
    struct text plain = { 0 };
    for (size_t i = 0; i < t->note_count; i++)
        if (strncmp(t->notes[i], key, size) == 0 && t->notes[i][size] == ':')
            printf("%-9s %s\n", label,
                   text_plain(&plain, t->notes[i] + size + 1 + strspn(t->notes[i] + size + 1, " ")));
    text_free(&plain);
}

/* A point by its id, or by as much of it as no other point begins with. */
static int find(const struct table *t, const char *path, const char *wanted, size_t *out,
                struct err *e)
{
    const int id = table_column(t, "point_id");
    size_t found = t->count;
    if (id < 0) return FAIL(e, ERR_FORMAT, "%s: no file of rows (no column point_id)", path);
    for (size_t r = 0; r < t->count; r++) {
        if (strncmp(table_text(t, r, id), wanted, strlen(wanted)) != 0) continue;
        if (found < t->count && strcmp(table_text(t, found, id), table_text(t, r, id)) != 0)
            return FAIL(e, ERR_ARG, "%s: %s is the beginning of %s and of %s", path, wanted,
                        table_text(t, found, id), table_text(t, r, id));
        if (found == t->count) found = r;
    }
    if (found == t->count) return FAIL(e, ERR_NOT_FOUND, "%s: no point %s", path, wanted);
    *out = found;
    return ERR_OK;
}

static void say(const struct table *t, size_t row, const char *label, const char *column)
{
    const char *value = table_text(t, row, table_column(t, column));
    struct text plain = { 0 };
    if (*value) printf("%-9s %s\n", label, text_plain(&plain, value));
    text_free(&plain);
}

static void cite(const struct table *t, size_t row)
{
    say(t, row, "point", "point_id");
    say(t, row, "dataset", "dataset");
    say(t, row, "data", "data");
    say(t, row, "index", "index");
    say(t, row, "seed", "seed");
    say_note(t, "command", "command");
    say_note(t, "config", "config");
    say_note(t, "assay", "commit");
    say_note(t, "sources", "sources");
    say(t, row, "binary", "binary");
    say_note(t, "build", "build");
    say(t, row, "machine", "machine");
    say_note(t, "cpu", "cpu");
    say_note(t, "time", "time");
    say(t, row, "kernels", "kernel_used");
}

/* The same as one object; a key that several notes have takes the first. */
static void cite_json(const struct table *t, size_t row)
{
    static const char *const columns[] = { "point_id", "dataset", "data",    "index",
                                           "seed",     "binary",  "machine", "kernel_used" };
    static const char *const notes[][2] = { { "command", "command" }, { "config", "config" },
                                            { "assay", "commit" },    { "sources", "sources" },
                                            { "build", "build" },     { "cpu", "cpu" },
                                            { "time", "time" } };
    struct text out = { 0 };
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        text_add(&out, "%s\"%s\":", i ? "," : "{", columns[i]);
        text_add_json(&out, table_text(t, row, table_column(t, columns[i])));
    }
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        text_add(&out, ",\"%s\":", notes[i][1]);
        text_add_json(&out, table_note(t, notes[i][0]));
    }
    text_add(&out, "}\n");
    fputs(text_of(&out), stdout);
    text_free(&out);
}

static int run(int argc, char **argv, struct err *e)
{
    int json = 0;
    struct option_list what = { 0 };
    const struct option options[] = { { "--json", OPTION_FLAG, &json, 0, 0 }, { 0 } };
    int status = options_parse(argc, argv, options, &what, e);
    if (status != ERR_OK) return status;
    if (what.count != 2) return FAIL(e, ERR_ARG, "name a CSV file and a point_id of it");
    struct table t = { 0 };
    size_t row = 0;
    status = table_append(&t, what.at[0], e);
    if (status == ERR_OK) status = find(&t, what.at[0], what.at[1], &row, e);
    if (status == ERR_OK && json)
        cite_json(&t, row);
    else if (status == ERR_OK)
        cite(&t, row);
    table_free(&t);
    return status;
}

const struct command cmd_cite = {
    .name = "cite",
    .summary = "where a row comes from: command, data, commit, machine",
    .help = "usage: assay cite [--json] CSV POINT\n\n"
            "POINT is a point_id of the file, or as much of its beginning as no other has.  Prints "
            "the command that measured the\n"
            "row, hashes of data, sources and program, commit, build and machine: what a paper has "
            "to say beside a number.\n\n"
            "  --json   one object\n\n"
            "example: assay cite results/reference/wordnet.csv 0f3a\n",
    .run = run,
};
