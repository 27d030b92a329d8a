/* SPDX-License-Identifier: MIT
 * turboquant_codes.c - what TurboQuant's codes lose, without search: errors of inner products (figures 1 to 3 of arXiv
 * 2504.19874), the entropy of codes, and what the rotation is for. */
#include "bench/papers/quant.h"
#include "bench/papers/turboquant.h"
#include "bench/time/stats.h"
#include "index/codebook.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- errors of pairs at a given inner product ------------------------------------------------------------ */

struct moments { double mean, variance; };

/* errors[row]: estimated less true inner product of row with a unit y at <x, y> = rho. */
static int pair_errors(const char *spec, size_t count, size_t dim, double rho, uint64_t seed, int threads, double *errors, struct err *e)
{
    struct rows x = { 0 }, z = { 0 };
    struct index *ix = NULL;
    float *all = NULL;
    int status = sphere_draw(&x, count, dim, seed, e);
    if (status == ERR_OK) status = sphere_draw(&z, count, dim, seed + 1000000, e);
    if (status == ERR_OK) status = quant_build(&ix, spec, x, METRIC_COSINE, seed, threads, e);
    if (status == ERR_OK) status = quant_decode(ix, count, threads, &all, e);
    for (size_t r = 0; status == ERR_OK && r < count; r++) {
        const float *u = rows_at(x, r), *v = rows_at(z, r), *decoded = all + r * dim;
        double along = 0, square = 0, on_x = 0, on_v = 0;
        for (size_t i = 0; i < dim; i++) along += (double)u[i] * (double)v[i];
        /* y = rho x + sqrt(1 - rho^2) w, w the unit vector of what of v is orthogonal to x */
        for (size_t i = 0; i < dim; i++) {
            const double w = (double)v[i] - along * (double)u[i];
            square += w * w;
            on_x += (double)u[i] * (double)decoded[i];
            on_v += w * (double)decoded[i];
        }
        errors[r] = rho * on_x + sqrt(1 - rho * rho) * on_v / sqrt(square) - rho;
    }
    index_destroy(ix);
    mem_free((void *)x.at);
    mem_free((void *)z.at);
    mem_free(all);
    return status;
}

/* Mean and variance of the errors, one a seed. */
static int moments_of(const struct paper_run *r, const char *spec, size_t count, size_t dim, double rho, double *means, double *variances,
                      struct err *e)
{
    double *errors = mem_alloc(count, sizeof *errors);
    int status = errors ? ERR_OK : FAIL(e, ERR_MEM, "no memory for errors");
    for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) {
        status = pair_errors(spec, count, dim, rho, s + 1, r->asked.threads, errors, e);
        if (status != ERR_OK) break;
        means[s] = stats_mean(errors, count);
        variances[s] = 0;
        for (size_t i = 0; i < count; i++) variances[s] += (errors[i] - means[s]) * (errors[i] - means[s]) / (double)(count - 1);
    }
    mem_free(errors);
    return status;
}

static double distortion_of(size_t dim, int bits)
{
    struct codebook book;
    codebook_design(&book, dim, bits);
    return book.distortion;
}

static int found(struct paper_run *r, struct finding *f, const char *spec, size_t n, const double *draws, struct err *e)
{
    finding_of_seeds(f, draws, r->asked.seeds);
    f->index = spec;
    f->n = n;
    return paper_found(r, f, e);
}

static const char *const error_estimators[] = { "prod", "prod_orth", "mse", "rescaled" };

