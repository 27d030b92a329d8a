/* SPDX-License-Identifier: MIT
 * scan_sign_avx512.c - AVX-512 without VBMI and VNNI: one vpshufb and one vpermd sort 16 words into
 * four lanes of equal bytes, and vpshufb looks a lane's 16 nibbles up in the lane's table.  Sums in 16
 * bits as in scan_sign_avx2.c, emptied every 32 groups (32 * 2040 < 65536). */
#include "kernels/kernel.h"
#include "kernels/scans/sign_block_avx512.h"

static void shuffle(const uint8_t *signs, size_t blocks, size_t groups, const uint8_t *luts, const int32_t *starts,
                    size_t query_count, int32_t *sums)
{
    for (size_t b = 0; b < blocks; b++)
        for (size_t q = 0; q < query_count; q++)
            block_scan(signs + b * groups * 64, groups, luts + q * groups * 128, starts[q],
                       sums + (q * blocks + b) * CODES_ROWS);
}

KERNELS = {
    KERNEL("shuffle", shuffle, KERNEL_DEFAULT, "bytes sorted into lanes, vpshufb, 16-bit sums emptied every 32 groups",
           "13 uops per 16 rows x 32 dimensions, 2 of them to sort the bytes"),
    KERNEL_END
};
