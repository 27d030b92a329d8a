/* SPDX-License-Identifier: MIT
 * rotate.h - rotate_f32 over any register width; included after fht.h by a file that defines
 *     vec_all(x)             x in every element
 *     vec_flip(v, signs)     v with the sign bits of WIDTH words of `signs` xor-ed in
 *     MIX                    registers that a pass over all parts may hold
 *
 * A round is two passes over memory: scale, signs and the strides inside BLOCK registers; then the last one, two
 * or three strides and the mix of the parts together, as many as let a column of all parts stand in MIX registers
 * (three: MIX / parts >= 8).  Passes of up to three strides between them where a part is longer. */
enum { PARTS_MOST = 5, RADIX_MOST = 8 };

/* The strides below count * WIDTH, of dim elements. */
static INLINE void rotate_blocks(const float *x, const uint32_t *signs, size_t dim, int count, int first, vec scale,
                                 float *out)
{
    for (size_t i = 0; i < dim; i += (size_t)count * WIDTH) {
        vec v[BLOCK];
        UNROLL for (int r = 0; r < count; r++) {
            v[r] = vec_f32(x + i + r * WIDTH);
            if (first) v[r] = vec_mul(v[r], scale);
            v[r] = fht_register(vec_flip(v[r], signs + i + r * WIDTH));
        }
        butterflies(v, count);
        UNROLL for (int r = 0; r < count; r++) vec_store(out + i + r * WIDTH, v[r]);
    }
}

/* The last strides of every part, radix a constant, and the mix of the parts. */
static INLINE void rotate_mix(float *x, size_t power, int radix, int parts)
{
    const size_t stride = power / (size_t)radix;
    const vec share = vec_all(2.0f / (float)parts);
    for (size_t i = 0; i < stride; i += WIDTH) {
        vec v[PARTS_MOST][RADIX_MOST];
        UNROLL for (int p = 0; p < parts; p++) {
            UNROLL for (int j = 0; j < radix; j++) v[p][j] = vec_f32(x + (size_t)p * power + (size_t)j * stride + i);
            butterflies(v[p], radix);
        }
        UNROLL for (int j = 0; j < radix && parts > 1; j++) {
            vec sum = v[0][j];
            UNROLL for (int p = 1; p < parts; p++) sum = vec_add(sum, v[p][j]);
            sum = vec_mul(sum, share);
            UNROLL for (int p = 0; p < parts; p++) v[p][j] = vec_sub(v[p][j], sum);
        }
        UNROLL for (int p = 0; p < parts; p++)
            UNROLL for (int j = 0; j < radix; j++) vec_store(x + (size_t)p * power + (size_t)j * stride + i, v[p][j]);
    }
}

/* Parts shorter than a register. */
static void rotate_small(const float *x, const uint32_t *signs, size_t dim, size_t parts, float scale, float *out)
{
    const size_t power = dim / parts;
    const float share = 2.0f / (float)parts;
    for (size_t i = 0; i < dim; i++) out[i] = signs[i] >> 31 ? -(x[i] * scale) : x[i] * scale;
    for (size_t p = 0; p < parts; p++) fht_small(out + p * power, power);
    for (size_t i = 0; i < power && parts > 1; i++) {
        float sum = out[i];
        for (size_t p = 1; p < parts; p++) sum += out[p * power + i];
        for (size_t p = 0; p < parts; p++) out[p * power + i] -= sum * share;
    }
}

/* What is left when the strides below `stride` are done; parts a constant. */
static INLINE void rotate_rest(float *x, size_t power, size_t stride, int parts)
{
    const size_t most = MIX / parts >= 8 ? 8 : MIX / parts >= 4 ? 4 : 2, dim = power * (size_t)parts;
    for (size_t left; (left = power / stride) > most; stride *= left / most < 8 ? left / most : 8)
        switch (left / most) {
        case 2: fht_combine(x, dim, stride, 2); break;
        case 4: fht_combine(x, dim, stride, 4); break;
        default: fht_combine(x, dim, stride, 8);
        }
    switch (power / stride) {
    case 1:
        if (parts > 1) rotate_mix(x, power, 1, parts);
        break;
    case 2: rotate_mix(x, power, 2, parts); break;
    case 4: rotate_mix(x, power, most < 4 ? 2 : 4, parts); break;
    case 8: rotate_mix(x, power, most < 8 ? 2 : 8, parts); break;
    }
}

static INLINE void rotate_round(const float *x, const uint32_t *signs, size_t dim, size_t parts, int first, float scale,
                                float *out)
{
    const size_t power = dim / parts;
    const vec all = vec_all(scale);
    size_t count = power / WIDTH;
    if (count > BLOCK) count = BLOCK;
    switch (count) {
    case 0: rotate_small(x, signs, dim, parts, first ? scale : 1, out); return;
    case 1: rotate_blocks(x, signs, dim, 1, first, all, out); break;
    case 2: rotate_blocks(x, signs, dim, 2, first, all, out); break;
    case 4: rotate_blocks(x, signs, dim, 4, first, all, out); break;
    case 8: rotate_blocks(x, signs, dim, 8 < BLOCK ? 8 : BLOCK, first, all, out); break;
    case 16: rotate_blocks(x, signs, dim, BLOCK, first, all, out); break;
    }
    switch (parts) {
    case 1: rotate_rest(out, power, count * WIDTH, 1); break;
    case 3: rotate_rest(out, power, count * WIDTH, 3); break;
    case 5: rotate_rest(out, power, count * WIDTH, 5); break;
    }
}

static INLINE void rotate(const float *x, const uint32_t *signs, size_t dim, size_t parts, int rounds, float scale,
                          float *out)
{
    rotate_round(x, signs, dim, parts, 1, scale, out);
    for (int round = 1; round < rounds; round++)
        rotate_round(out, signs + (size_t)round * dim, dim, parts, 0, 1, out);
}
