/* SPDX-License-Identifier: MIT
 * paper.c - the list of papers that the build makes, and what their plug-ins call. */
#include "bench/papers/paper.h"
#include "bench/papers/judge.h"
#include "bench/time/paired.h"
#include "bench/time/progress.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PLUGIN(f) extern const struct paper_ops f;
#include "gen/papers.inc"
#undef PLUGIN
static const struct paper_ops *const all[] = {
#define PLUGIN(f) &f,
#include "gen/papers.inc"
#undef PLUGIN
    NULL
};

const struct paper_ops *paper_at(size_t i) { return i < sizeof all / sizeof *all ? all[i] : NULL; }

static const double level = 0.999; /* of the intervals that verdicts come from */

struct finding finding_of(const char *fmt, ...)
{
    struct finding f = { .ours = (double)NAN, .lo = (double)NAN, .hi = (double)NAN, .theory = (double)NAN, .p = (double)NAN };
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f.cell, sizeof f.cell, fmt, ap);
    va_end(ap);
    return f;
}

/* P(|T| < t) of Student's t, by the finite sums for whole degrees of freedom (Abramowitz & Stegun 26.7.3 and 26.7.4). */
static double student_within(size_t degrees, double t)
{
    const double theta = atan2(t, sqrt((double)degrees)), c = cos(theta), s = sin(theta);
    double term = degrees % 2 ? c : 1, sum = degrees == 1 ? 0 : term;
    for (size_t i = degrees % 2 ? 3 : 2; i + 2 <= degrees; i += 2) {
        term *= c * c * (double)(i - 1) / (double)i;
        sum += term;
    }
    return degrees % 2 ? 2 / M_PI * (theta + s * sum) : s * sum;
}

double student_tail(size_t degrees, double t) { return (1 - student_within(degrees, t)) / 2; }

double student_quantile(size_t degrees, double p)
{
    double lo = 0, hi = 1;
    while (student_within(degrees, hi) < 2 * p - 1) hi *= 2;
    for (int i = 0; i < 100; i++) {
        const double middle = (lo + hi) / 2;
        if (student_within(degrees, middle) < 2 * p - 1) lo = middle;
        else hi = middle;
    }
    return hi;
}

void finding_of_seeds(struct finding *f, const double *draws, size_t count)
{
    double squares = 0;
    f->seeds = count;
    f->ours = stats_mean(draws, count);
    for (size_t i = 0; i < count; i++) squares += (draws[i] - f->ours) * (draws[i] - f->ours);
    const double error = sqrt(squares / (double)(count - 1) / (double)count),
                 reach = student_quantile(count - 1, 1 - (1 - level) / 2) * error;
    f->lo = f->ours - reach;
    f->hi = f->ours + reach;
}

void finding_of_rounds(struct finding *f, double *rounds, size_t count)
{
    stats_sort(rounds, count);
    const struct interval i = stats_sign_interval(rounds, count, 1 - level, 1);
    f->seeds = count;
    f->ours = stats_median(rounds, count);
    f->lo = i.lo;
    f->hi = i.hi;
}

double finding_difference(double a, double b)
{
    const double rounding = 1e-13, d = a - b;
    return fabs(d) < rounding * (fabs(a) + fabs(b)) ? 0 : d;
}

/* Differences, to be freed, with what is said of them; NULL: too few, or no memory. */
static double *differences(struct finding *f, const double *a, const double *b, size_t count)
{
    double *d = count < 2 ? NULL : mem_alloc(count, sizeof *d);
    for (size_t i = 0; d && i < count; i++) {
        d[i] = finding_difference(a[i], b[i]);
        f->wins += d[i] > 0;
        f->ties += d[i] == 0;
        f->losses += d[i] < 0;
    }
    if (d) f->p = paired_p(d, count, 1);
    return d;
}

void finding_against(struct finding *f, const double *a, const double *b, size_t count, const char *against)
{
    if (!against) return;
    f->against = against;
    mem_free(differences(f, a, b, count));
}

void finding_of_pairs(struct finding *f, const double *a, const double *b, size_t count)
{
    double *d = differences(f, a, b, count);
    if (!d) return; /* no interval: not resolved */
    const struct interval i = stats_bootstrap_mean(d, count, level, STATS_RESAMPLES_MOST, 1);
    f->n = count;
    f->ours = stats_mean(d, count);
    f->lo = i.lo;
    f->hi = i.hi;
    mem_free(d);
}

int paper_found(struct paper_run *r, const struct finding *f, struct err *e)
{
    if (r->asked.progress) progress_step(r->asked.progress, r->asked.done);
    return judge_add(r->judge, f, e);
}

int paper_skip(struct paper_run *r, const char *cell, struct err *e, const char *lacks, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, lacks);
    vsnprintf(text, sizeof text, lacks, ap);
    va_end(ap);
    return judge_skip(r->judge, cell, text, e);
}

int paper_data(const struct paper_run *r, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", r->asked.data, name);
    if (access(path, R_OK) == 0) return 1;
    snprintf(path, size, "%s lies in no folder %s (--data)", name, r->asked.data);
    return 0;
}

static void add_word(struct text *out, const char *word)
{
    for (; *word; word++) text_add(out, "%c", isalnum((unsigned char)*word) || *word == '.' || *word == '-' ? *word : '_');
}

void paper_trec_path(const struct paper_run *r, const char *data, const char *arm, struct text *path)
{
    text_clear(path);
    text_add(path, "%s/trec/%s_%s_", r->asked.out, r->paper, r->item);
    add_word(path, data);
    if (arm) text_add(path, "_");
    if (arm) add_word(path, arm);
    text_add(path, "%s", arm ? ".run" : ".qrels");
}
