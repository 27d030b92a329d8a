/* SPDX-License-Identifier: MIT
 * ceiling.h - an exact search over what codes stand for: no ranker of the same codes finds more. */
#ifndef ASSAY_CEILING_H
#define ASSAY_CEILING_H
#include <stddef.h>
#include <stdint.h>
#include "index/index.h"

/* Exact search over what the codes of `ids` (NULL: 0 .. count - 1) stand for, by the index's own metric: k hits and
 * a count a query.  The index must be able to decode.  ERR_MEM. */
int ceiling_search(const struct index *ix, const int64_t *ids, size_t count, struct rows queries, size_t k, int threads,
                   struct hit *hits, size_t *counts, struct err *e);
#endif
