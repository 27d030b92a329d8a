/* SPDX-License-Identifier: MIT
 * scan_keep_body.h - the bounded scan of sign bits on top of block_scan, which the including file brings:
 *     block_scan(block, groups, lut, start, sums)    sums[16] = start + twice the entries of so many groups */
#include "kernels/codes/codes.h"
#include "kernels/kernel.h"

/* One bit for every row whose sum is enough: the operations of `survive`, in its order. */
static inline unsigned reach(const int32_t sums[CODES_ROWS], const float *scale, const float *error, size_t rows,
                             float alpha, float beta, float threshold)
{
    unsigned keep = 0;
    for (size_t r = 0; r < rows; r++) {
        const float estimate = (float)sums[r] * alpha * scale[r], bound = estimate + error[r] * beta;
        keep |= (unsigned)(bound >= threshold) << r;
    }
    return keep;
}

static size_t leave(const uint8_t *signs, size_t groups, const uint8_t *lut, const int32_t *most, size_t look,
                    const float *scale, const float *error, size_t count, float alpha, float beta, float threshold,
                    uint32_t first, uint32_t *kept, int32_t *sums, size_t read[2])
{
    size_t n = 0, all = 0, late = 0;
    for (size_t b = 0; b < count; b += CODES_ROWS, signs += groups * 64) {
        const size_t rows = count - b < CODES_ROWS ? count - b : CODES_ROWS;
        int32_t sum[CODES_ROWS], more[CODES_ROWS];
        block_scan(signs, look, lut, most[look], sum);
        unsigned keep = reach(sum, scale + b, error + b, rows, alpha, beta, threshold);
        size_t end = look;
        while (keep && end < groups) {
            const size_t g = end;
            end = groups - g < CODES_LOOK ? groups : g + CODES_LOOK;
            block_scan(signs + g * 64, end - g, lut + g * 128, most[end] - most[g], more);
            for (size_t r = 0; r < CODES_ROWS; r++) sum[r] += more[r];
            keep = reach(sum, scale + b, error + b, rows, alpha, beta, threshold);
        }
        all += end;
        late += end > look;
        for (; keep; keep &= keep - 1, n++) {
            const size_t r = (size_t)__builtin_ctz(keep);
            kept[n] = first + (uint32_t)(b + r);
            sums[n] = sum[r];
        }
    }
    read[0] = all;
    read[1] = late;
    return n;
}
