/* SPDX-License-Identifier: MIT
 * registry.c - every reader, importer and generator, from the lists that the build makes. */
#include "datasets/dataset.h"
#include <string.h>

#define PLUGIN(f) extern const struct reader_ops f;
#include "gen/readers.inc"
#undef PLUGIN
#define PLUGIN(f) extern const struct importer_ops f;
#include "gen/importers.inc"
#undef PLUGIN
#define PLUGIN(f) extern const struct generator_ops f;
#include "gen/generators.inc"
#undef PLUGIN

#define PLUGIN(f) &f,
static const struct reader_ops *const readers[] = {
#include "gen/readers.inc"
    NULL
};
static const struct importer_ops *const importers[] = {
#include "gen/importers.inc"
    NULL
};
static const struct generator_ops *const generators[] = {
#include "gen/generators.inc"
    NULL
};
#undef PLUGIN

const struct reader_ops *reader_at(size_t i) { return i < sizeof readers / sizeof *readers ? readers[i] : NULL; }
const struct importer_ops *importer_at(size_t i)
{
    return i < sizeof importers / sizeof *importers ? importers[i] : NULL;
}
const struct generator_ops *generator_at(size_t i)
{
    return i < sizeof generators / sizeof *generators ? generators[i] : NULL;
}

const struct importer_ops *importer_find(const char *name)
{
    for (size_t i = 0; importers[i]; i++)
        if (strcmp(importers[i]->name, name) == 0) return importers[i];
    return NULL;
}

const struct generator_ops *generator_find(const char *name)
{
    for (size_t i = 0; generators[i]; i++)
        if (strcmp(generators[i]->name, name) == 0) return generators[i];
    return NULL;
}
