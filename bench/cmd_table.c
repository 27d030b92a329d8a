/* SPDX-License-Identifier: MIT
 * cmd_table.c - results as a table for a person or a paper, with what is significant marked. */
#include "bench/command.h"
#include "bench/rows/contrast.h"
#include "kernels/base/option.h"
#include <stdio.h>

struct asked {
    struct option_list files;
    const char *columns;
    int latex, markdown, ablation, all;
};

static int print(const struct asked *a, struct err *e)
{
    struct contrast c = { 0 };
    struct text out = { 0 };
    const struct contrast_plan plan = { a->columns, a->latex      ? SHEET_LATEX
                                                    : a->markdown ? SHEET_MARKDOWN
                                                                  : SHEET_PLAIN };
    int status = ERR_OK;
    for (int i = 0; status == ERR_OK && i < a->files.count; i++)
        status = contrast_add(&c, a->files.at[i], e);
    if (status == ERR_OK && (a->ablation || (!a->all && contrast_is_star(&c))))
        status = contrast_ablation(&c, &plan, &out, e);
    else if (status == ERR_OK)
        status = contrast_table(&c, &plan, &out, e);
    if (status == ERR_OK) fputs(text_of(&out), stdout);
    text_free(&out);
    contrast_free(&c);
    return status;
}

static int run(int argc, char **argv, struct err *e)
{
    struct asked a = { 0 };
    const struct option options[] = {
        { "--columns", OPTION_TEXT, &a.columns, 0, 0 },
        { "--latex", OPTION_FLAG, &a.latex, 0, 0 },
        { "--markdown", OPTION_FLAG, &a.markdown, 0, 0 },
        { "--ablation", OPTION_FLAG, &a.ablation, 0, 0 },
        { "--all", OPTION_FLAG, &a.all, 0, 0 },
        { 0 },
    };
    const int status = options_parse(argc, argv, options, &a.files, e);
    if (status != ERR_OK) return status;
    if (a.files.count == 0) return FAIL(e, ERR_ARG, "name at least one CSV file");
    if (a.latex && a.markdown) return FAIL(e, ERR_ARG, "--latex and --markdown: choose one");
    if (a.ablation && a.all) return FAIL(e, ERR_ARG, "--ablation and --all: choose one");
    return print(&a, e);
}

const struct command cmd_table = {
    .name = "table",
    .summary = "results as a table: plain, Markdown or LaTeX, with what is significant marked",
    .help =
        "usage: assay table [--ablation | --all] [--columns LIST] [--latex | --markdown] CSV [CSV "
        "...]\n\n"
        "One table for each data set, machine and k.  Rows of other seeds and repetitions are one "
        "point.\n"
        "Of a sweep of one axis at a time, the ablation: the baseline, each change alone, the "
        "paired difference with its\n"
        "95 % interval, Holm-corrected p, and latency.  Of others, every point: in each column of "
        "quality the best (bold,\n"
        "in plain text *) and those that are not significantly worse (=).  Tests are randomization "
        "tests over the queries\n"
        "in POINT_ID.pq.tsv beside each CSV.\n\n"
        "  --ablation      the ablation, whatever the sweep was\n"
        "  --all           every point, of a sweep of one axis at a time too\n"
        "  --columns LIST  columns of quality: label_mrr,recall_p5   (up to three that say most)\n"
        "  --latex         a tabular\n"
        "  --markdown      a table for a page\n\n"
        "example: assay table results/default/sweep.csv --columns label_ndcg_at_10 --markdown\n",
    .run = run,
};
