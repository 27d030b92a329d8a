/* SPDX-License-Identifier: MIT
 * kmeans.h - Lloyd's k-means, seeded; the nearest centre by nearest.h, in rows of up to 8 columns by floats alone.
 *
 * The same centres for any number of threads and on every vector ISA. */
#ifndef ASSAY_KMEANS_H
#define ASSAY_KMEANS_H
#include "kernels/base/rows.h"
#include "kernels/kernel.h"

struct kmeans {
    size_t count, dim;
    int is_spherical;   /* centres have unit length: nearest by angle */
    float *centres;     /* count x dim */
    float *halves;      /* |centre|^2 / 2 */
    dot_f32_fn *dot;
    const struct kernel_set *kernels; /* the caller's */
};

/* count is cut to the number of rows; most_rows: a random sample of so many is what is learnt from, made unit rows
 * where is_spherical.  ERR_MEM. */
int kmeans_train(struct kmeans *m, struct rows rows, size_t most_rows, size_t count, int is_spherical, int rounds,
                 uint64_t seed, int threads, const struct kernel_set *kernels, struct err *e);
/* One round more: nearest[] by the centres as they are, which then move to the means. */
int kmeans_refine(struct kmeans *m, struct rows rows, uint32_t *nearest, uint64_t seed, int threads, struct err *e);
/* The nearest centre of every row.  A row's answer does not depend on the rows beside it. */
int kmeans_assign(const struct kmeans *m, struct rows rows, uint32_t *nearest, int threads, struct err *e);
/* out = x / |x|, or zeros. */
void kmeans_unit(const struct kmeans *m, const float *x, float *out);
void kmeans_fini(struct kmeans *m);
#endif
