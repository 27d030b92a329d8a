/* SPDX-License-Identifier: MIT
 * cmd_paper.c - papers, recomputed: paper | theory | ours +- | verdict | why. */
#include "bench/command.h"
#include "bench/papers/item.h"
#include "bench/papers/scratch.h"
#include "bench/papers/screen.h"
#include "bench/papers/show.h"
#include "bench/rows/output.h"
#include "bench/time/progress.h"
#include "kernels/base/file.h"
#include "kernels/base/parallel.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct asked {
    struct paper_asked paper;
    struct option_list kbs;
    int argc;
    char **argv;
    size_t kept, run;
    struct progress progress; /* of the items that are measured */
    char name[128];           /* of the one that is now */
};

/* --- assay paper list ------------------------------------------------------------------------------- */

static void list_item(const struct paper_plan *p, const char *name)
{
    const struct paper_item *item = paper_item_find(p->paper, name);
    char classes[4];
    const char *why = "";
    paper_plan_classes(p, name, classes);
    for (size_t i = 0; i < p->table.count; i++)
        if (!item && strcmp(p->table.lines[i].item, name) == 0) why = p->table.lines[i].why;
    printf("  %-3s %-22s %s\n", classes, name, item ? item->summary : why);
}

static const char citations[] =
#include "gen/citations.tsv.inc"
    ;

/* What the engine's sources cite, and what they mean. */
static void list_citations(void)
{
    printf("\nThe engine's own citations, corrected (its stages are inspired by these papers; none of them defines a stage):\n");
    for (const char *line = strchr(citations, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        const char *id = strchr(line, '\t') + 1, *is = strchr(id, '\t') + 1, *paper = strchr(is, '\t') + 1;
        printf("  %-18.*s %.*s is %.*s: %.*s\n", (int)(id - line - 1), line, (int)(is - id - 1), id, (int)(paper - is - 1), is,
               (int)strcspn(paper, "\n"), paper);
    }
}

static int list(struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && paper_at(i); i++) {
        struct paper_plan p;
        status = paper_plan_init(&p, paper_at(i), e);
        if (status != ERR_OK) break;
        printf("%s%s  %s: %s\n", i ? "\n" : "", p.paper->name, p.paper->reference, p.paper->summary);
        for (size_t k = 0; k < p.count; k++) list_item(&p, p.items[k]);
        paper_plan_fini(&p);
    }
    printf("\nR: the paper's own quantity, on data that it defines.  T: the same mechanism on other data: direction and shape alone.\n"
           "X: impossible without a language model or its training; listed, never claimed.\n");
    list_citations();
    return status;
}

/* --- assay paper NAME[/ITEM] ------------------------------------------------------------------------ */

static int show(const struct paper_plan *p, const char *name, const struct table *rows, const struct paper_asked *a, struct err *e)
{
    const struct paper_item *item = paper_item_find(p->paper, name);
    struct text screen = { 0 }, latex = { 0 };
    char stem[128], file[160];
    int status = ERR_OK;
    paper_screen(rows, screen_width(), &screen);
    printf("%s/%s: %s\n%s\n", p->paper->name, name, item ? item->summary : "", text_of(&screen));
    paper_stem(p->paper->name, name, stem, sizeof stem);
    snprintf(file, sizeof file, "%s.tex", stem);
    if (a->out) {
        paper_sheet(rows, SHEET_LATEX, PAPER_ROWS_ALL, &latex);
        status = output_write_in(a->out, file, &latex, e);
        if (status == ERR_OK && item) status = paper_figures(rows, item, a->out, stem, e);
    }
    text_free(&screen);
    text_free(&latex);
    return status;
}

static int run_item(const struct paper_plan *p, const char *item, struct asked *a, const struct run *run, struct err *e)
{
    struct table rows = { 0 };
    int kept;
    snprintf(a->name, sizeof a->name, "%s/%s, items", p->paper->name, item);
    a->paper.done = a->run;
    int status = paper_item_run(p, item, &a->paper, run, &rows, &kept, e);
    if (status == ERR_OK) a->kept += (size_t)kept, a->run += !kept, a->progress.total -= (uint64_t)kept;
    progress_end(&a->progress);
    if (status == ERR_OK) status = show(p, item, &rows, &a->paper, e);
    table_free(&rows);
    return status;
}

