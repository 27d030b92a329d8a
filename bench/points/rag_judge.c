/* SPDX-License-Identifier: MIT
 * rag_judge.c - how good the answers of a pipeline are: references, ceilings, hops, every metric. */
#include "bench/points/rag_judge.h"
#include "bench/quality/ceiling.h"
#include "kernels/base/mem.h"
#include "pipeline/stage.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int change(struct pipeline *p, const struct rag_set *s, const struct rag_point *point,
                  const char *const extra[3], struct err *e)
{
    size_t count;
    const char **settings = rag_settings(s, point, extra, &count);
    if (!settings) return FAIL(e, ERR_MEM, "no memory for settings");
    const int status = pipeline_change(p, settings, count, e);
    mem_free(settings);
    return status;
}

/* --- references -------------------------------------------------------------------------------- */
#define NOT_ASKED SIZE_MAX

/* Ids of every question's answer, k a question. */
struct answers {
    int64_t *ids;
    size_t *counts;
};

static void answers_free(struct answers *a)
{
    mem_free(a->ids);
    mem_free(a->counts);
    *a = (struct answers){ 0 };
}

/* Asks every `stride`-th question; of the others no answer exists. */
static int answer_all(struct answers *out, struct pipeline *p, const struct rag_set *s, size_t k, size_t stride,
                      struct err *e)
{
    const size_t count = s->queries.count;
    out->ids = mem_alloc(count * k, sizeof *out->ids);
    out->counts = mem_alloc(count, sizeof *out->counts);
    int status = out->ids && out->counts ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu answers", count);
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        struct answer a;
        out->counts[i] = NOT_ASKED;
        if (i % stride) continue;
        status = rag_ask(p, s, i, 1, k, &a, e);
        if (status != ERR_OK) break;
        out->counts[i] = a.count;
        for (size_t j = 0; j < a.count; j++) out->ids[i * k + j] = a.results[j].id;
    }
    return status;
}

struct references {
    struct answers exact, ungraphed;
};

static const struct stage_ops *stage_of(const struct pipeline *p, enum slot slot, const char *setting)
{
    return stage_find(slot, rag_setting(p, setting));
}

/* The exact cosine's own lists are as good as all candidates where they are as long as the re-ranker keeps, and that
 * orders by the same score. */
static int is_replayable(const struct pipeline *p, const struct rag_set *s, const char *twin)
{
    const struct stage_ops *rerank = stage_of(p, SLOT_RERANK, "rerank");
    int64_t kept;
    return strcmp(twin, "exact") == 0 && rerank && rerank->orders_by_cosine &&
           text_to_i64(rag_setting(p, "top_k_rerank"), &kept) &&
           ((size_t)kept <= s->truth_k || s->truth_k == s->base_count);
}

/* The same pipeline with the exact twin of its stage one and all candidates.  None exists for retrieve=hybrid, whose
 * ranks mean something else in longer lists, and for retrieve=replay, whose lists are another program's. */
static int run_exact(struct rag_arm *a, const struct rag_set *s, struct answers *out, struct err *e)
{
    /* All candidates of every question would take hours over a large base: then of fewer questions. */
    enum { CANDIDATES_MOST = 50000000 };
    struct text retrieve = { 0 }, depth = { 0 }, lists = { 0 };
    const struct stage_ops *own = stage_of(a->pipeline, SLOT_RETRIEVE, "retrieve");
    if (!own || !own->exact_twin) return ERR_OK;
    size_t stride = 1;
    if (is_replayable(a->pipeline, s, own->exact_twin)) {
        text_add(&retrieve, "retrieve=replay");
        text_add(&depth, "top_k_candidates=%zu", s->truth_k);
        text_add(&lists, "replay_file=/proc/self/fd/%d", s->replay_fd);
    } else {
        text_add(&retrieve, "retrieve=%s", own->exact_twin);
        text_add(&depth, "top_k_candidates=%zu", s->base_count);
        stride = 1 + s->base_count * s->queries.count / CANDIDATES_MOST;
    }
    const char *const extra[3] = { text_of(&retrieve), text_of(&depth), lists.size ? text_of(&lists) : NULL };
    int status = retrieve.failed || depth.failed || lists.failed ? FAIL(e, ERR_MEM, "no memory for settings")
                                                                 : change(a->pipeline, s, &a->point, extra, e);
    if (status == ERR_OK) status = answer_all(out, a->pipeline, s, a->point.k, stride, e);
    text_free(&retrieve);
    text_free(&depth);
    text_free(&lists);
    return status;
}

