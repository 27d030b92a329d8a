/* SPDX-License-Identifier: MIT
 * test_tile_f32.c - tiles through the checker of dot (check_rows.h), and then with the rows themselves as
 * further queries: all together must score as each does alone.  Recorded is the hash of dot. */
#include "kernels/check_rows.h"

enum { QUERIES = 9 }; /* tiles of 3 and 4, and every remainder of theirs */
static struct fence fenced_queries, fenced_scores;

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

int main(void)
{
    const struct rows_op op = { OP_tile_f32, ROWS_DOT, &element_of_f32, &element_of_f32, 0, call };
    fenced_queries = fence_make(QUERIES * (CHECK_LONGEST + CHECK_PAD) * sizeof(float));
    fenced_scores = fence_make(QUERIES * CHECK_ROWS * sizeof(float));
    rows_check_every(&op, 0xb16087c1846fd86c);
    return test_end();
}
