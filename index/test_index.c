/* SPDX-License-Identifier: MIT
 * test_index.c - the contract of index.h, held by every registered index. */
#include <errno.h>
#include <math.h>
#include <unistd.h>
#include "index/index.h"
#include "kernels/base/faults.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"
#include "kernels/base/topk.h"

/* Indexes that answer from a file or through a library have tests of their own. */
static int has_own_test(const char *name)
{
    static const char *const names[] = { "ids", "peer" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], name)) return 1;
    return 0;
}

/* Specs beside the default of each index. */
static const char *const more_specs[] = { "flat:type=f16",
                                          "flat:type=bf16",
                                          "turboquant:bits=1",
                                          "turboquant:bits=2,rotation=none,rounds=1",
                                          "turboquant:bits=4,estimator=mse",
                                          "turboquant:bits=8,query=f32",
                                          "turboquant:bits=5,rotation=dense",
                                          "turboquant:bits=1,estimator=prod",
                                          "turboquant:bits=3,estimator=prod,query=f32",
                                          "turboquant:bits=4,estimator=prod_orth",
                                          "turboquant:bits=6,estimator=prod_released",
                                          "turboquant:bits=7,rounds=3,layout=blocked",
                                          "turboquant:bits=2,layout=split,eps0=0.5",
                                          "turboquant:bits=8,estimator=mse,layout=split",
                                          "turboquant:bits=4,layout=blocked",
                                          "turboquant:bits=3,center=true,calibrate=true",
                                          "turboquant:bits=1,calibrate=true",
                                          "turboquant:bits=2,center=true,estimator=prod_orth",
                                          "turboquant:bits=8,center=true,layout=blocked",
                                          "sq:bits=4,center=true",
                                          "turboquant:bits=2,query=u8",
                                          "turboquant:bits=3,query=u8",
                                          "turboquant:bits=4,query=u8,estimator=prod_orth",
                                          "rabitq:bits=4,query=u8",
                                          "rabitq:bits=1",
                                          "rabitq:bits=8,layout=split",
                                          "rabitq:bits=3,fit=sweep,layout=blocked",
                                          "sq:bits=4",
                                          "pq:m=1,nbits=4,train=base",
                                          "pq:nbits=4",
                                          "pq:nbits=4,opq=true",
                                          "ivf:nlist=30,nprobe=5",
                                          "ivf:nlist=4,nprobe=9,inner=(flat)",
                                          "ivf:nlist=12,nprobe=12,residual=1,inner=(turboquant:bits=3)",
                                          "ivf:nlist=6,nprobe=6,residual=1,inner=(rabitq:bits=1)",
                                          "ivf:nlist=6,nprobe=6,inner=(pq:m=1,nbits=4)",
                                          "ivf:nlist=6,nprobe=6,inner=(flat:type=f16)",
                                          "ivf:nlist=5,nprobe=5,residual=1,inner=(sq:bits=8)",
                                          "sq:bits=1,rotation=fht",
                                          NULL };

static struct rows normal_rows(uint64_t seed, size_t count, size_t dim)
{
    struct rng r;
    rng_seed(&r, seed, 0);
    float *x = mem_alloc(count * dim, sizeof *x);
    rng_normal(&r, x, count * dim);
    return (struct rows){ x, count, dim, dim };
}

static void free_rows(struct rows r) { mem_free((void *)(uintptr_t)r.at); }

static struct index *make_on(int threads, const char *spec, size_t dim, enum metric metric)
{
    struct index *ix = NULL;
    struct err e = { 0 };
    const struct index_config c = { .dim = dim, .metric = metric, .seed = 42, .threads = threads };
    CHECK(index_create(&ix, spec, &c, &e) == ERR_OK, "%s: %s", spec, e.text);
    return ix;
}

static struct index *make(const char *spec, size_t dim, enum metric metric) { return make_on(1, spec, dim, metric); }

static void add_all(struct index *ix, struct rows rows, const int64_t *ids)
{
    struct err e = { 0 };
    CHECK(index_add(ix, rows, ids, &e) == ERR_OK, "%s", e.text);
}

struct found {
    struct hit *hits;
    size_t *counts;
};
static struct found ask(const struct index *ix, struct rows queries, size_t k, size_t batch, int threads)
{
    struct found f = { mem_zero(queries.count * k, sizeof *f.hits), mem_zero(queries.count, sizeof *f.counts) };
    struct err e = { 0 };
    CHECK(index_search(ix, queries, k, batch, threads, f.hits, f.counts, &e) == ERR_OK, "%s", e.text);
    return f;
}
static void free_found(struct found f)
{
    mem_free(f.hits);
    mem_free(f.counts);
}
static int same(struct found a, struct found b, size_t queries, size_t k)
{
    for (size_t q = 0; q < queries; q++) {
        if (a.counts[q] != b.counts[q]) return 0;
        for (size_t i = 0; i < a.counts[q]; i++) {
            const struct hit *x = &a.hits[q * k + i], *y = &b.hits[q * k + i];
            if (x->id != y->id || memcmp(&x->score, &y->score, 4) != 0) return 0;
        }
    }
    return 1;
}
/* Hits are in order, distinct and finite. */
static void check_sorted(struct found f, size_t queries, size_t k, const char *spec)
{
    for (size_t q = 0; q < queries; q++)
        for (size_t i = 0; i < f.counts[q]; i++) {
            const struct hit *h = &f.hits[q * k + i];
            CHECK(isfinite(h->score), "%s: query %zu place %zu", spec, q, i);
            CHECK(i == 0 || hit_before(h[-1], h[0]), "%s: query %zu place %zu", spec, q, i);
        }
}

typedef void each_fn(const char *spec, enum metric metric);
static each_fn *running;
static const char *only_spec;
/* Not every index has every metric, and a WORKER build lacks LAPACK. */
static void run_if_supported(const char *spec, enum metric metric)
{
    struct index *ix = NULL;
    struct err e = { 0 };
    const struct index_config c = { .dim = 3, .metric = metric, .threads = 1 };
    if (index_create(&ix, spec, &c, &e) == ERR_UNSUPPORTED) return;
    index_destroy(ix);
    running(spec, metric);
}
static void for_every_spec(void)
{
    for (int m = 0; m < METRIC_COUNT; m++) {
        for (size_t i = 0; index_at(i); i++)
            if (!has_own_test(index_at(i)->name)) run_if_supported(index_at(i)->name, (enum metric)m);
        for (size_t i = 0; more_specs[i]; i++) run_if_supported(more_specs[i], (enum metric)m);
    }
}
static void contract(const char *name, each_fn *fn)
{
    running = fn;
    if (only_spec)
        for (int m = 0; m < METRIC_COUNT; m++) run_if_supported(only_spec, (enum metric)m);
    else test_case(name, for_every_spec);
}

