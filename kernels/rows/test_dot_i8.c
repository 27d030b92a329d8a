/* SPDX-License-Identifier: MIT
 * test_dot_i8.c - inner products of i8 rows; see check_rows.h. */
#include "kernels/check_rows.h"

static void call(const struct kernel *k, const struct rows_args *a)
{
    k->fn.dot_i8(a->query, a->rows, a->stride, a->pick, a->count, a->dim, a->scores);
}

int main(void)
{
    const struct rows_op op = { OP_dot_i8, ROWS_DOT, &element_of_i8, &element_of_i8, 1, call };
    rows_check_every(&op, 0xa2326e6eb64b3154);
    return test_end();
}
