/* SPDX-License-Identifier: MIT
 * quant_recall.h - recall of methods side by side: the same vectors and questions, several seeds, answers of every question. */
#ifndef ASSAY_PAPERS_QUANT_RECALL_H
#define ASSAY_PAPERS_QUANT_RECALL_H
#include "bench/papers/paper.h"
#include "bench/quality/truth.h"

enum { RECALL_DEPTH = 100, RECALL_TRUE = 10, RECALL_KS_MAX = 16 };

struct recall_set {
    struct rows base, query;
    struct truth truth; /* RECALL_TRUE of them */
    enum metric metric;
    struct dataset files[2]; /* a user's */
    char name[64];           /* "clustered", or the user's file */
};
/* Draws `generator` with `args` ("n=10000,dim=200,queries=500,seed=1"). */
int recall_set_draw(struct recall_set *s, const char *generator, const char *args, enum metric metric, int threads, struct err *e);
/* The user's base and queries by cosine. */
int recall_set_open(struct recall_set *s, const struct paper_asked *asked, struct err *e);
void recall_set_free(struct recall_set *s); /* a zeroed one is allowed */

/* What a method is measured as, and what it came to. */
struct method {
    char name[48], spec[160];
    size_t seeds;
    /* Of every number `upto` asked for: means of a draw, and of every question over the draws. */
    double draws[RECALL_KS_MAX][PAPER_SEEDS_MAX], *questions[RECALL_KS_MAX];
    double bytes; /* of a vector, all that is kept for it */
};
enum recall_kind { RECALL_FIRST, RECALL_TEN }; /* is the true nearest, what share of the true ten is, among the first `upto` */
int method_run(struct method *m, const struct recall_set *s, enum recall_kind kind, const size_t *upto, size_t count, int threads,
               struct err *e);
/* Draw number `draw` alone, of an index that the caller has built of m->spec: method_begin once before. */
int method_begin(struct method *m, size_t question_count, size_t count, struct err *e);
int method_draw(struct method *m, const struct recall_set *s, const struct index *ix, enum recall_kind kind, const size_t *upto,
                size_t count, size_t draw, int threads, struct err *e);
void method_free(struct method *m);
/* A curve's point: over draws, or where there are three or fewer over the questions.  against: whose questions it is set
 * against (finding_against); NULL: it is that one. */
void method_finding(const struct method *m, size_t at, size_t question_count, const struct method *against, struct finding *f);
#endif
