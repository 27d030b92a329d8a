/* SPDX-License-Identifier: MIT
 * scan_lut_avx512vbmi.c - vpermb looks 64 levels up and ignores the index bits above, so a table
 * repeated to 64 entries needs no mask: of a nibble plane the low codes cost no instruction but
 * the permutation, the high ones a shift. */
#include "kernels/scans/int8_vnni512.h"
enum { QUERIES = 8, VECS = 2, HELD = 16, STEPS = 1 };

#define OWN_TABLE
struct table { __m512i part[4]; };

static inline struct table table_make(const int8_t *levels, int bits)
{
    uint8_t raised[256];
    for (int i = 0; i < 256; i++) raised[i] = (uint8_t)(levels[i & ((1 << (bits > 8 ? 8 : bits)) - 1)] + OFFSET);
    struct table t;
    for (int i = 0; i < 4; i++) t.part[i] = _mm512_loadu_si512(raised + 64 * i);
    return t;
}

static inline __attribute__((always_inline)) bytes level_of(const struct table *t, int bits, bytes index)
{
    const __m512i i = (__m512i)index;
    if (bits > 8) return index;
    if (bits <= 6) return (bytes)_mm512_permutexvar_epi8(i, t->part[0]);
    const __m512i low = _mm512_permutex2var_epi8(t->part[0], i, t->part[1]);
    if (bits == 7) return (bytes)low;
    return (bytes)_mm512_mask_blend_epi8(_mm512_movepi8_mask(i), low,
                                         _mm512_permutex2var_epi8(t->part[2], i, t->part[3]));
}

#include "kernels/scans/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "vpermb to levels, vpdpbusd; 8 queries x 32 rows a tile",
           "4 bits: 1.5 uops a 64 codes shared by 8 queries, 1 vpdpbusd a query"),
    KERNEL_END
};