static void empty_and_k(const char *spec, enum metric metric)
{
    enum { D = 20, K = 60 };
    struct index *ix = make(spec, D, metric);
    struct rows q = normal_rows(1, 2, D), x = normal_rows(2, 33, D);
    struct found f = ask(ix, q, K, 1, 1);
    CHECK(f.counts[0] == 0 && f.counts[1] == 0, "%s: an empty index has no answers", spec);
    free_found(f);
    for (size_t n = 1, had = 0; n <= 33; had = n, n = n == 1 ? 31 : n == 31 ? 32 : n + 1) {
        add_all(ix, (struct rows){ rows_at(x, had), n - had, D, D }, NULL);
        f = ask(ix, q, K, 2, 1);
        CHECK(f.counts[0] == n && f.counts[1] == n, "%s: %zu of %zu rows", spec, f.counts[0], n);
        check_sorted(f, 2, K, spec);
        free_found(f);
    }
    free_rows(q);
    free_rows(x);
    index_destroy(ix);
}

/* Equal vectors have equal scores: the lower ids come first. */
static void ties(const char *spec, enum metric metric)
{
    enum { D = 33, N = 50, K = 20 };
    struct index *ix = make(spec, D, metric);
    struct rows one = normal_rows(3, 1, D), q = normal_rows(4, 1, D);
    const struct rows copies = { one.at, N, D, 0 };
    int64_t ids[N];
    for (int i = 0; i < N; i++) ids[i] = 1000 - 7 * i;
    add_all(ix, copies, ids);
    struct found f = ask(ix, q, K, 1, 1);
    for (int i = 0; i < K; i++)
        CHECK(f.hits[i].id == 1000 - 7 * (N - 1 - i) && f.hits[i].score == f.hits[0].score,
              "%s: place %d is %lld", spec, i, (long long)f.hits[i].id);
    free_found(f);
    free_rows(one);
    free_rows(q);
    index_destroy(ix);
}

/* Threads, batches and the order of adding change nothing. */
static void order_is_free(const char *spec, enum metric metric)
{
    enum { D = 65, N = 300, Q = 21, K = 10 };
    struct rows x = normal_rows(5, N, D), q = normal_rows(6, Q, D);
    struct index *a = make(spec, D, metric), *b = make(spec, D, metric);
    struct err e = { 0 };
    CHECK(index_train(a, x, &e) == ERR_OK && index_train(b, x, &e) == ERR_OK, "%s: %s", spec, e.text);
    add_all(a, x, NULL);
    struct rng r;
    uint32_t order[N];
    rng_seed(&r, 7, 0);
    rng_shuffle(&r, order, N);
    for (size_t i = 0; i < N; i++) {
        const int64_t id = order[i];
        add_all(b, (struct rows){ rows_at(x, order[i]), 1, D, D }, &id);
    }
    struct index *built = NULL;
    const struct index_config many = { .dim = D, .metric = metric, .seed = 42, .threads = 3 };
    CHECK(index_create(&built, spec, &many, &e) == ERR_OK && index_train(built, x, &e) == ERR_OK, "%s", e.text);
    add_all(built, x, NULL);
    struct found together = ask(built, q, K, Q, 1);
    struct found f = ask(a, q, K, Q, 1), one = ask(a, q, K, 1, 1), three = ask(a, q, K, 4, 3),
                 shuffled = ask(b, q, K, 5, 2);
    CHECK(same(f, one, Q, K), "%s: batch 1 differs from batch %d", spec, Q);
    CHECK(same(f, three, Q, K), "%s: three threads differ from one", spec);
    CHECK(same(f, shuffled, Q, K), "%s: another order of adding differs", spec);
    CHECK(same(f, together, Q, K), "%s: built on three threads it differs", spec);
    free_found(together);
    index_destroy(built);
    free_found(f), free_found(one), free_found(three), free_found(shuffled);
    free_rows(x), free_rows(q);
    index_destroy(a), index_destroy(b);
}

/* Training and adding on three threads gives what one gives: every score of every row. */
static void building_threads_are_free(const char *spec, enum metric metric)
{
    enum { D = 65, N = 300, Q = 3 };
    struct rows x = normal_rows(5, N, D), q = normal_rows(6, Q, D);
    const struct rows first = { x.at, 37, D, D }, rest = { rows_at(x, 37), N - 37, D, D }; /* from within a block */
    struct found found[2];
    for (int i = 0; i < 2; i++) {
        struct index *ix = make_on(1 + 2 * i, spec, D, metric);
        struct err e = { 0 };
        CHECK(index_train(ix, x, &e) == ERR_OK, "%s: %s", spec, e.text);
        add_all(ix, first, NULL);
        add_all(ix, rest, NULL);
        found[i] = ask(ix, q, N, Q, 1);
        index_destroy(ix);
    }
    CHECK(same(found[0], found[1], Q, N), "%s: built on three threads differs from on one", spec);
    free_found(found[0]), free_found(found[1]);
    free_rows(x), free_rows(q);
}

/* Default kernels of every instruction set with fused multiply-add give the same bits (in the canonical
 * order), from encoding to the last score; scalar code may differ within its bound. */
static void kernels_agree(const char *spec, enum metric metric)
{
    enum { D = 100, N = 300, Q = 7, K = 10 };
    struct rows x = normal_rows(70, N, D), q = normal_rows(71, Q, D);
    struct index *best = make(spec, D, metric);
    add_all(best, x, NULL);
    struct found f = ask(best, q, K, Q, 1);
    for (int isa = ISA_scalar + 1; isa < ISA_COUNT; isa++) {
        struct kernel_set kernels;
        struct index *ix = NULL;
        struct err e = { 0 };
        if (kernel_set_resolve(&kernels, isa_name((enum isa)isa), &e) != ERR_OK) continue;
        const struct index_config c = { .dim = D, .metric = metric, .seed = 42, .threads = 1, .kernels = &kernels };
        CHECK(index_create(&ix, spec, &c, &e) == ERR_OK, "%s", e.text);
        add_all(ix, x, NULL);
        struct found g = ask(ix, q, K, Q, 1);
        CHECK(same(f, g, Q, K), "%s: kernels of %s find something else", spec, isa_name((enum isa)isa));
        free_found(g);
        index_destroy(ix);
    }
    free_found(f);
    free_rows(x), free_rows(q);
    index_destroy(best);
}

