/* SPDX-License-Identifier: MIT
 * paper_turboquant.c - distortion against bits, theorem 1 of arXiv 2504.19874.
 *
 * Uniform unit vectors, d = 384, ten seeds of vectors and of rotation; theory is the exact distortion of the Lloyd-Max levels at that d
 * (index/codebook.h), which the paper prints for d to infinity.  The dense rotation is the paper's,
 * two rounds of Hadamard are our default, and last comes what our default scan sees: levels rounded
 * to int8, which costs 2 % at 5 bits and a quarter at 7; at 8, even steps over each row (index/codec.h). */
#include "bench/papers/paper.h"
#include "index/codebook.h"
#include "index/index.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <stdio.h>

enum { DIM = 384, COUNT = 1000, BITS = CODEBOOK_BITS_MAX, SEEDS = 10 };
static const double student_9 = 2.262; /* 97.5 % of Student's t with SEEDS - 1 degrees of freedom */

/* Mean of |x - decoded x|^2 over unit vectors under one rotation. */
static int measure(const char *spec, struct rows rows, uint64_t seed, double *mean, struct err *e)
{
    const struct index_config config = {
        .dim = rows.dim, .metric = METRIC_COSINE, .seed = seed, .threads = 1
    };
    struct index *ix = NULL;
    float decoded[DIM];
    double sum = 0;
    int status = index_create(&ix, spec, &config, e);
    if (status == ERR_OK) status = index_train(ix, rows, e);
    if (status == ERR_OK) status = index_add(ix, rows, NULL, e);
    for (size_t r = 0; status == ERR_OK && r < rows.count; r++) {
        status = index_decode(ix, (int64_t)r, decoded, e);
        for (size_t i = 0; i < rows.dim; i++)
            sum += pow((double)rows_at(rows, r)[i] - (double)decoded[i], 2);
    }
    index_destroy(ix);
    if (status == ERR_OK) *mean = sum / (double)rows.count;
    return status;
}

/* SEEDS independent means: of other rotations and other vectors, SEEDS x COUNT of them. */
static int measure_seeds(struct finding *f, const float *x, struct err *e)
{
    double sum = 0, squares = 0;
    for (size_t seed = 0; seed < SEEDS; seed++) {
        double mean;
        const struct rows rows = { x + seed * COUNT * DIM, COUNT, DIM, DIM };
        const int status = measure(f->index, rows, 42 + seed, &mean, e);
        if (status != ERR_OK) return status;
        sum += mean;
        squares += mean * mean;
    }
    f->ours = sum / SEEDS;
    f->ours_error = sqrt(fmax(0, squares / SEEDS - f->ours * f->ours) / (SEEDS - 1));
    f->ours_lo = f->ours - student_9 * f->ours_error;
    f->ours_hi = f->ours + student_9 * f->ours_error;
    return ERR_OK;
}

static void draw_unit_vectors(float *x)
{
    struct rng r;
    rng_seed(&r, 1, 0);
    rng_normal(&r, x, (size_t)SEEDS * COUNT * DIM);
    for (size_t row = 0; row < (size_t)SEEDS * COUNT; row++) {
        double squares = 0;
        for (size_t i = 0; i < DIM; i++)
            squares += (double)x[row * DIM + i] * (double)x[row * DIM + i];
        for (size_t i = 0; i < DIM; i++)
            x[row * DIM + i] = (float)((double)x[row * DIM + i] / sqrt(squares));
    }
}

static int run(int (*each)(const struct finding *f, void *context, struct err *e), void *context,
               struct err *e)
{
    static const double printed[BITS + 1] = { 0, 0.36, 0.117, 0.03, 0.009 },
                                       unit[BITS + 1] = { 0, 0.01, 0.001, 0.01, 0.001 };
    static const char *const variants[] = { "rotation=dense,estimator=mse,query=f32",
                                            "estimator=mse,query=f32", "estimator=mse" };
    float *x = mem_alloc((size_t)SEEDS * COUNT * DIM, sizeof *x);
    if (!x) return FAIL(e, ERR_MEM, "no memory for %d vectors", SEEDS * COUNT);
    draw_unit_vectors(x);
    int status = ERR_OK;
    for (int v = 0; v < 3; v++)
        for (int bits = 1; status == ERR_OK && bits <= BITS; bits++) {
            struct codebook book;
            struct finding f = { .quantity = "D_mse", .dim = DIM, .n = SEEDS * COUNT, .bits = bits };
            codebook_design(&book, DIM, bits);
            snprintf(f.index, sizeof f.index, "turboquant:bits=%d,%s", bits, variants[v]);
            f.published = bits <= 4 ? printed[bits] : (double)NAN;
            f.published_unit = unit[bits];
            f.theory = book.distortion;
            status = measure_seeds(&f, x, e);
            if (status == ERR_OK) status = each(&f, context, e);
        }
    mem_free(x);
    return status;
}

const struct paper_ops paper_turboquant = {
    .name = "turboquant",
    .reference = "arXiv 2504.19874",
    .summary = "distortion against bits (theorem 1)",
    .run = run,
};
