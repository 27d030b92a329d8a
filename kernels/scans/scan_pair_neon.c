/* SPDX-License-Identifier: MIT
 * scan_pair_neon.c - ld4 sorts a register of words into four of bytes, and tbl of four registers has 64 entries.
 * Sums of 16 bits take 16 entries of at most 255 a group: emptied every 16 groups (16 * 16 * 255 < 65536). */
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"
#include "kernels/scans/wide_neon.h"

enum { FLUSH = 16 };
_Static_assert(FLUSH * 16 * 255 < 65536, "16-bit sums");

/* Where the nibble of pair u is 15s, its bits; above them the pair's two of the plane of upper bits. */
static inline uint8x16_t index_of(uint8x16_t low, uint8x16_t high, int u)
{
    const uint8x16_t nibble = u % 2 ? vshrq_n_u8(low, 4) : vandq_u8(low, vdupq_n_u8(15));
    const uint8x16_t upper = vandq_u8(vshlq_u8(high, vdupq_n_s8((int8_t)(4 - 2 * u))), vdupq_n_u8(0x30));
    return vorrq_u8(nibble, upper);
}

static void block_scan(const uint8_t *block, size_t groups, const uint8_t *lut, int32_t start, int32_t *sums)
{
    uint32x4_t wide[4] = { vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0) };
    for (size_t g = 0; g < groups;) {
        const size_t end = groups - g < FLUSH ? groups : g + FLUSH;
        uint16x8_t low = vdupq_n_u16(0), high = low;
        for (; g < end; g++, block += 192) {
            const uint8x16x4_t planes[2] = { vld4q_u8(block), vld4q_u8(block + 64) }, upper = vld4q_u8(block + 128);
#pragma GCC unroll 4
            for (int u = 0; u < 4; u++)
#pragma GCC unroll 4
                for (int j = 0; j < 4; j++, lut += 64) {
                    const uint8x16x4_t entries = { { vld1q_u8(lut), vld1q_u8(lut + 16), vld1q_u8(lut + 32),
                                                     vld1q_u8(lut + 48) } };
                    const uint8x16_t entry = vqtbl4q_u8(entries, index_of(planes[u / 2].val[j], upper.val[j], u));
                    low = vaddw_u8(low, vget_low_u8(entry));
                    high = vaddw_high_u8(high, entry);
                }
        }
        widen(wide, low, high);
    }
    store_twice(sums, wide, start);
}

static void table(const uint8_t *codes, size_t blocks, size_t groups, const uint8_t *luts, const int32_t *starts,
                  size_t query_count, int32_t *sums)
{
    for (size_t b = 0; b < blocks; b++)
        for (size_t q = 0; q < query_count; q++)
            block_scan(codes + b * groups * 192, groups, luts + q * groups * 1024, starts[q],
                       sums + (q * blocks + b) * CODES_ROWS);
}

KERNELS = {
    KERNEL("table", table, KERNEL_DEFAULT, "ld4 to bytes, tbl of four registers, 16-bit sums emptied every 16 groups",
           "9 instructions per 16 pairs, one of them a tbl of four registers"),
    KERNEL_END
};