/* Removing leaves exactly what adding the rest alone would have made. */
static void removes(const char *spec, enum metric metric)
{
    enum { D = 40, N = 120, Q = 5, K = 15 };
    struct rows x = normal_rows(8, N, D), q = normal_rows(9, Q, D);
    struct index *a = make(spec, D, metric), *b = make(spec, D, metric);
    struct err e = { 0 };
    CHECK(index_train(a, x, &e) == ERR_OK && index_train(b, x, &e) == ERR_OK, "%s: %s", spec, e.text);
    if (!a->ops->remove) goto out;
    add_all(a, x, NULL);
    for (int64_t id = 0; id < N; id++) {
        if (id % 3 == 0) CHECK(index_remove(a, id, &e) == ERR_OK, "%s: %s", spec, e.text);
        else add_all(b, (struct rows){ rows_at(x, (size_t)id), 1, D, D }, &id);
    }
    CHECK(index_remove(a, 0, &e) == ERR_NOT_FOUND && strstr(e.text, "0"), "%s: removed twice", spec);
    CHECK(index_replace(a, 1, rows_at(x, 0), &e) == ERR_OK, "%s: %s", spec, e.text);
    CHECK(index_replace(b, 1, rows_at(x, 0), &e) == ERR_OK, "%s: %s", spec, e.text);
    struct found f = ask(a, q, K, 1, 1), g = ask(b, q, K, 1, 1);
    CHECK(same(f, g, Q, K), "%s: after removing a third", spec);
    free_found(f), free_found(g);
out:
    free_rows(x), free_rows(q);
    index_destroy(a), index_destroy(b);
}

static void saves(const char *spec, enum metric metric)
{
    enum { D = 37, N = 90, Q = 6, K = 12 };
    struct rows x = normal_rows(10, N, D), q = normal_rows(11, Q, D);
    struct index *a = make(spec, D, metric), *b = NULL;
    char path[64];
    snprintf(path, sizeof path, "/tmp/assay_test_index_%ld", (long)getpid());
    struct err e = { 0 };
    if (!a->ops->save) goto out;
    int64_t ids[N];
    for (int i = 0; i < N; i++) ids[i] = (int64_t)i * i - 500;
    add_all(a, x, ids);
    uint64_t fingerprint = 0;
    CHECK(index_save(a, path, 77, &e) == ERR_OK, "%s: %s", spec, e.text);
    CHECK(index_load(&b, path, NULL, &fingerprint, &e) == ERR_OK, "%s: %s", spec, e.text);
    if (!b) goto out;
    CHECK(fingerprint == 77, "%s", spec);
    struct text sa = { 0 }, sb = { 0 };
    index_spec(a, &sa), index_spec(b, &sb);
    CHECK(!strcmp(text_of(&sa), text_of(&sb)), "%s against %s", text_of(&sa), text_of(&sb));
    text_free(&sa), text_free(&sb);
    struct found f = ask(a, q, K, 1, 1), g = ask(b, q, K, 1, 1);
    CHECK(same(f, g, Q, K), "%s: loaded differs", spec);
    free_found(f), free_found(g);
    /* What was loaded can go on growing. */
    const int64_t more = 123456;
    add_all(a, (struct rows){ q.at, 1, D, D }, &more), add_all(b, (struct rows){ q.at, 1, D, D }, &more);
    f = ask(a, q, K, 1, 1), g = ask(b, q, K, 1, 1);
    CHECK(same(f, g, Q, K), "%s: loaded and grown differs", spec);
    free_found(f), free_found(g);
out:
    unlink(path);
    free_rows(x), free_rows(q);
    index_destroy(a), index_destroy(b);
}

static size_t file_of(const struct index *ix, unsigned char *bytes, size_t room)
{
    char path[64];
    struct err e = { 0 };
    snprintf(path, sizeof path, "/tmp/assay_test_index_%ld", (long)getpid());
    CHECK(index_save(ix, path, 1, &e) == ERR_OK, "%s", e.text);
    FILE *f = fopen(path, "rb");
    const size_t size = f ? fread(bytes, 1, room, f) : 0;
    if (f) fclose(f);
    unlink(path);
    return size;
}

/* Rows that came and went, or were refused, are in no byte of the file. */
static void files_have_no_history(const char *spec, enum metric metric)
{
    enum { D = 20, N = 45, ROOM = 1 << 20 };
    struct rows x = normal_rows(13, N, D), more = normal_rows(14, 3, D);
    struct index *a = make(spec, D, metric), *b = make(spec, D, metric);
    struct err e = { 0 };
    unsigned char *one = mem_alloc(ROOM, 1), *two = mem_alloc(ROOM, 1);
    const int64_t ids[3] = { N, N + 1, N }, last = N - 1;
    add_all(a, x, NULL), add_all(b, x, NULL);
    if (!a->ops->save || !a->ops->remove) goto out;
    CHECK(index_add(b, more, ids, &e) == ERR_ARG, "%s: %s", spec, e.text);
    CHECK(index_remove(b, last, &e) == ERR_OK, "%s: %s", spec, e.text);
    add_all(b, (struct rows){ rows_at(x, N - 1), 1, D, D }, &last);
    CHECK(index_replace(b, 7, more.at, &e) == ERR_OK, "%s: %s", spec, e.text);
    CHECK(index_replace(b, 7, rows_at(x, 7), &e) == ERR_OK, "%s: %s", spec, e.text);
    CHECK(index_remove(b, last, &e) == ERR_OK && index_remove(a, last, &e) == ERR_OK, "%s: %s", spec, e.text);
    const int is_ivf = strncmp(spec, "ivf", 3) == 0; /* rows change their places when they change lists */
    const size_t size = file_of(a, one, ROOM), again = file_of(b, two, ROOM);
    CHECK(size < ROOM && size == again, "%s: %zu bytes, and %zu", spec, size, again);
    if (!is_ivf) CHECK(size == again && memcmp(one, two, size) == 0, "%s: its file tells what was there", spec);
out:
    mem_free(one), mem_free(two);
    free_rows(x), free_rows(more);
    index_destroy(a), index_destroy(b);
}

