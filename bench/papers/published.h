/* SPDX-License-Identifier: MIT
 * published.h - the numbers of a paper: a tab-separated table with the header
 *
 *     item class cell value digit unit how where rule tolerance why
 *
 * in which "-" is an empty field.
 *   class      R  the paper's own quantity, recomputed on data that it defines
 *              T  the same mechanism on other data: direction and shape are compared, never the number
 *              X  impossible here; `why` is the reason, and cell to tolerance are empty
 *   cell       key=value;key=value
 *   digit      one unit of the last digit that is printed; of a figure, the width of what could have been read
 *   how        printed | figure | code | secondary: another's report or measurement; the paper itself was not read for it
 *              (a figure's legend says so)
 *   where      table or figure, and the source where it is not the paper itself
 *   rule       within: value +- (digit / 2 + tolerance)      at_least, at_most: a bound, tolerance beyond it
 *              direction: ours lies on value's side of 0     shape: the cells of one line of a figure stand in the same order
 *   tolerance  what is allowed beyond the digit; stands here before anything is run
 *   why        what explains it where ours deviates */
#ifndef ASSAY_PAPERS_PUBLISHED_H
#define ASSAY_PAPERS_PUBLISHED_H
#include "kernels/base/err.h"
#include <stddef.h>

enum paper_class { PAPER_R, PAPER_T, PAPER_X };
enum paper_rule { PAPER_WITHIN, PAPER_AT_LEAST, PAPER_AT_MOST, PAPER_DIRECTION, PAPER_SHAPE };

struct paper_line {
    const char *item, *cell, *unit, *how, *where, *why;
    enum paper_class class;
    enum paper_rule rule;
    double value, digit, tolerance; /* X: NaN */
    size_t number;                  /* of the line in the file, the header being 1 */
};
struct paper_table {
    struct paper_line *lines;
    size_t count;
    char *text; /* owned: what the lines point into */
};
/* ERR_FORMAT naming file, line, field and value; ERR_MEM. */
int paper_table_read(struct paper_table *t, const char *file, const char *text, struct err *e);
void paper_table_free(struct paper_table *t); /* a zeroed one is allowed */
const char *paper_class_name(enum paper_class c);
const char *paper_rule_name(enum paper_rule r);
/* 1 when every key=value of `part` stands in `whole`; "" is in all. */
int cell_in(const char *part, const char *whole);
/* The value of a key into out; "" and 0 when there is none. */
int cell_get(const char *cell, const char *key, char *out, size_t size);
/* The cell without some keys. */
void cell_without(const char *cell, const char *const *keys, size_t count, char *out, size_t size);
/* The same without the keys that `other`, a cell, has. */
void cell_beside(const char *cell, const char *other, char *out, size_t size);
#endif
