/* SPDX-License-Identifier: MIT
 * scan_sign_scalar.c - the scan of sign bits, a nibble at a time. */
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

static void plain(const uint8_t *signs, size_t blocks, size_t groups, const uint8_t *luts, const int32_t *starts,
                  size_t query_count, int32_t *sums)
{
    for (size_t q = 0; q < query_count; q++, luts += groups * 128)
        for (size_t r = 0; r < blocks * CODES_ROWS; r++, sums++) {
            const uint8_t *row = signs + r / CODES_ROWS * groups * 64 + r % CODES_ROWS * 4;
            int32_t sum = 0;
            for (size_t g = 0; g < groups; g++)
                for (size_t j = 0; j < 4; j++) {
                    const uint8_t *table = luts + g * 128 + j * 16, bits = row[g * 64 + j];
                    sum += table[bits & 15] + table[64 + (bits >> 4)];
                }
            *sums = 2 * sum + starts[q];
        }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "a nibble at a time", "2 loads and 2 adds per 4 dimensions and row"),
    KERNEL_END
};
