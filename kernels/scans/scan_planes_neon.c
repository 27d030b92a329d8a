/* SPDX-License-Identifier: MIT
 * scan_planes_neon.c - cnt counts bits in bytes; words by two pairwise sums. */
#include <arm_neon.h>

enum { VEC = 16 };
typedef uint32_t words __attribute__((vector_size(16)));
typedef uint8_t counts __attribute__((vector_size(16)));

static inline __attribute__((always_inline)) counts counted(counts sum, words x)
{
    return sum + (counts)vcntq_u8((uint8x16_t)x);
}
static inline __attribute__((always_inline)) words summed(counts sum)
{
    return (words)vpaddlq_u16(vpaddlq_u8((uint8x16_t)sum));
}

#include "kernels/scans/scan_planes_body.h"

KERNELS = {
    KERNEL("count", scan, KERNEL_DEFAULT, "eor, cnt, add",
           "3 instructions per 4 rows x 32 dimensions, for 1-bit codes and each bit of the query"),
    KERNEL_END
};
