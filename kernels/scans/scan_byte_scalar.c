/* SPDX-License-Identifier: MIT
 * scan_byte_scalar.c - a code at a time, parts in the order of memory. */
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

static void plain(const uint8_t *codes, size_t blocks, size_t parts, const uint8_t *luts, size_t query_count,
                  int32_t *sums)
{
    for (size_t q = 0; q < query_count; q++, luts += parts * 256)
        for (size_t b = 0; b < blocks; b++, sums += CODES_BYTE_ROWS) {
            const uint8_t *code = codes + b * parts * CODES_BYTE_ROWS, *table = luts;
            memset(sums, 0, CODES_BYTE_ROWS * sizeof *sums);
            for (size_t p = 0; p < parts; p++, table += 256)
                for (size_t r = 0; r < CODES_BYTE_ROWS; r++) sums[r] += table[*code++];
        }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "a part of 64 rows at a time", "3 loads and a store per part and row"),
    KERNEL_END
};
