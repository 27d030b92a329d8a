/* SPDX-License-Identifier: MIT
 * rows.h - a view of a matrix of float rows, and a search hit.  A view never owns. */
#ifndef ASSAY_ROWS_H
#define ASSAY_ROWS_H
#include <stddef.h>
#include <stdint.h>

struct rows {
    const float *at;
    size_t count, dim;
    size_t stride; /* floats from one row to the next, >= dim */
};

static inline const float *rows_at(struct rows r, size_t row) { return r.at + row * r.stride; }

/* How many rows are zeros, which no cosine tells apart; *first: the first of them. */
static inline size_t rows_zeros(struct rows r, size_t *first)
{
    size_t count = 0;
    for (size_t row = 0; row < r.count; row++) {
        const float *x = rows_at(r, row);
        size_t i = 0;
        while (i < r.dim && x[i] == 0) i++;
        if (i == r.dim && count++ == 0) *first = row;
    }
    return count;
}

/* One answer: the caller's id and its score; higher is nearer whatever the metric. */
struct hit {
    int64_t id;
    float score;
};
#endif