static int errors_of(struct paper_run *r, const char *estimator, struct err *e)
{
    static const double rhos[] = { 0, 0.25, 0.5, 0.75, 0.95 };
    enum { DIM = 384, BITS = 2, RHOS = sizeof rhos / sizeof *rhos };
    const size_t n = r->asked.quick ? 400 : 4000;
    double means[PAPER_SEEDS_MAX], variances[RHOS][PAPER_SEEDS_MAX], ratio[PAPER_SEEDS_MAX];
    char spec[128];
    int status = ERR_OK;
    snprintf(spec, sizeof spec, "turboquant:bits=%d,query=f32,estimator=%s", BITS, estimator);
    for (size_t k = 0; status == ERR_OK && k < RHOS; k++) {
        status = moments_of(r, spec, n, DIM, rhos[k], means, variances[k], e);
        struct finding bias = finding_of("quantity=bias;bits=%d;dim=%d;estimator=%s;rho=%g", BITS, DIM, estimator, rhos[k]);
        struct finding spread = finding_of("quantity=variance;bits=%d;dim=%d;estimator=%s;rho=%g", BITS, DIM, estimator, rhos[k]);
        bias.theory = strcmp(estimator, "mse") == 0 ? -distortion_of(DIM, BITS) * rhos[k] : 0;
        for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) variances[k][s] *= DIM;
        if (status == ERR_OK) status = found(r, &bias, spec, n, means, e);
        if (status == ERR_OK) status = found(r, &spread, spec, n, variances[k], e);
    }
    if (status != ERR_OK) return status;
    struct finding f = finding_of("quantity=variance at .95 over variance at 0;bits=%d;estimator=%s", BITS, estimator);
    for (size_t s = 0; s < r->asked.seeds; s++) ratio[s] = variances[RHOS - 1][s] / variances[0][s];
    return found(r, &f, spec, n, ratio, e);
}

int turboquant_errors(struct paper_run *r, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < sizeof error_estimators / sizeof *error_estimators; i++)
        status = errors_of(r, error_estimators[i], e);
    return status;
}

/* --- their spread, and histogram ---------------------------------------------------------------------------- */

static const double usual_rho = 0.1;

int turboquant_spread(struct paper_run *r, struct err *e)
{
    enum { DIM = 1536 };
    static const struct { const char *method, *spec; } methods[] = {
        { "prod_released", "turboquant:query=f32,estimator=prod_released,bits=%d" },
        { "mse", "turboquant:query=f32,estimator=mse,bits=%d" },
        { "rescaled", "turboquant:query=f32,bits=%d" },
        { "rabitq", "rabitq:query=f32,bits=%d" },
    };
    const size_t n = r->asked.quick ? 200 : 4000;
    double means[PAPER_SEEDS_MAX], spreads[PAPER_SEEDS_MAX];
    char spec[128];
    int status = ERR_OK;
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++)
        for (int bits = 1; status == ERR_OK && bits <= 4; bits++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(spec, sizeof spec, methods[m].spec, bits);
#pragma GCC diagnostic pop
            status = moments_of(r, spec, n, DIM, usual_rho, means, spreads, e);
            struct finding f = finding_of("dim=%d;method=%s;bits=%d", DIM, methods[m].method, bits),
                           mean = finding_of("dim=%d;mean error of=%s;width=%d", DIM, methods[m].method, bits);
            for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) spreads[s] = sqrt(spreads[s]), means[s] = -means[s];
            if (status == ERR_OK) status = found(r, &f, spec, n, spreads, e);
            if (status == ERR_OK) status = found(r, &mean, spec, n, means, e);
        }
    return status;
}

