/* SPDX-License-Identifier: MIT
 * scan_byte_neon.c - tbl and tbx of four registers have 64 entries of a table of 256 each: an index that is beyond them
 * leaves what is there.  Sums of 16 bits, emptied every 256 parts (256 * 255 < 65536). */
#include <arm_neon.h>
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

enum { FLUSH = 256, LANES = 16 };
_Static_assert(FLUSH * 255 < 65536, "16-bit sums");

static inline uint8x16x4_t quarter(const uint8_t *at)
{
    return (uint8x16x4_t){ { vld1q_u8(at), vld1q_u8(at + 16), vld1q_u8(at + 32), vld1q_u8(at + 48) } };
}

static void some_parts(const uint8_t *codes, size_t parts, const uint8_t *lut, int32_t *sums)
{
    uint16x8_t sum[2 * CODES_BYTE_ROWS / LANES];
    for (int i = 0; i < 2 * CODES_BYTE_ROWS / LANES; i++) sum[i] = vdupq_n_u16(0);
    for (size_t p = 0; p < parts; p++, codes += CODES_BYTE_ROWS, lut += 256) {
        uint8x16_t entry[CODES_BYTE_ROWS / LANES];
        const uint8x16x4_t first = quarter(lut);
#pragma GCC unroll 4
        for (int i = 0; i < CODES_BYTE_ROWS / LANES; i++) entry[i] = vqtbl4q_u8(first, vld1q_u8(codes + LANES * i));
        for (int k = 1; k < 4; k++) {
            const uint8x16x4_t next = quarter(lut + 64 * k);
            const uint8x16_t begin = vdupq_n_u8((uint8_t)(64 * k));
#pragma GCC unroll 4
            for (int i = 0; i < CODES_BYTE_ROWS / LANES; i++)
                entry[i] = vqtbx4q_u8(entry[i], next, vsubq_u8(vld1q_u8(codes + LANES * i), begin));
        }
#pragma GCC unroll 4
        for (int i = 0; i < CODES_BYTE_ROWS / LANES; i++) {
            sum[2 * i] = vaddw_u8(sum[2 * i], vget_low_u8(entry[i]));
            sum[2 * i + 1] = vaddw_high_u8(sum[2 * i + 1], entry[i]);
        }
    }
    for (int i = 0; i < 2 * CODES_BYTE_ROWS / LANES; i++) {
        int32_t *at = sums + 8 * i;
        vst1q_s32(at, vaddq_s32(vld1q_s32(at), vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(sum[i])))));
        vst1q_s32(at + 4, vaddq_s32(vld1q_s32(at + 4), vreinterpretq_s32_u32(vmovl_high_u16(sum[i]))));
    }
}

static void table(const uint8_t *codes, size_t blocks, size_t parts, const uint8_t *luts, size_t query_count,
                  int32_t *sums)
{
    memset(sums, 0, query_count * blocks * CODES_BYTE_ROWS * sizeof *sums);
    for (size_t b = 0; b < blocks; b++)
        for (size_t q = 0; q < query_count; q++)
            for (size_t p = 0; p < parts; p += FLUSH)
                some_parts(codes + (b * parts + p) * CODES_BYTE_ROWS, parts - p < FLUSH ? parts - p : FLUSH,
                           luts + (q * parts + p) * 256, sums + (q * blocks + b) * CODES_BYTE_ROWS);
}

KERNELS = {
    KERNEL("table", table, KERNEL_DEFAULT, "tbl and three tbx of four registers, 16-bit sums emptied every 256 parts",
           "4 tbl of four registers and 5 others per 16 rows and part"),
    KERNEL_END
};
