/* SPDX-License-Identifier: MIT
 * quant_recall.c - recall of quantised indexes over seeds, with every question's answer kept for paired tests. */
#include "bench/papers/quant_recall.h"
#include "bench/papers/quant.h"
#include "bench/time/stats.h"
#include "datasets/dataset.h"
#include <math.h>
#include <string.h>

static int find_truth(struct recall_set *s, int threads, struct err *e)
{
    return truth_compute(&s->truth, s->base, s->query, RECALL_TRUE, s->metric, threads, NULL, e);
}

int recall_set_draw(struct recall_set *s, const char *generator, const char *args, enum metric metric, int threads, struct err *e)
{
    const struct generator_ops *g = generator_find(generator);
    struct params *p = NULL;
    *s = (struct recall_set){ .metric = metric };
    if (!g) return FAIL(e, ERR_NOT_FOUND, "no generator '%s'", generator);
    snprintf(s->name, sizeof s->name, "%s", generator);
    int status = params_create(&p, g->params, generator, args, e);
    if (status == ERR_OK) status = g->vectors(p, &s->base, &s->query, e);
    params_destroy(p);
    return status == ERR_OK ? find_truth(s, threads, e) : status;
}

int recall_set_open(struct recall_set *s, const struct paper_asked *asked, struct err *e)
{
    *s = (struct recall_set){ .metric = METRIC_COSINE, .name = "user" };
    int status = dataset_open(&s->files[0], asked->base, e);
    if (status == ERR_OK) status = dataset_open(&s->files[1], asked->query, e);
    s->base = s->files[0].rows;
    s->query = s->files[1].rows;
    if (status == ERR_OK && (!s->base.at || !s->query.at || s->base.dim != s->query.dim || s->base.count < RECALL_DEPTH))
        status = FAIL(e, ERR_ARG, "%s, %s: not %d and more vectors of one dimension", asked->base, asked->query, RECALL_DEPTH);
    return status == ERR_OK ? find_truth(s, asked->threads, e) : status;
}

void recall_set_free(struct recall_set *s)
{
    truth_free(&s->truth);
    if (!s->files[0].rows.at) mem_free((void *)s->base.at);
    if (!s->files[1].rows.at) mem_free((void *)s->query.at);
    dataset_close(&s->files[0]);
    dataset_close(&s->files[1]);
    *s = (struct recall_set){ 0 };
}

/* Of the true neighbours that count, the share among the first `upto` answers. */
static double share(const struct recall_set *s, size_t q, const struct hit *hits, enum recall_kind kind, size_t upto)
{
    const size_t wanted = kind == RECALL_FIRST ? 1 : s->truth.k;
    size_t found = 0;
    for (size_t t = 0; t < wanted; t++)
        for (size_t i = 0; i < upto; i++) found += hits[i].id == s->truth.ids[q * s->truth.k + t];
    return (double)found / (double)wanted;
}

int method_draw(struct method *m, const struct recall_set *s, const struct index *ix, enum recall_kind kind, const size_t *upto,
                size_t count, size_t draw, int threads, struct err *e)
{
    const size_t deepest = upto[count - 1];
    struct index_stats stats;
    struct hit *hits = mem_alloc(s->query.count * deepest, sizeof *hits);
    size_t *counts = mem_alloc(s->query.count, sizeof *counts);
    int status = hits && counts ? ERR_OK : FAIL(e, ERR_MEM, "no memory for answers");
    if (status == ERR_OK) status = index_search(ix, s->query, deepest, 32, threads, hits, counts, e);
    ix->ops->stats(ix, &stats);
    m->bytes = index_bytes_per_vector(&stats);
    for (size_t k = 0; status == ERR_OK && k < count; k++) {
        double sum = 0;
        for (size_t q = 0; q < s->query.count; q++) {
            const double one = share(s, q, hits + q * deepest, kind, upto[k]);
            sum += one;
            m->questions[k][q] += one / (double)m->seeds;
        }
        m->draws[k][draw] = sum / (double)s->query.count;
    }
    mem_free(hits);
    mem_free(counts);
    return status;
}

int method_begin(struct method *m, size_t question_count, size_t count, struct err *e)
{
    for (size_t k = 0; k < count; k++) {
        m->questions[k] = mem_zero(question_count, sizeof **m->questions);
        if (!m->questions[k]) return FAIL(e, ERR_MEM, "no memory for questions");
    }
    return ERR_OK;
}

int method_run(struct method *m, const struct recall_set *s, enum recall_kind kind, const size_t *upto, size_t count, int threads,
               struct err *e)
{
    int status = method_begin(m, s->query.count, count, e);
    for (size_t draw = 0; status == ERR_OK && draw < m->seeds; draw++) {
        struct index *ix = NULL;
        status = quant_build(&ix, m->spec, s->base, s->metric, draw + 1, threads, e);
        if (status == ERR_OK) status = method_draw(m, s, ix, kind, upto, count, draw, threads, e);
        index_destroy(ix);
    }
    return status;
}

void method_free(struct method *m)
{
    for (size_t k = 0; k < RECALL_KS_MAX; k++) mem_free(m->questions[k]);
}

void method_finding(const struct method *m, size_t at, size_t question_count, const struct method *against, struct finding *f)
{
    if (against) finding_against(f, m->questions[at], against->questions[at], question_count, against->name);
    f->index = m->spec;
    f->n = question_count;
    if (m->seeds > 3) { /* of fewer, Student's interval at 99.9 % says nothing */
        finding_of_seeds(f, m->draws[at], m->seeds);
        return;
    }
    const struct interval i = stats_bootstrap_mean(m->questions[at], question_count, 0.999, 2000, 1);
    f->ours = stats_mean(m->draws[at], m->seeds), f->lo = i.lo, f->hi = i.hi, f->seeds = m->seeds;
}
