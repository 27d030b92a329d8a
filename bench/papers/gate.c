/* SPDX-License-Identifier: MIT
 * gate.c - the least cosine as a gate of quality, which two papers have in other shapes. */
#include "bench/papers/gate.h"
#include "bench/quality/metric.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdio.h>

/* Of what came back, whatever its number; of nothing, nothing. */
static double precision(const struct evidence *v, size_t cut)
{
    (void)cut;
    if (!metric_is_judged(v)) return (double)NAN;
    return v->answers.count ? (double)metric_relevant_in(v, v->answers, v->answers.count) / (double)v->answers.count : 0;
}

static double answered(const struct evidence *v, size_t cut)
{
    (void)cut;
    return metric_is_judged(v) ? v->answers.count > 0 : (double)NAN;
}

static const struct { const char *name; double (*of)(const struct evidence *, size_t); } measures[] = {
    { "precision", precision }, { "recall", metric_recall_at }, { "coverage", answered } };
enum { MEASURES = sizeof measures / sizeof *measures };

int gate_sweep(struct paper_run *r, struct err *e)
{
    static const double gates[] = { 0.1, 0.2, 0.3, 0.4, 0.5 };
    struct retrieval base = { 0 };
    char path[512], arm[32];
    const int has = paper_data(r, "locomo/locomo10.json", path, sizeof path);
    const struct retrieval_source turns = { .importer = "locomo", .from = path };
    if (!has) return paper_skip(r, "", e, "%s", path);
    int status = retrieval_open(&base, &turns, e);
    const size_t room = base.set.queries.count;
    double *values = mem_alloc((MEASURES + 1) * room + 1, sizeof *values), *with = values ? values + MEASURES * room : NULL;
    if (status == ERR_OK && !values) status = FAIL(e, ERR_MEM, "a gate: no memory");
    if (status == ERR_OK) status = retrieval_ask(&base, 10, e, "retrieve=exact expand=none graph_weight=0 min_combined_score=-1e9");
    if (status == ERR_OK) status = retrieval_keep(&base, r, "locomo", "none", e);
    for (size_t m = 0; status == ERR_OK && m < MEASURES; m++) (void)retrieval_at(&base, measures[m].of, 10, values + m * room);
    for (size_t g = 0; status == ERR_OK && g < sizeof gates / sizeof *gates; g++) {
        status = retrieval_ask(&base, 10, e, "retrieve=exact expand=none graph_weight=0 min_combined_score=-1e9 min_vector_score=%g",
                               gates[g]);
        snprintf(arm, sizeof arm, "gate %g", gates[g]);
        if (status == ERR_OK) status = retrieval_keep(&base, r, "locomo", arm, e);
        for (size_t m = 0; status == ERR_OK && m < MEASURES; m++) {
            struct finding f = finding_of("contrast=gate-none;measure=%s;gate=%g", measures[m].name, gates[g]);
            const size_t count = retrieval_at(&base, measures[m].of, 10, with);
            finding_of_pairs(&f, with, values + m * room, count);
            status = paper_found(r, &f, e);
        }
    }
    mem_free(values);
    retrieval_close(&base);
    return status;
}