/* The engine, pq, residuals and centred rows give a zero vector codes like any other. */
static int has_zero(const char *spec, enum metric metric)
{
    return metric != METRIC_L2 && strcmp(spec, "upstream") != 0 && !strstr(spec, "pq") &&
           !strstr(spec, "residual=1") && !strstr(spec, "center=true");
}

/* Draws or learns a matrix of dim x dim: minutes at 4096. */
static int is_cubic(const char *spec)
{
    return strstr(spec, "dense") || strstr(spec, "estimator=prod") || strstr(spec, "opq") || !strcmp(spec, "upstream");
}

/* What data may look like: heavy tails, mostly zeros, rows many times over, one row that dwarfs all, a few values. */
static void fill_rows(struct rows rows, int kind, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed, 1);
    float *x = (float *)(uintptr_t)rows.at;
    for (size_t i = 0; i < rows.count * rows.dim; i++) {
        float three[3];
        rng_normal(&r, three, 3);
        const float spread = sqrtf((three[0] * three[0] + three[1] * three[1] + three[2] * three[2]) / 3);
        if (kind == 0) x[i] /= spread; /* Student's t, 3 degrees of freedom */
        if (kind == 1 && rng_below(&r, 20)) x[i] = 0;
        if (kind == 2) x[i] = x[i % (7 * rows.dim)];
        if (kind == 3 && i / rows.dim == 5) x[i] *= 1e4f;
        if (kind == 4) x[i] = (float)(rng_below(&r, 3)) - 1;
    }
}

/* Hard data changes none of the promises; and what has bits enough finds on it what there is. */
static void hard_data(const char *spec, enum metric metric)
{
    enum { D = 48, N = 150, Q = 6, K = 10, KINDS = 5 };
    static const char *const kinds[KINDS] = { "Student-t3", "sparse", "duplicates", "outlier", "three values" };
    const int is_fine = strcmp(spec, "flat") == 0 || strcmp(spec, "turboquant:bits=8,query=f32") == 0;
    for (int kind = 0; kind < KINDS; kind++) {
        struct rows x = normal_rows(110, N, D), q = normal_rows(111, Q, D);
        fill_rows(x, kind, 1), fill_rows(q, kind == 3 ? -1 : kind, 2);
        struct index *ix = make(spec, D, metric), *exact = make("flat", D, metric);
        struct err e = { 0 };
        add_all(ix, x, NULL), add_all(exact, x, NULL);
        if (ix->ops->remove)
            for (int64_t id = 0; id < N; id += 10) { /* out, and in again */
                CHECK(index_replace(ix, id, rows_at(x, (size_t)id), &e) == ERR_OK, "%s: %s", spec, e.text);
            }
        struct found f = ask(ix, q, K, Q, 1), one = ask(ix, q, K, 1, 3), truth = ask(exact, q, K, Q, 1);
        check_sorted(f, Q, K, spec);
        CHECK(same(f, one, Q, K), "%s, %s: batches and threads differ", spec, kinds[kind]);
        for (size_t i = 0; i < Q; i++) {
            /* The best score found is the best there is, whichever of equal rows has it. */
            const double best = (double)truth.hits[i * K].score, got = (double)f.hits[i * K].score;
            CHECK(isfinite(got), "%s, %s: score %g", spec, kinds[kind], got);
            if (is_fine && kind != 3)
                CHECK(fabs(got - best) <= 0.02 * (fabs(best) + 1), "%s, %s: best %g, not %g", spec, kinds[kind], got,
                      best);
        }
        free_found(f), free_found(one), free_found(truth);
        free_rows(x), free_rows(q);
        index_destroy(ix), index_destroy(exact);
    }
}

static void odd_dimensions(const char *spec, enum metric metric)
{
    static const size_t dims[] = { 1, 2, 3, 63, 65, 100, 200, 1000, 3072, 4096 };
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
        enum { N = 40, K = 5 };
        const size_t dim = dims[d];
        if (dim > 1000 && is_cubic(spec)) break;
        struct rows x = normal_rows(12 + d, N, dim), q = normal_rows(30 + d, 2, dim);
        float *at = (float *)(uintptr_t)x.at;
        memset(at, 0, dim * sizeof *at); /* row 0 is zero; norms of the others span six decades */
        for (size_t r = 1; r < N; r++)
            for (size_t i = 0; i < dim; i++) at[r * dim + i] *= powf(10, (float)(r % 7) - 3);
        struct index *ix = make(spec, dim, metric);
        add_all(ix, x, NULL);
        struct found f = ask(ix, q, N, 2, 1);
        check_sorted(f, 2, N, spec);
        for (size_t i = 0; i < f.counts[0]; i++)
            if (f.hits[i].id == 0 && has_zero(spec, metric))
                CHECK(f.hits[i].score == 0, "%s: dim %zu: a zero vector scores %g", spec, dim, (double)f.hits[i].score);
        free_found(f);
        float *zero = mem_zero(dim, sizeof *zero);
        f = ask(ix, (struct rows){ zero, 1, dim, dim }, N, 1, 1);
        check_sorted(f, 1, N, spec);
        if (has_zero(spec, metric))
            for (size_t i = 0; i < f.counts[0]; i++) CHECK(f.hits[i].score == 0, "%s: zero query, dim %zu", spec, dim);
        free_found(f);
        mem_free(zero);
        free_rows(x), free_rows(q);
        index_destroy(ix);
    }
}

