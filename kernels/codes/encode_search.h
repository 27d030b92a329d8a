/* SPDX-License-Identifier: MIT
 * encode_search.h - `search` of the operation encode from the file's own encode_bits(x, dim, bounds,
 * codes, bits): one copy a number of bits, in which its loops have constant bounds. */
#define ENCODE_BITS(b)                                                                             \
    static void encode_##b(const float *x, size_t dim, const float *bounds, uint8_t *codes)        \
    {                                                                                              \
        encode_bits(x, dim, bounds, codes, b);                                                     \
    }
ENCODE_BITS(1)
ENCODE_BITS(2)
ENCODE_BITS(3)
ENCODE_BITS(4)
ENCODE_BITS(5)
ENCODE_BITS(6)
ENCODE_BITS(7)
ENCODE_BITS(8)

static void search(const float *x, size_t dim, const float *bounds, int bits, uint8_t *codes)
{
    static void (*const of[])(const float *, size_t, const float *, uint8_t *) = {
        encode_1, encode_2, encode_3, encode_4, encode_5, encode_6, encode_7, encode_8,
    };
    of[bits - 1](x, dim, bounds, codes);
}
