/* SPDX-License-Identifier: MIT
 * rag_learn.h - utilities of entities, learnt from labelled questions. */
#ifndef ASSAY_RAG_LEARN_H
#define ASSAY_RAG_LEARN_H
#include "bench/points/rag_set.h"

/* What rag_learn found. */
struct rag_lesson {
    double first, last; /* mean reward over the labelled questions, in the first and the last epoch */
    size_t questions, entities; /* labelled; whose utility has moved */
};
/* Learns utilities as MemRL does (arXiv 2601.03192, eq. 4): asks every labelled question `epochs` times and rewards what
 * came back together, 1 when something relevant is among it, else 0.  Writes "entity <tab> utility" lines, as
 * utility_file reads them.  ERR_ARG: no labels; ERR_UNSUPPORTED: no stage of the point learns. */
int rag_learn(const struct rag_set *s, const struct rag_point *p, size_t epochs, const char *path,
              struct rag_lesson *out, struct err *e);
#endif
