/* SPDX-License-Identifier: MIT
 * paper_eden.c - EDEN beside RaBitQ and TurboQuant (arXiv 2604.18555), and the dispute in FAISS: pull request 5278 has EDEN
 * ahead of RaBitQ, issue 5170 has RaBitQ ahead of TurboQuant.
 *
 * Four generators as FAISS's bench_eden.py has them, but of our own seeds: normal, Laplace, Student's t of 3 degrees, and
 * normal with deviations from 1 to e^2 along the axes; squared distance, the mean taken off.  `rescaled` is unbiased EDEN
 * (Lloyd-Max levels, the scale of a row such that its own inner product is right), `mse` is TurboQuant's Q_mse, `prod` its
 * Q_prod.  RaBitQ comes with its fits: `sweep` finds each row's best steps, `authors` is the sweep of RaBitQ-Library, which
 * starts late, and `faiss` that of FAISS, which the pull request measured (index/index_rabitq.c). */
#include "bench/papers/eden_page.h"
#include "bench/papers/quant.h"
#include "bench/papers/quant_recall.h"
#include "bench/time/stats.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char table[] =
#include "gen/eden.tsv.inc"
    ;

static const struct source { const char *name, *generator, *args; } sources[] = {
    { "gaussian", "isotropic", "" },
    { "laplace", "laplace", "" },
    { "student_t3", "student", ",freedom=3" },
    { "anisotropic", "anisotropic", ",spectrum=exponential,decay=2,rotate=false" },
};
enum { SOURCES = sizeof sources / sizeof *sources, METHODS = 6 };

static const char *const method_names[METHODS] = { "rescaled", "rabitq sweep", "rabitq authors", "mse", "prod", "rabitq faiss" };

static void spec_of(char *out, size_t size, const char *method, int bits, const char *rotation, const char *query)
{
    static const char *const made[METHODS] = { "turboquant:bits=%d", "rabitq:fit=sweep,bits=%d", "rabitq:fit=authors,bits=%d",
                                               "turboquant:estimator=mse,bits=%d", "turboquant:estimator=prod,bits=%d",
                                               "rabitq:fit=faiss,bits=%d" };
    for (size_t i = 0; i < METHODS; i++) {
        char head[64];
        if (strcmp(method, method_names[i]) != 0) continue;
        snprintf(head, sizeof head, "%.*s", (int)(strchr(made[i], '%') - made[i]), made[i]);
        snprintf(out, size, "%s%d,center=true,query=%s,rotation=%s", head, bits, query, rotation);
    }
}

static int draw_set(struct recall_set *s, const struct source *source, size_t n, size_t dim, size_t queries, uint64_t seed, int threads,
                    struct err *e)
{
    char args[160];
    snprintf(args, sizeof args, "n=%zu,dim=%zu,queries=%zu,seed=%llu%s", n, dim, queries, (unsigned long long)seed, source->args);
    return recall_set_draw(s, source->generator, args, METRIC_L2, threads, e);
}

/* --- the table of pull request 5278 ------------------------------------------------------------------------ */

/* What it measured; what came out stands in eden.tsv. */
static const struct cell { size_t dim, source; const char *rotation; int bits; } cells[] = {
    { 64, 0, "dense", 4 }, { 256, 1, "dense", 4 }, { 1024, 1, "dense", 4 }, { 1536, 0, "dense", 4 }, { 64, 1, "dense", 2 }, { 256, 0, "fht", 2 },
};
enum { CELLS = sizeof cells / sizeof *cells };

static const size_t compared[] = { 0, 1, 2, 5 }; /* of the methods */
enum { COMPARED = sizeof compared / sizeof *compared };
enum { ASKED = 200 }; /* questions a draw, whose vectors are new, too */
struct draws {
    double cut[COMPARED][PAPER_SEEDS_MAX], recall[COMPARED][PAPER_SEEDS_MAX], questions[COMPARED][PAPER_SEEDS_MAX * ASKED];
};

/* Mean squared error of decoded rows, enough of them, and recall@10 among all. */
static int cell_draw(const struct paper_run *r, const struct cell *c, size_t draw, struct draws *out, struct err *e)
{
    static const size_t ten[] = { 10 };
    const size_t n = r->asked.quick && c->dim > 1000 ? 500 : 4000;
    struct recall_set s;
    double errors[COMPARED];
    int status = draw_set(&s, &sources[c->source], n, c->dim, ASKED, draw + 1, r->asked.threads, e);
    const struct rows decoded = { s.base.at, quant_rows(c->dim, n), s.base.dim, s.base.stride };
    for (size_t m = 0; status == ERR_OK && m < COMPARED; m++) {
        struct method one = { .seeds = 1 };
        struct index *ix = NULL;
        struct quant_errors q = { 0 };
        spec_of(one.spec, sizeof one.spec, method_names[compared[m]], c->bits, c->rotation, "f32");
        status = quant_build(&ix, one.spec, s.base, s.metric, draw + 1, r->asked.threads, e);
        if (status == ERR_OK) status = quant_errors(ix, decoded, r->asked.threads, &q, e);
        if (status == ERR_OK) status = method_begin(&one, s.query.count, 1, e);
        if (status == ERR_OK && n == 4000) status = method_draw(&one, &s, ix, RECALL_TEN, ten, 1, 0, r->asked.threads, e);
        index_destroy(ix);
        if (status == ERR_OK) {
            errors[m] = q.distortion, out->recall[m][draw] = one.draws[0][0];
            memcpy(out->questions[m] + draw * ASKED, one.questions[0], ASKED * sizeof **out->questions);
        }
        method_free(&one);
    }
    for (size_t m = 0; status == ERR_OK && m < COMPARED; m++) out->cut[m][draw] = 1 - errors[0] / errors[m];
    recall_set_free(&s);
    return status;
}

