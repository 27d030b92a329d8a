/* SPDX-License-Identifier: MIT
 * paper_rabitq.c - RaBitQ (arXiv 2405.12497) and its extension to more bits (arXiv 2409.09913): what the bound of its error
 * covers, that its estimator is unbiased, recall by bits, and re-ranking by the bound.
 *
 * With u a unit row and v its code scaled to <u, v> = 1, the estimate <q, v> is off by sqrt(|v|^2 - 1) times a coordinate of
 * q orthogonal to u: of uniform q that is beyond eps0 / sqrt(d - 1) as often as Student's t with d - 1 degrees of freedom is
 * beyond eps0 / sqrt(1 - eps0^2 / (d - 1)), whatever the code. */
#include "bench/papers/quant.h"
#include "bench/papers/quant_recall.h"
#include "bench/time/stats.h"
#include "kernels/base/parallel.h"
#include "kernels/base/topk.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char table[] =
#include "gen/rabitq.tsv.inc"
    ;

enum { DIM = 128 };

static double dot(const float *a, const float *b, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* --- uniform pairs: errors in units of the bound ---------------------------------------------------------- */

enum { QUERIES = 20 };

struct pairs { double *error, *sigma; size_t count; }; /* estimated less true; what eps0 is counted in */

static int draw_pairs(struct pairs *out, const char *spec, size_t n, uint64_t seed, int threads, struct err *e)
{
    struct rows x = { 0 }, q = { 0 };
    struct index *ix = NULL;
    float *y = NULL;
    out->count = 0;
    int status = sphere_draw(&x, n, DIM, seed, e);
    if (status == ERR_OK) status = sphere_draw(&q, QUERIES, DIM, seed + 1000000, e);
    if (status == ERR_OK) status = quant_build(&ix, spec, x, METRIC_COSINE, seed, threads, e);
    if (status == ERR_OK) status = quant_decode(ix, x.count, threads, &y, e);
    for (size_t r = 0; status == ERR_OK && r < n; r++) {
        const float *v = y + r * DIM;
        const double sigma = sqrt(fmax(0, dot(v, v, DIM) - 1) / (DIM - 1));
        for (size_t k = 0; k < QUERIES; k++) {
            out->error[out->count] = dot(rows_at(q, k), v, DIM) - dot(rows_at(q, k), rows_at(x, r), DIM);
            out->sigma[out->count++] = sigma;
        }
    }
    index_destroy(ix);
    mem_free(y);
    mem_free((void *)x.at);
    mem_free((void *)q.at);
    return status;
}

static int found(struct paper_run *r, struct finding *f, const char *spec, size_t n, const double *draws, struct err *e)
{
    finding_of_seeds(f, draws, r->asked.seeds);
    f->index = spec;
    f->n = n;
    return paper_found(r, f, e);
}

static const double eps0s[] = { 0.5, 1, 1.5, 1.9, 2.5, 3 };
enum { EPS0S = sizeof eps0s / sizeof *eps0s };

static int coverage_of(struct paper_run *r, int bits, struct pairs *p, size_t n, struct err *e)
{
    double missed[EPS0S][PAPER_SEEDS_MAX] = { { 0 } };
    char spec[64];
    int status = ERR_OK;
    snprintf(spec, sizeof spec, "rabitq:bits=%d,rotation=dense,query=f32,fit=sweep", bits);
    for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) {
        status = draw_pairs(p, spec, n, s + 1, r->asked.threads, e);
        for (size_t i = 0; status == ERR_OK && i < p->count; i++)
            for (size_t k = 0; k < EPS0S; k++) missed[k][s] += (p->error[i] > eps0s[k] * p->sigma[i]) / (double)p->count;
    }
    for (size_t k = 0; status == ERR_OK && k < EPS0S; k++) {
        struct finding f = finding_of("dim=%d;bits=%d;eps0=%g", DIM, bits, eps0s[k]);
        f.theory = student_tail(DIM - 1, eps0s[k] / sqrt(1 - eps0s[k] * eps0s[k] / (DIM - 1)));
        status = found(r, &f, spec, n * QUERIES, missed[k], e);
    }
    return status;
}

static int with_pairs(struct paper_run *r, int (*each)(struct paper_run *, int, struct pairs *, size_t, struct err *), int step, struct err *e)
{
    const size_t n = r->asked.quick ? 1000 : 10000;
    struct pairs p = { mem_alloc(n * QUERIES, sizeof(double)), mem_alloc(n * QUERIES, sizeof(double)), 0 };
    int status = p.error && p.sigma ? ERR_OK : FAIL(e, ERR_MEM, "no memory for pairs");
    for (int bits = 1; status == ERR_OK && bits <= (step ? 8 : 4); bits = step ? bits + step : 2 * bits) status = each(r, bits, &p, n, e);
    mem_free(p.error);
    mem_free(p.sigma);
    return status;
}

