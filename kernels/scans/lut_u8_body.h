/* SPDX-License-Identifier: MIT
 * lut_u8_body.h - the tables of lut_u8, LANES entries at a time: what a code adds is laid out once by entry, for
 * either sign of the coordinate, so an entry is two products, a sum, a product and a rounding.
 * The including file defines LANES, `floats` (a register of them) and store_bytes(at, floats): their whole
 * parts as bytes. */
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

struct shares { float first[2][64], second[2][64]; }; /* by sign of the coordinate and entry */

static inline void shares_make(struct shares *s, const float *levels, int bits)
{
    const float least = levels[0], most = levels[(1 << bits) - 1];
    for (unsigned n = 0; n < 64; n++) {
        const unsigned c_a = bits == 4 ? n & 15 : (n & 3) | (n >> 2 & 4), c_b = (n >> 2 & 3) | (n >> 3 & 4);
        const unsigned code = bits == 2 ? c_a & 3 : c_a, other = bits == 4 ? 0 : bits == 2 ? c_b & 3 : c_b;
        s->first[0][n] = levels[code] - least;
        s->first[1][n] = most - levels[code];
        s->second[0][n] = levels[other] - least;
        s->second[1][n] = most - levels[other];
    }
}

static inline __attribute__((always_inline)) uint8_t *table(float a, float b, const struct shares *s, int entries,
                                                            float inverse, uint8_t *lut)
{
    const float *first = s->first[a < 0], *second = s->second[b < 0];
    a = a < 0 ? -a : a;
    b = b < 0 ? -b : b;
    for (int n = 0; n < entries; n += LANES) {
        floats x, y;
        memcpy(&x, first + n, sizeof x);
        memcpy(&y, second + n, sizeof y);
        store_bytes(lut + n, (x * a + y * b) * inverse + 0.5f);
    }
    return lut + entries;
}

static void by_entry(const float *query, size_t dim, const float *levels, int bits, float inverse, uint8_t *lut)
{
    struct shares s;
    shares_make(&s, levels, bits);
    for (size_t i = 0; i < dim; i += CODES_DIMS) {
        float group[CODES_DIMS] = { 0 };
        memcpy(group, query + i, (dim - i < CODES_DIMS ? dim - i : CODES_DIMS) * sizeof *query);
        for (size_t d = 0; d < CODES_DIMS && bits == 4; d++) lut = table(group[d], 0, &s, 16, inverse, lut);
        for (size_t d = 0; d < CODES_DIMS && bits != 4; d += d % 8 == 3 ? 5 : 1)
            lut = table(group[d], group[d + 4], &s, bits == 3 ? 64 : 16, inverse, lut);
    }
}
