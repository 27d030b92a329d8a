/* SPDX-License-Identifier: MIT
 * cmd_plot.c - CSV to figures: the series are made here, drawn by gnuplot with scripts/plots/. */
#include "bench/command.h"
#include "bench/rows/figure.h"
#include "bench/rows/gnuplot.h"
#include "bench/rows/strata.h"
#include "datasets/whole_file.h"
#include "kernels/base/mem.h"
#include "kernels/base/option.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#define QUALITY     "agree_at_10|recall_strict"
#define SPEED       "qps", "lat_p50_us", "lat_p99_us"
#define ALONG_QUERY "rerank,nprobe,ef,eps0"
#define STRATA_OF   QUALITY, "label_recall_at_10", "lat_p50_us"

static const double recall_levels[] = { .90, .95, .99, 0 };
static const struct figure_kind kinds[] = {
    { .name = "recall_latency",
      .gp = "recall_latency",
      .x = "recall_strict",
      .y = { "lat_p50_us" },
      .along = ALONG_QUERY,
      .without = "agree_at_10",
      .least = 1,
      .timed = 1,
      .front = 1 },
    { .name = "quality_latency",
      .gp = "recall_latency",
      .x = "agree_at_10",
      .y = { "lat_p50_us" },
      .along = "top_k_candidates,top_k_rerank",
      .least = 2,
      .timed = 1,
      .front = 1 },
    { .name = "qps_recall",
      .gp = "qps_recall",
      .x = "recall_strict",
      .y = { "qps" },
      .without = "agree_at_10",
      .along = ALONG_QUERY,
      .levels = recall_levels,
      .least = 1,
      .timed = 1 },
    { .name = "recall_bits",
      .gp = "recall_bits",
      .x = "bits",
      .y = { "recall_strict", "code_ceiling" },
      .without = "agree_at_10",
      .least = 2 },
    { .name = "recall_bytes",
      .gp = "recall_bytes",
      .x = "bytes_per_vector",
      .y = { "recall_strict" },
      .along = "bits,bit_width,layout,m,nbits,nlist,M," ALONG_QUERY,
      .without = "agree_at_10",
      .zero = "rerank", /* which reads the original vectors, too */
      .best = 1,
      .least = 1 },
    { .name = "axis",
      .gp = "axis",
      .x = "",
      .y = { QUALITY, "candidate_recall", "label_recall_at_10", "lat_p50_us" },
      .least = 2,
      .timed = 1 },
    { .name = "threads",
      .gp = "axis",
      .x = "threads",
      .across = "threads",
      .y = { SPEED },
      .least = 2,
      .timed = 1 },
    { .name = "batch",
      .gp = "axis",
      .x = "batch",
      .across = "batch",
      .y = { SPEED },
      .least = 2,
      .timed = 1 },
    { .name = "n",
      .gp = "axis",
      .x = "n",
      .across = "n,dataset,queries",
      .y = { SPEED },
      .least = 2,
      .timed = 1 },
    { .name = "churn",
      .gp = "axis",
      .x = "churn_pct",
      .across = "churn_pct,n",
      .y = { "recall_strict", "lat_p50_us", "bytes_per_vector", "t_add_us", "t_remove_us",
             "t_replace_us" },
      .least = 2,
      .timed = 1 },
    { .name = "bits_candidates",
      .gp = "heatmap",
      .x = "bit_width|bits",
      .y = { QUALITY },
      .by = "top_k_candidates",
      .least = 2,
      .timed = 1 },
    { .name = "stages",
      .gp = "stages",
      .y = { "t_embed_us", "t_retrieve_us", "t_rerank_us", "t_expand_us", "t_score_us",
             "t_filter_us", "t_context_us", "t_fetch_us", "t_other_us" },
      .total = "lat_mean_us",
      .needs = "t_score_us",
      .least = 1,
      .timed = 1 },
    { .name = "strata_lid",
      .gp = "strata",
      .x = "lid_quintile",
      .y = { STRATA_OF },
      .along = "contrast_quintile",
      .least = 2,
      .timed = 1 },
    { .name = "strata_contrast",
      .gp = "strata",
      .x = "contrast_quintile",
      .y = { STRATA_OF },
      .along = "lid_quintile",
      .least = 2,
      .timed = 1 },
};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

struct plot {
    const char *out; /* folder */
    size_t drawn;
};

static void write_number(FILE *out, double value)
{
    if (isfinite(value)) fprintf(out, "%.9g ", value);
    else fputs("NaN ", out);
}

