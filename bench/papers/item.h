/* SPDX-License-Identifier: MIT
 * item.h - runs one item of a paper, or takes up what an earlier run of the same has left. */
#ifndef ASSAY_PAPERS_ITEM_H
#define ASSAY_PAPERS_ITEM_H
#include "bench/papers/paper.h"
#include "bench/papers/published.h"
#include "bench/rows/run.h"
#include "bench/rows/table.h"

enum { PAPER_ITEMS_MAX = 64 };
/* Items in the order of the plug-in, then those that the table alone has.  ERR_FORMAT as paper_table_read; free both. */
struct paper_plan {
    const struct paper_ops *paper;
    struct paper_table table;
    const char *items[PAPER_ITEMS_MAX];
    size_t count;
};
int paper_plan_init(struct paper_plan *p, const struct paper_ops *paper, struct err *e);
void paper_plan_fini(struct paper_plan *p);
/* "R", "T", "X", or "RT" where an item has lines of both. */
void paper_plan_classes(const struct paper_plan *p, const char *item, char out[4]);

/* Rows of an item into *rows (zeroed; table_free), and with asked->out into <out>/<paper>_<item>.csv, where rows of the
 * same item, options, files, table of numbers and program are taken as they are: *kept is then 1. */
int paper_item_run(const struct paper_plan *p, const char *item, const struct paper_asked *asked, const struct run *run,
                   struct table *rows, int *kept, struct err *e);
#endif
