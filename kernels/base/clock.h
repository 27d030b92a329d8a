/* SPDX-License-Identifier: MIT
 * clock.h - monotonic time, as the machine has it: never set back, and of no use between two starts of it. */
#ifndef ASSAY_CLOCK_H
#define ASSAY_CLOCK_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint64_t clock_ns(void); /* CLOCK_MONOTONIC */
double clock_since_s(uint64_t start_ns); /* seconds since a reading */

#ifdef __cplusplus
}
#endif
#endif
