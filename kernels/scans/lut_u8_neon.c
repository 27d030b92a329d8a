/* SPDX-License-Identifier: MIT
 * lut_u8_neon.c - 4 entries at a time. */
#include <arm_neon.h>
#include <string.h>

enum { LANES = 4 };
typedef float floats __attribute__((vector_size(16)));

static inline __attribute__((always_inline)) void store_bytes(uint8_t *at, floats x)
{
    const uint16x4_t half = vmovn_u32(vcvtq_u32_f32((float32x4_t)x));
    const uint8x8_t whole = vmovn_u16(vcombine_u16(half, half));
    memcpy(at, &whole, 4);
}

#include "kernels/scans/lut_u8_body.h"

KERNELS = {
    KERNEL("by_entry", by_entry, KERNEL_DEFAULT, "4 entries a register", "10 instructions per 4 entries"),
    KERNEL_END
};
