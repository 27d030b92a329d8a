/* SPDX-License-Identifier: MIT
 * ann_kept.h - where the index of a point comes from: a view of one that is there, a file that was kept, or building. */
#ifndef ASSAY_ANN_KEPT_H
#define ASSAY_ANN_KEPT_H
#include "bench/points/ann.h"

/* Where indexes are kept: builds that took less than least_s are not, as reading them back would not be faster. */
struct ann_store { const char *folder; double least_s; };

/* Fills *out for point p.  From one of the `count` indexes before it, in `others`, where they differ only in what searching
 * reads; from a file in `store` (NULL: none) where an earlier run with this spec, seed, kernel and data has left it; else
 * it is built, and left there if its kind can be saved.  A damaged or foreign file is built over,
 * and out->rebuilt.  To be ended in reverse
 * order.  ERR_IO: the folder cannot be written. */
int ann_obtain(struct ann_index *out, const struct ann_set *s, const struct ann_point *p, const struct ann_index *others,
               size_t count, const struct ann_store *store, struct err *e);
#endif
