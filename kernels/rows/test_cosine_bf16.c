/* SPDX-License-Identifier: MIT
 * test_cosine_bf16.c - cosines, norms stored and computed, of bf16 rows; see check_rows.h. */
#include "kernels/check_rows.h"

static void call(const struct kernel *k, const struct rows_args *a)
{
    k->fn.cosine_bf16(a->query, a->rows, a->stride, a->pick, a->count, a->dim, a->norms, a->scores);
}

int main(void)
{
    const struct rows_op op = { OP_cosine_bf16, ROWS_COSINE, &element_of_f32, &element_of_bf16, 0, call };
    rows_check_every(&op, 0x435e71abe67051ed);
    return test_end();
}
