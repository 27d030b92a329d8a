/* SPDX-License-Identifier: MIT
 * paired.h - are two systems that answered the same queries different, and which of many? */
#ifndef ASSAY_PAIRED_H
#define ASSAY_PAIRED_H
#include <stddef.h>
#include <stdint.h>

/* Two-sided p of Fisher's randomization test on the mean of paired differences: signs are flipped at random 9,999
 * times (Smucker, Allan & Carterette 2007, section 3.5: what to use for retrieval).  Never below 1e-4; 1 where no
 * difference is other than 0, or n is 0.  Equal input gives equal output. */
double paired_p(const double *differences, size_t n, uint64_t seed);

/* Holm's step-down (1979): adjusted[i] is p[i] for all of a family of n, so that what is below 0.05 holds together. */
void paired_holm(const double *p, size_t n, double *adjusted);
#endif
