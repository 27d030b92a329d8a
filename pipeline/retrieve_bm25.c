/* SPDX-License-Identifier: MIT
 * retrieve_bm25.c - candidates by their words: BM25 over the names of entities and the texts in their
 * properties (bm25.h).  Any word of the question counts, as often as it comes.
 *
 * Every posting of every word is added up, then the best are picked: 11 words of a WordNet example have 150,000
 * postings.  A search that prunes would pay from some millions on. */
#include "kernels/base/mem.h"
#include "kernels/base/topk.h"
#include "pipeline/retrieve.h"
#include "pipeline/bm25.h"
#include <string.h>

static const struct param params[] = {
    TOP_K_CANDIDATES,
    { 0 },
};

struct self {
    struct store *store;
    struct bm25 words;
    struct word_cutter *cutter;
    size_t candidates;
    float *scores; /* a document */
};

static void destroy(void *self_)
{
    struct self *self = self_;
    bm25_close(&self->words);
    word_cutter_destroy(self->cutter);
    mem_free(self->scores);
    mem_free(self);
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "retrieve=bm25: no memory");
    self->store = env->store;
    self->candidates = (size_t)params_int(env->params, "top_k_candidates");
    const int status = word_cutter_create(&self->cutter, env->store, e);
    if (status == ERR_OK) *self_ = self;
    else destroy(self);
    return status;
}

static int refresh(void *self_, const struct kb *kb, struct err *e)
{
    struct self *self = self_;
    uint64_t fingerprint = 0;
    int status = bm25_fingerprint(self->store, &fingerprint, e);
    if (status != ERR_OK || (self->scores && fingerprint == self->words.fingerprint)) return status;
    bm25_close(&self->words);
    mem_free(self->scores);
    self->scores = NULL;
    status = bm25_open(&self->words, self->store, fingerprint, kb->graph.ids, kb->graph.count, e);
    if (status != ERR_OK) return status;
    self->scores = mem_alloc(self->words.documents, sizeof *self->scores);
    return self->scores ? ERR_OK : FAIL(e, ERR_MEM, "retrieve=bm25: no memory for %zu scores", self->words.documents);
}

static int add_word(void *self_, const char *token, size_t size)
{
    struct self *self = self_;
    bm25_add(&self->words, token, size, self->scores);
    return 0;
}

static int run(void *self_, struct query *q, struct err *e)
{
    struct self *self = self_;
    const struct graph *g = &q->kb->graph; /* of the same transaction: its entities are the documents */
    const size_t n = q->kb->vectors.rows.count;
    struct topk best;
    if (!q->text) return FAIL(e, ERR_ARG, "retrieve=bm25: a question without text");
    memset(self->scores, 0, self->words.documents * sizeof *self->scores);
    if (word_cutter_run(self->cutter, q->text, strlen(q->text), add_word, self) != 0)
        return FAIL(e, ERR_MEM, "retrieve=bm25: no memory");
    topk_init(&best, q->candidates, self->candidates < n ? self->candidates : n);
    for (size_t x = 0; x < self->words.documents; x++)
        if (self->scores[x] > 0 && q->kb->row_of[x] != KB_NO_ROW) topk_push(&best, g->ids[x], self->scores[x]);
    q->candidate_count = topk_finish(&best);
    return ERR_OK;
}

const struct stage_ops retrieve_bm25 = {
    .name = "bm25", .slot = SLOT_RETRIEVE, .summary = "words of names and properties, by BM25",
    .by_words = 1, .params = params, .create = create, .refresh = refresh, .run = run, .destroy = destroy,
    .exact_twin = "bm25", /* words are exact already */
};
