/* SPDX-License-Identifier: MIT
 * norms.h - norms_f32 over any register width; after row_sums.h.  The roots are taken where the sums are
 * written: from a block of their own, with copies to and fro, 16 rows in L1 took a fifth longer. */
#include <string.h>

static INLINE void row_inverses(const float *rows, size_t stride, size_t count, size_t dim, float *inverse)
{
    enum { ROOM = 16 }; /* what inverse_roots works in */
    const size_t whole = count / ROOM * ROOM, rest = count - whole;
    float last[ROOM] = { 0 };
    row_sums(SQUARE, NULL, rows, stride, NULL, count, dim, streams(NULL, count, stride), inverse, inverse, NULL);
    inverse_roots(inverse, whole);
    memcpy(last, inverse + whole, rest * sizeof *last);
    inverse_roots(last, rest);
    memcpy(inverse + whole, last, rest * sizeof *last);
}
