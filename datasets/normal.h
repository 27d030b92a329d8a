/* SPDX-License-Identifier: MIT
 * normal.h - the quantile of the normal law. */
#ifndef ASSAY_NORMAL_H
#define ASSAY_NORMAL_H
/* x with P(N(0, 1) < x) = p, to 1e-15 of x; p in (0, 1).  Algorithm AS 241 (Wichura 1988, Appl. Statist. 37(3)),
 * PPND16; the same bits on every machine. */
double normal_quantile(double p);
#endif
