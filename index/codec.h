/* SPDX-License-Identifier: MIT
 * codec.h - coordinates to codes, codes into the blocks of kernels/codes/codes.h, and queries to int8. */
#ifndef ASSAY_CODEC_H
#define ASSAY_CODEC_H
#include "index/codebook.h"
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

struct codec {
    size_t dim, padded; /* padded: dim rounded up to whole groups */
    int bits, is_even;
    float thresholds[CODEBOOK_LEVELS_MAX]; /* [i] between code i and i + 1; +inf behind the last */
    float levels[CODEBOOK_LEVELS_MAX];
    int8_t table[CODEBOOK_LEVELS_MAX]; /* levels in steps, for scan_lut */
    float step;                        /* levels[i] is about step * table[i] */
};

/* The levels of a book that was designed for dim, as floats.  in_steps: codes are chosen as nearest to
 * step * table, which is what they will count for.
 *
 * 256 levels do not fit the 255 signed bytes -127..127: rounded to them the book loses 1.15e-4 instead of 4.1e-5
 * (d = 384), the best even steps for all rows 8.8e-5.  So 8 bits in steps are is_even, -127..127 over [-1, 1] with 0
 * twice, for rows that are scaled by their largest coordinate, as sq's are: 5.1e-5.  Recall@10 on the clustered
 * set: .989, .990, .993.  From 7 bits down no step and no choice of whole levels saves .3 % of what rounding
 * leaves. */
void codec_init(struct codec *c, const struct codebook *book, size_t dim, int in_steps);
/* codes[i] = number of thresholds below u[i]; codes beyond dim, up to padded, are 0. */
void codec_encode(const struct codec *c, const struct kernel_set *kernels, const float *u, uint8_t *codes);

/* Moves a packed row to another place, which may be in the same block or its own, and leaves zeros. */
void codec_move_row(uint8_t *codes, int bits, size_t groups, size_t to, size_t from);

float codec_largest(const float *q, size_t dim); /* of |q[i]| */
/* q[i] = step * out[i] to the nearest, ties to even, |out| <= most <= 127, out beyond dim 0; returns step, 0 for
 * a zero query. */
float codec_query(const float *q, size_t dim, size_t padded, int most, int8_t *out);
/* The same as byte tables of <q, levels>, for codes of 2 to 4 bits (kernel lut_u8): tables are filled, *start is what
 * the scan's sums start from, and a sum of them counts for what is returned; 0 for a zero query.
 * An entry is rounded to 1/255 of the widest range of a table, so a sum is off by at most half of that a table. */
float codec_tables(const struct kernel_set *kernels, const float *q, size_t dim, const float *levels, int bits,
                   uint8_t *tables, int32_t *start);
size_t codec_table_bytes(int bits); /* of a group; of 1 bit those of lut_sign */
/* The signs of q, set where it is above 0, as the only plane of kernel scan_planes: a word a group. */
void codec_signs(const float *q, size_t dim, uint32_t *words);
#endif
