/* SPDX-License-Identifier: MIT
 * rag_trec.h - TREC files, as trec_eval reads them. */
#ifndef ASSAY_RAG_TREC_H
#define ASSAY_RAG_TREC_H
#include "bench/points/rag_arm.h"

/* Run: "qid Q0 docid rank score tag", scores k, k-1, ...: whatever it does
 * with ties, it sees our order.  Labels: "qid 0 docid grade", of the questions in the file. */
int rag_write_run(const char *path, const struct rag_set *s, const struct rag_arm *a, struct err *e);
int rag_write_qrels(const char *path, const struct rag_set *s, struct err *e);
#endif
