/* SPDX-License-Identifier: MIT
 * turboquant_recall.c - recall of TurboQuant beside RaBitQ, product and scalar quantisation: figure 5 of arXiv 2504.19874,
 * and what others have measured since.  The paper's embeddings are not ours to give: vectors are the generator `clustered` at
 * the paper's dimensions, or the user's, so that order and shape are compared. */
#include "bench/papers/quant_recall.h"
#include "bench/papers/turboquant.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static int open_set(struct recall_set *s, const struct paper_run *r, size_t dim, struct err *e)
{
    char args[128];
    if (r->asked.base) return recall_set_open(s, &r->asked, e);
    snprintf(args, sizeof args, "n=%d,dim=%zu,queries=%d,seed=1", r->asked.quick ? 10000 : dim > 2000 ? 25000 : 100000, dim,
             r->asked.quick ? 500 : 1000);
    return recall_set_draw(s, "clustered", args, METRIC_COSINE, r->asked.threads, e);
}

static const struct method *method_of(const struct method *all, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].name, name) == 0) return &all[i];
    return NULL;
}

/* a - b over the questions, at number `at`. */
static int versus(struct paper_run *r, const char *cell, const struct method *all, size_t count, const char *a, const char *b, size_t at,
                  size_t questions, struct err *e)
{
    const struct method *first = method_of(all, count, a), *second = method_of(all, count, b);
    struct finding f = finding_of("%s;versus=%s - %s", cell, a, b);
    finding_of_pairs(&f, first->questions[at], second->questions[at], questions);
    f.seeds = first->seeds;
    f.index = first->spec;
    return paper_found(r, &f, e);
}

/* --- recall 1@k: figure 5 ---------------------------------------------------------------------------------- */

static const size_t ks[] = { 1, 2, 4, 8, 16, 32, 64 };
enum { KS = sizeof ks / sizeof *ks, METHODS = 8 };

/* pq has no rotation to draw, and its k-means is slow: four of them, and where that takes minutes one, whose interval is over
 * the questions. */
static void fill_methods(struct method *m, const struct paper_run *r, const struct recall_set *s, int bits)
{
    const size_t dim = s->base.dim;
    static const char *const names[METHODS] = { "mse", "prod", "prod_orth", "rescaled", "rescaled+tq", "rabitq", "sq", "pq" };
    for (size_t i = 0; i < METHODS; i++) {
        m[i] = (struct method){ .seeds = r->asked.seeds };
        snprintf(m[i].name, sizeof m[i].name, "%s", names[i]);
        snprintf(m[i].spec, sizeof m[i].spec, "turboquant:bits=%d,estimator=%s", bits, names[i]);
    }
    snprintf(m[4].spec, sizeof m[4].spec, "turboquant:bits=%d,center=true,calibrate=true", bits);
    snprintf(m[5].spec, sizeof m[5].spec, "rabitq:bits=%d", bits);
    snprintf(m[6].spec, sizeof m[6].spec, "sq:bits=%d,rotation=fht", bits);
    snprintf(m[7].spec, sizeof m[7].spec, "pq:m=%zu,train=base", dim * (size_t)bits / 8);
    m[7].seeds = r->asked.quick ? 2 : s->base.count * dim > 20000000 ? 1 : 4;
    if (m[7].seeds > r->asked.seeds) m[7].seeds = r->asked.seeds;
}

static int recall_at(struct paper_run *r, const struct recall_set *s, int bits, struct err *e)
{
    struct method *m = mem_zero(METHODS, sizeof *m);
    char cell[128];
    int status = m ? ERR_OK : FAIL(e, ERR_MEM, "no memory for methods");
    if (status == ERR_OK) fill_methods(m, r, s, bits);
    snprintf(cell, sizeof cell, "bits=%d;dim=%zu;data=%s", bits, s->base.dim, s->name);
    for (size_t i = 0; status == ERR_OK && i < METHODS; i++) {
        status = method_run(&m[i], s, RECALL_FIRST, ks, KS, r->asked.threads, e);
        for (size_t k = 0; status == ERR_OK && k < KS; k++) {
            struct finding f = finding_of("%s;method=%s;k=%zu", cell, m[i].name, ks[k]);
            method_finding(&m[i], k, s->query.count, i ? &m[0] : NULL, &f);
            status = paper_found(r, &f, e);
        }
    }
    static const char *const pairs[][2] = { { "rabitq", "mse" }, { "mse", "prod" }, { "mse", "pq" }, { "mse", "rabitq" },
                                            { "rescaled", "rabitq" }, { "rescaled", "mse" }, { "rescaled", "pq" } };
    for (size_t p = 0; status == ERR_OK && p < sizeof pairs / sizeof *pairs; p++)
        status = versus(r, cell, m, METHODS, pairs[p][0], pairs[p][1], 0, s->query.count, e);
    for (size_t i = 0; m && i < METHODS; i++) method_free(&m[i]);
    mem_free(m);
    return status;
}