static void refuses(const char *spec, enum metric metric)
{
    enum { D = 9, N = 5 };
    struct rows x = normal_rows(50, N, D);
    float *at = (float *)(uintptr_t)x.at;
    struct index *ix = make(spec, D, metric);
    struct err e = { 0 };
    add_all(ix, x, NULL);
    static const float bad[] = { NAN, INFINITY, -INFINITY };
    for (int i = 0; i < 3; i++) {
        at[3 * D + 4] = bad[i];
        CHECK(index_add(ix, x, NULL, &e) == ERR_ARG && strstr(e.text, "row 3, column 4"), "%s: %s", spec, e.text);
        CHECK(index_check_queries(ix, x, 1, &e) == ERR_ARG && strstr(e.text, "query 3, column 4"),
              "%s: %s", spec, e.text);
    }
    at[3 * D + 4] = 1e30f;
    CHECK(index_add(ix, x, NULL, &e) == ERR_ARG && strstr(e.text, "row 3"), "%s: %s", spec, e.text);
    at[3 * D + 4] = 1;
    const struct rows narrow = { x.at, 1, D - 1, D };
    CHECK(index_add(ix, narrow, NULL, &e) == ERR_ARG && strstr(e.text, "8 dim"), "%s: %s", spec, e.text);
    CHECK(index_check_queries(ix, narrow, 1, &e) == ERR_ARG, "%s", spec);
    CHECK(index_check_queries(ix, x, 0, &e) == ERR_ARG && strstr(e.text, "k=0"), "%s: %s", spec, e.text);
    const int64_t twice[N] = { 10, 11, 12, 11, 13 }, used[N] = { 20, 21, 2, 22, 23 };
    CHECK(index_add(ix, x, twice, &e) == ERR_ARG && strstr(e.text, "11"), "%s: %s", spec, e.text);
    CHECK(index_add(ix, x, used, &e) == ERR_ARG && strstr(e.text, "id 2"), "%s: %s", spec, e.text);
    struct index_stats s;
    ix->ops->stats(ix, &s);
    CHECK(s.rows == N, "%s: a refused add left %llu rows", spec, (unsigned long long)s.rows);
    struct found f = ask(ix, x, N, 1, 1);
    CHECK(f.counts[0] == N, "%s: %zu answers", spec, f.counts[0]);
    free_found(f);
    free_rows(x);
    index_destroy(ix);
}

/* Any allocation of an add, or of training, may fail: an error, and the index as it was, which has learnt nothing from
 * rows that it did not take. */
static void survives_no_memory(const char *spec, enum metric metric)
{
    enum { D = 24, N = 40, MOST = 5000 };
    enum { EMPTY, TRAINS, HAS_ROWS, STARTS };
    struct rows x = normal_rows(60, N, D), others = normal_rows(62, N, D);
    const struct rows half = { x.at, 20, D, D }, rest = { rows_at(x, 20), 20, D, D };
    int64_t ids[N];
    for (int i = 0; i < N; i++) ids[i] = 100 + i;
    struct err e = { 0 };
    struct index *model = make(spec, D, metric);
    add_all(model, half, NULL), add_all(model, rest, ids);
    struct found wanted = ask(model, others, N, 2, 1);
    for (int start = EMPTY; start < STARTS; start++) {
        int status = ERR_MEM;
        for (long n = 1; status == ERR_MEM && n < MOST; n += 1 + n / 16) { /* opq makes a thousand */
            struct index *ix = make(spec, D, metric);
            struct index_stats s;
            if (start == HAS_ROWS) add_all(ix, half, NULL);
            fault_after(FAULT_MEMORY, n, ENOMEM);
            status = start == TRAINS ? index_train(ix, others, &e) : index_add(ix, others, ids, &e);
            fault_after(FAULT_NONE, 0, 0);
            ix->ops->stats(ix, &s);
            const size_t had = start == HAS_ROWS ? 20 : 0, added = status == ERR_OK && start != TRAINS ? N : 0;
            CHECK(s.rows == had + added, "%s: allocation %ld: %d, %llu rows", spec, n, status,
                  (unsigned long long)s.rows);
            if (status == ERR_MEM) {
                if (start != HAS_ROWS) add_all(ix, half, NULL);
                add_all(ix, rest, ids);
                struct found f = ask(ix, others, N, 2, 1);
                CHECK(same(f, wanted, N, N), "%s: failed allocation %ld of start %d left a trace", spec, n, start);
                free_found(f);
            }
            index_destroy(ix);
        }
        CHECK(status == ERR_OK, "%s: start %d: %d %s", spec, start, status, e.text);
    }
    free_found(wanted);
    index_destroy(model);
    free_rows(x), free_rows(others);
}

/* What was learnt before, or refused, or from no rows, leaves no trace in what is learnt now. */
static void learns_anew(const char *spec, enum metric metric)
{
    enum { D = 20, N = 80, Q = 5, K = 10 };
    struct rows x = normal_rows(63, N, D), others = normal_rows(64, N, D);
    const struct rows q = { others.at, Q, D, D };
    struct err e = { 0 };
    struct index *once = make(spec, D, metric), *again = make(spec, D, metric), *refused = make(spec, D, metric);
    int64_t twice[N] = { 0 };
    add_all(once, x, NULL);
    CHECK(index_train(refused, (struct rows){ x.at, 0, D, D }, &e) == ERR_OK, "%s: %s", spec, e.text);
    CHECK(index_add(refused, others, twice, &e) == ERR_ARG && strstr(e.text, "id 0"), "%s: %s", spec, e.text);
    add_all(refused, x, NULL);
    CHECK(index_train(again, others, &e) == ERR_OK && index_train(again, x, &e) == ERR_OK, "%s: %s", spec, e.text);
    add_all(again, x, NULL);
    struct found f = ask(once, q, K, Q, 1), g = ask(refused, q, K, Q, 1), h = ask(again, q, K, Q, 1);
    CHECK(same(f, g, Q, K), "%s: rows that were refused have left a trace", spec);
    CHECK(same(f, h, Q, K), "%s: trained twice it differs", spec);
    free_found(f), free_found(g), free_found(h);
    free_rows(x), free_rows(others);
    index_destroy(once), index_destroy(again), index_destroy(refused);
}

