/* SPDX-License-Identifier: MIT
 * test_norms_f32.c - inverse norms through the checker of cosine (check_rows.h): the score of a row with
 * the norm of norms_f32 is its cosine, to the bit where that is promised. */
#include "kernels/check_rows.h"

static const struct kernel *cosine; /* of the same ISA */

static void call(const struct kernel *k, const struct rows_args *a)
{
    float norms[CHECK_ROWS];
    for (size_t r = 0; r < a->count; r++) {
        const size_t at = a->pick ? a->pick[r] : r;
        k->fn.norms_f32((const float *)a->rows + at * a->stride, 0, 1, a->dim, &norms[at]);
    }
    if (!a->pick) k->fn.norms_f32(a->rows, a->stride, a->count, a->dim, norms);
    cosine->fn.cosine_f32(a->query, a->rows, a->stride, a->pick, a->count, a->dim, norms, a->scores);
}

static void run(const void *kernel, void *check, void *unused)
{
    const struct kernel *k = kernel;
    for (cosine = NULL; (cosine = kernel_next(OP_cosine_f32, cosine)) && cosine->isa != k->isa;) {}
    if (cosine) rows_check_run(k, check, unused);
    else CHECK(0, "no cosine of the ISA of %s", k->variant);
}

int main(void)
{
    static const struct rows_op op = { OP_norms_f32, ROWS_COSINE, &element_of_f32, &element_of_f32, 0, call };
    static struct rows_check c;
    rows_check_init(&c, &op, 1, 0xbf9416686aeccac1);
    check_every(OP_norms_f32, run, &c, NULL);
    return test_end();
}
