/* SPDX-License-Identifier: MIT
 * test_kmeans.c - the nearest of many centres by bytes and floats (nearest.h) against all of them by floats and by
 * doubles, a wrong product of bytes planted, and the same centres by any number of threads and any instruction set. */
#include "index/check_index.h"
#include "index/kmeans.h"

static struct kernel_set kernels_of(const char *spec)
{
    struct kernel_set set;
    struct err e = { 0 };
    CHECK(kernel_set_resolve(&set, spec, &e) == ERR_OK, "%s", e.text);
    return set;
}

/* Rows that gather around `count` places; by distance far from 0, all times `size`. */
static struct rows gathered(uint64_t seed, size_t n, size_t count, size_t dim, float far, float size)
{
    struct rows x = normal_rows(seed, n, dim), places = normal_rows(seed + 1, count, dim);
    float *at = (float *)(uintptr_t)x.at;
    for (size_t i = 0; i < n * dim; i++)
        at[i] = size * (far + 0.5f * at[i] + places.at[i / dim % count * dim + i % dim]);
    free_rows(places);
    return x;
}

/* Of the first rows as centres, some of them twice and one 0: how many rows get another centre than by dot_f32 of all,
 * and by doubles, but for what floats lose. */
static size_t wrong(const struct kernel_set *kernels, struct rows rows, size_t count, int by_angle, int threads)
{
    const size_t dim = rows.dim;
    struct err e = { 0 };
    float *centres = mem_zero(count, dim * sizeof *centres), *halves = mem_zero(count, sizeof *halves),
          *dots = mem_alloc(count, sizeof *dots);
    uint32_t *nearest = mem_alloc(rows.count, sizeof *nearest);
    struct kmeans m = { count, dim, by_angle, centres, halves, kernels->of[OP_dot_f32]->fn.dot_f32, kernels };
    for (size_t c = 0; c < count; c++) {
        if (c % 7 != 5) memcpy(centres + c * dim, rows_at(rows, c % 5 == 3 ? c - 1 : c), dim * sizeof *centres);
        if (by_angle) kmeans_unit(&m, centres + c * dim, centres + c * dim);
        else m.dot(centres + c * dim, centres + c * dim, 0, NULL, 1, dim, &halves[c]), halves[c] /= 2;
    }
    CHECK(kmeans_assign(&m, rows, nearest, threads, &e) == ERR_OK, "%s", e.text);
    size_t bad = 0;
    for (size_t r = 0; r < rows.count; r++) {
        const float *x = rows_at(rows, r);
        uint32_t best = 0;
        double least = INFINITY, sizes = 0, own = 0;
        m.dot(x, centres, dim, NULL, count, dim, dots);
        for (size_t c = 0; c < count; c++) {
            double product = 0, square = 0, size = 0;
            if (halves[c] - dots[c] < halves[best] - dots[best]) best = (uint32_t)c;
            for (size_t i = 0; i < dim; i++) {
                const double y = (double)centres[c * dim + i];
                product += y * (double)x[i], size += fabs(y * (double)x[i]), square += y * y;
            }
            const double key = by_angle ? -product : square / 2 - product;
            size += square;
            if (key < least) least = key;
            if (size > sizes) sizes = size;
            if (c == nearest[r]) own = key;
        }
        bad += nearest[r] != best || !(own - least <= (double)(dim + 8) * 0x1p-23 * sizes + 1e-37);
    }
    mem_free(centres), mem_free(halves), mem_free(dots), mem_free(nearest);
    return bad;
}

static void nearest_is_exact(void)
{
    static const size_t dims[] = { 9, 16, 31, 64, 100, 384 }, counts[] = { 1, 2, 3, 5, 37, 70 };
    static const float sizes[] = { 1, 0x1p-70f, 0x1p50f };
    const struct kernel_set kernels = kernels_of(NULL);
    for (size_t d = 0; d < 6; d++)
        for (size_t c = 0; c < 6; c++)
            for (int by_angle = 0; by_angle < 2; by_angle++) {
                const float size = sizes[(d + c) % 3];
                struct rows x = gathered(900 + d, 331, 40, dims[d], by_angle ? 0 : 20, size);
                struct rows narrower = { x.at, x.count, dims[d] - (dims[d] > 9 && c == 3), x.dim };
                const size_t bad = wrong(&kernels, narrower, counts[c], by_angle, 1 + (int)(c % 3));
                CHECK(bad == 0, "dim %zu, %zu centres, angle %d, size %g: %zu rows", dims[d], counts[c], by_angle,
                      (double)size, bad);
                free_rows(x);
            }
}

