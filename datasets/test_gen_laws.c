/* SPDX-License-Identifier: MIT
 * test_gen_laws.c - what generators promise, against closed forms: moments and quantiles, the spectrum, planted
 * cosines, queries out of distribution, Bernoulli rewards and what two hops can reach.  Bounds are five standard
 * errors of what is estimated. */
#include "datasets/dataset.h"
#include "datasets/normal.h"
#include "datasets/unit.h"
#include "kernels/base/test.h"
#include "kernels/base/topk.h"
#include <math.h>

struct made { struct rows base, query; };

static void make(const char *kind, const char *args, struct made *m)
{
    const struct generator_ops *g = generator_find(kind);
    struct params *p = NULL;
    struct err e = { 0 };
    CHECK(params_create(&p, g->params, g->name, args, &e) == ERR_OK, "%s", e.text);
    CHECK(g->vectors(p, &m->base, &m->query, &e) == ERR_OK, "%s: %s", kind, e.text);
    params_destroy(p);
}

static void unmake(struct made *m)
{
    mem_free((void *)(uintptr_t)m->base.at);
    mem_free((void *)(uintptr_t)m->query.at);
    *m = (struct made){ 0 };
}

/* Share of all coordinates at or below x. */
static double share_below(struct rows r, double x)
{
    size_t below = 0;
    for (size_t i = 0; i < r.count * r.dim; i++) below += r.at[i] <= x;
    return (double)below / (double)(r.count * r.dim);
}

static double moment(struct rows r, int power)
{
    double sum = 0;
    for (size_t i = 0; i < r.count * r.dim; i++) sum += pow(r.at[i], power);
    return sum / (double)(r.count * r.dim);
}

static double normal_below(double x) { return 0.5 * erfc(-x / sqrt(2)); }
static double laplace_below(double x) { return x < 0 ? 0.5 * exp(x) : 1 - 0.5 * exp(-x); }
/* Student's t of 3 degrees. */
static double student_below(double x) { return 0.5 + (atan(x / sqrt(3)) + x / sqrt(3) / (1 + x * x / 3)) / M_PI; }
static double cauchy_below(double x) { return 0.5 + atan(x) / M_PI; }

static void coordinates_follow_their_law(void)
{
    static const struct { const char *kind, *args; double (*below)(double); } cases[] = {
        { "isotropic", "n=4000,dim=50,queries=1", normal_below },
        { "laplace", "n=4000,dim=50,queries=1", laplace_below },
        { "student", "n=4000,dim=50,queries=1", student_below },
        { "student", "n=4000,dim=50,queries=1,freedom=1", cauchy_below },
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct made m = { 0 };
        make(cases[c].kind, cases[c].args, &m);
        for (double x = -5; x <= 5; x += 0.5) {
            const double p = cases[c].below(x), got = share_below(m.base, x), error = sqrt(p * (1 - p) / 200000);
            CHECK(fabs(got - p) <= 5 * error + 1e-6, "%s %s: share below %g is %.5f, not %.5f", cases[c].kind,
                  cases[c].args, x, got, p);
        }
        unmake(&m);
    }
    struct made m = { 0 };
    make("laplace", "n=4000,dim=50,queries=1", &m);
    CHECK(fabs(moment(m.base, 1)) < 5 * sqrt(2.0 / 200000), "laplace: mean %.5f", moment(m.base, 1));
    CHECK(fabs(moment(m.base, 2) - 2) < 5 * sqrt((24 - 4) / 200000.0), "laplace: variance %.5f", moment(m.base, 2));
    unmake(&m);
}

/* Variance of the base along each axis. */
static void axis_variances(struct rows r, double *out)
{
    for (size_t c = 0; c < r.dim; c++) {
        out[c] = 0;
        for (size_t i = 0; i < r.count; i++) out[c] += (double)rows_at(r, i)[c] * rows_at(r, i)[c] / (double)r.count;
    }
}

