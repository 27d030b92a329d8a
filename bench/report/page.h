/* SPDX-License-Identifier: MIT
 * page.h - a folder of results as one HTML page that needs nothing else. */
#ifndef ASSAY_PAGE_H
#define ASSAY_PAGE_H
#include "bench/report/folder.h"

/* Title, answer, the three figures that carry it, sections, tables, where it comes from.  ERR_FORMAT names a figure that is
 * none; ERR_IO, ERR_MEM. */
int page_write(struct text *out, const struct folder *f, struct err *e);

/* --- for pages of other kinds ------------------------------------------------------------------- */
void page_about(struct text *out, const struct table *t); /* machine, build and time in a line */
void page_notes(struct text *out, const struct folder *f); /* the provenance of every file */
#endif