static size_t item_count(const struct paper_ops *paper, const char *item)
{
    struct paper_plan p;
    if (paper_plan_init(&p, paper, NULL) != ERR_OK) return 0; /* run_paper says why */
    const size_t count = item ? 1 : p.count;
    paper_plan_fini(&p);
    return count;
}

/* Found out before the first item has taken its minutes. */
static int check_folder(const char *out, struct err *e)
{
    const int status = folder_make(out, e);
    return status == ERR_OK && access(out, W_OK) != 0 ? FAIL(e, ERR_IO, "%s: %s", out, strerror(errno)) : status;
}

static int run_paper(const struct paper_ops *paper, const char *item, struct asked *a, const struct run *run, struct err *e)
{
    struct paper_plan p;
    size_t done = 0;
    int status = paper_plan_init(&p, paper, e);
    if (status != ERR_OK) return status;
    for (size_t i = 0; status == ERR_OK && i < p.count; i++)
        if (!item || strcmp(item, p.items[i]) == 0) {
            status = run_item(&p, p.items[i], a, run, e);
            done++;
        }
    if (status == ERR_OK && done == 0)
        status = FAIL(e, ERR_ARG, "paper %s has no item '%s'%s", paper->name, item, NEAREST(item, p.items, p.count));
    paper_plan_fini(&p);
    return status;
}

/* what: "all", "NAME" or "NAME/ITEM" */
static int run_papers(const char *what, struct asked *a, struct err *e)
{
    const char *names[64] = { "list", "all", "draw" }, *slash = strchr(what, '/');
    const size_t size = slash ? (size_t)(slash - what) : strlen(what);
    const int everything = strcmp(what, "all") == 0;
    size_t count = 3, done = 0;
    struct run run;
    size_t total = 0;
    int status = run_init(&run, a->argc, a->argv, e);
    scratch_sweep();
    if (status == ERR_OK && a->paper.out) status = check_folder(a->paper.out, e);
    for (size_t i = 0; paper_at(i); i++)
        if (everything || (strlen(paper_at(i)->name) == size && strncmp(paper_at(i)->name, what, size) == 0))
            total += item_count(paper_at(i), everything || !slash ? NULL : slash + 1);
    progress_start(&a->progress, a->name, total);
    a->paper.progress = &a->progress;
    for (size_t i = 0; status == ERR_OK && paper_at(i) && count < sizeof names / sizeof *names; i++) {
        const char *name = names[count++] = paper_at(i)->name;
        if (!everything && !(strlen(name) == size && strncmp(name, what, size) == 0)) continue;
        status = run_paper(paper_at(i), everything || !slash ? NULL : slash + 1, a, &run, e);
        done++;
    }
    run_fini(&run);
    if (status == ERR_OK && done == 0) status = FAIL(e, ERR_ARG, "no paper '%s'%s", what, NEAREST(what, names, count));
    if (status == ERR_OK && a->paper.out && everything) status = paper_page(a->paper.out, e);
    if (status == ERR_OK && a->paper.out)
        printf("%s: %zu items measured, %zu as an earlier run left them\n", a->paper.out, a->run, a->kept);
    return status;
}

