/* SPDX-License-Identifier: MIT
 * kb_files.h - the questions beside a base, a set of files for each split:
 *
 *   queries.jsonl   {"_id": ..., "text": ...}
 *   query.fvecs     those that are vectors, in order; query.ids.txt: their ids, where these are not 0, 1, 2 ...
 *   qrels.txt       TREC's "qid 0 document grade" between tabs, by the ids that the user knows
 *   (with a split: queries.tune.jsonl and so on) */
#ifndef ASSAY_KB_FILES_H
#define ASSAY_KB_FILES_H
#include "datasets/dataset.h"
#include "datasets/intake.h"
#include "datasets/whole_file.h"

struct store;
enum { KB_SPLITS_MAX = 4, KB_FILES = 4 };

struct kb_split {
    char *name;
    struct whole_file files[KB_FILES]; /* each is opened by the first question that needs it */
    size_t vectors;
    int named; /* an id of a vector is not its row */
};

struct kb_files {
    const char *folder, *what; /* what: for messages */
    struct store *store;       /* knows the ids of entities */
    int drop;                  /* labels of absent documents and questions without a text, which are kept otherwise */
    struct kb_split splits[KB_SPLITS_MAX];
    size_t count;
};

struct kb_question {
    const char *id, *split, *text; /* split, text: NULL where there is none */
    const float *x;
    size_t dim;
    const struct kb_label *relevant;
    size_t relevant_count;
};
/* Writes it, or, unjudgeable and `drop`, does not; *written says which.  Notes what is odd in `notes`.  ERR_FORMAT: too
 * many splits; ERR_ARG: a file is there already. */
int kb_files_add(struct kb_files *f, const struct kb_question *q, struct tally *notes, int *written, struct err *e);
/* Gives every file its name; the paths into `published`, which the caller frees, also after a failure. */
int kb_files_publish(struct kb_files *f, char *published[KB_SPLITS_MAX * KB_FILES], size_t *count, struct err *e);
void kb_files_close(struct kb_files *f); /* what was not published is gone */
#endif
