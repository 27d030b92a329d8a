/* SPDX-License-Identifier: MIT
 * scan_pick_avx512.c - two groups a register; the bits become masks. */
#include "kernels/scans/int8_avx512.h"
#include "kernels/scans/scan_pick_body.h"

KERNELS = {
    KERNEL("broadcast", scan, KERNEL_DEFAULT, "words broadcast and tested bit by bit, vpmaddubsw",
           "5 uops a bit + 2 + 4 a query, per 64 dimensions"),
    KERNEL_END
};
