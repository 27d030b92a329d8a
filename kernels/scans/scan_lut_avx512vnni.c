/* SPDX-License-Identifier: MIT
 * scan_lut_avx512vnni.c - Cascade Lake and its kin: vpshufb for the levels, vpdpbusd for the dot. */
#include "kernels/scans/int8_vnni512.h"
enum { QUERIES = 8, VECS = 2, HELD = 16, STEPS = 1 };
#include "kernels/scans/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "vpshufb to levels, vpdpbusd; 8 queries x 32 rows a tile",
           "4 bits: 2.5 uops per 64 codes shared by 8 queries, 1 vpdpbusd a query"),
    KERNEL_END
};
