/* SPDX-License-Identifier: MIT
 * int8_ymm.h - what 256-bit registers of bytes share, whatever multiplies them. */
#define BITS_OR(low, high, m) (((low) & (uint8_t)~(m)) | ((high) & (uint8_t)(m)))
#define SHUFFLE(part, index) (bytes)_mm256_shuffle_epi8((__m256i)(part), (__m256i)(index))
/* vpblendvb looks at bit 7 alone. */
#define EITHER(index, bit, a, b)                                                                   \
    (bytes)_mm256_blendv_epi8((__m256i)(a), (__m256i)(b), (__m256i)shifted(index, (bit) - 7))
#define WORDS(a, b) BROADCAST((int32_t)((void)sizeof(b), (a))) /* b is not read */
#define PLUS_BIT(index, words, bit) ((index) - (bytes)(((words) & (bit)) == (bit)))

/* Sums from `start`, or from what `out` holds. */
static inline __attribute__((always_inline)) void sums_of(__m256i acc, int32_t *out, int32_t start, int more)
{
    const __m256i from = more ? _mm256_loadu_si256((__m256i *)out) : _mm256_set1_epi32(start);
    _mm256_storeu_si256((__m256i *)out, _mm256_add_epi32(acc, from));
}

static inline __attribute__((always_inline)) int32_t total(__m256i acc)
{
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(acc), _mm256_extracti128_si256(acc, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1)));
}
