/* SPDX-License-Identifier: MIT
 * lut_sign_neon.c - one table a register. */
#include <arm_neon.h>

enum { VEC = 16 };

static inline int8x16_t spread(const int8_t *four, int part) { return vdupq_n_s8(four[part]); }

#include "kernels/scans/lut_sign_body.h"

KERNELS = {
    KERNEL("masked", tables, KERNEL_DEFAULT, "16 entries a register", "some 20 instructions per 16 entries"),
    KERNEL_END
};
