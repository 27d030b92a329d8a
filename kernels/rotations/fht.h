/* SPDX-License-Identifier: MIT
 * fht.h - Walsh-Hadamard transform over any register width; included after lanes_<isa>.h by a
 * file that defines
 *     fht_register(v)    the strides below WIDTH inside one register
 *     BLOCK              registers held at once by the first pass: 16 of 32, or 8 of 16
 *
 * Memory is passed over once for the strides below BLOCK * WIDTH and once more for every further
 * factor of 8: n = 512 on AVX-512 is two passes, not nine.  Every butterfly is the one the
 * definition names, on the same operands; only the order of independent butterflies differs. */
#define INLINE inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

/* Butterflies between the registers of v, strides 1, 2, 4 ... below count (a constant power of 2). */
static INLINE void butterflies(vec *v, int count)
{
    UNROLL for (int stride = 1; stride < count; stride *= 2)
        UNROLL for (int i = 0; i < count; i++) {
            if (i & stride) continue;
            const vec a = v[i], b = v[i + stride];
            v[i] = vec_add(a, b);
            v[i + stride] = vec_sub(a, b);
        }
}

/* The whole transform of count registers in place. */
static INLINE void fht_block(float *x, int count)
{
    vec v[BLOCK];
    UNROLL for (int i = 0; i < count; i++) v[i] = fht_register(vec_f32(x + i * WIDTH));
    butterflies(v, count);
    UNROLL for (int i = 0; i < count; i++) vec_store(x + i * WIDTH, v[i]);
}

/* The strides stride, 2 stride, ... below radix * stride, over n elements. */
static INLINE void fht_combine(float *x, size_t n, size_t stride, int radix)
{
    for (size_t start = 0; start < n; start += (size_t)radix * stride)
        for (size_t i = start; i < start + stride; i += WIDTH) {
            vec v[8];
            UNROLL for (int j = 0; j < radix; j++) v[j] = vec_f32(x + i + (size_t)j * stride);
            butterflies(v, radix);
            UNROLL for (int j = 0; j < radix; j++) vec_store(x + i + (size_t)j * stride, v[j]);
        }
}

static void fht_small(float *x, size_t n)
{
    for (size_t stride = 1; stride < n; stride *= 2)
        for (size_t i = 0; i < n; i++) {
            if (i & stride) continue;
            const float a = x[i], b = x[i + stride];
            x[i] = a + b;
            x[i + stride] = a - b;
        }
}

static INLINE void fht(float *x, size_t n)
{
    if (n < BLOCK * WIDTH) {
        switch (n / WIDTH) {
        case 0: fht_small(x, n); break;
        case 1: fht_block(x, 1); break;
        case 2: fht_block(x, 2); break;
        case 4: fht_block(x, 4); break;
        case 8: fht_block(x, 8 < BLOCK ? 8 : BLOCK); break;
        }
        return;
    }
    size_t stride = BLOCK * WIDTH;
    for (size_t i = 0; i < n; i += stride) fht_block(x + i, BLOCK);
    for (; stride * 4 < n; stride *= 8) fht_combine(x, n, stride, 8);
    if (stride * 4 == n) fht_combine(x, n, stride, 4);
    if (stride * 2 == n) fht_combine(x, n, stride, 2);
}
