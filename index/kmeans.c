/* SPDX-License-Identifier: MIT
 * kmeans.c - Lloyd's k-means: rounds of nearest.h and means.
 *
 * Products by sgemm, as they were, took three times as long (nearest.c has the figures), and what BLAS gives is not
 * the same on every machine. */
#include "index/kmeans.h"
#include <math.h>
#include <string.h>
#include "index/nearest.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"
#include "kernels/base/rng.h"

enum { NARROW = 8, LANES = 8, NARROW_CHUNK = 1024, WIDE_ROWS = 8192 };

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
    const float *turned; /* turn_centres */
    size_t padded;
};

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

/* Up to NARROW columns, as pq's parts have, products are nothing and the search is all: .13 us a row of 4 columns
 * against 256 centres.  turned: the centres as columns, each column's `padded` numbers together; halves +inf in the padding.
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

static void narrow_some(void *context, int thread, size_t from, size_t to)
{
    const struct assignment *a = context;
    const size_t padded = a->padded, dim = a->m->dim;
    const float *turned = a->turned, *halves = turned + dim * padded;
    (void)thread;
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

static int assign_narrow(const struct kmeans *m, struct rows rows, uint32_t *nearest, int threads, struct err *e)
{
    struct assignment a = { .m = m, .rows = rows, .nearest = nearest };
    a.padded = (m->count + LANES - 1) / LANES * LANES;
    float *turned = mem_alloc((m->dim + 1) * a.padded, sizeof *turned);
    if (!turned) return FAIL(e, ERR_MEM, "k-means: no memory to assign %zu rows", rows.count);
    turn_centres(m, a.padded, turned);
    a.turned = turned;
    parallel_for(threads, rows.count, NARROW_CHUNK, narrow_some, &a);
    mem_free(turned);
    return ERR_OK;
}

/* What bytes are taken from: by distance the mean of the centres; by angle 0, NULL.  The caller frees it. */
static int find_origin(const struct kmeans *m, float **origin, struct err *e)
{
    *origin = NULL;
    if (m->is_spherical || m->count == 0) return ERR_OK;
    float *mean = *origin = mem_zero(m->dim, sizeof *mean);
    if (!mean) return FAIL(e, ERR_MEM, "k-means: no memory");
    for (size_t c = 0; c < m->count; c++)
        for (size_t i = 0; i < m->dim; i++) mean[i] += m->centres[c * m->dim + i] / (float)m->count;
    return ERR_OK;
}

/* s: bytes of the rows less the origin. */
static int assign_wide(const struct kmeans *m, struct rows rows, const struct sketch *s, const float *origin,
                       uint32_t *nearest, int threads, struct err *e)
{
    struct nearest n;
    int status = nearest_init(&n, m->centres, m->halves, m->count, m->dim, origin, m->kernels, e);
    if (status != ERR_OK) return status;
    status = nearest_find(&n, rows, s, nearest, threads, e);
    nearest_fini(&n);
    return status;
}

/* In blocks: bytes of all rows would be as much again as a quarter of them. */
int kmeans_assign(const struct kmeans *m, struct rows rows, uint32_t *nearest, int threads, struct err *e)
{
    if (m->dim <= NARROW) return assign_narrow(m, rows, nearest, threads, e);
    float *origin;
    struct sketch s = { 0 };
    int status = find_origin(m, &origin, e);
    for (size_t from = 0; status == ERR_OK && from < rows.count; from += WIDE_ROWS) {
        const size_t left = rows.count - from, count = left < WIDE_ROWS ? left : WIDE_ROWS;
        const struct rows block = { rows_at(rows, from), count, rows.dim, rows.stride };
        status = sketch_init(&s, block, origin, m->dot, threads, e);
        if (status == ERR_OK) status = assign_wide(m, block, &s, origin, nearest + from, threads, e);
        sketch_fini(&s);
    }
    mem_free(origin);
    return status;
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

/* The bytes of the rows are made once for all rounds, less the origin of the first. */
static int run_rounds(struct kmeans *m, struct rows rows, uint32_t *nearest, size_t *sizes, int rounds, struct rng *r,
                      int threads, struct err *e)
{
    const int is_narrow = m->dim <= NARROW;
    float *origin = NULL;
    struct sketch s = { 0 };
    int status = is_narrow ? ERR_OK : find_origin(m, &origin, e);
    if (status == ERR_OK && !is_narrow) status = sketch_init(&s, rows, origin, m->dot, threads, e);
    for (int round = 0; round < rounds && status == ERR_OK; round++) {
        status = is_narrow ? assign_narrow(m, rows, nearest, threads, e)
                           : assign_wide(m, rows, &s, origin, nearest, threads, e);
        if (status == ERR_OK) update(m, rows, nearest, sizes, r);
    }
    sketch_fini(&s), mem_free(origin);
    return status;
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
    if (status == ERR_OK) status = run_rounds(m, chosen, nearest, sizes, rounds, &r, threads, e);
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
    m->dot = kernels->of[OP_dot_f32]->fn.dot_f32, m->kernels = kernels;
    m->centres = mem_alloc(count * rows.dim, sizeof *m->centres);
    m->halves = mem_alloc(count, sizeof *m->halves);
    int status = m->centres && m->halves ? ERR_OK : FAIL(e, ERR_MEM, "k-means: no memory for %zu centres", count);
    if (status == ERR_OK) status = train(m, rows, most_rows, rounds, seed, threads, e);
    if (status != ERR_OK) kmeans_fini(m);
    return status;
}