static int give(struct paper_run *r, struct finding *f, size_t n, const double *draws, struct err *e)
{
    finding_of_seeds(f, draws, r->asked.seeds);
    f->n = n;
    return paper_found(r, f, e);
}

static int pull_request(struct paper_run *r, struct err *e)
{
    struct draws *d = mem_zero(1, sizeof *d);
    int status = d ? ERR_OK : FAIL(e, ERR_MEM, "no memory for draws");
    for (size_t i = 0; status == ERR_OK && i < CELLS; i++) {
        const struct cell *c = &cells[i];
        const int is_small = r->asked.quick && c->dim > 1000;
        char key[128];
        snprintf(key, sizeof key, "dim=%zu;data=%s;rotation=%s;bits=%d", c->dim, sources[c->source].name, c->rotation, c->bits);
        for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) status = cell_draw(r, c, s, d, e);
        for (size_t m = 0; status == ERR_OK && m < COMPARED; m++) {
            struct finding cut = finding_of("%s;cut=rescaled below %s", key, method_names[compared[m]]),
                           recall = finding_of("%s;recall of=%s", key, method_names[compared[m]]);
            if (m > 0) status = give(r, &cut, quant_rows(c->dim, is_small ? 500 : 4000), d->cut[m], e);
            finding_against(&recall, d->questions[m], d->questions[0], r->asked.seeds * ASKED, m ? method_names[compared[0]] : NULL);
            if (status == ERR_OK && !is_small) status = give(r, &recall, 4000, d->recall[m], e);
        }
        for (size_t m = 0; status == ERR_OK && is_small && m < COMPARED; m++) {
            char skipped[192];
            snprintf(skipped, sizeof skipped, "%s;recall of=%s", key, method_names[compared[m]]);
            status = paper_skip(r, skipped, e, "left out by --quick");
        }
    }
    mem_free(d);
    return status;
}

/* --- who is ahead, on what ------------------------------------------------------------------------------------ */

static int difference(struct paper_run *r, const char *key, const struct method *a, const struct method *b, size_t questions, struct err *e)
{
    struct finding f = finding_of("%s;versus=%s - %s", key, a->name, b->name);
    finding_of_pairs(&f, a->questions[0], b->questions[0], questions);
    f.seeds = a->seeds;
    f.index = a->spec;
    return paper_found(r, &f, e);
}

/* By a fit that starts its search late: of one bit it is what the sweep is. */
static int is_late(int method) { return method == 2 || method == 5; }

static int who_at(struct paper_run *r, const struct recall_set *s, const char *data, int bits, struct err *e)
{
    static const size_t ten[] = { 10 };
    static const int pairs[][2] = { { 0, 1 }, { 0, 2 }, { 0, 3 }, { 1, 3 }, { 1, 4 }, { 2, 3 }, { 0, 5 } };
    struct method *m = mem_zero(METHODS, sizeof *m);
    char key[128];
    int status = m ? ERR_OK : FAIL(e, ERR_MEM, "no memory for methods");
    snprintf(key, sizeof key, "data=%s;dim=%zu;bits=%d", data, s->base.dim, bits);
    for (size_t i = 0; status == ERR_OK && i < METHODS; i++) {
        m[i].seeds = r->asked.seeds;
        snprintf(m[i].name, sizeof m[i].name, "%s", method_names[i]);
        spec_of(m[i].spec, sizeof m[i].spec, method_names[i], bits, "fht", r->asked.quick ? "int8" : "f32");
        status = method_run(&m[i], s, RECALL_TEN, ten, 1, r->asked.threads, e);
        struct finding f = finding_of("%s;method=%s", key, method_names[i]),
                       bytes = finding_of("bytes of=%s;dim=%zu;width=%d", method_names[i], s->base.dim, bits);
        if (status == ERR_OK) method_finding(&m[i], 0, s->query.count, i ? &m[0] : NULL, &f);
        if (status == ERR_OK) status = paper_found(r, &f, e);
        bytes.ours = bytes.lo = bytes.hi = m[i].bytes;
        if (status == ERR_OK && strcmp(data, sources[0].name) == 0) status = paper_found(r, &bytes, e);
    }
    for (size_t p = 0; status == ERR_OK && p < sizeof pairs / sizeof *pairs; p++)
        if (bits > 1 || !(is_late(pairs[p][0]) || is_late(pairs[p][1])))
            status = difference(r, key, &m[pairs[p][0]], &m[pairs[p][1]], s->query.count, e);
    for (size_t i = 0; m && i < METHODS; i++) method_free(&m[i]);
    mem_free(m);
    return status;
}

