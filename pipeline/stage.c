/* SPDX-License-Identifier: MIT
 * stage.c - every stage, from the list that the build makes of pipeline/<slot>_<name>.c. */
#include "pipeline/stage.h"
#include <string.h>

#define PLUGIN(file) extern const struct stage_ops file;
#include "gen/stages.inc"
#undef PLUGIN

static const struct stage_ops *const all[] = {
#define PLUGIN(file) &file,
#include "gen/stages.inc"
#undef PLUGIN
    NULL
};

static const char *const slot_names[SLOT_COUNT] = { "embed", "retrieve", "rerank", "expand", "score", "filter",
                                                    "context" };

const char *slot_name(enum slot s) { return slot_names[s]; }

const struct stage_ops *stage_at(size_t i) { return i < sizeof all / sizeof *all ? all[i] : NULL; }

const struct stage_ops *stage_find(enum slot slot, const char *name)
{
    for (size_t i = 0; all[i]; i++)
        if (all[i]->slot == slot && strcmp(all[i]->name, name) == 0) return all[i];
    return NULL;
}
