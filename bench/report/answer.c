/* SPDX-License-Identifier: MIT
 * answer.c - finds the best point of a group and the one to use, and says so. */
#include "bench/report/answer.h"
#include "bench/report/html.h"
#include "bench/report/said.h"
#include "bench/time/verdict.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 1, WORK_MOST = 64000 }; /* contenders x questions, so that the resampling takes a second at most */
static const struct value nothing = { (double)NAN, (double)NAN, (double)NAN };

/* --- time --------------------------------------------------------------------------------------- */

static struct value p50(const struct result_group *g, const struct result_point *p) { return result_value(g, p, "lat_p50_us"); }

static int by_number(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median over questions of what `slow` takes over what `fast` takes, with the sign test's interval; where the files are not
 * there the ratio of the medians, as far as both intervals allow. */
static struct value ratio_of(const struct result_group *g, const struct result_point *slow, const struct result_point *fast)
{
    struct said a, b = { 0 };
    struct value out = nothing;
    if (said_read(&a, g, slow) && said_read(&b, g, fast) && a.n == b.n) {
        size_t n = 0;
        for (size_t i = 0; i < a.n; i++)
            if (a.us[i] > 0 && b.us[i] > 0) a.us[n++] = log(a.us[i] / b.us[i]);
        if (n) {
            qsort(a.us, n, sizeof *a.us, by_number);
            const struct interval within = stats_sign_interval(a.us, n, 0.05, 1);
            out = (struct value){ exp(stats_median(a.us, n)), exp(within.lo), exp(within.hi) };
        }
    }
    said_free(&a);
    said_free(&b);
    if (isfinite(out.at)) return out;
    const struct value s = p50(g, slow), f = p50(g, fast);
    return (struct value){ s.at / f.at, s.lo / f.hi, s.hi / f.lo };
}

/* --- the best, and the one to use --------------------------------------------------------------- */

struct ranked { const struct result_point *p; struct value by; };

static int by_mean(const void *a, const void *b)
{
    const struct ranked *p = a, *q = b;
    if (p->by.at != q->by.at) return p->by.at > q->by.at ? -1 : 1;
    return (p->p->rows[0] > q->p->rows[0]) - (p->p->rows[0] < q->p->rows[0]);
}

/* Of the ranked those that are resolved from the first, by their questions.  0: some have none. */
static int resolve_paired(const struct result_group *g, struct answer *a, const struct ranked *ranked, unsigned char *resolved,
                          struct err *e, int *status)
{
    struct said said[ANSWER_CONTENDERS] = { 0 };
    struct interval within[ANSWER_CONTENDERS];
    const double *arms[ANSWER_CONTENDERS];
    int whole = said_read(&said[0], g, ranked[0].p);
    while (whole && a->contenders > 8 && a->contenders * said[0].n > WORK_MOST) a->contenders--;
    for (size_t i = 1; whole && i < a->contenders; i++)
        whole = said_read(&said[i], g, ranked[i].p) && said[i].n == said[0].n;
    for (size_t i = 0; whole && i < a->contenders; i++) arms[i] = said[i].by;
    if (whole) {
        a->queries = said[0].n;
        *status = verdict_all_pairs(arms, a->contenders, said[0].n, 0, SEED, within, e);
    }
    for (size_t i = 0; whole && *status == ERR_OK && i < a->contenders; i++) resolved[i] = i && within[i].hi < 0;
    for (size_t i = 0; i < ANSWER_CONTENDERS; i++) said_free(&said[i]);
    return whole && *status == ERR_OK;
}

/* The gain over `other`: paired where it can be; else as far apart as both intervals allow. */
static struct value gain_over(const struct result_group *g, const struct result_point *best, const struct result_point *other)
{
    const struct value x = result_value(g, best, g->by), y = result_value(g, other, g->by);
    struct value out = { x.at - y.at, x.lo - y.hi, x.hi - y.lo };
    struct said a, b = { 0 };
    double *work = NULL;
    if (said_read(&a, g, best) && said_read(&b, g, other) && a.n == b.n && (work = mem_alloc(2 * a.n, sizeof *work))) {
        const struct quality_difference d = verdict_quality(b.by, a.by, a.n, 1, SEED, work);
        out.lo = d.interval.lo;
        out.hi = d.interval.hi;
    }
    mem_free(work);
    said_free(&a);
    said_free(&b);
    return out;
}

static int rank(const struct result_group *g, struct answer *a, struct ranked *ranked, size_t count, struct err *e)
{
    unsigned char resolved[ANSWER_CONTENDERS] = { 0 };
    int status = ERR_OK;
    qsort(ranked, count, sizeof *ranked, by_mean);
    a->best = a->use = ranked[0].p;
    a->contenders = count < ANSWER_CONTENDERS ? count : ANSWER_CONTENDERS;
    a->is_paired = a->contenders > 1 && resolve_paired(g, a, ranked, resolved, e, &status);
    if (status != ERR_OK) return status;
    for (size_t i = 1; !a->is_paired && i < a->contenders; i++)
        resolved[i] = isfinite(ranked[0].by.lo) && isfinite(ranked[i].by.hi) ? ranked[i].by.hi < ranked[0].by.lo
                                                                             : ranked[i].by.at < ranked[0].by.at;
    for (size_t i = 1; i < a->contenders; i++) {
        if (resolved[i]) continue;
        a->unresolved++;
        if (p50(g, ranked[i].p).at < p50(g, a->use).at) a->use = ranked[i].p;
    }
    a->other = result_usual_point(g);
    if (!g->is_pipeline || !a->other || a->other == a->best) a->other = count > 1 ? ranked[1].p : NULL;
    if (a->other) a->gain = gain_over(g, a->best, a->other);
    if (a->use != a->best) a->faster = ratio_of(g, a->best, a->use);
    return ERR_OK;
}

/* --- the fastest that is good enough ------------------------------------------------------------ */

static const char *spec_of(const struct result_group *g, const struct result_point *p)
{
    return table_text(g->t, p->rows[0], table_column(g->t, "index"));
}

/* Answers of other programs and generic builds are no claim of speed. */
static int is_timed(const struct result_group *g, const struct result_point *p)
{
    return strncmp(spec_of(g, p), "ids:", 4) != 0 && p50(g, p).at > 0 &&
           !strstr(table_text(g->t, p->rows[0], table_column(g->t, "kernel_used")), "peer_isa=generic");
}

static int same_method(const char *a, const char *b)
{
    const size_t size = strcspn(a, ":");
    return size == strcspn(b, ":") && memcmp(a, b, size) == 0;
}

/* not_as: NULL, or a point whose method does not count. */
static const struct result_point *fastest(const struct result_group *g, double level, const struct result_point *not_as)
{
    const struct result_point *found = NULL;
    for (size_t i = 0; i < g->count; i++) {
        const struct result_point *p = &g->points[i];
        if (!is_timed(g, p) || !(result_value(g, p, g->by).at >= level)) continue;
        if (not_as && same_method(spec_of(g, p), spec_of(g, not_as))) continue;
        if (!found || p50(g, p).at < p50(g, found).at) found = p;
    }
    return found;
}

static void find_fast(const struct result_group *g, struct answer *a)
{
    static const double levels[] = { .95, .90, .80 };
    for (size_t i = 0; i < sizeof levels / sizeof *levels && !a->level; i++) {
        a->fast = fastest(g, levels[i], NULL);
        if (!a->fast || strcmp(spec_of(g, a->fast), "flat") == 0) continue; /* all others miss it */
        a->level = levels[i];
        a->rival = fastest(g, levels[i], a->fast);
        if (a->rival) a->behind = ratio_of(g, a->rival, a->fast);
    }
}

int answer_find(const struct result_group *g, struct answer *out, struct err *e)
{
    *out = (struct answer){ .gain = nothing, .faster = nothing, .behind = nothing };
    struct ranked *ranked = g->by ? mem_alloc(g->count, sizeof *ranked) : NULL;
    if (!g->by) return ERR_OK;
    if (!ranked) return FAIL(e, ERR_MEM, "no memory to rank %zu points", g->count);
    size_t count = 0;
    for (size_t i = 0; i < g->count; i++) {
        const struct value by = result_value(g, &g->points[i], g->by);
        if (isfinite(by.at)) ranked[count++] = (struct ranked){ &g->points[i], by };
    }
    const int status = count ? rank(g, out, ranked, count, e) : ERR_OK;
    mem_free(ranked);
    if (status == ERR_OK && count && !g->is_pipeline) find_fast(g, out);
    return status;
}

/* --- as sentences ------------------------------------------------------------------------------- */

static void add_name(struct text *out, const struct result_group *g, const struct result_point *p)
{
    struct text name = { 0 };
    result_name(g, p, &name);
    text_add(out, "<code class=\"name\" data-p=\"%016llx\">", (unsigned long long)p->id);
    html_add(out, text_of(&name));
    text_add(out, "</code>");
    text_free(&name);
}

static void add_by(struct text *out, const struct result_group *g)
{
    html_phrase(out, g->by, table_text(g->t, g->points[0].rows[0], table_column(g->t, "k")));
}

static void add_ratio(struct text *out, struct value v)
{
    text_add(out, "&times;%.2f", v.at);
    if (isfinite(v.lo) && isfinite(v.hi)) text_add(out, " [%.2f, %.2f]", v.lo, v.hi);
}

static void add_cost(struct text *out, const struct result_group *g, const struct result_point *p)
{
    const struct value us = p50(g, p), bytes = result_value(g, p, "bytes_per_vector");
    if (isfinite(us.at)) {
        text_add(out, "p50 ");
        html_value(out, us, 0);
        text_add(out, " us");
    }
    if (!isfinite(bytes.at)) return;
    text_add(out, "%s", isfinite(us.at) ? ", " : "");
    html_number(out, bytes.at);
    text_add(out, " bytes a vector");
    if (result_value(g, p, "rerank").at > 0) text_add(out, " beside the originals, which re-scoring reads");
}

static void write_fast(const struct result_group *g, const struct answer *a, struct text *out)
{
    add_name(out, g, a->fast);
    text_add(out, " is the fastest of those that find at least %.0f %% of the true neighbours: ", a->level * 100);
    add_by(out, g);
    text_add(out, " ");
    html_value(out, result_value(g, a->fast, g->by), 4);
    text_add(out, ", ");
    add_cost(out, g, a->fast);
    text_add(out, ". ");
    if (!a->rival) return;
    text_add(out, "The next method, ");
    add_name(out, g, a->rival);
    const int is_open = a->behind.lo <= 1 && a->behind.hi >= 1;
    text_add(out, is_open ? ", is not resolved from it: " : ", takes ");
    add_ratio(out, a->behind);
    text_add(out, " its time. ");
}

static void write_best(const struct result_group *g, const struct answer *a, struct text *out)
{
    add_name(out, g, a->best);
    text_add(out, g->is_pipeline ? " answers best: " : " finds most: ");
    add_by(out, g);
    text_add(out, " ");
    html_value(out, result_value(g, a->best, g->by), 4);
    if (!a->other) {
        text_add(out, ". Nothing else was measured. ");
        return;
    }
    text_add(out, ", %+.4f", a->gain.at);
    if (isfinite(a->gain.lo) && isfinite(a->gain.hi)) text_add(out, " [%+.4f, %+.4f]", a->gain.lo, a->gain.hi);
    text_add(out, " over ");
    add_name(out, g, a->other);
    text_add(out, a->gain.lo > 0 ? ". " : ": not resolved. ");
}

static void write_use(const struct result_group *g, const struct answer *a, struct text *out)
{
    text_add(out, "<p class=\"use\"><b>To use:</b> ");
    add_name(out, g, a->use);
    text_add(out, ", ");
    add_by(out, g);
    text_add(out, " ");
    html_value(out, result_value(g, a->use, g->by), 4);
    text_add(out, ", ");
    add_cost(out, g, a->use);
    if (a->use == a->best)
        text_add(out, a->unresolved ? ": the best, and the fastest of the %zu that are not resolved from it" :
                                      ": the best, and all others are resolved to be worse",
                 a->unresolved + 1);
    else {
        text_add(out, ": of the best and the %zu that are not resolved from it the fastest, ", a->unresolved);
        add_ratio(out, a->faster);
        text_add(out, " as fast as the best");
    }
    text_add(out, ". <span class=\"how\">");
    if (a->is_paired)
        text_add(out, "Paired over %zu questions, 95 %% for all pairs of %zu points at once. The same questions chose, so expect "
                      "a little less; <code>assay tune</code> holds questions apart.", a->queries, a->contenders);
    else if (a->contenders > 1)
        text_add(out, "No per-query files lie beside these rows, so points whose intervals overlap count as not resolved: a "
                      "weaker test than by question.");
    text_add(out, "</span></p>\n");
}

void answer_write(const struct result_group *g, const struct answer *a, struct text *out)
{
    if (!a->best) return;
    text_add(out, "<p class=\"lead\">");
    if (a->level) write_fast(g, a, out);
    else write_best(g, a, out);
    text_add(out, "</p>\n");
    write_use(g, a, out);
}
