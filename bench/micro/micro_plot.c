/* SPDX-License-Identifier: MIT
 * micro_plot.c - figures of `assay bench --out`. */
#include "bench/rows/figure_make.h"
#include "bench/rows/gnuplot.h"
#include "bench/micro/micro.h"
#include "bench/rows/output.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <string.h>

enum { SERIES_MOST = 40, STEPS = 48 };

static void row_label(const struct micro_row *r, struct text *out)
{
    text_add(out, "%s/%s", micro_isa(r->kernel), r->kernel->variant);
}

/* Two rows of one line: the same kernel and shape, but for the axis. */
enum axis { AXIS_DIM, AXIS_BYTES };
static int same_line(const struct micro_row *a, const struct micro_row *b, enum axis axis)
{
    const struct workload_shape *s = &a->facts.shape, *t = &b->facts.shape;
    const int rest = a->kernel == b->kernel && s->bits == t->bits && s->batch == t->batch && s->gather == t->gather;
    return rest && (axis == AXIS_DIM ? strcmp(a->where, b->where) == 0 : s->dim == t->dim);
}

/* Same panel: the same operation, and what a figure holds fixed. */
static int same_figure(const struct micro_row *a, const struct micro_row *b, enum axis axis)
{
    struct micro_row c = *b;
    c.kernel = a->kernel;
    return a->kernel->op == b->kernel->op && same_line(a, &c, axis);
}

static double place(const struct micro_row *r, enum axis axis)
{
    return axis == AXIS_DIM ? (double)r->facts.shape.dim : (double)r->facts.set_bytes / 1024;
}

static void shape_title(const struct micro_row *r, enum axis axis, struct text *out)
{
    const struct workload_shape *s = &r->facts.shape;
    text_add(out, "%s", kernel_op_name(s->op));
    if (axis == AXIS_BYTES) text_add(out, ", %zu dimensions", s->dim);
    else if (r->where[0]) text_add(out, ", working set in %s", r->where);
    if (s->bits) text_add(out, ", %d bits", s->bits);
    if (s->batch > 1) text_add(out, ", %zu queries a call", s->batch);
    if (s->gather) text_add(out, ", rows gathered");
}

/* The figure that row `first` opens: one block a kernel of place, ns, lo, hi.  Drawn when there are
 * at least three places. */
static int draw_lines(const struct micro *m, size_t first, enum axis axis, const char *dir, size_t number,
                      struct err *e)
{
    const struct micro_row *head = &m->rows[first];
    struct text data = { 0 }, labels = { 0 }, title = { 0 }, script = { 0 }, name = { 0 };
    size_t series = 0, most = 0;
    for (size_t i = first; i < m->count && series < SERIES_MOST; i++) {
        const struct micro_row *r = &m->rows[i];
        if (r->wrong[0] || !same_figure(head, r, axis)) continue;
        int seen = 0;
        for (size_t j = first; j < i; j++) seen |= !m->rows[j].wrong[0] && same_line(&m->rows[j], r, axis);
        if (seen) continue;
        size_t points = 0;
        text_add(&data, "%s", series ? "\n\n" : "");
        for (size_t j = i; j < m->count; j++) {
            const struct micro_row *p = &m->rows[j];
            if (p->wrong[0] || !same_line(r, p, axis)) continue;
            const double per = 1 / p->facts.vectors;
            text_add(&data, "%.9g %.6g %.6g %.6g\n", place(p, axis), p->call_ns.median * per,
                     p->call_ns.interval.lo * per, p->call_ns.interval.hi * per);
            points++;
        }
        most = points > most ? points : most;
        struct text label = { 0 };
        row_label(r, &label);
        gnuplot_set(&labels, "label", ++series, text_of(&label));
        text_free(&label);
    }
    int status = ERR_OK;
    if (most >= 3) {
        text_add(&name, "%s_%s_%zu", kernel_op_name(head->kernel->op), axis == AXIS_DIM ? "dim" : "where", number);
        shape_title(head, axis, &title);
        status = gnuplot_figure(&script, axis == AXIS_DIM ? "bench_dim" : "bench_where", dir, text_of(&name),
                                text_of(&title), axis == AXIS_DIM ? "dimensions" : "working set (KiB)", e);
        text_add(&script, "n = %zu; array label[%zu]; ", series, series);
        for (int level = 0; level < MACHINE_CACHES; level++)
            text_add(&script, "cache%d = %.6g; ", level + 1, (double)m->machine.cache_bytes[level] / 1024);
        text_add(&script, "%s", text_of(&labels));
        struct text path = { 0 };
        text_add(&path, "%s.dat", text_of(&name));
        if (status == ERR_OK) status = output_write_in(dir, text_of(&path), &data, e);
        if (status == ERR_OK) status = gnuplot_render(&script, dir, text_of(&name), e);
        text_free(&path);
    }
    text_free(&data);
    text_free(&labels);
    text_free(&title);
    text_free(&script);
    text_free(&name);
    return status;
}

static int draw_axis(const struct micro *m, enum axis axis, const char *dir, struct err *e)
{
    size_t number = 0;
    for (size_t i = 0; i < m->count; i++) {
        int seen = m->rows[i].wrong[0] != 0;
        for (size_t j = 0; j < i && !seen; j++)
            seen = !m->rows[j].wrong[0] && same_figure(&m->rows[j], &m->rows[i], axis);
        if (seen) continue;
        const int status = draw_lines(m, i, axis, dir, ++number, e);
        if (status != ERR_OK) return status;
    }
    return ERR_OK;
}

