/* SPDX-License-Identifier: MIT
 * scan_pair_scalar.c - two codes of 3 bits at a time. */
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

static void plain(const uint8_t *codes, size_t blocks, size_t groups, const uint8_t *luts, const int32_t *starts,
                  size_t query_count, int32_t *sums)
{
    for (size_t q = 0; q < query_count; q++, luts += groups * 1024)
        for (size_t r = 0; r < blocks * CODES_ROWS; r++, sums++) {
            const uint8_t *row = codes + r / CODES_ROWS * groups * 192 + r % CODES_ROWS * 4, *table = luts;
            int32_t sum = 0;
            for (size_t g = 0; g < groups; g++, row += 192)
                for (size_t u = 0; u < 4; u++)
                    for (size_t j = 0; j < 4; j++, table += 64) {
                        const unsigned low = row[u / 2 * 64 + j] >> u % 2 * 4 & 15, high = row[128 + j] >> 2 * u & 3;
                        sum += table[low | high << 4];
                    }
            *sums = 2 * sum + starts[q];
        }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "a pair at a time",
           "3 loads and 8 other instructions per 2 dimensions and row"),
    KERNEL_END
};
