/* SPDX-License-Identifier: MIT
 * side.h - how far a file beside a base is believed (<db>.assay, <db>.assay-words).
 *
 * Such a file may be anybody's, its checksum and fingerprint forged.  Every count and id in it is checked against the
 * base, so that nothing is read out of bounds; and SIDE_SAMPLE rows, drawn anew at every open, are made again from the
 * base and compared.  One that differs anywhere is built again.  So a file is right in all rows of a base of no more
 * than SIDE_SAMPLE; in a larger one, where a share f of the rows is forged, it is believed with a probability of
 * (1 - f)^SIDE_SAMPLE: 0.001 for 5 % of them, 0.28 for 1 %, and then wrong in those rows. */
#ifndef ASSAY_SIDE_H
#define ASSAY_SIDE_H
#include <stddef.h>

enum { SIDE_SAMPLE = 128 };

/* Rows to be made again, ascending: one at random of each of SIDE_SAMPLE parts of 0..count-1, or all; how many. */
size_t side_sample(size_t count, size_t rows[SIDE_SAMPLE]);
#endif
