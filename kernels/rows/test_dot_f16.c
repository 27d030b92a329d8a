/* SPDX-License-Identifier: MIT
 * test_dot_f16.c - inner products of f16 rows; see check_rows.h. */
#include "kernels/check_rows.h"

static void call(const struct kernel *k, const struct rows_args *a)
{
    k->fn.dot_f16(a->query, a->rows, a->stride, a->pick, a->count, a->dim, a->scores);
}

/* Sums in f16 would overflow: all rows of the largest f16, the query just below and at a power of two.
 * Within 2^-8, which is wider than the bound of any variant; the point is that nothing is infinite. */
static void largest(const void *kernel, void *unused, void *unused2)
{
    enum { ROWS = 9, LONGEST = 600 };
    static uint16_t rows[ROWS * LONGEST];
    static float query[LONGEST], scores[ROWS];
    const struct kernel *k = kernel;
    (void)unused, (void)unused2;
    for (size_t i = 0; i < ROWS * LONGEST; i++) rows[i] = 0x7bff;
    for (int below = 0; below < 2; below++)
        for (size_t dim = 1; dim <= LONGEST; dim++) {
            for (size_t i = 0; i < dim; i++) query[i] = below ? -0x1.fffffep-1f : 1;
            k->fn.dot_f16(query, rows, LONGEST, NULL, ROWS, dim, scores);
            const double exact = 65504.0 * (double)dim * query[0];
            for (int r = 0; r < ROWS; r++)
                CHECK(fabs(scores[r] - exact) <= 0x1p-8 * fabs(exact), "dim %zu row %d: %a, exactly %a", dim, r,
                      (double)scores[r], exact);
            if (test_enough()) return;
        }
}

int main(void)
{
    const struct rows_op op = { OP_dot_f16, ROWS_DOT, &element_of_f32, &element_of_f16, 0, call };
    rows_check_every(&op, 0x4bf22248f86f45c7);
    check_every(OP_dot_f16, largest, NULL, NULL);
    return test_end();
}
