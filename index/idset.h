/* SPDX-License-Identifier: MIT
 * idset.h - which id stands in which row, for every index that keeps rows.
 *
 * Rows are 0..count-1 without holes: when one is removed, the last row takes its place.  While every
 * id equals its row nothing is stored at all. */
#ifndef ASSAY_IDSET_H
#define ASSAY_IDSET_H
#include "kernels/base/err.h"
#include "kernels/base/topk.h"

struct index_writer;
struct index_reader;

enum { IDSET_NONE = -1 };

struct idset {
    size_t count, room;
    int64_t *of_row; /* NULL: the id of a row is its number */
    uint32_t *slots; /* open addressing, row + 1 or 0; slot_count a power of two */
    size_t slot_count;
};

void idset_fini(struct idset *s);
static inline int64_t idset_id(const struct idset *s, size_t row) { return s->of_row ? s->of_row[row] : (int64_t)row; }
int64_t idset_row(const struct idset *s, int64_t id); /* IDSET_NONE: not there */
/* Appends rows under ids (NULL: count, count + 1, ...), all or none.  ERR_ARG: an id in use or given
 * twice, or more than 2^32 - 2 rows; ERR_MEM. */
int idset_add(struct idset *s, const int64_t *ids, size_t count, const char *who, struct err *e);
/* Removes id; *row is where it stood, and row count (after) is the one that moved there.
 * ERR_NOT_FOUND, ERR_MEM. */
int idset_remove(struct idset *s, int64_t id, size_t *row, const char *who, struct err *e);
size_t idset_row_bytes(const struct idset *s);   /* read by search, for all rows */
size_t idset_other_bytes(const struct idset *s); /* the rest */
/* Offers scores[i] of rows first + i to the heap. */
void idset_offer(const struct idset *s, struct topk *best, size_t first, const float *scores, size_t count);
/* As section "ids": empty while ids are row numbers.  load: into a zeroed set; ERR_FORMAT for another
 * count than the header's or an id that is there twice. */
int idset_save(const struct idset *s, struct index_writer *w, struct err *e);
int idset_load(struct idset *s, struct index_reader *r, struct err *e);
#endif