static int coverage(struct paper_run *r, struct err *e) { return with_pairs(r, coverage_of, 0, e); }

/* The .999 quantile of |error| times sqrt(d) 2^bits. */
static int tail_of(struct paper_run *r, int bits, struct pairs *p, size_t n, struct err *e)
{
    double quantiles[PAPER_SEEDS_MAX];
    char spec[64];
    int status = ERR_OK;
    snprintf(spec, sizeof spec, "rabitq:bits=%d,rotation=dense,query=f32,fit=sweep", bits);
    for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) {
        status = draw_pairs(p, spec, n, s + 1, r->asked.threads, e);
        for (size_t i = 0; status == ERR_OK && i < p->count; i++) p->error[i] = fabs(p->error[i]) * sqrt(DIM) * ldexp(1, bits);
        if (status != ERR_OK) break;
        stats_sort(p->error, p->count);
        quantiles[s] = stats_quantile(p->error, p->count, 0.999);
    }
    struct finding f = finding_of("dim=%d;bits=%d;fit=sweep", DIM, bits);
    return status == ERR_OK ? found(r, &f, spec, n * QUERIES, quantiles, e) : status;
}

static int tail(struct paper_run *r, struct err *e) { return with_pairs(r, tail_of, 1, e); }

/* --- unbiased: the line through estimates over true values -------------------------------------------------- */

/* Pairs <x, y> = rho, rho even over (-1, 1); least squares of the estimate. */
static int line_of(const char *spec, size_t n, uint64_t seed, int threads, double *slope, double *intercept, struct err *e)
{
    struct rows x = { 0 }, z = { 0 };
    struct index *ix = NULL;
    float *y = NULL;
    double st = 0, se = 0, stt = 0, ste = 0;
    int status = sphere_draw(&x, n, DIM, seed, e);
    if (status == ERR_OK) status = sphere_draw(&z, n, DIM, seed + 1000000, e);
    if (status == ERR_OK) status = quant_build(&ix, spec, x, METRIC_COSINE, seed, threads, e);
    if (status == ERR_OK) status = quant_decode(ix, x.count, threads, &y, e);
    for (size_t r = 0; status == ERR_OK && r < n; r++) {
        const float *u = rows_at(x, r), *w = rows_at(z, r), *v = y + r * DIM;
        const double rho = ((double)r + 0.5) / (double)n * 2 - 1, along = dot(u, w, DIM), other = sqrt(1 - along * along);
        const double estimate = rho * dot(u, v, DIM) + sqrt(1 - rho * rho) * (dot(w, v, DIM) - along * dot(u, v, DIM)) / other;
        st += rho, se += estimate, stt += rho * rho, ste += rho * estimate;
    }
    *slope = (ste - st * se / (double)n) / (stt - st * st / (double)n);
    *intercept = (se - *slope * st) / (double)n;
    index_destroy(ix);
    mem_free(y);
    mem_free((void *)x.at);
    mem_free((void *)z.at);
    return status;
}

static int unbiased(struct paper_run *r, struct err *e)
{
    static const struct { const char *method, *spec; } arms[] = {
        { "rabitq 1", "rabitq:bits=1,rotation=dense,query=f32" },
        { "rabitq 2", "rabitq:bits=2,rotation=dense,query=f32,fit=sweep" },
        { "rabitq 4", "rabitq:bits=4,rotation=dense,query=f32,fit=sweep" },
        { "pq", "pq:m=32,train=base" },
    };
    const size_t n = r->asked.quick ? 2000 : 20000;
    int status = ERR_OK;
    for (size_t a = 0; a < sizeof arms / sizeof *arms; a++) {
        double slopes[PAPER_SEEDS_MAX], intercepts[PAPER_SEEDS_MAX];
        for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++)
            status = line_of(arms[a].spec, n, s + 1, r->asked.threads, &slopes[s], &intercepts[s], e);
        struct finding slope = finding_of("quantity=slope;dim=%d;method=%s", DIM, arms[a].method),
                       intercept = finding_of("quantity=intercept;dim=%d;method=%s", DIM, arms[a].method);
        if (status == ERR_OK) status = found(r, &slope, arms[a].spec, n, slopes, e);
        if (status == ERR_OK) status = found(r, &intercept, arms[a].spec, n, intercepts, e);
        if (status != ERR_OK || strcmp(arms[a].method, "pq") != 0) continue;
        struct finding less = finding_of("slope less 1 of=pq");
        for (size_t s = 0; s < r->asked.seeds; s++) slopes[s] -= 1;
        status = found(r, &less, arms[a].spec, n, slopes, e);
    }
    return status;
}

