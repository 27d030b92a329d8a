/* SPDX-License-Identifier: MIT
 * scan_keep_avx512.c - scan_sign_avx512.c for one query, which leaves blocks none of whose rows can be kept. */
#include "kernels/scans/sign_block_avx512.h"
#include "kernels/scans/scan_keep_body.h"

KERNELS = {
    KERNEL("leave", leave, KERNEL_DEFAULT, "blocks as scan_sign has them, left when none of their rows can reach",
           "13 uops per 16 rows x 32 dimensions that are read, and 3 a row and look"),
    KERNEL_END
};
