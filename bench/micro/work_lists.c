/* SPDX-License-Identifier: MIT
 * work_lists.c - how `assay bench` drives lists of scores: which are above a bound, which rows survive one, angles. */
#include "bench/micro/driver.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <string.h>

static size_t score_row(const struct workload_shape *s) { (void)s; return sizeof(float); }

static void above_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    driver_floats(r, o->rows, f->shape.rows);
}

/* One score in twenty is kept. */
static void call_above_f32(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    uint32_t *kept = o->out;
    kept[s->rows] = (uint32_t)k->fn.above_f32(o->rows, s->rows, 0.9f, kept);
}

/* One place of the output stays as it was: it is sized for survivors and their number. */
static void call_angle_f32(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    k->fn.angle_f32(o->rows, s->rows, o->out);
}

static void angle_terms(const struct workload_shape *s, const struct operands *o, size_t i, struct bound_terms *t)
{
    *t = (struct bound_terms){ .magnitude = i < s->rows ? acos((double)((const float *)o->rows)[i]) : 0 };
}

/* A scale and an error a row and for each query a sum, each an array of its own; dimensions play no part. */
static size_t survive_row(const struct workload_shape *s) { return 8 + 4 * s->batch; }

static void one_dimension(struct workload_shape *s) { s->dim = 1; }

static void list_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = *side = 0;
    *out = (s->rows + 1) * sizeof(uint32_t); /* the survivors, then how many */
}

static void survive_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    list_sizes(s, query, side, out);
    *out *= s->batch;
}

/* Scales in [0, 1), errors in [-1, 1). */
static void survive_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    const size_t n = f->shape.rows, sums = n * f->shape.batch;
    int32_t *sum = o->rows;
    float *scale = (float *)o->rows + sums;
    for (size_t i = 0; i < sums; i++) sum[i] = (int32_t)rng_below(r, 20001) - 10000;
    driver_floats(r, scale, 2 * n);
    for (size_t i = 0; i < n; i++) scale[i] = fabsf(scale[i]);
}

/* One query keeps one row in twenty.  A batch has come far: one row in 2,000 has the sum that the threshold asks for
 * with the greatest scale and error, which is known, and fewer are kept. */
static void call_survive(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const float threshold = s->batch > 1 ? 10090 : 6000;
    const int32_t least = s->batch > 1 ? 9990 : INT32_MIN;
    const float *scale = (const float *)o->rows + s->batch * s->rows;
    for (size_t q = 0; q < s->batch; q++) {
        uint32_t *kept = (uint32_t *)o->out + q * (s->rows + 1);
        kept[s->rows] = (uint32_t)k->fn.survive((const int32_t *)o->rows + q * s->rows, scale, scale + s->rows, s->rows,
                                                1, 100, threshold, least, 0, kept);
    }
}

/* Behind the survivors a kernel may leave what it likes. */
static void tidy_list(uint32_t *kept, size_t rows)
{
    memset(kept + kept[rows], 0, (rows - kept[rows]) * sizeof *kept);
}

static void tidy_above(const struct workload_shape *s, struct operands *o) { tidy_list(o->out, s->rows); }

static void tidy_survive(const struct workload_shape *s, struct operands *o)
{
    for (size_t q = 0; q < s->batch; q++) tidy_list((uint32_t *)o->out + q * (s->rows + 1), s->rows);
}

const struct driver work_lists[] = {
    { OP_above_f32, .uses = IGNORES_DIM, .row_bytes = score_row, .sizes = list_sizes, .fill = above_fill,
      .call = call_above_f32, .demand = driver_no_demand, .round_up = one_dimension, .tidy = tidy_above },
    { OP_angle_f32, .uses = IGNORES_DIM, .row_bytes = score_row, .sizes = list_sizes, .fill = above_fill,
      .call = call_angle_f32, .demand = driver_no_demand, .round_up = one_dimension, .terms = angle_terms },
    { OP_survive, .uses = IGNORES_DIM | USES_BATCH, .row_bytes = survive_row, .sizes = survive_sizes,
      .fill = survive_fill, .call = call_survive, .demand = driver_no_demand, .round_up = one_dimension, .tidy = tidy_survive },
    { 0 },
};
