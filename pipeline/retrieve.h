/* SPDX-License-Identifier: MIT
 * retrieve.h - settings that several retrieve stages have. */
#ifndef ASSAY_RETRIEVE_H
#define ASSAY_RETRIEVE_H
#include "pipeline/stage.h"

#define TOP_K_CANDIDATES \
    { "top_k_candidates", PARAM_INT, 1, 4294967295, "50", "", NULL, "candidates that stage one hands on" }

#define RETRIEVE_INDEX_PARAMS                                                                                   \
    { "index", PARAM_SPEC, 0, 0, "turboquant", "", NULL, "any index, with its parameters" },                    \
    { "bit_width", PARAM_INT, 1, 8, "3", "bits", NULL,                                                          \
      "bits a dimension, where the index, or the one inside it, has `bits` and does not set it" },              \
    { "seed", PARAM_INT, 0, 9007199254740992, "42", "", NULL, "of the index's random rotation" },               \
    TOP_K_CANDIDATES
#endif
