/* SPDX-License-Identifier: MIT
 * levels_vbmi.h - vpermb looks 64 levels up and ignores the index bits above, so a table repeated to 64 entries needs no
 * mask: of a nibble plane the low codes cost no instruction but the permutation, the high ones a shift.  Comes after
 * int8_vnni512.h, in place of the tables of levels.h. */
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