/* A coordinate without an interval has none: its ends are NaN. */
static void write_point(FILE *out, const struct figure_point *p, size_t y_count)
{
    write_number(out, p->x.at);
    for (size_t y = 0; y < y_count; y++) write_number(out, p->y[y].at);
    for (size_t y = 0; y <= y_count; y++) {
        const struct value *v = y ? &p->y[y - 1] : &p->x;
        write_number(out, v->lo);
        write_number(out, v->hi);
    }
    if (p->id) fprintf(out, "%016" PRIx64 "\n", p->id);
    else fputs("-\n", out);
}

static int write_data(const struct figure *f, const char *path, struct err *e)
{
    struct whole_file file;
    const int status = whole_file_open(&file, path, e);
    if (status != ERR_OK) return status;
    FILE *out = file.to;
    if (f->title.size) fprintf(out, "# %s\n", text_of(&f->title));
    fprintf(out, "# %s", f->x ? f->x : "-");
    for (size_t y = 0; y < f->y_count; y++) fprintf(out, " %s", f->y[y]);
    fputs("; x_lo x_hi, and lo hi of each; id of the settings; one block a series\n", out);
    for (size_t i = 0; i < f->count; i++) {
        const struct series *s = &f->series[i];
        fprintf(out, "%s# %s\n", i ? "\n\n" : "", text_of(&s->label));
        for (size_t p = 0; p < s->count; p++) {
            write_point(out, &s->points[p], f->y_count);
        }
    }
    return whole_file_commit(&file, e);
}

static int draw(const struct figure *f, void *context, struct err *e)
{
    struct plot *p = context;
    struct text data = { 0 }, script = { 0 };
    size_t marked[SERIES_FRONT + 1] = { 0 };
    for (size_t i = 0; i < f->count; i++) marked[f->series[i].mark]++;
    int status = gnuplot_figure(&script, f->kind->gp, p->out, text_of(&f->name), text_of(&f->title),
                                f->x ? figure_label(f->x) : "", e);
    text_add(&script, "ours = %zu; foreign = %zu; n = %zu; panels = %zu; ", marked[SERIES_OURS],
             marked[SERIES_FOREIGN], f->count, f->y_count);
    text_add(&script, "array y_label[%zu]; array label[%zu]; ", f->y_count, f->count + 1);
    for (size_t y = 0; y < f->y_count; y++)
        gnuplot_set(&script, "y_label", y + 1, figure_label(f->y[y]));
    text_add(&script, "array is_foreign[%zu]; ", f->count + 1);
    for (size_t i = 0; i < f->count; i++) {
        gnuplot_set(&script, "label", i + 1, text_of(&f->series[i].label));
        text_add(&script, "is_foreign[%zu] = %d; ", i + 1, f->series[i].mark == SERIES_FOREIGN);
    }
    text_add(&data, "%s/%s.dat", p->out, text_of(&f->name));
    if (status == ERR_OK) status = write_data(f, text_of(&data), e);
    if (status == ERR_OK) status = gnuplot_render(&script, p->out, text_of(&f->name), e);
    if (status == ERR_OK) printf("%s/%s.{png,svg,pdf}\n", p->out, text_of(&f->name));
    p->drawn += status == ERR_OK;
    text_free(&data);
    text_free(&script);
    return status;
}

/* A kind of figure is for this column. */
static int has_kind(const char *column)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].x && kinds[i].across && strcmp(kinds[i].x, column) == 0) return 1;
    return 0;
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
        if (has_kind(axes[i])) continue; /* with measurements of its own */
        kind.name = kind.x = axes[i];
        status = figures_each(t, &kind, draw, p, e);
    }
    return status;
}

static const struct figure_kind *find_kind(const char *name, struct err *e)
{
    const char *names[KIND_COUNT];
    for (size_t i = 0; i < KIND_COUNT; i++) {
        names[i] = kinds[i].name;
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    }
    FAIL(e, ERR_ARG, "--kind %s: no such figure%s", name, NEAREST(name, names, KIND_COUNT));
    return NULL;
}

static int draw_kinds(const struct table *t, const struct figure_kind *only, struct plot *p,
                      struct err *e)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (only && only != &kinds[i]) continue;
        const int axes = kinds[i].x && !*kinds[i].x;
        const int status =
            axes ? draw_axes(t, &kinds[i], p, e) : figures_each(t, &kinds[i], draw, p, e);
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
    if (status == ERR_OK && !of_points)
        status = draw_kinds(&one, kind, p, e);
    table_free(&one);
    return status;
}

