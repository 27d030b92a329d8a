/* SPDX-License-Identifier: MIT
 * lut_sign_avx2.c - 32 entries a register. */
#include <immintrin.h>

enum { VEC = 32 };

static inline __m256i spread(const signed char *four, int part)
{
    int word;
    __builtin_memcpy(&word, four, sizeof word);
    const __m256i low = _mm256_set_epi64x(0x0101010101010101, 0x0101010101010101, 0, 0);
    return _mm256_shuffle_epi8(_mm256_set1_epi32(word), _mm256_add_epi8(low, _mm256_set1_epi8((char)(2 * part))));
}

#include "kernels/scans/lut_sign_body.h"

KERNELS = {
    KERNEL("masked", tables, KERNEL_DEFAULT, "32 entries a register", "some 20 uops per 32 entries"),
    KERNEL_END
};
