/* SPDX-License-Identifier: MIT
 * truth.h - the exact nearest neighbours, against which every index is measured.
 *
 * Tiles of queries meet tiles of rows (kernel tile_f32, then above_f32 against the k-th best so far) and keep 64 more
 * than k by single precision, of l2 by 2 <q, x> - |x|^2.  Those are scored again in float64, in a fixed order of
 * sums, and ordered by (score descending, row ascending); what only the rounding of float64 tells apart counts as tied.
 * Where the bound of the first pass's error (kernels/bound.h) could have hidden a row, the query is scanned whole in
 * float64.  So the ids are those of exact arithmetic but for ties below 2^-44 of the terms, on every machine and by any
 * number of threads.  With a filter only the rows that pass are scored, in float64.
 *
 * Where a tile in bfloat16 runs and a thread has COARSE_QUERIES at a time, of k up to some 4,000, a pass by it goes first
 * (coarse.h): what it leaves in doubt is scored in float64, best first, until the bound says that no other row can be
 * among them.  A query that it cannot answer (scores too alike, lengths beyond 2^+-40, not finite, ties that reach on) goes the way above.
 * The ids are the same, byte for byte.  So they are by a tile in bfloat16 that `kernels` names, of however few queries.
 * Zen 4, one thread, 100,000 rows, k = 100, cosine, all of `assay data truth`, s without and with it, in turns:
 *     d = 384    queries 64: .14, .13;  96: .19, .15;  1,000: 1.08, .62;  10,000: 10.0, 5.2  (sgemm alone: 8.3)
 *     d = 1536   queries 64: .51, .52;  96: .68, .52;  1,000: 4.2, 2.2;   10,000: 42, 19.3   (sgemm alone: 33.5)
 * 104 rows a query are scored again, of isotropic rows 128 and 161, where float32 alone has 164; the next row is fetched
 * meanwhile (2.07 -> 1.99 s of 4,000 queries at d = 384).  Of rows whose lengths have a heavy tail (student, l2 and dot)
 * every query is lost, which is seen early and costs some .04 s.
 *
 * Not sgemm and a heap, as it was: its scores had to be made again, and on Zen 4 with AVX-512 the tile is the
 * faster of the two, ns a pair at d = 384 / 768 / 1536: 7.3 / 14.9 / 34.1 against 8.2 / 16.5 / 35.7 of
 * OpenBLAS 0.3.21 (Cooperlake); with AVX2 alone 9.5 / 18.1 / 39. */
#ifndef ASSAY_TRUTH_H
#define ASSAY_TRUTH_H
#include <stdint.h>
#include "datasets/dataset.h"
#include "datasets/tags.h"
#include "index/index.h"

struct truth {
    int32_t *ids; /* count x k base rows, best first, -1 where fewer pass a filter; mem_free'd by truth_free */
    size_t count, k;
    int from_cache;
    size_t tied;    /* queries with a tie over the k-th place (of those computed now) */
    size_t scanned; /* queries that the first pass could not vouch for */
    size_t by_coarse, rescored; /* queries that the pass in bfloat16 answered, and rows scored again behind it */
};

struct truth_job {
    struct rows base, query;
    size_t k; /* cut to base.count; with self to one less */
    int self; /* query is base: an exact graph of nearest neighbours, no row its own */
    enum metric metric;
    int threads;                       /* >= 1 */
    const struct kernel_set *kernels;  /* NULL: best defaults, and first bfloat16 where it pays */
    const struct tags *rows_by_tag, *query_tags; /* a filter (tags.h), the base's transposed; NULL: none */
    size_t from, to;     /* queries to be answered; to 0: all.  The others' ids are left as they are */
    const uint8_t *have; /* queries that need no answer, by number; NULL: none */
    /* Called for every stretch of answers (count x k ids), one at a time; an error stops the job.  NULL: not wanted. */
    int (*save)(void *context, size_t from, size_t count, const int32_t *ids, size_t k, struct err *e);
    void *context;
};

static inline size_t truth_width(size_t k, size_t base_count) { return k < base_count ? k : base_count; }

static inline size_t truth_job_width(const struct truth_job *j)
{
    return truth_width(j->k, j->base.count - (j->self != 0));
}

/* Shows progress when long.  ERR_ARG: dimensions differ, k is 0, more than 2^31 - 1 base rows, tags of other numbers
 * of rows; ERR_MEM; what save returns. */
int truth_run(struct truth *out, const struct truth_job *job, struct err *e);
int truth_compute(struct truth *out, struct rows base, struct rows query, size_t k, enum metric metric, int threads,
                  const struct kernel_set *kernels, struct err *e);

/* The same through a cache: truth-<hash of base, query, k, metric>.ivecs in $ASSAY_CACHE, else
 * $XDG_CACHE_HOME/assay, else ~/.cache/assay.  A damaged or foreign cache file is computed anew; a folder that
 * cannot be written is no error. */
int truth_cached(struct truth *out, const struct dataset *base, const struct dataset *query, size_t k,
                 enum metric metric, int threads, const struct kernel_set *kernels, struct err *e);
void truth_free(struct truth *t); /* NULL and zeroed are allowed */
#endif
