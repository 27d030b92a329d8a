/* SPDX-License-Identifier: MIT
 * cmd_plot.c - CSV to figures: the series are made here, drawn by gnuplot with scripts/plots/. */
#include "bench/command.h"
#include "bench/rows/figure_draw.h"
#include "bench/rows/figure_kinds.h"
#include "bench/rows/output.h"
#include "bench/rows/strata.h"
#include "kernels/base/mem.h"
#include "kernels/base/option.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

struct plot {
    const char *out; /* folder */
    const struct canvas_size *size;
    const char *stratum; /* "lid=5": every figure over the queries of that fifth alone; NULL: over all */
    size_t drawn;
    struct text flat; /* a line for each figure, or panel of one, that is a sentence */
};

static int draw(struct figure *f, void *context, struct err *e)
{
    struct plot *p = context;
    struct text why = { 0 };
    int status = ERR_OK;
    if (p->stratum) text_add(&f->name, "_%.*s%s", (int)strcspn(p->stratum, "="), p->stratum, strchr(p->stratum, '=') + 1);
    if (f->name.failed) return FAIL(e, ERR_MEM, "no memory for a figure");
    figure_fold_stages(f);
    const int flat = figure_is_flat(f, &why);
    if (why.size) text_add(&p->flat, "%s\t%s: %s\n", text_of(&f->name), text_of(&f->title), text_of(&why));
    if (!flat) {
        status = figure_draw(f, p->size, p->out, e);
        if (status == ERR_OK) printf("%s/%s.{png,svg,pdf}\n", p->out, text_of(&f->name));
        p->drawn += status == ERR_OK;
    }
    text_free(&why);
    return status;
}

/* One figure for every swept number but the bits, which have their own. */
static int draw_axes(const struct table *t, const struct figure_kind *model, struct plot *p,
                     struct err *e)
{
    const char *axes[32];
    const size_t count = figure_axes(t, axes, sizeof axes / sizeof *axes);
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        struct figure_kind kind = *model;
        if (figure_kind_is_for(axes[i])) continue; /* with measurements of its own */
        kind.name = kind.x = axes[i];
        status = figures_each(t, &kind, draw, p, e);
    }
    return status;
}

static int draw_kinds(const struct table *t, const struct contrast *points, const struct figure_kind *only, struct plot *p,
                      struct err *e)
{
    const struct figure_source from = { t, points, draw, p };
    for (const struct figure_kind *k = figure_kinds; k->name; k++) {
        if (only && only != k) continue;
        const int axes = k->x && !*k->x;
        const int status = k->make ? k->make(&from, k, e) : axes ? draw_axes(t, k, p, e) : figures_each(t, k, draw, p, e);
        if (status != ERR_OK) return status;
    }
    return ERR_OK;
}

/* Rows of points are drawn together, at the end; the tables of bench, and strata that were made before, each alone. */
static int draw_file(struct table *rows, struct contrast *points, const char *path, const struct figure_kind *kind,
                     struct plot *p, struct err *e)
{
    struct table one = { 0 };
    int status = table_append(&one, path, e);
    const int of_points = table_column(&one, "recall_strict") >= 0 && table_column(&one, "lid_quintile") < 0;
    if (status == ERR_OK && of_points) status = table_append(rows, path, e);
    if (status == ERR_OK && of_points && table_column(&one, "point_id") >= 0) status = contrast_add(points, path, e);
    if (status == ERR_OK && !of_points) status = draw_kinds(&one, NULL, kind, p, e);
    table_free(&one);
    return status;
}

static int is_strata(const struct figure_kind *k) { return strncmp(k->name, "strata_", strlen("strata_")) == 0; }

/* Quality and latency by how hard the queries are, where the files of queries lie beside the rows. */
static int draw_strata(const struct contrast *points, const struct figure_kind *only, struct plot *p, struct err *e)
{
    struct table strata = { 0 };
    struct text path = { 0 };
    size_t count = 0;
    if (only && !is_strata(only)) return ERR_OK;
    text_add(&path, "%s/strata.csv", p->out);
    int status = path.failed ? FAIL(e, ERR_MEM, "%s: no memory", p->out) : ERR_OK;
    if (status == ERR_OK) status = strata_write(points, text_of(&path), NULL, &count, e);
    if (status == ERR_OK && count) status = table_append(&strata, text_of(&path), e);
    for (const struct figure_kind *k = figure_kinds; status == ERR_OK && count && k->name; k++)
        if (is_strata(k) && (!only || only == k)) status = draw_kinds(&strata, NULL, k, p, e);
    table_free(&strata);
    text_free(&path);
    return status;
}

