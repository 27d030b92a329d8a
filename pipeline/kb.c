/* SPDX-License-Identifier: MIT
 * kb.c - loads vectors and graph of one state of a base, and joins the two by entity. */
#include "pipeline/kb.h"
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include <math.h>
#include <string.h>

/* Numbers the rows by entity, closing the gaps that vectors without an entity leave. */
static void join(struct kb *kb)
{
    struct vectors *v = &kb->vectors;
    float *at = (float *)(uintptr_t)v->rows.at;
    size_t kept = 0;
    memset(kb->row_of, 0xff, kb->graph.count * sizeof *kb->row_of);
    for (size_t r = 0; r < v->rows.count; r++) {
        const uint32_t entity = graph_find(&kb->graph, v->ids[r]);
        if (entity == GRAPH_NONE) continue;
        if (kept != r) {
            memcpy(at + kept * v->rows.stride, at + r * v->rows.stride, v->rows.dim * sizeof *at);
            v->ids[kept] = v->ids[r];
            v->hashes[kept] = v->hashes[r];
        }
        kb->row_of[entity] = (uint32_t)kept;
        kb->entity_of[kept++] = entity;
    }
    kb->orphans = v->rows.count - kept + kb->graph.absent_count;
    v->rows.count = kept;
}

int kb_load(struct kb *out, struct store *s, const struct graph_options *graph, int keep_orphans,
            const struct kernel_set *kernels, struct err *e)
{
    struct kb kb = { 0 };
    struct graph_options options = *graph;
    int status = store_vectors(s, &kb.vectors, e);
    if (keep_orphans) options.also = kb.vectors.ids, options.also_count = kb.vectors.rows.count;
    if (status == ERR_OK) status = graph_load(&kb.graph, s, &options, e);
    kb.odd = store_odd(s);
    if (status != ERR_OK) goto out;
    const struct rows *rows = &kb.vectors.rows;
    kb.row_of = mem_alloc(kb.graph.count, sizeof *kb.row_of);
    kb.entity_of = mem_alloc(rows->count, sizeof *kb.entity_of);
    kb.inverse_norms = mem_alloc(rows->count, sizeof *kb.inverse_norms);
    if (!kb.row_of || !kb.entity_of || !kb.inverse_norms) {
        status = FAIL(e, ERR_MEM, "%s: no memory for %zu vectors", store_path(s), rows->count);
        goto out;
    }
    join(&kb);
    for (size_t r = 0; r < rows->count; r++) {
        const float *x = rows_at(*rows, r);
        float square;
        kernels->of[OP_dot_f32]->fn.dot_f32(x, x, rows->stride, NULL, 1, rows->dim, &square);
        kb.inverse_norms[r] = square > 0 ? 1.0f / sqrtf(square) : 0.0f;
    }
    kb.fingerprint = hash64(rows->dim, kb.vectors.ids, rows->count * sizeof *kb.vectors.ids);
    kb.fingerprint = hash64(kb.fingerprint, kb.vectors.hashes, rows->count * sizeof *kb.vectors.hashes);
out:
    if (status == ERR_OK) *out = kb;
    else kb_free(&kb);
    return status;
}

void kb_free(struct kb *kb)
{
    vectors_free(&kb->vectors);
    graph_free(&kb->graph);
    mem_free(kb->row_of);
    mem_free(kb->entity_of);
    mem_free(kb->inverse_norms);
    *kb = (struct kb){ 0 };
}

void kb_passed_over(const struct kb *kb, struct text *out)
{
    const struct { size_t count; const char *what; } all[] = {
        { kb->odd.entities, "entities with an id that is no integer, or another's" },
        { kb->odd.vectors, "vectors that are no blobs, or of such an id" },
        { kb->odd.relations, "relations of ids that are no integers" },
        { kb->orphans - kb->graph.absent_count, "vectors of no entity" },
        { kb->graph.absent_count, "vectors of no entity, which take places and are no answers, as in the engine" },
        { kb->vectors.other_dimension, "vectors of another dimension than most" },
        { kb->vectors.non_finite, "vectors that are not finite, too large or too small" },
        { kb->graph.dangling, "relations from or to nowhere" },
        { kb->graph.oversize, "hyperedges of too many entities" },
    };
    for (size_t i = 0, said = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].count) text_add(out, "%s%zu %s", said++ ? ", " : "", all[i].count, all[i].what);
}

void kb_cosines(const struct kb *kb, const struct kernel_set *kernels, const float *query, const uint32_t *rows,
                size_t count, float *scores)
{
    kernels->of[OP_cosine_f32]->fn.cosine_f32(query, kb->vectors.rows.at, kb->vectors.rows.stride, rows, count,
                                              kb->vectors.rows.dim, kb->inverse_norms, scores);
}
