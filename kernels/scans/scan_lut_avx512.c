/* SPDX-License-Identifier: MIT
 * scan_lut_avx512.c - AVX-512 without VNNI: vpshufb to levels, vpmaddubsw. */
#include "kernels/scans/int8_avx512.h"
enum { QUERIES = 2, VECS = 4, HELD = 8, STEPS = 1 };
#include "kernels/scans/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "vpshufb to levels, vpmaddubsw of |query|; 2 queries x 64 rows a tile",
           "4.5 uops per 64 codes and query: vpxor, vpmaddubsw, vpmaddwd, vpaddd"),
    KERNEL_END
};
