/* SPDX-License-Identifier: MIT
 * rag_trec.h - TREC files, as trec_eval reads them, by the ids that the user knows. */
#ifndef ASSAY_RAG_TREC_H
#define ASSAY_RAG_TREC_H
#include "bench/points/rag_arm.h"

/* Run: "qid Q0 docid rank score tag" between tabs, score the combined one in float32, which is what trec_eval keeps.
 * Where a score is not below the one before, trec_eval would order by document id: there it is lowered by the least step
 * that keeps our order, and *nudged counts these.  ERR_ARG: an id that holds a blank, which no such file can hold. */
int rag_write_run(const char *path, const struct rag_set *s, const struct rag_arm *a, size_t *nudged, struct err *e);
/* Labels: "qid 0 docid grade", of the questions in the file. */
int rag_write_qrels(const char *path, const struct rag_set *s, struct err *e);
#endif
