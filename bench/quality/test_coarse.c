/* SPDX-License-Identifier: MIT
 * test_coarse.c - truth by a first pass in bfloat16 is, byte for byte, truth without: by every row that rounds to
 * bfloat16 and runs here, and on every machine by that of AMX with a model of its tile instructions.  Its bound is held
 * and reached, and a kernel twice as wrong as it allows is caught. */
#pragma GCC diagnostic ignored "-Wpsabi"
#include "bench/quality/coarse.h"
#include "bench/quality/truth.h"
#include "kernels/base/test.h"
#include "kernels/bound.h"
#include <math.h>

#define AMX_MODEL
#define KERNEL_OP tile_f32
#define KERNEL_ISA scalar /* its needs */
#define KERNEL_TABLE amx_model
#include "kernels/tiles/tile_f32_amxbf16.c"

enum { N = 900, Q = 33, D = 45, WIDE = 64 };
static float base_at[N * WIDE], query_at[Q * WIDE];

enum kind {
    PLAIN, COPIES, DECADES, ZEROS, NEAR_TIES, DENSE, ODD_ONE, HUGE_ONES, TINY, DENORMAL, OVERFLOW, INFINITE,
    NOT_A_NUMBER, WHOLE, KINDS
};
static const char *const kind_names[KINDS] = {
    "plain", "copies", "lengths over six decades", "zeros", "near ties", "a dense cluster", "one long row", "1e15",
    "1e-11", "denormals", "beyond bfloat16", "infinity", "not a number", "small integers"
};

static float uniform(void) { return (float)(test_rand() % 2001) / 1000 - 1; }

/* A row as its kind has it, from a plain one. */
static void spoil(enum kind kind, size_t row, float *x, size_t dim)
{
    static const float factors[KINDS] = { [HUGE_ONES] = 1e15f, [TINY] = 1e-11f, [DENORMAL] = 1e-40f,
                                          [OVERFLOW] = 3.4e38f };
    const size_t place = test_rand() % dim;
    const float decade = powf(10, (float)(row % 7) - 3);
    if ((kind == COPIES || kind == NEAR_TIES) && row >= 10) memcpy(x, base_at + (row % 10) * dim, dim * sizeof *x);
    if (kind == NEAR_TIES)
        for (size_t steps = test_rand() % 4; steps > 0; steps--) x[place] = nextafterf(x[place], 10);
    if (kind == ZEROS && row % 3 == 0) memset(x, 0, dim * sizeof *x);
    for (size_t i = 0; i < dim; i++) {
        if (kind == DECADES) x[i] *= decade;
        if (kind == DENSE) x[i] = (i % 5 ? 1 : -1) + x[i] * 1e-4f;
        if (kind == ODD_ONE && row == 7) x[i] *= 1e6f;
        if (factors[kind] > 0) x[i] *= factors[kind];
        if (kind == WHOLE) x[i] = rintf(x[i] * 3);
    }
    if (kind == INFINITE && row == 5) x[place] = -INFINITY;
    if (kind == NOT_A_NUMBER && row == 6) x[place] = NAN;
}

static void fill(enum kind kind, size_t dim)
{
    for (size_t i = 0; i < N * dim; i++) base_at[i] = uniform();
    for (size_t i = 0; i < Q * dim; i++) query_at[i] = uniform();
    for (size_t row = 0; row < N; row++) spoil(kind, row, base_at + row * dim, dim);
    for (size_t q = 0; q < Q; q++) { /* every second like the rows */
        float *x = query_at + q * dim;
        if (q % 2) spoil(kind == COPIES || kind == NEAR_TIES ? PLAIN : kind, q, x, dim);
        if (kind == ZEROS && q == 4) memset(x, 0, dim * sizeof *x);
        if (kind == DENSE && q % 2 == 0) memcpy(x, base_at + q * dim, dim * sizeof *x);
    }
}

/* The best kernels with this tile; NULL: with their own, and so without bfloat16. */
static struct kernel_set with(const struct kernel *tile)
{
    struct kernel_set set;
    CHECK(kernel_set_resolve(&set, NULL, NULL) == ERR_OK, "default kernels");
    if (tile) set.of[OP_tile_f32] = tile;
    return set;
}

static int answer(struct truth *t, struct truth_job job, const struct kernel *tile, struct err *e)
{
    const struct kernel_set kernels = with(tile);
    job.kernels = &kernels;
    *t = (struct truth){ 0 };
    return truth_run(t, &job, e);
}

