/* SPDX-License-Identifier: MIT
 * queries.h - a file of questions, and what is relevant to each.
 *
 *   .jsonl   one object a line: "_id" (or "id"), "text".  All lines have an id, or none has
 *   .txt     one question a line; blank lines are passed over
 *   other    vectors, as dataset_open reads them; a file of ids beside them says whose they are
 * Where nothing names an id, a question is known by its number, from 0.  A question without a text is asked nothing. */
#ifndef ASSAY_QUERIES_H
#define ASSAY_QUERIES_H
#include "bench/quality/metric.h"
#include "datasets/dataset.h"
#include "datasets/intake.h"
#include "kernels/base/err.h"

struct queries {
    size_t count;
    struct dataset vectors; /* rows.count 0: the questions are text */
    const char **names;     /* ids as text */
    const char **texts;     /* NULL: vectors; "": none */
    int64_t *ids;           /* the name as a number; the position where it is none */
    int by_row;             /* vectors whose ids nothing says */
    struct label *labels;   /* of question i: from label_start[i] to label_start[i + 1] - 1, highest grade first */
    size_t *label_start;    /* NULL: no qrels were read */
    struct names absent;    /* documents that are judged and not there: their labels' ids are QUERIES_ABSENT + number */
    size_t unknown;         /* judgements of questions that are not in the file */
    struct tally notes;     /* what was left out, or kept though it cannot count */
    uint64_t hash;          /* of questions and labels */
    char *bytes;            /* what the strings point into */
};
#define QUERIES_ABSENT INT64_MIN

/* ERR_NOT_FOUND, ERR_IO, ERR_FORMAT (naming path, line, field and value), ERR_ARG (no question, an id twice), ERR_MEM. */
int queries_open(struct queries *q, const char *path, struct err *e);
/* The ids of questions that are vectors: line i of a .jsonl (as above) or of any other file (the line is the id) is row i's.
 * "rows": they are known by their rows, from 0.  ERR_ARG: not as many as rows, an id twice, questions that are text. */
int queries_name(struct queries *q, const char *path, struct err *e);

/* What documents are there: find gives an entity's number, ERR_NOT_FOUND where none has the id. */
struct documents {
    int (*find)(void *context, const char *id, int64_t *number, struct err *e);
    void *context;
};
/* Reads qrels (datasets/qrels.h).  documents NULL: every whole number is one's.  Labels of documents that are not there
 * are kept: relevant and never found; `drop`: not kept.  ERR_ARG: no line is about a question of the file; no document is
 * there; rows that nothing names, and judgements that do not fit them. */
int queries_label(struct queries *q, const char *path, const struct documents *documents, int drop, struct err *e);
void queries_close(struct queries *q);
/* The questions at `which`, with their labels; `all` must outlive them.  ERR_MEM. */
int queries_take(struct queries *out, const struct queries *all, const uint32_t *which, size_t count, struct err *e);
/* The id of a label's document that is not there; NULL: it is. */
const char *queries_absent(const struct queries *q, int64_t id);

static inline const struct label *queries_labels(const struct queries *q, size_t i, size_t *count)
{
    *count = q->label_start ? q->label_start[i + 1] - q->label_start[i] : 0;
    return *count ? q->labels + q->label_start[i] : NULL;
}
#endif
