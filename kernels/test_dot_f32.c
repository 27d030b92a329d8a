/* SPDX-License-Identifier: MIT
 * test_dot_f32.c - inner products of f32 rows; see check_rows.h. */
#include "kernels/check_rows.h"

int main(void)
{
    const struct rows_op op = { OP_dot_f32, ROWS_DOT, &element_f32, &element_f32 };
    rows_check_every(&op, 0x7c7254c19860081c);
    return test_end();
}
