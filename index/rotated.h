/* SPDX-License-Identifier: MIT
 * rotated.h - what turboquant, rabitq and binary share: rows that are turned to unit vectors, rotated, and kept as
 * b-bit codes, with everything an index does with them.  They differ in how a code is chosen. */
#ifndef ASSAY_ROTATED_H
#define ASSAY_ROTATED_H
#include "index/adapt.h"
#include "index/codec.h"
#include "index/idset.h"
#include "index/index.h"
#include "index/rotation.h"
#include "index/split.h"

/* How a score is made of codes: the table in index_turboquant.c. */
enum estimator { EST_RESCALED, EST_MSE, EST_PROD, EST_PROD_ORTH, EST_PROD_RELEASED };
#define ESTIMATOR_CHOICES "rescaled|mse|prod|prod_orth|prod_released"
enum { QUERY_INT8, QUERY_F32, QUERY_U8, QUERY_SIGN };
#define QUERY_CHOICES "int8|f32|u8"
#define QUERY_HELP "precision of the query; u8: byte tables of 1 to 4 bits"
enum { LAYOUT_AUTO, LAYOUT_SPLIT, LAYOUT_BLOCKED };
#define LAYOUT_CHOICES "auto|split|blocked"

/* One kind of code that rows have, and what scanning it needs: the levels of the coordinates, or the
 * signs of the sketched residual. */
struct plane {
    int bits, is_sketch;
    float step;                        /* levels[i] = step * table[i], but for query=f32 and u8 at the levels */
    int8_t table[CODEBOOK_LEVELS_MAX];
    float levels[CODEBOOK_LEVELS_MAX]; /* what a code counts for */
    uint8_t *codes;                    /* blocks; unused when split */
    float *weights;                    /* of <query, levels[code]>, a row; unused when split */
};

/* A row is decoded as scale * levels[code] + offset; offset must be 0 unless is_affine. */
struct affine {
    float scale, offset;
};

struct rotated {
    struct index base;
    struct idset ids;
    /* Ascending codes of a rotated unit row, groups * 32 of them, 0 beyond dim.  spare: 2 dim floats. */
    struct affine (*choose)(const struct rotated *t, const float *u, uint8_t *codes, float *spare);
    enum estimator estimator;
    int query, is_split, is_affine;
    double eps0;
    struct codec codec;
    struct plane planes[2];
    size_t plane_count;
    struct split split;
    struct rotation rotation, sketch;
    float *gaussian;      /* prod: S, dim x dim */
    float sketch_factor;  /* sqrt(pi/2) / d or / sqrt(d) */
    float fixed_residual; /* prod_released */
    struct adapt adapt;
    float *terms;         /* what a row adds to its score: l2: -|x|^2; centred <m, x - m> (adapt.h); or NULL */
    float *offsets;       /* affine: what a row adds per unit of the sum of the query */
    float signs[CODEBOOK_LEVELS_MAX]; /* split: 1 or -1 of an ascending code */
    double fit;           /* the chooser's own constant */
    size_t groups, room;  /* room: rows, a multiple of CODES_ROWS */
    const struct rotated *model; /* whose rotation, sketch, gaussian and adapt these are; NULL: our own */
};

/* Allocates and fills base and groups; then the caller sets the fields above, adds its level plane and calls
 * rotated_finish, which makes the rotation, settles the layout and reads the flags center and calibrate where the
 * table has them.  ERR_MEM, ERR_ARG (layout). */
int rotated_create(struct rotated **out, const struct index *base, struct err *e);
int rotated_finish(struct rotated *t, int layout, enum rotation_kind kind, int rounds, struct err *e);
/* table: 1 << bits ascending levels in steps; levels: what they count for (NULL: step * table). */
void rotated_add_levels(struct rotated *t, int bits, float step, const int8_t *table, const float *levels);

/* The members of an index_ops. */
int rotated_train(struct index *ix, struct rows sample, struct err *e);
int rotated_learns(const struct index *ix);
int rotated_add(struct index *ix, struct rows rows, const int64_t *ids, struct err *e);
int rotated_remove(struct index *ix, int64_t id, struct err *e);
int rotated_replace(struct index *ix, int64_t id, const float *x, struct err *e);
size_t rotated_scratch_bytes(const struct index *ix, size_t query_count, size_t k);
void rotated_search(const struct index *ix, struct rows queries, size_t k, void *scratch,
                    struct hit *hits, size_t *counts);
void rotated_search_into(const struct index *ix, struct rows queries, struct topk *best, void *scratch);
void rotated_prepare(const struct index *ix, struct rows queries, void *scratch);
void rotated_search_prepared(const struct index *ix, struct rows queries, const float *shifts, struct topk *best,
                             void *scratch);
int rotated_like(struct index **out, const struct index *model, struct err *e);
void rotated_work(const struct index *ix, const void *scratch, size_t query_count, struct index_work *out);
void rotated_kernels(const struct index *ix, struct text *out);
int rotated_save(const struct index *ix, struct index_writer *w, struct err *e);
int rotated_load(struct index *ix, struct index_reader *r, struct err *e);
void rotated_stats(const struct index *ix, struct index_stats *out);
int rotated_frame(const struct index *ix, struct index_frame *out, struct err *e);
void rotated_codes(const struct index *ix, size_t row, int64_t *id, uint8_t *codes, float *norm);
int rotated_has(const struct index *ix, int64_t id);
int rotated_decode(const struct index *ix, int64_t id, float *out, struct err *e);
void rotated_destroy(struct index *ix);
#define ROTATED_OPS                                                                                     \
    .train = rotated_train, .learns = rotated_learns, .add = rotated_add, .remove = rotated_remove,     \
    .replace = rotated_replace, .scratch_bytes = rotated_scratch_bytes,                                 \
    .search = rotated_search, .search_into = rotated_search_into,                                       \
    .prepare = rotated_prepare, .search_prepared = rotated_search_prepared, .like = rotated_like,       \
    .work = rotated_work,                                                                               \
    .kernels = rotated_kernels,                                                                         \
    .save = rotated_save, .load = rotated_load, .stats = rotated_stats, .has = rotated_has, .decode = rotated_decode, \
    .destroy = rotated_destroy
#endif
