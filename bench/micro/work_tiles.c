/* SPDX-License-Identifier: MIT
 * work_tiles.c - how `assay bench` drives many queries against many rows. */
#include "bench/micro/driver.h"
#include "kernels/base/rng.h"
#include <math.h>

static void tile_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->batch * s->dim * sizeof(float);
    *side = s->rows * sizeof(float);
    *out = s->batch * s->rows * sizeof(float); /* or int32_t */
}

static void fill_tile(const struct workload_facts *f, struct operands *o, struct rng *r, driver_store *store)
{
    const size_t n = f->shape.batch * f->shape.dim;
    driver_rows(f, o, r, store, store);
    for (size_t i = 0; i < n; i++) store(o->query, i, (float)(rng_uniform(r) * 2 - 1));
}

static void fill_tile_f32(const struct workload_facts *f, struct operands *o, struct rng *r) { fill_tile(f, o, r, driver_store_f32); }

static void fill_tile_i8(const struct workload_facts *f, struct operands *o, struct rng *r) { fill_tile(f, o, r, driver_store_i8); }

static void tile_products(const struct workload_shape *s, double *demand)
{
    demand[CEILING_FMA] = (double)(s->rows * s->dim * s->batch);
}

static void tile_products_i8(const struct workload_shape *s, double *demand)
{
    demand[CEILING_INT8] = (double)(s->rows * s->dim * s->batch);
}

static void tile_terms(const struct workload_shape *s, const struct operands *o, size_t i, struct bound_terms *t)
{
    const float *query = (const float *)o->query + i / s->rows * s->dim, *row = (const float *)o->rows + i % s->rows * s->dim;
    double largest = 0, sizes = 0;
    *t = (struct bound_terms){ .dim = s->dim };
    for (size_t j = 0; j < s->dim; j++) {
        t->magnitude += fabs((double)query[j] * row[j]);
        largest = fmax(largest, fabs((double)query[j]));
        sizes += 1 + fabs((double)row[j]);
    }
    t->coarse = largest * sizes;
}

#define CALL_TILE(op)                                                                                                  \
    static void call_##op(const struct workload_shape *s, const struct kernel *k, struct operands *o)                  \
    {                                                                                                                  \
        k->fn.op(o->query, s->dim, s->batch, o->rows, s->dim, s->rows, s->dim, o->out);                                \
    }
CALL_TILE(tile_f32)
CALL_TILE(tile_i8)

const struct driver work_tiles[] = {
    { OP_tile_f32, .uses = USES_BATCH, .row_bytes = driver_row_of_4, .sizes = tile_sizes, .fill = fill_tile_f32,
      .call = call_tile_f32, .demand = tile_products, .terms = tile_terms },
    { OP_tile_i8, .uses = USES_BATCH, .row_bytes = driver_row_of_1, .sizes = tile_sizes, .fill = fill_tile_i8,
      .call = call_tile_i8, .demand = tile_products_i8 },
    { 0 },
};