static void spectrum_is_as_given(void)
{
    enum { D = 32, COUNT = 20000 };
    struct made axes = { 0 }, turned = { 0 };
    double got[D], total = 0, trace = 0, square = 0, fourth = 0;
    make("anisotropic", "n=20000,dim=32,queries=1,decay=1.5,rotate=false", &axes);
    make("anisotropic", "n=20000,dim=32,queries=1,decay=1.5", &turned);
    axis_variances(axes.base, got);
    for (size_t i = 0; i < D; i++) {
        const double variance = pow(1 + (double)i, -1.5);
        CHECK(fabs(got[i] / variance - 1) < 5 * sqrt(2.0 / COUNT), "direction %zu: %.5f, not %.5f", i, got[i],
              variance);
        total += variance;
        square += variance * variance;
    }
    /* A rotation keeps every row's length, and trace and trace of the square of the covariance. */
    for (size_t i = 0; i < COUNT; i += 97) {
        const double a = fixed_dot(rows_at(axes.base, i), rows_at(axes.base, i), D);
        const double b = fixed_dot(rows_at(turned.base, i), rows_at(turned.base, i), D);
        CHECK(fabs(a - b) < 1e-5 * a, "row %zu: |x|^2 %.7f and turned %.7f", i, a, b);
    }
    for (size_t i = 0; i < COUNT; i++) trace += fixed_dot(rows_at(turned.base, i), rows_at(turned.base, i), D) / COUNT;
    for (size_t i = 0; i + 1 < COUNT; i += 2)
        fourth += pow(fixed_dot(rows_at(turned.base, i), rows_at(turned.base, i + 1), D), 2) / (COUNT / 2);
    CHECK(fabs(trace - total) < 5 * sqrt(2 * square / COUNT), "trace %.5f, not %.5f", trace, total);
    CHECK(fabs(fourth - square) < 5 * square * sqrt(8.0 / (COUNT / 2)), "trace of the square %.5f, not %.5f", fourth,
          square);
    /* Turned, the axes are all alike but for what one rotation leaves. */
    axis_variances(turned.base, got);
    double most = 0;
    for (size_t i = 0; i < D; i++) most = fmax(most, got[i]);
    CHECK(most < 0.5, "an axis of the turned set holds %.3f of direction 0", most);
    unmake(&axes);
    unmake(&turned);
    make("anisotropic", "n=20000,dim=32,queries=1,spectrum=exponential,decay=2,rotate=false", &axes);
    axis_variances(axes.base, got);
    for (size_t i = 0; i < D; i++)
        CHECK(fabs(got[i] / exp(-4 * (double)i / 31) - 1) < 5 * sqrt(2.0 / COUNT), "exponential, direction %zu: %.5f",
              i, got[i]);
    unmake(&axes);
}

static void sparse_rows(void)
{
    struct made m = { 0 };
    make("sparse", "n=4000,dim=100,queries=500,density=0.07", &m);
    double dot = 0;
    size_t used[100] = { 0 };
    for (size_t i = 0; i < m.base.count; i++) {
        size_t nonzeros = 0;
        for (size_t c = 0; c < 100; c++) {
            CHECK(rows_at(m.base, i)[c] >= 0, "negative");
            nonzeros += rows_at(m.base, i)[c] > 0;
            used[c] += rows_at(m.base, i)[c] > 0;
        }
        CHECK(nonzeros == 7, "row %zu: %zu", i, nonzeros);
    }
    for (size_t c = 0; c < 100; c++)
        CHECK(fabs((double)used[c] - 280) < 5 * sqrt(4000 * .07 * .93), "place %zu: %zu of 280", c, used[c]);
    for (size_t q = 0; q < 500; q++)
        for (size_t i = 0; i < 4000; i++) dot += fixed_dot(rows_at(m.query, q), rows_at(m.base, i), 100) / (500 * 4000);
    /* E <x, y> = (7 x 7 / 100) (2 / pi); its deviation by queries, 500 of them, is near .31 x .6 / sqrt(500). */
    CHECK(fabs(dot - .49 * 2 / M_PI) < 5 * .31 * .6 / sqrt(500), "mean product %.4f", dot);
    unmake(&m);
}

