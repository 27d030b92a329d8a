/* SPDX-License-Identifier: MIT
 * rag.h - measures pipeline points: a knowledge base, a file of questions, settings.
 *
 * recall_* and candidate_recall are about stage one, against exact cosine over the base's vectors.
 * agree_at_10 and churn_at_10 come from two reference pipelines that run outside the timed loop: one
 * with an exact stage one and all candidates, one without expansion.  Where there are labels, one more for
 * every depth below the point's says what each hop of the graph brings in. */
#ifndef ASSAY_RAG_H
#define ASSAY_RAG_H
#include "bench/point.h"
#include "bench/queries.h"
#include "bench/run.h"
#include "pipeline/graph.h"
#include "pipeline/pipeline.h"

struct rag_set {
    const char *db;
    char name[128]; /* "wordnet/kb.sqlite" */
    uint64_t hash;  /* of base, questions and labels */
    struct queries queries;
    struct stage_choice usual; /* stages of the base where a point chooses none */
    /* From rag_prepare. */
    size_t base_count, dim;
    float *vectors;    /* queries.count x dim: what each question was embedded to */
    int64_t *truth;    /* queries.count x truth_k entity ids, best first */
    size_t truth_k;
    int replay_fd;     /* the truth as candidate lists, for retrieve=replay; -1: none */
};
/* qrels may be NULL.  db must outlive the set. */
int rag_set_open(struct rag_set *s, const char *db, const char *questions, const char *qrels, struct err *e);
void rag_set_close(struct rag_set *s);
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

/* What expansion to some depth brings in: means a question. */
struct rag_hop {
    double entities, relevant; /* new in the pool; of those relevant */
    double edges;              /* neighbours looked at */
    double us;                 /* of the expand stage */
};

struct rag_arm {
    struct rag_point point;
    struct kernel_set kernels;
    struct pipeline *pipeline;
    double build_s; /* 0: the index was in the file beside the database */
    struct calls calls;
    struct quality quality;
    int64_t *answers; /* queries.count x k; owned */
    size_t *answer_count;
    double survivors, bytes_touched; /* a question, of stage one; NaN: not counted */
    struct rag_hop hops[GRAPH_DEPTH_MAX + 1]; /* by depth */
    int depth; /* of expand=bfs; 0: hops were not looked at */
    double stage_us[SLOT_COUNT], out[SLOT_COUNT]; /* means over the timed calls: time, items handed on */
    double fetch_us;
    uint64_t steal_ms;
};
/* What is found out beside the answers: agree_at_10; churn_at_10 and the yield of hops; code_ceiling, an exact
 * search over the decoded vectors (slow). */
enum { RAG_AGREE = 1, RAG_GRAPH = 2, RAG_CEILING = 4, RAG_USUAL = RAG_AGREE | RAG_GRAPH };
/* Opens the pipeline, runs the references and judges every question once. */
int rag_open(struct rag_arm *a, const struct rag_set *s, const struct rag_point *p, int wanted, struct err *e);
/* The same on the base that `a` has open, with other settings, if they embed alike.  After a failure: rag_close. */
int rag_reopen(struct rag_arm *a, const struct rag_set *s, const struct rag_point *p, int wanted, struct err *e);
/* Times calls until there are least_calls and every question was asked; budget_s as in ann_plan. */
int rag_time(struct rag_arm *a, const struct rag_set *s, size_t least_calls, double budget_s, struct err *e);
void rag_close(struct rag_arm *a);
/* One line on stderr about what of the database takes no part, if anything. */
void rag_warn(const char *db, const struct pipeline *p);

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

/* Means over the judged questions of every metric_cut, in the order of metric_cut_at.  NaN: no labels, or cut > k. */
enum { RAG_CUTS = 8 };
void rag_cut(const struct rag_set *s, const struct rag_arm *a, size_t cut, double means[RAG_CUTS]);

/* TREC files, as trec_eval reads them.  Run: "qid Q0 docid rank score tag", scores k, k-1, ...: whatever it does
 * with ties, it sees our order.  Labels: "qid 0 docid grade", of the questions in the file. */
int rag_write_run(const char *path, const struct rag_set *s, const struct rag_arm *a, struct err *e);
int rag_write_qrels(const char *path, const struct rag_set *s, struct err *e);

int rag_layout(struct layout *l, struct err *e); /* adds every pipeline parameter */
/* Hash of settings, data and schema; utility_file counts by its content. */
int rag_point_id(char out[17], const struct rag_set *s, const struct rag_point *p, struct err *e);
/* What is known before measuring, and all of it after. */
void rag_identity(struct row *row, const struct run *run, const struct rag_set *s, const struct rag_point *p, int rep);
int rag_row(struct row *row, const struct run *run, const struct rag_set *s, const struct rag_arm *a, int rep,
            struct err *e);
#endif
