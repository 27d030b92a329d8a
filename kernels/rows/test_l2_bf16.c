/* SPDX-License-Identifier: MIT
 * test_l2_bf16.c - squared distances of bf16 rows; see check_rows.h. */
#include "kernels/check_rows.h"

static void call(const struct kernel *k, const struct rows_args *a)
{
    k->fn.l2_bf16(a->query, a->rows, a->stride, a->pick, a->count, a->dim, a->scores);
}

int main(void)
{
    const struct rows_op op = { OP_l2_bf16, ROWS_L2, &element_of_f32, &element_of_bf16, 0, call };
    rows_check_every(&op, 0xf79ad6945ba67bac);
    return test_end();
}
