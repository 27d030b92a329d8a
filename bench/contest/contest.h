/* SPDX-License-Identifier: MIT
 * contest.h - runs a comparison: its arms in processes of their own, in rounds, with an arm that is compared with
 * itself (A/A), and what they measured. */
#ifndef ASSAY_CONTEST_H
#define ASSAY_CONTEST_H
#include <stddef.h>
#include <stdint.h>
#include "bench/time/verdict.h"
#include "bench/time/machine.h"
#include "bench/contest/remote.h"
#include "bench/contest/subject.h"

enum { CONTEST_ARMS = 16 };

struct contest_plan {
    const char *program;          /* this binary */
    const char *subject;          /* what other binaries run; NULL where arms are subjects */
    const struct subject_data *data;
    size_t processes, rounds;
    double sample_ns, budget_ns;  /* budget: of one process */
    double alpha;
    uint64_t seed;
    int cpu;
    int isolate; /* every arm in a process of its own; always so for binaries */
};

/* Arm 0 is the base; arm `count` is the base once more. */
struct contest {
    const char *arms[CONTEST_ARMS];
    size_t count;
    struct subject_facts facts[CONTEST_ARMS];
    struct samples *processes;
    size_t process_count;
    struct judged judged[CONTEST_ARMS + 1]; /* 1..count-1 against arm 0, widened by `offset`; count: A/A */
    double offset; /* |ln| of how much faster or slower the base was than itself */
    double iteration_ns[CONTEST_ARMS + 1];  /* median over processes of the median over rounds */
    double detectable;                      /* as a factor less 1, from the A/A arm, its offset included */
    struct machine_load before, after;
};

/* Arms are subjects (subject.h), or paths of assay binaries when plan->subject is given.  Errors are
 * those of the subjects, and ERR_IO when a process died. */
int contest_run(struct contest *c, const struct contest_plan *plan, const char *const *arms, size_t count,
                struct err *e);
void contest_free(struct contest *c);
/* 1 when arm and base gave the same answers, every one. */
int contest_same_results(const struct contest *c, size_t arm);
/* Mean share of the base's ids that the arm returned too; NaN for kernels. */
double contest_overlap(const struct contest *c, size_t arm);
/* Is the base's difference from itself resolved?  Intervals are as much wider either way; this is for saying so. */
int contest_disturbed(const struct contest *c);
#endif
