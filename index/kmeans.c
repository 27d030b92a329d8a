/* SPDX-License-Identifier: MIT */
#include "index/kmeans.h"
#include <math.h>
#include <string.h>
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"
#include "kernels/base/rng.h"
/* Spelled so that the build's search for optional headers leaves this file in a WORKER build. */
#ifndef ASSAY_WORKER
#    include <cblas.h>
#endif

void kmeans_fini(struct kmeans *m)
{
    mem_free(m->centres);
    mem_free(m->halves);
    m->centres = m->halves = NULL;
}

struct assignment {
    const struct kmeans *m;
    struct rows rows;
    uint32_t *nearest;
    char *scratch;
    size_t scratch_bytes;
};

/* products[r][c] of a whole chunk: always the same shape, so that a row's bits never depend on its company. */
static void multiply(const struct kmeans *m, const float *rows, float *products)
{
#ifndef ASSAY_WORKER
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, KMEANS_CHUNK, (int)m->count, (int)m->dim, 1, rows, (int)m->dim,
                m->centres, (int)m->dim, 0, products, (int)m->count);
#else
    for (size_t r = 0; r < KMEANS_CHUNK; r++)
        m->dot(rows + r * m->dim, m->centres, m->dim, NULL, m->count, m->dim, products + r * m->count);
#endif
}

/* The largest product less half a square; the first of equals.  Lanes side by side, so that the compiler can
 * vectorise. */
static uint32_t best_centre(const struct kmeans *m, const float *products)
{
    enum { LANES = 8 };
    float most[LANES];
    uint32_t at[LANES], best = 0;
    for (size_t j = 0; j < LANES; j++) most[j] = -INFINITY, at[j] = 0;
    const size_t whole = m->count / LANES * LANES;
    for (size_t c = 0; c < whole; c += LANES)
        for (size_t j = 0; j < LANES; j++) {
            const float score = products[c + j] - m->halves[c + j];
            at[j] = score > most[j] ? (uint32_t)(c + j) : at[j];
            most[j] = score > most[j] ? score : most[j];
        }
    float highest = -INFINITY;
    for (size_t j = 0; j < LANES; j++)
        if (most[j] > highest || (most[j] == highest && at[j] < best)) highest = most[j], best = at[j];
    for (size_t c = whole; c < m->count; c++)
        if (products[c] - m->halves[c] > highest) highest = products[c] - m->halves[c], best = (uint32_t)c;
    return best;
}

static void assign_some(void *context, int thread, size_t from, size_t to)
{
    const struct assignment *a = context;
    const struct kmeans *m = a->m;
    float *rows = (float *)(a->scratch + (size_t)thread * a->scratch_bytes), *products = rows + KMEANS_CHUNK * m->dim;
    memset(rows, 0, KMEANS_CHUNK * m->dim * sizeof *rows);
    for (size_t r = from; r < to; r++) memcpy(rows + (r - from) * m->dim, rows_at(a->rows, r), m->dim * sizeof *rows);
    multiply(m, rows, products);
    for (size_t r = from; r < to; r++) a->nearest[r] = best_centre(m, products + (r - from) * m->count);
}

int kmeans_assign(const struct kmeans *m, struct rows rows, uint32_t *nearest, int threads, struct err *e)
{
    struct assignment a = { .m = m, .rows = rows, .nearest = nearest };
    a.scratch_bytes = KMEANS_CHUNK * (m->dim + m->count) * sizeof(float);
    if ((size_t)threads > 1 + rows.count / KMEANS_CHUNK) threads = 1 + (int)(rows.count / KMEANS_CHUNK);
    a.scratch = mem_alloc((size_t)threads, a.scratch_bytes);
    if (!a.scratch) return FAIL(e, ERR_MEM, "k-means: no memory to assign %zu rows", rows.count);
    parallel_for(threads, rows.count, KMEANS_CHUNK, assign_some, &a);
    mem_free(a.scratch);
    return ERR_OK;
}

void kmeans_unit(const struct kmeans *m, const float *x, float *out)
{
    float square;
    m->dot(x, x, 0, NULL, 1, m->dim, &square);
    const float scale = square > 0 ? 1 / sqrtf(square) : 0;
    for (size_t i = 0; i < m->dim; i++) out[i] = x[i] * scale;
}

