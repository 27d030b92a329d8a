/* SPDX-License-Identifier: MIT
 * driver.h - how one kernel operation is driven: operands, bytes and work of a call.
 *
 * A workload plug-in is a file bench/micro/work_<family>.c that exports `const struct driver work_<family>[]`, one entry
 * an operation, ended by an entry without `call`.  An operation without an entry is not timed, and `assay bench`
 * names it. */
#ifndef ASSAY_DRIVER_H
#define ASSAY_DRIVER_H
#include <stddef.h>
#include <stdint.h>
#include "bench/micro/roofline.h"
#include "kernels/bound.h"

struct workload_shape {
    enum kernel_op op;
    size_t dim;   /* rounded up where the operation wants it: fht_f32 to a power of two */
    size_t rows;  /* 0: as many as fill `bytes` */
    size_t bytes; /* working set; used when rows is 0 */
    int bits;     /* of a code, where the operation has codes */
    size_t batch; /* queries a call, where the operation takes several */
    int gather;   /* rows by a random list of numbers, where the operation can */
    uint64_t seed;
};

enum { USES_BITS = 1, USES_BATCH = 2, USES_GATHER = 4, IGNORES_DIM = 8 };

/* What one call does. */
struct workload_facts {
    struct workload_shape shape;  /* with dim and rows as they are */
    size_t set_bytes;             /* the rows */
    double vectors;               /* scored or transformed: rows x queries */
    double demand[CEILING_COUNT]; /* units of each ceiling: bytes read, multiply-adds ... */
};

struct rng;

struct operands {
    void *rows; /* what the working set counts; shared by all sets of operands */
    void *side; /* per row, or a small table; shared */
    void *query;
    uint32_t *pick; /* row numbers of a gather; NULL: none */
    void *out;
    int verifying; /* these are to show errors rather than to be used again and again */
};

struct driver {
    enum kernel_op op;
    int uses; /* USES_* */
    size_t (*row_bytes)(const struct workload_shape *s);
    /* Bytes of query, side and out; rows are facts.set_bytes. */
    void (*sizes)(const struct workload_shape *s, size_t *query, size_t *side, size_t *out);
    void (*fill)(const struct workload_facts *f, struct operands *o, struct rng *r);
    void (*call)(const struct workload_shape *s, const struct kernel *k, struct operands *o);
    void (*demand)(const struct workload_shape *s, double *demand); /* beyond reading the rows */
    /* What the error bound of output i is a multiple of (kernels/bound.h), from operands that no kernel has changed
     * yet.  *t is what the call for output i - 1 left.  NULL: outputs are compared bit by bit. */
    void (*terms)(const struct workload_shape *s, const struct operands *o, size_t i, struct bound_terms *t);
    void (*round_up)(struct workload_shape *s); /* NULL: any shape will do */
    int changes_rows; /* writes into rows: they, not out, are the result */
    void (*tidy)(const struct workload_shape *s, struct operands *o); /* before a comparison; NULL */
    int least_bits, most_bits; /* with USES_BITS; 0 is 1, and 8 */
    size_t every;     /* visits one row in so many; 0 is 1 */
};

/* --- for more than one family --------------------------------------------------------------------- */
void driver_floats(struct rng *r, float *x, size_t n); /* in [-1, 1) */
void driver_bytes(struct rng *r, void *at, size_t n);
void driver_range(struct rng *r, int8_t *x, size_t n, int most); /* -most..most */
/* Stores x in [-1, 1) as element i and returns what it then stands for. */
typedef float driver_store(void *at, size_t i, float x);
driver_store driver_store_f32, driver_store_i8;
/* One query, rows, and 1 / |row| of every row as side. */
void driver_rows(const struct workload_facts *f, struct operands *o, struct rng *r, driver_store *store_query,
                 driver_store *store);

size_t driver_row_of_4(const struct workload_shape *s); /* dim elements of 4 bytes */
size_t driver_row_of_2(const struct workload_shape *s);
size_t driver_row_of_1(const struct workload_shape *s);
size_t driver_code_row(const struct workload_shape *s);  /* bits a dimension, of whole groups */
void driver_whole_groups(struct workload_shape *s);     /* dim to groups of codes */
void driver_whole_blocks(struct workload_shape *s);     /* and rows to blocks */
void driver_no_demand(const struct workload_shape *s, double *demand);
#endif
