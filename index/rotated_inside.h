/* SPDX-License-Identifier: MIT
 * rotated_inside.h - a rotated index as its own three files see it: rotated_rows.c turns rows into codes,
 * rotated_search.c scans codes, rotated.c makes, keeps and explains the whole. */
#ifndef ASSAY_ROTATED_INSIDE_H
#define ASSAY_ROTATED_INSIDE_H
#include <math.h>
#include "index/rotated.h"

static inline const char *name_of(const struct rotated *t) { return t->base.ops->name; }
static inline size_t block_bytes(const struct rotated *t, const struct plane *p)
{
    return codes_block_bytes(t->groups, p->bits);
}
static inline uint8_t *block_of(const struct rotated *t, const struct plane *p, size_t row)
{
    return p->codes + row / CODES_ROWS * block_bytes(t, p);
}

/* Whether rows bring terms to their scores, queries too then. */
static inline int has_terms(const struct rotated *t)
{
    return t->base.config.metric == METRIC_L2 || t->adapt.centres;
}

static inline float dot(const struct rotated *t, const float *a, const float *b)
{
    float sum;
    t->rotation.dot(a, b, 0, NULL, 1, t->base.config.dim, &sum);
    return sum;
}

static inline float norm_of(const struct rotated *t, const float *x) { return sqrtf(dot(t, x, x)); }

/* Makes a vector of this norm a unit vector, and keeps a zero vector. */
static inline float inverse_of(float norm) { return norm > 0 ? 1 / norm : 0; }

/* Turns x into x / |x|, and returns |x|. */
static inline float normalise(const struct rotated *t, float *x)
{
    const float norm = norm_of(t, x), scale = inverse_of(norm);
    for (size_t i = 0; i < t->base.config.dim; i++) x[i] *= scale;
    return norm;
}

/* What a vector of this norm counts for: by cosine all but zero are equal. */
static inline float length_of(const struct rotated *t, float norm)
{
    return norm > 0 ? t->base.config.metric == METRIC_COSINE ? 1 : norm : 0;
}

/* Room for so many rows in all.  ERR_MEM. */
int rotated_reserve(struct rotated *t, size_t rows, struct err *e);
/* Of a row: its codes, and the numbers beside them. */
void rotated_row_bytes(const struct rotated *t, size_t *codes, size_t *side);
/* S x, by whichever S. */
void rotated_sketch(const struct rotated *t, const float *x, float *out);
/* Moves a rotated unit vector as its index has learnt; u becomes the unit vector that is quantised.  Returns its
 * length; *along, *square: adapt.h. */
float rotated_move(const struct rotated *t, float length, float *u, int is_query, float *along, float *square);
#endif
