/* SPDX-License-Identifier: MIT
 * test_tile_f32.c - tiles through the checker of dot (check_rows.h), and then with the rows themselves as
 * further queries: all together must score as each does alone.  Recorded is the hash of dot. */
#include "kernels/check_rows.h"

enum { QUERIES = 7 }; /* two tiles of 3 and some more */

static void together(const struct kernel *k, const struct rows_args *a)
{
    static float queries[QUERIES * CHECK_LONGEST];
    static float scores[QUERIES * CHECK_ROWS], alone[CHECK_ROWS];
    const float *rows = a->rows;
    memcpy(queries, a->query, a->dim * sizeof *queries);
    for (size_t q = 1; q < QUERIES; q++)
        memcpy(queries + q * a->dim, rows + q % a->count * a->stride, a->dim * sizeof *queries);
    k->fn.tile_f32(queries, a->dim, QUERIES, rows, a->stride, a->count, a->dim, scores);
    for (size_t q = 0; q < QUERIES; q++) {
        k->fn.tile_f32(queries + q * a->dim, 0, 1, rows, a->stride, a->count, a->dim, alone);
        CHECK(!memcmp(scores + q * a->count, alone, a->count * sizeof *alone),
              "dim %zu count %zu: query %zu of %d scores otherwise than alone", a->dim, a->count, q, QUERIES);
    }
}

static void call(const struct kernel *k, const struct rows_args *a)
{
    for (size_t r = 0; a->pick && r < a->count; r++) /* picks one by one, against the fence */
        k->fn.tile_f32(a->query, 0, 1, (const float *)a->rows + a->pick[r] * a->stride, 0, 1, a->dim, (float *)a->scores + r);
    if (a->pick) return;
    k->fn.tile_f32(a->query, 0, 1, a->rows, a->stride, a->count, a->dim, a->scores);
    if (a->count == 7 || a->count == CHECK_ROWS) together(k, a);
}

int main(void)
{
    const struct rows_op op = { OP_tile_f32, ROWS_DOT, &element_of_f32, &element_of_f32, 0, call };
    rows_check_every(&op, 0xb16087c1846fd86c);
    return test_end();
}