static void planted_neighbours(void)
{
    struct made m = { 0 };
    make("planted", "n=3000,dim=96,queries=40,planted=7,similarity=0.62", &m);
    for (size_t q = 0; q < 40; q++)
        for (size_t i = 0; i < 3000; i++) {
            const double cosine = fixed_dot(rows_at(m.query, q), rows_at(m.base, i), 96);
            if (i / 7 == q) CHECK(fabs(cosine - .62) < 1e-6, "query %zu row %zu: %.8f", q, i, cosine);
            /* 5.9 deviations: one pair in 10^8.6 */
            else CHECK(fabs(cosine) < .6, "query %zu row %zu: background at %.4f", q, i, cosine);
        }
    unmake(&m);
}

static void queries_out_of_distribution(void)
{
    enum { D = 40, M = 10 };
    const double noise = .3, gap = .8, length = M + (D - M) * noise * noise;
    struct made m = { 0 };
    double mean[D] = { 0 };
    make("ood", "n=20000,dim=40,queries=20000,latent=10,noise=0.3,overlap=0.6,gap=0.8", &m);
    /* The base's second moments from its rows; E (q'x)^2 = sum over directions of both variances, and of the gap's. */
    double square = 0, crossed = 0;
    for (size_t i = 0; i < 20000; i++) {
        square += fixed_dot(rows_at(m.base, i), rows_at(m.base, i), D) / 20000;
        crossed += pow(fixed_dot(rows_at(m.base, i), rows_at(m.query, i), D), 2) / 20000;
        for (size_t c = 0; c < D; c++) mean[c] += rows_at(m.query, i)[c] / 20000.0;
    }
    double offset = 0;
    for (size_t c = 0; c < D; c++) offset += mean[c] * mean[c];
    /* 6 directions shared; 4 of the base's alone, 4 of the queries' alone; the others off both; the gap off both. */
    const double expected = 6 + 8 * noise * noise + (D - 14) * pow(noise, 4) + gap * gap * length * noise * noise;
    CHECK(fabs(square - length) < 5 * sqrt(2.0 * M / 20000) + .01, "|x|^2 %.4f, not %.4f", square, length);
    CHECK(fabs(sqrt(offset) - gap * sqrt(length)) < .05, "the mean is off by %.4f, not %.4f", sqrt(offset),
          gap * sqrt(length));
    CHECK(fabs(crossed / expected - 1) < 5 * sqrt(8.0 / 20000), "E <q, x>^2 = %.4f, not %.4f", crossed, expected);
    unmake(&m);
    struct err e = { 0 };
    struct params *p = NULL;
    const struct generator_ops *g = generator_find("ood");
    CHECK(params_create(&p, g->params, g->name, "dim=16,latent=12", &e) == ERR_OK, "%s", e.text);
    CHECK(g->vectors(p, &m.base, &m.query, &e) == ERR_ARG && strstr(e.text, "latent=12"), "%s", e.text);
    params_destroy(p);
}

