/* SPDX-License-Identifier: MIT
 * paper_superlocalmemory.c - SuperLocalMemory (arXiv 2603.02240, 2603.14588, 2604.04514): does a distance prefer the float
 * copy of a fact to its quantised one, and what does a gate cost?
 *
 * FRQAD gives every embedding a variance that grows as (32 / bits)^.5 and takes the Fisher-Rao distance of diagonal
 * Gaussians, sqrt(sum of 2 arccosh(1 + delta)^2), delta = ((m1 - m2)^2 + 2 (s1 - s2)^2) / (4 s1 s2).  A query is a unit
 * vector, its fact another at cosine rho, the copy 4-bit codes of the fact.  The control multiplies cosines of copies by
 * .98, as the released search does, and knows nothing of variance: what it reaches, a built-in penalty reaches. */
#include "bench/papers/gate.h"
#include "bench/papers/quant.h"
#include "datasets/unit.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdio.h>

static const char table[] =
#include "gen/superlocalmemory.tsv.inc"
    ;

enum { DIM = 768, SCORERS = 4 };
static const char *const scorers[SCORERS] = { "cosine", "fisher-rao", "frqad", "cosine x .98" };

/* Squared distance of Gaussians of one deviation each. */
static double fisher_rao(const float *x, const float *y, double s1, double s2)
{
    double sum = 0;
    for (size_t i = 0; i < DIM; i++) {
        const double apart = (double)x[i] - y[i];
        const double d = acosh(1 + (apart * apart + 2 * (s1 - s2) * (s1 - s2)) / (4 * s1 * s2));
        sum += 2 * d * d;
    }
    return sum;
}

static double cosine(const float *x, const float *y)
{
    const double square = fixed_dot(x, x, DIM) * fixed_dot(y, y, DIM);
    return square > 0 ? fixed_dot(x, y, DIM) / sqrt(square) : 0;
}

/* Whether each scorer prefers the float copy, added to `won`. */
static void judge_pair(const float *q, const float *fact, const float *copy, int bits, double won[SCORERS])
{
    const double s = 1 / sqrt((double)DIM), wide = s * pow(32.0 / bits, 0.25); /* variance by (32 / bits)^.5 */
    won[0] += cosine(q, fact) > cosine(q, copy);
    won[1] += fisher_rao(q, fact, s, s) < fisher_rao(q, copy, s, s);
    won[2] += fisher_rao(q, fact, s, s) < fisher_rao(q, copy, s, wide);
    won[3] += cosine(q, fact) > 0.98 * cosine(q, copy);
}

static int draw(struct rows facts, const struct index *ix, double rho, int bits, uint64_t seed, double won[SCORERS], struct err *e)
{
    float q[DIM], copy[DIM];
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < facts.count; i++) {
        const float *fact = rows_at(facts, i);
        unit_random(q, DIM, seed, (1ull << 33) + i);
        const double along = fixed_dot(q, fact, DIM);
        for (size_t c = 0; c < DIM; c++) q[c] = (float)(q[c] - along * fact[c]);
        unit_make(q, DIM);
        for (size_t c = 0; c < DIM; c++) q[c] = (float)(rho * fact[c] + sqrt(1 - rho * rho) * q[c]);
        status = index_decode(ix, (int64_t)i, copy, e);
        if (status == ERR_OK) judge_pair(q, fact, copy, bits, won);
    }
    return status;
}

static int frqad_at(struct paper_run *r, double rho, int bits, struct err *e)
{
    const size_t facts = r->asked.quick ? 300 : 943;
    double shares[SCORERS][PAPER_SEEDS_MAX];
    char spec[96];
    int status = ERR_OK;
    snprintf(spec, sizeof spec, "turboquant:bits=%d,estimator=mse,query=f32", bits);
    for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) {
        struct rows rows = { 0 };
        struct index *ix = NULL;
        double won[SCORERS] = { 0 };
        status = sphere_draw(&rows, facts, DIM, s + 1, e);
        if (status == ERR_OK) status = quant_build(&ix, spec, rows, METRIC_COSINE, s + 1, r->asked.threads, e);
        if (status == ERR_OK) status = draw(rows, ix, rho, bits, s + 1, won, e);
        for (int k = 0; k < SCORERS; k++) shares[k][s] = won[k] / (double)facts;
        index_destroy(ix);
        mem_free((void *)(uintptr_t)rows.at);
    }
    for (int k = 0; status == ERR_OK && k < SCORERS; k++) {
        struct finding f = finding_of("scorer=%s;rho=%g;bits=%d", scorers[k], rho, bits);
        finding_of_seeds(&f, shares[k], r->asked.seeds);
        f.index = spec;
        f.n = facts;
        status = paper_found(r, &f, e);
    }
    return status;
}

static int frqad(struct paper_run *r, struct err *e)
{
    static const double rhos[] = { 0.3, 0.6, 0.75, 0.9 };
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < sizeof rhos / sizeof *rhos; i++)
        for (int bits = 4; status == ERR_OK && bits <= 8; bits += 4) status = frqad_at(r, rhos[i], bits, e);
    return status;
}

static const struct paper_item items[] = {
    { .name = "frqad", .summary = "share of pairs in which the float copy is preferred to the quantised one", .run = frqad,
      .figure = { .x = "rho", .panel = "bits", .x_label = "cosine of query and fact", .y_label = "float copy preferred", .y = PAPER_SHARE } },
    { .name = "gates", .summary = "precision, recall and coverage of a least cosine", .run = gate_sweep },
    { 0 },
};

const struct paper_ops paper_superlocalmemory = {
    .name = "superlocalmemory",
    .reference = "arXiv 2603.02240, 2603.14588, 2604.04514 (the engine cites 2602.13398, which is about cryoprotectants)",
    .summary = "local memory: trust, Fisher-Rao distance, quantised tiers",
    .table = table,
    .items = items,
};
