/* SPDX-License-Identifier: MIT
 * quant.h - what papers on quantisation share: their vectors, indexes over them, and errors of decoded vectors. */
#ifndef ASSAY_PAPERS_QUANT_H
#define ASSAY_PAPERS_QUANT_H
#include "bench/papers/paper.h"
#include "index/index.h"

/* count unit vectors, uniform on the sphere: mem_free(at).  ERR_MEM. */
int sphere_draw(struct rows *out, size_t count, size_t dim, uint64_t seed, struct err *e);
/* Rows that an error of codes is a mean over: `most`, but no more than have the coordinates of 2,000 rows of 384 dimensions, as
 * a mean over so many is as sharp at any dimension. */
size_t quant_rows(size_t dim, size_t most);
/* An index of a spec over rows, trained on them: index_destroy. */
int quant_build(struct index **out, const char *spec, struct rows rows, enum metric metric, uint64_t seed, int threads,
                struct err *e);
/* What the codes of rows 0..count-1 of an index stand for, count x dim: mem_free. */
int quant_decode(const struct index *ix, size_t count, int threads, float **out, struct err *e);
/* Means over the rows x of an index and what their codes stand for, y: |x - y|^2, <x, y>, and 1 - cos^2 of their angle, which is
 * the distortion of unit rows had each code the scale that suits it best. */
struct quant_errors { double distortion, slope, angle; };
int quant_errors(const struct index *ix, struct rows rows, int threads, struct quant_errors *out, struct err *e);
/* The same of `seeds` draws of vectors and rotations, seed s drawing both; out: one a draw. */
int quant_draws(const char *spec, size_t count, size_t dim, const struct paper_asked *asked, struct quant_errors *out,
                struct err *e);
#endif
