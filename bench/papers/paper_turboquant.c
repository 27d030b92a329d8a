/* SPDX-License-Identifier: MIT
 * paper_turboquant.c - TurboQuant (arXiv 2504.19874): what its theorems and figures say, recomputed.
 *
 * Vectors are the paper's own where it defines them: uniform on the unit sphere, new ones and a new rotation for every
 * seed.  Theory is the exact distortion of the Lloyd-Max levels at that dimension (index/codebook.h); the paper prints it
 * for d to infinity.  The dense rotation is the paper's; two rounds of Hadamard are our default, and `int8` is what our
 * default scan sees: levels rounded to int8, which costs 2 % at 5 bits and a quarter at 7; at 8, even steps over each
 * row (index/codec.h). */
#include "bench/papers/quant.h"
#include "bench/papers/turboquant.h"
#include "datasets/dataset.h"
#include "index/codebook.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char table[] =
#include "gen/turboquant.tsv.inc"
    ;

static const size_t dims[] = { 384, 1536, 200, 3072 };
/* --quick: the first two, and fewer vectors.  Of prod the spread is that of the sketch, which all rows of a draw share. */
static size_t dim_count(const struct paper_run *r) { return r->asked.quick ? 2 : sizeof dims / sizeof *dims; }
static size_t rows_of(const struct paper_run *r, size_t dim) { return dim > 1000 && r->asked.quick ? 100 : quant_rows(dim, 2000); }

/* --- distortion: theorem 1, theorem 3 ------------------------------------------------------------------ */

