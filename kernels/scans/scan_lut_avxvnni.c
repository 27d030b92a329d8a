/* SPDX-License-Identifier: MIT
 * scan_lut_avxvnni.c - 256-bit vpdpbusd for CPUs without AVX-512.  Its test has passed natively on an Emerald Rapids;
 * where the VEX form is missing (qemu has none), scan_lut_ymm_avx512vnni.c is the same source, EVEX-encoded. */
#include "kernels/scans/int8_vnni256.h"
enum { QUERIES = 4, VECS = 2, HELD = 32, STEPS = 1 };
#include "kernels/scans/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "vpshufb to levels, vpdpbusd ymm; 4 queries x 16 rows a tile",
           "4 bits: 2.5 uops per 32 codes shared by 4 queries, 1 vpdpbusd a query"),
    KERNEL_END
};