static struct truth_job job_of(enum metric metric, size_t n, size_t dim, size_t k, int threads)
{
    return (struct truth_job){ .base = { base_at, n, dim, dim }, .query = { query_at, Q, dim, dim }, .k = k,
                               .metric = metric, .threads = threads };
}

/* Bytes, the count of ties and refusals alike; how many queries the first pass answered. */
static size_t check_same(const struct kernel *tile, struct truth_job job, const char *what)
{
    struct truth plain, coarse;
    struct err e[2] = { { 0 }, { 0 } };
    const int status = answer(&plain, job, NULL, &e[0]), other = answer(&coarse, job, tile, &e[1]);
    CHECK(status == other && !strcmp(e[0].text, e[1].text), "%s: '%s', not '%s'", what, e[1].text, e[0].text);
    const size_t done = coarse.by_coarse;
    if (status == ERR_OK && other == ERR_OK) {
        CHECK(plain.by_coarse == 0 && plain.rescored == 0, "%s: asked for another tile", what);
        CHECK(coarse.k == plain.k && coarse.tied == plain.tied, "%s, %s: %zu ties, not %zu", what,
              metric_name(job.metric), coarse.tied, plain.tied);
        for (size_t i = 0; i < plain.count * plain.k; i++)
            CHECK(plain.ids[i] == coarse.ids[i], "%s, %s, %zu rows, dim %zu, k %zu, query %zu place %zu: %d, not %d",
                  what, metric_name(job.metric), job.base.count, job.base.dim, job.k, i / plain.k, i % plain.k,
                  coarse.ids[i], plain.ids[i]);
    }
    truth_free(&plain);
    truth_free(&coarse);
    return done;
}

/* Of n rows at most; software is slow. */
static void same_by(const struct kernel *tile, int threads, size_t n)
{
    static const size_t shapes[][2] = { { 1, 1 }, { 5, 3 }, { 100, 2 }, { 300, 1 }, { 513, WIDE } };
    size_t done[KINDS] = { 0 }, asked = 0;
    test_seed = 20261130;
    for (int kind = 0; kind < KINDS; kind++)
        for (int m = 0; m < METRIC_COUNT; m++) {
            fill((enum kind)kind, D);
            for (size_t k = 1; k <= 60; k += 58) {
                asked += kind == PLAIN ? Q : 0;
                done[kind] += check_same(tile, job_of((enum metric)m, n, D, k, threads), kind_names[kind]);
            }
            for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
                const size_t rows = shapes[s][0] < n ? shapes[s][0] : n, k = s % 2 ? 10 : N + 1;
                fill((enum kind)kind, shapes[s][1]);
                check_same(tile, job_of((enum metric)m, rows, shapes[s][1], k, threads), kind_names[kind]);
            }
        }
    CHECK(done[PLAIN] == asked, "plain: %zu queries of %zu by bfloat16", done[PLAIN], asked);
    CHECK(done[OVERFLOW] + done[INFINITE] + done[NOT_A_NUMBER] + done[DENORMAL] == 0,
          "what does not fit is left to float32");
    CHECK(done[DECADES] && done[ZEROS] && done[WHOLE] && done[TINY], "others fit, at least by cosine");
}

/* More survivors than there is room for, in some queries. */
static void too_alike_goes_the_old_way(void)
{
    for (int m = 0; m < METRIC_COUNT; m++) {
        fill(PLAIN, D);
        CHECK(check_same(amx_model, job_of((enum metric)m, N, D, 1, 1), "plain") == Q, "room for plain ones");
        fill(DENSE, D);
        for (size_t i = 0; i < 7 * D; i++) query_at[i] = uniform();
        const size_t done = check_same(amx_model, job_of((enum metric)m, N, D, 1, 1), "a dense cluster");
        CHECK(done < Q, "%s: %zu queries by bfloat16", metric_name((enum metric)m), done);
    }
}

static void same_by_model(void) { same_by(amx_model, 1, 301); } /* which has one state of its tiles */

static void same_by_kernels(void)
{
    size_t count = 0;
    for (const struct kernel *k = kernel_next(OP_tile_f32, NULL); k; k = kernel_next(OP_tile_f32, k))
        if (k->own.bf16 && kernel_runnable(k)) same_by(k, 3, N), count++;
    if (!count) SKIP("no row in bfloat16 runs here");
}