static void no_products(const int8_t *queries, size_t query_stride, size_t query_count, const int8_t *rows,
                        size_t stride, size_t count, size_t dim, int32_t *scores)
{
    (void)queries, (void)query_stride, (void)rows, (void)stride;
    for (size_t i = 0; i < query_count * count; i++) scores[i] = (int32_t)(dim * (i % count) * 400);
}

static void a_wrong_product_is_caught(void)
{
    struct kernel_set kernels = kernels_of(NULL);
    struct kernel planted = *kernels.of[OP_tile_i8];
    struct rows x = gathered(77, 300, 40, 64, 0, 1);
    planted.fn.tile_i8 = no_products;
    kernels.of[OP_tile_i8] = &planted;
    CHECK(wrong(&kernels, x, 37, 1, 1) > 100, "products that are none change nothing");
    free_rows(x);
}

/* Each round, what is lost falls, and no list is empty. */
static void loss_falls(void)
{
    enum { N = 1500, D = 24, C = 30 };
    const struct kernel_set kernels = kernels_of(NULL);
    struct rows x = gathered(5, N, C, D, 3, 1);
    struct err e = { 0 };
    struct kmeans m;
    uint32_t nearest[N];
    double before = INFINITY;
    CHECK(kmeans_train(&m, x, N, C, 0, 1, 9, 1, &kernels, &e) == ERR_OK, "%s", e.text);
    for (int round = 0; round < 6; round++) {
        double loss = 0;
        CHECK(kmeans_assign(&m, x, nearest, 1, &e) == ERR_OK, "%s", e.text);
        for (size_t i = 0; i < N * D; i++) loss += pow((double)(x.at[i] - m.centres[nearest[i / D] * D + i % D]), 2);
        CHECK(loss <= before * 1.000001, "round %d: %g after %g", round, loss, before);
        before = loss;
        CHECK(kmeans_refine(&m, x, nearest, 3, 1, &e) == ERR_OK, "%s", e.text);
    }
    kmeans_fini(&m);
    free_rows(x);
}

static uint64_t trained(const char *spec, int threads, int by_angle, struct rows x)
{
    const struct kernel_set kernels = kernels_of(spec);
    struct err e = { 0 };
    struct kmeans m;
    uint64_t hash = 14695981039346656037u;
    CHECK(kmeans_train(&m, x, 2000, 50, by_angle, 5, 11, threads, &kernels, &e) == ERR_OK, "%s", e.text);
    for (size_t i = 0; i < m.count * m.dim; i++) {
        uint32_t word;
        memcpy(&word, m.centres + i, sizeof word);
        hash = (hash ^ word) * 1099511628211u;
    }
    kmeans_fini(&m);
    return hash;
}

/* Recorded: every machine, by the canonical order of dot_f32, and any number of threads. */
static void same_everywhere(void)
{
    static const uint64_t recorded[2] = { 0xa2dee94ea9dcd1, 0x223870a0ab92b9bd };
    struct rows x = gathered(13, 2300, 45, 100, 0, 1);
    for (int by_angle = 0; by_angle < 2; by_angle++) {
        for (int isa = 0; isa < ISA_COUNT; isa++) {
            const char *name = isa_name((enum isa)isa);
            struct kernel_set set;
            struct err e = { 0 };
            if (isa == ISA_scalar || kernel_set_resolve(&set, name, &e) != ERR_OK) continue;
            const uint64_t got = trained(name, 1 + isa % 3, by_angle, x);
            CHECK(got == recorded[by_angle], "%s: %#llx", name, (unsigned long long)got);
        }
        const uint64_t got = trained(NULL, 2, by_angle, x);
        const struct kernel_set best = kernels_of(NULL);
        if (best.of[OP_dot_f32]->isa != ISA_scalar)
            CHECK(got == recorded[by_angle], "two threads: %#llx", (unsigned long long)got);
    }
    free_rows(x);
}

int main(void)
{
    test_case("k-means: the nearest centre is the one by floats", nearest_is_exact);
    test_case("k-means: a wrong product of bytes is caught", a_wrong_product_is_caught);
    test_case("k-means: what is lost falls", loss_falls);
    test_case("k-means: the same centres on every machine", same_everywhere);
    return test_end();
}
