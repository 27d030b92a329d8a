/* SPDX-License-Identifier: MIT
 * scan_pick_scalar.c - the second pass, straight from the definition of split codes. */
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

static void plain(const uint8_t *signs, const uint8_t *ranks, size_t stride, size_t groups, int bits,
                  const int8_t *levels, const int8_t *queries, size_t query_count, const uint32_t *pick, size_t count,
                  int32_t *sums)
{
    const size_t dims = groups * CODES_DIMS;
    for (size_t q = 0; q < query_count; q++)
        for (size_t i = 0; i < count; i++) {
            const uint8_t *block = signs + pick[i] / CODES_ROWS * groups * 64, *row = ranks + pick[i] * stride;
            int32_t sum = 0;
            for (size_t d = 0; d < dims; d++) {
                const unsigned sign = codes_get(block, 1, pick[i] % CODES_ROWS, d);
                sum += queries[q * dims + d] * levels[sign << (bits - 1) | codes_get_rank(row, bits, d)];
            }
            sums[q * count + i] = sum;
        }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "one code at a time", "tens of instructions per dimension and row"),
    KERNEL_END
};
