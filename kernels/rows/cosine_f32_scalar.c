/* SPDX-License-Identifier: MIT
 * cosine_f32_scalar.c - cosines without vector instructions; see dot_f32_scalar.c. */
#include "kernels/kernel.h"
#include <math.h>

static float inverse_norm(const float *x, size_t dim)
{
    float sum = 0;
    for (size_t i = 0; i < dim; i++) sum += x[i] * x[i];
    return sum > 0 ? 1.0f / sqrtf(sum) : 0.0f;
}

static void plain(const float *query, const float *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, const float *inverse_norms, float *scores)
{
    const float query_inverse = inverse_norm(query, dim);
    for (size_t r = 0; r < count; r++) {
        const size_t at = pick ? pick[r] : r;
        const float *row = rows + at * stride;
        float sum = 0;
        for (size_t i = 0; i < dim; i++) sum += query[i] * row[i];
        scores[r] = sum * query_inverse * (inverse_norms ? inverse_norms[at] : inverse_norm(row, dim));
    }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "one multiply and one add per element and sum",
           "4 cycles per element: the latency of the add"),
    KERNEL_END
};
