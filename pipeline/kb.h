/* SPDX-License-Identifier: MIT
 * kb.h - one state of a knowledge base, loaded into memory. */
#ifndef ASSAY_KB_H
#define ASSAY_KB_H
#include "kernels/base/text.h"
#include "kernels/kernel.h"
#include "pipeline/graph.h"
#include "pipeline/store.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { KB_NO_ROW = UINT32_MAX };

/* Const while queries run. */
struct kb {
    struct vectors vectors; /* without those of no entity, unless graph.absent numbers them */
    struct graph graph;
    uint32_t *row_of;     /* entity number -> row of vectors, KB_NO_ROW */
    uint32_t *entity_of;  /* row -> entity number */
    float *inverse_norms; /* of each row, 0 for a zero vector */
    struct store_odd odd; /* rows passed over */
    size_t orphans;       /* vectors whose entity does not exist: passed over, or numbered in graph.absent */
    uint64_t fingerprint; /* of all ids and vectors */
    int users;            /* pipelines that share it */
};

/* Inside a read transaction of the caller's, so that all of it is one state.  keep_orphans: vectors of no entity take part,
 * as members of graph.absent, which no answer may hold. */
int kb_load(struct kb *out, struct store *s, const struct graph_options *graph, int keep_orphans,
            const struct kernel_set *kernels, struct err *e);
void kb_free(struct kb *kb);
/* Appends what of the database does not take part, as "2 vectors of no entity, 1 relations to nowhere": nothing when
 * all does. */
void kb_passed_over(const struct kb *kb, struct text *out);
/* Writes the exact cosines of `count` rows with the query into scores. */
void kb_cosines(const struct kb *kb, const struct kernel_set *kernels, const float *query, const uint32_t *rows,
                size_t count, float *scores);

#ifdef __cplusplus
}
#endif
#endif
