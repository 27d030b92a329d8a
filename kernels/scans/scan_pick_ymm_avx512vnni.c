/* SPDX-License-Identifier: MIT
 * scan_pick_ymm_avx512vnni.c - the source of scan_pick_avxvnni.c where it can be run. */
#include "kernels/scans/int8_vnni256.h"
#include "kernels/scans/scan_pick_body.h"

KERNELS = {
    KERNEL("ymm", scan, KERNEL_SAME, "words broadcast and tested bit by bit, vpdpbusd ymm",
           "4 uops a bit + 2 + 1 a query, per 32 dimensions"),
    KERNEL_END
};