static int who(struct paper_run *r, struct err *e)
{
    static const size_t dims[] = { 64, 384, 1024 };
    int status = ERR_OK;
    for (size_t k = 0; k < SOURCES; k++)
        for (size_t d = 0; status == ERR_OK && d < (r->asked.quick ? 2 : 3); d++) {
            struct recall_set s;
            status = draw_set(&s, &sources[k], r->asked.quick ? 1000 : 4000, dims[d], 200, 1, r->asked.threads, e);
            for (int bits = 1; status == ERR_OK && bits <= 4; bits++) status = who_at(r, &s, sources[k].name, bits, e);
            recall_set_free(&s);
        }
    return status;
}

/* --- errors: the note's claims --------------------------------------------------------------------------------- */

static int claims_at(struct paper_run *r, size_t dim, int bits, double *variance, struct err *e)
{
    struct quant_errors scaled[PAPER_SEEDS_MAX], plain[PAPER_SEEDS_MAX];
    double draws[PAPER_SEEDS_MAX];
    char spec[96];
    const size_t n = quant_rows(dim, r->asked.quick ? 500 : 4000);
    snprintf(spec, sizeof spec, "turboquant:bits=%d,query=f32,rotation=dense", bits);
    int status = quant_draws(spec, n, dim, &r->asked, scaled, e);
    snprintf(spec, sizeof spec, "turboquant:bits=%d,query=f32,rotation=dense,estimator=mse", bits);
    if (status == ERR_OK) status = quant_draws(spec, n, dim, &r->asked, plain, e);
    struct finding biased = finding_of("method=biased;dim=%zu;bits=%d", dim, bits), mse = finding_of("method=mse;dim=%zu;bits=%d", dim, bits),
                   gain = finding_of("mse less biased;dim=%zu;width=%d", dim, bits);
    snprintf(gain.cell, sizeof gain.cell, "difference=mse - biased;dim=%zu;width=%d", dim, bits);
    for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) draws[s] = scaled[s].angle, variance[s] = scaled[s].distortion;
    if (status == ERR_OK) status = give(r, &biased, n, draws, e);
    for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) draws[s] = plain[s].distortion;
    if (status == ERR_OK) status = give(r, &mse, n, draws, e);
    for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) draws[s] = plain[s].distortion - scaled[s].angle;
    return status == ERR_OK ? give(r, &gain, n, draws, e) : status;
}

static int claims(struct paper_run *r, struct err *e)
{
    static const size_t dims[] = { 64, 384, 1536 };
    double variances[5][PAPER_SEEDS_MAX], draws[PAPER_SEEDS_MAX];
    int status = ERR_OK;
    for (size_t d = 0; status == ERR_OK && d < (r->asked.quick ? 2 : 3); d++) {
        for (int bits = 1; status == ERR_OK && bits <= 4; bits++) status = claims_at(r, dims[d], bits, variances[bits], e);
        struct quant_errors prod[PAPER_SEEDS_MAX];
        if (status == ERR_OK)
            status = quant_draws("turboquant:bits=3,query=f32,rotation=dense,estimator=prod", 500, dims[d], &r->asked, prod, e);
        struct finding f = finding_of("difference=prod at 3 bits - rescaled at 2;dim=%zu", dims[d]);
        for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) draws[s] = prod[s].distortion - variances[2][s];
        if (status == ERR_OK) status = give(r, &f, 500, draws, e);
    }
    if (status == ERR_OK && r->asked.quick) status = paper_skip(r, "dim=1536", e, "left out by --quick");
    return status;
}

static const struct paper_item items[] = {
    { "pull_request", "FAISS pull request 5278: by how much EDEN's squared error is below RaBitQ's, and recall@10 of both", pull_request,
      { NULL, NULL, NULL, NULL, 0, 0 } },
    { "who", "which is right, and on what: recall@10 at equal bits, four kinds of data", who,
      { "bits", "data+dim;method", "bits per dimension", "recall@10", 0, PAPER_SHARE } },
    { "claims", "the note's claims on squared error: a scale of its own a row, and 2 bits against 3 of Q_prod", claims,
      { "bits", NULL, "bits per dimension", "squared error of unit rows", 0, 1 } },
    { 0 }
};

const struct paper_ops paper_eden = {
    .name = "eden",
    .reference = "arXiv 2604.18555; FAISS pull request 5278 and issue 5170",
    .summary = "EDEN, RaBitQ and TurboQuant at equal bits: which is right, and on what",
    .table = table,
    .items = items,
    .page = eden_page,
};
