/* SPDX-License-Identifier: MIT
 * work_rows.c - how `assay bench` drives one query against many rows, and norms of rows. */
#include "bench/micro/driver.h"
#include "kernels/base/rng.h"
#include "kernels/half.h"
#include <math.h>

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

/* Element i of a row, as a float. */
static float get_f32(const void *at, size_t i) { return ((const float *)at)[i]; }
static float get_f16(const void *at, size_t i) { return f32_of_f16(((const uint16_t *)at)[i]); }
static float get_bf16(const void *at, size_t i) { return f32_of_bf16(((const uint16_t *)at)[i]); }
static float get_i8(const void *at, size_t i) { return ((const int8_t *)at)[i]; }
typedef float get_fn(const void *at, size_t i);

enum { DOT, L2, COSINE };

static void row_terms(const struct workload_shape *s, const struct operands *o, size_t output, get_fn *query, get_fn *get,
                      int kind, struct bound_terms *t)
{
    const size_t first = (o->pick ? o->pick[output] : output) * s->dim;
    double largest = 0, sizes = 0, aa = 0, bb = 0;
    *t = (struct bound_terms){ .dim = s->dim };
    for (size_t i = 0; i < s->dim; i++) {
        const double a = query(o->query, i), b = get(o->rows, first + i);
        t->magnitude += kind == L2 ? (a - b) * (a - b) : fabs(a * b);
        largest = fmax(largest, fabs(a));
        sizes += 1 + fabs(b);
        aa += a * a, bb += b * b;
    }
    t->coarse = largest * sizes;
    if (kind == COSINE) t->magnitude = aa * bb > 0 ? t->magnitude / sqrt(aa * bb) : 0;
}

#define TERMS(name, kind, query, get)                                                                                  \
    static void name(const struct workload_shape *s, const struct operands *o, size_t i, struct bound_terms *t)        \
    {                                                                                                                  \
        row_terms(s, o, i, query, get, kind, t);                                                                       \
    }
TERMS(dot_f32_terms, DOT, get_f32, get_f32)
TERMS(dot_f16_terms, DOT, get_f32, get_f16)
TERMS(dot_bf16_terms, DOT, get_f32, get_bf16)
TERMS(l2_f32_terms, L2, get_f32, get_f32)
TERMS(l2_f16_terms, L2, get_f32, get_f16)
TERMS(l2_bf16_terms, L2, get_f32, get_bf16)
TERMS(cosine_f32_terms, COSINE, get_f32, get_f32)
TERMS(cosine_f16_terms, COSINE, get_f32, get_f16)
TERMS(cosine_bf16_terms, COSINE, get_f32, get_bf16)
TERMS(cosine_i8_terms, COSINE, get_i8, get_i8)

static void norm_terms(const struct workload_shape *s, const struct operands *o, size_t i, struct bound_terms *t)
{
    *t = (struct bound_terms){ .dim = s->dim, .magnitude = ((const float *)o->side)[i] };
}

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

#define ROWS(op, row_, fill_, demand_, terms_)                                                                     \
    { OP_##op, .uses = USES_GATHER, .row_bytes = row_, .sizes = rows_sizes, .fill = fill_, .call = call_##op,          \
      .demand = demand_, .terms = terms_ }
const struct driver work_rows[] = {
    ROWS(dot_f32, driver_row_of_4, fill_f32, products, dot_f32_terms),
    ROWS(dot_f16, driver_row_of_2, fill_f16, products, dot_f16_terms),
    ROWS(dot_bf16, driver_row_of_2, fill_bf16, products, dot_bf16_terms),
    ROWS(dot_i8, driver_row_of_1, fill_i8, products_i8, NULL),
    ROWS(cosine_f32, driver_row_of_4, fill_f32, products, cosine_f32_terms),
    ROWS(cosine_f16, driver_row_of_2, fill_f16, products, cosine_f16_terms),
    ROWS(cosine_bf16, driver_row_of_2, fill_bf16, products, cosine_bf16_terms),
    ROWS(cosine_i8, driver_row_of_1, fill_i8, products_i8, cosine_i8_terms),
    ROWS(l2_f32, driver_row_of_4, fill_f32, products, l2_f32_terms),
    ROWS(l2_f16, driver_row_of_2, fill_f16, products, l2_f16_terms),
    ROWS(l2_bf16, driver_row_of_2, fill_bf16, products, l2_bf16_terms),
    ROWS(l2_i8, driver_row_of_1, fill_i8, products_i8, NULL),
    { OP_norms_f32, .row_bytes = driver_row_of_4, .sizes = rows_sizes, .fill = fill_f32, .call = call_norms_f32,
      .demand = products, .terms = norm_terms },
    { 0 },
};
