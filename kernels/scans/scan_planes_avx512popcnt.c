/* SPDX-License-Identifier: MIT
 * scan_planes_avx512popcnt.c - vpopcntd counts 16 rows' words at once.
 *
 * Cost: 3 uops for 16 rows x 32 dimensions and bit of the query, of 1-bit codes: 18 cycles for 16 rows at d = 384.
 * Measured on Zen 4 (3.7 GHz), one query, L2, ns a row for a query of 1, 4, 7 bits: 0.45, 1.44, 2.46 (AVX2: 1.01, 3.8,
 * 6.6), where scan_sign takes 0.81 for one of 7 bits.  So it is the scan of `binary`, whose query has one bit, and
 * loses where the query has more.  Codes of 2, 3, 4 bits against a query of 4: 8, 11, 26 where scan_lut takes 2.6
 * to 4.3. */
#include <immintrin.h>
#include <stdint.h>

enum { VEC = 64 };
typedef uint32_t words __attribute__((vector_size(64)));
typedef words counts;

static inline __attribute__((always_inline)) counts counted(counts sum, words x)
{
    return sum + (words)_mm512_popcnt_epi32((__m512i)x);
}
static inline __attribute__((always_inline)) words summed(counts sum) { return sum; }

#include "kernels/scans/scan_planes_body.h"

KERNELS = {
    KERNEL("popcount", scan, KERNEL_DEFAULT, "xor, vpopcntd, add",
           "3 uops per 16 rows x 32 dimensions, for 1-bit codes and each bit of the query"),
    KERNEL_END
};