/* --- recall ----------------------------------------------------------------------------------------------------- */

static int open_set(struct recall_set *s, const struct paper_run *r, int n, int queries, struct err *e)
{
    char args[128];
    if (r->asked.base) return recall_set_open(s, &r->asked, e);
    snprintf(args, sizeof args, "n=%d,dim=384,queries=%d,seed=1", n, queries);
    return recall_set_draw(s, "clustered", args, METRIC_COSINE, r->asked.threads, e);
}

static int recall(struct paper_run *r, struct err *e)
{
    static const size_t ten[] = { 10 };
    struct recall_set s;
    int status = open_set(&s, r, r->asked.quick ? 10000 : 100000, r->asked.quick ? 500 : 1000, e);
    for (int bits = 1; status == ERR_OK && bits <= 8; bits++) {
        struct method m[] = { { .name = "fast" }, { .name = "sweep" } };
        for (int fit = 0; status == ERR_OK && fit < (bits == 1 || bits > 4 ? 1 : 2); fit++) {
            m[fit].seeds = r->asked.quick ? 4 : r->asked.seeds;
            snprintf(m[fit].spec, sizeof m[fit].spec, "rabitq:bits=%d,fit=%s", bits, fit ? "sweep" : "fast");
            status = method_run(&m[fit], &s, RECALL_TEN, ten, 1, r->asked.threads, e);
            struct finding f = finding_of("dim=%zu;fit=%s;bits=%d", s.base.dim, m[fit].name, bits);
            if (status == ERR_OK) method_finding(&m[fit], 0, s.query.count, fit ? &m[0] : NULL, &f);
            if (status == ERR_OK) status = paper_found(r, &f, e);
        }
        method_free(&m[0]);
        method_free(&m[1]);
    }
    recall_set_free(&s);
    return status;
}

/* --- re-ranking by the bound, or of a fixed number ---------------------------------------------------------------- */

enum { K = 10 };

/* Exact scores, from the best estimate on, of all rows that could still be among the best K: recall and rows scored. */
static void rerank_bound(const struct recall_set *s, size_t q, const struct hit *by_estimate, const double *sigma, const double *exact,
                         double eps0, double *recall_sum, double *rows_sum)
{
    struct hit best[K];
    struct topk top;
    topk_init(&top, best, K);
    for (size_t i = 0; i < s->base.count; i++) {
        const size_t row = (size_t)by_estimate[i].id;
        if ((double)by_estimate[i].score + eps0 * sigma[row] < (double)topk_bound(&top)) continue;
        topk_push(&top, (int64_t)row, (float)exact[row]);
        *rows_sum += 1;
    }
    for (size_t i = 0; i < top.count; i++)
        for (size_t t = 0; t < K; t++) *recall_sum += (top.hits[i].id == s->truth.ids[q * s->truth.k + t]) / (double)K;
}

/* Where in the estimate's order the true ten stand. */
static void places(const struct recall_set *s, size_t q, const struct hit *by_estimate, size_t at[K])
{
    size_t found = 0;
    for (size_t i = 0; i < s->base.count && found < K; i++)
        for (size_t t = 0; t < K; t++)
            if (by_estimate[i].id == s->truth.ids[q * s->truth.k + t]) at[found++] = i;
}

/* Cosines of all questions and rows: of every draw the same.  mem_free. */
struct cosines { const struct recall_set *s; double *lengths, *out; };

static void cosines_of(void *context, int thread, size_t from, size_t to)
{
    struct cosines *c = context;
    const struct rows base = c->s->base;
    (void)thread;
    for (size_t q = from; q < to; q++) {
        const float *query = rows_at(c->s->query, q);
        const double length = sqrt(dot(query, query, base.dim));
        for (size_t r = 0; r < base.count; r++)
            c->out[q * base.count + r] = dot(query, rows_at(base, r), base.dim) / length / c->lengths[r];
    }
}