static void filters_are_as_asked(void)
{
    enum { N = 4000, Q = 50 };
    static const double correlations[] = { -1, -.7, 0, .4, .9, 1 };
    char folder[] = "/tmp/assay-test-XXXXXX", args[256], base_path[64], query_path[64];
    struct err e = { 0 };
    struct made m = { 0 };
    if (!mkdtemp(folder)) abort();
    snprintf(base_path, sizeof base_path, "%s/b.fvecs", folder);
    snprintf(query_path, sizeof query_path, "%s/q.fvecs", folder);
    make("clustered", "n=4000,dim=20,queries=50,clusters=30", &m);
    CHECK(dataset_write_fvecs(base_path, m.base, &e) == ERR_OK, "%s", e.text);
    CHECK(dataset_write_fvecs(query_path, m.query, &e) == ERR_OK, "%s", e.text);
    static uint32_t passing[N];
    static struct hit hits[N];
    static double z[N]; /* of each row */
    for (size_t c = 0; c < sizeof correlations / sizeof *correlations; c++) {
        struct params *p = NULL;
        struct tags base = { 0 }, query = { 0 }, by_tag = { 0 };
        const struct generator_ops *g = generator_find("filters");
        snprintf(args, sizeof args, "base_file=%s,query_file=%s,selectivity=0.05,correlation=%g", base_path,
                 query_path, correlations[c]);
        CHECK(params_create(&p, g->params, g->name, args, &e) == ERR_OK, "%s", e.text);
        CHECK(g->filters(p, &base, &query, &e) == ERR_OK && tags_transpose(&by_tag, &base, &e) == ERR_OK, "%s", e.text);
        double mean = 0, least = 1e9, most = -1e9;
        for (size_t q = 0; q < Q; q++) {
            const size_t count = tags_passing(&by_tag, N, &query, q, passing);
            CHECK(count == 200, "query %zu: %zu pass", q, count);
            for (size_t i = 0; i < N; i++)
                hits[i] = (struct hit){ (int64_t)i, (float)fixed_dot(rows_at(m.query, q), rows_at(m.base, i), 20) };
            hits_sort(hits, N);
            for (size_t rank = 0; rank < N; rank++) z[hits[rank].id] = normal_quantile((N - (double)rank - .5) / N);
            for (size_t i = 0; i < count; i++) {
                mean += z[passing[i]] / (200 * Q);
                least = fmin(least, z[passing[i]]);
                most = fmax(most, z[passing[i]]);
            }
        }
        /* phi(t) / s at s = .05, and about one deviation of z for each of 200 rows of 50 queries */
        const double t = normal_quantile(.95), expected = correlations[c] * exp(-t * t / 2) / sqrt(2 * M_PI) / .05;
        CHECK(fabs(mean - expected) < 5 / sqrt(200.0 * Q) + .01, "c=%g: mean z %.4f, not %.4f", correlations[c], mean,
              expected);
        if (correlations[c] == 1) CHECK(least > t - .01, "c=1: a row at z %.3f passes", least);
        if (correlations[c] == -1) CHECK(most < -t + .01, "c=-1: a row at z %.3f passes", most);
        params_destroy(p);
        tags_free(&base);
        tags_free(&query);
        tags_free(&by_tag);
    }
    CHECK(unlink(base_path) == 0 && unlink(query_path) == 0 && rmdir(folder) == 0, "clean up");
    unmake(&m);
}

static void quantiles_are_normal(void)
{
    for (double p = 1e-300; p < 1e-2; p *= 7) {
        const double x = normal_quantile(p), back = normal_below(x);
        CHECK(fabs(back / p - 1) < 1e-11, "p=%g: x=%.17g, back %.17g", p, x, back);
    }
    for (double p = .001; p < 1; p += .001) {
        const double x = normal_quantile(p);
        CHECK(fabs(normal_below(x) - p) < 1e-14 && fabs(x + normal_quantile(1 - p)) < 1e-12, "p=%g: x=%.17g", p, x);
    }
}

/* --- graphs ---------------------------------------------------------------------------------------- */
struct seen {
    size_t labels, queries, first_rank_labels, count[3], edges;
    double chance[4096];
    float *rows;
    size_t dim;
    size_t tune;
    double expected; /* sum of the chances of what a query's labels were drawn from */
    size_t options;
    float *asked;
    int64_t *wanted, *linked; /* of each query: the evidence; of each entity: first link, 0 for none */
};

