/* SPDX-License-Identifier: MIT
 * retrieval.h - what papers on retrieval share: a knowledge base made for an item, questions asked of it with other
 * settings each time, and what every question came to. */
#ifndef ASSAY_PAPERS_RETRIEVAL_H
#define ASSAY_PAPERS_RETRIEVAL_H
#include "bench/papers/paper.h"
#include "bench/papers/scratch.h"
#include "bench/papers/split.h"
#include "bench/points/rag.h"

/* Zero-initialise; retrieval_close.  Must not move while it is open. */
struct retrieval {
    struct scratch scratch; /* of its own, gone with it; none where the folder is a user's */
    char folder[512], db[544];
    struct rag_set all, set; /* the questions; those that are asked */
    int has_all, has_set, ready; /* ready: arm is open */
    size_t most;             /* of all, those that may be asked; 0: every one */
    struct text settings;
    const char *parts[32];
    struct rag_arm arm;
};
/* One of the four; split: "tune" or "report" where the source deals its questions out, NULL: all that it has. */
struct retrieval_source {
    const char *generator, *params; /* "n=2000,queries=100" */
    const char *importer, *from;    /* from NULL: where the importer looks */
    int (*fill)(void *context, const struct kb_sink *sink, struct err *e); /* a source of the item's own */
    void *context;
    const char *folder;             /* of a user, with kb.sqlite, questions and qrels: read, and left as it is */
    const char *split;
    size_t questions;               /* the first so many; 0: all */
    size_t dim;                     /* of the vectors of its texts; 0: kb_build's */
};
/* WordNet, whose usage examples ask for their own synset: the first questions of the report half, in the file's shuffled
 * order.  0: it is not installed, and `lacks` says how to come by it. */
int retrieval_wordnet(struct retrieval_source *s, size_t questions, char *lacks, size_t size);
int retrieval_open(struct retrieval *r, const struct retrieval_source *s, struct err *e);
/* Other questions of the same base: those of another split. */
int retrieval_questions(struct retrieval *r, const char *split, struct err *e);
/* Asks the questions, or about a share of those that have something relevant, drawn by `seed` (the rest with a negative
 * one); 0: all.  What is asked twice with the same answers is dealt to one side. */
int retrieval_part(struct retrieval *r, double share, uint64_t seed, struct err *e);
/* Asks every question with "key=value key=value" over the pipeline's defaults, k answers each. */
int retrieval_ask(struct retrieval *r, size_t k, struct err *e, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void retrieval_close(struct retrieval *r);

/* Of each labelled question, in order: metric.h's functions of a cut, over the answers of the last retrieval_ask; and a
 * registered metric by its name.  How many; out has room for all questions. */
size_t retrieval_at(const struct retrieval *r, double (*of)(const struct evidence *, size_t), size_t cut, double *out);
size_t retrieval_metric(const struct retrieval *r, const char *name, double *out);
/* The questions that are asked now are such; split_clear forgets them. */
int retrieval_mark(const struct retrieval *r, struct split *s, enum split_part part, struct err *e);
/* With a folder (run->asked.out) the answers of the last retrieval_ask go to <out>/trec/<paper>_<item>_<data>_<arm>.run, and
 * the labels of what was asked to <paper>_<item>_<data>.qrels beside it, as trec_eval reads them (rag_trec.h); blanks and
 * marks of a name become '_'.  data: what was asked, of which part; arm: with which settings. */
int retrieval_keep(const struct retrieval *r, const struct paper_run *run, const char *data, const char *arm, struct err *e);
/* The same of lists that an item made itself: answers, scores, answer_count and point.k of `lists`. */
int retrieval_keep_lists(const struct retrieval *r, const struct rag_arm *lists, const struct paper_run *run, const char *data,
                         const char *arm, struct err *e);
/* ours, lo and hi of a mean over questions: 99.9 % bootstrap; and finding_against. */
void retrieval_mean(struct finding *f, const double *values, size_t count, const double *base, const char *against);
#endif
