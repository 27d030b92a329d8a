/* SPDX-License-Identifier: MIT
 * context.h - what every context stage has: how far it walks, and how much it attaches to a result. */
#ifndef ASSAY_CONTEXT_H
#define ASSAY_CONTEXT_H
#include "pipeline/stage.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CONTEXT_PARAMS                                                                                             \
    { "context_depth", PARAM_INT, 0, GRAPH_DEPTH_MAX, "2", "steps", NULL, "how far context may lie from its result" }, \
    { "max_context_entities", PARAM_INT, 0, 1000000, "5", "", NULL, "context entities of one result" },                \
    { "max_context_bytes", PARAM_INT, 0, 1e12, "0", "bytes", NULL,                                                     \
      "type, name and properties of one result's context; what no longer fits ends it; 0: any" }

struct context {
    int depth;
    size_t most;
};

/* As the hook of a stage; freed by mem_free. */
int context_create(void **self, struct stage_env *env, struct err *e);
/* Calls attach for every kept member: it writes at most `most` entities to out and returns how many. */
int context_run(const struct context *self, struct query *q,
               size_t (*attach)(const struct context *self, struct query *q, uint32_t entity, size_t most, uint32_t *out));

#ifdef __cplusplus
}
#endif
#endif
