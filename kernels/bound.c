/* SPDX-License-Identifier: MIT
 * bound.c - the error bounds of float operations, by the form that ops.def gives each. */
#include "kernels/bound.h"
#include <assert.h>
#include <math.h>

static const enum bound_form forms[] = {
#define OP(name, ret, params, form, meaning) BOUND_##form,
#include "kernels/ops.def"
#undef OP
};

static const double U = 0x1p-24;
static const double LEAST = 0x1p-149; /* what an underflow loses at most, twice over */

static const int exact_sums = -1;

/* Lanes of the row's sums and its further roundings; exact_sums where integers are added. */
static int lanes_of(const struct kernel *k, int *further)
{
    *further = 0;
    if (forms[k->op] == BOUND_ROOTS) return exact_sums;
    const int canonical = kernel_is_canonical(k) && k->isa != ISA_scalar;
    *further = canonical ? 5 : k->kind == KERNEL_FREE ? 8 : 1;
    return canonical ? 32 : k->kind == KERNEL_FREE ? 8 : 1;
}

static double sum_steps(const struct kernel *k, size_t dim)
{
    int further;
    const int lanes = lanes_of(k, &further);
    return lanes == exact_sums ? 0 : ceil((double)dim / lanes) + further;
}

/* A rotation: log2(power) + parts + 2 roundings a round and one of the scale, each of the norm so far, which
 * grows by sqrt(power) a round; a product of the mix may underflow besides, and later rounds add those up. */
static double rotate_bound(const struct bound_terms *t)
{
    const double power = (double)t->dim / (double)t->parts, growth = pow(power, t->rounds);
    const double steps = t->rounds * (log2(power) + (double)t->parts + 2) + 1;
    return steps * (U * sqrt(growth) * t->magnitude + LEAST * growth);
}

/* Of numbers rounded to bf16, whose products are 1.01 of the given ones at most: any order, and one lane. */
static double rounded_bound(const struct kernel *k, const struct bound_terms *t)
{
    return ((double)t->dim + 1) * U * 1.02 * t->magnitude + (double)t->dim * k->own.least + t->rounding;
}

/* The factors of 1 + 1e-3 take in the second order: dim u is below 2^-10 for every dim that is of use. */
double kernel_bound(const struct kernel *k, const struct bound_terms *t)
{
    const double steps = sum_steps(k, t->dim), whole = U * (1 + 1e-3) * t->magnitude;
    const double least = k->own.least > 0 ? k->own.least : LEAST;
    const double own = k->own.products * t->magnitude + k->own.coarse * t->coarse;
    switch (forms[k->op]) {
    case BOUND_EXACT: return 0;
    case BOUND_DOT: return k->own.bf16 && t->rounding > 0 ? rounded_bound(k, t) : steps * whole + (double)t->dim * least + own;
    case BOUND_L2: return (steps + 3) * whole + (double)t->dim * least;
    case BOUND_COSINE:
    case BOUND_ROOTS: return (2 * steps + 8) * whole;
    case BOUND_NORM: return (steps / 2 + 3) * whole;
    case BOUND_FHT: return (log2((double)t->dim) + 1) * U * t->magnitude + LEAST;
    case BOUND_ROTATE: return rotate_bound(t);
    case BOUND_TURN: return 2 * whole + 3 * LEAST;
    case BOUND_ULP: return t->magnitude > 0 ? ldexp(1, ilogb(t->magnitude) - 23) : LEAST;
    }
    assert(!"a form of bound that bound.c does not know");
    return 0;
}

static void add_sum(const struct kernel *k, const char *factor, int more, struct text *out)
{
    int further;
    const int lanes = lanes_of(k, &further), twice = factor[0] == '2';
    if (lanes == exact_sums) text_add(out, "%d u", more);
    else if (lanes == 1) text_add(out, "(%sdim + %d) u", factor, further * (twice ? 2 : 1) + more);
    else text_add(out, "(%sceil(dim/%d) + %d) u", factor, lanes, further * (twice ? 2 : 1) + more);
}

void kernel_bound_text(const struct kernel *k, struct text *out)
{
    switch (forms[k->op]) {
    case BOUND_EXACT: return;
    case BOUND_DOT: add_sum(k, "", 0, out); text_add(out, " sum|ab|"); break;
    case BOUND_L2: add_sum(k, "", 3, out); text_add(out, " sum(a-b)^2"); break;
    case BOUND_COSINE:
    case BOUND_ROOTS: add_sum(k, "2 ", 8, out); text_add(out, " sum|ab|/(|a||b|)"); break;
    case BOUND_NORM: text_add(out, "half of "); add_sum(k, "", 6, out); text_add(out, " /|row|"); break;
    case BOUND_FHT: text_add(out, "(log2 n + 1) u sum|x|"); break;
    case BOUND_ROTATE: text_add(out, "(rounds (log2 power + parts + 2) + 1) u |scale x| sqrt(power)^rounds"); break;
    case BOUND_TURN: text_add(out, "2 u (|a|+|b|)"); break;
    case BOUND_ULP: text_add(out, "1 ulp"); break;
    }
    if (k->own.products > 0) text_add(out, " + %.3g sum|ab|", k->own.products);
    if (k->own.coarse > 0) text_add(out, " + %.3g max|q| sum(1+|x|)", k->own.coarse);
    if (k->own.least > 0) text_add(out, " + %.3g dim", k->own.least);
}
