/* SPDX-License-Identifier: MIT
 * cosine_i8_scalar.c - cosines of int8 rows: exact sums, then single roundings in one order, so this
 * too has the bits of every other ISA. */
#include "kernels/kernel.h"
#include <math.h>

static float inverse_root(float square) { return square > 0 ? 1.0f / sqrtf(square) : 0.0f; }

static void plain(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, const float *inverse_norms, float *scores)
{
    int32_t query_square = 0;
    for (size_t i = 0; i < dim; i++) query_square += query[i] * query[i];
    const float query_inverse = inverse_root((float)query_square);
    for (size_t r = 0; r < count; r++) {
        const size_t at = pick ? pick[r] : r;
        const int8_t *row = rows + at * stride;
        int32_t sum = 0, square = 0;
        for (size_t i = 0; i < dim; i++) sum += query[i] * row[i], square += row[i] * row[i];
        scores[r] = (float)sum * query_inverse * (inverse_norms ? inverse_norms[at] : inverse_root((float)square));
    }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "computes the norm in any case", "about 2 cycles per element"),
    KERNEL_END
};
