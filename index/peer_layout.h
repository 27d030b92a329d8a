/* SPDX-License-Identifier: MIT
 * peer_layout.h - sizes of what an adaptor and the program hand each other.  An adaptor exports them as peer_layout, so
 * that one that was built for another index.h is refused by name and not called. */
#ifndef ASSAY_PEER_LAYOUT_H
#define ASSAY_PEER_LAYOUT_H
#include "index/index.h"

enum { PEER_LAYOUT_SIZES = 6 };
#define PEER_LAYOUT                                                                                     \
    { sizeof(struct index_ops), sizeof(struct index), sizeof(struct index_stats), sizeof(struct hit),   \
      sizeof(struct rows), sizeof(struct err) }
#endif
