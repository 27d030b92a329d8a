/* SPDX-License-Identifier: MIT
 * index.h - what every nearest-neighbour index is, and how to ask for one.
 *
 * Scores    Higher is nearer.  cosine: cosine in [-1, 1]; dot: inner product; l2: minus the squared
 *           distance.  Ties: higher score first, then lower id.  A zero vector scores 0 by cosine
 *           (pq, upstream, residuals of ivf and centred rows, which give it a code, excepted).
 * Ids       The caller's, 64 bits, unique within an index.
 * Threads   One caller mutates an index.  Built, it is const and any number may search it, each
 *           with its own scratch.  Results depend on data, query and parameters alone: never on
 *           the number of threads, the order of adding (a graph, symqg, excepted), or which default kernels run.
 * Checks    Vectors with a non-finite value, or with absolute values that sum to more than 1e18, are
 *           refused at add, naming the row.  search cannot fail, because
 *           index_check_queries was asked first; it allocates nothing. */
#ifndef ASSAY_INDEX_H
#define ASSAY_INDEX_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/err.h"
#include "kernels/base/mem.h"
#include "kernels/base/param.h"
#include "kernels/base/rows.h"
#include "kernels/base/text.h"
#include "kernels/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { INDEX_DIM_MAX = 65536 };
enum metric { METRIC_COSINE, METRIC_DOT, METRIC_L2, METRIC_COUNT };
const char *metric_name(enum metric m);                           /* "cosine" "dot" "l2" */
int metric_parse(const char *name, enum metric *out, struct err *e);

struct index_stats {
    uint64_t rows;
    uint64_t code_bytes;  /* the codes themselves, padding included */
    uint64_t side_bytes;  /* everything else that search reads per row: scales, norms, ids, factors */
    uint64_t other_bytes; /* once per index: rotation, codebook, struct */
    uint64_t shared_bytes; /* of the other: what was learnt of the rows, codebooks and centroids, and what is kept by row */
};
/* Bytes per row that a comparison at equal size must count, what is held once shared by all: (code + side + shared) /
 * rows; 0 when empty. */
double index_bytes_per_vector(const struct index_stats *s);

struct index_config {
    size_t dim; /* 1..INDEX_DIM_MAX */
    enum metric metric;
    uint64_t seed;
    int threads;                      /* threads that train and add may use, >= 1 */
    const struct kernel_set *kernels; /* copied by create; NULL: best defaults */
};

/* First member of every index.  While ops->create runs, config.kernels is still NULL. */
struct index {
    const struct index_ops *ops;
    struct index_config config; /* config.kernels points to `kernels` below */
    struct kernel_set kernels;
    struct params *params; /* owned; freed by index_destroy */
    int is_mapped;         /* big arrays lie in a file: never freed, and nothing is added or removed */
    struct mem_map map;    /* that file; closed by index_destroy.  An inner index leaves it to the outer one */
    const struct index *model; /* not NULL: a view of that one, which owns all but params */
};

struct topk;         /* kernels/base/topk.h */
/* What searching for some queries read, as if each had been alone: codes, and what belongs to a row. */
struct index_work {
    uint64_t survivors; /* rows that the first of two passes let through; 0: one pass */
    uint64_t bytes;
    /* Of a graph; 0 elsewhere. */
    uint64_t hops;     /* nodes visited */
    uint64_t scored;   /* neighbours whose score was estimated, or taken */
    uint64_t rescored; /* rows read for a score of their own */
};
static inline void index_work_add(struct index_work *sum, const struct index_work *more)
{
    sum->survivors += more->survivors, sum->bytes += more->bytes;
    sum->hops += more->hops, sum->scored += more->scored, sum->rescored += more->rescored;
}

/* What codes stand for, where a row is one code a rotated coordinate. */
struct index_frame {
    float *matrix;     /* dim x dim, the caller's room: rotated = matrix x */
    float levels[256]; /* 1 << bits, ascending */
    int bits;
    uint64_t seed;     /* that the rotation was drawn from */
};

/* One of the numbers that an index tells of itself; meaning may be empty. */
typedef void index_fact(void *context, const char *name, double value, const char *meaning);

struct index_writer; /* persist.h */
struct index_reader;

