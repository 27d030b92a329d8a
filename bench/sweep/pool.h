/* SPDX-License-Identifier: MIT
 * pool.h - texts of which many are equal, each kept once and none moved. */
#ifndef ASSAY_POOL_H
#define ASSAY_POOL_H
#include <stddef.h>

/* Zero-initialise. */
struct pool {
    char **slots; /* open addressing over a power of two; NULL: free */
    size_t room, count;
};
/* The kept text that equals this one: the same pointer for the same text, until pool_free.  NULL: no memory. */
const char *pool_keep(struct pool *p, const char *text);
void pool_free(struct pool *p);
#endif
