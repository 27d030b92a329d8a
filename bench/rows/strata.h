/* SPDX-License-Identifier: MIT
 * strata.h - the quality of points by how hard the query is: one number a quintile (bench/quality/difficulty.h). */
#ifndef ASSAY_STRATA_H
#define ASSAY_STRATA_H
#include "bench/rows/contrast.h"
#include "bench/rows/point.h"

/* Writes at `path` the rows of c whose per-query files have quintiles, each ten times: `lid_quintile` 1..5, then
 * `contrast_quintile` 1..5, every metric with its interval and lat_p50_us of those queries alone, `queries` how many they
 * are; other measurements are empty.  Of repetitions one.  More points than STRATA_MOST of a data set, machine and k
 * would not be told apart: then of each method (index by name, and settings that are words) the one whose other settings
 * are the most usual.  *count: rows written; 0: none has quintiles, and no file.  ERR_IO, ERR_MEM.
 * only: "lid=5", "contrast=1": every point, of that quintile alone, which its `dataset` then says; rows as others are, so
 * that every figure can be drawn of a stratum.  NULL: all.  ERR_ARG. */
enum { STRATA_MOST = 8, STRATA_QUERIES = 25 /* fewer are not worth five lines */ };
int strata_write(const struct contrast *c, const char *path, const char *only, size_t *count, struct err *e);

/* For a person: `metric` of one point in each quintile, with its interval over queries; a line by local dimension, one
 * by contrast.  Adds nothing where queries have no quintiles or the metric no values. */
void strata_lines(struct text *out, const struct quality *q, const char *metric);
#endif
