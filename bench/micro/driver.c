/* SPDX-License-Identifier: MIT
 * driver.c - what the workloads of several families share: random operands and shapes. */
#include "bench/micro/driver.h"
#include "kernels/base/rng.h"
#include "kernels/codes/codes.h"
#include <math.h>

void driver_floats(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = (float)(rng_uniform(r) * 2 - 1);
}

void driver_bytes(struct rng *r, void *at, size_t n)
{
    uint8_t *x = at;
    for (size_t i = 0; i < n; i++) x[i] = (uint8_t)(rng_next(r) >> 56);
}

void driver_range(struct rng *r, int8_t *x, size_t n, int most)
{
    for (size_t i = 0; i < n; i++) x[i] = (int8_t)((int)rng_below(r, 2 * (uint64_t)most + 1) - most);
}

size_t driver_row_of_4(const struct workload_shape *s) { return s->dim * 4; }

size_t driver_row_of_2(const struct workload_shape *s) { return s->dim * 2; }

size_t driver_row_of_1(const struct workload_shape *s) { return s->dim; }

float driver_store_f32(void *at, size_t i, float x) { return ((float *)at)[i] = x; }

float driver_store_i8(void *at, size_t i, float x) { return ((int8_t *)at)[i] = (int8_t)(x * 127); }

void driver_rows(const struct workload_facts *f, struct operands *o, struct rng *r, driver_store *store_query,
                 driver_store *store)
{
    const struct workload_shape *s = &f->shape;
    for (size_t i = 0; i < s->dim; i++) store_query(o->query, i, (float)(rng_uniform(r) * 2 - 1));
    for (size_t i = 0; i < s->rows; i++) {
        double square = 0;
        for (size_t j = 0; j < s->dim; j++) {
            const double x = store(o->rows, i * s->dim + j, (float)(rng_uniform(r) * 2 - 1));
            square += x * x;
        }
        ((float *)o->side)[i] = square > 0 ? (float)(1 / sqrt(square)) : 0;
    }
}

void driver_no_demand(const struct workload_shape *s, double *demand) { (void)s, (void)demand; }

size_t driver_code_row(const struct workload_shape *s) { return codes_groups(s->dim) * (size_t)s->bits * 4; }

void driver_whole_groups(struct workload_shape *s) { s->dim = codes_groups(s->dim) * CODES_DIMS; }

void driver_whole_blocks(struct workload_shape *s)
{
    driver_whole_groups(s);
    s->rows = codes_blocks(s->rows) * CODES_ROWS;
}
