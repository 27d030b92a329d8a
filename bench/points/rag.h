/* SPDX-License-Identifier: MIT
 * rag.h - measures pipeline points: a knowledge base, a file of questions, settings. */
#ifndef ASSAY_RAG_H
#define ASSAY_RAG_H
#include "bench/points/rag_arm.h"

/* Opens the pipeline, runs the references and judges every question once.  ERR_BUSY, here and below: the base changed
 * since the set was opened. */
int rag_open(struct rag_arm *a, const struct rag_set *s, const struct rag_point *p, int wanted, struct err *e);
/* The same on the base that `a` has open, with other settings, if they embed alike.  After a failure: rag_close. */
int rag_reopen(struct rag_arm *a, const struct rag_set *s, const struct rag_point *p, int wanted, struct err *e);
/* Times calls until there are least_calls and every question was asked; budget_s as in ann_plan. */
int rag_time(struct rag_arm *a, const struct rag_set *s, size_t least_calls, double budget_s, struct err *e);
void rag_close(struct rag_arm *a);
#endif
