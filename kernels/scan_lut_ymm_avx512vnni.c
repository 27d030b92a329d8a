/* SPDX-License-Identifier: MIT
 * scan_lut_ymm_avx512vnni.c - the source of scan_lut_avxvnni.c where it can be run and compared. */
#include "kernels/scan_lut_vnni256.h"

KERNELS = {
    KERNEL("ymm", scan, KERNEL_DEFAULT, "256-bit registers: the proof of avxvnni/permute on AVX-512 machines",
           "twice the instructions of permute"),
    KERNEL_END
};
