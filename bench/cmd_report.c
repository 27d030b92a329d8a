/* SPDX-License-Identifier: MIT
 * cmd_report.c - a folder of results as one HTML page that needs nothing else, or two side by side. */
#include "bench/command.h"
#include "bench/report/changes.h"
#include "bench/report/page.h"
#include "bench/rows/output.h"
#include "kernels/base/option.h"

static int report(const char *dir, struct err *e)
{
    struct folder folder = { 0 };
    struct text page = { 0 };
    int status = folder_open(&folder, dir, e);
    if (status == ERR_OK) status = page_write(&page, &folder, e);
    if (status == ERR_OK) status = output_write_in(dir, "report.html", &page, e);
    if (status == ERR_OK) printf("%s/report.html\n", dir);
    text_free(&page);
    folder_free(&folder);
    return status;
}

static int report_two(const char *a, const char *b, struct err *e)
{
    struct folder was = { 0 }, is = { 0 };
    struct text page = { 0 };
    int status = folder_open(&was, a, e);
    if (status == ERR_OK) status = folder_open(&is, b, e);
    if (status == ERR_OK) status = changes_write(&page, &was, &is, a, b, e);
    if (status == ERR_OK) status = output_write_in(b, "changes.html", &page, e);
    if (status == ERR_OK) printf("%s/changes.html\n", b);
    text_free(&page);
    folder_free(&was);
    folder_free(&is);
    return status;
}

static int run(int argc, char **argv, struct err *e)
{
    struct option_list dirs = { 0 };
    const struct option none[] = { { 0 } };
    const int status = options_parse(argc, argv, none, &dirs, e);
    if (status != ERR_OK) return status;
    if (dirs.count == 2) return report_two(dirs.at[0], dirs.at[1], e);
    if (dirs.count != 1) return FAIL(e, ERR_ARG, "name one folder of results, or two");
    return report(dirs.at[0], e);
}

const struct command cmd_report = {
    .name = "report",
    .summary = "one self-contained HTML page of a results folder, or of what changed between two",
    .help = "usage: assay report DIR\n"
            "       assay report A B\n\n"
            "Writes DIR/report.html, of DIR and the folders in it: the answer in a sentence or two (the best point by\n"
            "how much, and the one to use, as assay tune has it), the figures (*.svg, as assay plot draws them, with\n"
            "*.narrow.svg for a telephone), tables (*.csv) that sort and filter, where it comes from.  Saved runs of\n"
            "assay bench in it make its history.  The page needs nothing else: no network, no script but its own.\n\n"
            "With two folders B/changes.html: of every point that both have (the same settings and data) what changed\n"
            "from A to B.  Quality is paired by question; time is judged where both have four repetitions or more of\n"
            "it (reps in a sweep, processes in assay bench --save), and else shown.\n\n"
            "example: assay plot results/default/sweep.csv && assay report results/default\n",
    .run = run,
};
