/* SPDX-License-Identifier: MIT
 * test_tile_f32.c - tiles through the checker of dot (check_rows.h), and then with the rows themselves as
 * further queries: all together must score as each does alone.  Recorded is the hash of dot.  The kernel of AMX is tried on
 * every machine, with a model of its tile instructions, and then in numbers around those of tiles. */
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

/* Against sums of doubles, by the bound that the row states; memory ends at either side. */
static void one_shape(const struct kernel *k, size_t nq, size_t nr, size_t dim, int end)
{
    enum { MOST = 300 * 70 };
    static float q[MOST], x[MOST];
    for (size_t i = 0; i < nq * dim; i++) q[i] = (float)((int64_t)test_rand() >> 40) * 0x1p-23f;
    for (size_t i = 0; i < nr * dim; i++) x[i] = (float)((int64_t)test_rand() >> 40) * 0x1p-23f;
    const size_t size = nq * nr * sizeof(float);
    float *queries = fence_at(fenced_many[0], nq * dim * sizeof *q, end);
    float *rows = fence_at(fenced_many[1], nr * dim * sizeof *x, end), *scores = fence_at(fenced_many[2], size, end);
    memcpy(queries, q, nq * dim * sizeof *q);
    memcpy(rows, x, nr * dim * sizeof *x);
    fence_paint(fenced_many[2]);
    k->fn.tile_f32(queries, dim, nq, rows, dim, nr, dim, scores);
    for (size_t i = 0; i < nq * nr; i++) {
        struct bound_terms t = { .dim = dim };
        double want = 0;
        for (size_t d = 0; d < dim; d++) {
            const double product = (double)q[i / nr * dim + d] * (double)x[i % nr * dim + d];
            want += product, t.magnitude += fabs(product);
        }
        const double bound = kernel_bound(k, &t);
        check_error(fabs((double)scores[i] - want), bound);
        CHECK(fabs((double)scores[i] - want) <= bound, "%zu queries, %zu rows, dim %zu: %g, not %g", nq, nr, dim,
              (double)scores[i], want);
    }
    CHECK(untouched(fenced_many[2], scores, size), "%zu queries, %zu rows, dim %zu: wrote outside", nq, nr, dim);
}

static void shapes(const void *kernel, void *unused, void *unused2)
{
    static const size_t sides[][2] = { { 1, 1 }, { 16, 17 }, { 31, 32 }, { 32, 33 }, { 33, 31 }, { 17, 65 }, { 257, 3 } };
    static const size_t dims[] = { 1, 2, 31, 32, 33, 64, 70 };
    (void)unused, (void)unused2;
    test_seed = 20261129;
    for (size_t s = 0; s < sizeof sides / sizeof *sides; s++)
        for (size_t d = 0; d < sizeof dims / sizeof *dims && !test_enough(); d++)
            one_shape(kernel, sides[s][0], sides[s][1], dims[d], (int)((s + d) % 2));
    one_shape(kernel, 3, 5, 512, 0);
    one_shape(kernel, 2, 20, 1025, 1);
}

int main(void)
{
    const struct rows_op op = { OP_tile_f32, ROWS_DOT, &element_of_f32, &element_of_f32, 0, call };
    fenced_queries = fence_make(QUERIES * (CHECK_LONGEST + CHECK_PAD) * sizeof(float));
    fenced_scores = fence_make(QUERIES * CHECK_ROWS * sizeof(float));
    for (int i = 0; i < 3; i++) fenced_many[i] = fence_make(300 * 70 * sizeof(float));
    rows_check_every(&op, 0xb16087c1846fd86c);
    for (const struct kernel *k = kernel_next(OP_tile_f32, NULL); k; k = kernel_next(OP_tile_f32, k))
        if (k->isa == ISA_amxbf16 && k->kind != KERNEL_BASELINE) check_one(k, shapes, NULL, NULL);
    static struct rows_check fewer; /* software is slow: every 43rd length */
    rows_check_init(&fewer, &op, 43, 0);
    check_one(amx_model, rows_check_run, &fewer, NULL);
    check_one(amx_model, shapes, NULL, NULL);
    return test_end();
}