/* Gains over the compiler of every row that is not itself a baseline. */
static int draw_gains(const struct micro *m, const char *dir, struct err *e)
{
    struct figure_ratio rows[SERIES_MOST] = { 0 };
    size_t count = 0;
    for (size_t i = 0; i < m->count && count < SERIES_MOST; i++) {
        const struct micro_row *r = &m->rows[i];
        if (r->wrong[0] || r->over_compiler.at <= 0 ||
            (!micro_is_rival(r->kernel) && (r->kernel->kind == KERNEL_BASELINE || r->kernel->isa == ISA_scalar)))
            continue;
        const struct interval in = r->over_compiler.interval;
        rows[count] = (struct figure_ratio){ .at = r->over_compiler.at, .lo = in.lo, .hi = in.hi, .resolved = in.lo > 1 || in.hi < 1 };
        text_add(&rows[count].label, "%s %zu %s  ", kernel_op_name(r->kernel->op), r->facts.shape.dim, r->where);
        row_label(r, &rows[count++].label);
    }
    const int status = figure_of_ratios(rows, count, "gains", "against the faster of the compilers' rows", "above 1: faster", dir, e);
    for (size_t i = 0; i < count; i++) text_free(&rows[i].label);
    return status;
}

/* Outline of one violin: Gaussian kernel density (bandwidth by Silverman's rule with the MAD for a
 * spread) of the samples in percent of their median, between their 5th and 95th percentile: order statistics, so that
 * of few samples, too, the one furthest out on either side stretches nothing. */
static void outline(const struct micro_row *r, size_t position, double *sorted, struct text *data)
{
    const size_t n = r->call_ns.n;
    for (size_t i = 0; i < n; i++) sorted[i] = 100 * (r->raw_ns[i] / r->call_ns.median - 1);
    stats_sort(sorted, n);
    const double spread = 1.4826 * 100 * r->call_ns.mad / r->call_ns.median;
    const double width = fmax(1.06 * spread * pow((double)n, -0.2), 1e-3);
    const size_t tail = n > 20 ? n / 20 : n > 2;
    const double lo = sorted[tail], hi = sorted[n - 1 - tail];
    double density[STEPS], most = 0;
    for (int i = 0; i < STEPS; i++) {
        const double at = lo + (hi - lo) * i / (STEPS - 1);
        density[i] = 0;
        for (size_t j = 0; j < n; j++) density[i] += exp(-0.5 * (at - sorted[j]) * (at - sorted[j]) / (width * width));
        most = fmax(most, density[i]);
    }
    for (int i = 0; i < 2 * STEPS; i++) {
        const int step = i < STEPS ? i : 2 * STEPS - 1 - i;
        const double half = 0.42 * density[step] / most;
        text_add(data, "%.6g %.6g\n", (double)position + (i < STEPS ? half : -half),
                 lo + (hi - lo) * step / (STEPS - 1));
    }
}

/* One figure for the first shape of every operation. */
static int draw_density(const struct micro *m, size_t first, const char *dir, struct err *e)
{
    const struct micro_row *head = &m->rows[first];
    struct text data = { 0 }, labels = { 0 }, script = { 0 }, title = { 0 }, name = { 0 }, path = { 0 };
    size_t count = 0;
    double *sorted = NULL;
    for (size_t i = first; i < m->count && count < SERIES_MOST; i++) {
        const struct micro_row *r = &m->rows[i];
        if (r->wrong[0] || !same_figure(head, r, AXIS_DIM) || r->facts.shape.dim != head->facts.shape.dim) continue;
        sorted = mem_alloc(r->call_ns.n, sizeof *sorted);
        if (!sorted) break;
        text_add(&data, "%s", count ? "\n\n" : "");
        outline(r, ++count, sorted, &data);
        mem_free(sorted);
        struct text label = { 0 };
        row_label(r, &label);
        text_add(&label, "  %.4g ns", r->call_ns.median / r->facts.vectors);
        gnuplot_set(&labels, "label", count, text_of(&label));
        text_free(&label);
    }
    text_add(&name, "%s_density", kernel_op_name(head->kernel->op));
    text_add(&path, "%s.dat", text_of(&name));
    shape_title(head, AXIS_DIM, &title);
    text_add(&title, ", %zu dimensions", head->facts.shape.dim);
    int status = sorted ? ERR_OK : FAIL(e, ERR_MEM, "no memory for a figure");
    if (status == ERR_OK)
        status = gnuplot_figure(&script, "bench_density", dir, text_of(&name), text_of(&title), "", e);
    text_add(&script, "n = %zu; array label[%zu]; %s", count, count, text_of(&labels));
    if (status == ERR_OK) status = output_write_in(dir, text_of(&path), &data, e);
    if (status == ERR_OK) status = gnuplot_render(&script, dir, text_of(&name), e);
    text_free(&data);
    text_free(&labels);
    text_free(&script);
    text_free(&title);
    text_free(&name);
    text_free(&path);
    return status;
}

int micro_figures(const struct micro *m, const char *dir, struct err *e)
{
    int status = draw_gains(m, dir, e);
    if (status == ERR_OK) status = draw_axis(m, AXIS_DIM, dir, e);
    if (status == ERR_OK) status = draw_axis(m, AXIS_BYTES, dir, e);
    for (size_t i = 0; i < m->count && status == ERR_OK; i++) {
        int seen = m->rows[i].wrong[0] != 0;
        for (size_t j = 0; j < i && !seen; j++)
            seen = !m->rows[j].wrong[0] && m->rows[j].kernel->op == m->rows[i].kernel->op;
        if (!seen) status = draw_density(m, i, dir, e);
    }
    return status;
}
