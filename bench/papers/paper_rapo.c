/* SPDX-License-Identifier: MIT
 * paper_rapo.c - RAPO (arXiv 2603.03078): what retrieval brings must go when what is retrieved is noise.
 *
 * Its tables need reinforcement learning of a language model.  What is left is its figure 6 as a test of any graph's gain:
 * replace a share of the links by random ones, and see the gain go.  Planted two-hop questions, whose evidence 1-bit codes
 * lose and a link restores; and WordNet, whose usage examples ask for their synset. */
#include "bench/papers/retrieval.h"
#include "kernels/base/mem.h"
#include <stdio.h>

static const char table[] =
#include "gen/rapo.tsv.inc"
    ;

#define CODES "bit_width=1 min_combined_score=-1e9 "
static int rewire_over(struct paper_run *r, struct retrieval *base, const char *data, struct err *e)
{
    static const double shares[] = { 0, 0.25, 0.5, 0.75, 1 };
    const size_t room = base->set.queries.count;
    char arm[32];
    double *values = mem_alloc(2 * room + 1, sizeof *values);
    int status = values ? ERR_OK : FAIL(e, ERR_MEM, "rapo: no memory");
    if (status == ERR_OK) status = retrieval_ask(base, 10, e, CODES "expand=none graph_weight=0");
    if (status == ERR_OK) (void)retrieval_at(base, metric_recall_at, 10, values);
    if (status == ERR_OK) status = retrieval_keep(base, r, data, "vectors", e);
    for (size_t s = 0; status == ERR_OK && s < sizeof shares / sizeof *shares; s++) {
        struct finding f = finding_of("rewire=%g;data=%s", shares[s], data);
        snprintf(arm, sizeof arm, "rewired %g", shares[s]);
        status = retrieval_ask(base, 10, e, CODES "graph_depth=1 edge_rewire=%g", shares[s]);
        if (status == ERR_OK) status = retrieval_keep(base, r, data, arm, e);
        if (status != ERR_OK) break;
        finding_of_pairs(&f, values + room, values, retrieval_at(base, metric_recall_at, 10, values + room));
        status = paper_found(r, &f, e);
    }
    mem_free(values);
    return status;
}

static int rewire(struct paper_run *r, struct err *e)
{
    struct retrieval base = { 0 };
    struct retrieval_source from = { .generator = "twohop", .params = r->asked.quick ? "n=5000,queries=300" : "queries=500" };
    char lacks[512];
    int status = retrieval_open(&base, &from, e);
    if (status == ERR_OK) status = rewire_over(r, &base, "twohop", e);
    retrieval_close(&base);
    if (status != ERR_OK) return status;
    if (!retrieval_wordnet(&from, r->asked.quick ? 200 : 2000, lacks, sizeof lacks)) return paper_skip(r, "data=wordnet", e, "%s", lacks);
    status = retrieval_open(&base, &from, e);
    if (status == ERR_OK) status = rewire_over(r, &base, "wordnet", e);
    retrieval_close(&base);
    return status;
}

static const struct paper_item items[] = {
    { .name = "rewire", .summary = "gain of one hop in R@10 when a share of the links is random", .run = rewire,
      .figure = { .x = "rewire", .panel = "data", .x_label = "share of random links", .y_label = "gain of expansion in R@10" } },
    { 0 },
};

const struct paper_ops paper_rapo = {
    .name = "rapo", .reference = "arXiv 2603.03078 (the engine cites 2603.02958, which is about quantum annealing)", .summary = "retrieval-augmented policy optimisation",
    .table = table, .items = items,
};
