/* SPDX-License-Identifier: MIT
 * paper_lightrag.c - LightRAG's open question (issue 3571 of its repository): a graph helps a weak encoder, and hurts the
 * first answers of a strong one.  A user may bring its encoders' vectors; otherwise 1-bit codes stand in for the weak
 * encoder and exact vectors for the strong, over planted two-hop questions and WordNet. */
#include "bench/papers/retrieval.h"
#include "kernels/base/mem.h"
#include <stdio.h>
#include <string.h>

static const char table[] =
#include "gen/lightrag.tsv.inc"
    ;

static const size_t cuts[] = { 2, 5, 10 };
enum { CUTS = sizeof cuts / sizeof *cuts };

/* Recall at every cut of every question, one cut after the other; how many questions have it. */
static size_t take(const struct retrieval *base, double *out, size_t room)
{
    size_t count = 0;
    for (size_t c = 0; c < CUTS; c++) count = retrieval_at(base, metric_recall_at, cuts[c], out + c * room);
    return count;
}

static int gain_over(struct paper_run *r, struct retrieval *base, const char *data, struct err *e)
{
    static const struct { const char *name, *settings; } encoders[] = {
        { "1 bit", "bit_width=1" }, { "2 bits", "bit_width=2" }, { "3 bits", "bit_width=3" }, { "exact", "retrieve=exact" } };
    const size_t room = base->set.queries.count;
    char arm[48];
    double *values = mem_alloc(2 * CUTS * room + 1, sizeof *values), *with = values ? values + CUTS * room : NULL;
    int status = values ? ERR_OK : FAIL(e, ERR_MEM, "lightrag: no memory");
    for (size_t i = 0; status == ERR_OK && i < sizeof encoders / sizeof *encoders; i++) {
        size_t count = 0;
        status = retrieval_ask(base, 10, e, "%s min_combined_score=-1e9 expand=none graph_weight=0", encoders[i].settings);
        if (status == ERR_OK) count = take(base, values, room);
        snprintf(arm, sizeof arm, "%s vectors", encoders[i].name);
        if (status == ERR_OK) status = retrieval_keep(base, r, data, arm, e);
        if (status == ERR_OK) status = retrieval_ask(base, 10, e, "%s min_combined_score=-1e9 graph_depth=1", encoders[i].settings);
        snprintf(arm, sizeof arm, "%s one hop", encoders[i].name);
        if (status == ERR_OK) status = retrieval_keep(base, r, data, arm, e);
        if (status == ERR_OK) (void)take(base, with, room);
        for (size_t c = 0; status == ERR_OK && c < CUTS; c++) {
            struct finding f = finding_of("encoder=%s;measure=recall@%zu;data=%s", encoders[i].name, cuts[c], data);
            finding_of_pairs(&f, with + c * room, values + c * room, count);
            status = paper_found(r, &f, e);
        }
    }
    mem_free(values);
    return status;
}

static int weak_encoder(struct paper_run *r, struct err *e)
{
    struct retrieval base = { 0 };
    const struct retrieval_source from = { .generator = "twohop", .params = r->asked.quick ? "n=5000,queries=300" : "queries=500" };
    int status = retrieval_open(&base, &from, e);
    if (status == ERR_OK) status = gain_over(r, &base, "twohop", e);
    retrieval_close(&base);
    return status;
}

static int wordnet(struct paper_run *r, struct err *e)
{
    struct retrieval base = { 0 };
    struct retrieval_source from;
    char lacks[512];
    if (!retrieval_wordnet(&from, r->asked.quick ? 200 : 2000, lacks, sizeof lacks)) return paper_skip(r, "", e, "%s", lacks);
    int status = retrieval_open(&base, &from, e);
    if (status == ERR_OK) status = gain_over(r, &base, "wordnet", e);
    retrieval_close(&base);
    return status;
}

/* A base of the user's, by the encoder that its folder is named after: cosine alone, and what one hop brings. */
static int user_base(struct paper_run *r, const char *db, struct err *e)
{
    static const char *const known[] = { "MiniLM-L6", "bge-m3" };
    struct retrieval base = { 0 };
    char folder[512];
    const char *encoder = "unknown";
    snprintf(folder, sizeof folder, "%s", db);
    char *slash = strrchr(folder, '/');
    if (!slash || strcmp(slash, "/kb.sqlite") != 0) return FAIL(e, ERR_ARG, "--kb %s: FOLDER/kb.sqlite is wanted, with its questions", db);
    *slash = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(folder, known[i])) encoder = known[i];
    const struct retrieval_source from = { .folder = folder };
    int status = retrieval_open(&base, &from, e);
    const size_t room = base.set.queries.count;
    double *values = mem_alloc(2 * CUTS * room + 1, sizeof *values), *with = values ? values + CUTS * room : NULL;
    size_t count = 0;
    if (status == ERR_OK && !values) status = FAIL(e, ERR_MEM, "lightrag: no memory");
    if (status == ERR_OK) status = retrieval_ask(&base, 10, e, "retrieve=exact min_combined_score=-1e9 expand=none graph_weight=0");
    if (status == ERR_OK) count = take(&base, values, room);
    if (status == ERR_OK) status = retrieval_ask(&base, 10, e, "retrieve=exact min_combined_score=-1e9 graph_depth=1");
    if (status == ERR_OK) (void)take(&base, with, room);
    for (size_t c = 0; status == ERR_OK && c < CUTS; c++) {
        struct finding f = finding_of("retriever=cosine;measure=recall@%zu;encoder=%s;data=user", cuts[c], encoder),
                       gain = finding_of("contrast=one hop-cosine;measure=recall@%zu;encoder=%s;data=user", cuts[c], encoder);
        retrieval_mean(&f, values + c * room, count, NULL, NULL);
        f.lo = f.hi = f.ours;
        finding_of_pairs(&gain, with + c * room, values + c * room, count);
        status = paper_found(r, &f, e);
        if (status == ERR_OK) status = paper_found(r, &gain, e);
    }
    mem_free(values);
    retrieval_close(&base);
    return status;
}

static int hotpotqa(struct paper_run *r, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < r->asked.kb_count; i++) status = user_base(r, r->asked.kbs[i], e);
    if (r->asked.kb_count) return status;
    return paper_skip(r, "", e, "needs --kb hotpotqa.MiniLM-L6/kb.sqlite (or .bge-m3): all 66,581 paragraphs and 7,405 questions of HotpotQA dev");
}

static const struct paper_item items[] = {
    { .name = "weak_encoder", .summary = "gain of one hop in R@2, R@5 and R@10 by how well vectors are kept", .run = weak_encoder },
    { .name = "wordnet", .summary = "the same over WordNet and its usage examples", .run = wordnet },
    { .name = "hotpotqa", .summary = "HotpotQA dev with a user's vectors: cosine alone, and what one hop adds", .run = hotpotqa },
    { 0 },
};

const struct paper_ops paper_lightrag = {
    .name = "lightrag", .reference = "LightRAG, issue 3571 of its repository", .summary = "does a graph help a strong encoder?",
    .table = table, .items = items,
};
