/* SPDX-License-Identifier: MIT
 * dot_i8_vnni.h - dot_i8 with the bias of VPDPBUSD taken back; after row_sums.h. */
static INLINE void biased_dots(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick,
                               size_t count, size_t dim, int32_t *scores)
{
    const int stream = streams(pick, count, dim);
    int32_t bias = 0;
    for (size_t i = 0; i < dim; i++) bias += BIAS * query[i];
    for (size_t first = 0; first < count; first += BLOCK) {
        const size_t n = count - first < BLOCK ? count - first : BLOCK;
        row_sums(DOT, query, rows + (pick ? 0 : first * stride), stride, pick ? pick + first : NULL, n, dim,
                 stream, scores + first, scores + first, NULL);
        for (size_t r = first; r < first + n; r++) scores[r] -= bias;
    }
}