/* A row that cannot be replaced is still the old one: refused by its values, or for want of memory. */
static void replaces_or_keeps(const char *spec, enum metric metric)
{
    enum { D = 24, N = 40 };
    struct rows x = normal_rows(60, N, D), q = normal_rows(61, 2, D);
    struct index *ix = make(spec, D, metric);
    struct err e = { 0 };
    add_all(ix, x, NULL);
    struct found before = ask(ix, q, N, 2, 1);
    float large[D] = { 65520 };
    int status = index_replace(ix, 7, large, &e);
    CHECK(status == ERR_OK || status == ERR_ARG, "%s: %s", spec, e.text);
    if (status == ERR_OK) CHECK(index_replace(ix, 7, rows_at(x, 7), &e) == ERR_OK, "%s: %s", spec, e.text);
    CHECK(index_replace(ix, N, rows_at(x, 7), &e) == ERR_NOT_FOUND && strstr(e.text, "40"), "%s: %s", spec, e.text);
    long n = 1;
    for (status = ERR_MEM; status == ERR_MEM && n < 1000; n++) {
        struct found after = ask(ix, q, N, 2, 1);
        CHECK(same(before, after, 2, N), "%s: a failed replacement changed the index (allocation %ld)", spec, n);
        free_found(after);
        fault_after(FAULT_MEMORY, n, ENOMEM);
        status = index_replace(ix, 7, rows_at(x, 30), &e);
        fault_after(FAULT_NONE, 0, 0);
    }
    CHECK(status == ERR_OK, "%s: %d after %ld allocations", spec, status, n);
    free_found(before);
    free_rows(x), free_rows(q);
    index_destroy(ix);
}

/* Through all of its lists ivf answers what the inner index answers alone, to the bit. */
static void ivf_is_its_inner(void)
{
    enum { D = 70, N = 900, Q = 12, K = 10 };
    static const char *const inners[] = { "flat",
                                          "turboquant:bits=1",
                                          "turboquant:bits=4",
                                          "turboquant:bits=3,layout=blocked",
                                          "rabitq:bits=8",
                                          "sq:bits=4",
                                          "pq:m=7",
                                          "pq:m=10,nbits=4",
                                          "turboquant:bits=2,estimator=prod_orth" };
    struct rows x = normal_rows(80, N, D), q = normal_rows(81, Q, D);
    for (size_t i = 0; i < sizeof inners / sizeof *inners; i++)
        for (int m = 0; m < METRIC_COUNT; m++) {
            char spec[128];
            snprintf(spec, sizeof spec, "ivf:nlist=16,nprobe=16,inner=(%s)", inners[i]);
            struct index *a = make(inners[i], D, (enum metric)m), *b = make(spec, D, (enum metric)m);
            add_all(a, x, NULL), add_all(b, x, NULL);
            struct found f = ask(a, q, K, 4, 1), g = ask(b, q, K, 4, 2);
            CHECK(same(f, g, Q, K), "%s, %s", spec, metric_name((enum metric)m));
            free_found(f), free_found(g);
            index_destroy(a), index_destroy(b);
        }
    free_rows(x), free_rows(q);
}

/* Through all lists of residuals of 8 bits: exact scores but for what 8 bits lose, and the rows themselves back. */
static void ivf_residuals(void)
{
    enum { D = 96, N = 800, Q = 15, K = 10 };
    static const char *const inners[] = { "turboquant:bits=8,eps0=5", "turboquant:bits=8,layout=blocked",
                                          "rabitq:bits=8,eps0=5", "sq:bits=8", "flat" };
    struct rows x = normal_rows(90, N, D), q = normal_rows(91, Q, D);
    struct err e = { 0 };
    float *centred = (float *)(uintptr_t)x.at, back[D];
    for (size_t i = 0; i < N * D; i++) /* four heaps */
        if (i % D % 4 == i / D % 4) centred[i] += (float)(i / D % 4 + 1);
    for (size_t i = 0; i < sizeof inners / sizeof *inners; i++)
        for (int m = 0; m < METRIC_COUNT; m++) {
            char spec[128];
            struct index *exact = make("flat", D, (enum metric)m), *ix = NULL;
            const struct index_config c = { .dim = D, .metric = (enum metric)m, .seed = 42, .threads = 1 };
            snprintf(spec, sizeof spec, "ivf:nlist=8,nprobe=8,residual=1,inner=(%s)", inners[i]);
            const int status = index_create(&ix, spec, &c, &e), is_flat = strcmp(inners[i], "flat") == 0;
            if (is_flat && m == METRIC_DOT) {
                CHECK(status == ERR_ARG && strstr(e.text, "residual=1"), "%s: %s", spec, e.text);
                index_destroy(exact);
                continue;
            }
            CHECK(status == ERR_OK, "%s: %s", spec, e.text);
            add_all(exact, x, NULL), add_all(ix, x, NULL);
            struct found f = ask(exact, q, K, 1, 1), g = ask(ix, q, K, 4, 2);
            int common = 0;
            float worst = 0;
            const float scale = m == METRIC_COSINE ? 1 : m == METRIC_DOT ? D : 4 * D;
            for (size_t query = 0; query < Q; query++)
                for (size_t a = 0; a < K; a++)
                    for (size_t b = 0; b < K; b++) {
                        const struct hit *h = &f.hits[query * K + a], *got = &g.hits[query * K + b];
                        if (h->id != got->id) continue;
                        common++;
                        worst = fmaxf(worst, fabsf(h->score - got->score) / scale);
                    }
            CHECK(common >= Q * K * 9 / 10 && worst < (is_flat ? 1e-6f : 0.01f), "%s, %s: %d of %d common, off by %g",
                  spec, metric_name((enum metric)m), common, Q * K, (double)worst);
            CHECK(index_decode(ix, 5, back, &e) == ERR_OK, "%s", e.text);
            double length = 0, off = 0;
            for (size_t j = 0; j < D; j++) length += (double)x.at[5 * D + j] * (double)x.at[5 * D + j];
            for (size_t j = 0; j < D; j++) {
                const double wanted = (double)x.at[5 * D + j] / (m == METRIC_COSINE ? sqrt(length) : 1);
                off += (wanted - (double)back[j]) * (wanted - (double)back[j]);
            }
            CHECK(off < 1e-3 * (m == METRIC_COSINE ? 1 : length), "%s, %s: decoded off by %g", spec,
                  metric_name((enum metric)m), off);
            free_found(f), free_found(g);
            index_destroy(exact), index_destroy(ix);
        }
    free_rows(x), free_rows(q);
}

/* Far from the origin by l2: a row asked for is in the one list that its query goes through, but at a rim. */
static void ivf_far_away(void)
{
    enum { D = 32, N = 400 };
    struct rows x = normal_rows(101, N, D);
    float *rows = (float *)(uintptr_t)x.at;
    for (size_t i = 0; i < N * D; i++) rows[i] += 300;
    struct index *ix = make("ivf:nlist=16,nprobe=1,inner=(flat)", D, METRIC_L2);
    add_all(ix, x, NULL);
    struct found f = ask(ix, x, 1, 1, 1);
    size_t own = 0;
    for (size_t i = 0; i < N; i++) own += f.counts[i] == 1 && f.hits[i].id == (int64_t)i && f.hits[i].score == 0;
    CHECK(own >= N * 95 / 100, "%zu of %d rows found", own, N);
    free_found(f);
    index_destroy(ix);
    free_rows(x);
}

