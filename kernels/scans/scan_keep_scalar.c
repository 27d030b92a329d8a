/* SPDX-License-Identifier: MIT
 * scan_keep_scalar.c - the bounded scan of sign bits, a nibble at a time. */
#include <stddef.h>
#include <stdint.h>
#include "kernels/codes/codes.h"

static void block_scan(const uint8_t *block, size_t groups, const uint8_t *lut, int32_t start, int32_t *sums)
{
    for (size_t r = 0; r < CODES_ROWS; r++) {
        int32_t sum = 0;
        for (size_t g = 0; g < groups; g++)
            for (size_t j = 0; j < 4; j++) {
                const uint8_t *table = lut + g * 128 + j * 16, bits = block[g * 64 + r * 4 + j];
                sum += table[bits & 15] + table[64 + (bits >> 4)];
            }
        sums[r] = 2 * sum + start;
    }
}

#include "kernels/scans/scan_keep_body.h"

KERNELS = {
    KERNEL("plain", leave, KERNEL_DEFAULT, "a nibble at a time", "2 loads and 2 adds per 4 dimensions and row read"),
    KERNEL_END
};
