/* SPDX-License-Identifier: MIT
 * pack_split_avx2.c - a group's 32 codes sorted to the bit order of the words (codes.h), then one vpmovmskb a bit. */
#include <immintrin.h>
#include <string.h>
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

static inline uint32_t plane_of(__m256i x, int plane)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_sll_epi16(x, _mm_cvtsi32_si128(7 - plane)));
}

static void movemask(const uint8_t *codes, size_t groups, int bits, uint8_t *signs, uint8_t *ranks)
{
    const __m128i order = _mm_set_epi8(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    const __m256i by_byte = _mm256_broadcastsi128_si256(order);
    const __m256i by_lane = _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0);
    for (size_t g = 0; g < groups; g++, codes += CODES_DIMS, signs += 64) {
        __m256i x = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)codes), by_byte);
        x = _mm256_permutevar8x32_epi32(x, by_lane);
        const uint32_t sign = plane_of(x, bits - 1);
        memcpy(signs, &sign, sizeof sign);
        for (int plane = 0; plane + 1 < bits; plane++, ranks += 4) /* complement where the sign is not set */
            memcpy(ranks, &(uint32_t){ plane_of(x, plane) ^ ~sign }, 4);
    }
}

KERNELS = {
    KERNEL("movemask", movemask, KERNEL_DEFAULT, "codes in the words' order, then a vpmovmskb a bit",
           "4 uops per 32 codes, 5 more a bit"),
    KERNEL_END
};
