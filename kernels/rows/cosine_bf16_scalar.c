/* SPDX-License-Identifier: MIT
 * cosine_bf16_scalar.c - cosine_f32_scalar.c with rows widened by shifts. */
#include "kernels/half.h"
#include "kernels/kernel.h"
#include <math.h>

static float inverse_root(float square) { return square > 0 ? 1.0f / sqrtf(square) : 0.0f; }

static void plain(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, const float *inverse_norms, float *scores)
{
    float query_square = 0;
    for (size_t i = 0; i < dim; i++) query_square += query[i] * query[i];
    const float query_inverse = inverse_root(query_square);
    for (size_t r = 0; r < count; r++) {
        const size_t at = pick ? pick[r] : r;
        const uint16_t *row = rows + at * stride;
        float sum = 0, square = 0;
        for (size_t i = 0; i < dim; i++) {
            const float x = f32_of_bf16(row[i]);
            sum += query[i] * x;
            square += x * x;
        }
        scores[r] = sum * query_inverse * (inverse_norms ? inverse_norms[at] : inverse_root(square));
    }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "widened by shifts; computes the norm in any case",
           "the latency of the add, or more"),
    KERNEL_END
};
