/* SPDX-License-Identifier: MIT
 * rag_judge.h - how good the answers of a pipeline are.
 *
 * recall_* and candidate_recall are about stage one, against exact cosine over the base's vectors.
 * agree_at_10 and churn_at_10 come from two reference pipelines that run outside the timed loop: one
 * with an exact stage one and all candidates, one without expansion.  Where there are labels, one more for
 * every depth below the point's says what each hop of the graph brings in. */
#ifndef ASSAY_RAG_JUDGE_H
#define ASSAY_RAG_JUDGE_H
#include "bench/points/rag_arm.h"

/* What is found out beside the answers: agree_at_10; churn_at_10 and the yield of hops; code_ceiling, an exact
 * search over the decoded vectors (slow). */
enum { RAG_AGREE = 1, RAG_GRAPH = 2, RAG_CEILING = 4, RAG_USUAL = RAG_AGREE | RAG_GRAPH };
/* Fills quality, answers, hops and the work of stage one; ends with the point's own settings in force. */
int rag_judge(struct rag_arm *a, const struct rag_set *s, int wanted, struct err *e);

/* Means over the judged questions of every metric_cut, in the order of metric_cut_at.  NaN: no labels, or cut > k. */
enum { RAG_CUTS = 8 };
void rag_cut(const struct rag_set *s, const struct rag_arm *a, size_t cut, double means[RAG_CUTS]);
#endif