int turboquant_recall(struct paper_run *r, struct err *e)
{
    static const size_t dims[] = { 200, 1536, 3072 };
    int status = ERR_OK;
    for (size_t d = 0; status == ERR_OK && d < (r->asked.quick || r->asked.base ? 1 : 3); d++) {
        struct recall_set s;
        status = open_set(&s, r, dims[d], e);
        for (int bits = 2; status == ERR_OK && bits <= 4; bits += 2) status = recall_at(r, &s, bits, e);
        recall_set_free(&s);
    }
    return status;
}

/* --- recall at equal bytes ------------------------------------------------------------------------------------ */

enum { SIZES = 4 };
static const int sizes[SIZES] = { 1, 2, 4, 8 };

/* against: of the same bits a number; NULL: this is the first. */
static int bytes_of(struct paper_run *r, const struct recall_set *s, struct method *m, const struct method *against, struct err *e)
{
    static const size_t ten[] = { 10 };
    int status = method_run(m, s, RECALL_TEN, ten, 1, r->asked.threads, e);
    struct finding f = finding_of("dim=%zu;method=%s;bytes=%.1f", s->base.dim, m->name, m->bytes);
    if (status == ERR_OK) method_finding(m, 0, s->query.count, against, &f);
    return status == ERR_OK ? paper_found(r, &f, e) : status;
}

int turboquant_bytes(struct paper_run *r, struct err *e)
{
    struct recall_set s;
    struct method *m = mem_zero(4 * SIZES, sizeof *m);
    int status = open_set(&s, r, 384, e);
    if (status == ERR_OK && !m) status = FAIL(e, ERR_MEM, "no memory for methods");
    for (size_t i = 0; status == ERR_OK && i < 4 * SIZES; i++) {
        static const char *const names[] = { "rescaled", "rabitq", "sq", "pq" };
        const int bits = sizes[i % SIZES];
        snprintf(m[i].name, sizeof m[i].name, "%s", names[i / SIZES]);
        snprintf(m[i].spec, sizeof m[i].spec, i / SIZES == 0 ? "turboquant:bits=%d" : i / SIZES == 1 ? "rabitq:bits=%d" : "sq:bits=%d,rotation=fht",
                 bits);
        m[i].seeds = r->asked.quick ? 3 : r->asked.seeds;
        if (i / SIZES == 3) {
            /* The four bytes that the others keep beside a code are one part more in thirty: whole parts of 8 bits. */
            m[i].seeds = 1; /* its interval is over the questions */
            snprintf(m[i].spec, sizeof m[i].spec, "pq:m=%zu,train=base", s.base.dim * (size_t)bits / 8);
            if (r->asked.quick && bits > 2) continue;
        }
        status = bytes_of(r, &s, &m[i], i < SIZES ? NULL : &m[i % SIZES], e);
    }
    for (size_t i = 0; status == ERR_OK && i < 2; i++) {
        struct method pair[2] = { m[i], m[3 * SIZES + i] };
        char cell[64];
        snprintf(cell, sizeof cell, "bits=%d;dim=%zu", sizes[i], s.base.dim);
        status = versus(r, cell, pair, 2, "rescaled", "pq", 0, s.query.count, e);
    }
    for (size_t i = 0; m && i < 4 * SIZES; i++) method_free(&m[i]);
    mem_free(m);
    recall_set_free(&s);
    return status;
}

/* --- variants of one method, against its default ----------------------------------------------------------------- */

