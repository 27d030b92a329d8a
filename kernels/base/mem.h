/* SPDX-License-Identifier: MIT
 * mem.h - aligned memory, and files mapped read-only. */
#ifndef ASSAY_MEM_H
#define ASSAY_MEM_H
#include <stddef.h>
#include "kernels/base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MEM_ALIGN = 64 };

/* count*size bytes aligned to 64, NULL when there is no memory or the product overflows.  Blocks
 * of 4 MiB and more are aligned to 2 MiB and offered to the kernel as huge pages.  size 0 gives a
 * valid block.  Free with mem_free. */
void *mem_alloc(size_t count, size_t size);
/* The same, zeroed. */
void *mem_zero(size_t count, size_t size);
/* A block of new_count elements that starts with the old_count old ones and is zero beyond; frees
 * the old block.  NULL leaves the old block as it was. */
void *mem_grow(void *old, size_t old_count, size_t new_count, size_t size);
/* The same with *array, a pointer to the block, which becomes the new one; 0: no memory, and *array is what it was. */
int mem_extend(void *array, size_t old_count, size_t new_count, size_t size);
/* Room in *array for one more than `count` elements: it holds *room, and doubles where that is not enough. */
int mem_one_more(void *array, size_t count, size_t *room, size_t size);
void mem_free(void *block); /* NULL is allowed */

static inline size_t mem_rounded(size_t bytes) { return (bytes + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN; }

/* Parts of one block, one after the other, each as aligned as the block.  Over NULL none is placed, and `bytes` tells
 * how much the block must hold: one function lays out and counts. */
struct mem_parts {
    void *at;
    size_t bytes; /* taken so far */
};
static inline void *mem_part(struct mem_parts *p, size_t bytes)
{
    void *part = p->at ? (char *)p->at + p->bytes : NULL;
    p->bytes += mem_rounded(bytes);
    return part;
}

/* A file mapped read-only; `at` points to something even where size is 0. */
struct mem_map {
    const unsigned char *at;
    size_t size;
};
/* ERR_NOT_FOUND for no such file, ERR_IO otherwise; the message names the path. */
int mem_map_open(struct mem_map *map, const char *path, struct err *e);
void mem_map_close(struct mem_map *map);
/* The file's bytes, which the caller frees with mem_free.  Unlike a map it may be changed while it is used: who reads a
 * page of a map that the file no longer has gets SIGBUS.  Errors as of mem_map_open; ERR_MEM. */
int mem_read_file(unsigned char **bytes, size_t *size, const char *path, struct err *e);

#ifdef __cplusplus
}
#endif
#endif
