/* SPDX-License-Identifier: MIT
 * look.h - what a graph looks like, and what of its answers is lost to its edges and what to its codes. */
#ifndef ASSAY_LOOK_H
#define ASSAY_LOOK_H
#include "index/nodes.h"

/* As index_ops.look, of the nodes alone: those that are no answer any more count too.  ERR_MEM. */
int nodes_look(const struct nodes *n, size_t ef, struct rows queries, index_fact *fact, void *context, struct err *e);
#endif
