/* SPDX-License-Identifier: MIT
 * lut_u8_avx512.c - 16 entries at a time. */
#include <immintrin.h>
#include <stdint.h>

enum { LANES = 16 };
typedef float floats __attribute__((vector_size(64)));

static inline __attribute__((always_inline)) void store_bytes(uint8_t *at, floats x)
{
    _mm_storeu_si128((__m128i *)at, _mm512_cvtepi32_epi8(_mm512_cvttps_epi32((__m512)x)));
}

#include "kernels/scans/lut_u8_body.h"

KERNELS = {
    KERNEL("by_entry", by_entry, KERNEL_DEFAULT, "16 entries a register", "8 uops per 16 entries"),
    KERNEL_END
};
