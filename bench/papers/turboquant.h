/* SPDX-License-Identifier: MIT
 * turboquant.h - the items of paper_turboquant.c, by file. */
#ifndef ASSAY_PAPERS_TURBOQUANT_H
#define ASSAY_PAPERS_TURBOQUANT_H
#include "bench/papers/paper.h"

/* turboquant_codes.c: of vectors and their codes alone */
int turboquant_errors(struct paper_run *r, struct err *e);
int turboquant_spread(struct paper_run *r, struct err *e);
int turboquant_histogram(struct paper_run *r, struct err *e);
int turboquant_entropy(struct paper_run *r, struct err *e);
int turboquant_rotation(struct paper_run *r, struct err *e);
/* turboquant_recall.c: of search */
int turboquant_recall(struct paper_run *r, struct err *e);
int turboquant_bytes(struct paper_run *r, struct err *e);
int turboquant_centring(struct paper_run *r, struct err *e);
int turboquant_query(struct paper_run *r, struct err *e);
int turboquant_rerank(struct paper_run *r, struct err *e);
int turboquant_kernels(struct paper_run *r, struct err *e);
/* turboquant_time.c */
int turboquant_encoding(struct paper_run *r, struct err *e);
int turboquant_scans(struct paper_run *r, struct err *e);
#endif
