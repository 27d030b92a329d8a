/* SPDX-License-Identifier: MIT
 * judge.h - findings meet the numbers of a paper, and verdicts come of intervals.
 *
 * [lo, hi] is the finding's interval, v the printed value, b = digit / 2 + tolerance.  A theory speaks for a finding
 * when it lies within [lo, hi], widened by a thousandth of itself.
 *   agrees              R  within: [lo, hi] meets [v - b, v + b], and no theory speaks against it; a bound: on its side
 *   agrees with theory  R  it does not meet v, and the theory is right: the paper rounded, or computed from what it had
 *                          rounded; also where the paper prints nothing
 *   deviates            R  neither, or the theory speaks against it
 *   shape agrees, shape differs   T  direction: [lo, hi] lies on one side of 0.  shape: Kendall's tau of the cells of a
 *                          line, p by 9,999 permutations, 0.05 or below
 *   not resolved        the interval is too wide to say: half of it is more than 2 b; or it straddles the bound or 0
 *   X                   the table's: never claimed
 *   skipped             no finding met the line, and why; never "agrees"
 *   void                a question both tuned and was reported on
 *   (empty)             the paper gives no number, and no theory does: what is drawn between its points */
#ifndef ASSAY_PAPERS_JUDGE_H
#define ASSAY_PAPERS_JUDGE_H
#include "bench/papers/paper.h"
#include "bench/papers/published.h"
#include "kernels/base/text.h"

enum verdict {
    VERDICT_AGREES, VERDICT_THEORY, VERDICT_DEVIATES, VERDICT_SHAPE, VERDICT_NO_SHAPE, VERDICT_UNRESOLVED, VERDICT_X,
    VERDICT_SKIPPED, VERDICT_VOID, VERDICT_NONE, VERDICT_COUNT
};
const char *verdict_name(enum verdict v);

struct judged {
    struct finding f; /* its index and note are copied */
    char index[256], why[512], against[64];
    size_t tuned, reported; /* questions of the finding that chose, and that it is over */
    const struct paper_line *line; /* NULL: the paper gives no number */
    enum paper_class class;
    enum verdict verdict;
    int is_shaped;  /* its line of a figure has been judged */
    double shape_p; /* of that; else NaN */
};
struct judge {
    const struct paper_table *table;
    const char *item, *along; /* along: the figure's x, whose values are the cells of one line; NULL: none */
    int quick;
    struct judged *rows;
    size_t count, room;
    struct skip { char cell[PAPER_CELL_MAX], lacks[256]; } *skips;
    size_t skip_count, skip_room;
};
void judge_init(struct judge *j, const struct paper_table *t, const struct paper_item *item, const char *name);
/* A row for every line that the finding meets; one without a line where there is none. */
int judge_add(struct judge *j, const struct finding *f, struct err *e);
int judge_skip(struct judge *j, const char *cell, const char *lacks, struct err *e);
/* What needs all rows: shapes, and lines that nothing met. */
int judge_close(struct judge *j, struct err *e);
void judge_free(struct judge *j);

/* The rows as CSV, after notes: how an item is kept, read back, drawn and put on the page. */
void judge_csv(const struct judge *j, const char *paper, struct text *out);
#endif