/* Recall at ten of each spec, and of all others against the first. */
static int against_first(struct paper_run *r, const struct recall_set *s, const char *cell, struct method *m, size_t count, struct err *e)
{
    static const size_t ten[] = { 10 };
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        m[i].seeds = r->asked.quick ? 3 : r->asked.seeds;
        status = method_run(&m[i], s, RECALL_TEN, ten, 1, r->asked.threads, e);
        struct finding f = finding_of("%s;method=%s", cell, m[i].name);
        if (status == ERR_OK) method_finding(&m[i], 0, s->query.count, i ? &m[0] : NULL, &f);
        if (status == ERR_OK) status = paper_found(r, &f, e);
        if (status == ERR_OK && i > 0) status = versus(r, cell, m, count, m[i].name, m[0].name, 0, s->query.count, e);
    }
    for (size_t i = 0; i < count; i++) method_free(&m[i]);
    return status;
}

/* The set with one direction added to all rows and questions, as embeddings have it. */
static int shift(struct recall_set *s, double length, int threads, struct err *e)
{
    struct rng rng;
    float *mean = mem_alloc(s->base.dim, sizeof *mean);
    double squares = 0;
    if (!mean) return FAIL(e, ERR_MEM, "no memory for a mean");
    rng_seed(&rng, 3, 1);
    rng_normal(&rng, mean, s->base.dim);
    for (size_t i = 0; i < s->base.dim; i++) squares += (double)mean[i] * (double)mean[i];
    for (int side = 0; side < 2; side++) {
        const struct rows rows = side ? s->query : s->base;
        for (size_t row = 0; row < rows.count; row++)
            for (size_t i = 0; i < rows.dim; i++)
                ((float *)rows.at)[row * rows.stride + i] += (float)((double)mean[i] * length / sqrt(squares));
    }
    mem_free(mean);
    truth_free(&s->truth);
    return truth_compute(&s->truth, s->base, s->query, RECALL_TRUE, s->metric, threads, NULL, e);
}

int turboquant_centring(struct paper_run *r, struct err *e)
{
    struct recall_set s;
    int status = open_set(&s, r, 384, e);
    if (status == ERR_OK && !r->asked.base) status = shift(&s, 1, r->asked.threads, e);
    for (int bits = 1; status == ERR_OK && bits <= 4; bits *= 2) {
        struct method m[] = { { .name = "plain" }, { .name = "center" }, { .name = "calibrate" }, { .name = "both" } };
        char cell[64];
        for (size_t i = 0; i < 4; i++)
            snprintf(m[i].spec, sizeof m[i].spec, "turboquant:bits=%d,center=%d,calibrate=%d", bits, i & 1 ? 1 : 0, i & 2 ? 1 : 0);
        snprintf(cell, sizeof cell, "bits=%d;dim=%zu", bits, s.base.dim);
        status = against_first(r, &s, cell, m, 4, e);
    }
    recall_set_free(&s);
    return status;
}

int turboquant_query(struct paper_run *r, struct err *e)
{
    struct recall_set s;
    int status = open_set(&s, r, 384, e);
    for (int bits = 2; status == ERR_OK && bits <= 4; bits += 2) {
        static const char *const names[] = { "u8", "int8", "f32" };
        struct method m[3] = { { .seeds = 0 } };
        char cell[64];
        for (size_t i = 0; i < 3; i++) {
            snprintf(m[i].name, sizeof m[i].name, "%s", names[i]);
            snprintf(m[i].spec, sizeof m[i].spec, "turboquant:bits=%d,query=%s,layout=blocked", bits, names[i]);
        }
        snprintf(cell, sizeof cell, "bits=%d;dim=%zu", bits, s.base.dim);
        status = against_first(r, &s, cell, m, 3, e);
    }
    recall_set_free(&s);
    return status;
}

/* --- rerank ---------------------------------------------------------------------------------------------------------- */

