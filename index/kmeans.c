/* SPDX-License-Identifier: MIT
 * kmeans.c - Lloyd's k-means: products by sgemm, the nearest centre by four lanes at a time. */
#include "index/kmeans.h"
#include <math.h>
#include <string.h>
#include "index/blas.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"
#include "kernels/base/rng.h"

enum { NARROW = 8, LANES = 8, NARROW_CHUNK = 1024 };

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
    const float *turned; /* narrow rows: turn_centres; NULL otherwise */
    size_t padded;
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

/* --- the least of many numbers, the first of equals -------------------------------------------------
 * In vectors of the compiler, of 16 bytes: gcc leaves such loops over lanes alone, and compares wider vectors one lane
 * after the other, 7 times slower. */
typedef float four_f32 __attribute__((vector_size(16)));
typedef int32_t four_i32 __attribute__((vector_size(16)));

struct least {
    four_f32 value;
    four_i32 at;
};

static inline struct least least_start(void)
{
    return (struct least){ { INFINITY, INFINITY, INFINITY, INFINITY }, { 0 } };
}

/* The lesser of l and four values, lane by lane; `here`: the places that the values come from. */
static inline struct least least_of(struct least l, four_f32 values, four_i32 here)
{
    const four_i32 less = values < l.value;
    return (struct least){ (four_f32)((less & (four_i32)values) | (~less & (four_i32)l.value)),
                           (less & here) | (~less & l.at) };
}

static inline uint32_t least_place(struct least l, float *value)
{
    int best = 0;
    for (int j = 1; j < 4; j++)
        if (l.value[j] < l.value[best] || (l.value[j] == l.value[best] && l.at[j] < l.at[best])) best = j;
    *value = l.value[best];
    return (uint32_t)l.at[best];
}

/* The centre nearest to a row: |c|^2 / 2 - <c, x> is least.  products: <c, x> of every centre. */
static uint32_t best_centre(const struct kmeans *m, const float *products)
{
    struct least l = least_start();
    four_i32 here = { 0, 1, 2, 3 };
    const size_t whole = m->count / 4 * 4;
    for (size_t c = 0; c < whole; c += 4, here += 4) {
        four_f32 half, product;
        memcpy(&half, m->halves + c, sizeof half);
        memcpy(&product, products + c, sizeof product);
        l = least_of(l, half - product, here);
    }
    float lowest;
    uint32_t best = least_place(l, &lowest);
    for (size_t c = whole; c < m->count; c++)
        if (m->halves[c] - products[c] < lowest) lowest = m->halves[c] - products[c], best = (uint32_t)c;
    return best;
}

/* Up to NARROW columns, as pq's parts have, sgemm does nothing but pack: 1 us a row of 4 columns against 256 centres,
 * here .13 us.  turned: the centres as columns, each column's `padded` numbers together; halves +inf in the padding.
 * A row at a time; the width is a constant where this is expanded, so that the row stays in registers. */
static inline __attribute__((always_inline)) uint32_t nearest_narrow(const float *x, const float *turned,
                                                                     const float *halves, size_t padded, size_t dim)
{
    struct least even = least_start(), odd = even; /* two, or each comparison waits for the last */
    four_i32 here = { 0, 1, 2, 3 };
    for (size_t c = 0; c < padded; c += LANES, here += LANES) {
        four_f32 off, next, column;
        memcpy(&off, halves + c, sizeof off);
        memcpy(&next, halves + c + 4, sizeof next);
        for (size_t i = 0; i < dim; i++) {
            memcpy(&column, turned + i * padded + c, sizeof column);
            off -= x[i] * column;
            memcpy(&column, turned + i * padded + c + 4, sizeof column);
            next -= x[i] * column;
        }
        even = least_of(even, off, here);
        odd = least_of(odd, next, here + 4);
    }
    float low, high;
    const uint32_t first = least_place(even, &low), second = least_place(odd, &high);
    return high < low || (high == low && second < first) ? second : first;
}

