/* SPDX-License-Identifier: MIT */
#include "index/codec.h"
#include <assert.h>
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

/* Four codes of a step are one 32-bit word; a plane keeps `width` of their bits per code. */
static uint32_t plane_mask(unsigned width) { return 0x01010101u * ((1u << width) - 1); }

void codec_pack(uint8_t *block, int bits, size_t groups, size_t row, const uint8_t *codes)
{
    uint8_t *at = block + 4 * row;
    for (size_t g = 0; g < groups; g++, codes += CODES_DIMS) {
        unsigned done = 0;
        for (unsigned width = 8; width > 0; width /= 2) {
            if (!((unsigned)bits & width)) continue;
            const unsigned per = 8 / width;
            for (unsigned reg = 0; reg < width; reg++, at += 64) {
                uint32_t packed = 0;
                for (unsigned s = 0; s < per; s++) {
                    uint32_t word;
                    memcpy(&word, codes + 4 * (reg * per + s), 4);
                    packed |= (word >> done & plane_mask(width)) << width * s;
                }
                memcpy(at, &packed, 4);
            }
            done += width;
        }
    }
}

void codec_unpack(const uint8_t *block, int bits, size_t groups, size_t row, uint8_t *codes)
{
    const uint8_t *at = block + 4 * row;
    memset(codes, 0, groups * CODES_DIMS);
    for (size_t g = 0; g < groups; g++, codes += CODES_DIMS) {
        unsigned done = 0;
        for (unsigned width = 8; width > 0; width /= 2) {
            if (!((unsigned)bits & width)) continue;
            const unsigned per = 8 / width;
            for (unsigned reg = 0; reg < width; reg++, at += 64) {
                uint32_t packed, word;
                memcpy(&packed, at, 4);
                for (unsigned s = 0; s < per; s++) {
                    memcpy(&word, codes + 4 * (reg * per + s), 4);
                    word |= (packed >> width * s & plane_mask(width)) << done;
                    memcpy(codes + 4 * (reg * per + s), &word, 4);
                }
            }
            done += width;
        }
    }
}

void codec_copy_row(uint8_t *codes, int bits, size_t groups, size_t to, size_t from)
{
    const size_t block_bytes = codes_block_bytes(groups, bits);
    uint8_t *target = codes + to / CODES_ROWS * block_bytes + 4 * (to % CODES_ROWS);
    const uint8_t *source = codes + from / CODES_ROWS * block_bytes + 4 * (from % CODES_ROWS);
    for (size_t at = 0; at < block_bytes; at += 64) memmove(target + at, source + at, 4);
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
