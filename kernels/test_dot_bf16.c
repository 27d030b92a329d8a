/* SPDX-License-Identifier: MIT
 * test_dot_bf16.c - inner products of bf16 rows; see check_rows.h. */
#include "kernels/check_rows.h"

static void call(const struct kernel *k, const struct rows_args *a)
{
    k->fn.dot_bf16(a->query, a->rows, a->stride, a->pick, a->count, a->dim, a->scores);
}

int main(void)
{
    const struct rows_op op = { OP_dot_bf16, ROWS_DOT, &element_of_f32, &element_of_bf16, 0, call };
    rows_check_every(&op, 0xf6cf74642f0d92e7);
    return test_end();
}