static int see_entity(void *context, int64_t id, const char *type, const char *name, const char *properties,
                      const char *text, struct err *e)
{
    struct seen *s = context;
    (void)type, (void)name, (void)text, (void)e;
    const char *at = strstr(properties, "\"chance\":");
    if (at && id <= 4096) s->chance[id - 1] = strtod(at + 9, NULL);
    return ERR_OK;
}

static int see_vector(void *context, int64_t id, const float *x, size_t dim, struct err *e)
{
    struct seen *s = context;
    (void)e;
    memcpy(s->rows + (size_t)(id - 1) * dim, x, dim * sizeof *x);
    s->dim = dim;
    return ERR_OK;
}

static int see_relation(void *context, int64_t source, int64_t target, const char *type, double weight,
                        const char *properties, struct err *e)
{
    struct seen *s = context;
    (void)weight, (void)properties, (void)e;
    s->edges++;
    if (s->linked && strcmp(type, "supports") == 0) s->linked[source - 1] = target;
    return ERR_OK;
}

static int see_query(void *context, int64_t id, const char *split, const char *text, const float *x, size_t dim,
                     const struct kb_label *relevant, size_t count, struct err *e)
{
    struct seen *s = context;
    (void)text, (void)e;
    s->queries++;
    s->labels += count;
    s->tune += split && strcmp(split, "tune") == 0;
    for (size_t i = 0; i < count; i++) s->first_rank_labels += s->chance[relevant[i].id - 1] > .89;
    if (s->asked) memcpy(s->asked + (size_t)id * dim, x, dim * sizeof *x);
    if (s->wanted && count) s->wanted[id] = relevant[0].id;
    return ERR_OK;
}

static void deliver(const char *kind, const char *args, struct seen *s)
{
    const struct generator_ops *g = generator_find(kind);
    const struct kb_sink sink = { .context = s, .entity = see_entity, .vector = see_vector,
                                      .relation = see_relation, .query = see_query };
    struct params *p = NULL;
    struct err e = { 0 };
    CHECK(params_create(&p, g->params, g->name, args, &e) == ERR_OK, "%s", e.text);
    CHECK(g->graph(p, &sink, &e) == ERR_OK, "%s: %s", kind, e.text);
    params_destroy(p);
}

static void rewards_are_bernoulli(void)
{
    static struct seen s;
    s.rows = mem_alloc(600 * 16, sizeof(float));
    deliver("rewards", "n=600,dim=16,queries=20000,situations=100,options=5,worst=0.1,best=0.9", &s);
    CHECK(s.queries == 20000 && s.tune == 10000, "%zu queries, %zu to tune", s.queries, s.tune);
    for (size_t situation = 0; situation < 100; situation++) {
        double sum = 0, least = 1, most = 0;
        for (size_t j = 0; j < 5; j++) {
            const double p = s.chance[situation * 5 + j];
            sum += p;
            least = fmin(least, p);
            most = fmax(most, p);
        }
        CHECK(fabs(sum - 2.5) < 1e-5 && fabs(least - .1) < 1e-5 && fabs(most - .9) < 1e-5, "situation %zu", situation);
    }
    /* .1 .3 .5 .7 .9: the variances of their draws add up to .85 */
    CHECK(fabs((double)s.labels - 50000) < 5 * sqrt(20000 * .85), "%zu labels", s.labels);
    CHECK(fabs((double)s.first_rank_labels - 18000) < 5 * sqrt(20000 * .09), "the best: %zu", s.first_rank_labels);
    /* Two at cosine c to one centre, independent else, are at c^2. */
    double mean = 0;
    for (size_t situation = 0; situation < 100; situation++)
        mean += fixed_dot(s.rows + situation * 5 * 16, s.rows + (situation * 5 + 1) * 16, 16) / 100;
    CHECK(fabs(mean - .64) < 5 * .36 / sqrt(15.0 * 100), "cosine of two options %.4f", mean);
    mem_free(s.rows);
}

