/* SPDX-License-Identifier: MIT
 * test_dot_bf16.c - inner products of bf16 rows; see check_rows.h. */
#include "kernels/check_rows.h"

static void call(const struct kernel *k, const struct rows_args *a)
{
    k->fn.dot_bf16(a->query, a->rows, a->stride, a->pick, a->count, a->dim, a->scores);
}

/* A query at the limit of floats: rounding it to bf16 would make it infinite. */
static void largest(const void *kernel, void *unused, void *unused2)
{
    const struct kernel *k = kernel;
    enum { D = 40 };
    float query[D] = { 0 }, scores[CHECK_ROWS];
    uint16_t rows[CHECK_ROWS * D] = { 0 };
    (void)unused, (void)unused2;
    for (size_t i = 0; i < D; i++) query[i] = (i % 2 ? -1 : 1) * (i == 3 ? 0x1.ffp127f : FLT_MAX);
    for (size_t r = 0; r < CHECK_ROWS; r++) rows[r * D + r] = rows[r * D + r + 20] = bf16_of_f32(0.25f);
    k->fn.dot_bf16(query, rows, D, NULL, CHECK_ROWS, D, scores);
    for (size_t r = 0; r < CHECK_ROWS; r++) {
        const double want = (double)query[r] / 4 + (double)query[r + 20] / 4;
        CHECK(fabs(scores[r] - want) <= 4 * 0x1p-24 * fabs(want), "row %zu scores %a, not %a", r, (double)scores[r], want);
    }
}

int main(void)
{
    const struct rows_op op = { OP_dot_bf16, ROWS_DOT, &element_of_f32, &element_of_bf16, 0, call };
    rows_check_every(&op, 0xf6cf74642f0d92e7);
    check_every(OP_dot_bf16, largest, NULL, NULL);
    return test_end();
}
