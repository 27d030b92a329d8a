/* SPDX-License-Identifier: MIT
 * lut_sign_avx512.c - 64 entries a register: the four tables of a nibble position at once. */
#include <immintrin.h>

enum { VEC = 64 };

static inline __m512i spread(const signed char *four, int part)
{
    int word;
    __builtin_memcpy(&word, four, sizeof word);
    (void)part;
    const __m512i at = _mm512_set_epi32(0x03030303, 0x03030303, 0x03030303, 0x03030303, 0x02020202, 0x02020202, 0x02020202,
                                        0x02020202, 0x01010101, 0x01010101, 0x01010101, 0x01010101, 0, 0, 0, 0);
    return _mm512_shuffle_epi8(_mm512_set1_epi32(word), at);
}

#include "kernels/scans/lut_sign_body.h"

KERNELS = {
    KERNEL("masked", tables, KERNEL_DEFAULT, "64 entries a register", "some 20 uops per 64 entries"),
    KERNEL_END
};
