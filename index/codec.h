/* SPDX-License-Identifier: MIT
 * codec.h - coordinates to codes, codes into the blocks of kernels/codes.h, and queries to int8. */
#ifndef ASSAY_CODEC_H
#define ASSAY_CODEC_H
#include "index/codebook.h"
#include "kernels/codes.h"
#include "kernels/kernel.h"

struct codec {
    size_t dim, padded; /* padded: dim rounded up to whole groups */
    int bits;
    float thresholds[CODEBOOK_LEVELS_MAX]; /* [i] between code i and i + 1; +inf behind the last */
    float levels[CODEBOOK_LEVELS_MAX];
    int8_t table[CODEBOOK_LEVELS_MAX]; /* levels in steps, for scan_lut */
    float step;                        /* levels[i] is about step * table[i] */
};

/* The levels of a book that was designed for dim, as floats.  in_steps: codes are chosen as nearest to
 * step * table, which is what they will count for. */
void codec_init(struct codec *c, const struct codebook *book, size_t dim, int in_steps);
/* codes[i] = number of thresholds below u[i]; codes beyond dim, up to padded, are 0. */
void codec_encode(const struct codec *c, const struct kernel_set *kernels, const float *u, uint8_t *codes);

/* One row of a block, `groups` groups of 32 codes. */
void codec_pack(uint8_t *block, int bits, size_t groups, size_t row, const uint8_t *codes);
void codec_unpack(const uint8_t *block, int bits, size_t groups, size_t row, uint8_t *codes);
/* Copies a packed row to another place, which may be in the same block. */
void codec_copy_row(uint8_t *codes, int bits, size_t groups, size_t to, size_t from);

/* q[i] = step * out[i] to the nearest, ties to even, |out| <= most <= 127, out beyond dim 0; returns step, 0 for
 * a zero query. */
float codec_query(const float *q, size_t dim, size_t padded, int most, int8_t *out);
#endif
