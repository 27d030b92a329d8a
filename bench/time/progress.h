/* SPDX-License-Identifier: MIT
 * progress.h - a line with an ETA on stderr, only on a terminal and only after two seconds. */
#ifndef ASSAY_PROGRESS_H
#define ASSAY_PROGRESS_H
#include <stdint.h>

struct progress { const char *what; uint64_t total, start_ns, last_ns; int shown; };
void progress_start(struct progress *p, const char *what, uint64_t total); /* total 0: not known */
void progress_step(struct progress *p, uint64_t done);
void progress_end(struct progress *p);
#endif
