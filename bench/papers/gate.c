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

static int sweep_over(struct paper_run *r, struct retrieval *base, const char *data, struct err *e)
{
    static const double gates[] = { 0.1, 0.2, 0.3, 0.4, 0.5 };
    const size_t room = base->set.queries.count;
    char arm[32];
    double *values = mem_alloc((MEASURES + 1) * room + 1, sizeof *values), *with = values ? values + MEASURES * room : NULL;
    int status = values ? ERR_OK : FAIL(e, ERR_MEM, "a gate: no memory");
    if (status == ERR_OK) status = retrieval_ask(base, 10, e, "retrieve=exact expand=none graph_weight=0 min_combined_score=-1e9");
    if (status == ERR_OK) status = retrieval_keep(base, r, data, "none", e);
    for (size_t m = 0; status == ERR_OK && m < MEASURES; m++) (void)retrieval_at(base, measures[m].of, 10, values + m * room);
    for (size_t g = 0; status == ERR_OK && g < sizeof gates / sizeof *gates; g++) {
        status = retrieval_ask(base, 10, e, "retrieve=exact expand=none graph_weight=0 min_combined_score=-1e9 min_vector_score=%g",
                               gates[g]);
        snprintf(arm, sizeof arm, "gate %g", gates[g]);
        if (status == ERR_OK) status = retrieval_keep(base, r, data, arm, e);
        for (size_t m = 0; status == ERR_OK && m < MEASURES; m++) {
            struct finding f = finding_of("contrast=gate-none;measure=%s;gate=%g;data=%s", measures[m].name, gates[g], data);
            const size_t count = retrieval_at(base, measures[m].of, 10, with);
            finding_of_pairs(&f, with, values + m * room, count);
            status = paper_found(r, &f, e);
        }
    }
    mem_free(values);
    return status;
}

int gate_sweep(struct paper_run *r, struct err *e)
{
    struct retrieval base = { 0 };
    struct retrieval_source from;
    char path[512];
    int status = ERR_OK;
    if (retrieval_wordnet(&from, r->asked.quick ? 300 : 2000, path, sizeof path)) {
        status = retrieval_open(&base, &from, e);
        if (status == ERR_OK) status = sweep_over(r, &base, "wordnet", e);
    } else {
        status = paper_skip(r, "data=wordnet", e, "%s", path);
    }
    retrieval_close(&base);
    if (status != ERR_OK) return status;
    if (!paper_data(r, "locomo/locomo10.json", path, sizeof path)) return paper_skip(r, "data=locomo", e, "%s", path);
    from = (struct retrieval_source){ .importer = "locomo", .from = path };
    status = retrieval_open(&base, &from, e);
    if (status == ERR_OK) status = sweep_over(r, &base, "locomo", e);
    retrieval_close(&base);
    return status;
}
