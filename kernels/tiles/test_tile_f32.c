/* SPDX-License-Identifier: MIT
 * test_tile_f32.c - tiles through the checker of dot (check_rows.h), and then with the rows themselves as
 * further queries: all together must score as each does alone.  Recorded is the hash of dot.  The kernel of AMX is tried on
 * every machine, with a model of its tile instructions.  Rows that round to bf16 are tried in numbers around those of tiles,
 * and rows that do it wrong, each in one thing, must be caught by these and by the checker of dot, each alone. */
#pragma GCC diagnostic ignored "-Wpsabi"
#include "kernels/check_rows.h"

#define AMX_MODEL
#undef KERNEL_OP
#define KERNEL_OP tile_f32
#define KERNEL_ISA scalar /* its needs */
#define KERNEL_TABLE amx_model
#include "kernels/tiles/tile_f32_amxbf16.c"

enum { QUERIES = 9 }; /* tiles of 3 and 4, and every remainder of theirs */
static struct fence fenced_queries, fenced_scores, fenced_many[3]; /* queries, rows, scores */

/* The first `count` queries, `stride` apart, in arrays flush against the fence at `end`. */
static void some(const struct kernel *k, const struct rows_args *a, size_t count, size_t stride, int end,
                 const float *alone)
{
    const size_t rest = count ? (count - 1) * stride + a->dim : 0, size = count * a->count * sizeof(float);
    float *queries = fence_at(fenced_queries, rest * sizeof *queries, end);
    float *scores = fence_at(fenced_scores, size, end);
    for (size_t q = 0; q < count; q++) {
        const float *from = q ? (const float *)a->rows + q % a->count * a->stride : a->query;
        memcpy(queries + q * stride, from, a->dim * sizeof *queries);
    }
    fence_paint(fenced_scores);
    k->fn.tile_f32(queries, stride, count, a->rows, a->stride, a->count, a->dim, scores);
    CHECK(!memcmp(scores, alone, size), "dim %zu count %zu: %zu queries score otherwise than alone", a->dim, a->count,
          count);
    CHECK(untouched(fenced_scores, scores, size), "dim %zu count %zu: %zu queries: wrote outside", a->dim, a->count,
          count);
}

static void together(const struct kernel *k, const struct rows_args *a)
{
    static float alone[QUERIES * CHECK_ROWS];
    for (size_t q = 0; q < QUERIES; q++)
        k->fn.tile_f32(q ? (const float *)a->rows + q % a->count * a->stride : a->query, 0, 1, a->rows, a->stride,
                       a->count, a->dim, alone + q * a->count);
    for (size_t count = 0; count <= QUERIES; count++) /* ends and strides in turn: every length is dear */
        some(k, a, count, a->dim + (count + a->dim / 4) % 2 * CHECK_PAD, (count + a->dim / 2) % 2, alone);
}

static void call(const struct kernel *k, const struct rows_args *a)
{
    for (size_t r = 0; a->pick && r < a->count; r++) /* picks one by one, against the fence */
        k->fn.tile_f32(a->query, 0, 1, (const float *)a->rows + a->pick[r] * a->stride, 0, 1, a->dim, (float *)a->scores + r);
    if (a->pick) return;
    k->fn.tile_f32(a->query, 0, 1, a->rows, a->stride, a->count, a->dim, a->scores);
    if (a->count == (a->dim % 2 ? 7 : CHECK_ROWS)) together(k, a);
}

/* What a row that says so multiplies in place of x: rounded without the tests' own bf16, which is its source's. */
static double as_bf16(float x)
{
    int power;
    const double part = frexp(fabs((double)x), &power), near = rint(part * 256) / 256; /* in double ties go to even */
    return fabs((double)x) < 0x1p-126 ? 0 : copysign(ldexp(near, power), (double)x);
}

/* 24 bits below 1; with `halves` some that are bf16, and some halfway between two. */
static float number(int halves)
{
    const int64_t bits = (int64_t)test_rand();
    if (!halves || bits % 4) return (float)(bits >> 40) * 0x1p-23f;
    return (float)(512 + (bits >> 8 & 0x1ff)) * 0x1p-10f;
}

