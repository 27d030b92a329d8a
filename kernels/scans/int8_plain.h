/* SPDX-License-Identifier: MIT
 * int8_plain.h - 64 bytes at a time without any instruction set's names, levels from a table of 256: for tests, on any
 * machine, of what is built on scan_lut_body.h.  In place of int8_vnni512.h and levels_vbmi.h.
 *
 * Never inlined: what the loops of the body unroll would be some 10^5 operations on single bytes, minutes of compiling. */
#include <stdint.h>
#include <string.h>

enum { VEC = 64, OFFSET = 128, NEGATIVE = 0 };
typedef uint8_t bytes __attribute__((vector_size(VEC)));
typedef int32_t accumulator __attribute__((vector_size(VEC)));

#define ZERO (accumulator){ 0 }
#define BROADCAST(four) (bytes)((accumulator){ 0 } + (four))
#define BITS_OR(low, high, m) (((high) & (uint8_t)(m)) | ((low) & (uint8_t)~(m)))

static __attribute__((noinline)) accumulator dot(accumulator acc, bytes level, bytes query)
{
    for (int i = 0; i < VEC; i++) acc[i / 4] += level[i] * (int8_t)query[i];
    return acc;
}

/* Sums from `start`, or from what `out` holds. */
static __attribute__((noinline)) void sums_of(accumulator acc, int32_t *out, int32_t start, int more)
{
    for (int i = 0; i < VEC / 4; i++) out[i] = acc[i] + (more ? out[i] : start);
}

#define OWN_TABLE
struct table { uint8_t raised[256]; };

/* Repeated: index bits above `bits` do not matter. */
static inline struct table table_make(const int8_t *levels, int bits)
{
    struct table t;
    for (int i = 0; i < 256; i++) t.raised[i] = (uint8_t)(levels[i & ((1 << (bits > 8 ? 8 : bits)) - 1)] + OFFSET);
    return t;
}

static __attribute__((noinline)) bytes level_of(const struct table *t, int bits, bytes index)
{
    for (int i = 0; i < VEC && bits <= 8; i++) index[i] = t->raised[index[i]];
    return index;
}
