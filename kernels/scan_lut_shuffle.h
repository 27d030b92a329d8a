/* SPDX-License-Identifier: MIT
 * scan_lut_shuffle.h - level tables for CPUs whose byte shuffle stays within 16 bytes: 16 entries
 * a shuffle, so 2^(bits - 4) shuffles, chosen between by the upper bits of the index.
 *
 * The including file defines bytes, VEC, OFFSET and
 *     SHUFFLE(part, index)      the low nibble of index into part; bit 7 of index is clear
 *     EITHER(index, bit, a, b)  b where that bit of index is set, otherwise a */
struct table { uint8_t part[16][VEC]; };

static inline struct table table_make(const int8_t *levels, int bits)
{
    struct table t;
    const int last = (1 << (bits > 8 ? 8 : bits)) - 1;
    for (int i = 0; i < 256; i++)
        for (int lane = 0; lane < VEC / 16; lane++)
            t.part[i / 16][lane * 16 + i % 16] = (uint8_t)(levels[i & last] + OFFSET);
    return t;
}

INLINE bytes part_of(const struct table *t, int i)
{
    bytes part;
    memcpy(&part, t->part[i], VEC);
    return part;
}

/* Levels of `bits` bits (4 .. 8) from the parts `first` onwards. */
#define LEVEL_TREE(bits, below)                                                                    \
    INLINE bytes tree_##bits(const struct table *t, bytes index, bytes low, int first) \
    {                                                                                              \
        const bytes a = tree_##below(t, index, low, first);                                        \
        const bytes b = tree_##below(t, index, low, first + (1 << (bits - 5)));                    \
        return EITHER(index, bits - 1, a, b);                                                      \
    }

INLINE bytes tree_4(const struct table *t, bytes index, bytes low, int first)
{
    (void)index;
    return SHUFFLE(part_of(t, first), low);
}
LEVEL_TREE(5, 4)
LEVEL_TREE(6, 5)
LEVEL_TREE(7, 6)
LEVEL_TREE(8, 7)
#undef LEVEL_TREE

INLINE bytes level_of(const struct table *t, int bits, bytes index)
{
    const bytes low = index & 15;
    return bits > 8 ? (OFFSET ? index : index ^ 128)
         : bits == 8 ? tree_8(t, index, low, 0)
         : bits == 7 ? tree_7(t, index, low, 0)
         : bits == 6 ? tree_6(t, index, low, 0)
         : bits == 5 ? tree_5(t, index, low, 0) : tree_4(t, index, low, 0);
}
