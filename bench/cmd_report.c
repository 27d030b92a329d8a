/* SPDX-License-Identifier: MIT
 * cmd_report.c - a folder of results as one HTML page that needs nothing else: no network, no
 * script to be read (sorting is the only thing that wants one). */
#include "bench/command.h"
#include "bench/rows/output.h"
#include "bench/rows/svg.h"
#include "bench/rows/table.h"
#include "kernels/base/mem.h"
#include "kernels/base/option.h"
#include "kernels/base/text.h"
#include "datasets/sha256.h"
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>\n"
    "body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 "
    "1em;color:#222}\n"
    "pre{background:#f6f6f6;padding:1em;overflow-x:auto;font-size:13px}\n"
    "figure{margin:2em 0}figcaption{font-weight:bold}svg{width:100%;max-width:56em;height:auto}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:13px}\n"
    "th,td{padding:.2em .6em;text-align:right;white-space:nowrap;border-bottom:1px solid #ddd}\n"
    "th{background:#f6f6f6;position:sticky;top:0;cursor:pointer}.t{text-align:left}\n"
    "</style>\n";

static const char sorter[] =
    "\n"
    "document.querySelectorAll('th').forEach(function (th) { th.onclick = function () {\n"
    "  var body = th.closest('table').tBodies[0], i = th.cellIndex, up = th.dataset.up = "
    "th.dataset.up == '1' ? '0' : '1';\n"
    "  Array.from(body.rows).sort(function (a, b) {\n"
    "    var x = a.cells[i].textContent, y = b.cells[i].textContent, d = x - y;\n"
    "    if (x === '' || y === '') return (x === '') - (y === '');\n"
    "    if (isNaN(d)) d = x < y ? -1 : x > y ? 1 : 0;\n"
    "    return up == '1' ? d : -d;\n"
    "  }).forEach(function (row) { body.appendChild(row); });\n"
    "}; });\n";

static void add_escaped(struct text *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '<')
            text_add(out, "&lt;");
        else if (*s == '>')
            text_add(out, "&gt;");
        else if (*s == '&')
            text_add(out, "&amp;");
        else if (*s == '"')
            text_add(out, "&quot;");
        else
            text_add_bytes(out, s, 1);
    }
}

/* Numbers as a person reads them: four significant digits, counts whole. */
static void add_cell(struct text *out, const char *cell)
{
    double value;
    if (!text_to_f64(cell, &value) || !isfinite(value)) {
        text_add(out, "<td class=\"t\">");
        add_escaped(out, cell);
    } else if (value == floor(value) || !strpbrk(cell, ".e")) {
        text_add(out, "<td>%s", cell);
    } else {
        text_add(out, "<td>%.4g", value);
    }
    text_add(out, "</td>");
}

static int varies(const struct table *t, size_t column)
{
    for (size_t r = 1; r < t->count; r++)
        if (strcmp(table_text(t, 0, (int)column), table_text(t, r, (int)column)) != 0) return 1;
    return 0;
}

static int is_bookkeeping(const char *column)
{
    return strcmp(column, "run_id") == 0 || strcmp(column, "point_id") == 0 ||
           strcmp(column, "schema") == 0;
}

static void add_table(struct text *out, const struct table *t)
{
    text_add(out, "<p>The same in every row: ");
    for (size_t c = 0, n = 0; c < t->columns; c++) {
        if (t->count == 0 || is_bookkeeping(t->names[c]) || varies(t, c) ||
            !*table_text(t, 0, (int)c))
            continue;
        text_add(out, n++ ? ", " : "");
        add_escaped(out, t->names[c]);
        text_add(out, " = <code>");
        add_escaped(out, table_text(t, 0, (int)c));
        text_add(out, "</code>");
    }
    text_add(out, ".</p>\n<div class=\"wide\"><table><thead><tr>");
    for (size_t c = 0; c < t->columns; c++) {
        if (!varies(t, c) || is_bookkeeping(t->names[c])) continue;
        text_add(out, "<th>");
        add_escaped(out, t->names[c]);
        text_add(out, "</th>");
    }
    text_add(out, "</tr></thead><tbody>\n");
    for (size_t r = 0; r < t->count; r++) {
        text_add(out, "<tr>");
        for (size_t c = 0; c < t->columns; c++)
            if (varies(t, c) && !is_bookkeeping(t->names[c]))
                add_cell(out, table_text(t, r, (int)c));
        text_add(out, "</tr>\n");
    }
    text_add(out, "</tbody></table></div>\n");
}

