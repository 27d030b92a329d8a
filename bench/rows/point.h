/* SPDX-License-Identifier: MIT
 * point.h - what every measured point has, be it an index or a pipeline: timed calls, quality of
 * every query, and how both become a row and a per-query file. */
#ifndef ASSAY_POINT_H
#define ASSAY_POINT_H
#include "bench/quality/difficulty.h"
#include "bench/quality/metric.h"
#include "bench/rows/row.h"
#include "index/index.h"
#include <stddef.h>
#include <stdint.h>

/* Service times of calls in the order they were made.  Call c served queries c*batch ..
 * c*batch+batch-1, counted round the query file. */
struct calls {
    double *us;
    size_t count, room;
    double wall_s; /* sum of the timed stretches, over all threads at once */
};

struct quality {
    double *values; /* metric_count() x query_count, row after row of one metric; NaN: not applicable */
    size_t query_count;
    const struct difficulties *hard; /* of the same queries, the set's; NULL: unknown */
};
int quality_init(struct quality *q, size_t query_count, struct err *e);
void quality_fini(struct quality *q);
void quality_set(struct quality *q, size_t query, const struct evidence *v); /* asks every metric */

/* Score of x for q in float64 from the raw vectors: what recall_tie judges by. */
double point_exact(enum metric metric, const float *q, const float *x, size_t dim);

/* lat_*, qps and ns_per_vector (base_count 0: not applicable).  p99 is left empty below 500 calls.  ERR_MEM. */
int point_latency(struct row *row, const struct calls *calls, size_t batch, size_t base_count, struct err *e);
/* Of every metric its value and the interval of that over queries.  ERR_MEM. */
int point_quality(struct row *row, const struct quality *q, struct err *e);
void point_resources(struct row *row, uint64_t steal_ms); /* peak_rss_bytes, steal_ms */
/* Hash of what the point is: `canonical` parameters, data, schema.  16 hexadecimal digits. */
void point_id(char out[17], const char *canonical, uint64_t data_hash);

/* <folder>/<point_id>.pq.tsv, one line a query: query (its name), calls, lat_us (median of its
 * calls), lat_min_us, lid, lid_quintile, contrast, contrast_quintile (difficulty.h), then a column a metric; empty =
 * not applicable.  Repetitions overwrite.
 * names: NULL for numbers.  Written aside and renamed.  ERR_IO, ERR_MEM. */
int point_queries(const char *folder, const char *id, const char *const *names, const struct quality *q,
                  const struct calls *calls, size_t batch, struct err *e);
#endif