/* What is no figure is a sentence: printed, and written down for the report. */
static int say_flat(struct plot *p, int is_whole, struct err *e)
{
    for (const char *at = text_of(&p->flat); *at;) {
        const size_t size = strcspn(at, "\n"), name = strcspn(at, "\t");
        printf("%.*s: not drawn: %.*s\n", (int)name, at, (int)(size - name - 1), at + name + 1);
        at += size + 1;
    }
    if (!is_whole) return ERR_OK;
    if (p->flat.size) return output_write_in(p->out, "flat.txt", &p->flat, e);
    struct text earlier = { 0 };
    text_add(&earlier, "%s/flat.txt", p->out);
    if (!earlier.failed) unlink(text_of(&earlier));
    text_free(&earlier);
    return ERR_OK;
}

/* The rows over one fifth of the queries, in place of the rows; they lie in stratum_lid5.csv. */
static int take_stratum(struct table *rows, const struct contrast *points, const struct plot *p, struct err *e)
{
    struct text path = { 0 };
    size_t count = 0;
    text_add(&path, "%s/stratum_", p->out);
    for (const char *at = p->stratum; *at; at++)
        if (*at != '=') text_add(&path, "%c", *at);
    text_add(&path, ".csv");
    int status = path.failed ? FAIL(e, ERR_MEM, "%s: no memory", p->out) : ERR_OK;
    if (status == ERR_OK) status = strata_write(points, text_of(&path), p->stratum, &count, e);
    if (status == ERR_OK && !count)
        status = FAIL(e, ERR_NOT_FOUND, "--stratum %s: no .pq.tsv with quintiles lies beside the rows", p->stratum);
    table_free(rows);
    *rows = (struct table){ 0 };
    if (status == ERR_OK) status = table_append(rows, text_of(&path), e);
    text_free(&path);
    return status;
}

static int draw_files(const struct option_list *files, const struct figure_kind *kind, struct plot *p, struct err *e)
{
    struct table rows = { 0 };
    struct contrast points = { 0 };
    int status = ERR_OK;
    for (int i = 0; status == ERR_OK && i < files->count; i++) status = draw_file(&rows, &points, files->at[i], kind, p, e);
    if (status == ERR_OK && p->stratum) status = take_stratum(&rows, &points, p, e);
    /* Figures that read the files of queries themselves would draw all queries. */
    const struct contrast none = { 0 };
    if (status == ERR_OK) status = draw_kinds(&rows, p->stratum ? &none : &points, kind, p, e);
    if (status == ERR_OK && !p->stratum) status = draw_strata(&points, kind, p, e);
    if (status == ERR_OK) status = say_flat(p, kind == NULL, e);
    if (status == ERR_OK && p->drawn == 0 && !p->flat.size)
        status = FAIL(e, ERR_FORMAT, "%s: no figure%s%s can be drawn from these columns (nothing varies, or no row is ok)",
                      files->at[0], kind ? " of kind " : "", kind ? kind->name : "");
    contrast_free(&points);
    table_free(&rows);
    return status;
}

