/* SPDX-License-Identifier: MIT
 * embed_fixed.c - the same vector for every text: for tests, and for queries that bring their own. */
#include "kernels/base/mem.h"
#include "pipeline/stage.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct param params[] = {
    { "embed_vector", PARAM_TEXT, 0, 0, "", "", NULL, "numbers separated by commas or spaces" },
    { 0 },
};

static int create(void **self, struct stage_env *env, struct err *e)
{
    const char *given = params_text(env->params, "embed_vector");
    *self = strdup(given);
    return *self ? ERR_OK : FAIL(e, ERR_MEM, "embed=fixed: no memory");
}

static int run(void *self, struct query *q, struct err *e)
{
    const char *at = self;
    const size_t dim = q->kb->vectors.rows.dim;
    if (!*at) return FAIL(e, ERR_ARG, "embed=fixed turns no text into a vector: set embed_vector or another embed, "
                                      "or give query vectors");
    size_t count = 0;
    for (char *end; *at; at = end + strspn(end, ", \t\n"), count++) {
        const locale_t host = text_c_locale();
        const float value = strtof(at, &end);
        text_host_locale(host);
        if (end == at || !isfinite(value))
            return FAIL(e, ERR_ARG, "embed=fixed: embed_vector: '%.20s' is no number", at);
        if (count < dim) q->vector[count] = value;
    }
    if (count != dim)
        return FAIL(e, ERR_ARG, "embed=fixed: embed_vector has %zu numbers, the base %zu dimensions", count, dim);
    return ERR_OK;
}

const struct stage_ops embed_fixed = {
    .name = "fixed", .slot = SLOT_EMBED, .summary = "one given vector, whatever the text",
    .params = params, .create = create, .run = run, .destroy = free,
};
