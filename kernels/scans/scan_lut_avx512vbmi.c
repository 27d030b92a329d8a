/* SPDX-License-Identifier: MIT
 * scan_lut_avx512vbmi.c - levels by vpermb (levels_vbmi.h), products by vpdpbusd. */
#include "kernels/scans/int8_vnni512.h"
enum { QUERIES = 8, VECS = 2, HELD = 16, STEPS = 1 };

#include "kernels/scans/levels_vbmi.h"
#include "kernels/scans/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "vpermb to levels, vpdpbusd; 8 queries x 32 rows a tile",
           "4 bits: 1.5 uops a 64 codes shared by 8 queries, 1 vpdpbusd a query"),
    KERNEL_END
};
