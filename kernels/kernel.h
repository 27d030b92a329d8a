/* SPDX-License-Identifier: MIT
 * kernel.h - the kernel registry: what exists, what may run here, what to call.
 *
 * A kernel file is kernels/<family>/<op>[_<tag>]_<isa>.c.  The build passes its operation, its ISA and
 * the name of its table, so a row cannot claim to be another's:
 *
 *     static void rows4(const float *query, ...) { ... }
 *     KERNELS = {
 *         KERNEL("rows4", rows4, KERNEL_DEFAULT, "4 rows a pass", "2 loads + 1 fma a lane"),
 *         KERNEL_END
 *     };
 *
 * Dispatch happens once: an object resolves a struct kernel_set when it is created and keeps
 * typed pointers.  Every kernel may be called from any number of threads. */
#ifndef ASSAY_KERNEL_H
#define ASSAY_KERNEL_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/err.h"
#include "kernels/base/text.h"
#include "kernels/needs.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OP(name, ret, params, bound, meaning) typedef ret name##_fn params;
#include "kernels/ops.def"
#undef OP

enum kernel_op {
#define OP(name, ret, params, bound, meaning) OP_##name,
#include "kernels/ops.def"
#undef OP
    OP_COUNT
};

enum kernel_kind {
    KERNEL_DEFAULT,  /* chosen by itself, the one of its operation and ISA: exact integers, or the canonical float order */
    KERNEL_SAME,     /* the same bits as the default: by name, or the default of the CPU lines it names */
    KERNEL_FREE,     /* float sums in an order of its own: only when asked for by name */
    KERNEL_BASELINE, /* <op>_scalar.c as the compiler vectorises it: to compare with, never a default */
};

/* The forms of error bounds (bound.h); ops.def names one for each operation. */
enum bound_form {
    BOUND_EXACT, BOUND_DOT, BOUND_L2, BOUND_COSINE, BOUND_ROOTS, BOUND_NORM, BOUND_FHT, BOUND_ROTATE, BOUND_TURN,
    BOUND_ULP
};
/* What a DOT row adds to the bound of its kind, or 0: a multiple of sum |q_i x_i|, one of
 * max |q_i| sum (1 + |x_i|), and what an underflow loses a product where that is not 2^-149.  bf16: its products are of
 * both sides rounded to bfloat16, to nearest, ties to even, what is below 2^-126 for 0 or so rounded, added in any order. */
struct kernel_own {
    double products, coarse, least;
    int bf16;
};

struct kernel {
    enum kernel_op op;
    enum isa isa;
    enum kernel_kind kind;
    uint32_t needs;      /* CPU_* bits of the file it was compiled in */
    const char *variant; /* unique within (op, isa) */
    const char *note;    /* one line: the trick, or its limit */
    const char *cost;    /* one line: what it should cost, and what bounds it */
    union {
#define OP(name, ret, params, bound, meaning) name##_fn *name;
#include "kernels/ops.def"
#undef OP
    } fn;
    struct kernel_own own; /* usually all 0 */
    /* Words of line.def that this row, canonical, is the default for in place of the best ISA's, as
     * results/kernels/<line>.csv has measured; NULL: none. */
    const char *lines;
};

/* The union member carries the operation's type, so a wrong signature does not compile. */
#define KERNEL_PASTE_(a, b) a##b
#define KERNEL_PASTE(a, b) KERNEL_PASTE_(a, b)
#define KERNELS const struct kernel KERNEL_TABLE[]
#ifdef KERNEL_COMPILER
#define KERNEL(variant_, fn_, kind_, note_, cost_, ...)                                            \
    {                                                                                              \
        .op = KERNEL_PASTE(OP_, KERNEL_OP), .isa = KERNEL_PASTE(ISA_, KERNEL_ISA),                 \
        .kind = KERNEL_BASELINE, .needs = NEEDS, .variant = KERNEL_COMPILER,                       \
        .note = "the scalar source, vectorised by the compiler", .cost = "",                       \
        .fn = { .KERNEL_OP = fn_ },                                                                \
    }
#else
/* Behind the cost a row may state more of itself: .own = { ... }, .lines = "zen4". */
#define KERNEL(variant_, fn_, kind_, note_, cost_, ...)                                            \
    {                                                                                              \
        .op = KERNEL_PASTE(OP_, KERNEL_OP), .isa = KERNEL_PASTE(ISA_, KERNEL_ISA), .kind = kind_,  \
        .needs = NEEDS, .variant = variant_, .note = note_, .cost = cost_,                         \
        .fn = { .KERNEL_OP = fn_ }, __VA_ARGS__                                                    \
    }
#endif
#define KERNEL_END { .op = OP_COUNT, .isa = ISA_COUNT }

const char *kernel_op_name(enum kernel_op op);
const char *kernel_op_meaning(enum kernel_op op);
const char *kernel_kind_name(enum kernel_kind kind);
/* Operation by name; OP_COUNT when there is none. */
enum kernel_op kernel_op_find(const char *name);

/* Every registered row of an operation, weakest ISA first; prev NULL starts, NULL ends. */
const struct kernel *kernel_next(enum kernel_op op, const struct kernel *prev);
int kernel_names_line(const struct kernel *k, const char *line);
/* What is chosen for a CPU of `line` at or below `cap`: the row that names the line, or else the default of the best ISA. */
const struct kernel *kernel_default(enum kernel_op op, enum isa cap, const char *line);
int kernel_is_canonical(const struct kernel *k); /* default, or the same bits */
/* The tables of the build, one a kernel file, NULL at the end, and the files' names in the same order. */
const struct kernel *const *kernel_tables(const char *const **files);
/* ERR_FORMAT, naming both files, where two default rows are of one operation and ISA, or two rows of one operation name
 * one line: which of them is chosen would be the alphabet's decision.  (The registry's test asks this of the build's tables.) */
int kernel_tables_check(const struct kernel *const *tables, const char *const *files, struct err *e);
/* This CPU has all that the file was compiled with.  ASSAY_ISA=avx2 in the environment makes it a CPU that stops
 * there: tests are run as every lesser machine would run them (make check-caps). */
int kernel_runnable(const struct kernel *k);

/* One row per operation, chosen once.  of[op] is never NULL after kernel_set_resolve. */
struct kernel_set { const struct kernel *of[OP_COUNT]; };

/* Fills *set as asked.  spec is @FILE, which holds such a list (lines end entries, too; # begins a remark), or a list
 * separated by ',' or ';' of
 *     ISA             cap every operation at that ISA (its best default at or below it)
 *     OP=ISA          the default row of that operation on exactly that ISA
 *     OP=ISA/VARIANT  exactly that row
 * NULL, "" and "auto" are the best defaults of this CPU.  Fails with ERR_ARG, naming the
 * nearest name, for an unknown ISA, operation or variant, and with ERR_UNSUPPORTED for a row or
 * an ISA that this CPU cannot run: a kernel that was asked for is never silently replaced. */
int kernel_set_resolve(struct kernel_set *set, const char *spec, struct err *e);

/* Appends "op=isa/variant" of one operation to out, after ';' when out is not empty. */
void kernel_set_describe(const struct kernel_set *set, enum kernel_op op, struct text *out);

#ifdef __cplusplus
}
#endif
#endif
