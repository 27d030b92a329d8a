/* SPDX-License-Identifier: MIT
 * test_index.c - the contract of index.h, held by every registered index.
 *
 * The build makes a link test_index.NAME for each, which tests that index alone: suites run side by side, and
 * `make check ONLY=index/test_index.pq` reaches one.  An argument is a spec to be tested instead. */
#include <errno.h>
#include "index/check_index.h"
#include "kernels/base/faults.h"

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
                                          "rabitq:bits=4,fit=authors",
                                          "rabitq:bits=4,fit=faiss",
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

static const char *only_index; /* NULL: all */
static const char *only_spec;  /* NULL: its default, and more_specs */

static int has_name(const char *spec, const char *name)
{
    const size_t size = strlen(name);
    return strncmp(spec, name, size) == 0 && (!spec[size] || spec[size] == ':');
}

/* An index that is nothing without a file or a library, which a text names, has tests of its own. */
static int wants_more(const struct index_ops *ops)
{
    struct index *ix = NULL;
    struct err e = { 0 };
    const struct index_config c = { .dim = 3, .metric = METRIC_L2, .threads = 1 };
    const int status = index_create(&ix, ops->name, &c, &e);
    index_destroy(ix);
    for (const struct param *p = ops->params; status == ERR_ARG && p && p->name; p++)
        if (p->type == PARAM_TEXT && !*p->usual) return 1;
    return 0;
}

typedef void each_fn(const char *spec, enum metric metric);
static each_fn *running;
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
        if (only_spec) run_if_supported(only_spec, (enum metric)m);
        for (size_t i = 0; index_at(i) && !only_spec; i++) {
            const char *name = index_at(i)->name;
            if (wants_more(index_at(i)) || (only_index && strcmp(name, only_index) != 0)) continue;
            run_if_supported(name, (enum metric)m);
            for (size_t s = 0; more_specs[s]; s++)
                if (has_name(more_specs[s], name)) run_if_supported(more_specs[s], (enum metric)m);
        }
    }
}

static void contract(const char *name, each_fn *fn)
{
    running = fn;
    test_case(name, for_every_spec);
}

