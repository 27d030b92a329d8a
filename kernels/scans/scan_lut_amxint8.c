/* SPDX-License-Identifier: MIT
 * scan_lut_amxint8.c - a batch of queries against packed codes by TDPBSSD: codes of 32 rows become int8 levels once, in L1,
 * for all queries.
 *
 * A block of codes has a row a 32-bit lane and four dimensions in it (codes.h): a register of levels is a line of operand
 * B as it is (amx.h), and nothing is turned.  512 dimensions at a time, 16 KiB of levels, added to the sums of those before.
 *
 * Cost, modelled: per 16 rows x 64 dimensions 16 registers of levels, of 4 bits 8 loads, 8 shifts, 16 vpermb, 16 vpxor and
 * 16 stores, some 32 cycles; then a TDPBSSD of 16 cycles for every 16 queries.  VPDPBUSD takes 8 cycles a query and the same
 * levels without vpxor: level at 4 queries, but tiles come in pairs, so up to 32 queries cost 32 cycles, and below 8 nothing
 * is gained.  That is derived; what was seen is more, TILES_PAY_DECODED (amx.h), and loads of tiles that have just been
 * stored wait for the stores.  This file has not run on hardware; amx_model.h, with levels by int8_plain.h, shows that it
 * is right.  Fewer queries go the way of scan_lut_avx512vbmi.c. */
#ifdef AMX_MODEL
#include "kernels/scans/int8_plain.h"
#else
#include "kernels/scans/int8_vnni512.h"
#include "kernels/scans/levels_vbmi.h"
#endif
enum { QUERIES = 8, VECS = 2, HELD = 16, STEPS = 1 };

#include "kernels/scans/scan_lut_body.h"
#include "kernels/amx.h"

enum { AT_ONCE = 16 }; /* groups of 32 dimensions */

/* Levels of up to AT_ONCE groups of nb blocks, 1 or 2, as operand B; the second half of a last step, and a second block
 * that is not there, are 0. */
INLINE void levels_of(const uint8_t *codes, size_t groups, size_t block_bytes, int bits, const struct table *table,
                      size_t nb, int8_t *out)
{
    const size_t group_bytes = (size_t)(bits == RAW ? 8 : bits) * 64;
    if (nb == 1 || groups % 2) memset(out, 0, (groups + 1) / 2 * 2 * SIDE * DEEP);
    for (size_t g = 0; g < groups; g++)
        for (size_t v = 0; v < nb; v++)
#pragma GCC unroll 8
            for (int step = 0; step < 8; step++) {
                const bytes raised = levels_at(codes + v * block_bytes + g * group_bytes, 0, bits, table, step, 0);
                const bytes level = raised ^ OFFSET;
                memcpy(out + (g / 2 * 2 + v) * SIDE * DEEP + (g % 2 * 8 + (size_t)step) * DEEP, &level, sizeof level);
            }
}

#define LEVELS_OF(b)                                                                                                   \
    static void levels_##b(const uint8_t *codes, size_t groups, size_t block_bytes, const struct table *table,         \
                           size_t nb, int8_t *out)                                                                     \
    {                                                                                                                  \
        levels_of(codes, groups, block_bytes, b, table, nb, out);                                                      \
    }
LEVELS_OF(1)
LEVELS_OF(2)
LEVELS_OF(3)
LEVELS_OF(4)
LEVELS_OF(5)
LEVELS_OF(6)
LEVELS_OF(7)
LEVELS_OF(8)
LEVELS_OF(9)
#undef LEVELS_OF

static void tiles_from(size_t least, const uint8_t *codes, size_t blocks, size_t groups, int bits, const int8_t *levels,
                       const int8_t *queries, size_t query_count, int32_t *sums)
{
    static void (*const of[])(const uint8_t *, size_t, size_t, const struct table *, size_t, int8_t *) = {
        levels_1, levels_2, levels_3, levels_4, levels_5, levels_6, levels_7, levels_8, levels_9,
    };
    if (query_count < least || groups == 0 || blocks == 0) {
        scan(codes, blocks, groups, bits, levels, queries, query_count, sums);
        return;
    }
    const size_t group_bytes = (size_t)bits * 64, block_bytes = groups * group_bytes, dims = groups * CODES_DIMS;
    const int raw = bits == 8 && is_identity(levels);
    const struct table table = table_make(levels, bits + raw);
    int8_t b[AT_ONCE / 2 * 2 * SIDE * DEEP] __attribute__((aligned(64)));
    struct few few;
    begin_tiles();
    for (size_t g = 0; g < groups; g += AT_ONCE) {
        const size_t some = groups - g < AT_ONCE ? groups - g : AT_ONCE, dim = some * CODES_DIMS;
        fill_few(&few, queries + g * CODES_DIMS, dims, query_count, dim);
        for (size_t at = 0; at < blocks; at += 2) {
            const size_t nb = blocks - at < 2 ? 1 : 2;
            of[bits - 1 + raw](codes + at * block_bytes + g * group_bytes, some, block_bytes, &table, nb, b);
            cross_queries_tiles(queries + g * CODES_DIMS, dims, query_count, &few, b, nb * SIDE, dim, g > 0,
                                sums + at * CODES_ROWS, blocks * CODES_ROWS);
        }
    }
    _tile_release();
}

static void always(const uint8_t *codes, size_t blocks, size_t groups, int bits, const int8_t *levels,
                   const int8_t *queries, size_t query_count, int32_t *sums)
{
    tiles_from(1, codes, blocks, groups, bits, levels, queries, query_count, sums);
}

#ifdef AMX_MODEL
KERNELS = {
    KERNEL("model", always, KERNEL_DEFAULT, "amxint8/always with its tile instructions in software", ""),
    KERNEL_END
};
#else
static void tiles2x2(const uint8_t *codes, size_t blocks, size_t groups, int bits, const int8_t *levels,
                     const int8_t *queries, size_t query_count, int32_t *sums)
{
    tiles_from(TILES_PAY_DECODED, codes, blocks, groups, bits, levels, queries, query_count, sums);
}

KERNELS = {
    KERNEL("tiles2x2", tiles2x2, KERNEL_DEFAULT,
           "from " AMX_TEXT(TILES_PAY_DECODED) " queries on levels of 32 rows once in L1, TDPBSSD",
           "per 16 rows and 64 dims some 32 cycles of levels, and a TDPBSSD of 16 cycles a 16 queries"),
    KERNEL("always", always, KERNEL_SAME, "TDPBSSD for any number of queries: to see from how many it pays",
           "as tiles2x2, of which it is a part"),
    KERNEL_END
};
#endif
