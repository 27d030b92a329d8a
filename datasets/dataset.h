/* SPDX-License-Identifier: MIT
 * dataset.h - where vectors, graphs and labelled queries come from.
 *
 * A reader maps one file format to a matrix; an importer turns a published corpus into a knowledge
 * base; a generator makes data from a seed.  Importers and generators speak to a sink and so know
 * nothing of SQLite (bench/ connects the sink to pipeline/store.h). */
#ifndef ASSAY_DATASET_H
#define ASSAY_DATASET_H
#include <stddef.h>
#include <stdint.h>
#include "datasets/tags.h"
#include "kernels/base/err.h"
#include "kernels/base/mem.h"
#include "kernels/base/param.h"
#include "kernels/base/rows.h"

#ifdef __cplusplus
extern "C" {
#endif

enum element { ELEMENT_F32, ELEMENT_I32, ELEMENT_U8, ELEMENT_I8, ELEMENT_F16, ELEMENT_I64, ELEMENT_F64, ELEMENT_U32, ELEMENT_U64 };

/* A file as a matrix.  For f32 elements `rows` is a view straight into the mapped file where the
 * layout allows it (fvecs: stride dim + 1), else into converted memory; u8, i8, f16 and f64 are
 * converted to f32.  For i32, i64, u32 and u64 elements (ids) rows.at is NULL and `ids` holds them; all ones, which
 * unsigned files pad with, are -1. */
struct dataset {
    struct rows rows;
    const int64_t *ids; /* rows.count x rows.dim, row after row; NULL for float data */
    enum element element;  /* as the file has it */
    uint64_t content_hash; /* of the file's bytes */
    char metric[24];       /* the distance that the file is made for, in its own word ("angular"); "": it does not say */
    char type[24];         /* of its points, in its own words ("dense", "float"); "": it does not say */
    int said_dimension;    /* the same as rows.dim; 0: it does not say */
    struct mem_map map;    /* the file; closed by dataset_close */
    void *block;           /* converted data or NULL; mem_free'd by dataset_close */
    const char *part;      /* "test" of FILE.hdf5:test, while opening; NULL: none was named */
};

/* A reader fills rows, ids, element and block from out->map, which dataset_open has mapped (size
 * > 0) and closes on failure; it frees its own block on failure.  It checks sizes and dimensions;
 * dataset_open checks that floats are finite. */
struct reader_ops {
    const char *name, *summary;  /* "vecs" */
    const char *suffixes;        /* ".fvecs|.ivecs|.bvecs" */
    int parts;                   /* a file may hold several matrices: FILE:PART */
    int (*open)(struct dataset *out, const char *path, struct err *e);
};
const struct reader_ops *reader_at(size_t i); /* NULL past the last */
int dataset_reads(const char *path); /* whether a file of this name holds vectors or ids, not text */

enum { DATASET_DIM_MAX = 65536 }; /* a wider row is taken for damage */

/* Opens by suffix; "FILE:PART" names a matrix within a file of several.  Checked whole: exact size, one dimension in all rows, finite floats (naming row
 * and column), at least one row.  ERR_ARG for an unknown suffix, ERR_NOT_FOUND, ERR_FORMAT (naming
 * path and offset), ERR_MEM. */
int dataset_open(struct dataset *out, const char *path, struct err *e);
/* "cosine", "dot" or "l2" for the word of a file; NULL: none of these. */
const char *metric_of_distance(const char *word);
void dataset_close(struct dataset *d); /* a zeroed one is allowed */

/* Fills rows.at (and block) from `count` x `dim` packed elements at `bytes`, `gap` bytes apart from
 * the end of one row to the start of the next: for readers.  ERR_MEM. */
int dataset_take(struct dataset *d, const unsigned char *bytes, size_t count, size_t dim, size_t gap,
                 enum element element, struct err *e);
size_t element_bytes(enum element element);
int element_is_id(enum element element);
const char *element_name(enum element element); /* "f32" */

/* Writers: a temporary file beside `path`, renamed when whole (whole_file.h). */
int dataset_write_fvecs(const char *path, struct rows rows, struct err *e);
int dataset_write_ivecs(const char *path, const int32_t *ids, size_t count, size_t dim, struct err *e);

/* What importers and generators deliver, in this order: entities, then vectors, then relations,
 * then queries.  A callback returns 0 or an error that stops the source.  An entity's number is its id
 * where all of a source are whole numbers; otherwise they are counted, and entity_id says what each is called.
 * Any callback may be NULL: not wanted. */
/* What is relevant to a query; grade >= 1, as in qrels.  Where no entity has the id that the source gives, `absent` is
 * that id and `id` means nothing: relevant, and never found.  NULL otherwise. */
struct kb_label { int64_t id; int grade; const char *absent; };

/* What the caller asks of a source, beside its path. */
struct kb_wishes {
    const char *const *columns; /* "FILE=name,name,...": the columns of a table without a header */
    size_t column_count;
};

struct kb_sink {
    void *context;
    /* text: what an embedder should see.  properties: a JSON object. */
    int (*entity)(void *context, int64_t id, const char *type, const char *name,
                  const char *properties, const char *text, struct err *e);
    int (*vector)(void *context, int64_t id, const float *x, size_t dim, struct err *e);
    /* properties: a JSON object or NULL. */
    int (*relation)(void *context, int64_t source, int64_t target, const char *type, double weight,
                    const char *properties, struct err *e);
    /* A query, text and / or vector (NULL when absent), and what is relevant to it; split is "tune",
     * "report" or NULL where the source has none. */
    int (*query)(void *context, int64_t query_id, const char *split, const char *text,
                 const float *x, size_t dim, const struct kb_label *relevant, size_t relevant_count,
                 struct err *e);
    /* The id that the source itself gives an entity or a query, before that is delivered; not called where the
     * number is it. */
    int (*entity_id)(void *context, int64_t id, const char *external, struct err *e);
    int (*query_id)(void *context, int64_t query_id, const char *external, struct err *e);
    /* What was left out or added, in words ("labels of documents that are not there"), and the first of it or NULL. */
    int (*note)(void *context, const char *what, uint64_t count, const char *first, struct err *e);
    const struct kb_wishes *wishes; /* NULL: none */
};
/* Calls them where the sink wants them. */
int sink_entity_id(const struct kb_sink *s, int64_t id, const char *external, struct err *e);
int sink_query_id(const struct kb_sink *s, int64_t query_id, const char *external, struct err *e);
int sink_note(const struct kb_sink *s, const char *what, uint64_t count, const char *first, struct err *e);
struct tally; /* intake.h */
int sink_tally(const struct kb_sink *s, const struct tally *t, struct err *e); /* each of its counts as a note */

struct importer_ops {
    const char *name, *summary; /* "wordnet" */
    const char *from;           /* default path; NULL: one must be given */
    const char *get;            /* how to come by it, for a person */
    int (*run)(const char *path, const struct kb_sink *sink, struct err *e);
};
const struct importer_ops *importer_at(size_t i);
const struct importer_ops *importer_find(const char *name);

struct generator_ops {
    const char *name, *summary; /* "clustered" "kg" "twohop" */
    const struct param *params;
    /* Vector sets: fills base and query, row-major, allocated with mem_alloc, the caller's to free.
     * NULL where the generator makes a knowledge base. */
    int (*vectors)(const struct params *p, struct rows *base, struct rows *query, struct err *e);
    /* Knowledge bases.  NULL where the generator makes vector sets. */
    int (*graph)(const struct params *p, const struct kb_sink *sink, struct err *e);
    /* Filters for vectors that its parameters name; the tags are the caller's to free.  NULL where it makes others. */
    int (*filters)(const struct params *p, struct tags *base, struct tags *query, struct err *e);
};
const struct generator_ops *generator_at(size_t i);
const struct generator_ops *generator_find(const char *name);

#ifdef __cplusplus
}
#endif
#endif
