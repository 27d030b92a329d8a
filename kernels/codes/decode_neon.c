/* SPDX-License-Identifier: MIT
 * decode_neon.c - up to 4 bits the levels are 64 bytes, and one tbl of four registers finds the bytes of four
 * floats; beyond, one load a code. */
#include <arm_neon.h>
#include <string.h>
#include "kernels/kernel.h"

static void table(const uint8_t *codes, size_t dim, const float *levels, int bits, float *x)
{
    size_t i = 0;
    if (bits <= 4) {
        uint8_t bytes[64] = { 0 };
        memcpy(bytes, levels, sizeof *levels << bits);
        const uint8x16x4_t all = { { vld1q_u8(bytes), vld1q_u8(bytes + 16), vld1q_u8(bytes + 32),
                                     vld1q_u8(bytes + 48) } };
        for (; i + 4 <= dim; i += 4) {
            uint32_t four;
            memcpy(&four, codes + i, sizeof four);
            const uint16x8_t wide = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)));
            /* byte k of float n is byte 4 code + k of the table */
            const uint32x4_t first = vmulq_n_u32(vmovl_u16(vget_low_u16(wide)), 0x04040404);
            const uint8x16_t at = vreinterpretq_u8_u32(vaddq_u32(first, vdupq_n_u32(0x03020100)));
            vst1q_f32(x + i, vreinterpretq_f32_u8(vqtbl4q_u8(all, at)));
        }
    }
    for (; i < dim; i++) x[i] = levels[codes[i]];
}

KERNELS = {
    KERNEL("table", table, KERNEL_DEFAULT, "tbl of the floats' bytes up to 4 bits, loads beyond",
           "7 instructions per 4 numbers up to 4 bits"),
    KERNEL_END
};