static const struct variant { const char *method, *args, *note; } variants[] = {
    { "dense", "rotation=dense,estimator=mse,query=f32", NULL },
    { "fht", "estimator=mse,query=f32", NULL },
    { "fht int8", "estimator=mse", "the default scan rounds levels to int8" },
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static int distortion_at(struct paper_run *r, size_t dim, const struct variant *v, int bits, struct err *e)
{
    struct quant_errors draws[PAPER_SEEDS_MAX];
    double values[PAPER_SEEDS_MAX];
    struct codebook book;
    char spec[128];
    struct finding f = finding_of("bits=%d;dim=%zu;method=%s", bits, dim, v->method);
    codebook_design(&book, dim, bits);
    snprintf(spec, sizeof spec, "turboquant:bits=%d,%s", bits, v->args);
    const int status = quant_draws(spec, rows_of(r, dim), dim, &r->asked, draws, e);
    if (status != ERR_OK) return status;
    for (size_t s = 0; s < r->asked.seeds; s++) values[s] = draws[s].distortion;
    finding_of_seeds(&f, values, r->asked.seeds);
    f.index = spec;
    f.n = rows_of(r, dim);
    f.theory = book.distortion;
    f.note = v->note;
    return paper_found(r, &f, e);
}

/* The user's rows, scaled to unit length, by rotations alone: theorem 1 is of any unit vector. */
static int distortion_of_user(struct paper_run *r, struct err *e)
{
    enum { ROWS_MOST = 2000 };
    struct dataset d = { 0 };
    int status = dataset_open(&d, r->asked.base, e);
    if (status == ERR_OK && !d.rows.at) status = FAIL(e, ERR_ARG, "%s: no vectors", r->asked.base);
    const size_t count = d.rows.count < ROWS_MOST ? d.rows.count : ROWS_MOST, dim = d.rows.dim;
    float *x = status == ERR_OK ? mem_alloc(count * dim, sizeof *x) : NULL;
    if (status == ERR_OK && !x) status = FAIL(e, ERR_MEM, "no memory for %zu vectors", count);
    for (size_t row = 0; status == ERR_OK && row < count; row++) {
        double squares = 0;
        for (size_t i = 0; i < dim; i++) squares += (double)rows_at(d.rows, row)[i] * (double)rows_at(d.rows, row)[i];
        for (size_t i = 0; i < dim; i++) x[row * dim + i] = squares > 0 ? (float)((double)rows_at(d.rows, row)[i] / sqrt(squares)) : i == 0;
    }
    for (int bits = 1; status == ERR_OK && bits <= 4; bits++) {
        struct finding f = finding_of("bits=%d;dim=%zu;method=dense;data=mine", bits, dim);
        double values[PAPER_SEEDS_MAX];
        struct codebook book;
        char spec[128];
        codebook_design(&book, dim, bits);
        snprintf(spec, sizeof spec, "turboquant:bits=%d,%s", bits, variants[0].args);
        for (size_t s = 0; status == ERR_OK && s < r->asked.seeds; s++) {
            const struct rows rows = { x, count, dim, dim };
            struct index *ix = NULL;
            struct quant_errors one;
            status = quant_build(&ix, spec, rows, METRIC_COSINE, s + 1, r->asked.threads, e);
            if (status == ERR_OK) status = quant_errors(ix, rows, r->asked.threads, &one, e);
            if (status == ERR_OK) values[s] = one.distortion;
            index_destroy(ix);
        }
        finding_of_seeds(&f, values, r->asked.seeds);
        f.index = spec, f.n = count, f.theory = book.distortion;
        if (status == ERR_OK) status = paper_found(r, &f, e);
    }
    mem_free(x);
    dataset_close(&d);
    return status;
}

static int distortion(struct paper_run *r, struct err *e)
{
    int status = r->asked.base ? distortion_of_user(r, e) : ERR_OK;
    for (size_t d = 0; d < dim_count(r); d++)
        for (size_t v = 0; v < (d ? 1 : VARIANTS); v++)
            for (int bits = 1; status == ERR_OK && bits <= (d ? 4 : CODEBOOK_BITS_MAX); bits++)
                status = distortion_at(r, dims[d], &variants[v], bits, e);
    return status;
}

/* --- inner products: theorem 2 ------------------------------------------------------------------------- */

static const char *const estimators[] = { "prod", "prod_orth", "prod_released", "mse", "rescaled" };
enum { ESTIMATORS = sizeof estimators / sizeof *estimators };

/* Distortion of the first stage's residual, whose length is 1 without a first stage. */
static double residual(size_t dim, int bits)
{
    struct codebook book;
    if (bits == 0) return 1;
    codebook_design(&book, dim, bits);
    return book.distortion;
}

/* d E <y, x - x~>^2 over uniform y is E |x - x~|^2.  With Gaussian S the second moment of S^T s is d^2 + 2/pi d (d - 1);
 * with orthogonal S it is d, and <r, S^T s> the sum of d absolute coordinates.  NaN where there is no closed form. */
static double product_theory(const char *estimator, size_t dim, int bits)
{
    const double d = (double)dim;
    if (strcmp(estimator, "prod") == 0) return residual(dim, bits - 1) * (M_PI / 2 - 1 / d);
    if (strcmp(estimator, "prod_orth") == 0) {
        const double mean = exp(lgamma(d / 2) - lgamma((d + 1) / 2)) / sqrt(M_PI);
        return residual(dim, bits - 1) * (M_PI / 2 + 1 - 2 * sqrt(M_PI / 2 * d) * mean);
    }
    return strcmp(estimator, "mse") == 0 ? residual(dim, bits) : (double)NAN;
}

static int products_at(struct paper_run *r, size_t dim, const char *estimator, int bits, int slopes, struct err *e)
{
    struct quant_errors draws[PAPER_SEEDS_MAX];
    double values[PAPER_SEEDS_MAX];
    char spec[128];
    struct finding f = finding_of("bits=%d;dim=%zu;estimator=%s", bits, dim, estimator);
    const size_t rows = rows_of(r, dim) / 4;
    snprintf(spec, sizeof spec, "turboquant:bits=%d,rotation=dense,query=f32,estimator=%s", bits, estimator);
    const int status = quant_draws(spec, rows, dim, &r->asked, draws, e);
    if (status != ERR_OK) return status;
    for (size_t s = 0; s < r->asked.seeds; s++) values[s] = slopes ? draws[s].slope : draws[s].distortion;
    finding_of_seeds(&f, values, r->asked.seeds);
    f.index = spec;
    f.n = rows;
    f.theory = product_theory(estimator, dim, bits);
    if (slopes) f.theory = strcmp(estimator, "mse") == 0 ? 1 - residual(dim, bits) : 1;
    return paper_found(r, &f, e);
}

static int products_of(struct paper_run *r, int slopes, struct err *e)
{
    int status = ERR_OK;
    for (size_t d = 0; d < (slopes ? 2 : dim_count(r)); d++)
        for (size_t k = 0; k < (d ? 1 : ESTIMATORS); k++)
            for (int bits = 1; status == ERR_OK && bits <= 4; bits++)
                status = products_at(r, dims[d], estimators[k], bits, slopes, e);
    return status;
}

static int products(struct paper_run *r, struct err *e) { return products_of(r, 0, e); }
static int slopes(struct paper_run *r, struct err *e) { return products_of(r, 1, e); }

static const struct paper_item items[] = {
    { "distortion", "E |x - decoded x|^2 of uniform unit vectors against bits, between the bounds of theorems 1 and 3", distortion,
      { "bits", "dim", "bits per dimension", "distortion", 0, 1 } },
    { "products", "d times the squared error of inner products with uniform y (theorem 2), and of the other estimators", products,
      { "bits", "dim", "bits per dimension", "d E <y, x - decoded x>^2", 0, 1 } },
    { "slope", "slope of the estimated on the true inner product: 1 is unbiased (theorem 2; mse: 1 - D)", slopes,
      { "bits", "dim", "bits per dimension", "slope", 0, 0 } },
    { "errors", "bias and variance (times d) of an inner product against its value, 2 bits (figure 2)", turboquant_errors,
      { "rho", "quantity", "true inner product", "bias|variance=variance times d", 0, 0 } },
    { "histogram", "errors of inner products at <x, y> = .25, times sqrt(d) (figure 1)", turboquant_histogram,
      { "error", "bits", "error times sqrt(d)", "density", 0, 0 } },
    { "spread", "standard deviation of errors of inner products at <x, y> = .1, d = 1536 (figure 3)", turboquant_spread,
      { "bits", NULL, "bits per dimension", "standard deviation", 0, 1 } },
    { "recall", "recall 1@k: is the true nearest among the first k (figure 5), of 100,000 rows (d = 3072: 25,000; --quick: 10,000)", turboquant_recall,
      { "k", "bits+dim", "k", "recall 1@k", 1, PAPER_SHARE } },
    { "bytes", "recall@10 at equal bytes, all that is kept for a vector", turboquant_bytes,
      { "bytes", ";method", "bytes per vector", "recall@10", 1, PAPER_SHARE } },
    { "entropy", "entropy of codes, and what a prefix code would save (section 3.1)", turboquant_entropy,
      { "bits", "quantity", "bits per dimension", "entropy, bits|saved by a prefix code=share saved", 0, 0 } },
    { "rotation", "what the rotation is for: distortion of the worst inputs, 2 bits, by rounds of Hadamard (0: none)", turboquant_rotation,
      { "rounds", "dim", "rounds of Hadamard", "distortion", 0, 1 } },
    { "centring", "recall@10 with the mean taken off and the spread evened, on rows that share a mean", turboquant_centring,
      { NULL, NULL, NULL, NULL, 0, 0 } },
    { "query", "recall@10 by precision of the query", turboquant_query, { NULL, NULL, NULL, NULL, 0, 0 } },
    { "rerank", "recall@10 after exact scores of the first so many", turboquant_rerank,
      { "pool", "bits", "rows scored exactly", "recall@10", 1, PAPER_SHARE } },
    { "kernels", "share of questions with the same set of ten answers by scalar kernels and by those of this CPU", turboquant_kernels,
      { NULL, NULL, NULL, NULL, 0, 0 } },
    { "encoding", "time to encode, us a row, 4 bits (table 2); of as many rows as have 3 million coordinates", turboquant_encoding,
      { "dim", "threads;method", "dimensions", "us per row", 1, 1 } },
    { "scans", "a scan of rows of d = 768, one query alone: bytes against levels, tables, or counted bits", turboquant_scans,
      { "bits", "quantity;method", "bits per dimension", "ns per row|share of read rate=share of this machine's read rate", 0, PAPER_SHARE } },
    { 0 }
};

const struct paper_ops paper_turboquant = {
    .name = "turboquant",
    .reference = "arXiv 2504.19874",
    .summary = "distortion, inner products and recall of rotated Lloyd-Max codes",
    .table = table,
    .items = items,
};
