/* SPDX-License-Identifier: MIT
 * lut_u8_scalar.c - byte tables of a float query, one entry at a time. */
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

/* What coordinate q adds for a code, above the least it can add. */
static float share(float q, unsigned code, const float *levels, int bits)
{
    const float last = levels[(1u << bits) - 1];
    return q < 0 ? -q * (last - levels[code]) : q * (levels[code] - levels[0]);
}

static void plain(const float *query, size_t dim, const float *levels, int bits, float inverse, uint8_t *lut)
{
    const size_t tables = codes_groups(dim) * (bits == 4 ? 32 : 16), entries = bits == 3 ? 64 : 16;
    for (size_t t = 0; t < tables; t++) {
        const size_t a = bits == 4 ? t : t / 4 * 8 + t % 4, b = bits == 4 ? dim : a + 4;
        const float first = a < dim ? query[a] : 0, second = b < dim ? query[b] : 0;
        for (unsigned n = 0; n < entries; n++) {
            const unsigned c_a = bits == 4 ? n : (n & 3) | (n >> 2 & 4);
            const unsigned c_b = bits == 4 ? 0 : (n >> 2 & 3) | (n >> 3 & 4);
            const float sum = share(first, c_a, levels, bits) + share(second, c_b, levels, bits);
            *lut++ = (uint8_t)(sum * inverse + 0.5f);
        }
    }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "one entry at a time", "some 15 instructions an entry"),
    KERNEL_END
};