static void set_halves(struct kmeans *m)
{
    for (size_t c = 0; c < m->count; c++) {
        float *centre = m->centres + c * m->dim, square;
        m->dot(centre, centre, 0, NULL, 1, m->dim, &square);
        if (m->is_spherical && square > 0) {
            const float scale = 1 / sqrtf(square);
            for (size_t i = 0; i < m->dim; i++) centre[i] *= scale;
        }
        m->halves[c] = m->is_spherical ? 0 : square / 2;
    }
}

/* Means of the rows of each centre; an empty one takes a random row, so that no list is lost. */
static void update(struct kmeans *m, struct rows rows, const uint32_t *nearest, size_t *sizes, struct rng *r)
{
    memset(m->centres, 0, m->count * m->dim * sizeof *m->centres);
    memset(sizes, 0, m->count * sizeof *sizes);
    for (size_t row = 0; row < rows.count; row++) {
        float *centre = m->centres + nearest[row] * m->dim;
        const float *x = rows_at(rows, row);
        for (size_t i = 0; i < m->dim; i++) centre[i] += x[i];
        sizes[nearest[row]]++;
    }
    for (size_t c = 0; c < m->count; c++) {
        float *centre = m->centres + c * m->dim;
        if (sizes[c] == 0) memcpy(centre, rows_at(rows, rng_below(r, rows.count)), m->dim * sizeof *centre);
        for (size_t i = 0; i < m->dim && sizes[c] > 1; i++) centre[i] /= (float)sizes[c];
    }
    set_halves(m);
}

static int train(struct kmeans *m, struct rows rows, size_t most_rows, int rounds, uint64_t seed,
                 int threads, struct err *e)
{
    struct rng r;
    rng_seed(&r, seed, 2);
    const size_t used = rows.count < most_rows ? rows.count : most_rows;
    uint32_t *order = mem_alloc(rows.count, sizeof *order), *nearest = mem_alloc(used, sizeof *nearest);
    size_t *sizes = mem_alloc(m->count, sizeof *sizes);
    float *sample = mem_alloc(used * m->dim, sizeof *sample);
    int status = order && nearest && sizes && sample
                     ? ERR_OK
                     : FAIL(e, ERR_MEM, "k-means: no memory for %zu rows", used);
    if (status == ERR_OK) {
        rng_shuffle(&r, order, rows.count);
        for (size_t i = 0; i < used; i++) {
            if (m->is_spherical) kmeans_unit(m, rows_at(rows, order[i]), sample + i * m->dim);
            else memcpy(sample + i * m->dim, rows_at(rows, order[i]), m->dim * sizeof *sample);
        }
        memcpy(m->centres, sample, m->count * m->dim * sizeof *sample);
        set_halves(m);
    }
    const struct rows chosen = { sample, used, m->dim, m->dim };
    for (int round = 0; round < rounds && status == ERR_OK; round++) {
        status = kmeans_assign(m, chosen, nearest, threads, e);
        if (status == ERR_OK) update(m, chosen, nearest, sizes, &r);
    }
    mem_free(order), mem_free(nearest), mem_free(sizes), mem_free(sample);
    return status;
}

int kmeans_train(struct kmeans *m, struct rows rows, size_t most_rows, size_t count, int is_spherical, int rounds,
                 uint64_t seed, int threads, const struct kernel_set *kernels, struct err *e)
{
    if (most_rows < count) most_rows = count;
    if (count > rows.count) count = rows.count;
    *m = (struct kmeans){ .count = count, .dim = rows.dim, .is_spherical = is_spherical };
#ifndef ASSAY_WORKER
    openblas_set_num_threads(1); /* our threads take whole chunks; BLAS's own would only spin beside them */
#endif
    m->dot = kernels->of[OP_dot_f32]->fn.dot_f32;
    m->centres = mem_alloc(count * rows.dim, sizeof *m->centres);
    m->halves = mem_alloc(count, sizeof *m->halves);
    int status = m->centres && m->halves ? ERR_OK : FAIL(e, ERR_MEM, "k-means: no memory for %zu centres", count);
    if (status == ERR_OK) status = train(m, rows, most_rows, rounds, seed, threads, e);
    if (status != ERR_OK) kmeans_fini(m);
    return status;
}
