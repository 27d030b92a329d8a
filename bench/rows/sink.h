/* SPDX-License-Identifier: MIT
 * sink.h - where the rows of one verb go: stdout as JSON, a CSV, a file of questions beside it. */
#ifndef ASSAY_SINK_H
#define ASSAY_SINK_H
#include "bench/rows/point.h"
#include "bench/rows/run.h"

struct sink {
    struct layout layout; /* add columns between sink_init and sink_create */
    struct run run;       /* and notes */
    int json;             /* rows go to stdout too */
    const char *folder;   /* NULL: no files */
    struct text path;     /* of the CSV */
    int fd;               /* -1: not open */
};

/* argv is the verb's.  After either fails: sink_close. */
int sink_init(struct sink *o, int argc, char *const *argv, int json, const char *folder, struct err *e);
/* Opens <folder>/<name> for rows, if a folder is wanted; notes what `kernel` (as asked for) resolves to. */
int sink_create(struct sink *o, const char *name, const char *kernel, struct err *e);
/* Writes a row wherever rows go, and its questions: `names` as in point_queries. */
int sink_emit(struct sink *o, const struct row *row, const char *const *names, const struct quality *quality,
              const struct calls *calls, size_t batch, struct err *e);
void sink_close(struct sink *o);
#endif