struct index_ops {
    const char *name, *summary;
    const struct param *params; /* ends at a NULL name; NULL: none */
    /* Allocates an empty index whose base has been filled from *base (copy it whole). */
    int (*create)(struct index **out, const struct index *base, struct err *e);
    /* Learns from a sample of one row or more what it needs before add, and forgets what it had learnt; NULL: nothing
     * to learn.  An index that was not trained learns from the first rows that are added. */
    int (*train)(struct index *ix, struct rows sample, struct err *e);
    /* Codes that a codebook has: of fewer rows, each may be its own.  NULL: none is learnt. */
    size_t (*entries)(const struct params *params);
    int (*learns)(const struct index *ix); /* 0: its parameters leave train nothing to do.  NULL: it learns if it can */
    /* Adds rows under ids (NULL: the next numbers, starting at the count of rows).  Rows have been
     * checked: dimension, finiteness.  On failure the index is as it was.  ERR_ARG: id in use. */
    int (*add)(struct index *ix, struct rows rows, const int64_t *ids, struct err *e);
    int (*remove)(struct index *ix, int64_t id, struct err *e); /* ERR_NOT_FOUND; NULL: cannot */
    /* The row of id becomes x, which has been checked.  On failure the index is as it was.  NULL where remove is. */
    int (*replace)(struct index *ix, int64_t id, const float *x, struct err *e);
    /* Names the queries that will be asked, where answers belong to a query's place and not to its
     * values; search must then be given views of this matrix.  NULL: not needed. */
    int (*bind)(struct index *ix, struct rows queries, struct err *e);
    /* Bytes of scratch that one search call of up to query_count queries needs. */
    size_t (*scratch_bytes)(const struct index *ix, size_t query_count, size_t k);
    /* What another program took for each query that was bound, in us: one number a query.  NULL, or returns NULL:
     * not known. */
    const double *(*latencies)(const struct index *ix);
    /* Best k of every query: hits[q*k ..], counts[q] of them (min(k, rows)), best first.
     * scratch: scratch_bytes, 64-byte aligned. */
    void (*search)(const struct index *ix, struct rows queries, size_t k, void *scratch,
                   struct hit *hits, size_t *counts);
    /* The same into heaps that may hold hits already (topk.h), left unsorted: how ivf goes through its
     * lists.  NULL: cannot stand inside another index. */
    void (*search_into)(const struct index *ix, struct rows queries, struct topk *best, void *scratch);
    /* What the last search with this scratch read, over its query_count queries: all since search or search_into
     * was called with it.  NULL: not counted. */
    void (*work)(const struct index *ix, const void *scratch, size_t query_count, struct index_work *out);
    /* The two halves of search_into, so that what was prepared of the queries serves all indexes of equal spec and
     * config.  shifts: what is added to every score of a query; NULL: nothing.  NULL, both: cannot. */
    void (*prepare)(const struct index *ix, struct rows queries, void *scratch);
    void (*search_prepared)(const struct index *ix, struct rows queries, const float *shifts, struct topk *best,
                            void *scratch);
    /* An empty index of model's spec and config that shares its params and what it has learnt or drawn.  It must go
     * before model does, by ops->destroy.  NULL: cannot. */
    int (*like)(struct index **out, const struct index *model, struct err *e);
    /* Appends "op=isa/variant;..." of the operations that search uses (kernel_set_describe). */
    void (*kernels)(const struct index *ix, struct text *out);
    int (*save)(const struct index *ix, struct index_writer *w, struct err *e); /* NULL: cannot */
    int (*load)(struct index *ix, struct index_reader *r, struct err *e);       /* into a fresh one */
    void (*stats)(const struct index *ix, struct index_stats *out);
    int (*has)(const struct index *ix, int64_t id); /* 1 when a row has that id; NULL where save is */
    /* Writes the vector that the codes of `id` stand for: dim floats, by cosine such that its inner product with a unit
     * query is what is scored (or, with decoded_by_cosine, its cosine).  NULL: cannot. */
    int (*decode)(const struct index *ix, int64_t id, float *out, struct err *e);
    int decoded_by_cosine; /* by cosine, lengths of decoded vectors say nothing */
    /* For other programs: what codes mean, and those of row 0..rows-1 (dim of them, in room for
     * whole groups of 32) with its id and the length of what was coded.
     * ERR_UNSUPPORTED: these parameters have no such codes.  NULL, both: none has. */
    int (*frame)(const struct index *ix, struct index_frame *out, struct err *e);
    void (*codes)(const struct index *ix, size_t row, int64_t *id, uint8_t *codes, float *norm);
    /* Tells what only an index of its kind can: of a graph its degrees, components, and the recall at 10 of the queries
     * (of none: of some of its own rows) that its edges and its codes lose.  NULL: nothing.  ERR_MEM. */
    int (*look)(const struct index *ix, struct rows queries, index_fact *fact, void *context, struct err *e);
    /* A view of model, to be searched only: all of it but *base, which has been filled (copy it whole).  base->params
     * differ from model's at most in what only searching reads: else ERR_UNSUPPORTED.  NULL: nothing is so. */
    int (*view)(struct index **out, const struct index *model, const struct index *base, struct err *e);
    void (*destroy)(struct index *ix); /* frees what create allocated, of a view itself; NULL is allowed */
};

