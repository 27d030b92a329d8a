/* SPDX-License-Identifier: MIT
 * qrels.h - what is relevant to which question, as people keep it:
 *
 *   qid 0 document grade     TREC, between blanks or tabs
 *   qid document grade       BEIR, between tabs, with or without a line of names
 *   qid document             all relevant, grade 1
 *
 * Line 1 is a line of names only where neither its document nor its grade can be data; its names say which column is
 * which.  Grades are whole numbers, relevant from 1 on, as trec_eval reads them. */
#ifndef ASSAY_QRELS_H
#define ASSAY_QRELS_H
#include "datasets/intake.h"

struct judgement {
    const char *query, *document;
    int64_t grade;
    size_t line;
};
/* is_document(context, id): 1 when a document has this id.  each: a non-zero return stops and is passed on. */
struct qrels_reader {
    int (*is_document)(void *context, const char *id);
    int (*each)(void *context, const struct judgement *j, struct err *e);
    void *context;
    const char *columns; /* "query-id,corpus-id,score": of a file without names, in its order; NULL: as above */
};
/* A pair that comes again with the same grade is counted in *repeated and not delivered.  ERR_FORMAT naming path, line,
 * field and value: too few or many columns, a grade that is no whole number, names that mean nothing, a pair judged
 * twice with different grades (both lines are named). */
int qrels_read(const char *path, const struct qrels_reader *r, size_t *repeated, struct err *e);
#endif
