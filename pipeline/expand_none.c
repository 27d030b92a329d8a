/* SPDX-License-Identifier: MIT
 * expand_none.c - the pool stays what rerank left. */
#include "pipeline/stage.h"

static int run(void *self, struct query *q, struct err *e)
{
    (void)self, (void)q, (void)e;
    return ERR_OK;
}

const struct stage_ops expand_none = {
    .name = "none", .slot = SLOT_EXPAND, .summary = "no expansion", .run = run,
};
