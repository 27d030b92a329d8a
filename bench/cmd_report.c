/* SPDX-License-Identifier: MIT
 * cmd_report.c - a folder of results as one HTML page that needs nothing else. */
#include "bench/command.h"
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

static int run(int argc, char **argv, struct err *e)
{
    struct option_list dirs = { 0 };
    const struct option none[] = { { 0 } };
    const int status = options_parse(argc, argv, none, &dirs, e);
    if (status != ERR_OK) return status;
    if (dirs.count != 1) return FAIL(e, ERR_ARG, "name one folder of results");
    return report(dirs.at[0], e);
}

const struct command cmd_report = {
    .name = "report",
    .summary = "one self-contained HTML page of a results folder",
    .help = "usage: assay report DIR\n\n"
            "Writes DIR/report.html, of DIR and the folders in it: the answer in a sentence or two (the best point by\n"
            "how much, and the one to use, as assay tune has it), the figures (*.svg, as assay plot draws them, with\n"
            "*.narrow.svg for a telephone), tables (*.csv) that sort and filter, where it comes from.  The page needs\n"
            "nothing else: no network, and no script but its own.\n\n"
            "example: assay plot results/default/sweep.csv && assay report results/default\n",
    .run = run,
};
