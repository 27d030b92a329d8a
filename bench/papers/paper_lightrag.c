/* SPDX-License-Identifier: MIT
 * paper_lightrag.c - LightRAG's open question (issue 3571 of its repository): a graph helps a weak encoder, and hurts the
 * first answers of a strong one.  Its encoders' vectors are nobody's to have here, so 1-bit codes stand in for the weak
 * one and exact vectors for the strong, over planted two-hop questions. */
#include "bench/papers/retrieval.h"
#include "kernels/base/mem.h"
#include <stdio.h>

static const char table[] =
#include "gen/lightrag.tsv.inc"
    ;

static int weak_encoder(struct paper_run *r, struct err *e)
{
    static const struct { const char *name, *settings; } encoders[] = {
        { "1 bit", "bit_width=1" }, { "2 bits", "bit_width=2" }, { "3 bits", "bit_width=3" }, { "exact", "retrieve=exact" } };
    struct retrieval base = { 0 };
    char arm[48];
    const struct retrieval_source from = { .generator = "twohop", .params = r->asked.quick ? "n=5000,queries=300" : "queries=500" };
    int status = retrieval_open(&base, &from, e);
    const size_t room = base.set.queries.count;
    double *values = mem_alloc(2 * room + 1, sizeof *values);
    if (status == ERR_OK && !values) status = FAIL(e, ERR_MEM, "lightrag: no memory");
    for (size_t i = 0; status == ERR_OK && i < sizeof encoders / sizeof *encoders; i++) {
        struct finding f = finding_of("encoder=%s", encoders[i].name);
        status = retrieval_ask(&base, 10, e, "%s min_combined_score=-1e9 expand=none graph_weight=0", encoders[i].settings);
        if (status == ERR_OK) (void)retrieval_at(&base, metric_recall_at, 10, values);
        snprintf(arm, sizeof arm, "%s vectors", encoders[i].name);
        if (status == ERR_OK) status = retrieval_keep(&base, r, "twohop", arm, e);
        if (status == ERR_OK) status = retrieval_ask(&base, 10, e, "%s min_combined_score=-1e9 graph_depth=1", encoders[i].settings);
        snprintf(arm, sizeof arm, "%s one hop", encoders[i].name);
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
    { .name = "weak_encoder", .summary = "gain of one hop in R@10 by how well vectors are kept", .run = weak_encoder },
    { 0 },
};

const struct paper_ops paper_lightrag = {
    .name = "lightrag", .reference = "LightRAG, issue 3571 of its repository", .summary = "does a graph help a strong encoder?",
    .table = table, .items = items,
};