/* Quality and latency by how hard the queries are, where the files of queries lie beside the rows. */
static int draw_strata(const struct contrast *points, const struct figure_kind *only, struct plot *p, struct err *e)
{
    struct table strata = { 0 };
    struct text path = { 0 };
    size_t count = 0;
    if (only && strcmp(only->gp, "strata") != 0) return ERR_OK;
    text_add(&path, "%s/strata.csv", p->out);
    int status = path.failed ? FAIL(e, ERR_MEM, "%s: no memory", p->out) : ERR_OK;
    if (status == ERR_OK) status = strata_write(points, text_of(&path), &count, e);
    if (status == ERR_OK && count) status = table_append(&strata, text_of(&path), e);
    for (size_t i = 0; status == ERR_OK && count && i < KIND_COUNT; i++)
        if (strcmp(kinds[i].gp, "strata") == 0 && (!only || only == &kinds[i])) status = draw_kinds(&strata, &kinds[i], p, e);
    table_free(&strata);
    text_free(&path);
    return status;
}

static int run(int argc, char **argv, struct err *e)
{
    const char *kind_name = NULL, *out = NULL;
    struct option_list files = { 0 };
    const struct option options[] = { { "--kind", OPTION_TEXT, &kind_name, 0, 0 },
                                      { "--out", OPTION_TEXT, &out, 0, 0 },
                                      { 0 } };
    int status = options_parse(argc, argv, options, &files, e);
    if (status != ERR_OK) return status;
    if (files.count == 0) return FAIL(e, ERR_ARG, "name at least one CSV file");
    const struct figure_kind *kind = kind_name ? find_kind(kind_name, e) : NULL;
    if (kind_name && !kind) return ERR_ARG;
    char folder[512];
    const char *slash = strrchr(files.at[0], '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - files.at[0]) : 1,
             slash ? files.at[0] : ".");
    struct plot p = { .out = out ? out : folder };
    if (mkdir(p.out, 0777) != 0 && errno != EEXIST)
        return FAIL(e, ERR_IO, "%s: %s", p.out, strerror(errno));
    struct table rows = { 0 };
    struct contrast points = { 0 };
    for (int i = 0; status == ERR_OK && i < files.count; i++)
        status = draw_file(&rows, &points, files.at[i], kind, &p, e);
    if (status == ERR_OK) status = draw_kinds(&rows, kind, &p, e);
    if (status == ERR_OK) status = draw_strata(&points, kind, &p, e);
    if (status == ERR_OK && p.drawn == 0)
        status = FAIL(
            e, ERR_FORMAT,
            "%s: no figure%s%s can be drawn from these columns (nothing varies, or no row is ok)",
            files.at[0], kind_name ? " of kind " : "", kind_name ? kind_name : "");
    contrast_free(&points);
    table_free(&rows);
    return status;
}

const struct command cmd_plot = {
    .name = "plot",
    .summary = "gnuplot figures (PNG, SVG, PDF) of results in CSV",
    .help =
        "usage: assay plot [--kind KIND] [--out DIR] CSV [CSV ...]\n\n"
        "Draws every figure that the columns can fill, or one kind:\n"
        "  recall_latency   indexes: recall@k against latency p50 (us), with the Pareto front\n"
        "  quality_latency  pipelines: agreement@10 with exact stage one against latency p50 (us)\n"
        "  qps_recall       queries a second of each method at recall@k of at least .90, .95 and "
        ".99\n"
        "  recall_bits      recall@k against bits per dimension, and its ceiling: exact search "
        "over the codes\n"
        "  recall_bytes     recall@k against total bytes per vector (without re-scoring)\n"
        "  axis             quality and latency against each swept number, such as "
        "top_k_candidates\n"
        "  threads, batch, n  queries a second, p50 and p99 against each of them\n"
        "  churn            of assay churn: recall, latency, bytes and the cost of changes against "
        "churn_pct\n"
        "  bits_candidates  quality over bits and top_k_candidates, as a map\n"
        "  stages           time of each stage (us), one setting changed at a time\n"
        "  strata_lid, strata_contrast  quality and latency by quintile of how hard the queries are, local\n"
        "                   dimension and contrast, from the .pq.tsv beside the rows; the rows of it: strata.csv\n\n"
        "  --out DIR        where to write KIND.dat, .png, .svg, .pdf   (default: beside the first "
        "CSV)\n\n"
        "Points of several files are drawn together; those of different machines, batch sizes or "
        "thread\n"
        "counts never share a time axis.  ASSAY_PLOTS names another folder of gnuplot files.\n\n"
        "example: assay plot results/default/sweep.csv --kind axis --out /tmp/figures\n",
    .run = run,
};