enum { MOST_NUMBERS = 33 * 1030 };

/* Against sums of doubles, by the bound that the row states; memory ends at either side.  Rows that round both sides are held
 * to the sums of rounded numbers too. */
static void one_shape(const struct kernel *k, size_t nq, size_t nr, size_t dim, int end)
{
    static float q[MOST_NUMBERS], x[MOST_NUMBERS];
    static double near_q[MOST_NUMBERS], near_x[MOST_NUMBERS];
    for (size_t i = 0; i < nq * dim; i++) near_q[i] = as_bf16(q[i] = number(0));
    for (size_t i = 0; i < nr * dim; i++) near_x[i] = as_bf16(x[i] = number(k->own.bf16));
    const size_t size = nq * nr * sizeof(float);
    float *queries = fence_at(fenced_many[0], nq * dim * sizeof *q, end);
    float *rows = fence_at(fenced_many[1], nr * dim * sizeof *x, end), *scores = fence_at(fenced_many[2], size, end);
    memcpy(queries, q, nq * dim * sizeof *q);
    memcpy(rows, x, nr * dim * sizeof *x);
    fence_paint(fenced_many[2]);
    k->fn.tile_f32(queries, dim, nq, rows, dim, nr, dim, scores);
    for (size_t i = 0; i < nq * nr; i++) {
        struct bound_terms t = { .dim = dim };
        double want = 0, rounded = 0;
        for (size_t d = 0; d < dim; d++) {
            const size_t at_q = i / nr * dim + d, at_x = i % nr * dim + d;
            const double product = (double)q[at_q] * (double)x[at_x];
            want += product, t.magnitude += fabs(product);
            rounded += near_q[at_q] * near_x[at_x];
        }
        const double got = scores[i], bound = kernel_bound(k, &t);
        check_error(fabs(got - want), bound);
        CHECK(fabs(got - want) <= bound, "%zu queries, %zu rows, dim %zu: %g, not %g", nq, nr, dim, got, want);
        if (!k->own.bf16) continue;
        t.rounding = 0x1p-1000;
        CHECK(fabs(got - rounded) <= kernel_bound(k, &t), "%zu queries, %zu rows, dim %zu: %.9g, not %.9g of rounded numbers",
              nq, nr, dim, got, rounded);
    }
    CHECK(untouched(fenced_many[2], scores, size), "%zu queries, %zu rows, dim %zu: wrote outside", nq, nr, dim);
}

static void shapes(const void *kernel, void *unused, void *unused2)
{
    static const size_t sides[][2] = { { 1, 1 }, { 16, 17 }, { 31, 32 }, { 32, 33 }, { 33, 31 }, { 17, 65 }, { 259, 3 } };
    static const size_t dims[] = { 1, 2, 31, 32, 33, 64, 70 };
    (void)unused, (void)unused2;
    test_seed = 20261129;
    for (size_t s = 0; s < sizeof sides / sizeof *sides; s++)
        for (size_t d = 0; d < sizeof dims / sizeof *dims && !test_enough(); d++)
            one_shape(kernel, sides[s][0], sides[s][1], dims[d], (int)((s + d) % 2));
    for (size_t d = 383; d < 386; d++) one_shape(kernel, 7, 50, d, d % 2);
    one_shape(kernel, 3, 5, 512, 0);
    one_shape(kernel, 2, 20, 1025, 1);
    one_shape(kernel, 33, 32, 520, 1); /* whole tiles that are added to */
    one_shape(kernel, 7, 70, 390, 0);  /* and whole panels */
}

/* --- the net ------------------------------------------------------------------------------------ */

enum mistake { RIGHT, LAST_OF_ODD, A_STEP, A_LANE_OF_A_STEP, ANOTHERS_LANE, SETS, CUT, TIES_UP, ONE_SIDE, ORDER_OF_QUERIES };
static enum mistake mistake;
static struct rows_check fewer;