static void assign_narrow(const struct assignment *a, size_t from, size_t to)
{
    const size_t padded = a->padded, dim = a->m->dim;
    const float *turned = a->turned, *halves = turned + dim * padded;
#define WIDTH(n)                                                                                        \
    case n:                                                                                             \
        for (size_t r = from; r < to; r++)                                                              \
            a->nearest[r] = nearest_narrow(rows_at(a->rows, r), turned, halves, padded, n);             \
        break
    switch (dim) {
        WIDTH(1);
        WIDTH(2);
        WIDTH(3);
        WIDTH(4);
        WIDTH(5);
        WIDTH(6);
        WIDTH(7);
        WIDTH(8);
    }
#undef WIDTH
}

/* Fills `turned`: (dim + 1) x padded floats. */
static void turn_centres(const struct kmeans *m, size_t padded, float *turned)
{
    for (size_t c = 0; c < padded; c++) {
        for (size_t i = 0; i < m->dim; i++) turned[i * padded + c] = c < m->count ? m->centres[c * m->dim + i] : 0;
        turned[m->dim * padded + c] = c < m->count ? m->halves[c] : INFINITY;
    }
}

static void assign_some(void *context, int thread, size_t from, size_t to)
{
    const struct assignment *a = context;
    const struct kmeans *m = a->m;
    if (a->turned) {
        assign_narrow(a, from, to);
        return;
    }
    float *rows = (float *)(a->scratch + (size_t)thread * a->scratch_bytes), *products = rows + KMEANS_CHUNK * m->dim;
    memset(rows, 0, KMEANS_CHUNK * m->dim * sizeof *rows);
    for (size_t r = from; r < to; r++) memcpy(rows + (r - from) * m->dim, rows_at(a->rows, r), m->dim * sizeof *rows);
    multiply(m, rows, products);
    for (size_t r = from; r < to; r++) a->nearest[r] = best_centre(m, products + (r - from) * m->count);
}

int kmeans_assign(const struct kmeans *m, struct rows rows, uint32_t *nearest, int threads, struct err *e)
{
    struct assignment a = { .m = m, .rows = rows, .nearest = nearest };
    const int is_narrow = m->dim <= NARROW;
    a.padded = (m->count + LANES - 1) / LANES * LANES;
    a.scratch_bytes = is_narrow ? (m->dim + 1) * a.padded * sizeof(float)
                                : KMEANS_CHUNK * (m->dim + m->count) * sizeof(float);
    if ((size_t)threads > 1 + rows.count / KMEANS_CHUNK) threads = 1 + (int)(rows.count / KMEANS_CHUNK);
    a.scratch = mem_alloc(is_narrow ? 1 : (size_t)threads, a.scratch_bytes);
    if (!a.scratch) return FAIL(e, ERR_MEM, "k-means: no memory to assign %zu rows", rows.count);
    if (is_narrow) {
        turn_centres(m, a.padded, (float *)a.scratch);
        a.turned = (float *)a.scratch;
    } else blas_alone();
    parallel_for(threads, rows.count, is_narrow ? NARROW_CHUNK : KMEANS_CHUNK, assign_some, &a);
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

int kmeans_refine(struct kmeans *m, struct rows rows, uint32_t *nearest, uint64_t seed, int threads, struct err *e)
{
    struct rng r;
    size_t *sizes = mem_alloc(m->count, sizeof *sizes);
    int status = sizes ? kmeans_assign(m, rows, nearest, threads, e) : FAIL(e, ERR_MEM, "k-means: no memory");
    rng_seed(&r, seed, 3);
    if (status == ERR_OK) update(m, rows, nearest, sizes, &r);
    mem_free(sizes);
    return status;
}

int kmeans_train(struct kmeans *m, struct rows rows, size_t most_rows, size_t count, int is_spherical, int rounds,
                 uint64_t seed, int threads, const struct kernel_set *kernels, struct err *e)
{
    if (most_rows < count) most_rows = count;
    if (count > rows.count) count = rows.count;
    *m = (struct kmeans){ .count = count, .dim = rows.dim, .is_spherical = is_spherical };
    m->dot = kernels->of[OP_dot_f32]->fn.dot_f32;
    m->centres = mem_alloc(count * rows.dim, sizeof *m->centres);
    m->halves = mem_alloc(count, sizeof *m->halves);
    int status = m->centres && m->halves ? ERR_OK : FAIL(e, ERR_MEM, "k-means: no memory for %zu centres", count);
    if (status == ERR_OK) status = train(m, rows, most_rows, rounds, seed, threads, e);
    if (status != ERR_OK) kmeans_fini(m);
    return status;
}
