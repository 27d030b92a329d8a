/* SPDX-License-Identifier: MIT
 * changes.h - two runs side by side: of every point that both have what changed, and whether that is more than noise.
 *
 * Points are the same where all their settings and their data are (figure_point_id).  Quality is paired by question, with
 * Bonferroni's correction over all points.  Time is not paired over hours: where both runs have repetitions enough of a
 * point on one machine (four; more of many points), Mann & Whitney's interval of the shift between them stands, for all points
 * together; else the ratio is shown and not judged.  Kernels (samples of assay bench) are judged in the same way over their processes (saved.h). */
#ifndef ASSAY_CHANGES_H
#define ASSAY_CHANGES_H
#include "bench/report/folder.h"

struct change {
    const struct result_group *group_a, *group_b;
    const struct result_point *a, *b;
    struct value by_a, by_b, apart; /* apart: b minus a, with its interval; no interval: not paired */
    enum change_verdict { CHANGE_NONE, CHANGE_BETTER, CHANGE_WORSE, CHANGE_OPEN, CHANGE_UNJUDGED } quality, time;
    double us_a, us_b;
    struct value faster; /* time of a over time of b; NaN: other machines */
};
struct changes {
    struct change *at; /* in the order of b */
    size_t count, only_a, only_b;
};
/* ERR_MEM. */
int changes_find(struct changes *c, const struct folder *a, const struct folder *b, struct err *e);
void changes_free(struct changes *c);
size_t changes_repetitions(size_t points); /* of each run, without which no time of so many points can be resolved */
const char *change_word(enum change_verdict v, int is_time); /* "better", "slower", "not resolved" ... */

/* The page (changes_page.c).  Names: as they were given.  ERR_NOT_FOUND: the runs have no point and no kernel in common. */
int changes_write(struct text *out, const struct folder *a, const struct folder *b, const char *name_a, const char *name_b,
                  struct err *e);
#endif
