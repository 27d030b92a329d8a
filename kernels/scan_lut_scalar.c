/* SPDX-License-Identifier: MIT
 * scan_lut_scalar.c - the quantised scan, straight from the definition of codes.h. */
#include "kernels/codes.h"
#include "kernels/kernel.h"

static void plain(const uint8_t *codes, size_t blocks, size_t groups, int bits, const int8_t *levels,
                  const int8_t *queries, size_t query_count, int32_t *sums)
{
    const size_t dims = groups * CODES_DIMS, block_bytes = codes_block_bytes(groups, bits);
    for (size_t q = 0; q < query_count; q++)
        for (size_t b = 0; b < blocks; b++)
            for (size_t r = 0; r < CODES_ROWS; r++) {
                int32_t sum = 0;
                for (size_t i = 0; i < dims; i++)
                    sum += queries[q * dims + i] * levels[codes_get(codes + b * block_bytes, bits, r, i)];
                sums[(q * blocks + b) * CODES_ROWS + r] = sum;
            }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "one code at a time", "tens of instructions per dimension and row"),
    KERNEL_END
};
