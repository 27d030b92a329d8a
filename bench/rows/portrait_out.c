/* SPDX-License-Identifier: MIT */
#include "bench/rows/portrait_out.h"
#include "bench/rows/gnuplot.h"
#include "bench/rows/output.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <string.h>

enum { BINS_LEAST = 8, BINS_MOST = 60 };

void portrait_lines(struct text *out, const struct portrait *p)
{
    text_add(out, "length    min %.4g, mean %.4g, max %.4g; %s; zero rows %zu\n", p->length_least, p->length_mean,
             p->length_most, p->normalised ? "normalised" : "not normalised", p->zero_rows);
    text_add(out, "repeated  %zu rows equal an earlier one\n", p->duplicate_rows);
    if (p->count < 2) return;
    text_add(out, "cosine    of random pairs %.4f, of nearest neighbours %.4f (means; median %.4f; %zu rows asked)\n",
             p->pair_cosine, p->nearest_cosine, p->nearest_median, p->asked);
    text_add(out, "contrast  %.3f, local dimension %.1f, over %d neighbours (medians, %s)\n", p->contrast, p->lid,
             DIFFICULTY_K, p->metric == METRIC_L2 ? "l2" : "cosine");
    text_add(out, "hubs      skewness %.2f; %.1f %% of %zu rows are among nobody's first 10\n", p->hubness,
             100 * p->orphans, p->hub_rows);
    if (!p->spectrum) {
        text_add(out, "spectrum  not computed (more than %d dimensions, or a build without LAPACK)\n", PORTRAIT_DIM);
        return;
    }
    text_add(out, "spectrum  effective rank %.1f of %zu; variance in the first 1/8, 1/4, 1/2 of\n", p->effective_rank,
             p->dim);
    text_add(out, "          principal directions %.3f %.3f %.3f, of coordinates %.3f %.3f %.3f\n", p->principal[0],
             p->principal[1], p->principal[2], p->first[0], p->first[1], p->first[2]);
}

/* Counts, and median LID and contrast, of each stratum by LID. */
static void stratum_lines(struct text *out, const struct match *m, size_t count)
{
    double *values = mem_alloc(count, sizeof *values);
    text_add(out, "strata    ");
    for (int s = 1; values && s <= DIFFICULTY_STRATA; s++) {
        size_t held = 0;
        for (size_t i = 0; i < count; i++)
            if (m->hard.lid_stratum[i] == s) values[held++] = m->hard.each[i].lid;
        stats_sort(values, held);
        if (held) text_add(out, "%s%zu at %.1f", s > 1 ? ", " : "", held, stats_median(values, held));
    }
    text_add(out, " (queries by quintile of local dimension, its median)\n");
    out->failed |= !values;
    mem_free(values);
}

void match_lines(struct text *out, const struct portrait *base, const struct portrait *query, const struct match *m)
{
    text_add(out, "likeness  %.3f (nearest base row at cosine %.4f)\n", m->likeness, m->nearest_cosine);
    text_add(out, "in base   %zu of %zu queries are base rows; %zu repeat an earlier query\n", m->in_base, query->count,
             m->repeated);
    stratum_lines(out, m, query->count);
    if (m->likeness < MATCH_LIKE)
        text_add(out, "warning: queries and base look like different models: their nearest rows are hardly nearer than "
                 "random ones\n");
    if (m->in_base)
        text_add(out, "warning: %zu queries are in the base (the first is query %zu): each finds itself\n", m->in_base,
                 m->first_in_base);
    if (base->normalised != query->normalised)
        text_add(out, "warning: the %s normalised, the %s\n", base->normalised ? "base is" : "queries are",
                 base->normalised ? "queries are not" : "base is not");
}

static void member(struct text *out, const char *key, double value)
{
    if (isnan(value)) text_add(out, ",\"%s\":null", key);
    else text_add(out, ",\"%s\":%.9g", key, value);
}

void portrait_members(struct text *out, const struct portrait *p)
{
    static const char *const parts[3] = { "eighth", "quarter", "half" };
    char key[64];
    text_add(out, ",\"normalised\":%s,\"zero_rows\":%zu,\"duplicate_rows\":%zu,\"metric\":\"%s\",\"rows_asked\":%zu",
             p->normalised ? "true" : "false", p->zero_rows, p->duplicate_rows, metric_name(p->metric), p->asked);
    member(out, "length_least", p->length_least);
    member(out, "length_mean", p->length_mean);
    member(out, "length_most", p->length_most);
    member(out, "pair_cosine", p->pair_cosine);
    member(out, "nearest_cosine", p->nearest_cosine);
    member(out, "nearest_cosine_median", p->nearest_median);
    member(out, "contrast", p->contrast);
    member(out, "lid", p->lid);
    member(out, "hubness", p->hubness);
    member(out, "orphans", p->orphans);
    member(out, "effective_rank", p->effective_rank);
    for (int i = 0; i < 3 && p->spectrum; i++) {
        snprintf(key, sizeof key, "variance_principal_%s", parts[i]);
        member(out, key, p->principal[i]);
        snprintf(key, sizeof key, "variance_coordinates_%s", parts[i]);
        member(out, key, p->first[i]);
    }
}

