/* SPDX-License-Identifier: MIT
 * micro.h - `assay bench`: every row of an operation over one shape, side by side.
 *
 * Each shape is one interleaved run of: the scalar row, the compiler's rows, those of other libraries, the hand-written
 * rows that were asked for, the default row once more under another name (the A/A arm), and the loop that only
 * reads the same bytes.  Ratios are paired by round; intervals are 95 %, each by itself. */
#ifndef ASSAY_MICRO_H
#define ASSAY_MICRO_H
#include <stddef.h>
#include <stdint.h>
#include "bench/time/machine.h"
#include "bench/micro/mca.h"
#include "bench/micro/roofline.h"
#include "bench/time/sample.h"
#include "bench/time/stats.h"
#include "bench/micro/workload.h"
#include "kernels/base/text.h"

struct ratio { double at; struct interval interval; }; /* of times: above 1 is faster; at 0: none */

enum { MICRO_PROCESSES = 40 };
enum micro_verdict { MICRO_UNRESOLVED, MICRO_FASTER, MICRO_SLOWER, MICRO_VERDICTS };

struct micro_row {
    const struct kernel *kernel;
    const char *where; /* "l1" "l2" "l3" "dram" "" */
    struct workload_facts facts;
    char wrong[160];           /* "" or what its outputs got wrong: then nothing below holds */
    struct summary call_ns;    /* of one call */
    double *raw_ns, *raw_cpu_ns; /* owned: call_ns.n samples, in order */
    double *again_ns, *read_ns;  /* the same of this shape's A/A arm and read loop; owned, of the default row alone */
    uint64_t iterations;
    size_t preempted;          /* samples during which the thread lost its CPU */
    struct ratio over_scalar, over_compiler, over_read; /* over_read: share of the read loop's speed */
    const struct kernel *compiler; /* the row that over_compiler is over */
    enum ceiling binds;        /* the ceiling that allows least, and the share of it that is reached */
    double share;              /* 0: no ceiling is known */
    struct ratio over_self;    /* this shape's A/A arm: the default row over itself; at 0: none */
    double cycles, instructions; /* per vector; 0: no counters */
    double detectable;         /* of this shape's A/A arm, a factor less 1; infinite: none */
    struct mca model;        /* ports 0: not asked for, or none could be made */
    double process_logs[MICRO_PROCESSES]; /* ln of the median ns a vector in each process; ours first */
    size_t process_count;
    struct ratio over_saved;   /* of the row of the same name in --baseline, over processes; at 0: it has none */
    int saved_control;         /* a row that tells how far the machine has moved: it has no verdict */
    enum micro_verdict saved_verdict;
};

struct micro {
    struct machine machine;
    struct machine_load before, after;
    struct counters counters;
    int counted;               /* counters are open */
    struct rate rates[CEILING_COUNT];
    struct micro_row *rows;
    size_t count;
    /* The A/A arms: how many, how many looked different, and the difference each could have found (a
     * factor less 1, at 80 % power). */
    size_t null_count, null_resolved;
    double *detectable;        /* null_count of them */
    double overhead_ns, resolution_ns; /* of the clock */
    size_t processes;          /* that timed the rows: this one, and those of micro_add_process */
    struct text others;        /* their lines of micro_raw_csv; owned */
    size_t saved[MICRO_VERDICTS]; /* rows against --baseline */
    double saved_drift;        /* the most that intervals are wider for it, as a factor less 1 */
    const char *foreign_saved; /* why the saved run is not comparable, when it was forced; or NULL */
    double ghz;                /* core cycles a nanosecond, when models were asked for */
};

struct micro_plan {
    size_t rounds;
    double budget_ns; /* a shape */
    uint64_t seed;
    const char *filter; /* "" or part of "op/isa/variant": narrows the hand-written rows */
    int no_baselines;   /* leave out scalar and compiler rows */
    int canonical_only; /* of the hand-written rows, those that give the default's bits, and no peers */
    int defaults_only;  /* of the hand-written rows, only the one that this CPU would choose */
};

void micro_init(struct micro *m);
void micro_fini(struct micro *m);
/* Instruction ceilings: once, before the shapes. */
int micro_ceilings(struct micro *m, const struct micro_plan *plan, struct err *e);
/* Verifies and times one shape; appends a row for each arm. */
int micro_shape(struct micro *m, const struct micro_plan *plan, const struct workload_shape *shape, const char *where,
                struct err *e);

void micro_name(const struct micro_row *r, struct text *out); /* "dot_f32/avx512/rows4/dim:384/rows:85/l2/scan" */
/* Rows of other libraries, NULL after the last: bench/micro/rival_<name>.c exports `const struct kernel rival_<name>[]`,
 * of kind KERNEL_BASELINE, ended by KERNEL_END.  They are timed beside ours, with .own for how far they may be off. */
const struct kernel *micro_rival(size_t i);
int micro_is_rival(const struct kernel *k);
const char *micro_isa(const struct kernel *k); /* "avx2"; "peer" of those */

/* A model of every row that was timed; which of them could have none is no error. */
void micro_models(struct micro *m);
/* Median (q = 0.5) or worst (q = 1) of what the A/A arms could have found; infinite without any. */
double micro_resolves(const struct micro *m, double q);

/* micro_out.c.  notes: the "# key: value" lines on top (run.h) */
/* " !" where a row reads as better than the ceiling that binds it: one of the two was disturbed, and the footer says so;
 * else "". */
const char *micro_excess(const struct micro_row *r);
void micro_table(const struct micro *m, struct text *out);    /* for a person */
void micro_headline(const struct micro *m, struct text *out); /* one line a shape: gain over the compiler */
void micro_footer(const struct micro *m, struct text *out);   /* error, load, steal, counters, what is resolved */
void micro_csv(const struct micro *m, const char *notes, struct text *out);
void micro_raw_csv(const struct micro *m, const char *notes, struct text *out); /* one line a sample */
void micro_google_json(const struct micro *m, const char *program, struct text *out);
/* micro_plot.c: gains over the compiler, time against dimension and working set (from three of them
 * on), densities; with their data, as PNG, SVG and PDF. */
int micro_figures(const struct micro *m, const char *dir, struct err *e);

/* saved.c: the replicate of a saved run is a process, its number the median of its samples.
 * Adds the samples of another process over the same shapes, from its micro_raw_csv.  ERR_FORMAT: other rows. */
int micro_add_process(struct micro *m, const char *path, struct err *e);
/* Compares with a file of micro_raw_csv: of each row the shift between the processes then and now, with Mann &
 * Whitney's exact interval, at 95 % for all rows together (Bonferroni).  The scalar and the compiler's rows of a shape
 * are its controls: what the furthest of them has moved by is taken for the machine's doing and widens every interval
 * of that shape.
 * ERR_FORMAT when it is not such a file; ERR_NOT_FOUND when it has none of the rows; ERR_ARG when it is of another
 * machine, compiler or flags and `force` is 0. */
int micro_baseline(struct micro *m, const char *path, int force, struct err *e);
/* ERR_NOT_FOUND, naming it, when some row is resolved slower, and by a factor of `slower` or more. */
int micro_fails(const struct micro *m, double slower, struct err *e);
/* The scalar and the compiler's rows of a shape are its controls, but for one that this CPU would choose. */
int micro_is_control(const struct micro_row *r);
int micro_same_shape(const struct micro_row *a, const struct micro_row *b);
void micro_provenance(const struct micro *m, const char *notes, struct text *out); /* lines on top of its files */
#endif