static void nothing_alone(void)
{
    struct index *ix = NULL;
    struct err e = { 0 };
    const struct index_config c = { .dim = 3, .metric = METRIC_L2, .threads = 1 };
    CHECK(index_create(&ix, only_index, &c, &e) == ERR_ARG && strstr(e.text, only_index) && !ix, "%s", e.text);
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

/* Scratch is what scratch_bytes says, and no byte more: it ends at an unreadable page. */
static void scratch_is_enough(const char *spec, enum metric metric)
{
    enum { D = 65, N = 300, K = 10, MOST = 70 };
    static const size_t batches[] = { 1, 3, MOST };
    struct rows x = normal_rows(16, N, D), q = normal_rows(17, MOST, D);
    struct index *ix = make(spec, D, metric);
    add_all(ix, x, NULL);
    struct found wanted = ask(ix, q, K, 1, 1);
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        const struct rows some = { q.at, batches[b], D, D };
        const size_t bytes = mem_rounded(ix->ops->scratch_bytes(ix, some.count, K));
        struct found f = { mem_zero(MOST * K, sizeof *f.hits), mem_zero(MOST, sizeof *f.counts) };
        char *scratch = test_fenced(bytes);
        memset(scratch, 0xff, bytes); /* nothing may be read before it was written */
        ix->ops->search(ix, some, K, scratch, f.hits, f.counts);
        CHECK(same(f, wanted, some.count, K), "%s: %zu queries at a time", spec, some.count);
        free_found(f);
    }
    free_found(wanted);
    free_rows(x), free_rows(q);
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

/* remove and replace are both there, or neither; where they are not, that is said and nothing else happens. */
static void cannot_remove(const char *spec, enum metric metric)
{
    enum { D = 12, N = 30, K = 7 };
    struct rows x = normal_rows(15, N, D);
    struct index *ix = make(spec, D, metric);
    const char *name = ix->ops->name;
    struct err e = { 0 };
    CHECK(!ix->ops->remove == !ix->ops->replace, "%s: one of remove and replace", spec);
    if (ix->ops->remove) goto out;
    add_all(ix, x, NULL);
    struct found before = ask(ix, x, K, 1, 1);
    CHECK(index_remove(ix, 3, &e) == ERR_UNSUPPORTED && strstr(e.text, name), "%s: %s", spec, e.text);
    CHECK(index_replace(ix, 3, x.at, &e) == ERR_UNSUPPORTED && strstr(e.text, name), "%s: %s", spec, e.text);
    struct found after = ask(ix, x, K, 1, 1);
    CHECK(same(before, after, N, K), "%s: a refusal changed it", spec);
    free_found(before), free_found(after);
out:
    free_rows(x);
    index_destroy(ix);
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

/* The largest dimension worth its time: where a matrix of dim x dim is drawn or learnt, 4096 is minutes; opq learns
 * its own twenty times, 2 s each at 1000, and by every metric alike. */
static size_t largest_dim(const char *spec, enum metric metric)
{
    if (strstr(spec, "opq") && metric != METRIC_L2) return 200;
    const int cubic = strstr(spec, "dense") || strstr(spec, "estimator=prod") || strstr(spec, "opq") || !strcmp(spec, "upstream");
    return cubic ? 1000 : SIZE_MAX;
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
        if (ix->ops->replace)
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
        if (dim > largest_dim(spec, metric)) break;
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
    if (!ix->ops->replace) goto out;
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
out:
    free_found(before);
    free_rows(x), free_rows(q);
    index_destroy(ix);
}

/* A view answers as an index built with its spec does, and its model as before; where something else differs there is
 * none. */
static void views(const char *spec, enum metric metric)
{
    enum { D = 20, N = 700, Q = 5, K = 10 };
    const struct index_ops *ops = index_find(strncmp(spec, "ivf", 3) == 0 ? "ivf" : "symqg");
    if (!has_name(spec, ops->name)) return;
    const int is_ivf = strcmp(ops->name, "ivf") == 0;
    char other[200], unlike[240];
    snprintf(other, sizeof other, "%s%c%s", spec, strchr(spec, ':') ? ',' : ':', is_ivf ? "nprobe=2" : "ef=17");
    snprintf(unlike, sizeof unlike, "%s,%s", other, is_ivf ? "nlist=3" : "alpha=2");
    struct rows x = normal_rows(70, N, D), q = normal_rows(71, Q, D);
    struct index *model = make(spec, D, metric), *built = make(other, D, metric), *view = NULL, *none = NULL;
    struct err e = { 0 };
    struct text said = { 0 }, wanted = { 0 };
    add_all(model, x, NULL), add_all(built, x, NULL);
    struct found before = ask(model, q, K, 1, 1), f = ask(built, q, K, 2, 1);
    CHECK(index_view(&view, model, other, &e) == ERR_OK, "%s: %s", spec, e.text);
    CHECK(index_view(&none, model, unlike, &e) == ERR_UNSUPPORTED && !none, "%s: %s", unlike, e.text);
    CHECK(index_view(&none, model, is_ivf ? "symqg" : "flat", &e) == ERR_UNSUPPORTED && !none, "%s", e.text);
    CHECK(index_view(&none, model, is_ivf ? "ivf:nprobe=0" : "symqg:ef=0", &e) == ERR_ARG, "%s", e.text);
    CHECK(index_add(view, x, NULL, &e) == ERR_UNSUPPORTED && strstr(e.text, "view"), "%s: %s", spec, e.text);
    struct found g = ask(view, q, K, 2, 2), after = ask(model, q, K, 1, 1);
    CHECK(same(f, g, Q, K), "%s: a view answers otherwise", other);
    CHECK(same(before, after, Q, K), "%s: its view has changed it", spec);
    index_spec(view, &said), index_spec(built, &wanted);
    CHECK(strcmp(text_of(&said), text_of(&wanted)) == 0, "%s, not %s", text_of(&said), text_of(&wanted));
    index_destroy(view), index_destroy(model), index_destroy(built);
    free_found(before), free_found(f), free_found(g), free_found(after);
    text_free(&said), text_free(&wanted);
    free_rows(x), free_rows(q);
}

int main(int argc, char **argv)
{
    const char *file = strrchr(argv[0], '/'), *dot = strchr(file ? file : argv[0], '.');
    only_index = dot ? dot + 1 : NULL;
    only_spec = argc > 1 ? argv[1] : NULL;
    if (only_index && index_find(only_index) && wants_more(index_find(only_index))) {
        test_case("is nothing without what its spec must name, and says so", nothing_alone);
        return test_end();
    }
    if (only_index && !index_find(only_index)) return fprintf(stderr, "no index '%s'\n", only_index), TEST_FAIL;
    contract("empty, small, and k beyond the rows", empty_and_k);
    contract("equal scores are ordered by id", ties);
    contract("scratch is as large as it is said to be", scratch_is_enough);
    contract("threads, batches and order of adding change nothing", order_is_free);
    contract("threads that build change nothing", building_threads_are_free);
    contract("results do not depend on the instruction set", kernels_agree);
    contract("what cannot be removed is said so", cannot_remove);
    contract("removed and replaced rows leave no trace", removes);
    contract("saved and loaded is the same index", saves);
    contract("files do not tell what was there before", files_have_no_history);
    contract("odd dimensions, zero vectors, norms over six decades", odd_dimensions);
    contract("heavy tails, sparse rows, duplicates, an outlier, few values", hard_data);
    contract("bad rows, ids and queries are refused by name", refuses);
    contract("a failed allocation changes nothing", survives_no_memory);
    contract("what is learnt does not depend on what was learnt before", learns_anew);
    contract("a row that cannot be replaced stays", replaces_or_keeps);
    contract("a view answers as if it had been built", views);
    return test_end();
}
