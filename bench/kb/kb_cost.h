/* SPDX-License-Identifier: MIT
 * kb_cost.h - what a knowledge base costs to open and to ask, in one process and nothing else: no references run
 * beside it, so the peak of memory is the pipeline's own. */
#ifndef ASSAY_KB_COST_H
#define ASSAY_KB_COST_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/err.h"

struct kb_cost_plan {
    const char *const *settings;
    size_t setting_count, k;
    int passes;
};

struct kb_cost {
    size_t rows;
    double first_s;  /* from nothing to the first answer */
    double build_s;  /* of it, building the index; 0: loaded */
    int was_cached;  /* the index was loaded from the file beside the base */
    double p50_ms, p99_ms; /* over the questions, of the least time of each in all passes */
    double mean_ms;  /* of all calls */
    uint64_t cache_bytes; /* of that file afterwards */
    uint64_t peak_bytes;  /* resident, of this process */
    uint64_t data_bytes;  /* vectors, codes and graph */
};

int kb_cost_measure(const char *db, const char *questions, const struct kb_cost_plan *plan, struct kb_cost *out,
                    struct err *e);
#endif