void match_members(struct text *out, const struct match *m, size_t count)
{
    text_add(out, ",\"queries\":%zu,\"queries_in_base\":%zu,\"queries_repeated\":%zu", count, m->in_base, m->repeated);
    member(out, "query_nearest_cosine", m->nearest_cosine);
    member(out, "likeness", m->likeness);
    text_add(out, ",\"different_models\":%s", m->likeness < MATCH_LIKE ? "true" : "false");
}

/* --- the page -------------------------------------------------------------------------------------- */
/* A block: the middle of each of about sqrt(n) bins and the density there; the 0.1 % at either end are left out. */
static void histogram(struct text *out, const struct values *v)
{
    if (v->count == 0) {
        text_add(out, "NaN NaN\n\n\n");
        return;
    }
    double low = stats_quantile(v->at, v->count, .001), high = stats_quantile(v->at, v->count, .999);
    if (high - low < 1e-4 * fmax(1e-3, fabs(high))) { /* all alike: one bar */
        const double half = 1e-3 * fmax(1e-3, fabs(high));
        low -= half;
        high += half;
    }
    size_t share[BINS_MOST] = { 0 }, bins = (size_t)sqrt((double)v->count);
    bins = bins < BINS_LEAST ? BINS_LEAST : bins > BINS_MOST ? BINS_MOST : bins;
    const double step = (high - low) / (double)bins;
    for (size_t i = 0; i < v->count; i++)
        if (v->at[i] >= low && v->at[i] <= high) {
            const size_t bin = (size_t)((v->at[i] - low) / step);
            share[bin < bins ? bin : bins - 1]++;
        }
    for (size_t b = 0; b < bins; b++)
        text_add(out, "%.9g %.9g\n", low + ((double)b + .5) * step, (double)share[b] / (double)v->count / step);
    text_add(out, "\n\n");
}

static int query_histograms(struct text *out, const struct match *m, size_t count, struct err *e)
{
    struct values v[2] = { { mem_alloc(count + 1, sizeof(double)), 0 }, { mem_alloc(count + 1, sizeof(double)), 0 } };
    const int good = v[0].at && v[1].at;
    for (size_t i = 0; good && m && i < count; i++) {
        if (!isnan(m->hard.each[i].lid)) v[0].at[v[0].count++] = m->hard.each[i].lid;
        if (!isnan(m->hard.each[i].contrast)) v[1].at[v[1].count++] = m->hard.each[i].contrast;
    }
    for (int i = 0; good && i < 2; i++) {
        stats_sort(v[i].at, v[i].count);
        histogram(out, &v[i]);
    }
    mem_free(v[0].at);
    mem_free(v[1].at);
    return good ? ERR_OK : FAIL(e, ERR_MEM, "no memory for a figure");
}

/* Share of variance in the first directions, and of rows found by at least so many others. */
static void curves(struct text *out, const struct portrait *p)
{
    double sum = 0;
    if (!p->spectrum) text_add(out, "NaN NaN\n");
    else text_add(out, "0 0\n");
    for (size_t i = 0; p->spectrum && i < p->dim; i++)
        text_add(out, "%.9g %.9g\n", (double)(i + 1) / (double)p->dim, sum += p->spectrum[i]);
    text_add(out, "\n\n");
    if (!p->hubs.count) text_add(out, "NaN NaN\n");
    for (size_t i = 0; i < p->hubs.count; i++)
        if (i == 0 || p->hubs.at[i] != p->hubs.at[i - 1])
            text_add(out, "%.9g %.9g\n", p->hubs.at[i] + .5, (double)(p->hubs.count - i) / (double)p->hubs.count);
    text_add(out, "\n\n");
}

int portrait_plot(const struct portrait *p, const struct match *m, size_t queries, const char *dir, const char *name,
                  struct err *e)
{
    struct text data = { 0 }, script = { 0 }, title = { 0 }, file = { 0 };
    text_add(&data,
             "# blocks: lengths, random pairs, nearest, lid, contrast, lid and contrast of queries, variance, hubs\n");
    histogram(&data, &p->lengths);
    histogram(&data, &p->pairs);
    histogram(&data, &p->nearest);
    histogram(&data, &p->lids);
    histogram(&data, &p->contrasts);
    int status = query_histograms(&data, m, queries, e);
    curves(&data, p);
    text_add(&file, "%s.dat", name);
    text_add(&title, "%s: %zu x %zu, %s, %s", name, p->count, p->dim, metric_name(p->metric),
             p->normalised ? "normalised" : "not normalised");
    if (file.failed || title.failed) status = FAIL(e, ERR_MEM, "no memory for a figure");
    if (status == ERR_OK) status = output_write_in(dir, text_of(&file), &data, e);
    if (status == ERR_OK) status = gnuplot_figure(&script, "portrait", dir, name, text_of(&title), "", e);
    text_add(&script, "n = 0; has_queries = %d; rank = %.9g; dim = %zu; ", m != NULL, p->effective_rank, p->dim);
    if (status == ERR_OK) status = gnuplot_render(&script, dir, name, e);
    text_free(&data);
    text_free(&script);
    text_free(&title);
    text_free(&file);
    return status;
}