static int cosines(const struct recall_set *s, int threads, double **out, struct err *e)
{
    struct cosines c = { s, mem_alloc(s->base.count, sizeof(double)), mem_alloc(s->base.count * s->query.count, sizeof(double)) };
    const int status = c.lengths && c.out ? ERR_OK : FAIL(e, ERR_MEM, "no memory for exact scores");
    for (size_t r = 0; status == ERR_OK && r < s->base.count; r++) {
        const float *x = rows_at(s->base, r);
        c.lengths[r] = sqrt(dot(x, x, s->base.dim));
    }
    if (status == ERR_OK) parallel_for(threads, s->query.count, 1, cosines_of, &c);
    mem_free(c.lengths);
    if (status == ERR_OK) *out = c.out;
    else mem_free(c.out);
    return status;
}

/* One question: recall and rows by eps0, and where the true ten stand.  fixed: recall when of every question the same number
 * of rows is scored, which all together are as many as by the bound. */
struct bound_sums { double recall[EPS0S], rows[EPS0S], fixed[EPS0S], pool; size_t at[K]; };
struct bounding {
    const struct recall_set *s;
    const float *decoded;
    const double *sigma, *exact;
    struct hit *order;          /* of every thread, a row each */
    struct bound_sums *each;    /* of every question */
};

static void bound_questions(void *context, int thread, size_t from, size_t to)
{
    const struct bounding *b = context;
    const size_t n = b->s->base.count, dim = b->s->base.dim;
    struct hit *order = b->order + (size_t)thread * n;
    for (size_t q = from; q < to; q++) {
        const float *query = rows_at(b->s->query, q);
        const double length = sqrt(dot(query, query, dim));
        struct bound_sums *sums = &b->each[q];
        *sums = (struct bound_sums){ 0 };
        for (size_t r = 0; r < n; r++) order[r] = (struct hit){ (int64_t)r, (float)(dot(query, b->decoded + r * dim, dim) / length) };
        hits_sort(order, n);
        for (size_t k = 0; k < EPS0S; k++)
            rerank_bound(b->s, q, order, b->sigma, b->exact + q * n, eps0s[k], &sums->recall[k], &sums->rows[k]);
        places(b->s, q, order, sums->at);
    }
}

enum bound_arm { BY_BOUND, SCORED, BY_POOL, BOUND_ARMS };
/* How many of every question's true ten all draws together found; of SCORED NULL. */
struct bound_questions { double *at[EPS0S][BOUND_ARMS]; };

/* Means over the questions; each question's own are added to. */
static int bound_draw(const struct recall_set *s, const double *exact, const char *spec, uint64_t seed, int threads,
                      struct bound_sums *means, struct bound_questions *own, struct err *e)
{
    const size_t n = s->base.count, dim = s->base.dim, questions = s->query.count;
    struct index *ix = NULL;
    float *y = NULL;
    double *sigma = mem_alloc(n, sizeof *sigma);
    struct bounding b = { s, NULL, sigma, exact, mem_alloc((size_t)threads * n, sizeof *b.order), mem_alloc(questions, sizeof *b.each) };
    int status = sigma && b.order && b.each ? ERR_OK : FAIL(e, ERR_MEM, "no memory for estimates");
    if (status == ERR_OK) status = quant_build(&ix, spec, s->base, METRIC_COSINE, seed, threads, e);
    if (status == ERR_OK) status = quant_decode(ix, n, threads, &y, e);
    for (size_t r = 0; status == ERR_OK && r < n; r++) sigma[r] = sqrt(fmax(0, dot(y + r * dim, y + r * dim, dim) - 1) / (double)(dim - 1));
    b.decoded = y;
    if (status == ERR_OK) parallel_for(threads, questions, 1, bound_questions, &b);
    *means = (struct bound_sums){ 0 };
    for (size_t q = 0; status == ERR_OK && q < questions; q++) {
        for (size_t k = 0; k < EPS0S; k++) {
            means->recall[k] += b.each[q].recall[k] / (double)questions;
            means->rows[k] += b.each[q].rows[k] / (double)questions;
            own->at[k][BY_BOUND][q] += round(b.each[q].recall[k] * K);
        }
        means->pool += (double)(b.each[q].at[K - 1] + 1) / (double)questions;
    }
    for (size_t k = 0; k < EPS0S; k++)
        for (size_t q = 0; status == ERR_OK && q < questions; q++)
            for (size_t t = 0; t < K; t++) {
                const int is_in = (double)b.each[q].at[t] < means->rows[k];
                means->fixed[k] += is_in / (double)(K * questions);
                own->at[k][BY_POOL][q] += is_in;
            }
    index_destroy(ix);
    mem_free(y), mem_free(sigma), mem_free(b.order), mem_free(b.each);
    return status;
}

