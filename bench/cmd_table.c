/* SPDX-License-Identifier: MIT
 * cmd_table.c - results as a table for a person or a paper, with what is significant marked. */
#include "bench/command.h"
#include "bench/report/widest.h"
#include "bench/rows/contrast.h"
#include "bench/rows/pivot.h"
#include "kernels/base/option.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

struct asked {
    struct option_list files;
    const char *columns, *rows, *cols, *value;
    int latex, markdown, ablation, all;
};

/* What the base of a compare.csv was off from itself; 0: no such file. */
static int against_itself(const char *path, struct text *out)
{
    struct table t = { 0 };
    const int is_one = table_append(&t, path, NULL) == ERR_OK && table_column(&t, "arm") >= 0 && table_column(&t, "ratio") >= 0;
    for (size_t r = 0; is_one && r < t.count; r++)
        if (strcmp(table_text(&t, r, table_column(&t, "arm")), "A/A") == 0 && !out->size)
            text_add(out, "%.2f \\%%", 100 * fabs(table_number(&t, r, table_column(&t, "ratio")) - 1));
    table_free(&t);
    return is_one;
}

/* Cells and columns may come from anybody's CSV. */
static void put(const struct text *out)
{
    struct text plain = { 0 };
    text_add_plain_lines(&plain, text_of(out));
    fputs(text_of(&plain), stdout);
    text_free(&plain);
}

static int print_pivot(const struct asked *a, enum sheet_format format, struct err *e)
{
    struct contrast c = { 0 };
    struct text out = { 0 }, itself = { 0 };
    int status = ERR_OK;
    for (int i = 0; status == ERR_OK && i < a->files.count; i++)
        if (!against_itself(a->files.at[i], &itself)) status = contrast_add(&c, a->files.at[i], e);
    const struct pivot_plan plan = { a->rows ? a->rows : "index", a->cols ? a->cols : "bits", a->value ? a->value : "recall_strict",
                                     format, itself.size ? text_of(&itself) : NULL };
    if (status == ERR_OK) status = pivot_print(&c, &plan, &out, e);
    if (status == ERR_OK) put(&out);
    text_free(&out);
    text_free(&itself);
    contrast_free(&c);
    return status;
}

/* Does the file hold the samples of a saved bench run? */
static int holds_samples(const char *path)
{
    struct table t = { 0 };
    const int is_one = table_append(&t, path, NULL) == ERR_OK && widest_is(&t);
    table_free(&t);
    return is_one;
}

static int print_kernels(const struct asked *a, enum sheet_format format, struct err *e)
{
    struct text out = { 0 };
    int status = ERR_OK;
    for (int i = 0; status == ERR_OK && i < a->files.count; i++) {
        text_add(&out, "%s", i ? "\n" : "");
        status = widest_print(a->files.at[i], format, &out, e);
    }
    if (status == ERR_OK) put(&out);
    text_free(&out);
    return status;
}

static int print(const struct asked *a, struct err *e)
{
    const enum sheet_format format = a->latex ? SHEET_LATEX : a->markdown ? SHEET_MARKDOWN : SHEET_PLAIN;
    if (holds_samples(a->files.at[0])) return print_kernels(a, format, e);
    if (a->rows || a->cols || a->value) return print_pivot(a, format, e);
    struct contrast c = { 0 };
    struct text out = { 0 };
    const struct contrast_plan plan = { a->columns, format };
    int status = ERR_OK;
    for (int i = 0; status == ERR_OK && i < a->files.count; i++)
        status = contrast_add(&c, a->files.at[i], e);
    if (status == ERR_OK && (a->ablation || (!a->all && contrast_is_star(&c))))
        status = contrast_ablation(&c, &plan, &out, e);
    else if (status == ERR_OK)
        status = contrast_table(&c, &plan, &out, e);
    if (status == ERR_OK) put(&out);
    text_free(&out);
    contrast_free(&c);
    return status;
}

static int run(int argc, char **argv, struct err *e)
{
    struct asked a = { 0 };
    const struct option options[] = {
        { "--columns", OPTION_TEXT, &a.columns, 0, 0 },
        { "--rows", OPTION_TEXT, &a.rows, 0, 0 },
        { "--cols", OPTION_TEXT, &a.cols, 0, 0 },
        { "--value", OPTION_TEXT, &a.value, 0, 0 },
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
    if ((a.rows || a.cols || a.value) && (a.ablation || a.all || a.columns))
        return FAIL(e, ERR_ARG, "--rows, --cols and --value make a table of their own, without --ablation, --all and --columns");
    return print(&a, e);
}

const struct command cmd_table = {
    .name = "table",
    .summary = "results as a table: plain, Markdown or LaTeX, with what is significant marked",
    .help =
        "usage: assay table [--ablation | --all] [--columns LIST] [--latex | --markdown] CSV [CSV "
        "...]\n"
        "       assay table --rows COLUMN --cols COLUMN --value COLUMN [--latex | --markdown] CSV [CSV ...]\n\n"
        "One table for each data set, machine and k.  Rows of other seeds and repetitions are one "
        "point.\n"
        "Of a sweep of one axis at a time, the ablation: the baseline, each change alone, the "
        "paired difference with its\n"
        "95 % interval, Holm-corrected p, and latency.  Of others, every point: in each column of "
        "quality the best (bold,\n"
        "in plain text *) and those that are not significantly worse (=).  Tests are randomization "
        "tests over the queries\n"
        "in POINT_ID.pq.tsv beside each CSV.\n\n"
        "Of saved runs of assay bench (--save), of every operation: its default row, whether the widest is the best here, by\n"
        "how much over the compilers' and over other libraries' rows, and over itself.\n\n"
        "  --ablation      the ablation, whatever the sweep was\n"
        "  --all           every point, of a sweep of one axis at a time too\n"
        "  --columns LIST  columns of quality: label_mrr,recall_p5   (up to three that say most)\n"
        "  --rows COLUMN   one number of each point: this down                           (index)\n"
        "  --cols COLUMN   this across                                                   (bits)\n"
        "  --value COLUMN  and this in the cells, mean +- half its interval; settings that vary besides are at\n"
        "                  their usual values.  In LaTeX with a \\newcommand for each headline number and a\n"
        "                  paragraph on methods, which a compare.csv among the files tells its A/A   (recall_strict)\n"
        "  --latex         a tabular, for booktabs and siunitx\n"
        "  --markdown      a table for a page\n\n"
        "example: assay table results/default/sweep.csv --columns label_ndcg_at_10 --markdown\n"
        "         assay table results/reference/clustered.csv --latex --rows index --cols bits --value recall_strict\n",
    .run = run,
};
