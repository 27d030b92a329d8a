/* SPDX-License-Identifier: MIT
 * scan_lut_avx512.c - AVX-512 without VNNI: vpshufb to levels, vpmaddubsw. */
#include "kernels/int8_avx512.h"
enum { QUERIES = 4, VECS = 2, STREAMS = 2, STEPS = 1 };
#include "kernels/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "vpshufb to levels, vpmaddubsw of |level|; 4 queries x 32 rows a tile",
           "4 uops per 64 codes and query: masked negate, vpmaddubsw, vpmaddwd, vpaddd"),
    KERNEL_END
};
