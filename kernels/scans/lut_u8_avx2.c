/* SPDX-License-Identifier: MIT
 * lut_u8_avx2.c - 8 entries at a time. */
#include <immintrin.h>
#include <stdint.h>

enum { LANES = 8 };
typedef float floats __attribute__((vector_size(32)));

static inline __attribute__((always_inline)) void store_bytes(uint8_t *at, floats x)
{
    const __m256i whole = _mm256_cvttps_epi32((__m256)x);
    const __m128i half = _mm_packus_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64((__m128i *)at, _mm_packus_epi16(half, half));
}

#include "kernels/scans/lut_u8_body.h"

KERNELS = {
    KERNEL("by_entry", by_entry, KERNEL_DEFAULT, "8 entries a register", "10 uops per 8 entries"),
    KERNEL_END
};