static int bound_found(struct paper_run *r, const struct recall_set *s, const char *spec, size_t k, double draws[BOUND_ARMS][PAPER_SEEDS_MAX],
                       double *const own[BOUND_ARMS], struct err *e)
{
    static const char names[BOUND_ARMS][40] = { "recall@10;pool=bound", "rows scored exactly;pool=bound",
                                                 "recall@10;pool=fixed, of as many rows" };
    double ahead[PAPER_SEEDS_MAX];
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < BOUND_ARMS; i++) {
        struct finding f = finding_of("quantity=%.39s;bits=1;dim=%zu;eps0=%g", names[i], s->base.dim, eps0s[k]);
        if (i == BY_BOUND) finding_against(&f, own[BY_BOUND], own[BY_POOL], s->query.count, "fixed pool");
        status = found(r, &f, spec, s->query.count, draws[i], e);
    }
    for (size_t d = 0; d < r->asked.seeds; d++) ahead[d] = finding_difference(draws[BY_BOUND][d], draws[BY_POOL][d]);
    struct finding f = finding_of("versus=bound - fixed pool;bits=1;dim=%zu;deviations=%g", s->base.dim, eps0s[k]);
    finding_of_pairs(&f, own[BY_BOUND], own[BY_POOL], s->query.count); /* wins, ties, losses, p; the interval is over the draws */
    return status == ERR_OK ? found(r, &f, spec, s->query.count, ahead, e) : status;
}

static int bound(struct paper_run *r, struct err *e)
{
    struct recall_set s;
    double draws[EPS0S][BOUND_ARMS][PAPER_SEEDS_MAX], pools[PAPER_SEEDS_MAX], *exact = NULL;
    struct bound_questions own = { 0 };
    static const char spec[] = "rabitq:bits=1,query=f32";
    int status = open_set(&s, r, r->asked.quick ? 2000 : 20000, r->asked.quick ? 50 : 200, e);
    if (status == ERR_OK) status = cosines(&s, r->asked.threads, &exact, e);
    double *all = status == ERR_OK ? mem_zero(EPS0S * 2 * s.query.count, sizeof *all) : NULL;
    if (status == ERR_OK && !all) status = FAIL(e, ERR_MEM, "no memory for questions");
    for (size_t k = 0; all && k < EPS0S; k++)
        own.at[k][BY_BOUND] = all + 2 * k * s.query.count, own.at[k][BY_POOL] = all + (2 * k + 1) * s.query.count;
    for (size_t draw = 0; status == ERR_OK && draw < r->asked.seeds; draw++) {
        struct bound_sums means;
        status = bound_draw(&s, exact, spec, draw + 1, r->asked.threads, &means, &own, e);
        for (size_t k = 0; status == ERR_OK && k < EPS0S; k++)
            draws[k][BY_BOUND][draw] = means.recall[k], draws[k][SCORED][draw] = means.rows[k], draws[k][BY_POOL][draw] = means.fixed[k];
        if (status == ERR_OK) pools[draw] = means.pool;
    }
    for (size_t k = 0; status == ERR_OK && k < EPS0S; k++) status = bound_found(r, &s, spec, k, draws[k], own.at[k], e);
    struct finding pool = finding_of("quantity=rows that the estimate's order needs for all ten;bits=1");
    if (status == ERR_OK) status = found(r, &pool, spec, s.query.count, pools, e);
    mem_free(all);
    mem_free(exact);
    recall_set_free(&s);
    return status;
}

static const struct paper_item items[] = {
    { "coverage", "how often the error is beyond the bound, on one side, uniform pairs, d = 128", coverage,
      { "eps0", NULL, "eps0", "share beyond", 0, 1 } },
    { "tail", "|error| that one in a thousand is beyond, times sqrt(d) 2^bits (2409.09913)", tail,
      { "bits", NULL, "bits per dimension", ".999 quantile, times sqrt(d) 2^bits", 0, 0 } },
    { "unbiased", "the line through estimates over true inner products", unbiased, { NULL, NULL, NULL, NULL, 0, 0 } },
    { "recall", "recall@10 at 1 to 8 bits, nothing re-ranked; the sweep, whose time doubles with every bit, to 4", recall,
      { "bits", NULL, "bits per dimension", "recall@10", 0, PAPER_SHARE } },
    { "bound", "re-ranking what the bound cannot exclude: recall@10 and rows scored exactly, 1 bit", bound,
      { "eps0", "quantity", "eps0", "recall@10|rows scored exactly=rows scored exactly", 0, PAPER_SHARE } },
    { 0 }
};

const struct paper_ops paper_rabitq = {
    .name = "rabitq",
    .reference = "arXiv 2405.12497, 2409.09913",
    .summary = "signs and even steps with a bound of the error",
    .table = table,
    .items = items,
};