/* Rows of half the bytes lose what rounding loses, a relative 2^-11 and 2^-8, and nothing else. */
static void flat_types(void)
{
    enum { D = 200, N = 400, Q = 9, K = 10 };
    static const struct { const char *spec; float unit; size_t bytes; } types[] = {
        { "flat", 0x1p-22f, 4 }, { "flat:type=f16", 0x1p-11f, 2 }, { "flat:type=bf16", 0x1p-8f, 2 } };
    struct rows x = normal_rows(95, N, D), q = normal_rows(96, Q, D);
    struct err e = { 0 };
    for (size_t i = 0; i < 3; i++)
        for (int m = 0; m < METRIC_COUNT; m++) {
            struct index *exact = make("flat", D, (enum metric)m), *ix = make(types[i].spec, D, (enum metric)m);
            add_all(exact, x, NULL), add_all(ix, x, NULL);
            struct found f = ask(exact, q, N, 1, 1), g = ask(ix, q, N, 4, 2);
            float by_id[N];
            for (size_t query = 0; query < Q; query++) {
                for (size_t r = 0; r < N; r++) by_id[f.hits[query * N + r].id] = f.hits[query * N + r].score;
                for (size_t r = 0; r < N; r++) {
                    const struct hit *h = &g.hits[query * N + r];
                    /* sum |q_i x_i| <= |q| |x|, and two such by l2 */
                    const float size = m == METRIC_COSINE ? 1 : m == METRIC_DOT ? 2 * D : 5 * D,
                                off = fabsf(h->score - by_id[h->id]);
                    CHECK(off <= types[i].unit * size, "%s, %s: off by %g", types[i].spec,
                          metric_name((enum metric)m), (double)off);
                }
            }
            struct index_stats s;
            ix->ops->stats(ix, &s);
            CHECK(s.code_bytes == N * D * types[i].bytes && s.side_bytes == (m == METRIC_COSINE || (m == METRIC_L2 && i == 0) ? N * 4 : 0),
                  "%s: %llu and %llu bytes", types[i].spec, (unsigned long long)s.code_bytes,
                  (unsigned long long)s.side_bytes);
            free_found(f), free_found(g);
            index_destroy(exact), index_destroy(ix);
        }
    struct index *ix = make("flat:type=f16", D, METRIC_DOT), *unit = make("flat:type=f16", D, METRIC_COSINE);
    ((float *)(uintptr_t)x.at)[3 * D + 7] = 65520;
    CHECK(index_add(ix, x, NULL, &e) == ERR_ARG && strstr(e.text, "row 3, column 7"), "%s", e.text);
    CHECK(index_add(unit, x, NULL, &e) == ERR_OK, "%s", e.text);
    index_destroy(ix), index_destroy(unit);
    free_rows(x), free_rows(q);
}

/* Rows far from the origin and near to each other: |x|^2 dwarfs what is asked for. */
static void flat_far_away(void)
{
    enum { D = 70, N = 500, Q = 50, K = 10 };
    static const char *const specs[] = { "flat", "flat:type=f16", "flat:type=bf16" };
    struct rows x = normal_rows(99, N, D), q = normal_rows(100, Q, D);
    float *rows = (float *)(uintptr_t)x.at, *queries = (float *)(uintptr_t)q.at;
    for (size_t i = 0; i < N * D; i++) rows[i] = roundf(4 * rows[i]) + 128; /* such as bf16 holds, some of them */
    for (size_t i = 0; i < Q * D; i++) queries[i] = 4 * queries[i] + 128;
    for (size_t s = 0; s < sizeof specs / sizeof *specs; s++) {
        struct index *ix = make(specs[s], D, METRIC_L2);
        add_all(ix, x, NULL);
        struct found f = ask(ix, q, N, 1, 1), g = ask(ix, q, K, Q, 1);
        for (size_t i = 0; i < Q; i++)
            for (size_t r = 0; r < N; r++) {
                const struct hit h = f.hits[i * N + r];
                float back[D];
                struct err e = { 0 };
                CHECK(index_decode(ix, h.id, back, &e) == ERR_OK, "%s", e.text);
                double apart = 0;
                for (size_t j = 0; j < D; j++) apart += pow((double)q.at[i * D + j] - (double)back[j], 2);
                CHECK(fabs(apart + (double)h.score) < 1e-5 * apart, "%s: %g, not %g", specs[s], (double)h.score, -apart);
                CHECK(r >= K || memcmp(&h, &g.hits[i * K + r], sizeof h) == 0, "%s: batches differ", specs[s]);
            }
        free_found(f), free_found(g);
        index_destroy(ix);
    }
    free_rows(x), free_rows(q);
}

/* Four numbers, each in every part: untold by a part's 4 bits, which must say all four; turned, a part says one. */
static void opq_turns_to_the_parts(void)
{
    enum { D = 16, N = 600 };
    struct rows noise = normal_rows(97, N, D), four = normal_rows(98, N, 4);
    struct err e = { 0 };
    float *x = (float *)(uintptr_t)noise.at, back[D];
    for (size_t i = 0; i < N * D; i++) x[i] = 0.05f * x[i] + four.at[i / D * 4 + i % 4];
    double lost[2] = { 0 };
    for (int turns = 0; turns < 2; turns++) {
        struct index *ix = make(turns ? "pq:nbits=4,opq=true" : "pq:nbits=4", D, METRIC_L2);
        add_all(ix, noise, NULL);
        for (size_t r = 0; r < N; r++) {
            CHECK(index_decode(ix, (int64_t)r, back, &e) == ERR_OK, "%s", e.text);
            for (size_t i = 0; i < D; i++) lost[turns] += pow((double)(back[i] - x[r * D + i]), 2) / N;
        }
        index_destroy(ix);
    }
    CHECK(lost[1] < lost[0] / 2, "lost %g, turned %g", lost[0], lost[1]);
    free_rows(noise), free_rows(four);
}

