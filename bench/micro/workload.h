/* SPDX-License-Identifier: MIT
 * workload.h - how to drive each kernel operation: operands, bytes and work of a call.
 *
 * The operations come from the files work_<family>.c (driver.h): a new one is timed once it has an entry there.
 * A workload holds one set of rows and two sets of everything else, and alternates between those:
 * results must not depend on where one query or one output happens to lie. */
#ifndef ASSAY_WORKLOAD_H
#define ASSAY_WORKLOAD_H
#include <stddef.h>
#include <stdint.h>
#include "bench/micro/driver.h"
#include "kernels/base/err.h"
#include "kernels/kernel.h"

/* What of the shape matters to an operation, as these bits; -1: it has no entry and is not timed. */
int workload_uses(enum kernel_op op);
int workload_least_bits(enum kernel_op op); /* of an operation that uses bits */
int workload_most_bits(enum kernel_op op);

struct workload;
/* ERR_UNSUPPORTED for an operation without an entry; ERR_ARG for a shape that it cannot have. */
int workload_create(struct workload **out, const struct workload_shape *shape, struct err *e);
void workload_destroy(struct workload *w); /* NULL is allowed */

const struct workload_facts *workload_facts(const struct workload *w);

/* An arm for sample_run: `kernel` over this workload. */
struct workload_arm { struct workload *workload; const struct kernel *kernel; };
double workload_run(void *arm, uint64_t iterations);
/* An arm that only reads what the kernel reads, with peak/read: the ceiling of this very set. */
double workload_read(void *arm, uint64_t iterations);

/* Runs `kernel` and the scalar row over small operands of that shape and compares every output.
 * ERR_FORMAT names the first that differs: such a kernel must not be timed.  (This is a gate; the
 * thorough tests are beside the kernels.) */
int workload_verify(const struct workload_shape *shape, const struct kernel *kernel, struct err *e);
/* Hash of all outputs of one call: equal for kernels that promise the same bits. */
uint64_t workload_result(struct workload *w, const struct kernel *kernel);
#endif
