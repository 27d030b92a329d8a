/* SPDX-License-Identifier: MIT
 * cache.h - the index of stage one: built once, kept beside the database, brought up to date when
 * vectors change.
 *
 * The file is <db>.assay.  It carries the spec, a fingerprint of all ids and vectors, and the 64-bit hash of
 * every row, so a vector replaced in place is noticed as surely as an insertion.  Where few rows differ, by
 * whichever process, only those are encoded anew; an index that learns from its rows (ivf, pq) is built
 * again instead, because its answers must not depend on what it held before.  So it is when the spec
 * differs, the file is damaged or cannot be read, or is not of this base as far as side.h says.  A folder that cannot be written only means that the
 * next open does the same work. */
#ifndef ASSAY_CACHE_H
#define ASSAY_CACHE_H
#include "index/index.h"
#include "pipeline/kb.h"

#ifdef __cplusplus
extern "C" {
#endif

enum cache_source { CACHE_KEPT, CACHE_LOADED, CACHE_UPDATED, CACHE_BUILT };

struct index_cache {
    struct index *index;      /* NULL: the base holds no vectors */
    enum cache_source source; /* how the last refresh came by it */
    double build_s;           /* that building or updating took; 0 otherwise */
    int saved;                /* the file beside the database is this index */
    size_t row_changes;       /* that the last update applied */
    /* what the index holds */
    uint64_t fingerprint;
    int64_t *ids;
    uint64_t *hashes;
    size_t count;
    int *users; /* caches that share index, ids and hashes */
};

struct cache_request {
    const char *db_path, *spec;
    uint64_t seed;
    int threads;
    const struct kernel_set *kernels;
};

/* Zero-initialise the cache before the first call.  ERR_ARG: bad spec; ERR_MEM.  On failure the cache
 * is empty. */
int index_cache_refresh(struct index_cache *c, const struct kb *kb, const struct cache_request *want, struct err *e);
void index_cache_free(struct index_cache *c);
/* `to`, which is empty, holds what `from` does without a copy; each is freed by itself, from any thread. */
void index_cache_share(struct index_cache *to, const struct index_cache *from);

#ifdef __cplusplus
}
#endif
#endif
