/* SPDX-License-Identifier: MIT
 * l2_i8_avx512vnni.c - exact int8 squared distances by VPMOVSXBW and VPDPWSSD.
 *
 * A difference of bytes takes 9 bits, so both are widened: 6 uops for 64 bytes where a dot takes one.  By their count
 * 3.9 ns a row at d = 384 in L2, measured 7.1; what takes the other half is not known.  From norms and dots it
 * would be 3.5, but rows come without norms here. */
#define DPWSSD _mm512_dpwssd_epi32
#include "kernels/rows/lanes_i8_avx512.h"
#define ROW i8
#include "kernels/rows/row_sums.h"

static void rows8(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                  size_t count, size_t dim, int32_t *squares)
{
    row_sums(DISTANCE, query, rows, stride, pick, count, dim, streams(pick, count, stride), squares, squares, NULL);
}

KERNELS = {
    KERNEL("rows8", rows8, KERNEL_DEFAULT, "VPMOVSXBW and VPDPWSSD, 8 rows a pass",
           "per 32 bytes a widening load, a subtraction and a VPDPWSSD"),
    KERNEL_END
};