/* Adds what the expansion of this answer's pool to `depth` brought in. */
static void add_hop(struct rag_hop *hop, struct walk *walk, const struct pipeline *p, const struct answer *a, int depth,
                    const struct label *labels, size_t label_count)
{
    const struct query *q = pipeline_last(p);
    const struct graph *g = &pipeline_kb(p)->graph;
    const size_t seeds = (size_t)a->trace[SLOT_RERANK].out;
    uint32_t *from = q->entities; /* scratch between queries */
    size_t edges = 0;
    hop->us += (double)a->trace[SLOT_EXPAND].ns * 1e-3;
    hop->entities += (double)(q->pool_count - seeds);
    for (size_t l = 0; l < label_count; l++) {
        const uint32_t x = labels[l].grade > 0 ? graph_find(g, labels[l].id) : GRAPH_NONE;
        hop->relevant += x != GRAPH_NONE && pool_find(q, x) >= (int64_t)seeds;
    }
    if (depth == 0) return;
    for (size_t i = 0; i < seeds; i++) {
        from[i] = q->pool[i].entity;
        edges += g->start[from[i] + 1] - g->start[from[i]];
    }
    const size_t inner = graph_neighbors(g, walk, from, seeds, depth - 1, g->count, NULL);
    for (size_t i = 0; i < inner; i++) edges += g->start[walk->found[i] + 1] - g->start[walk->found[i]];
    hop->edges += (double)edges;
}

static void mean_hop(struct rag_hop *hop, size_t count)
{
    hop->us /= (double)count;
    hop->entities /= (double)count;
    hop->relevant /= (double)count;
    hop->edges /= (double)count;
}

/* Expansion to `depth`, which is less than the point's. */
static int run_hop(struct rag_arm *a, const struct rag_set *s, int depth, struct err *e)
{
    struct text shallow = { 0 };
    struct walk walk = { 0 };
    text_add(&shallow, "graph_depth=%d", depth);
    int status = change(a->pipeline, s, &a->point, (const char *const[3]){ text_of(&shallow) }, e);
    if (status == ERR_OK) status = walk_init(&walk, &pipeline_kb(a->pipeline)->graph, e);
    for (size_t i = 0; status == ERR_OK && i < s->queries.count; i++) {
        struct answer answer;
        size_t count;
        const struct label *labels = queries_labels(&s->queries, i, &count);
        status = rag_ask(a->pipeline, s, i, 1, a->point.k, &answer, e);
        if (status == ERR_OK) add_hop(&a->hops[depth], &walk, a->pipeline, &answer, depth, labels, count);
    }
    mean_hop(&a->hops[depth], s->queries.count);
    walk_free(&walk);
    text_free(&shallow);
    return status;
}

/* Asks the references (exact stage one; no graph; each depth), then puts the point's own settings back. */
static int run_references(struct rag_arm *a, const struct rag_set *s, struct references *r, int wanted, struct err *e)
{
    int64_t depth = 0;
    int status = ERR_OK;
    const char *enabled = rag_setting(a->pipeline, "enable_graph_expansion");
    if (s->queries.label_start && wanted & RAG_GRAPH && strcmp(enabled, "true") == 0)
        (void)text_to_i64(rag_setting(a->pipeline, "graph_depth"), &depth);
    a->depth = (int)depth;
    if (wanted & RAG_AGREE) status = run_exact(a, s, &r->exact, e);
    for (int d = 0; status == ERR_OK && d < a->depth; d++) status = run_hop(a, s, d, e);
    if (status == ERR_OK && wanted & RAG_GRAPH)
        status = change(a->pipeline, s, &a->point, (const char *const[3]){ "expand=none" }, e);
    if (status == ERR_OK && wanted & RAG_GRAPH) {
        a->build_s = fmax(a->build_s, pipeline_build_s(a->pipeline));
        status = answer_all(&r->ungraphed, a->pipeline, s, a->point.k, 1, e);
    }
    return status == ERR_OK ? change(a->pipeline, s, &a->point, (const char *const[3]){ NULL }, e) : status;
}

/* --- quality ------------------------------------------------------------------------------------- */
static double entity_score(const struct vectors *v, const float *query, int64_t id)
{
    for (size_t lo = 0, hi = v->rows.count; lo < hi;) {
        const size_t mid = (lo + hi) / 2;
        if (v->ids[mid] == id) return point_exact(METRIC_COSINE, query, rows_at(v->rows, mid), v->rows.dim);
        if (id < v->ids[mid]) hi = mid;
        else lo = mid + 1;
    }
    return -INFINITY;
}

