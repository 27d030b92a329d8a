/* SPDX-License-Identifier: MIT
 * work_rotations.c - how `assay bench` drives transforms of rows: Hadamard, plane turns, whole rotations. */
#include "bench/micro/driver.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <string.h>

enum { ROTATE_ROUNDS = 2 };

static void power_of_two(struct workload_shape *s)
{
    size_t n = 1;
    while (n < s->dim) n *= 2;
    s->dim = n;
}

static void no_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    (void)s;
    *query = *side = *out = 0;
}

/* In place and not normalised, so anything but zero overflows after a few dozen calls.  Additions
 * of zeros take the same time as of any normal numbers. */
static void fht_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    const size_t n = f->shape.rows * f->shape.dim;
    if (o->verifying) driver_floats(r, o->rows, n);
    else memset(o->rows, 0, n * sizeof(float));
}

static void call_fht_f32(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    for (size_t i = 0; i < s->rows; i++) k->fn.fht_f32((float *)o->rows + i * s->dim, s->dim);
}

/* The terms are the same for all numbers of a row: they are made at its first. */
static void fht_terms(const struct workload_shape *s, const struct operands *o, size_t i, struct bound_terms *t)
{
    if (i % s->dim) return;
    *t = (struct bound_terms){ .dim = s->dim };
    for (size_t j = 0; j < s->dim; j++) t->magnitude += fabs((double)((const float *)o->rows)[i + j]);
}

/* An addition takes the place of a multiply-add. */
static void fht_demand(const struct workload_shape *s, double *demand)
{
    demand[CEILING_FMA] = (double)(s->rows * s->dim) * log2((double)s->dim);
}

static void turn_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = 0;
    *side = s->dim * sizeof(float);
    *out = s->rows * s->dim * sizeof(float);
}

static void turn_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    driver_floats(r, o->rows, f->shape.rows * f->shape.dim);
    driver_floats(r, o->side, f->shape.dim);
}

static void call_turn_f32(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    for (size_t i = 0; i < s->rows; i++)
        k->fn.turn_f32((const float *)o->rows + i * s->dim, o->side, s->dim, (s->dim + 1) / 2,
                       (float *)o->out + i * s->dim);
}

static void turn_terms(const struct workload_shape *s, const struct operands *o, size_t i, struct bound_terms *t)
{
    const float *x = (const float *)o->rows + i / s->dim * s->dim, *scale = o->side;
    const size_t half = (s->dim + 1) / 2, at = i % s->dim, other = at < half ? at + half : at - half;
    *t = (struct bound_terms){ .dim = s->dim, .magnitude = fabs((double)x[at] * scale[at]) };
    if (other < s->dim) t->magnitude += fabs((double)x[other] * scale[other]);
}

static size_t rotate_parts(const struct workload_shape *s) { return s->dim / (s->dim & -s->dim); }

static void rotate_shape(struct workload_shape *s)
{
    if (rotate_parts(s) > 5) power_of_two(s);
}

static void rotate_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = 0;
    *side = ROTATE_ROUNDS * s->dim * sizeof(uint32_t);
    *out = s->rows * s->dim * sizeof(float);
}

static void rotate_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    const struct workload_shape *s = &f->shape;
    driver_floats(r, o->rows, s->rows * s->dim);
    for (size_t i = 0; i < ROTATE_ROUNDS * s->dim; i++) ((uint32_t *)o->side)[i] = (uint32_t)(rng_next(r) >> 63) << 31;
}

static void call_rotate_f32(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    for (size_t i = 0; i < s->rows; i++)
        k->fn.rotate_f32((const float *)o->rows + i * s->dim, o->side, s->dim, rotate_parts(s), ROTATE_ROUNDS,
                         1 / (float)s->dim, (float *)o->out + i * s->dim);
}

/* The terms are the same for all numbers of a row: they are made at its first. */
static void rotate_terms(const struct workload_shape *s, const struct operands *o, size_t i, struct bound_terms *t)
{
    if (i % s->dim) return;
    double square = 0;
    for (size_t j = 0; j < s->dim; j++) square += pow(((const float *)o->rows)[i + j], 2);
    *t = (struct bound_terms){ .dim = s->dim, .magnitude = sqrt(square) / (double)s->dim, .parts = rotate_parts(s), .rounds = ROTATE_ROUNDS };
}

/* Additions take the place of multiply-adds: of the transforms, and two for the mix. */
static void rotate_demand(const struct workload_shape *s, double *demand)
{
    const double mix = rotate_parts(s) > 1 ? 2 : 0, strides = log2((double)s->dim / (double)rotate_parts(s));
    demand[CEILING_FMA] = ROTATE_ROUNDS * (double)(s->rows * s->dim) * (strides + mix);
}

const struct driver work_rotations[] = {
    { OP_turn_f32, .row_bytes = driver_row_of_4, .sizes = turn_sizes, .fill = turn_fill, .call = call_turn_f32,
      .demand = driver_no_demand, .terms = turn_terms },
    { OP_fht_f32, .row_bytes = driver_row_of_4, .sizes = no_sizes, .fill = fht_fill, .call = call_fht_f32,
      .demand = fht_demand, .terms = fht_terms, .round_up = power_of_two, .changes_rows = 1 },
    { OP_rotate_f32, .row_bytes = driver_row_of_4, .sizes = rotate_sizes, .fill = rotate_fill, .call = call_rotate_f32,
      .demand = rotate_demand, .terms = rotate_terms, .round_up = rotate_shape },
    { 0 },
};
