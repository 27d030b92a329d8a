/* SPDX-License-Identifier: MIT
 * rag_inside.h - what rag.c and rag_judge.c share. */
#ifndef ASSAY_RAG_INSIDE_H
#define ASSAY_RAG_INSIDE_H
#include "bench/rag.h"

/* Asks question i; a prepared set brings its vector, so that no embedder runs. */
int rag_ask(struct pipeline *p, const struct rag_set *s, size_t i, int prepared, size_t k, struct answer *out,
            struct err *e);
/* The point's settings and up to three more (NULL ends them), without those that these leave without effect;
 * mem_free them.  NULL: no memory. */
const char **rag_settings(const struct rag_set *s, const struct rag_point *point, const char *const extra[3],
                          size_t *count);
const char *rag_setting(const struct pipeline *p, const char *wanted); /* "" when it is not in force */
/* Fills quality, answers, hops and the work of stage one; ends with the point's own settings in force. */
int rag_judge(struct rag_arm *a, const struct rag_set *s, int wanted, struct err *e);
#endif
