/* SPDX-License-Identifier: MIT
 * subject.h - something that can be timed and compared: a kernel, an index, a whole pipeline.
 *
 *     kernel:OP=ISA[/VARIANT]    kernel:OP        one iteration is one call
 *     index:SPEC[@KERNEL]                         one iteration is one query, in the file's order, round and round
 *     rag:DB[,KEY=VALUE ...][@KERNEL]             the same
 *
 * @KERNEL is a --kernel request (kernel.h) for that subject alone. */
#ifndef ASSAY_SUBJECT_H
#define ASSAY_SUBJECT_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/err.h"
#include "kernels/base/option.h"
#include "kernels/base/text.h"

/* What all subjects of one run work on. */
struct subject_data {
    const char *base, *query;   /* index: vector files; NULL: clustered vectors made from the seed */
    const char *metric;         /* index */
    const char *questions;      /* rag: a file of questions (queries.h) */
    const char *qrels;          /* rag: what is relevant to them; NULL: unknown */
    int trust;                  /* rag: a service that the base names may be asked */
    const char *where;          /* kernel: working set, "l1" "l2" "l3" "dram" */
    int64_t n, query_count;     /* index: how many vectors to make */
    int64_t dim, k, bits, batch, seed;
    int gather;                 /* kernel: rows by a random list */
};
extern const struct subject_data SUBJECT_DATA_USUAL;
enum { SUBJECT_OPTIONS = 14, SUBJECT_KERNEL_OPTIONS = 4 }; /* the last four only say something of kernels */
/* Writes the options that fill *d into table (SUBJECT_OPTIONS of them, without the end). */
void subject_options(struct subject_data *d, struct option *table);
/* The help lines of those options: of kernels alone, and of all others. */
#define SUBJECT_HELP_KERNEL \
    "  --where LEVEL      kernel: working set l1, l2, l3 or dram                  (l2)\n" \
    "  --bits N           kernel: bits of a code                                  (4)\n" \
    "  --batch N          kernel: queries a call                                  (1)\n" \
    "  --gather           kernel: rows by a random list\n"
#define SUBJECT_HELP \
    "what they work on\n" \
    "  --dim N            dimensions of what is made                              (384)\n" \
    "  --base, --query F  index: vector files; without them clustered vectors are made\n" \
    "  --n, --queries N   index: how many to make                                 (20000, 200)\n" \
    "  --metric M         index: cosine, dot or l2                                (cosine)\n" \
    "  --questions FILE   rag: .jsonl, .txt or vectors\n" \
    "  --qrels FILE       rag: what is relevant to them\n" \
    "  --trust            rag: a service that the base names (embed_url) may be asked\n" \
    "  -k N               results asked for                                       (10)\n"

struct subject;
/* ERR_ARG for an unknown kind, kernel, index or key; ERR_NOT_FOUND for files; ERR_UNSUPPORTED for a kernel that
 * cannot run here. */
int subject_open(struct subject **out, const char *spec, const struct subject_data *d, struct err *e);
void subject_close(struct subject *s); /* NULL is allowed */

/* For struct sample_arm. */
double subject_run(void *subject, uint64_t iterations);
void subject_place(void *subject, uint64_t first);
/* The first failure of a query while running; ERR_OK when there was none. */
int subject_failed(const struct subject *s, struct err *e);

/* Answers and how good they are; asked for once, outside any timing. */
struct subject_facts {
    double vectors;       /* kernel: scored by one call; index: rows; rag: 0 */
    size_t bytes;         /* kernel: of the rows of a call; index: codes and side data */
    uint64_t result;      /* hash of every output */
    size_t queries, k;    /* 0 for a kernel */
    int64_t *ids;         /* queries x k, best first, -1 where there is none; owned by the subject */
    double *quality;      /* of every query: index: recall at k; rag: share of the relevant that came back, NaN
                           * where nothing is; NULL: there is no truth and no label; owned by the subject */
    double retrieve_share; /* rag: of a query's time that is stage one, mean; else 0 */
    struct text kernels;  /* "op=isa/variant;..."; owned by the subject */
};
int subject_look(struct subject *s, const struct subject_facts **out, struct err *e);
#endif
