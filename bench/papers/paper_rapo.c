/* SPDX-License-Identifier: MIT
 * paper_rapo.c - RAPO (arXiv 2603.03078): what retrieval brings must go when what is retrieved is noise.
 *
 * Its tables need reinforcement learning of a language model.  What is left is its figure 6 as a test of any graph's gain:
 * replace a share of the links by random ones, and see the gain go.  Planted two-hop questions, whose evidence 1-bit codes
 * lose and a link restores. */
#include "bench/papers/retrieval.h"
#include "kernels/base/mem.h"
#include <stdio.h>

static const char table[] =
#include "gen/rapo.tsv.inc"
    ;

#define CODES "bit_width=1 min_combined_score=-1e9 "
static int rewire(struct paper_run *r, struct err *e)
{
    static const double shares[] = { 0, 0.25, 0.5, 0.75, 1 };
    struct retrieval base = { 0 };
    char arm[32];
    const struct retrieval_source from = { .generator = "twohop", .params = r->asked.quick ? "n=5000,queries=300" : "queries=500" };
    int status = retrieval_open(&base, &from, e);
    const size_t room = base.set.queries.count;
    double *values = mem_alloc(2 * room + 1, sizeof *values);
    if (status == ERR_OK && !values) status = FAIL(e, ERR_MEM, "rapo: no memory");
    if (status == ERR_OK) status = retrieval_ask(&base, 10, e, CODES "expand=none graph_weight=0");
    if (status == ERR_OK) (void)retrieval_at(&base, metric_recall_at, 10, values);
    if (status == ERR_OK) status = retrieval_keep(&base, r, "twohop", "vectors", e);
    for (size_t s = 0; status == ERR_OK && s < sizeof shares / sizeof *shares; s++) {
        struct finding f = finding_of("rewire=%g", shares[s]);
        snprintf(arm, sizeof arm, "rewired %g", shares[s]);
        status = retrieval_ask(&base, 10, e, CODES "graph_depth=1 edge_rewire=%g", shares[s]);
        if (status == ERR_OK) status = retrieval_keep(&base, r, "twohop", arm, e);
        if (status != ERR_OK) break;
        finding_of_pairs(&f, values + room, values, retrieval_at(&base, metric_recall_at, 10, values + room));
        status = paper_found(r, &f, e);
    }
    mem_free(values);
    retrieval_close(&base);
    return status;
}

static const struct paper_item items[] = {
    { .name = "rewire", .summary = "gain of one hop in R@10 when a share of the links is random", .run = rewire,
      .figure = { .x = "rewire", .x_label = "share of random links", .y_label = "gain of expansion in R@10" } },
    { 0 },
};

const struct paper_ops paper_rapo = {
    .name = "rapo", .reference = "arXiv 2603.03078 (the engine cites 2603.02958, which is about quantum annealing)", .summary = "retrieval-augmented policy optimisation",
    .table = table, .items = items,
};
