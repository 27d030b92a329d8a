/* SPDX-License-Identifier: MIT
 * given_truth.h - the exact neighbours of every query as a file gives them: believed after a look. */
#ifndef ASSAY_GIVEN_TRUTH_H
#define ASSAY_GIVEN_TRUTH_H
#include "datasets/dataset.h"
#include "datasets/intake.h"
#include "index/index.h"

struct given_truth {
    const char *path;
    struct rows base, query;
    enum metric metric;
    size_t k; /* neighbours that will be used */
};
/* The file's ids into *out, query.count x *depth base rows, best first, ended by -1 where a query has fewer (range and
 * filtered truths are padded so); mem_free it.  What is out of order is sorted, and noted; so are queries with fewer.
 * ERR_FORMAT: an id out of range, or twice in a row.  ERR_ARG: other numbers of queries or neighbours; or, in a sample
 * of the rows, not the nearest: the message says which metric, or counting from 1, fits better. */
int given_truth_take(const struct given_truth *t, const struct dataset *d, int32_t **out, size_t *depth,
                     struct tally *notes, struct err *e);
#endif
