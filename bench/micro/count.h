/* SPDX-License-Identifier: MIT
 * count.h - the instructions that one call of a kernel executes, counted one by one.
 *
 * A child calls the kernel and its parent steps it from instruction to instruction (ptrace), so no counter of the CPU is
 * needed and any virtual machine will do; AVX-512 and AMX step as everything else does.  The same program and shape
 * give the same count, always.  It is a count, not a time: fewer instructions may take longer.
 *
 * What stands outside the file that holds the kernel (memset of the C library) is counted apart: it is another
 * program's choice.  Classes overlap: a multiply-add from memory is a load and a multiply-add. */
#ifndef ASSAY_COUNT_H
#define ASSAY_COUNT_H
#include "bench/micro/workload.h"
#include "kernels/base/text.h"

enum count_class { COUNT_LOAD, COUNT_STORE, COUNT_FMA, COUNT_SHUFFLE, COUNT_DOT, COUNT_BRANCH, COUNT_CLASSES };
const char *count_class_name(enum count_class c);

/* An instruction of the kernel: its address in its file, how often it was executed, how objdump writes it. */
struct count_line {
    uint64_t at, times;
    char text[112]; /* "" without objdump */
};

struct count {
    struct workload_facts facts;
    uint64_t instructions, library; /* of one call: of the kernel's own file, and elsewhere */
    uint64_t of[COUNT_CLASSES];     /* of the kernel's own; all 0 without objdump */
    struct count_line *lines;       /* own, ascending by address */
    size_t line_count;
};

/* ERR_UNSUPPORTED where this system lets no program be stepped, or is not x86-64. */
int count_kernel(const struct kernel *k, const struct workload_shape *shape, struct count *out, struct err *e);
void count_free(struct count *c);

/* Classes of an instruction as objdump writes it, as bits 1 << COUNT_*. */
unsigned count_classes_of(const char *text);
/* The loop that most instructions were executed in, with how often each was, for people. */
void count_asm(const struct count *c, struct text *out);

/* One line a count, "op,kernel,dim,bits,batch,rows,instructions,library,load,...": what is committed for a compiler. */
void count_csv_head(struct text *out);
void count_csv(const struct kernel *k, const struct count *c, struct text *out);
/* "gcc-12.2.0": whose code this is. */
const char *count_compiler(void);
/* What a committed file says of the same kernel and shape: instructions, 0 when it says nothing. */
uint64_t count_committed(const char *csv, const struct kernel *k, const struct count *c);

struct count_plan {
    const char *filter;    /* part of "op/isa/variant"; "": what is chosen on some CPU that has no more than this one:
                              of its own line, of any other that a row names, or of none */
    const char *kernel;    /* or exactly one, as --kernel names it, with its hot loop; NULL */
    const size_t *dims;
    size_t dim_count;
    int bits;
    size_t batch, rows;    /* rows 0: 9, or a block */
    uint64_t seed;
    const char *committed; /* text of a file of counts; NULL */
};
struct count_run {
    struct text table, csv;     /* for a person, for a file */
    size_t done, compared, grown; /* grown: more than 1 % above what is committed */
    char first[128];            /* the first that grew */
};
/* r zeroed; count_run_free releases it whatever is returned. */
int count_run(const struct count_plan *plan, struct count_run *r, struct err *e);
void count_run_free(struct count_run *r);
#endif