int turboquant_histogram(struct paper_run *r, struct err *e)
{
    enum { DIM = 384, BINS = 48, PER_UNIT = 8 };
    const size_t n = r->asked.quick ? 1000 : 10000;
    double *errors = mem_alloc(n, sizeof *errors);
    int status = errors ? ERR_OK : FAIL(e, ERR_MEM, "no memory for errors");
    for (int bits = 1; bits <= 4; bits++)
        for (size_t i = 0; status == ERR_OK && i < sizeof error_estimators / sizeof *error_estimators; i++) {
            double draws[BINS][PAPER_SEEDS_MAX] = { { 0 } }, means[PAPER_SEEDS_MAX] = { 0 };
            char spec[128];
            if (i == 1) continue; /* prod_orth: the page has it in numbers */
            snprintf(spec, sizeof spec, "turboquant:bits=%d,query=f32,estimator=%s", bits, error_estimators[i]);
            for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) {
                status = pair_errors(spec, n, DIM, 0.25, s + 1, r->asked.threads, errors, e);
                means[s] = stats_mean(errors, n) * sqrt(DIM);
                for (size_t k = 0; status == ERR_OK && k < n; k++) {
                    const double at = (errors[k] * sqrt(DIM) + BINS / 2.0 / PER_UNIT) * PER_UNIT;
                    if (at >= 0 && at < BINS) draws[(size_t)at][s] += (double)PER_UNIT / (double)n;
                }
            }
            struct finding centre = finding_of("bits=%d;dim=%d;centre of=%s", bits, DIM, error_estimators[i]);
            if (status == ERR_OK) status = found(r, &centre, spec, n, means, e);
            for (size_t b = 0; status == ERR_OK && b < BINS; b++) {
                struct finding f = finding_of("bits=%d;dim=%d;estimator=%s;error=%g", bits, DIM, error_estimators[i],
                                              ((double)b + 0.5 - BINS / 2.0) / PER_UNIT);
                status = found(r, &f, spec, n, draws[b], e);
            }
        }
    mem_free(errors);
    return status;
}

/* --- entropy --------------------------------------------------------------------------------------------------- */

/* Mean length of a Huffman code for `count` shares that add up to 1; overwrites them. */
static double huffman_length(double *shares, size_t count)
{
    double length = 0;
    for (; count > 1; count--) {
        for (size_t least = 0; least < 2; least++) /* the two least to the end */
            for (size_t i = 0; i + 1 < count - least; i++)
                if (shares[i] < shares[i + 1]) {
                    const double other = shares[i];
                    shares[i] = shares[i + 1];
                    shares[i + 1] = other;
                }
        shares[count - 2] += shares[count - 1];
        length += shares[count - 2];
    }
    return length;
}

static int code_shares(struct rows rows, int bits, uint64_t seed, int threads, double *shares, struct err *e)
{
    enum { ROOM = 1024 };
    uint8_t codes[ROOM];
    char spec[96];
    struct index *ix = NULL;
    snprintf(spec, sizeof spec, "turboquant:bits=%d,estimator=mse,rotation=dense,query=f32", bits);
    const int status = quant_build(&ix, spec, rows, METRIC_COSINE, seed, threads, e);
    if (status != ERR_OK) return status;
    for (size_t row = 0; row < rows.count; row++) {
        int64_t id;
        float norm;
        ix->ops->codes(ix, row, &id, codes, &norm);
        for (size_t i = 0; i < rows.dim; i++) shares[codes[i]] += 1.0 / (double)(rows.count * rows.dim);
    }
    index_destroy(ix);
    return ERR_OK;
}

int turboquant_entropy(struct paper_run *r, struct err *e)
{
    enum { DIM = 384, ROWS = 500 };
    int status = ERR_OK;
    for (int bits = 1; status == ERR_OK && bits <= 8; bits++) {
        double entropy[PAPER_SEEDS_MAX] = { 0 }, saved[PAPER_SEEDS_MAX];
        struct codebook book;
        for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) {
            double shares[CODEBOOK_LEVELS_MAX] = { 0 };
            struct rows rows = { 0 };
            status = sphere_draw(&rows, ROWS, DIM, s + 1, e);
            if (status == ERR_OK) status = code_shares(rows, bits, s + 1, r->asked.threads, shares, e);
            for (size_t i = 0; i < (size_t)1 << bits; i++) entropy[s] -= shares[i] > 0 ? shares[i] * log2(shares[i]) : 0;
            saved[s] = 1 - huffman_length(shares, (size_t)1 << bits) / bits;
            mem_free((void *)rows.at);
        }
        struct finding f = finding_of("quantity=entropy;dim=%d;bits=%d", DIM, bits),
                       prefix = finding_of("quantity=saved by a prefix code;dim=%d;bits=%d", DIM, bits);
        codebook_design(&book, DIM, bits);
        f.theory = book.entropy;
        if (status == ERR_OK) status = found(r, &f, NULL, ROWS, entropy, e);
        if (status == ERR_OK) status = found(r, &prefix, NULL, ROWS, saved, e);
    }
    return status;
}

