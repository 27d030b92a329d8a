/* SPDX-License-Identifier: MIT
 * scan_lut_ymm_avx512vnni.c - the source of scan_lut_avxvnni.c where it can be run and compared. */
#include "kernels/scans/int8_vnni256.h"
enum { QUERIES = 4, VECS = 2, HELD = 32, STEPS = 1 };
#include "kernels/scans/scan_lut_body.h"

KERNELS = {
    KERNEL("ymm", scan, KERNEL_SAME, "256-bit registers: the proof of avxvnni/permute on AVX-512 machines",
           "twice the instructions of permute"),
    KERNEL_END
};
