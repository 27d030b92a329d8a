/* SPDX-License-Identifier: MIT
 * lut_sign_scalar.c - the tables of scan_sign, one entry at a time. */
#include "kernels/kernel.h"

static int32_t plain(const int8_t *query, size_t groups, uint8_t *lut)
{
    int32_t least = 0, total = 0;
    for (size_t t = 0; t < groups * 8; t++) {
        const int8_t *at = query + t / 8 * 32 + t / 4 % 2 * 16 + t % 4;
        int low = 0;
        for (int k = 0; k < 4; k++) {
            low += at[4 * k] < 0 ? at[4 * k] : 0;
            total += at[4 * k];
        }
        for (int n = 0; n < 16; n++) {
            int sum = -low;
            for (int k = 0; k < 4; k++) sum += n >> k & 1 ? at[4 * k] : 0;
            lut[t * 16 + (size_t)n] = (uint8_t)sum;
        }
        least += low;
    }
    return 2 * least - total;
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "one entry at a time", "some 8 instructions per entry, 4 entries a dimension"),
    KERNEL_END
};