static int add_results(struct text *out, const char *path, const char *name, struct err *e)
{
    struct table t = { 0 };
    const int status = table_append(&t, path, e);
    if (status == ERR_OK) {
        text_add(out, "<h2>");
        add_escaped(out, name);
        text_add(out, "</h2>\n<p>%zu rows.</p>\n", t.count);
        add_table(out, &t);
        if (t.note_count) text_add(out, "<details><summary>Where it comes from</summary><pre>");
        for (size_t i = 0; i < t.note_count; i++) {
            add_escaped(out, t.notes[i]);
            text_add(out, "\n");
        }
        if (t.note_count) text_add(out, "</pre></details>\n");
    }
    table_free(&t);
    return status;
}

static int add_figure(struct text *out, const char *path, const char *name, struct err *e)
{
    struct mem_map map;
    const int status = mem_map_open(&map, path, e);
    if (status != ERR_OK) return status;
    struct text caption = { 0 };
    text_add(&caption, "%.*s", (int)(strlen(name) - strlen(".svg")), name);
    text_add(out, "<figure><figcaption>");
    add_escaped(out, text_of(&caption));
    text_add(out, "</figcaption>\n");
    const int added = svg_add(out, (const char *)map.at, map.size);
    text_add(out, "</figure>\n");
    text_free(&caption);
    mem_map_close(&map);
    return added ? ERR_OK : FAIL(e, ERR_FORMAT, "%s: not an SVG file", path);
}

static int add_summary(struct text *out, const char *path, const char *name, struct err *e)
{
    (void)name;
    struct mem_map map;
    const int status = mem_map_open(&map, path, e);
    if (status != ERR_OK) return status;
    struct text copy = { 0 };
    if (map.size) text_add_bytes(&copy, map.at, map.size);
    text_add(out, "<pre>");
    add_escaped(out, text_of(&copy));
    text_add(out, "</pre>\n");
    text_free(&copy);
    mem_map_close(&map);
    return ERR_OK;
}

static const struct part {
    const char *suffix;
    int (*add)(struct text *out, const char *path, const char *name, struct err *e);
} parts[] = { { "summary.txt", add_summary }, { ".svg", add_figure }, { ".csv", add_results } };

static int ends_with(const char *name, const char *suffix)
{
    const size_t size = strlen(name), tail = strlen(suffix);
    return size >= tail && strcmp(name + size - tail, suffix) == 0;
}

/* The names of a folder and of the folders in it, one level down: "sweep.csv", "twohop/sweep.csv".
 */
static int list_files(const char *dir, const char *below, struct text *names, struct err *e)
{
    struct text path = { 0 };
    text_add(&path, "%s%s%s", dir, *below ? "/" : "", below);
    struct dirent **entries;
    const int count = scandir(text_of(&path), &entries, NULL, alphasort);
    int status = ERR_OK;
    if (count < 0)
        status = FAIL(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", text_of(&path),
                      strerror(errno));
    for (int folders = 0; folders < 2; folders++) /* the folder's own files first */
        for (int i = 0; i < count; i++) {
            const char *name = entries[i]->d_name;
            const int is_folder = entries[i]->d_type == DT_DIR;
            if (is_folder != folders || name[0] == '.') continue;
            if (!is_folder)
                text_add(names, "%s%s%s\n", below, *below ? "/" : "", name);
            else if (!*below && status == ERR_OK)
                status = list_files(dir, name, names, e);
        }
    for (int i = 0; i < count; i++) free(entries[i]);
    if (count >= 0) free(entries);
    text_free(&path);
    return status;
}