/* Storage of one question's evidence; candidates and pool are as many as vectors at most. */
struct books {
    int64_t *candidates, *pool, *unfiltered;
    struct member *sorted;
    double *found_scores, *truth_scores;
    struct walk walk;
};

static void books_free(struct books *b)
{
    mem_free(b->candidates);
    mem_free(b->pool);
    mem_free(b->unfiltered);
    mem_free(b->sorted);
    mem_free(b->found_scores);
    mem_free(b->truth_scores);
    walk_free(&b->walk);
}

static int books_init(struct books *b, const struct rag_set *s, const struct graph *g, size_t k, struct err *e)
{
    const size_t n = s->base_count;
    *b = (struct books){ mem_alloc(n, sizeof *b->candidates), mem_alloc(n, sizeof *b->pool),
                         mem_alloc(k, sizeof *b->unfiltered), mem_alloc(n, sizeof *b->sorted),
                         mem_alloc(k, sizeof *b->found_scores), mem_alloc(k, sizeof *b->truth_scores), { 0 } };
    const int whole = b->candidates && b->pool && b->unfiltered && b->sorted && b->found_scores && b->truth_scores;
    return whole ? walk_init(&b->walk, g, e) : FAIL(e, ERR_MEM, "no memory to judge answers");
}

static struct id_list listed(const struct answers *a, size_t query, size_t k)
{
    if (!a->ids || a->counts[query] == NOT_ASKED) return (struct id_list){ 0 };
    return (struct id_list){ a->ids + query * k, a->counts[query] };
}

static int by_result(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->combined_score != y->combined_score) return x->combined_score < y->combined_score ? 1 : -1;
    if (x->vector_score != y->vector_score) return x->vector_score < y->vector_score ? 1 : -1;
    return x->entity < y->entity ? -1 : 1;
}

/* The pool as every stage left it. */
static void pool_evidence(struct evidence *ev, const struct pipeline *p, const struct answer *answer, struct books *b)
{
    const struct query *q = pipeline_last(p);
    const int64_t *ids = pipeline_kb(p)->graph.ids;
    const size_t n = q->pool_count, k = n < ev->k ? n : ev->k;
    for (size_t i = 0; i < n; i++) b->pool[i] = ids[q->pool[i].entity];
    if (n) memcpy(b->sorted, q->pool, n * sizeof *b->sorted);
    qsort(b->sorted, n, sizeof *b->sorted, by_result);
    for (size_t i = 0; i < k; i++) b->unfiltered[i] = ids[b->sorted[i].entity];
    ev->reranked = (struct id_list){ b->pool, (size_t)answer->trace[SLOT_RERANK].out };
    ev->pool = (struct id_list){ b->pool, n };
    ev->unfiltered = (struct id_list){ b->unfiltered, k };
}

static void judge(struct rag_arm *a, const struct rag_set *s, const struct references *r, size_t i,
                  const struct answer *answer, struct books *b, struct id_list decoded)
{
    const struct vectors *v = &pipeline_kb(a->pipeline)->vectors;
    const float *query = s->vectors + i * s->dim;
    const size_t k = a->point.k, known = s->truth_k < k ? s->truth_k : k;
    struct evidence ev = { .k = k, .truth = { s->truth + i * s->truth_k, known }, .decoded = decoded,
                           .found_scores = b->found_scores, .truth_scores = b->truth_scores };
    for (size_t j = 0; j < answer->candidate_count; j++) b->candidates[j] = answer->candidates[j].id;
    for (size_t j = 0; j < answer->count; j++) {
        a->answers[i * k + j] = answer->results[j].id;
        a->scores[i * k + j] = answer->results[j].combined_score;
    }
    if (rag_is_mute(s, i)) ev.truth.at = NULL; /* nothing is nearest to nothing */
    a->answer_count[i] = answer->count;
    ev.candidates = (struct id_list){ b->candidates, answer->candidate_count };
    ev.found = (struct id_list){ b->candidates, answer->candidate_count < k ? answer->candidate_count : k };
    ev.answers = (struct id_list){ a->answers + i * k, answer->count };
    ev.exact_answers = listed(&r->exact, i, k);
    ev.ungraphed_answers = listed(&r->ungraphed, i, k);
    ev.labels = queries_labels(&s->queries, i, &ev.label_count);
    pool_evidence(&ev, a->pipeline, answer, b);
    for (size_t j = 0; j < ev.found.count; j++) b->found_scores[j] = entity_score(v, query, b->candidates[j]);
    for (size_t j = 0; ev.truth.at && j < known; j++) b->truth_scores[j] = entity_score(v, query, ev.truth.at[j]);
    quality_set(&a->quality, i, &ev);
    if (a->depth) add_hop(&a->hops[a->depth], &b->walk, a->pipeline, answer, a->depth, ev.labels, ev.label_count);
}

