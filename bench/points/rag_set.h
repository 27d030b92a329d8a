/* SPDX-License-Identifier: MIT
 * rag_set.h - what pipeline points are measured on: a knowledge base and a file of questions. */
#ifndef ASSAY_RAG_SET_H
#define ASSAY_RAG_SET_H
#include "bench/quality/difficulty.h"
#include "bench/quality/queries.h"
#include "pipeline/pipeline.h"

struct rag_set {
    const char *db;
    char name[128]; /* "wordnet/kb.sqlite" */
    uint64_t hash;  /* of base, questions and labels */
    uint64_t base_hash, stamp; /* of what the base says, and of its files' times */
    char *notes;    /* what was left out of the base when it was made; NULL: nothing */
    struct queries queries;
    struct stage_choice usual; /* stages of the base where a point chooses none */
    size_t base_count; /* rows of kg_vectors; from rag_prepare on, those that take part */
    /* From rag_prepare. */
    size_t dim;
    float *vectors;    /* queries.count x dim: what each question was embedded to */
    int64_t *truth;    /* queries.count x truth_k entity ids, best first */
    size_t truth_k;
    struct difficulties hard; /* of every question, from the truth */
    int blind;         /* words alone are asked of a base that no embedder of ours fits: no vectors, no truth */
    int replay_fd;     /* the truth as candidate lists, for retrieve=replay; -1: none */
};
/* What is asked and what is relevant: ids and qrels may be NULL (queries_name, queries_label). */
struct question_files {
    const char *questions, *ids, *qrels;
    int drop; /* labels of documents that are not there */
};
/* The questions, labelled by the ids that a base's entities have. */
int question_files_open(struct queries *q, const struct question_files *f, const char *db, struct err *e);
/* db must outlive the set. */
int rag_set_open(struct rag_set *s, const char *db, const struct question_files *f, struct err *e);
void rag_set_close(struct rag_set *s);
struct run;
void rag_set_note(const struct rag_set *s, struct run *run); /* what was left out of base, questions and labels */
/* ERR_BUSY: the base says something else than when the set was opened. */
int rag_set_still(const struct rag_set *s, struct err *e);
/* Some of the questions of an open set, which must outlive it. */
int rag_set_take(struct rag_set *out, const struct rag_set *all, const uint32_t *which, size_t count, struct err *e);
/* Deals an open set's questions, in the order of `seed`, to two new ones: `share` of them, and the rest.  labelled: only
 * those that have something relevant.  ERR_ARG: fewer than `least` in either. */
int rag_set_split(struct rag_set *some, struct rag_set *rest, const struct rag_set *all, double share, uint64_t seed,
                  int labelled, size_t least, struct err *e);

/* What is asked. */
struct rag_point {
    const char *const *settings; /* "key=value" */
    size_t setting_count;
    const char *kernel; /* "": best defaults */
    size_t k;
    int threads; /* pipelines that answer at a time, over one base in memory */
};

/* Embeds every question (and builds no index), and finds its exact neighbours: `depth` of them, or what the
 * pipeline's re-ranking keeps if that is more; all there are if that is less.  Good for every point with the same
 * embedder.  ERR_ARG: a base without vectors, questions of another dimension. */
int rag_prepare(struct rag_set *s, const struct rag_point *p, size_t depth, int threads, struct err *e);

/* 1 when question i has no text: it is asked nothing, and nothing is found for it. */
int rag_is_mute(const struct rag_set *s, size_t i);
/* Question i as it is asked; a prepared set brings its vector, so that no embedder runs. */
struct question rag_question(const struct rag_set *s, size_t i, int prepared);
/* Asks question i; a prepared set brings its vector, so that no embedder runs. */
int rag_ask(struct pipeline *p, const struct rag_set *s, size_t i, int prepared, size_t k, struct answer *out,
            struct err *e);
/* The point's settings and up to three more (NULL ends them), without those that these leave without effect;
 * mem_free them.  NULL: no memory. */
const char **rag_settings(const struct rag_set *s, const struct rag_point *point, const char *const extra[3],
                          size_t *count);
const char *rag_setting(const struct pipeline *p, const char *wanted); /* "" when it is not in force */
/* A line on stderr for each thing that was left out of the questions and labels, or kept though it cannot count. */
void rag_notes(const struct rag_set *s, const char *what);
/* A line on stderr about what of the database takes no part, and one about what index_doubt says, if anything. */
void rag_doubt(const struct pipeline *p, struct text *out); /* appends index_doubt of its index */
void rag_warn(const char *db, const struct pipeline *p);
#endif
