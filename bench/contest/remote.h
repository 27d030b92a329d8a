/* SPDX-License-Identifier: MIT
 * remote.h - subjects in a process of their own, driven over a pipe.
 *
 * Every replicate of a comparison is a fresh process, so that memory layout and luck are drawn
 * again.  Interleaved arms live in one process, which runs the whole sampling by itself; isolated
 * arms and other binaries live in one process each and are driven sample by sample.
 *
 *   look ARM                            -> ok VECTORS BYTES RESULT SHARE QUERIES K HAS_QUALITY KERNELS ids... quality...
 *   sample ROUNDS SAMPLE_NS BUDGET_NS SEED -> ok ROUNDS OVERHEAD PREEMPTED ns...    (arm after arm)
 *   run ARM ITERATIONS FIRST            -> ok NS
 *   anything that fails                 -> error CODE TEXT
 * One line each way, of at most 64 MB.  A server ends when its input does; of another program's answer no number is believed
 * before as much as it promises is there. */
#ifndef ASSAY_REMOTE_H
#define ASSAY_REMOTE_H
#include <stddef.h>
#include <stdint.h>
#include "bench/time/sample.h"
#include "bench/contest/subject.h"
#include "kernels/base/err.h"

/* The server: reads commands from standard input until it ends.  ERR_MEM, ERR_IO. */
int remote_serve(struct subject *const *subjects, size_t count, struct err *e);

/* The client. */
struct remote;
/* Starts argv[0] (a path) with argv.  ERR_IO; that it died is found by the first command. */
int remote_open(struct remote **out, char *const *argv, struct err *e);
void remote_close(struct remote *r); /* NULL is allowed */
/* Facts of one arm, the caller's to free with remote_facts_free. */
int remote_look(struct remote *r, size_t arm, struct subject_facts *out, struct err *e);
void remote_facts_free(struct subject_facts *f);
/* All arms of this process, interleaved in it.  plan->clock and counters are ignored. */
int remote_sample(struct remote *r, size_t arms, const struct sample_plan *plan, struct samples *out, struct err *e);

/* One arm of a process, for sample_run here; failed is the first error. */
struct remote_arm { struct remote *remote; size_t arm; uint64_t first; struct err failed; };
double remote_run(void *arm, uint64_t iterations);
void remote_place(void *arm, uint64_t first);
#endif
