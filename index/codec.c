/* SPDX-License-Identifier: MIT
 * codec.c - rows into codes and blocks, queries into int8 and tables. */
#include "index/codec.h"
#include <math.h>
#include <string.h>

void codec_init(struct codec *c, const struct codebook *book, size_t dim, int in_steps)
{
    *c = (struct codec){ .dim = dim, .padded = codes_groups(dim) * CODES_DIMS, .bits = book->bits };
    const size_t count = (size_t)1 << c->bits;
    const int half = (int)count / 2;
    c->is_even = in_steps && count == 256;
    c->step = (float)((c->is_even ? 1 : book->levels[count - 1]) / 127);
    for (size_t i = 0; i < count; i++) {
        c->levels[i] = (float)book->levels[i];
        c->thresholds[i] = i + 1 < count ? (float)book->thresholds[i] : INFINITY;
        c->table[i] = c->is_even ? (int8_t)((int)i - half + ((int)i < half))
                                 : (int8_t)lrint(book->levels[i] / book->levels[count - 1] * 127);
    }
    for (size_t i = 0; in_steps && i + 1 < count; i++)
        c->thresholds[i] = c->step * (float)(c->table[i] + c->table[i + 1]) / 2;
}

void codec_encode(const struct codec *c, const struct kernel_set *kernels, const float *u, uint8_t *codes)
{
    kernels->of[OP_encode]->fn.encode(u, c->dim, c->thresholds, c->bits, codes);
    memset(codes + c->dim, 0, c->padded - c->dim);
}

void codec_move_row(uint8_t *codes, int bits, size_t groups, size_t to, size_t from)
{
    const size_t block_bytes = codes_block_bytes(groups, bits);
    uint8_t *target = codes + to / CODES_ROWS * block_bytes + 4 * (to % CODES_ROWS);
    uint8_t *source = codes + from / CODES_ROWS * block_bytes + 4 * (from % CODES_ROWS);
    for (size_t at = 0; at < block_bytes; at += 64) {
        memmove(target + at, source + at, 4);
        memset(source + at, 0, 4);
    }
}

/* Lanes side by side, so that the compiler can vectorise. */
float codec_largest(const float *q, size_t dim)
{
    enum { LANES = 16 };
    float lanes[LANES] = { 0 }, largest = 0;
    size_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        for (size_t j = 0; j < LANES; j++) {
            const float size = fabsf(q[i + j]);
            lanes[j] = size > lanes[j] ? size : lanes[j];
        }
    for (; i < dim; i++) lanes[0] = fabsf(q[i]) > lanes[0] ? fabsf(q[i]) : lanes[0];
    for (size_t j = 0; j < LANES; j++) largest = lanes[j] > largest ? lanes[j] : largest;
    return largest;
}

/* No call to rintf, which would keep the compiler from vectorising: with codec_largest 4x faster. */
float codec_query(const float *q, size_t dim, size_t padded, int most, int8_t *out)
{
    const float largest = codec_largest(q, dim);
    memset(out, 0, padded);
    if (!(largest > 1e-30f)) return 0; /* the reciprocal of less would overflow */
    const float scale = (float)most / largest,
                whole = 0x1.8p23f; /* x + whole - whole is x to the nearest, ties to even */
    for (size_t i = 0; i < dim; i++) out[i] = (int8_t)(int32_t)(q[i] * scale + whole - whole);
    return largest / (float)most;
}

size_t codec_table_bytes(int bits) { return bits == 1 ? 128 : bits == 2 ? 256 : bits == 3 ? 1024 : 512; }

/* The widest range of a table, in the roundings of lut_u8: no entry can come out above 255. */
static float widest(const float *q, size_t dim, float span, int bits)
{
    float most = 0;
    for (size_t i = 0; i < dim; i++) {
        const size_t pair = bits == 4 ? dim : i % 8 < 4 ? i + 4 : dim;
        const float range = fabsf(q[i]) * span + (pair < dim ? fabsf(q[pair]) * span : 0);
        most = range > most ? range : most;
    }
    return most;
}

float codec_tables(const struct kernel_set *kernels, const float *q, size_t dim, const float *levels, int bits,
                   uint8_t *tables, int32_t *start)
{
    const float first = levels[0], last = levels[(1 << bits) - 1], most = widest(q, dim, last - first, bits);
    double least = 0;
    *start = 0;
    if (!(most > 1e-30f)) {
        memset(tables, 0, codes_groups(dim) * codec_table_bytes(bits));
        return 0;
    }
    for (size_t i = 0; i < dim; i++) least += (double)q[i] * (double)(q[i] < 0 ? last : first);
    kernels->of[OP_lut_u8]->fn.lut_u8(q, dim, levels, bits, 255 / most, tables);
    *start = (int32_t)lrint(least * 510 / (double)most); /* the scan counts an entry twice */
    return most / 510;
}

void codec_signs(const float *q, size_t dim, uint32_t *words)
{
    memset(words, 0, codes_groups(dim) * sizeof *words);
    for (size_t i = 0; i < dim; i++) words[i / 32] |= (uint32_t)(q[i] > 0) << (8 * (i % 4) + i % 32 / 4);
}
