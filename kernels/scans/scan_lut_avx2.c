/* SPDX-License-Identifier: MIT
 * scan_lut_avx2.c - vpshufb to levels, vpmaddubsw. */
#include "kernels/scans/int8_avx2.h"
enum { QUERIES = 1, VECS = 8, HELD = 8, STEPS = 1 };
#include "kernels/scans/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "vpshufb to levels, vpmaddubsw of |query|; 1 query x 64 rows a tile",
           "4.25 uops per 32 codes and query: vpxor, vpmaddubsw, vpmaddwd, vpaddd"),
    KERNEL_END
};