/* Among themselves, and a part of the queries. */
static void same_of_self_and_parts(void)
{
    for (int m = 0; m < METRIC_COUNT; m++)
        for (int kind = PLAIN; kind <= NEAR_TIES; kind++) {
            fill((enum kind)kind, D);
            struct truth_job job = job_of((enum metric)m, 300, D, 7, 1);
            job.query = job.base;
            job.self = 1;
            check_same(amx_model, job, kind_names[kind]);
        }
    fill(PLAIN, D);
    struct truth_job job = job_of(METRIC_DOT, N, D, 7, 1);
    uint8_t have[Q] = { [3] = 1, [4] = 1, [20] = 1 };
    struct truth all, some;
    job.have = have, job.from = 2, job.to = 30;
    CHECK(answer(&some, job, amx_model, NULL) == ERR_OK && some.by_coarse == 25, "%zu queries", some.by_coarse);
    CHECK(answer(&all, job_of(METRIC_DOT, N, D, 7, 1), NULL, NULL) == ERR_OK, "all");
    for (size_t q = 2; q < 30; q++)
        CHECK(have[q] || !memcmp(all.ids + q * 7, some.ids + q * 7, 7 * sizeof *all.ids), "query %zu", q);
    truth_free(&all);
    truth_free(&some);
}

/* --- the bound ------------------------------------------------------------------------------------- */

static double exact_dot(const float *a, const float *b, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++) sum += (double)a[i] * b[i];
    return sum;
}

static struct coarse coarse_of(const float *x, size_t dim)
{
    return (struct coarse){ amx_model, dim, sqrt(exact_dot(x, x, dim)), coarse_loss(x, dim) };
}

static double share_of_bound(const float *q, const float *x, size_t dim)
{
    const struct coarse c = coarse_of(x, dim);
    float got = NAN;
    amx_model->fn.tile_f32(q, dim, 1, x, dim, 1, dim, &got);
    return fabs((double)got - exact_dot(q, x, dim)) / coarse_error(&c, sqrt(exact_dot(q, q, dim)), coarse_loss(q, dim));
}

/* A query of ones; row 0, the best, is what loses most by rounding, rows 1 .. decoys are what gains most, the rest is
 * far off.  Beside a first number that decides: 1 + .98 / 256 becomes 1, 1 + 1.02 / 256 becomes 1 + 2 / 256. */
static void fill_turned(size_t decoys)
{
    for (size_t i = 0; i < D; i++) query_at[i] = 1;
    for (size_t row = 0; row < N; row++)
        for (size_t i = 0; i < D; i++) {
            const float near = i ? 1 + (row ? 1.02f : .98f) / 256 : row ? 1 - 4.f / 256 : 1;
            base_at[row * D + i] = row > decoys ? uniform() * .5f : near;
        }
}

static void bound_is_held_and_reached(void)
{
    double worst = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        if (kind == OVERFLOW || kind == INFINITE || kind == NOT_A_NUMBER) continue;
        fill((enum kind)kind, D);
        for (size_t i = 0; i < 300; i++)
            worst = fmax(worst, share_of_bound(query_at + i % Q * D, base_at + i * 7 % N * D, D));
    }
    CHECK(worst <= 1, "%g of the bound", worst);
    fill_turned(50);
    worst = share_of_bound(query_at, base_at, D);
    CHECK(worst > .9 && worst <= 1, "%g of the bound where it should be all: half of it would hide rows", worst);
    CHECK(share_of_bound(query_at, base_at + D, D) > .5, "and rows that gain");
}

static void loss_is_the_length_of_what_is_lost(void)
{
    static const float some[] = { 1 + 1 / 256.f, 1.5f, -3 - 1 / 128.f, 0, 0x1p-127f };
    const double want = sqrt(1 / 65536.0 + 1 / 16384.0), got = coarse_loss(some, 5);
    CHECK(got >= want && got < want * 1.002, "%g, not %g", got, want);
    const float beyond = 3.4e38f;
    CHECK(!isfinite(coarse_loss(&beyond, 1)), "beyond bfloat16");
}

/* A row whose errors are twice the model's, as a bound of half the size would have it. */
static void twice_as_wrong(const float *queries, size_t query_stride, size_t query_count, const float *rows,
                           size_t stride, size_t count, size_t dim, float *scores)
{
    amx_model->fn.tile_f32(queries, query_stride, query_count, rows, stride, count, dim, scores);
    for (size_t i = 0; i < query_count * count; i++) {
        const double exact = exact_dot(queries + i / count * query_stride, rows + i % count * stride, dim);
        scores[i] = (float)(exact + 2 * ((double)scores[i] - exact));
    }
}

