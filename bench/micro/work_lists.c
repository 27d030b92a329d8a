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

/* A sum, a scale and an error a row, each an array of its own; dimensions play no part. */
static size_t survive_row(const struct workload_shape *s) { (void)s; return 12; }

static void one_dimension(struct workload_shape *s) { s->dim = 1; }

static void survive_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = *side = 0;
    *out = (s->rows + 1) * sizeof(uint32_t); /* the survivors, then how many */
}

static void survive_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    const size_t n = f->shape.rows;
    int32_t *sums = o->rows;
    for (size_t i = 0; i < n; i++) sums[i] = (int32_t)rng_below(r, 20001) - 10000;
    driver_floats(r, (float *)o->rows + n, 2 * n);
}

static void call_survive(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const float *scale = (const float *)o->rows + s->rows;
    uint32_t *kept = o->out;
    kept[s->rows] = (uint32_t)k->fn.survive(o->rows, scale, scale + s->rows, s->rows, 1, 100, 6000, 0, kept);
}

/* Behind the survivors a kernel may leave what it likes. */
static void tidy_survive(const struct workload_shape *s, struct operands *o)
{
    uint32_t *kept = o->out;
    memset(kept + kept[s->rows], 0, (s->rows - kept[s->rows]) * sizeof *kept);
}

const struct driver work_lists[] = {
    { OP_above_f32, .uses = IGNORES_DIM, .row_bytes = score_row, .sizes = survive_sizes, .fill = above_fill,
      .call = call_above_f32, .demand = driver_no_demand, .round_up = one_dimension, .tidy = tidy_survive },
    { OP_angle_f32, .uses = IGNORES_DIM, .row_bytes = score_row, .sizes = survive_sizes, .fill = above_fill,
      .call = call_angle_f32, .demand = driver_no_demand, .round_up = one_dimension, .terms = angle_terms },
    { OP_survive, .uses = IGNORES_DIM, .row_bytes = survive_row, .sizes = survive_sizes, .fill = survive_fill,
      .call = call_survive, .demand = driver_no_demand, .round_up = one_dimension, .tidy = tidy_survive },
    { 0 },
};
