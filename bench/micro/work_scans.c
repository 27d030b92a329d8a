/* SPDX-License-Identifier: MIT
 * work_scans.c - how `assay bench` drives scans of packed codes, and the tables that they look up. */
#include "bench/micro/driver.h"
#include "kernels/base/rng.h"
#include "kernels/codes/codes.h"
#include <stdlib.h>
#include <string.h>

static void lut_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->batch * s->dim;
    *side = (size_t)1 << CODES_BITS_MAX;
    *out = s->batch * s->rows * sizeof(int32_t);
}

static void lut_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    driver_bytes(r, o->rows, f->set_bytes);
    driver_range(r, o->query, f->shape.batch * f->shape.dim, 127);
    driver_bytes(r, o->side, (size_t)1 << f->shape.bits);
}

static void call_scan_lut(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    k->fn.scan_lut(o->rows, codes_blocks(s->rows), codes_groups(s->dim), s->bits, o->side, o->query, s->batch, o->out);
}

static void lut_demand(const struct workload_shape *s, double *demand)
{
    demand[CEILING_INT8] = (double)(s->rows * s->dim * s->batch);
    demand[CEILING_SHUFFLE] = (double)(s->rows * s->dim); /* a level a code, shared by the batch */
}

/* The tables, then what the kernel returned for each. */
static void tables_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = *side = 0;
    *out = s->rows * (s->dim * 4 + sizeof(int32_t));
}

static void tables_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    driver_range(r, o->rows, f->shape.rows * f->shape.dim, 63);
}

static void call_lut_sign(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    uint8_t *luts = o->out;
    int32_t *starts = (int32_t *)(luts + s->rows * s->dim * 4);
    for (size_t i = 0; i < s->rows; i++)
        starts[i] = k->fn.lut_sign((const int8_t *)o->rows + i * s->dim, codes_groups(s->dim), luts + i * s->dim * 4);
}

static size_t sign_row(const struct workload_shape *s) { return s->dim / 8; }

static void sign_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->batch * (s->dim * 4 + sizeof(int32_t)); /* tables, then starts */
    *side = s->batch * s->dim;
    *out = s->batch * s->rows * sizeof(int32_t);
}

static void sign_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    const struct workload_shape *s = &f->shape;
    struct kernel_set best;
    kernel_set_resolve(&best, NULL, NULL); /* cannot fail: nothing was asked for */
    driver_bytes(r, o->rows, f->set_bytes);
    driver_range(r, o->side, s->batch * s->dim, 63);
    struct workload_shape queries = *s;
    queries.rows = s->batch;
    struct operands tables = { .rows = o->side, .out = o->query };
    call_lut_sign(&queries, best.of[OP_lut_sign], &tables);
}

static void call_scan_sign(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const uint8_t *luts = o->query;
    const int32_t *starts = (const int32_t *)(luts + s->batch * s->dim * 4);
    k->fn.scan_sign(o->rows, codes_blocks(s->rows), codes_groups(s->dim), luts, starts, s->batch, o->out);
}

/* One byte looked up for four dimensions. */
static void sign_demand(const struct workload_shape *s, double *demand)
{
    demand[CEILING_SHUFFLE] = (double)(s->rows * s->dim / 4 * s->batch);
}

/* Sign planes of all rows, then their scales and errors; tables of one query, then most.  No row reaches the threshold, but
 * only the last look can tell: what is timed is the case that saves nothing. */
static size_t keep_row(const struct workload_shape *s) { return s->dim / 8 + 2 * sizeof(float); }

static void keep_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->dim * 4 + (codes_groups(s->dim) + 1) * sizeof(int32_t);
    *side = s->dim;
    *out = (2 * s->rows + 2) * sizeof(uint32_t); /* survivors, their sums, how many, what was read */
}

static void keep_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    const struct workload_shape *s = &f->shape;
    int32_t *most = (int32_t *)((uint8_t *)o->query + s->dim * 4), all = 0;
    float *scale = (float *)((uint8_t *)o->rows + s->rows * s->dim / 8);
    struct kernel_set best;
    kernel_set_resolve(&best, NULL, NULL); /* cannot fail: nothing was asked for */
    driver_bytes(r, o->rows, s->rows * s->dim / 8);
    for (size_t i = 0; i < s->rows; i++) scale[i] = 1, scale[s->rows + i] = 0;
    driver_range(r, o->side, s->dim, 63);
    const int32_t start = best.of[OP_lut_sign]->fn.lut_sign(o->side, codes_groups(s->dim), o->query);
    for (size_t g = codes_groups(s->dim) + 1; g-- > 0;) {
        most[g] = start + 2 * all;
        for (size_t i = 0; g > 0 && i < CODES_DIMS; i++) all += abs(((const int8_t *)o->side)[(g - 1) * CODES_DIMS + i]);
    }
}

