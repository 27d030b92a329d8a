/* SPDX-License-Identifier: MIT
 * persist.h - the file of a saved index.
 *
 *   offset  size  what
 *        0     8  "ASSAYIDX"
 *        8     4  version, 2
 *       12     4  bytes of the spec, without a final 0
 *       16     8  dimension
 *       24     8  metric
 *       32     8  seed
 *       40     8  rows
 *       48     8  fingerprint, the caller's
 *       56        spec, then 0 up to a multiple of 64
 *        .        sections, one after the other: tag (8 bytes, padded with 0), payload size (8 bytes),
 *                 0 up to a multiple of 64, payload, 0 up to a multiple of 64
 *                 (the caller's note, if there is one, is the last: tag "note")
 *   size-4     4  CRC-32 of all before it
 *
 * Numbers are little endian, as is every machine we build for.  Payloads are aligned to 64 bytes, so a
 * mapped file can be used as it lies. */
#ifndef ASSAY_PERSIST_H
#define ASSAY_PERSIST_H
#include <stdio.h>
#include "index/index.h"
#include "kernels/base/mem.h"

struct index_writer {
    FILE *file;
    const char *path; /* for messages */
    uint64_t at;      /* bytes written */
    uint32_t crc;
};

/* A checksum of all that saving ix would write of it. */
int index_sum(const struct index *ix, uint32_t *out, struct err *e);

/* Appends a section; tag has at most 8 characters. */
int index_write(struct index_writer *w, const char *tag, const void *bytes, size_t size, struct err *e);

struct index_reader {
    struct mem_map map; /* or a copy in memory */
    const char *path;
    uint64_t at, end; /* of the sections still to be read */
    uint64_t rows;    /* as the header says; every section must agree with it */
    int maps;         /* index_take gives views, which live as long as the index */
};

/* Writes ix as the Rust engine's cache row, compact JSON, to `out`; path is for messages.  ERR_UNSUPPORTED: an index
 * whose rows are not one code a rotated coordinate, or another metric than cosine; ERR_IO; ERR_MEM. */
int index_export_upstream(const struct index *ix, const char *path, FILE *out, struct err *e);

/* The next section, which must be `tag` with exactly `size` bytes (any size for index_read_any).
 * The view lives as long as the reader.  ERR_FORMAT. */
int index_read(struct index_reader *r, const char *tag, size_t size, const void **bytes, struct err *e);
int index_read_any(struct index_reader *r, const char *tag, const void **bytes, size_t *size, struct err *e);
/* The same into *array, a pointer to memory of the caller; (maps) *array becomes a view instead. */
int index_take(struct index_reader *r, const char *tag, void *array, size_t size, struct err *e);
/* The same into memory of the caller. */
int index_read_into(struct index_reader *r, const char *tag, void *to, size_t size, struct err *e);
#endif
