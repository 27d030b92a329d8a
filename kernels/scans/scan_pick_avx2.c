/* SPDX-License-Identifier: MIT
 * scan_pick_avx2.c - 32 dimensions a register. */
#include "kernels/scans/int8_avx2.h"
#include "kernels/scans/scan_pick_body.h"

KERNELS = {
    KERNEL("broadcast", scan, KERNEL_DEFAULT, "words broadcast and tested bit by bit, vpmaddubsw",
           "4 uops a bit + 2 + 4 a query, per 32 dimensions"),
    KERNEL_END
};
