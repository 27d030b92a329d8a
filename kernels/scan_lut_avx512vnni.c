/* SPDX-License-Identifier: MIT
 * scan_lut_avx512vnni.c - Cascade Lake and its kin: vpshufb for the levels, vpdpbusd for the dot. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

enum { VEC = 64, QUERIES = 8, VECS = 2, STREAMS = 4, STEPS = 1, OFFSET = 128 };
typedef uint8_t bytes __attribute__((vector_size(64)));
#define SHUFFLE(part, index) (bytes)_mm512_shuffle_epi8((__m512i)(part), (__m512i)(index))
#define EITHER(index, bit, a, b)                                                                   \
    (bytes)_mm512_mask_blend_epi8(_mm512_test_epi8_mask((__m512i)(index), _mm512_set1_epi8((char)(1 << (bit)))), \
                                  (__m512i)(a), (__m512i)(b))

#include "kernels/scan_lut_vnni.h"
#include "kernels/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "vpshufb to levels, vpdpbusd; 8 queries x 32 rows a tile",
           "4 bits: 2.5 uops a 64 codes shared by 8 queries, 1 vpdpbusd a query"),
    KERNEL_END
};
