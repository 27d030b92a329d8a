/* SPDX-License-Identifier: MIT
 * least.h - the least integer sum with which a row can reach a threshold: what kernel `survive` takes so that most rows
 * of a batch cost one comparison, and neither their scale nor their error is read. */
#ifndef ASSAY_LEAST_H
#define ASSAY_LEAST_H
#include <stddef.h>
#include <stdint.h>

/* What the numbers beside the sums of some rows range over. */
struct extent {
    float scale_min, scale_max, error_min, error_max;
};
/* Of so many rows, when so many queries will ask: of no rows, or where that is not worth it, nothing is known. */
struct extent extent_of(const float *scale, const float *error, size_t rows, size_t queries);

/* Every row within the extent whose bound, (sum * alpha) * scale + error * beta in single roundings, reaches the
 * threshold has at least this sum, on every machine.  INT32_MIN where nothing can be said (an extent that is not known,
 * a threshold that a sum below 0 may reach, or one that is not finite), or nothing that would pay (scales far apart). */
int32_t least_sum(struct extent rows, float alpha, float beta, float threshold);
#endif
