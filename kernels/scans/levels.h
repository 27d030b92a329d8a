/* SPDX-License-Identifier: MIT
 * levels.h - from codes to int8 levels within registers, for any width of register.  Comes after
 * an int8_*.h.
 *
 * A byte shuffle stays within 16 bytes on most CPUs, so a table is 2^(bits - 4) shuffles, chosen
 * between by the upper bits of the index.  A file with better shuffles defines OWN_TABLE. */
#include <string.h>
#include "kernels/codes/codes.h"

#define INLINE static inline __attribute__((always_inline))

enum { RAW = CODES_BITS_MAX + 1 }; /* 8 bits whose table is the identity: no shuffle at all */

/* Where the sums of a query start: levels were raised by OFFSET, or complemented where it is negative. */
static inline int32_t start_of(const int8_t *query, size_t dims)
{
    int32_t sum = 0;
    for (size_t i = 0; OFFSET != 0 && i < dims; i++) sum -= OFFSET * query[i];
    for (size_t i = 0; NEGATIVE != 0 && i < dims; i++) sum -= query[i] < 0 ? query[i] : 0;
    return sum;
}

typedef uint16_t words __attribute__((vector_size(VEC)));

/* Right by n, left by -n, in 16-bit lanes: bits that cross a byte are masked off by who asks. */
INLINE bytes shifted(bytes x, int n)
{
    if (n > 0) return (bytes)((words)x >> n);
    if (n < 0) return (bytes)((words)x << -n);
    return x;
}

#ifndef OWN_TABLE
struct table { uint8_t part[16][VEC]; };

/* levels + OFFSET, repeated where bits < 4: index bits above `bits` do not matter. */
static inline struct table table_make(const int8_t *levels, int bits)
{
    struct table t;
    const int count = bits >= CODES_BITS_MAX ? 256 : 1 << bits, parts = (count + 15) / 16;
    for (int part = 0; part < parts; part++) {
        uint8_t raised[16];
        for (int i = 0; i < 16; i++) raised[i] = (uint8_t)(levels[(16 * part + i) & (count - 1)] + OFFSET);
        for (int at = 0; at < VEC; at += 16) memcpy(t.part[part] + at, raised, 16);
    }
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
#endif
