/* SPDX-License-Identifier: MIT
 * bound.h - how far a row's float results may be from the exact ones, stated once.
 *
 * The operation's line in ops.def names the form of its bound; a row that keeps another one says so in
 * its own line (struct kernel, `own`).  The tests, the gate of `assay bench` and `assay info --list` all
 * ask here, so a row is held to the same number wherever it runs.
 *
 * With u = 2^-24 and S the roundings of a sum: ceil(dim/32) + 5 in the canonical order, ceil(dim/8) + 8
 * in a free one, which has 8 lanes or more, dim + 1 for scalar and compiler rows, which may have any
 * (no fused multiply-add, one lane). */
#ifndef ASSAY_BOUND_H
#define ASSAY_BOUND_H
#include "kernels/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the bound of one result is a multiple of. */
struct bound_terms {
    size_t dim;       /* numbers summed; of fht_f32 and rotate_f32 the length */
    double magnitude; /* DOT: sum |a_i b_i|; L2: sum (a_i - b_i)^2; COSINE, ROOTS: sum |a_i b_i| / (|a| |b|);
                         NORM: 1 / |row|; FHT: sum |x_i|; ROTATE: |scale| |x|; TURN: the sum of the sizes of
                         the pair's products, or that of the one product; ULP: |the exact result| */
    double coarse;    /* DOT: max |q_i| sum (1 + |x_i|), for rows that say so of themselves; else unused */
    double rounding;  /* DOT, rows of own.bf16: how far the sum of rounded numbers may be from that of the given ones, in
                         place of own.products: |q - q'| |x| + |q'| |x - x'| is several times less.  0: not known */
    size_t parts;     /* ROTATE: as in ops.def */
    int rounds;
};

/* Largest |got - exact| that `k` may show; 0 where results are exact. */
double kernel_bound(const struct kernel *k, const struct bound_terms *t);
/* The same as a formula, for people: "(dim/32 + 5) u sum|ab|"; "" where results are exact. */
void kernel_bound_text(const struct kernel *k, struct text *out);

#ifdef __cplusplus
}
#endif
#endif
