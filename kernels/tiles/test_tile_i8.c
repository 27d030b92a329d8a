/* SPDX-License-Identifier: MIT
 * test_tile_i8.c - tiles through the checker of dot (check_rows.h), and then with the rows themselves as
 * further queries: all together must score as each does alone.  Recorded is the hash of dot.  Then queries and rows in
 * numbers around those of tiles: some rows take a way of their own from as many queries on.  The kernel of AMX is tried on every machine, with a model of its tile instructions. */
#pragma GCC diagnostic ignored "-Wpsabi"
#include "kernels/check_rows.h"

#define AMX_MODEL
#undef KERNEL_OP
#define KERNEL_OP tile_i8
#define KERNEL_ISA scalar /* its needs */
#define KERNEL_TABLE amx_model
#include "kernels/tiles/tile_i8_amxint8.c"

enum { QUERIES = 9 }; /* tiles of 3 and 4, and every remainder of theirs */
static struct fence fenced_queries, fenced_scores, fenced_many[3]; /* queries, rows, scores */

/* The first `count` queries, `stride` apart, in arrays flush against the fence at `end`. */
static void some(const struct kernel *k, const struct rows_args *a, size_t count, size_t stride, int end,
                 const int32_t *alone)
{
    const size_t rest = count ? (count - 1) * stride + a->dim : 0, size = count * a->count * sizeof(int32_t);
    int8_t *queries = fence_at(fenced_queries, rest * sizeof *queries, end);
    int32_t *scores = fence_at(fenced_scores, size, end);
    for (size_t q = 0; q < count; q++) {
        const int8_t *from = q ? (const int8_t *)a->rows + q % a->count * a->stride : a->query;
        memcpy(queries + q * stride, from, a->dim * sizeof *queries);
    }
    fence_paint(fenced_scores);
    k->fn.tile_i8(queries, stride, count, a->rows, a->stride, a->count, a->dim, scores);
    CHECK(!memcmp(scores, alone, size), "dim %zu count %zu: %zu queries score otherwise than alone", a->dim, a->count,
          count);
    CHECK(untouched(fenced_scores, scores, size), "dim %zu count %zu: %zu queries: wrote outside", a->dim, a->count,
          count);
}

static void together(const struct kernel *k, const struct rows_args *a)
{
    static int32_t alone[QUERIES * CHECK_ROWS];
    for (size_t q = 0; q < QUERIES; q++)
        k->fn.tile_i8(q ? (const int8_t *)a->rows + q % a->count * a->stride : a->query, 0, 1, a->rows, a->stride,
                       a->count, a->dim, alone + q * a->count);
    for (size_t count = 0; count <= QUERIES; count++) /* ends and strides in turn: every length is dear */
        some(k, a, count, a->dim + (count + a->dim / 4) % 2 * CHECK_PAD, (count + a->dim / 2) % 2, alone);
}

static void call(const struct kernel *k, const struct rows_args *a)
{
    for (size_t r = 0; a->pick && r < a->count; r++) /* picks one by one, against the fence */
        k->fn.tile_i8(a->query, 0, 1, (const int8_t *)a->rows + a->pick[r] * a->stride, 0, 1, a->dim, (int32_t *)a->scores + r);
    if (a->pick) return;
    k->fn.tile_i8(a->query, 0, 1, a->rows, a->stride, a->count, a->dim, a->scores);
    if (a->count == (a->dim % 2 ? 7 : CHECK_ROWS)) together(k, a);
}

/* Shapes around the sides of tiles, -128 among the numbers, against sums in plain C; wherever memory ends. */
static void one_shape(const struct kernel *k, size_t nq, size_t nr, size_t dim, int end)
{
    enum { MOST = 65 * 2050 };
    static int8_t q[MOST], x[MOST];
    static int32_t want[65 * 65];
    const size_t size = nq * nr * sizeof *want;
    for (size_t i = 0; i < nq * dim; i++) q[i] = test_rand() % 4 ? (int8_t)test_rand() : -128;
    for (size_t i = 0; i < nr * dim; i++) x[i] = test_rand() % 4 ? (int8_t)test_rand() : -128;
    for (size_t i = 0; i < nq * nr; i++) {
        want[i] = 0;
        for (size_t d = 0; d < dim; d++) want[i] += q[i / nr * dim + d] * x[i % nr * dim + d];
    }
    int8_t *queries = fence_at(fenced_many[0], nq * dim, end), *rows = fence_at(fenced_many[1], nr * dim, end);
    int32_t *scores = fence_at(fenced_many[2], size, end);
    memcpy(queries, q, nq * dim);
    memcpy(rows, x, nr * dim);
    fence_paint(fenced_many[2]);
    k->fn.tile_i8(queries, dim, nq, rows, dim, nr, dim, scores);
    CHECK(!memcmp(scores, want, size), "%zu queries, %zu rows, dim %zu: a wrong sum", nq, nr, dim);
    CHECK(untouched(fenced_many[2], scores, size), "%zu queries, %zu rows, dim %zu: wrote outside", nq, nr, dim);
}

/* Long rows of up to 33 x 33 only: tiles are counted by short ones, and a model under sanitizers is slow.  One shape has
 * whole panels of rows in more than one chunk, and queries that are left. */
static void shapes(const void *kernel, void *unused, void *unused2)
{
    static const size_t sides[] = { 1, 2, 8, 15, 16, 17, 31, 32, 33, 65 };
    static const size_t dims[] = { 1, 3, 4, 5, 63, 64, 65, 128, 130, 2047, 2048, 2050 };
    (void)unused, (void)unused2;
    test_seed = 20260104;
    for (size_t a = 0; a < sizeof sides / sizeof *sides; a++)
        for (size_t b = 0; b < sizeof sides / sizeof *sides; b++)
            for (size_t d = 0; d < sizeof dims / sizeof *dims && !test_enough(); d++)
                if (dims[d] < 1000 || ((a + b) % 5 == 0 && sides[a] * sides[b] <= 33 * 33))
                    one_shape(kernel, sides[a], sides[b], dims[d], (a + b + d) % 2);
    one_shape(kernel, 20, 65, 2050, 0);
}

int main(void)
{
    const struct rows_op op = { OP_tile_i8, ROWS_DOT, &element_of_i8, &element_of_i8, 1, call };
    fenced_queries = fence_make(QUERIES * (CHECK_LONGEST + CHECK_PAD) * sizeof(int8_t));
    fenced_scores = fence_make(QUERIES * CHECK_ROWS * sizeof(int32_t));
    for (int i = 0; i < 3; i++) fenced_many[i] = fence_make(65 * 2050);
    rows_check_every(&op, 0xa2326e6eb64b3154);
    for (const struct kernel *k = kernel_next(OP_tile_i8, NULL); k; k = kernel_next(OP_tile_i8, k))
        if (k->kind != KERNEL_BASELINE) check_one(k, shapes, NULL, NULL);
    static struct rows_check fewer; /* software is slow: every 17th length */
    rows_check_init(&fewer, &op, 17, 0);
    check_one(amx_model, rows_check_run, &fewer, NULL);
    check_one(amx_model, shapes, NULL, NULL);
    return test_end();
}
