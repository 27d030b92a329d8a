/* SPDX-License-Identifier: MIT
 * scan_keep_neon.c - scan_sign_neon.c for one query, which leaves blocks none of whose rows can be kept. */
#include "kernels/scans/sign_block_neon.h"
#include "kernels/scans/scan_keep_body.h"

KERNELS = {
    KERNEL("leave", leave, KERNEL_DEFAULT, "blocks as scan_sign has them, left when none of their rows can reach",
           "33 instructions per 16 rows x 32 dimensions that are read, and 3 a row and look"),
    KERNEL_END
};