static void call_scan_keep(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const size_t groups = codes_groups(s->dim);
    const int32_t *most = (const int32_t *)((const uint8_t *)o->query + s->dim * 4);
    const float *scale = (const float *)((const uint8_t *)o->rows + s->rows * s->dim / 8);
    uint32_t *kept = o->out;
    size_t read[2];
    kept[2 * s->rows] = (uint32_t)k->fn.scan_keep(o->rows, groups, o->query, most, groups, scale, scale + s->rows, s->rows, 1,
                                                  1, 1 + (float)-most[groups], 0, kept, (int32_t *)kept + s->rows, read);
    kept[2 * s->rows + 1] = (uint32_t)read[0];
}

/* Behind the survivors a kernel may leave what it likes. */
static void tidy_keep(const struct workload_shape *s, struct operands *o)
{
    uint32_t *kept = o->out;
    const size_t count = kept[2 * s->rows], rest = (s->rows - count) * sizeof *kept;
    memset(kept + count, 0, rest);
    memset(kept + s->rows + count, 0, rest);
}

/* Bytes of the tables of a group: none of 1 bit, which lut_sign makes. */
static size_t u8_bytes(int bits) { return bits == 4 ? 512 : bits == 2 ? 256 : 1024; }

static void u8_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = 0;
    *side = ((size_t)1 << s->bits) * sizeof(float);
    *out = s->rows * codes_groups(s->dim) * u8_bytes(s->bits);
}

/* Short fractions, so that no product is rounded and no contraction shows. */
static void u8_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    const struct workload_shape *s = &f->shape;
    float *x = o->rows;
    for (size_t i = 0; i < s->rows * s->dim; i++) x[i] = (float)((int)rng_below(r, 128) - 64) / 64;
    for (int i = 0; i < 1 << s->bits; i++) ((float *)o->side)[i] = (float)(2 * i - (1 << s->bits) + 1) / 16;
}

static void call_lut_u8(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const size_t bytes = codes_groups(s->dim) * u8_bytes(s->bits);
    for (size_t i = 0; i < s->rows; i++)
        k->fn.lut_u8((const float *)o->rows + i * s->dim, s->dim, o->side, s->bits, 32, (uint8_t *)o->out + i * bytes);
}

static size_t pair_row(const struct workload_shape *s) { return s->dim * 3 / 8; }

static void pair_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->batch * (codes_groups(s->dim) * u8_bytes(3) + sizeof(int32_t)); /* tables, then starts */
    *side = 0;
    *out = s->batch * s->rows * sizeof(int32_t);
}

static void pair_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    const struct workload_shape *s = &f->shape;
    driver_bytes(r, o->rows, f->set_bytes);
    driver_bytes(r, o->query, s->batch * codes_groups(s->dim) * u8_bytes(3));
}

static void call_scan_pair(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const uint8_t *luts = o->query;
    const int32_t *starts = (const int32_t *)(luts + s->batch * codes_groups(s->dim) * u8_bytes(3));
    k->fn.scan_pair(o->rows, codes_blocks(s->rows), codes_groups(s->dim), luts, starts, s->batch, o->out);
}

/* One byte looked up for two dimensions. */
static void pair_demand(const struct workload_shape *s, double *demand)
{
    demand[CEILING_SHUFFLE] = (double)(s->rows * s->dim / 2 * s->batch);
}

/* A byte for 4 dimensions, as pq has them. */
static size_t byte_row(const struct workload_shape *s) { return s->dim / 4; }

static void byte_shape(struct workload_shape *s)
{
    s->dim = (s->dim + 3) / 4 * 4;
    s->rows = (s->rows + CODES_BYTE_ROWS - 1) / CODES_BYTE_ROWS * CODES_BYTE_ROWS;
}

static void byte_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->batch * s->dim / 4 * 256;
    *side = 0;
    *out = s->batch * s->rows * sizeof(int32_t);
}

static void byte_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    driver_bytes(r, o->rows, f->set_bytes);
    driver_bytes(r, o->query, f->shape.batch * f->shape.dim / 4 * 256);
}

static void call_scan_byte(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    k->fn.scan_byte(o->rows, s->rows / CODES_BYTE_ROWS, s->dim / 4, o->query, s->batch, o->out);
}

static void byte_demand(const struct workload_shape *s, double *demand)
{
    demand[CEILING_SHUFFLE] = (double)(s->rows * s->dim / 4 * s->batch);
}

enum { PLANES = 4 }; /* bits of the query */

static void planes_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->batch * PLANES * codes_groups(s->dim) * (size_t)s->bits * sizeof(uint32_t);
    *side = 0;
    *out = s->batch * s->rows * sizeof(int32_t);
}

static void planes_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    size_t query, side, out;
    planes_sizes(&f->shape, &query, &side, &out);
    driver_bytes(r, o->rows, f->set_bytes);
    driver_bytes(r, o->query, query);
}

