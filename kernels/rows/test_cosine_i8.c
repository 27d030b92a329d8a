/* SPDX-License-Identifier: MIT
 * test_cosine_i8.c - cosines, norms stored and computed, of i8 rows; see check_rows.h. */
#include "kernels/check_rows.h"

static void call(const struct kernel *k, const struct rows_args *a)
{
    k->fn.cosine_i8(a->query, a->rows, a->stride, a->pick, a->count, a->dim, a->norms, a->scores);
}

int main(void)
{
    const struct rows_op op = { OP_cosine_i8, ROWS_COSINE, &element_of_i8, &element_of_i8, 1, call };
    rows_check_every(&op, 0xbeee9fcd6b152a15);
    return test_end();
}
