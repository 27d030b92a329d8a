/* SPDX-License-Identifier: MIT
 * tags.h - tags of base rows and of queries, as big-ann's filter track keeps them, and who passes: a base row passes
 * a query's filter when it has every tag of the query.
 *
 * A file (.spmat) is a matrix of rows x tags by compressed rows, little-endian: int64 rows, tags, entries;
 * int64 start[rows + 1]; int32 tag[entries], ascending in each row; float32 value[entries], which are not looked at. */
#ifndef ASSAY_TAGS_H
#define ASSAY_TAGS_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/err.h"

struct tags {
    size_t rows, tags;
    int64_t *start; /* rows + 1; mem_free'd by tags_free, as is tag */
    int32_t *tag;
};

/* ERR_NOT_FOUND, ERR_IO, ERR_MEM; ERR_FORMAT naming the path and what is wrong: size, order, a tag out of range. */
int tags_read(struct tags *out, const char *path, struct err *e);
int tags_write(const char *path, const struct tags *t, struct err *e); /* values 1 */
uint64_t tags_hash(const struct tags *t); /* of who has which */
void tags_free(struct tags *t); /* a zeroed one is allowed */

/* The other way round: row i lists, ascending, the rows of t that have tag i. */
int tags_transpose(struct tags *out, const struct tags *t, struct err *e); /* ERR_MEM */

/* Base rows that pass the filter of query `query`, ascending, into `out` (room for base rows); their count.  by_tag is
 * the base's tags, transposed.  A query without tags lets all base_rows pass. */
size_t tags_passing(const struct tags *by_tag, size_t base_rows, const struct tags *queries, size_t query, uint32_t *out);
#endif
