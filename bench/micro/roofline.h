/* SPDX-License-Identifier: MIT
 * roofline.h - this machine's ceilings, measured with the kernels of the operation `peak`.
 *
 * Rates are units a nanosecond: bytes, multiply-adds, products.  1 byte/ns is 1 GB/s. */
#ifndef ASSAY_ROOFLINE_H
#define ASSAY_ROOFLINE_H
#include <stddef.h>
#include <stdint.h>
#include "bench/time/stats.h"
#include "kernels/base/err.h"
#include "kernels/kernel.h"

enum ceiling { CEILING_READ, CEILING_FMA, CEILING_INT8, CEILING_SHUFFLE, CEILING_POPCOUNT, CEILING_COUNT };
const char *ceiling_name(enum ceiling c); /* the variant of `peak` that measures it: "read" ... */
const char *ceiling_unit(enum ceiling c); /* "GB/s", "GFMA/s" ... */

struct rate {
    double median;
    struct interval interval;    /* of the median, 95 % */
    const struct kernel *kernel; /* what reached it; NULL: nothing here can */
};

/* Every instruction ceiling, each by the fastest of the rows that run; CEILING_READ is left empty. */
int roofline_instructions(struct rate rates[CEILING_COUNT], size_t rounds, uint64_t seed, struct err *e);
/* Sequential reads, each of `threads` threads bound to a CPU of its own over `bytes` of its own. */
int roofline_read(size_t bytes, int threads, size_t rounds, uint64_t seed, struct rate *out, struct err *e);
/* Whole rows of row_bytes (a multiple of 64) in random order out of `bytes`, independent of each
 * other.  out: rows a nanosecond. */
int roofline_rows(size_t bytes, size_t row_bytes, size_t rounds, uint64_t seed, struct rate *out, struct err *e);
/* A chain of loads, each of which says where the next goes, over lines of 64 bytes.  out: loads a ns. */
int roofline_chase(size_t bytes, size_t rounds, uint64_t seed, struct rate *out, struct err *e);

/* The row of `peak` that reads memory here by default. */
const struct kernel *roofline_reader(void);
enum { PEAK_STEP = 3072 }; /* sizes of `peak` are multiples of it */
#endif
