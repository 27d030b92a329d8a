/* SPDX-License-Identifier: MIT
 * test_cosine_f32.c - cosines of f32 rows, norms stored and computed; see check_rows.h. */
#include "kernels/check_rows.h"

int main(void)
{
    const struct rows_op op = { OP_cosine_f32, ROWS_COSINE, &element_f32, &element_f32 };
    rows_check_every(&op, 0x813e27d08ced6779);
    return test_end();
}
