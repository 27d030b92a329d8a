/* SPDX-License-Identifier: MIT
 * test_dot_f32.c - inner products of f32 rows; see check_rows.h. */
#include "kernels/check_rows.h"

static void call(const struct kernel *k, const struct rows_args *a)
{
    k->fn.dot_f32(a->query, a->rows, a->stride, a->pick, a->count, a->dim, a->scores);
}

int main(void)
{
    const struct rows_op op = { OP_dot_f32, ROWS_DOT, &element_of_f32, &element_of_f32, 0, call };
    rows_check_every(&op, 0xb16087c1846fd86c);
    return test_end();
}