static int collect(struct text *page, const char *dir, size_t *found, struct err *e)
{
    struct text names = { 0 };
    int status = list_files(dir, "", &names, e);
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        const char *end;
        for (const char *at = text_of(&names); status == ERR_OK && (end = strchr(at, '\n'));
             at = end + 1) {
            struct text name = { 0 }, path = { 0 };
            text_add_bytes(&name, at, (size_t)(end - at));
            text_add(&path, "%s/%s", dir, text_of(&name));
            if (ends_with(text_of(&name), parts[p].suffix) && !ends_with(text_of(&name), ".narrow.svg")) {
                status = parts[p].add(page, text_of(&path), text_of(&name), e);
                (*found)++;
            }
            text_free(&name);
            text_free(&path);
        }
    }
    text_free(&names);
    return status;
}

/* Nothing may be fetched, and no script run but ours, which is known by its hash. */
static void add_policy(struct text *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char hex[65];
    unsigned char hash[33] = { 0 };
    sha256_hex(sorter, sizeof sorter - 1, hex);
    for (int i = 0; i < 32; i++) {
        const char pair[3] = { hex[2 * i], hex[2 * i + 1], 0 };
        hash[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    text_add(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
                  "script-src 'sha256-");
    for (int i = 0; i < 33; i += 3) {
        const unsigned bits = (unsigned)hash[i] << 16 | (unsigned)hash[i + 1] << 8 | hash[i + 2];
        const char four[4] = { digits[bits >> 18], digits[bits >> 12 & 63], digits[bits >> 6 & 63], i == 30 ? '=' : digits[bits & 63] };
        text_add_bytes(out, four, 4);
    }
    text_add(out, "'; base-uri 'none'; form-action 'none'\">\n");
}

static int run(int argc, char **argv, struct err *e)
{
    struct option_list dirs = { 0 };
    const struct option none[] = { { 0 } };
    int status = options_parse(argc, argv, none, &dirs, e);
    if (status != ERR_OK) return status;
    if (dirs.count != 1) return FAIL(e, ERR_ARG, "name one folder of results");
    struct text page = { 0 };
    size_t found = 0;
    text_add_bytes(&page, head, sizeof head - 1);
    add_policy(&page);
    text_add(&page, "<title>");
    add_escaped(&page, dirs.at[0]);
    text_add(&page, "</title></head><body>\n<h1>");
    add_escaped(&page, dirs.at[0]);
    text_add(&page, "</h1>\n");
    status = collect(&page, dirs.at[0], &found, e);
    text_add(&page, "<script>");
    text_add_bytes(&page, sorter, sizeof sorter - 1);
    text_add(&page, "</script>\n</body></html>\n");
    if (status == ERR_OK && found == 0)
        status = FAIL(e, ERR_NOT_FOUND, "%s: holds no .csv and no .svg", dirs.at[0]);
    if (status == ERR_OK) status = output_write_in(dirs.at[0], "report.html", &page, e);
    if (status == ERR_OK) printf("%s/report.html\n", dirs.at[0]);
    text_free(&page);
    return status;
}

const struct command cmd_report = {
    .name = "report",
    .summary = "one self-contained HTML page of a results folder",
    .help = "usage: assay report DIR\n\n"
            "Writes DIR/report.html: summary.txt, then every figure (*.svg, inlined), then every table\n"
            "(*.csv; a click on a column sorts by it) with where it comes from, those in folders of\n"
            "DIR too.  The page needs nothing else.\n\n"
            "example: assay plot results/default/sweep.csv && assay report results/default\n",
    .run = run,
};
