/* SPDX-License-Identifier: MIT
 * scan_lut_avx2.c - vpshufb to levels, vpmaddubsw. */
#include "kernels/int8_avx2.h"
enum { QUERIES = 4, VECS = 2, STREAMS = 4, STEPS = 1 };
#include "kernels/scan_lut_body.h"

KERNELS = {
    KERNEL("permute", scan, KERNEL_DEFAULT, "vpshufb to levels, vpmaddubsw of |level|; 4 queries x 16 rows a tile",
           "4 uops per 32 codes and query: vpsignb, vpmaddubsw, vpmaddwd, vpaddd"),
    KERNEL_END
};
