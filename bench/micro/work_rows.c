/* SPDX-License-Identifier: MIT
 * work_rows.c - how `assay bench` drives one query against many rows, and norms of rows. */
#include "bench/micro/driver.h"
#include "kernels/base/rng.h"
#include "kernels/half.h"

static void rows_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->dim * sizeof(float);
    *side = s->rows * sizeof(float);
    *out = s->rows * sizeof(float); /* or int32_t */
}

static float store_f16(void *at, size_t i, float x) { return f32_of_f16(((uint16_t *)at)[i] = f16_of_f32(x)); }

static float store_bf16(void *at, size_t i, float x) { return f32_of_bf16(((uint16_t *)at)[i] = bf16_of_f32(x)); }

static void fill_f32(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    driver_rows(f, o, r, driver_store_f32, driver_store_f32);
}

static void fill_f16(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    driver_rows(f, o, r, driver_store_f32, store_f16);
}

static void fill_bf16(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    driver_rows(f, o, r, driver_store_f32, store_bf16);
}

static void fill_i8(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    driver_rows(f, o, r, driver_store_i8, driver_store_i8);
}

/* Of l2 the multiply-adds alone: some CPUs subtract on other ports, and a ceiling must not be passed. */
static void products(const struct workload_shape *s, double *demand)
{
    demand[CEILING_FMA] = (double)(s->rows * s->dim);
}

static void products_i8(const struct workload_shape *s, double *demand)
{
    demand[CEILING_INT8] = (double)(s->rows * s->dim);
}

static double l2_tolerance(const struct workload_shape *s) { return driver_relative(s) * 4 * (double)s->dim; }

static double cosine_tolerance(const struct workload_shape *s) { return 2 * driver_relative(s); }

#define CALL_ROWS(op)                                                                                                  \
    static void call_##op(const struct workload_shape *s, const struct kernel *k, struct operands *o)                  \
    {                                                                                                                  \
        k->fn.op(o->query, o->rows, s->dim, o->pick, s->rows, s->dim, o->out);                                         \
    }
#define CALL_COSINE(op)                                                                                                \
    static void call_##op(const struct workload_shape *s, const struct kernel *k, struct operands *o)                  \
    {                                                                                                                  \
        k->fn.op(o->query, o->rows, s->dim, o->pick, s->rows, s->dim, o->side, o->out);                                \
    }
CALL_ROWS(dot_f32)
CALL_ROWS(dot_f16)
CALL_ROWS(dot_bf16)
CALL_ROWS(dot_i8)
CALL_ROWS(l2_f32)
CALL_ROWS(l2_f16)
CALL_ROWS(l2_bf16)
CALL_ROWS(l2_i8)
CALL_COSINE(cosine_f32)
CALL_COSINE(cosine_f16)
CALL_COSINE(cosine_bf16)
CALL_COSINE(cosine_i8)

static void call_norms_f32(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    k->fn.norms_f32(o->rows, s->dim, s->rows, s->dim, o->out);
}

#define ROWS(op, row_, fill_, demand_, tolerance_)                                                                     \
    { OP_##op, .uses = USES_GATHER, .row_bytes = row_, .sizes = rows_sizes, .fill = fill_, .call = call_##op,          \
      .demand = demand_, .tolerance = tolerance_ }
const struct driver work_rows[] = {
    ROWS(dot_f32, driver_row_of_4, fill_f32, products, driver_dot_tolerance),
    ROWS(dot_f16, driver_row_of_2, fill_f16, products, driver_dot_tolerance),
    ROWS(dot_bf16, driver_row_of_2, fill_bf16, products, driver_dot_tolerance),
    ROWS(dot_i8, driver_row_of_1, fill_i8, products_i8, NULL),
    ROWS(cosine_f32, driver_row_of_4, fill_f32, products, cosine_tolerance),
    ROWS(cosine_f16, driver_row_of_2, fill_f16, products, cosine_tolerance),
    ROWS(cosine_bf16, driver_row_of_2, fill_bf16, products, cosine_tolerance),
    ROWS(cosine_i8, driver_row_of_1, fill_i8, products_i8, cosine_tolerance),
    ROWS(l2_f32, driver_row_of_4, fill_f32, products, l2_tolerance),
    ROWS(l2_f16, driver_row_of_2, fill_f16, products, l2_tolerance),
    ROWS(l2_bf16, driver_row_of_2, fill_bf16, products, l2_tolerance),
    ROWS(l2_i8, driver_row_of_1, fill_i8, products_i8, NULL),
    { OP_norms_f32, .row_bytes = driver_row_of_4, .sizes = rows_sizes, .fill = fill_f32, .call = call_norms_f32,
      .demand = products, .tolerance = driver_relative },
    { 0 },
};
