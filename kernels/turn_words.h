/* SPDX-License-Identifier: MIT
 * turn_words.h - 16 rows of bytes, side by side by words of four: what an instruction wants that adds products of four
 * bytes into a lane, or a tile's column, of each row.  A transposition of 16 x 16 words, 64 shuffles. */
#ifndef ASSAY_TURN_WORDS_H
#define ASSAY_TURN_WORDS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    SIDE = 16, /* rows */
    DEEP = 64, /* bytes of a row at a time */
};
typedef uint32_t sixteen __attribute__((vector_size(64), aligned(4)));

/* Lanes whose number has bit s: of b, s lower; the others of a.  And the counterpart. */
#define LOW1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#define LOW2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define EXCHANGE(s, low, high)                                                                                         \
    _Pragma("GCC unroll 16") for (int i = 0; i < SIDE; i++)                                                            \
        if (!(i & (s))) {                                                                                              \
            const sixteen a = x[i], b = x[i + (s)];                                                                    \
            x[i] = __builtin_shufflevector(a, b, low);                                                                 \
            x[i + (s)] = __builtin_shufflevector(a, b, high);                                                          \
        }

/* 64 bytes of 16 rows, from `at`: word w of row r, all bits of flip turned over, becomes word r of line w; lines are
 * `apart` bytes apart. */
static inline __attribute__((always_inline)) void turn_words(const int8_t *const from[SIDE], size_t at, uint32_t flip,
                                                             int8_t *to, size_t apart)
{
    sixteen x[SIDE];
    _Pragma("GCC unroll 16") for (int r = 0; r < SIDE; r++) {
        memcpy(&x[r], from[r] + at, DEEP);
        x[r] ^= flip;
    }
    EXCHANGE(1, LOW1, HIGH1)
    EXCHANGE(2, LOW2, HIGH2)
    EXCHANGE(4, LOW4, HIGH4)
    EXCHANGE(8, LOW8, HIGH8)
    _Pragma("GCC unroll 16") for (int r = 0; r < SIDE; r++) memcpy(to + (size_t)r * apart, &x[r], DEEP);
}
#undef EXCHANGE
#endif