static int run(int argc, char **argv, struct err *e)
{
    const char *kind_name = NULL, *out = NULL, *stratum = NULL, *size = canvas_sizes[0].name;
    struct option_list files = { 0 };
    const struct option options[] = { { "--kind", OPTION_TEXT, &kind_name, 0, 0 },
                                      { "--out", OPTION_TEXT, &out, 0, 0 },
                                      { "--size", OPTION_TEXT, &size, 0, 0 },
                                      { "--stratum", OPTION_TEXT, &stratum, 0, 0 },
                                      { 0 } };
    int status = options_parse(argc, argv, options, &files, e);
    if (status != ERR_OK) return status;
    if (files.count == 0) return FAIL(e, ERR_ARG, "name at least one CSV file");
    const struct figure_kind *kind = kind_name ? figure_kind_find(kind_name, e) : NULL;
    struct plot p = { .size = canvas_size_find(size, e) };
    if ((kind_name && !kind) || !p.size) return ERR_ARG;
    char folder[512];
    const char *slash = strrchr(files.at[0], '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - files.at[0]) : 1, slash ? files.at[0] : ".");
    p.out = out ? out : folder;
    p.stratum = stratum;
    if (mkdir(p.out, 0777) != 0 && errno != EEXIST) return FAIL(e, ERR_IO, "%s: %s", p.out, strerror(errno));
    status = draw_files(&files, kind, &p, e);
    text_free(&p.flat);
    return status;
}

const struct command cmd_plot = {
    .name = "plot",
    .summary = "gnuplot figures (PNG, SVG, PDF) of results in CSV",
    .help =
        "usage: assay plot [--kind KIND] [--size SIZE] [--stratum lid=5] [--out DIR] CSV [CSV ...]\n\n"
        "Draws every figure that the columns can fill, or one kind:\n"
        "  qps_recall       indexes: recall@k against queries a second; a line is a method's Pareto front\n"
        "  recall_latency   indexes: recall@k against latency p50 (us), the same way\n"
        "  quality_latency  pipelines: agreement@10 with exact stage one against latency p50 (us)\n"
        "  qps_at_recall    queries a second of each method at recall@k of at least .90, .95 and .99\n"
        "  winners          the same, of several data sets in one figure: which method wins where\n"
        "  recall_bits      recall@k against bits per dimension, and its ceiling: exact search over the codes\n"
        "  recall_bytes     recall@k against total bytes per vector (without re-scoring)\n"
        "  candidates       agreement@10 against top_k_candidates, and what stage one's candidates hold\n"
        "  axis             quality and latency against each swept number, such as top_k_rerank\n"
        "  graph_depth      labels, agreement, latency and edges looked at against graph_depth\n"
        "  threads, batch, n  queries a second against each of them; of threads and n p50 and p99, too\n"
        "  churn            of assay churn: recall, latency, bytes and the cost of changes against churn_pct\n"
        "  bits_candidates  quality over bits and top_k_candidates, as a map with lines of equal quality\n"
        "  stages           time of each stage (us), one setting changed at a time\n"
        "  recall_1_at_k    how often the exact nearest is among the first k found, k = 1 to 100\n"
        "  ccdf             share of queries that take longer, from the .pq.tsv beside the rows\n"
        "  forest           paired differences of every two methods (or settings) with equal bits, from the same files\n"
        "  before_after     latency p50 of points that two files have both: assay plot BEFORE.csv AFTER.csv\n"
        "  critical_difference  mean ranks of methods over three data sets or more\n"
        "  compare, density of assay compare and bench: ratios in compare.csv, samples in raw.csv\n"
        "  strata_lid, strata_contrast  quality and latency by quintile of how hard the queries are, local\n"
        "                   dimension and contrast, from the .pq.tsv beside the rows; the rows of it: strata.csv\n\n"
        "  --out DIR        where to write KIND.dat, .png, .svg, .narrow.svg, .pdf   (default: beside the first CSV)\n"
        "  --stratum F=N    every figure that rows fill, over one fifth of the queries: lid=1..5 or contrast=1..5,\n"
        "                   1 the easiest; names end in _lid5, the rows lie in stratum_lid5.csv\n"
        "  --size SIZE      screen, phone, one-column (84 mm, 8 pt) or two-column (174 mm, 8 pt)   (screen); of the\n"
        "                   last two KIND_tex.tex, too, for \\input, with the KIND_tex.pdf that it wants\n\n"
        "A figure, or a panel of one, whose lines do not move is a sentence: it is printed, and of all kinds written\n"
        "to DIR/flat.txt (name, tab, what was measured).  Points of several files are drawn together; those of different\n"
        "machines, batch sizes or thread counts never share a time axis.  ASSAY_PLOTS names another folder of gnuplot files.\n\n"
        "example: assay plot results/default/sweep.csv --kind qps_recall --size one-column --out paper\n",
    .run = run,
};
