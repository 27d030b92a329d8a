/* SPDX-License-Identifier: MIT
 * test_norms_f32.c - inverse norms through the checker of cosine (check_rows.h): the score of a row with
 * the norm of norms_f32 is its cosine, to the bit where that is promised.  And by themselves, within their bound. */
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

static void within_bound(const struct kernel *k)
{
    static float row[CHECK_LONGEST];
    for (size_t d = 1; d < CHECK_DIMS; d += 7) {
        const size_t dim = check_dim(d);
        double square = 0;
        float got = 0;
        for (size_t i = 0; i < dim; i++) {
            row[i] = (float)(int32_t)test_rand() * 0x1p-31f;
            square += (double)row[i] * row[i];
        }
        k->fn.norms_f32(row, dim, 1, dim, &got);
        const double exact = 1 / sqrt(square), error = fabs(got - exact);
        const double bound = kernel_bound(k, &(struct bound_terms){ .dim = dim, .magnitude = exact });
        check_error(error, bound);
        CHECK(error <= bound, "dim %zu: the inverse norm is %a, exactly %a +- %a", dim, (double)got, exact, bound);
    }
}

static void run(const void *kernel, void *check, void *unused)
{
    const struct kernel *k = kernel;
    within_bound(k);
    for (cosine = NULL; (cosine = kernel_next(OP_cosine_f32, cosine)) && cosine->isa != k->isa;) {}
    if (cosine) rows_check_run(k, check, unused);
    else CHECK(0, "no cosine of the ISA of %s", k->variant);
}

int main(void)
{
    static const struct rows_op op = { OP_cosine_f32, ROWS_COSINE, &element_of_f32, &element_of_f32, 0, call };
    static struct rows_check c;
    rows_check_init(&c, &op, 1, 0xbf9416686aeccac1);
    check_every(OP_norms_f32, run, &c, NULL);
    return test_end();
}