/* A query of 2^-110 the size has the same neighbours at 2^-110 the scores, which no byte of a table can tell apart. */
static void pq_tiny_scores(void)
{
    enum { D = 16, N = 600, K = 10 };
    static const char *const specs[] = { "pq", "pq:nbits=4" };
    struct rows x = normal_rows(102, N, D), q = normal_rows(103, 1, D);
    float tiny[D];
    for (size_t i = 0; i < D; i++) tiny[i] = ldexpf(q.at[i], -110);
    for (size_t s = 0; s < 2; s++) {
        struct index *ix = make(specs[s], D, METRIC_DOT);
        add_all(ix, x, NULL);
        struct found f = ask(ix, q, K, 1, 1), g = ask(ix, (struct rows){ tiny, 1, D, D }, K, 1, 1);
        for (size_t i = 0; i < K; i++)
            CHECK(g.hits[i].id == f.hits[i].id && ldexpf(g.hits[i].score, 110) == f.hits[i].score, "%s: place %zu: %g",
                  specs[s], i, (double)g.hits[i].score);
        free_found(f), free_found(g);
        index_destroy(ix);
    }
    free_rows(x), free_rows(q);
}

/* What searching reads: of two passes what survives, of lists those that were gone through. */
static void counts_its_work(void)
{
    enum { D = 64, N = 2000, Q = 3, K = 10 };
    static const char *const specs[] = { "flat", "pq:m=8", "rabitq:bits=1", "rabitq:bits=4", "turboquant:bits=4",
                                         "ivf:nlist=20,nprobe=20", "ivf:nlist=20,nprobe=5",
                                         "ivf:nlist=20,nprobe=5,inner=(pq:m=8)",
                                         "ivf:nlist=20,nprobe=5,residual=1,inner=(rabitq:bits=4)" };
    struct rows x = normal_rows(95, N, D), q = normal_rows(96, Q, D);
    uint64_t all_lists = 0;
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        struct index *ix = make(specs[i], D, METRIC_COSINE);
        add_all(ix, x, NULL);
        void *scratch = mem_alloc(ix->ops->scratch_bytes(ix, Q, K), 1);
        struct hit hits[Q * K];
        size_t counts[Q];
        struct index_work once, again;
        struct index_stats s;
        ix->ops->stats(ix, &s);
        ix->ops->search(ix, q, K, scratch, hits, counts);
        ix->ops->work(ix, scratch, Q, &once);
        ix->ops->search(ix, q, K, scratch, hits, counts);
        ix->ops->work(ix, scratch, Q, &again);
        const int is_split = ix->ops->frame && strstr(specs[i], "bits=4") != NULL;
        CHECK(once.bytes == again.bytes && once.survivors == again.survivors, "%s: counted twice", specs[i]);
        CHECK(once.bytes > 0 && once.bytes <= Q * (s.code_bytes + s.side_bytes + s.other_bytes), "%s: %llu bytes",
              specs[i], (unsigned long long)once.bytes);
        if (is_split) CHECK(once.survivors >= Q * K && once.survivors < Q * N, "%s: survivors", specs[i]);
        if (strcmp(specs[i], "ivf:nlist=20,nprobe=20") == 0) all_lists = once.bytes;
        if (strcmp(specs[i], "ivf:nlist=20,nprobe=5") == 0)
            CHECK(once.survivors >= Q * K && once.bytes < all_lists / 2, "a quarter of the lists");
        mem_free(scratch);
        index_destroy(ix);
    }
    free_rows(x), free_rows(q);
}

static void bad_specs(void)
{
    static const struct { const char *spec, *says; } bad[] = {
        { "flatt", "nearest is 'flat'" },
        { "turboquant:bits=9", "turboquant: bits=9 outside 1..8" },
        { "turboquant:bit=3", "nearest is 'bits'" },
        { "turboquant:bits=1,layout=split", "layout=split needs" },
        { "turboquant:bits=2,layout=split,query=u8", "layout=split needs" },
        { "turboquant:bits=5,query=u8", "query=u8 takes codes of up to 4 bits, not of 5" },
        { "", "a spec is" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct index *ix = NULL;
        struct err e = { 0 };
        const struct index_config c = { .dim = 4, .threads = 1 };
        CHECK(index_create(&ix, bad[i].spec, &c, &e) == ERR_ARG && strstr(e.text, bad[i].says),
              "%s: %s", bad[i].spec, e.text);
    }
    struct index *ix = NULL;
    struct err e = { 0 };
    for (size_t dim = 0; dim <= INDEX_DIM_MAX + 1; dim += INDEX_DIM_MAX + 1) {
        const struct index_config c = { .dim = dim, .threads = 1 };
        CHECK(index_create(&ix, "flat", &c, &e) == ERR_ARG && strstr(e.text, "outside 1..65536"), "%s", e.text);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) only_spec = argv[1];
    contract("empty, small, and k beyond the rows", empty_and_k);
    contract("equal scores are ordered by id", ties);
    contract("threads, batches and order of adding change nothing", order_is_free);
    contract("threads that build change nothing", building_threads_are_free);
    contract("results do not depend on the instruction set", kernels_agree);
    contract("removed and replaced rows leave no trace", removes);
    contract("saved and loaded is the same index", saves);
    contract("files do not tell what was there before", files_have_no_history);
    contract("odd dimensions, zero vectors, norms over six decades", odd_dimensions);
    contract("heavy tails, sparse rows, duplicates, an outlier, few values", hard_data);
    contract("bad rows, ids and queries are refused by name", refuses);
    contract("a failed allocation changes nothing", survives_no_memory);
    contract("what is learnt does not depend on what was learnt before", learns_anew);
    contract("a row that cannot be replaced stays", replaces_or_keeps);
    test_case("ivf through all its lists is its inner index", ivf_is_its_inner);
    test_case("ivf over residuals scores and decodes rows", ivf_residuals);
    test_case("ivf ranks lists far from the origin", ivf_far_away);
    test_case("flat: f16 and bf16 rows lose what rounding loses", flat_types);
    test_case("flat: distances far from the origin", flat_far_away);
    test_case("pq: opq turns rows to where the parts serve", opq_turns_to_the_parts);
    test_case("pq: scores too small for tables of bytes", pq_tiny_scores);
    test_case("what searching reads is counted", counts_its_work);
    test_case("bad specs are refused by name", bad_specs);
    return test_end();
}