/* Figures and pages again, of the CSV files in a folder. */
static int draw(const char *dir, struct err *e)
{
    int status = ERR_OK;
    size_t drawn = 0;
    for (size_t i = 0; status == ERR_OK && paper_at(i); i++) {
        struct paper_plan p;
        status = paper_plan_init(&p, paper_at(i), e);
        if (status != ERR_OK) break;
        for (size_t k = 0; status == ERR_OK && k < p.count; k++) {
            struct table rows = { 0 };
            char stem[128], path[512];
            const struct paper_item *item = paper_item_find(p.paper, p.items[k]);
            paper_stem(p.paper->name, p.items[k], stem, sizeof stem);
            snprintf(path, sizeof path, "%s/%s.csv", dir, stem);
            if (access(path, R_OK) != 0) continue;
            status = table_append(&rows, path, e);
            if (status == ERR_OK && item) status = paper_figures(&rows, item, dir, stem, e);
            table_free(&rows);
            drawn++;
        }
        paper_plan_fini(&p);
    }
    if (status == ERR_OK && drawn == 0) status = FAIL(e, ERR_NOT_FOUND, "%s: no <paper>_<item>.csv lies there", dir);
    if (status == ERR_OK) status = paper_page(dir, e);
    if (status == ERR_OK) printf("%s/README.md: of %zu items\n", dir, drawn);
    return status;
}

static int run(int argc, char **argv, struct err *e)
{
    struct asked a = { .paper = { .data = "../shared/data" }, .argc = argc, .argv = argv };
    struct option_list what = { 0 };
    int64_t seeds = 10, threads = parallel_cpus();
    const struct option options[] = { { "--base", OPTION_TEXT, &a.paper.base, 0, 0 },
                                      { "--query", OPTION_TEXT, &a.paper.query, 0, 0 },
                                      { "--kb", OPTION_LIST, &a.kbs, 0, 0 },
                                      { "--data", OPTION_TEXT, &a.paper.data, 0, 0 },
                                      { "--seeds", OPTION_INT, &seeds, 2, PAPER_SEEDS_MAX },
                                      { "--threads", OPTION_INT, &threads, 1, PARALLEL_THREADS_MAX },
                                      { "--quick", OPTION_FLAG, &a.paper.quick, 0, 0 },
                                      { "--out", OPTION_TEXT, &a.paper.out, 0, 0 },
                                      { 0 } };
    const int status = options_parse(argc, argv, options, &what, e);
    if (status != ERR_OK) return status;
    if (what.count == 2 && strcmp(what.at[0], "draw") == 0) return draw(what.at[1], e);
    if (what.count != 1) return FAIL(e, ERR_ARG, "name one paper, NAME/ITEM, all, or list; or draw and a folder");
    if (!a.paper.base != !a.paper.query) return FAIL(e, ERR_ARG, "--base and --query go together");
    a.paper.seeds = (size_t)seeds;
    a.paper.threads = (int)threads;
    a.paper.kbs = a.kbs.at;
    a.paper.kb_count = (size_t)a.kbs.count;
    return strcmp(what.at[0], "list") == 0 ? list(e) : run_papers(what.at[0], &a, e);
}

const struct command cmd_paper = {
    .name = "paper",
    .summary = "recompute papers: paper | theory | ours +- | verdict | why",
    .help =
        "usage: assay paper list\n"
        "       assay paper NAME[/ITEM] | all [options]\n"
        "       assay paper draw DIR\n\n"
        "Recomputes what a paper published, item by item.  `list` names them, each with its class: R, the paper's own quantity\n"
        "on data that it defines; T, the same mechanism on other data, of which direction and shape are compared; X, impossible\n"
        "here.  Verdicts come of intervals (99.9 %) and of tolerances that stand in bench/papers/NAME.tsv.\n"
        "`draw` makes figures and pages again of the CSV files in a folder, and measures nothing.\n\n"
        "  --base FILE --query FILE   vectors of your own, for the items that take some\n"
        "  --kb DB                    a knowledge base of your own, for the items that take some; many times\n"
        "  --data DIR                 folder of published sets, a folder each   (default ../shared/data)\n"
        "  --seeds N                  draws of vectors, rotations, ...          (default 10)\n"
        "  --threads N                threads that may be used                  (default: all CPUs)\n"
        "  --quick                    smaller sizes: all papers in less than ten minutes on two cores\n"
        "  --out DIR                  <paper>_<item>.csv, .tex and figures, of all: README.md; items that are there,\n"
        "                             of the same program, options and files, are not run again\n\n"
        "example: assay paper turboquant/distortion --quick --out mine\n",
    .run = run,
};