/* P(cosine of two random unit vectors > h) in dim dimensions, by the density (1 - t^2)^((dim - 3) / 2). */
static double tail(double h, int dim)
{
    enum { STEPS = 20000 };
    double above = 0, all = 0;
    for (int i = 0; i < STEPS; i++) {
        const double t = -1 + (i + .5) * 2 / STEPS, f = pow(1 - t * t, (dim - 3) / 2.0);
        all += f;
        if (t > h) above += f;
    }
    return above / all;
}

/* P(fewer than k of n, each with chance p). */
static double fewer(size_t k, double n, double p)
{
    double term = exp(n * log1p(-p)), sum = 0;
    for (size_t i = 0; i < k; i++) {
        sum += term;
        term *= (n - (double)i) / ((double)i + 1) * p / (1 - p);
    }
    return sum;
}

/* A query's evidence is among the exact first k when fewer than k - 1 of the n - 2 others lie higher, as its anchor
 * always does; a link leads to it unless it was rewired. */
static void two_hops_reach_what_the_form_says(void)
{
    enum { N = 6000, D = 64, Q = 600, K = 10 };
    static struct seen s;
    s.rows = mem_alloc(N * D, sizeof(float));
    s.asked = mem_alloc(Q * D, sizeof(float));
    s.wanted = mem_zero(Q, sizeof(int64_t));
    s.linked = mem_zero(N, sizeof(int64_t));
    deliver("twohop", "n=6000,dim=64,queries=600,hidden=0.37,noise_edges=3,rewire=0.25", &s);
    CHECK(s.edges == Q + 3 * N, "out-degree: %zu edges", s.edges);
    const double p = tail(.37, D), expected = fewer(K - 1, N - 2, p);
    size_t found = 0, reached = 0;
    for (size_t q = 0; q < Q; q++) {
        size_t above = 0, anchor_above = 0;
        const float *x = s.asked + q * D, *evidence = s.rows + (size_t)(s.wanted[q] - 1) * D;
        const double own = fixed_dot(x, evidence, D);
        for (size_t i = 0; i < N; i++) above += i != (size_t)s.wanted[q] - 1 && fixed_dot(x, s.rows + i * D, D) > own;
        anchor_above = fixed_dot(x, s.rows + 2 * q * D, D) > own;
        CHECK(fabs(own - .37) < 1e-6 && anchor_above, "query %zu: evidence at %.7f", q, own);
        found += above < K;
        reached += s.linked[2 * q] == s.wanted[q];
    }
    CHECK(expected > .2 && expected < .8, "the case tells nothing: %.3f", expected);
    CHECK(fabs((double)found / Q - expected) < 5 * sqrt(expected * (1 - expected) / Q),
          "evidence in the first %d: %.4f, not %.4f",
          K, (double)found / Q, expected);
    CHECK(fabs((double)reached / Q - .75) < 5 * sqrt(.75 * .25 / Q), "links that lead there: %.4f, not .75",
          (double)reached / Q);
    mem_free(s.rows);
    mem_free(s.asked);
    mem_free(s.wanted);
    mem_free(s.linked);
}

int main(void)
{
    test_case("coordinates follow their law", coordinates_follow_their_law);
    test_case("anisotropic: the spectrum that was asked for, turned or not", spectrum_is_as_given);
    test_case("sparse: exact density, every place, the mean product", sparse_rows);
    test_case("planted: neighbours at the cosine, and nobody else", planted_neighbours);
    test_case("the normal quantile is the inverse of erfc", quantiles_are_normal);
    test_case("filters: exact share, the correlation asked for", filters_are_as_asked);
    test_case("ood: lengths, gap and shared directions", queries_out_of_distribution);
    test_case("rewards: chances and draws", rewards_are_bernoulli);
    test_case("twohop: what search and links reach", two_hops_reach_what_the_form_says);
    return test_end();
}
