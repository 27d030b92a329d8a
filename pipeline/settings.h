/* SPDX-License-Identifier: MIT
 * settings.h - what a pipeline is set to: which stage fills each slot, and the value of every parameter.
 *
 * For pipeline.c; pipeline.h has what callers ask of settings without a pipeline. */
#ifndef ASSAY_SETTINGS_H
#define ASSAY_SETTINGS_H
#include "pipeline/stage.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SETTINGS_MAX = 256 };

struct setting {
    const char *key, *value;
};

struct settings {
    const struct stage_ops *ops[SLOT_COUNT]; /* the stage of each slot, and its parameters */
    struct params *params[SLOT_COUNT];
    struct params *own;                    /* the pipeline's: compat, min_vector_score, edge_types ... */
    struct setting in_force[SETTINGS_MAX]; /* all of them, in a fixed order; keys and values are the tables' */
    size_t count;
    int trusted;        /* SETTINGS_TRUST was given */
    int asks_elsewhere; /* the service that embeds is the base's choice and not the caller's: nothing is sent to it */
    int rerank_said; /* by the base or the caller */
};

/* The base's own settings, then those given ("key=value", later ones win), into a zeroed or cleared *set whose
 * asks_elsewhere may be set already.  Errors as of pipeline_open; afterwards only settings_clear may follow. */
int settings_read(struct settings *set, struct store *base, const char *const *given, size_t count, struct err *e);
void settings_clear(struct settings *set); /* frees all; *set is zeroed.  A zeroed one is allowed */

/* Everything in force as it would be given: list[set->count] points into *all, which the caller frees.  ERR_MEM. */
int settings_spell(const struct settings *set, struct text *all, const char **list);

#ifdef __cplusplus
}
#endif
#endif
