/* SPDX-License-Identifier: MIT
 * html.h - pieces of a page: escaped text, numbers as a person reads them, the policy that nothing is fetched. */
#ifndef ASSAY_HTML_H
#define ASSAY_HTML_H
#include "bench/rows/figure.h"
#include "kernels/base/text.h"

/* Appends `s` as it may stand in an element or in an attribute between double quotes. */
void html_add(struct text *out, const char *s);
/* A JSON string as it may stand in a <script> that is data: no '<' in it ends that. */
void html_json(struct text *out, const char *s);
/* 1 where a cell is a finite number, written with digits, point, sign and exponent alone; *value is it. */
int html_is_number(const char *cell, double *value);
/* A cell: numbers in four digits, whole ones and text as they are.  report.js formats in the same way. */
void html_cell(struct text *out, const char *cell);
/* The same of a number; nothing of NaN. */
void html_number(struct text *out, double value);
/* ".9285 [.9195, .9380]" with `digits` behind the point, or 0: as html_number; without the interval where it is none. */
void html_value(struct text *out, struct value v, int digits);
/* A whole number in groups of three: "117,659". */
void html_count(struct text *out, const char *cell);
/* What a column is called on the page: its label, or its name. */
void html_label(struct text *out, const char *column);
/* The same in a sentence: "nDCG@10" of "labels: nDCG@10", and k as a number. */
void html_phrase(struct text *out, const char *column, const char *k);

/* Everything up to and with <body>: one script and one style, known by their hashes, and nothing else. */
void html_open(struct text *out, const char *title);
void html_close(struct text *out);
#endif
