/* SPDX-License-Identifier: MIT
 * history.h - the saved runs of a folder in the order of time: what each kernel took, and how far it moved last. */
#ifndef ASSAY_HISTORY_H
#define ASSAY_HISTORY_H
#include "bench/report/folder.h"

/* A section, or nothing where there are fewer than two saved runs of one machine.  number: of its table on the page. */
int history_write(struct text *out, const struct folder *f, size_t number, struct err *e);
#endif