static void call_scan_planes(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    k->fn.scan_planes(o->rows, codes_blocks(s->rows), s->dim, s->bits, o->query, PLANES, s->batch, o->out);
}

/* Bytes counted, of 1-bit codes; of more bits a register is counted once a bit. */
static void planes_demand(const struct workload_shape *s, double *demand)
{
    const int bits = s->bits, passes = (bits & 1) + 4 * (bits >> 1 & 1) + 16 * (bits >> 2 & 1) + 64 * (bits >> 3);
    demand[CEILING_POPCOUNT] = (double)(s->rows * s->dim / 8 * s->batch * PLANES * (size_t)passes);
}

/* Sign planes of all rows, then ranks row after row; one row in eight is picked, ascending. */
enum { PICK_EVERY = 8 };

static size_t pick_row(const struct workload_shape *s)
{
    return s->dim / 8 + codes_rank_bytes(codes_groups(s->dim), s->bits);
}

static void pick_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->batch * s->dim + (s->rows / PICK_EVERY + 1) * sizeof(uint32_t); /* the list comes first */
    *side = (size_t)1 << CODES_BITS_MAX;
    *out = s->batch * (s->rows / PICK_EVERY) * sizeof(int32_t);
}

static void pick_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    const struct workload_shape *s = &f->shape;
    const size_t count = s->rows / PICK_EVERY;
    uint32_t *pick = o->query;
    for (size_t i = 0; i < count; i++) pick[i] = (uint32_t)(i * PICK_EVERY + rng_below(r, PICK_EVERY));
    driver_bytes(r, o->rows, f->set_bytes);
    driver_range(r, (int8_t *)(pick + count + 1), s->batch * s->dim, 127);
    driver_bytes(r, o->side, (size_t)1 << s->bits);
}

static void call_scan_pick(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const size_t count = s->rows / PICK_EVERY, groups = codes_groups(s->dim);
    const uint8_t *signs = o->rows;
    const uint32_t *pick = o->query;
    k->fn.scan_pick(signs, signs + s->rows * s->dim / 8, codes_rank_bytes(groups, s->bits), groups, s->bits, o->side,
                    (const int8_t *)(pick + count + 1), s->batch, pick, count, o->out);
}

static void pick_demand(const struct workload_shape *s, double *demand)
{
    demand[CEILING_INT8] = (double)(s->rows / PICK_EVERY * s->dim * s->batch);
}

const struct driver work_scans[] = {
    { OP_scan_lut, .uses = USES_BITS | USES_BATCH, .row_bytes = driver_code_row, .sizes = lut_sizes, .fill = lut_fill,
      .call = call_scan_lut, .demand = lut_demand, .round_up = driver_whole_blocks },
    { OP_lut_sign, .row_bytes = driver_row_of_1, .sizes = tables_sizes, .fill = tables_fill, .call = call_lut_sign,
      .demand = driver_no_demand, .round_up = driver_whole_groups },
    { OP_scan_sign, .uses = USES_BATCH, .row_bytes = sign_row, .sizes = sign_sizes, .fill = sign_fill,
      .call = call_scan_sign, .demand = sign_demand, .round_up = driver_whole_blocks },
    { OP_scan_keep, .row_bytes = keep_row, .sizes = keep_sizes, .fill = keep_fill, .call = call_scan_keep,
      .demand = sign_demand, .round_up = driver_whole_blocks, .tidy = tidy_keep },
    { OP_scan_pick, .uses = USES_BITS | USES_BATCH, .row_bytes = pick_row, .sizes = pick_sizes, .fill = pick_fill,
      .call = call_scan_pick, .demand = pick_demand, .round_up = driver_whole_blocks, .least_bits = 2,
      .every = PICK_EVERY },
    { OP_lut_u8, .uses = USES_BITS, .row_bytes = driver_row_of_4, .sizes = u8_sizes, .fill = u8_fill, .call = call_lut_u8,
      .demand = driver_no_demand, .round_up = driver_whole_groups, .least_bits = 2, .most_bits = 4 },
    { OP_scan_pair, .uses = USES_BATCH, .row_bytes = pair_row, .sizes = pair_sizes, .fill = pair_fill,
      .call = call_scan_pair, .demand = pair_demand, .round_up = driver_whole_blocks },
    { OP_scan_byte, .uses = USES_BATCH, .row_bytes = byte_row, .sizes = byte_sizes, .fill = byte_fill,
      .call = call_scan_byte, .demand = byte_demand, .round_up = byte_shape },
    { OP_scan_planes, .uses = USES_BITS | USES_BATCH, .row_bytes = driver_code_row, .sizes = planes_sizes,
      .fill = planes_fill, .call = call_scan_planes, .demand = planes_demand,
      .round_up = driver_whole_blocks },
    { 0 },
};
