/* SPDX-License-Identifier: MIT
 * scan_lut_neondot.c - tbl to levels, sdot by a lane of the query: signed by signed, no offset. */
#include "kernels/scans/int8_neon.h"
enum { QUERIES = 4, VECS = 4, HELD = 32, STEPS = 2 };

#define MAC mac_pair
static inline __attribute__((always_inline)) int32x4_t mac_pair(int32x4_t acc, const bytes *level, const int8_t *query)
{
    const int8x8_t q = vld1_s8(query);
    acc = vdotq_lane_s32(acc, (int8x16_t)level[0], q, 0);
    return vdotq_lane_s32(acc, (int8x16_t)level[1], q, 1);
}

#include "kernels/scans/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "tbl to levels, sdot; 4 queries x 16 rows a tile",
           "4 bits: 2.5 instructions per 16 codes shared by 4 queries, 1 sdot a query"),
    KERNEL_END
};
