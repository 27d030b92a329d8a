/* SPDX-License-Identifier: MIT
 * test_half.c - conversions to and from f16 and bf16: all 65,536 patterns against the definition of the
 * formats, and rounding against the nearest of the two neighbours, found in double. */
#include "kernels/base/test.h"
#include "kernels/half.h"
#include <math.h>

/* (-1)^sign * 2^(exponent - bias) * 1.fraction, with subnormals: IEEE 754, 3.4. */
static double defined(unsigned pattern, int exponent_bits, int fraction_bits)
{
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int exponent = (int)(pattern >> fraction_bits & ((1u << exponent_bits) - 1));
    const double fraction = ldexp((double)(pattern & ((1u << fraction_bits) - 1)), -fraction_bits);
    const double sign = pattern >> (exponent_bits + fraction_bits) & 1 ? -1 : 1;
    if (exponent == (1 << exponent_bits) - 1) return fraction > 0 ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1 + fraction, exponent - bias) : ldexp(fraction, 1 - bias));
}

static void widening(void)
{
    for (unsigned x = 0; x < 65536; x++) {
        const double half = f32_of_f16((uint16_t)x), brain = f32_of_bf16((uint16_t)x);
        const double h = defined(x, 5, 10), b = defined(x, 8, 7);
        CHECK(half == h || (isnan(half) && isnan(h)), "f16 %#x is %a, got %a", x, h, half);
        CHECK(brain == b || (isnan(brain) && isnan(b)), "bf16 %#x is %a, got %a", x, b, brain);
        if (test_enough()) return;
    }
}

/* What lies above the largest finite number counts as the next power of two, as IEEE 754 rounds. */
static double clipped(double x, double limit) { return isinf(x) ? copysign(limit, x) : x; }

static void narrows(float x, int exponent_bits, int fraction_bits, uint16_t got, double limit)
{
    const unsigned size = got & 0x7fff, sign = got & 0x8000;
    const double y = clipped(defined(got, exponent_bits, fraction_bits), limit);
    const double error = fabs(y - x);
    int nearest = !signbit(x) == !sign;
    for (int step = -1; step <= 1; step += 2) {
        if ((size == 0 && step < 0) || (isinf(defined(got, exponent_bits, fraction_bits)) && step > 0)) continue;
        const double other = clipped(defined((unsigned)((int)size + step) | sign, exponent_bits, fraction_bits), limit);
        const double its = fabs(other - x);
        nearest &= error < its || (error == its && !(got & 1)) || isinf(x);
    }
    CHECK(nearest, "%a became %#x, %a", (double)x, got, y);
}

static void narrowing(void)
{
    const float some[] = { 0, -0.0f, 1, 65504, 65519.996f, 65520, -65520, 0x1p-14f, 0x1.ffcp-15f, 0x1.ffep-15f, 0x1p-24f,
                           0x1p-25f, 0x1.000002p-25f, 0x1.8p-24f, 0x1p-149f, INFINITY, -INFINITY, 0x1.fffffep127f };
    for (size_t i = 0; i < sizeof some / sizeof *some + 400000 && !test_enough(); i++) {
        const uint64_t z = test_rand();
        /* Any bits for bf16; for f16 exponents near its range, half of them halfway between neighbours. */
        float x = float_of_bits((uint32_t)z & (z >> 63 ? 0xffffffff : 0xffff8000));
        float near = float_of_bits(((uint32_t)z & 0x807fffff & (z >> 63 ? 0xffffffff : 0xfffff000)) | (uint32_t)(98 + (z >> 32) % 46) << 23);
        if (i < sizeof some / sizeof *some) x = near = some[i];
        if (!isnan(x)) narrows(x, 8, 7, bf16_of_f32(x), 0x1p128);
        narrows(near, 5, 10, f16_of_f32(near), 0x1p16);
    }
    CHECK(isnan(f32_of_f16(f16_of_f32(NAN))) && isnan(f32_of_bf16(bf16_of_f32(float_of_bits(0x7f800001)))), "NaN");
}

int main(void)
{
    test_case("widening is exact for every pattern", widening);
    test_case("narrowing rounds to nearest even", narrowing);
    return test_end();
}