/* Exact scores over the first `pool` find the true ten among them: recall is their share. */
static int rerank_bits(struct paper_run *r, const struct recall_set *s, int bits, struct err *e)
{
    static const size_t pools[] = { 10, 15, 20, 30, 50, 70, 100 };
    enum { POOLS = sizeof pools / sizeof *pools };
    struct method m[] = { { .name = "rescaled" }, { .name = "rabitq" } };
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < 2; i++) {
        m[i].seeds = r->asked.quick ? 3 : r->asked.seeds;
        snprintf(m[i].spec, sizeof m[i].spec, i ? "rabitq:bits=%d" : "turboquant:bits=%d", bits);
        status = method_run(&m[i], s, RECALL_TEN, pools, POOLS, r->asked.threads, e);
        for (size_t k = 0; status == ERR_OK && k < POOLS; k++) {
            struct finding f = finding_of("bits=%d;dim=%zu;method=%s;pool=%zu", bits, s->base.dim, m[i].name, pools[k]);
            method_finding(&m[i], k, s->query.count, i ? &m[0] : NULL, &f);
            status = paper_found(r, &f, e);
        }
    }
    method_free(&m[0]);
    method_free(&m[1]);
    return status;
}

int turboquant_rerank(struct paper_run *r, struct err *e)
{
    struct recall_set s;
    int status = open_set(&s, r, 384, e);
    for (int bits = 1; status == ERR_OK && bits <= 4; bits *= 2) status = rerank_bits(r, &s, bits, e);
    recall_set_free(&s);
    return status;
}

/* --- kernels ------------------------------------------------------------------------------------------------------- */

static int answers_by(const struct recall_set *s, const char *spec, const char *kernel, struct hit *hits, struct err *e)
{
    struct kernel_set kernels;
    struct index *ix = NULL;
    size_t *counts = mem_alloc(s->query.count, sizeof *counts);
    int status = counts ? kernel_set_resolve(&kernels, kernel, e) : FAIL(e, ERR_MEM, "no memory for answers");
    const struct index_config config = { .dim = s->base.dim, .metric = s->metric, .seed = 1, .threads = 1, .kernels = &kernels };
    if (status == ERR_OK) status = index_create(&ix, spec, &config, e);
    if (status == ERR_OK) status = index_train(ix, s->base, e);
    if (status == ERR_OK) status = index_add(ix, s->base, NULL, e);
    if (status == ERR_OK) status = index_search(ix, s->query, RECALL_TRUE, 1, 1, hits, counts, e);
    index_destroy(ix);
    mem_free(counts);
    return status;
}

/* As sets.  Bits of scores are the same of all instruction sets with fused multiply-add (index/test_agree.c); scalar
 * kernels, which are the oracle, add in their own order, and may turn
 * near ties around. */
int turboquant_kernels(struct paper_run *r, struct err *e)
{
    static const char *const specs[] = { "turboquant:bits=2", "turboquant:bits=4", "rabitq:bits=1", "rabitq:bits=4" };
    struct recall_set s;
    int status = recall_set_draw(&s, "clustered", "n=2000,dim=384,queries=100,seed=1", METRIC_COSINE, r->asked.threads, e);
    const size_t size = status == ERR_OK ? s.query.count * RECALL_TRUE : 1;
    struct hit *a = mem_alloc(size, sizeof *a), *b = mem_alloc(size, sizeof *b);
    if (status == ERR_OK && !(a && b)) status = FAIL(e, ERR_MEM, "no memory for answers");
    for (size_t i = 0; status == ERR_OK && i < sizeof specs / sizeof *specs; i++) {
        struct finding f = finding_of("index=%s", specs[i]);
        size_t same = 0;
        status = answers_by(&s, specs[i], "scalar", a, e);
        if (status == ERR_OK) status = answers_by(&s, specs[i], NULL, b, e);
        for (size_t q = 0; status == ERR_OK && q < s.query.count; q++) {
            size_t equal = 0;
            for (size_t k = 0; k < RECALL_TRUE; k++)
                for (size_t l = 0; l < RECALL_TRUE; l++) equal += a[q * RECALL_TRUE + k].id == b[q * RECALL_TRUE + l].id;
            same += equal == RECALL_TRUE;
        }
        f.index = specs[i];
        f.n = s.query.count;
        f.ours = f.lo = f.hi = (double)same / (double)s.query.count;
        if (status == ERR_OK) status = paper_found(r, &f, e);
    }
    mem_free(a);
    mem_free(b);
    recall_set_free(&s);
    return status;
}
