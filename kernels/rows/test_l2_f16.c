/* SPDX-License-Identifier: MIT
 * test_l2_f16.c - squared distances of f16 rows; see check_rows.h. */
#include "kernels/check_rows.h"

static void call(const struct kernel *k, const struct rows_args *a)
{
    k->fn.l2_f16(a->query, a->rows, a->stride, a->pick, a->count, a->dim, a->scores);
}

int main(void)
{
    const struct rows_op op = { OP_l2_f16, ROWS_L2, &element_of_f32, &element_of_f16, 0, call };
    rows_check_every(&op, 0x17b4e33b30136f82);
    return test_end();
}
