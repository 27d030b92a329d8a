/* SPDX-License-Identifier: MIT
 * contest_out.h - what a comparison says: a table, JSON, CSV, figures, a paragraph for a paper. */
#ifndef ASSAY_CONTEST_OUT_H
#define ASSAY_CONTEST_OUT_H
#include "bench/contest/contest.h"
#include "kernels/base/text.h"

struct contest_report {
    const struct contest_plan *plan;
    const struct contest *run;
    const struct contest *isolated; /* NULL: not asked for */
    const struct contest *stages;   /* --then, in order */
    size_t stage_count;
    double claim;                   /* 0: none */
};

void contest_table(const struct contest_report *r, struct text *out);
void contest_json(const struct contest_report *r, struct text *out);
void contest_csv(const struct contest_report *r, const char *notes, struct text *out);
void contest_raw_csv(const struct contest_report *r, const char *notes, struct text *out);
void contest_paragraph(const struct contest_report *r, struct text *out); /* Markdown */
/* raw.csv, compare.csv, claim.md and the figure, into a folder. */
int contest_write(const struct contest_report *r, const char *dir, const char *notes, struct err *e);
/* ERR_OK when there is no claim or every arm reaches it. */
int contest_claim(const struct contest_report *r, struct err *e);
#endif
