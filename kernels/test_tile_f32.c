/* SPDX-License-Identifier: MIT
 * test_tile_f32.c - tiles through the checker of dot (check_rows.h): its query is followed by a second one,
 * its own copy, and the two rows of scores must be the same.  Recorded is the hash of dot. */
#include "kernels/check_rows.h"

static void call(const struct kernel *k, const struct rows_args *a)
{
    static unsigned char queries[2 * CHECK_LONGEST * 4];
    static float scores[2 * CHECK_ROWS];
    const size_t size = a->dim * element_of_f32.size;
    memcpy(queries, a->query, size);
    memcpy(queries + size, a->query, size);
    for (size_t r = 0; a->pick && r < a->count; r++) /* picks one by one, against the fence */
        k->fn.tile_f32(a->query, 0, 1, (const float *)a->rows + a->pick[r] * a->stride, 0, 1, a->dim, (float *)a->scores + r);
    if (a->pick) return;
    k->fn.tile_f32(a->query, 0, 1, a->rows, a->stride, a->count, a->dim, a->scores);
    k->fn.tile_f32((const void *)queries, a->dim, 2, a->rows, a->stride, a->count, a->dim, (void *)scores);
    CHECK(!memcmp(scores, a->scores, a->count * 4) && !memcmp(scores + a->count, a->scores, a->count * 4),
          "dim %zu count %zu: two queries do not score as one does", a->dim, a->count);
}

int main(void)
{
    const struct rows_op op = { OP_tile_f32, ROWS_DOT, &element_of_f32, &element_of_f32, 0, call };
    rows_check_every(&op, 0xb16087c1846fd86c);
    return test_end();
}
