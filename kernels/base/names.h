/* SPDX-License-Identifier: MIT
 * names.h - many strings, each known by the order in which it first came. */
#ifndef ASSAY_NAMES_H
#define ASSAY_NAMES_H
#include <stdint.h>
#include "kernels/base/text.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NAMES_NONE = -1 };

/* Zero-initialise. */
struct names {
    uint64_t *hashes;  /* of each name */
    size_t *starts;    /* of each name in `bytes` */
    size_t count, room;
    uint32_t *table;   /* open addressing: number + 1, 0 is free */
    size_t slots;      /* a power of two, at most half taken */
    struct text bytes; /* the names, each with its 0 */
};

/* The number of a name; NAMES_NONE when it has not come. */
int64_t names_find(const struct names *n, const char *name, size_t size);
/* The same, and adds it when it has not come; NAMES_NONE without memory.  size: bytes, none of them 0. */
int64_t names_add(struct names *n, const char *name, size_t size);
/* Name i < count; moves when a name is added. */
static inline const char *names_at(const struct names *n, size_t i) { return text_of(&n->bytes) + n->starts[i]; }
void names_free(struct names *n);

#ifdef __cplusplus
}
#endif
#endif
