/* SPDX-License-Identifier: MIT
 * stage.h - what a pipeline stage is.
 *
 * A stage is a file pipeline/<slot>_<name>.c that exports `const struct stage_ops <slot>_<name>`.  It
 * reads and changes the state of one query; the pipeline times it and counts what goes in and out:
 *
 *   slot      reads                         leaves
 *   embed     text, id                      vector (kb->vectors.rows.dim floats)
 *   retrieve  vector or text                candidates: ids with approximate scores, best first
 *   rerank    candidates                    pool: entities with exact scores, at most top_k_rerank
 *   expand    pool                          more of it
 *   score     pool                          graph_score and combined_score of every member
 *   filter    pool                          kept: positions in the pool
 *   (the pipeline sorts kept - combined, then vector score, both descending, then id - and takes k)
 *   context   kept, pool                    context entities of each kept member
 *
 * create may allocate; run may not, but for what it can only know by then. */
#ifndef ASSAY_STAGE_H
#define ASSAY_STAGE_H
#include "index/index.h"
#include "pipeline/cache.h"
#include "pipeline/kb.h"
#include "pipeline/pipeline.h"

#ifdef __cplusplus
extern "C" {
#endif

struct member {
    uint32_t entity;
    float vector_score; /* exact cosine */
    double relevance;   /* what the score stage weighs: the cosine, unless the rerank stage says otherwise */
    double graph_score, combined_score;
};

struct query {
    const struct kb *kb;
    struct store *store;
    const struct kernel_set *kernels;
    /* the question */
    int64_t id;
    const char *name;   /* what the user calls the question; NULL: its id */
    const char *text;   /* NULL: none */
    float *vector;
    int has_vector;     /* 0: the base's words are all that is asked, and the vector is zeros */
    size_t k;
    /* what a score must reach to enter the pool; the engine holds approximate scores to it too */
    float min_vector_score;
    int compat;
    /* a rerank stage that values entities by more than the cosine sets these in run; NULL otherwise */
    double (*relevance)(const void *reranker, uint32_t entity, float exact);
    const void *reranker;
    double below; /* of query_keep_order: less than every score kept */
    /* the state */
    struct hit *candidates; /* room for every vector */
    size_t candidate_count;
    struct member *pool;
    size_t pool_count;
    uint32_t *place; /* by entity: its position in the pool while stamp is epoch */
    uint32_t *stamp;
    uint32_t epoch;
    uint32_t *kept;
    size_t kept_count;
    uint32_t *context;       /* context_room entities a kept member, in the order of kept */
    size_t *context_count;   /* of each kept member */
    size_t context_room;     /* as the context stage's create set it in its stage_env */
    struct walk walk;
    uint32_t *entities; /* scratch: one per entity, as are the next two */
    uint32_t *rows;
    float *scores;
};

/* Position in the pool, or -1. */
static inline int64_t pool_find(const struct query *q, uint32_t entity)
{
    return q->stamp[entity] == q->epoch ? (int64_t)q->place[entity] : -1;
}

/* Enters the pool unless it is there or its score does not reach the threshold; 1 when it entered. */
static inline int pool_enter(struct query *q, uint32_t entity, float exact)
{
    if (q->stamp[entity] == q->epoch || !(exact >= q->min_vector_score)) return 0;
    q->stamp[entity] = q->epoch;
    q->place[entity] = (uint32_t)q->pool_count;
    const double relevance = q->relevance ? q->relevance(q->reranker, entity, exact) : (double)exact;
    q->pool[q->pool_count++] = (struct member){ entity, exact, relevance, 0, 0 };
    return 1;
}

/* Writes entities, rows and exact cosines of the candidates that have a vector (and, under compat, whose
 * approximate score reaches the threshold) into the scratch arrays; how many. */
size_t query_exact_scores(struct query *q);

/* The pool becomes the first `most` candidates that have a vector, in the retriever's order: its score is the relevance,
 * and whatever comes in later is less relevant than all of them. */
void query_keep_order(struct query *q, size_t most);

/* kept without those that are no entities: the engine looks an entity up when all else is done. */
void query_drop_absent(struct query *q);

/* kept becomes its best k: combined, then vector score, both descending, then id; in place. */
void query_take_best(struct query *q, size_t k);

/* What a stage is made from; all of it outlives the stage. */
struct stage_env {
    const struct params *params; /* of the stage's own table */
    struct store *store;
    const struct kernel_set *kernels;
    int threads;         /* that building may use */
    const struct index_cache *adopted; /* of a pipeline with the same settings, to share; NULL: none */
    int asks_elsewhere;  /* the service is the base's choice and not the user's: nothing may be sent to it */
    size_t context_room; /* out, from the context stage: entities it may attach to one result */
    size_t context_bytes; /* ... and bytes of their text, counted when it is fetched; 0: any */
};

struct stage_ops {
    const char *name; /* as in the file's name, without the slot */
    enum slot slot;
    const char *summary;
    const struct param *params;
    /* *self stays NULL for a stage without state. */
    int (*create)(void **self, struct stage_env *env, struct err *e);
    /* Follows create, once: kb is the base, and stays so.  When it changes, the stage is made again beside the old one, so
     * that a failure leaves the pipeline as it was.  NULL: what create makes is of no base, and stays. */
    int (*refresh)(void *self, const struct kb *kb, struct err *e);
    /* self, which knows kb, takes the place of old: what old has learnt goes on.  NULL: nothing does. */
    void (*inherit)(void *self, const void *old, const struct kb *kb);
    int (*run)(void *self, struct query *q, struct err *e);
    int by_words; /* retrieve: reads the text alone, no vector */
    int by_ids;   /* retrieve: of vectors, whether an entity has their id or not */
    /* embed: count texts to count x dim numbers in fewer exchanges than one each.  NULL: run does as well. */
    int (*embed_many)(void *self, const char *const *texts, size_t count, size_t dim, float *out, struct err *e);
    /* embed: how many different words of the text the base knows.  NULL: it goes by something else. */
    int (*known)(void *self, const char *text, size_t *count, struct err *e);
    /* embed: the dimension of the vectors that it makes, found by embedding a text.  NULL: that of the base. */
    int (*dimension)(void *self, const char *text, size_t *dim, struct err *e);
    void (*kernels)(const void *self, struct text *out); /* appends "op=isa/variant;..."; NULL: none */
    const struct index_cache *(*cache)(const void *self); /* NULL: no index */
    int (*work)(const void *self, struct index_work *out); /* of the last run; 0, or NULL: not counted */
    /* Stages that learn: a reward for an entity that was used, and what is known of one.  NULL: does not. */
    void (*feedback)(void *self, uint32_t entity, double reward);
    double (*utility)(const void *self, uint32_t entity);
    void (*destroy)(void *self); /* NULL: nothing to free */
    /* retrieve: the stage that gives what this one approximates, all candidates asked for (an exact one names itself).
     * NULL: there is none, and agree_at_10 stays empty. */
    const char *exact_twin;
    int orders_by_cosine; /* rerank: by the exact cosine alone, so that an exact stage one need hand on no more than is kept */
};

const struct stage_ops *stage_at(size_t i); /* every registered stage; NULL past the last */
const struct stage_ops *stage_find(enum slot slot, const char *name);

#ifdef __cplusplus
}
#endif
#endif
