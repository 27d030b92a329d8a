/* SPDX-License-Identifier: MIT
 * scan_sign_neon.c - ld4 sorts a register of words into four of bytes, each with one table per nibble;
 * 16-bit sums of 8 entries of at most 255 a group are emptied every 32 groups (32 * 2040 < 65536). */
#include "kernels/kernel.h"
#include "kernels/scans/sign_block_neon.h"

static void shuffle(const uint8_t *signs, size_t blocks, size_t groups, const uint8_t *luts, const int32_t *starts,
                    size_t query_count, int32_t *sums)
{
    for (size_t b = 0; b < blocks; b++)
        for (size_t q = 0; q < query_count; q++)
            block_scan(signs + b * groups * 64, groups, luts + q * groups * 128, starts[q],
                       sums + (q * blocks + b) * CODES_ROWS);
}

KERNELS = {
    KERNEL("shuffle", shuffle, KERNEL_DEFAULT, "ld4, tbl, 16-bit sums emptied every 32 groups",
           "33 instructions per 16 rows x 32 dimensions, 8 of them tbl"),
    KERNEL_END
};
