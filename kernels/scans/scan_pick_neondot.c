/* SPDX-License-Identifier: MIT
 * scan_pick_neondot.c - 16 dimensions a register. */
#include "kernels/scans/int8_neon.h"
#include "kernels/scans/scan_pick_body.h"

KERNELS = {
    KERNEL("broadcast", scan, KERNEL_DEFAULT, "words broadcast and tested bit by bit, sdot",
           "4 instructions a bit + 2 + 1 a query, per 16 dimensions"),
    KERNEL_END
};