static float rounded_so(float x)
{
    const uint32_t bits = float_bits(x), more = mistake == CUT ? 0 : mistake == TIES_UP ? 0x8000 : 0x7fff + (bits >> 16 & 1);
    return float_of_bits((bits + more) & 0xffff0000);
}

/* Sums in one lane, in order, of what a row of bf16 multiplies; of score r of query q. */
static void planted(const float *queries, size_t query_stride, size_t query_count, const float *rows, size_t stride,
                    size_t count, size_t dim, float *scores)
{
    for (size_t q = 0; q < query_count; q++)
        for (size_t r = 0; r < count; r++) {
            const float *a = queries + q * query_stride;
            const float *b = rows + (r - (mistake == ANOTHERS_LANE && r % 16 == 15)) * stride;
            float sum = 0;
            for (size_t i = 0; i < dim; i++) {
                if (mistake == LAST_OF_ODD && i + 1 == dim && dim % 2) continue;
                if (mistake == A_STEP && i / 32 == 1 && dim >= 64) continue;
                if (mistake == A_LANE_OF_A_STEP && i / 2 == 16 && r % 16 == 2) continue;
                if (mistake == SETS && i == 384) sum = 0;
                sum = fmaf(rounded_so(a[i]), mistake == ONE_SIDE ? b[i] : rounded_so(b[i]), sum);
            }
            scores[q * count + r] = sum;
        }
    if (mistake == ORDER_OF_QUERIES && query_count > 4) memcpy(scores + 4 * count, scores + 3 * count, count * sizeof *scores);
}

/* By the shapes above and by the checker of dot, each alone. */
static void plants_are_caught(void)
{
    static const struct { const char *name; enum mistake is; } plants[] = {
        { "leaves out the last of an odd length", LAST_OF_ODD }, { "leaves out a step", A_STEP },
        { "leaves out two dimensions of one lane", A_LANE_OF_A_STEP }, { "gives a lane another's row", ANOTHERS_LANE },
        { "sets where it should add", SETS }, { "cuts", CUT }, { "rounds ties up", TIES_UP },
        { "rounds one side alone", ONE_SIDE }, { "gives a query another's scores", ORDER_OF_QUERIES },
    };
    struct kernel k = *amx_model;
    k.variant = "planted", k.fn.tile_f32 = planted;
    mistake = RIGHT;
    CHECK(check_quietly(shapes, &k, NULL, NULL) == TEST_SAID_OK && check_quietly(rows_check_run, &k, &fewer, NULL) == TEST_SAID_OK,
          "one without a mistake did not pass");
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        mistake = plants[i].is;
        CHECK(check_quietly(shapes, &k, NULL, NULL) != TEST_SAID_OK, "shapes: a kernel that %s passed", plants[i].name);
        if (mistake == TIES_UP) continue; /* the numbers of dot have none */
        CHECK(check_quietly(rows_check_run, &k, &fewer, NULL) != TEST_SAID_OK, "dot: a kernel that %s passed", plants[i].name);
    }
}

int main(void)
{
    const struct rows_op op = { OP_tile_f32, ROWS_DOT, &element_of_f32, &element_of_f32, 0, call };
    fenced_queries = fence_make(QUERIES * (CHECK_LONGEST + CHECK_PAD) * sizeof(float));
    fenced_scores = fence_make(QUERIES * CHECK_ROWS * sizeof(float));
    for (int i = 0; i < 3; i++) fenced_many[i] = fence_make(MOST_NUMBERS * sizeof(float));
    rows_check_every(&op, 0xb16087c1846fd86c);
    for (const struct kernel *k = kernel_next(OP_tile_f32, NULL); k; k = kernel_next(OP_tile_f32, k))
        if (k->own.bf16) check_one(k, shapes, NULL, NULL);
    rows_check_init(&fewer, &op, 43, 0); /* software is slow: every 43rd length */
    check_start();
    test_case("planted wrong rows of bf16 are caught", plants_are_caught);
    check_one(amx_model, rows_check_run, &fewer, NULL);
    check_one(amx_model, shapes, NULL, NULL);
    return test_end();
}
