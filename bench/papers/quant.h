/* SPDX-License-Identifier: MIT
 * quant.h - what papers on quantisation share: their vectors, indexes over them, and errors of decoded vectors. */
#ifndef ASSAY_PAPERS_QUANT_H
#define ASSAY_PAPERS_QUANT_H
#include "bench/papers/paper.h"
#include "index/index.h"

/* count unit vectors, uniform on the sphere: mem_free(at).  ERR_MEM. */
int sphere_draw(struct rows *out, size_t count, size_t dim, uint64_t seed, struct err *e);
/* An index of a spec over rows, trained on them: index_destroy. */
int quant_build(struct index **out, const char *spec, struct rows rows, enum metric metric, uint64_t seed, int threads,
                struct err *e);
/* Means over the rows x of an index and what their codes stand for, y: |x - y|^2, <x, y>, and 1 - cos^2 of their angle, which is
 * the distortion of unit rows had each code the scale that suits it best. */
struct quant_errors { double distortion, slope, angle; };
int quant_errors(const struct index *ix, struct rows rows, struct quant_errors *out, struct err *e);
/* The same of `seeds` draws of vectors and rotations, seed s drawing both; out: one a draw. */
int quant_draws(const char *spec, size_t count, size_t dim, const struct paper_asked *asked, struct quant_errors *out,
                struct err *e);
#endif
