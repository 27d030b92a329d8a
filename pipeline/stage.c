/* SPDX-License-Identifier: MIT
 * stage.c - every stage, from the list that the build makes of pipeline/<slot>_<name>.c; the order of results. */
#include "pipeline/stage.h"
#include <math.h>
#include <string.h>

#define PLUGIN(file) extern const struct stage_ops file;
#include "gen/stages.inc"
#undef PLUGIN

static const struct stage_ops *const all[] = {
#define PLUGIN(file) &file,
#include "gen/stages.inc"
#undef PLUGIN
    NULL
};

static const char *const slot_names[SLOT_COUNT] = { "embed", "retrieve", "rerank", "expand", "score", "filter",
                                                    "context" };

const char *slot_name(enum slot s) { return slot_names[s]; }

const struct stage_ops *stage_at(size_t i) { return i < sizeof all / sizeof *all ? all[i] : NULL; }

const struct stage_ops *stage_find(enum slot slot, const char *name)
{
    for (size_t i = 0; all[i]; i++)
        if (all[i]->slot == slot && strcmp(all[i]->name, name) == 0) return all[i];
    return NULL;
}

/* 1 when the member at position a of the pool is a better result than the one at b. */
static int better(const struct query *q, uint32_t a, uint32_t b)
{
    const struct member *x = &q->pool[a], *y = &q->pool[b];
    if (x->combined_score != y->combined_score) return x->combined_score > y->combined_score;
    if (x->vector_score != y->vector_score) return x->vector_score > y->vector_score;
    return x->entity < y->entity; /* numbers ascend with ids */
}

/* A heap with the worst at the root: moves heap[at] down until nothing below it is worse. */
static void sift_down(const struct query *q, uint32_t *heap, size_t count, size_t at)
{
    for (;;) {
        size_t worst = 2 * at + 1;
        if (worst >= count) return;
        if (worst + 1 < count && better(q, heap[worst], heap[worst + 1])) worst++;
        if (!better(q, heap[at], heap[worst])) return;
        const uint32_t swapped = heap[at];
        heap[at] = heap[worst];
        heap[worst] = swapped;
        at = worst;
    }
}

void query_take_best(struct query *q, size_t k)
{
    uint32_t *heap = q->kept;
    if (k > q->kept_count) k = q->kept_count;
    for (size_t i = k / 2; i-- > 0;) sift_down(q, heap, k, i);
    for (size_t i = k; i < q->kept_count; i++)
        if (k && better(q, heap[i], heap[0])) {
            heap[0] = heap[i];
            sift_down(q, heap, k, 0);
        }
    for (size_t end = k; end > 1; end--) {
        const uint32_t worst = heap[0];
        heap[0] = heap[end - 1];
        heap[end - 1] = worst;
        sift_down(q, heap, end - 1, 0);
    }
    q->kept_count = k;
}

void query_drop_absent(struct query *q)
{
    const unsigned char *absent = q->kb->graph.absent;
    size_t count = 0;
    for (size_t i = 0; absent && i < q->kept_count; i++)
        if (!absent[q->pool[q->kept[i]].entity]) q->kept[count++] = q->kept[i];
    if (absent) q->kept_count = count;
}

size_t query_exact_scores(struct query *q)
{
    const struct kb *kb = q->kb;
    size_t count = 0;
    for (size_t i = 0; i < q->candidate_count; i++) {
        /* The engine's threshold drops candidates by their approximate score too. */
        if (q->compat && q->candidates[i].score < q->min_vector_score) continue;
        const uint32_t entity = graph_find(&kb->graph, q->candidates[i].id);
        if (entity == GRAPH_NONE || kb->row_of[entity] == KB_NO_ROW) continue;
        q->entities[count] = entity;
        q->rows[count++] = kb->row_of[entity];
    }
    kb_cosines(kb, q->kernels, q->vector, q->rows, count, q->scores);
    return count;
}

static double below_all(const void *below, uint32_t entity, float exact)
{
    (void)entity, (void)exact;
    return *(const double *)below;
}

void query_keep_order(struct query *q, size_t most)
{
    const struct kb *kb = q->kb;
    float least = INFINITY;
    q->relevance = below_all;
    q->reranker = &q->below;
    for (size_t i = 0; i < q->candidate_count && q->pool_count < most; i++) {
        const struct hit *c = &q->candidates[i];
        const uint32_t entity = graph_find(&kb->graph, c->id);
        float exact = 0;
        if (entity == GRAPH_NONE || kb->row_of[entity] == KB_NO_ROW) continue;
        if (q->compat && c->score < q->min_vector_score) continue;
        if (q->has_vector) kb_cosines(kb, q->kernels, q->vector, &kb->row_of[entity], 1, &exact);
        if (!pool_enter(q, entity, exact)) continue;
        q->pool[q->pool_count - 1].relevance = (double)c->score;
        least = c->score < least ? c->score : least;
    }
    q->below = isfinite(least) ? (double)nextafterf(least, -INFINITY) : 0;
}