static void half_a_bound_is_caught(void)
{
    struct kernel wrong = *amx_model;
    struct truth right, t;
    struct truth_job job = job_of(METRIC_DOT, N, D, 1, 1);
    wrong.fn.tile_f32 = twice_as_wrong;
    job.query.count = 1;
    fill_turned(50);
    CHECK(answer(&right, job, amx_model, NULL) == ERR_OK && right.by_coarse == 1, "not lost");
    CHECK(right.ids[0] == 0, "row %d, not the first", right.ids[0]);
    CHECK(answer(&t, job, &wrong, NULL) == ERR_OK && t.by_coarse == 1, "not lost");
    CHECK(t.ids[0] != 0, "a kernel twice as wrong as its bound goes unseen: these rows test nothing");
    truth_free(&right);
    truth_free(&t);
}

/* --- survivors, and the choice ----------------------------------------------------------------------- */

static void survivors_hold_the_best(void)
{
    enum { ROOM = 64, DEPTH = 10 };
    float scores[ROOM];
    uint32_t rows[ROOM];
    struct survivors s;
    for (int gap = 0; gap < 3; gap++) {
        float all[N], sorted[N];
        survivors_init(&s, scores, rows, ROOM, DEPTH, gap * .02);
        for (size_t i = 0; i < N; i++) sorted[i] = all[i] = gap == 2 ? (float)i : uniform();
        for (size_t i = 0; i < N; i++) survivors_push(&s, i, all[i]);
        for (size_t i = 1; i < N; i++) /* least first */
            for (size_t j = i; j > 0 && sorted[j - 1] > sorted[j]; j--) {
                const float x = sorted[j];
                sorted[j] = sorted[j - 1], sorted[j - 1] = x;
            }
        const size_t count = survivors_finish(&s);
        size_t needed = 0, found = 0;
        for (size_t i = 0; i < N; i++) needed += all[i] >= sorted[N - DEPTH] - gap * .02;
        for (size_t i = 0; i < count; i++) {
            CHECK(scores[i] == all[rows[i]] && (i == 0 || rows[i] > rows[i - 1]), "place %zu", i);
            found += scores[i] >= sorted[N - DEPTH] - gap * .02;
        }
        CHECK(found == needed && count >= DEPTH && count <= ROOM / 2, "%zu of %zu, and %zu", found, needed, count);
    }
    survivors_init(&s, scores, rows, ROOM, DEPTH, 10);
    for (size_t i = 0; i < N; i++) survivors_push(&s, i, uniform());
    CHECK(survivors_finish(&s) == 0 && s.bound == INFINITY, "too alike: lost");
}

/* By itself for many queries where it runs, never for few, nor beside a kernel that was asked for. */
static void chosen_where_it_pays(void)
{
    const size_t many = 2 * COARSE_QUERIES;
    const struct kernel *k = coarse_kernel(many, N);
    CHECK(!coarse_kernel(COARSE_QUERIES - 1, N), "few queries");
    CHECK(coarse_kernel(256, 32768) == k && !coarse_kernel(256, 32769), "survivors that take more than 64 MiB");
    CHECK(!k || (k->own.bf16 && kernel_runnable(k)), "a row that cannot run");
    fill(PLAIN, D);
    struct truth_job job = job_of(METRIC_COSINE, N, D, 10, 1);
    struct truth t = { 0 };
    job.query.at = base_at, job.query.count = many;
    CHECK(truth_run(&t, &job, NULL) == ERR_OK && t.by_coarse == (k ? many : 0), "%zu queries", t.by_coarse);
    truth_free(&t);
    job.threads = 3;
    CHECK(truth_run(&t, &job, NULL) == ERR_OK && t.by_coarse == 0, "a third together: %zu queries", t.by_coarse);
    truth_free(&t);
}

int main(void)
{
    test_case("the same truth with the tiles of AMX, modelled", same_by_model);
    test_case("the same truth with every tile in bfloat16", same_by_kernels);
    test_case("scores too alike for bfloat16", too_alike_goes_the_old_way);
    test_case("rows among themselves, and a part of the queries", same_of_self_and_parts);
    test_case("the bound is held, and reached", bound_is_held_and_reached);
    test_case("a loss is the length of what is lost", loss_is_the_length_of_what_is_lost);
    test_case("a bound of half the size is caught", half_a_bound_is_caught);
    test_case("survivors hold the best", survivors_hold_the_best);
    test_case("chosen where it pays", chosen_where_it_pays);
    return test_end();
}
