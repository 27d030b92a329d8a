/* SPDX-License-Identifier: MIT
 * diary_trec.h - rankings of a diary's sessions as TREC files, and which conversations chose for which. */
#ifndef ASSAY_PAPERS_DIARY_TREC_H
#define ASSAY_PAPERS_DIARY_TREC_H
#include "bench/papers/diary.h"
#include "bench/papers/paper.h"
#include "bench/papers/split.h"

/* With a folder (run->asked.out): <out>/trec/<paper>_<item>_<data>_<arm>.run, of scores[question][DIARY_SESSIONS_MOST], and
 * the labels beside it.  Question "q12" is the file's 13th; "c0.s3" the fourth session of its first conversation. */
int diary_keep(const struct diary *d, const struct paper_run *run, const char *data, const char *arm, const double *scores,
               struct err *e);
/* Each conversation is reported on with what all others chose: a question is in both only where the same is asked with the
 * same answer in two conversations. */
int diary_split(const struct diary *d, struct split *out, struct err *e);
#endif
