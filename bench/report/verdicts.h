/* SPDX-License-Identifier: MIT
 * verdicts.h - tables that bring verdicts of their own (bench, compare, paper) in a sentence. */
#ifndef ASSAY_VERDICTS_H
#define ASSAY_VERDICTS_H
#include "bench/rows/table.h"
#include "kernels/base/text.h"

/* What such a table measured, as plain text; 0: it is none of these. */
int verdicts_title(struct text *out, const struct table *t);
/* Its answer as a card; nothing where it is none of these. */
void verdicts_write(struct text *out, const struct table *t);
#endif
