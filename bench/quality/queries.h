/* SPDX-License-Identifier: MIT
 * queries.h - a file of questions, and what is relevant to each.
 *
 *   .jsonl   one object a line: "_id" (or "id"), "text"
 *   .txt     one question a line; blank lines are passed over
 *   other    vectors, as dataset_open reads them
 * Where the file names no id, a question is known by its number, from 0. */
#ifndef ASSAY_QUERIES_H
#define ASSAY_QUERIES_H
#include "bench/quality/metric.h"
#include "datasets/dataset.h"
#include "kernels/base/err.h"

struct queries {
    size_t count;
    struct dataset vectors; /* rows.count 0: the questions are text */
    const char **names;     /* ids as text */
    const char **texts;     /* NULL: vectors */
    int64_t *ids;           /* the name as a number; the position where it is none */
    struct label *labels;   /* of question i: from label_start[i] to label_start[i + 1] - 1, highest grade first */
    size_t *label_start;    /* NULL: no qrels were read */
    size_t unknown;         /* qrels of questions that are not in the file */
    uint64_t hash;          /* of questions and labels */
    char *bytes;            /* what the strings point into */
};

/* ERR_NOT_FOUND, ERR_IO, ERR_FORMAT (naming path and line), ERR_ARG (no question, an id twice), ERR_MEM. */
int queries_open(struct queries *q, const char *path, struct err *e);
/* Reads qrels: "qid 0 docid grade" (TREC), or tab-separated "qid docid grade" and "qid docid" with or
 * without a header line (BEIR).  docid is an entity's id.  The first of two equal lines counts. */
int queries_label(struct queries *q, const char *path, struct err *e);
void queries_close(struct queries *q);
/* The questions at `which`, with their labels; `all` must outlive them.  ERR_MEM. */
int queries_take(struct queries *out, const struct queries *all, const uint32_t *which, size_t count, struct err *e);

static inline const struct label *queries_labels(const struct queries *q, size_t i, size_t *count)
{
    *count = q->label_start ? q->label_start[i + 1] - q->label_start[i] : 0;
    return *count ? q->labels + q->label_start[i] : NULL;
}
#endif