/* 1 when no index refuses the vector: it is finite, and so is its square (Checks, above). */
int index_takes(const float *x, size_t dim);
/* Rows whose squared norm overflows would make inf - inf of a finite score, and by cosine one that underflows is none:
 * ERR_ARG names `name`, `what` and row. */
int index_check_rows(struct rows rows, enum metric metric, const char *name, const char *what, struct err *e);
const struct index_ops *index_at(size_t i); /* every registered index; NULL past the last */
const struct index_ops *index_find(const char *name);

/* spec: "name" or "name:key=value,..."; the value of a first parameter that is a text may stand alone
 * ("ids:FILE").  ERR_ARG names an unknown index (with the nearest), a bad
 * parameter or a dimension outside 1..INDEX_DIM_MAX. */
int index_create(struct index **out, const char *spec, const struct index_config *config, struct err *e);
void index_destroy(struct index *ix); /* NULL is allowed */
/* What a spec asks for, without making it: the caller owns *params.  ERR_ARG as index_create. */
int index_parse(const char *spec, const struct index_ops **ops, struct params **params, struct err *e);
/* Appends what is odd about the spec over so few rows ("pq: codebooks of 256 entries for 100 rows: ..."), of an index inside
 * it too.  Nothing where they fit, or where the spec cannot be read. */
void index_doubt(const char *spec, size_t rows, struct text *out);

/* `model` searched as `spec` has it, where that differs only in what searching reads (ef, nprobe): no copy, and to be
 * destroyed before model.  ERR_UNSUPPORTED: it must be built. */
int index_view(struct index **out, const struct index *model, const char *spec, struct err *e);

int index_train(struct index *ix, struct rows sample, struct err *e); /* no-op where nothing is learnt, or from no rows */
/* 1 when what it holds depends on the rows that it was trained on, or saw first. */
int index_learns(const struct index *ix);
int index_add(struct index *ix, struct rows rows, const int64_t *ids, struct err *e);
int index_remove(struct index *ix, int64_t id, struct err *e);
/* The vector of id becomes x.  ERR_NOT_FOUND, ERR_ARG, ERR_MEM: the old one is still there. */
int index_replace(struct index *ix, int64_t id, const float *x, struct err *e);
/* ops->decode, or ERR_UNSUPPORTED. */
int index_decode(const struct index *ix, int64_t id, float *out, struct err *e);
int index_bind(struct index *ix, struct rows queries, struct err *e); /* ops->bind where there is one */
/* ERR_ARG for k == 0, a wrong dimension or a non-finite value (naming query and column). */
int index_check_queries(const struct index *ix, struct rows queries, size_t k, struct err *e);
/* Searches all queries in batches of `batch` over `threads` threads that split the queries.
 * hits: queries.count * k; counts: queries.count.  Checks the queries, allocates its scratch. */
int index_search(const struct index *ix, struct rows queries, size_t k, size_t batch, int threads,
                 struct hit *hits, size_t *counts, struct err *e);
void index_spec(const struct index *ix, struct text *out); /* canonical spec string */

/* One file: magic, version, spec, dim, metric, seed, count, payload, CRC (persist.h).  Save writes a
 * temporary file beside `path` and renames it: a crash leaves the old file or the new one.
 * `fingerprint` is the caller's: load returns ERR_FORMAT for a damaged or foreign file, and gives
 * the stored fingerprint back for the caller to compare. */
int index_save(const struct index *ix, const char *path, uint64_t fingerprint, struct err *e);
/* config: threads and kernels; NULL: one thread, best kernels.  Dimension, metric and seed are the file's. */
int index_load(struct index **out, const char *path, const struct index_config *config,
               uint64_t *fingerprint, struct err *e);
/* The same, but codes and what lies beside them stay in the file, mapped read-only (of flat, turboquant, rabitq, sq,
 * binary, symqg, and ivf over them; others are loaded).  The file is read once, for its checksum, and must not be changed in
 * place after: what is written into it is searched unchecked, and where it is cut short a search ends in SIGBUS.
 * index_save to its path is no such change.  Adding and removing are refused: ERR_UNSUPPORTED. */
int index_map(struct index **out, const char *path, const struct index_config *config, uint64_t *fingerprint,
              struct err *e);

/* The same with bytes of the caller's own, kept in the file behind the index (size 0: none).  After loading, `bytes`
 * is the caller's to free with mem_free. */
struct index_note { uint64_t fingerprint; const void *bytes; size_t size; };
int index_save_noted(const struct index *ix, const char *path, const struct index_note *note, struct err *e);
int index_load_noted(struct index **out, const char *path, const struct index_config *config, struct index_note *note,
                     struct err *e);

#ifdef __cplusplus
}
#endif
#endif
