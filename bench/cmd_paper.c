/* SPDX-License-Identifier: MIT
 * cmd_paper.c - tables of papers, recomputed: paper | theory | ours | verdict. */
#include "bench/command.h"
#include "bench/rows/output.h"
#include "bench/papers/paper.h"
#include "bench/rows/run.h"
#include "kernels/base/option.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

struct report {
    const struct paper_ops *paper;
    struct text csv;
};

static void add_number(struct text *csv, double value)
{
    if (isfinite(value)) text_add(csv, "%.9g", value);
    text_add(csv, ",");
}

static void show(double value)
{
    if (isfinite(value))
        printf("  %9.3g", value);
    else
        printf("  %9s", "-");
}

static int each(const struct finding *f, void *context, struct err *e)
{
    struct report *r = context;
    (void)e;
    printf("%-60s", f->index[0] ? f->index : f->quantity);
    show(f->published);
    show(f->theory);
    show(f->ours);
    printf("  %s\n", finding_verdict(f));
    text_add(&r->csv, "%s,%s,", r->paper->name, f->quantity);
    csv_add(&r->csv, f->index);
    text_add(&r->csv, ",%zu,%zu,%d,", f->dim, f->n, f->bits);
    add_number(&r->csv, f->published);
    add_number(&r->csv, f->theory);
    add_number(&r->csv, f->ours);
    add_number(&r->csv, f->ours_error);
    add_number(&r->csv, f->ours_lo);
    add_number(&r->csv, f->ours_hi);
    text_add(&r->csv, "%s\n", finding_verdict(f));
    return ERR_OK;
}

static int run_paper(const struct paper_ops *paper, const char *out, int argc, char **argv,
                     struct err *e)
{
    struct run run;
    int status = run_init(&run, argc, argv, e);
    if (status != ERR_OK) return status;
    struct report r = { .paper = paper };
    text_add(
        &r.csv,
        "%s# paper: %s\npaper,quantity,index,dim,n,bits,published,theory,ours,ours_error,ours_lo,ours_hi,verdict\n",
        text_of(&run.notes), paper->reference);
    printf("%s: %s\n%-60s  %9s  %9s  %9s  %s\n", paper->reference, paper->summary, "", "paper",
           "theory", "ours", "verdict");
    status = paper->run(each, &r, e);
    if (status == ERR_OK && out) status = output_write(out, &r.csv, e);
    text_free(&r.csv);
    run_fini(&run);
    return status;
}

static int run(int argc, char **argv, struct err *e)
{
    const char *out = NULL;
    struct option_list what = { 0 };
    const struct option options[] = { { "--out", OPTION_TEXT, &out, 0, 0 }, { 0 } };
    const int status = options_parse(argc, argv, options, &what, e);
    if (status != ERR_OK) return status;
    if (what.count != 1) return FAIL(e, ERR_ARG, "name one paper, or list");
    const char *names[64] = { "list" };
    size_t count = 1;
    for (size_t i = 0; paper_at(i) && count < sizeof names / sizeof *names; i++) {
        if (strcmp(what.at[0], "list") == 0)
            printf("%-12s %s: %s\n", paper_at(i)->name, paper_at(i)->reference,
                   paper_at(i)->summary);
        if (strcmp(what.at[0], paper_at(i)->name) == 0)
            return run_paper(paper_at(i), out, argc, argv, e);
        names[count++] = paper_at(i)->name;
    }
    if (strcmp(what.at[0], "list") == 0) return ERR_OK;
    return FAIL(e, ERR_ARG, "no paper '%s'%s", what.at[0], NEAREST(what.at[0], names, count));
}

const struct command cmd_paper = {
    .name = "paper",
    .summary = "reproduce a paper's table: paper | theory | ours | verdict",
    .help = "usage: assay paper list\n"
            "       assay paper NAME [--out FILE.csv]\n\n"
            "Recomputes a published table.  reproduced: ours is within four standard errors (and a "
            "thousandth)\n"
            "of the theory, and within one unit of the last digit that the paper prints.\n\n"
            "  --out FILE.csv   also write the table, for assay plot and assay report\n\n"
            "example: assay paper turboquant --out results/default/turboquant.csv\n",
    .run = run,
};
