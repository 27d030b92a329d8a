/* SPDX-License-Identifier: MIT
 * work_codes.c - how `assay bench` drives encoding, packing and their inverses. */
#include "bench/micro/driver.h"
#include "kernels/base/rng.h"
#include "kernels/codes/codes.h"

static void encode_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = 0;
    *side = ((size_t)1 << s->bits) * sizeof(float);
    *out = (s->rows * s->dim + 3) / 4 * 4;
}

static void encode_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    const struct workload_shape *s = &f->shape;
    const int bounds = (1 << s->bits) - 1;
    driver_floats(r, o->rows, s->rows * s->dim);
    for (int i = 0; i < bounds; i++) ((float *)o->side)[i] = 2.0f * (float)(i + 1) / (float)(bounds + 1) - 1.0f;
}

static void call_encode(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    for (size_t i = 0; i < s->rows; i++)
        k->fn.encode((const float *)o->rows + i * s->dim, s->dim, o->side, s->bits, (uint8_t *)o->out + i * s->dim);
}

static size_t packed_bytes(const struct workload_shape *s)
{
    return codes_blocks(s->rows) * codes_block_bytes(codes_groups(s->dim), s->bits);
}

static void pack_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = *side = 0;
    *out = packed_bytes(s);
}

static void unpack_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = *side = 0;
    *out = s->rows * s->dim;
}

/* Bytes of no more than the code's bits. */
static void codes_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    uint8_t *codes = o->rows;
    driver_bytes(r, codes, f->set_bytes);
    for (size_t i = 0; i < f->set_bytes; i++) codes[i] &= (uint8_t)((1u << f->shape.bits) - 1);
}

static void blocks_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    driver_bytes(r, o->rows, f->set_bytes);
}

static void call_pack(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const size_t groups = codes_groups(s->dim), bytes = codes_block_bytes(groups, s->bits);
    for (size_t r = 0; r < s->rows; r += CODES_ROWS)
        k->fn.pack((const uint8_t *)o->rows + r * s->dim, s->dim, 0, CODES_ROWS, groups, s->bits,
                   (uint8_t *)o->out + r / CODES_ROWS * bytes);
}

static void call_unpack(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const size_t groups = codes_groups(s->dim), bytes = codes_block_bytes(groups, s->bits);
    for (size_t r = 0; r < s->rows; r += CODES_ROWS)
        k->fn.unpack((const uint8_t *)o->rows + r / CODES_ROWS * bytes, 0, CODES_ROWS, groups, s->bits,
                     (uint8_t *)o->out + r * s->dim, s->dim);
}

/* Blocks of signs, then the ranks of every row. */
static void call_pack_split(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const size_t groups = codes_groups(s->dim), rank_bytes = codes_rank_bytes(groups, s->bits);
    uint8_t *signs = o->out, *ranks = signs + s->rows * groups * 4;
    for (size_t r = 0; r < s->rows; r++)
        k->fn.pack_split((const uint8_t *)o->rows + r * s->dim, groups, s->bits,
                         signs + r / CODES_ROWS * groups * 64 + r % CODES_ROWS * 4, ranks + r * rank_bytes);
}

static void decode_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = 0;
    *side = ((size_t)1 << s->bits) * sizeof(float);
    *out = s->rows * s->dim * sizeof(float);
}

static void decode_fill(const struct workload_facts *f, struct operands *o, struct rng *r)
{
    codes_fill(f, o, r);
    driver_floats(r, o->side, (size_t)1 << f->shape.bits);
}

static void call_decode(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    for (size_t i = 0; i < s->rows; i++)
        k->fn.decode((const uint8_t *)o->rows + i * s->dim, s->dim, o->side, s->bits, (float *)o->out + i * s->dim);
}

const struct driver work_codes[] = {
    { OP_encode, .uses = USES_BITS, .row_bytes = driver_row_of_4, .sizes = encode_sizes, .fill = encode_fill,
      .call = call_encode, .demand = driver_no_demand },
    { OP_decode, .uses = USES_BITS, .row_bytes = driver_row_of_1, .sizes = decode_sizes, .fill = decode_fill,
      .call = call_decode, .demand = driver_no_demand },
    { OP_pack, .uses = USES_BITS, .row_bytes = driver_row_of_1, .sizes = pack_sizes, .fill = codes_fill, .call = call_pack,
      .demand = driver_no_demand, .round_up = driver_whole_blocks },
    { OP_unpack, .uses = USES_BITS, .row_bytes = driver_code_row, .sizes = unpack_sizes, .fill = blocks_fill,
      .call = call_unpack, .demand = driver_no_demand, .round_up = driver_whole_blocks },
    { OP_pack_split, .uses = USES_BITS, .row_bytes = driver_row_of_1, .sizes = pack_sizes, .fill = codes_fill,
      .call = call_pack_split, .demand = driver_no_demand, .round_up = driver_whole_blocks, .least_bits = 2 },
    { 0 },
};
