/* SPDX-License-Identifier: MIT
 * scan_pick_avxvnni.c - 32 dimensions a register.  Its test has passed natively on an Emerald Rapids; elsewhere the row
 * ymm of scan_pick_ymm_avx512vnni.c is the same source. */
#include "kernels/scans/int8_vnni256.h"
#include "kernels/scans/scan_pick_body.h"

KERNELS = {
    KERNEL("broadcast", scan, KERNEL_DEFAULT, "words broadcast and tested bit by bit, vpdpbusd ymm",
           "4 uops a bit + 2 + 1 a query, per 32 dimensions"),
    KERNEL_END
};
