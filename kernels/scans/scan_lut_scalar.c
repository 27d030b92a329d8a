/* SPDX-License-Identifier: MIT
 * scan_lut_scalar.c - the quantised scan without vector instructions, and the source of the compiler
 * baselines: 64 codes are looked up once for all queries, and every loop has a constant length. */
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

/* The levels of one step: 4 dimensions of 16 rows, in the order of the register (codes.h). */
static void levels_of_step(const uint8_t *group, int bits, int step, const int8_t *levels, int8_t out[64])
{
    uint8_t code[64] = { 0 };
    int at = 0;
    for (int width = 8; width > 0; width /= 2) {
        if (!(bits & width)) continue;
        const int per = 8 / width, shift = width * (step % per), mask = (1 << width) - 1;
        const uint8_t *plane = group + step / per * 64;
        for (int i = 0; i < 64; i++) code[i] = (uint8_t)(code[i] | (plane[i] >> shift & mask) << at);
        at += width;
        group += width * 64;
    }
    for (int i = 0; i < 64; i++) out[i] = levels[code[i]];
}

static void plain(const uint8_t *codes, size_t blocks, size_t groups, int bits, const int8_t *levels,
                  const int8_t *queries, size_t query_count, int32_t *sums)
{
    const size_t dims = groups * CODES_DIMS, stride = blocks * CODES_ROWS;
    for (size_t q = 0; q < query_count; q++) memset(sums + q * stride, 0, stride * sizeof *sums);
    for (size_t b = 0; b < blocks; b++, sums += CODES_ROWS)
        for (size_t g = 0; g < groups; g++, codes += bits * 64)
            for (int step = 0; step < 8; step++) {
                int8_t level[64];
                levels_of_step(codes, bits, step, levels, level);
                for (size_t q = 0; q < query_count; q++) {
                    const int8_t *four = queries + q * dims + g * CODES_DIMS + 4 * (size_t)step;
                    for (size_t r = 0; r < CODES_ROWS; r++)
                        for (size_t j = 0; j < 4; j++) sums[q * stride + r] += level[4 * r + j] * four[j];
                }
            }
}

KERNELS = {
    KERNEL("plain", plain, KERNEL_DEFAULT, "64 codes looked up at a time, shared by all queries",
           "one lookup per code, some 3 instructions per code and query"),
    KERNEL_END
};
