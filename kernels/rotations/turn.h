/* SPDX-License-Identifier: MIT
 * turn.h - turn_f32 over any register width; after lanes_<isa>.h. */
static inline void turn(const float *x, const float *scale, size_t dim, size_t half, float *out)
{
    const size_t pairs = dim - half;
    size_t i = 0;
    for (; i + WIDTH <= pairs; i += WIDTH) {
        const vec a = vec_mul(vec_f32(x + i), vec_f32(scale + i));
        const vec b = vec_mul(vec_f32(x + i + half), vec_f32(scale + i + half));
        vec_store(out + i, vec_add(a, b));
        vec_store(out + i + half, vec_sub(a, b));
    }
    for (; i < pairs; i++) {
        const float a = x[i] * scale[i], b = x[i + half] * scale[i + half];
        out[i] = a + b;
        out[i + half] = a - b;
    }
    for (; i + WIDTH <= half; i += WIDTH) vec_store(out + i, vec_mul(vec_f32(x + i), vec_f32(scale + i)));
    for (; i < half; i++) out[i] = x[i] * scale[i];
}