/* What an exact search over the decoded vectors finds: k entity ids a question; NULL where codes cannot be decoded. */
static int search_decoded(const struct rag_arm *a, const struct rag_set *s, struct answers *out, struct err *e)
{
    const struct index *ix = pipeline_index(a->pipeline);
    const struct vectors *v = &pipeline_kb(a->pipeline)->vectors;
    const struct rows asked = { s->vectors, s->queries.count, s->dim, s->dim };
    const size_t k = a->point.k;
    if (!ix || !ix->ops->decode) return ERR_OK;
    struct hit *hits = mem_alloc(asked.count * k, sizeof *hits);
    out->ids = mem_alloc(asked.count * k, sizeof *out->ids);
    out->counts = mem_alloc(asked.count, sizeof *out->counts);
    int status = hits && out->ids && out->counts ? ERR_OK : FAIL(e, ERR_MEM, "no memory for the ceiling of codes");
    if (status == ERR_OK)
        status = ceiling_search(ix, v->ids, v->rows.count, asked, k, a->point.threads, hits, out->counts, e);
    for (size_t q = 0; status == ERR_OK && q < asked.count; q++) /* no further: of a small base k are not found */
        for (size_t i = 0; i < out->counts[q]; i++) out->ids[q * k + i] = hits[q * k + i].id;
    mem_free(hits);
    return status;
}

static int judge_all(struct rag_arm *a, const struct rag_set *s, const struct references *r, int wanted,
                     struct err *e)
{
    const size_t count = s->queries.count, k = a->point.k;
    struct books b;
    struct answers decoded = { 0 };
    struct index_work sum = { 0 };
    size_t worked = 0;
    int status = books_init(&b, s, &pipeline_kb(a->pipeline)->graph, k, e);
    if (status == ERR_OK && wanted & RAG_CEILING) status = search_decoded(a, s, &decoded, e);
    if (status == ERR_OK) status = quality_init(&a->quality, count, e);
    if (status == ERR_OK && s->hard.count) a->quality.hard = &s->hard;
    a->answers = mem_alloc(count * k, sizeof *a->answers);
    a->scores = mem_alloc(count * k, sizeof *a->scores);
    a->answer_count = mem_zero(count, sizeof *a->answer_count);
    if (status == ERR_OK && (!a->answers || !a->scores || !a->answer_count)) status = FAIL(e, ERR_MEM, "no memory for answers");
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        struct answer answer;
        struct index_work work;
        status = rag_ask(a->pipeline, s, i, 1, k, &answer, e);
        if (status != ERR_OK) break;
        judge(a, s, r, i, &answer, &b, listed(&decoded, i, k));
        if (!pipeline_work(a->pipeline, &work)) continue;
        worked++;
        index_work_add(&sum, &work);
    }
    a->read = ann_read_of(&sum, worked);
    if (a->depth) mean_hop(&a->hops[a->depth], count);
    answers_free(&decoded);
    books_free(&b);
    return status;
}

int rag_judge(struct rag_arm *a, const struct rag_set *s, int wanted, struct err *e)
{
    struct references r = { 0 };
    a->build_s = fmax(a->build_s, pipeline_build_s(a->pipeline));
    int status = wanted & RAG_USUAL ? run_references(a, s, &r, wanted, e) : ERR_OK;
    if (status == ERR_OK) status = judge_all(a, s, &r, wanted, e);
    answers_free(&r.exact);
    answers_free(&r.ungraphed);
    return status;
}

void rag_cut(const struct rag_set *s, const struct rag_arm *a, size_t cut, double means[RAG_CUTS])
{
    const size_t k = a->point.k;
    for (size_t m = 0; metric_cut_at(m); m++) {
        double sum = 0;
        size_t judged = 0;
        assert(m < RAG_CUTS);
        for (size_t i = 0; i < s->queries.count; i++) {
            struct evidence ev = { .k = k, .answers = { a->answers + i * k, a->answer_count[i] } };
            ev.labels = queries_labels(&s->queries, i, &ev.label_count);
            const double value = metric_cut_at(m)->of(&ev, cut);
            if (isnan(value)) continue;
            sum += value;
            judged++;
        }
        means[m] = judged ? sum / (double)judged : NAN;
    }
}