/* --- what the rotation is for ------------------------------------------------------------------------------------ */

static const char *const inputs[] = { "one-hot", "constant", "sparse", "falling" };
enum { INPUTS = sizeof inputs / sizeof *inputs };

/* Unit rows that a quantiser without a rotation is worst at: one coordinate, all equal, eight of them, and coordinates that
 * fall by 3 % from one to the next. */
static void fill_input(struct rows rows, size_t input, uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed, 2001);
    for (size_t row = 0; row < rows.count; row++) {
        float *x = (float *)rows.at + row * rows.stride;
        double squares = 0;
        rng_normal(&rng, x, rows.dim);
        for (size_t i = 0; i < rows.dim; i++) {
            if (input == 0) x[i] = i == row % rows.dim;
            if (input == 1) x[i] = 1;
            if (input == 2 && (i + row) % (rows.dim / 8) != 0) x[i] = 0;
            if (input == 3) x[i] *= (float)pow(0.97, (double)i);
            squares += (double)x[i] * (double)x[i];
        }
        for (size_t i = 0; i < rows.dim; i++) x[i] = (float)((double)x[i] / sqrt(squares));
    }
}

static int rotation_of(struct paper_run *r, struct rows rows, size_t input, const char *cell, const char *spec, double theory, struct err *e)
{
    double draws[PAPER_SEEDS_MAX];
    int status = ERR_OK;
    for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) {
        struct index *ix = NULL;
        struct quant_errors one;
        fill_input(rows, input, s + 1);
        status = quant_build(&ix, spec, rows, METRIC_COSINE, s + 1, r->asked.threads, e);
        if (status == ERR_OK) status = quant_errors(ix, rows, r->asked.threads, &one, e);
        if (status == ERR_OK) draws[s] = one.distortion;
        index_destroy(ix);
    }
    struct finding f = finding_of("%s", cell);
    f.theory = theory;
    return status == ERR_OK ? found(r, &f, spec, rows.count, draws, e) : status;
}

int turboquant_rotation(struct paper_run *r, struct err *e)
{
    enum { BITS = 2, ROWS = 384, ROUNDS = 4 };
    static const size_t rotation_dims[] = { 384, 200 };
    int status = ERR_OK;
    for (size_t d = 0; status == ERR_OK && d < 2; d++) {
        const size_t dim = rotation_dims[d];
        float *x = mem_alloc(ROWS * dim, sizeof *x);
        const struct rows rows = { x, ROWS, dim, dim };
        if (!x) return FAIL(e, ERR_MEM, "no memory for %d vectors", ROWS);
        for (size_t input = 0; input < INPUTS; input++) {
            char cell[128], spec[128];
            for (int rounds = 0; status == ERR_OK && rounds <= ROUNDS; rounds++) {
                snprintf(cell, sizeof cell, "bits=%d;dim=%zu;input=%s;rounds=%d", BITS, dim, inputs[input], rounds);
                snprintf(spec, sizeof spec, "turboquant:bits=%d,estimator=mse,query=f32,rotation=%s,rounds=%d", BITS,
                         rounds ? "fht" : "none", rounds ? rounds : 1);
                status = rotation_of(r, rows, input, cell, spec, (double)NAN, e);
            }
            snprintf(cell, sizeof cell, "bits=%d;dim=%zu;input=%s;rotation=dense", BITS, dim, inputs[input]);
            snprintf(spec, sizeof spec, "turboquant:bits=%d,estimator=mse,query=f32,rotation=dense", BITS);
            if (status == ERR_OK) status = rotation_of(r, rows, input, cell, spec, distortion_of(dim, BITS), e);
        }
        mem_free(x);
    }
    return status;
}
