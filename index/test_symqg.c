/* SPDX-License-Identifier: MIT
 * test_symqg.c - the graph index beyond the rows that are scanned: what it finds, that all is reached, and that it is
 * the same however it was made.  (test_index.c holds it to the contract while it is small.) */
#include <errno.h>
#include <math.h>
#include <unistd.h>
#include "index/nodes.h"
#include "index/index.h"
#include "index/persist.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/faults.h"
#include "kernels/base/test.h"

enum { D = 40, N = 3000, Q = 50, K = 10, HEAPS = 40 };

static const char *const specs[] = { "symqg",
                                     "symqg:rescore=f32",
                                     "symqg:rescore=none,bits=4",
                                     "symqg:bits=2,estimator=centred",
                                     "symqg:bits=3,degree=16",
                                     "symqg:layout=once",
                                     NULL };

/* Rows in heaps that lie apart. */
static struct rows heaps(uint64_t seed, size_t count, float spread)
{
    struct rng r;
    float *centres = mem_alloc(HEAPS * D, sizeof *centres), *x = mem_alloc(count * D, sizeof *x);
    rng_seed(&r, 1, 0);
    rng_normal(&r, centres, HEAPS * D);
    rng_seed(&r, seed, 1);
    rng_normal(&r, x, count * D);
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < D; d++) x[i * D + d] = spread * x[i * D + d] + centres[i * 7 % HEAPS * D + d];
    mem_free(centres);
    return (struct rows){ x, count, D, D };
}

static void free_rows(struct rows r) { mem_free((void *)(uintptr_t)r.at); }

static struct index *make(const char *spec, enum metric metric, int threads, const char *isa)
{
    struct kernel_set kernels;
    struct index *ix = NULL;
    struct err e = { 0 };
    CHECK(kernel_set_resolve(&kernels, isa, &e) == ERR_OK, "%s", e.text);
    const struct index_config c = { .dim = D, .metric = metric, .seed = 3, .threads = threads, .kernels = &kernels };
    CHECK(index_create(&ix, spec, &c, &e) == ERR_OK, "%s: %s", spec, e.text);
    return ix;
}

static void add(struct index *ix, struct rows x, const int64_t *ids)
{
    struct err e = { 0 };
    CHECK(index_add(ix, x, ids, &e) == ERR_OK, "%s", e.text);
}

static void ask(const struct index *ix, struct rows q, size_t k, size_t batch, int threads, struct hit *hits,
                size_t *counts)
{
    struct err e = { 0 };
    CHECK(index_search(ix, q, k, batch, threads, hits, counts, &e) == ERR_OK, "%s", e.text);
}

/* How many of the best k of `exact` ix finds, of every query. */
static void find(const struct index *ix, const struct index *exact, struct rows q, size_t same[Q])
{
    static struct hit found[Q * K], truth[Q * K];
    size_t counts[Q];
    ask(exact, q, K, Q, 1, truth, counts);
    ask(ix, q, K, 7, 2, found, counts);
    for (size_t i = 0; i < Q; i++) {
        CHECK(counts[i] == K, "%zu answers", counts[i]);
        same[i] = 0;
        for (size_t a = 0; a < K; a++)
            for (size_t b = 0; b < K; b++) same[i] += found[i * K + a].id == truth[i * K + b].id;
    }
}

/* Share of the best k of `exact` that ix finds. */
static double recall(const struct index *ix, const struct index *exact, struct rows q)
{
    size_t same[Q], sum = 0;
    find(ix, exact, q, same);
    for (size_t i = 0; i < Q; i++) sum += same[i];
    return (double)sum / (Q * K);
}

static void finds_the_nearest(void)
{
    struct rows x = heaps(2, N, 0.6f), q = heaps(3, Q, 0.6f);
    for (int m = 0; m < METRIC_COUNT; m++) {
        struct index *exact = make("flat", (enum metric)m, 1, NULL);
        add(exact, x, NULL);
        for (size_t s = 0; specs[s]; s++) {
            struct index *ix = make(specs[s], (enum metric)m, 1, NULL);
            add(ix, x, NULL);
            const double found = recall(ix, exact, q), least = strstr(specs[s], "none") ? 0.8 : 0.93;
            CHECK(found >= least, "%s, %s: recall %.3f", specs[s], metric_name((enum metric)m), found);
            index_destroy(ix);
        }
        index_destroy(exact);
    }
    free_rows(x), free_rows(q);
}

/* With all nodes in the pool nothing that is reached is missed: the exact answer, in its order. */
static void all_is_reached(struct rows x, struct rows q, const char *what)
{
    struct hit *found = mem_alloc(x.count, sizeof *found), *truth = mem_alloc(x.count, sizeof *truth);
    uint8_t *seen = mem_alloc(x.count, 1);
    for (int m = 0; m < METRIC_COUNT; m++) {
        struct index *exact = make("flat", (enum metric)m, 1, NULL),
                     *ix = make("symqg:rescore=f32", (enum metric)m, 1, NULL);
        add(exact, x, NULL), add(ix, x, NULL);
        for (size_t i = 0; i < 3; i++) {
            size_t count, counts;
            const struct rows one = { rows_at(q, i), 1, D, D };
            ask(exact, one, x.count, 1, 1, truth, &counts);
            ask(ix, one, x.count, 1, 1, found, &count);
            CHECK(count == x.count, "%s, %s: %zu of %zu reached", what, metric_name((enum metric)m), count, x.count);
            memset(seen, 0, x.count);
            for (size_t j = 0; j < count; j++) {
                const float apart = fabsf(found[j].score - truth[j].score);
                CHECK(apart <= 1e-5f * (fabsf(truth[j].score) + 50), "%s, %s: place %zu: %g, not %g", what,
                      metric_name((enum metric)m), j, (double)found[j].score, (double)truth[j].score);
                CHECK(!seen[found[j].id], "%s: %lld twice", what, (long long)found[j].id);
                seen[found[j].id] = 1;
            }
        }
        index_destroy(exact), index_destroy(ix);
    }
    mem_free(found), mem_free(truth), mem_free(seen);
}

static void reaches_everything(void)
{
    enum { FEW = 1200 };
    struct rows x = heaps(4, FEW, 0.6f), q = heaps(5, 3, 0.6f);
    float *at = (float *)(uintptr_t)x.at;
    all_is_reached(x, q, "heaps");
    for (size_t i = 0; i < FEW * D; i++) at[i] = at[i % (HEAPS * D)]; /* every row thirty times */
    all_is_reached(x, q, "duplicates");
    memset(at + 300 * D, 0, 700 * D * sizeof *at);
    all_is_reached(x, q, "zero rows");
    for (size_t i = 0; i < FEW * D; i++) at[i] = q.at[i % D];
    all_is_reached(x, q, "one row");
    free_rows(x);
    x = heaps(6, FEW, 0.001f); /* nothing between the heaps */
    all_is_reached(x, q, "heaps without bridges");
    for (size_t i = 0; i < FEW; i++)
        for (size_t d = 0; d < D; d++) ((float *)(uintptr_t)x.at)[i * D + d] *= powf(10, (float)(i % 7) - 3);
    all_is_reached(x, q, "norms over six decades");
    free_rows(x), free_rows(q);
}

static size_t file_of(const struct index *ix, unsigned char **bytes)
{
    char path[64];
    struct err e = { 0 };
    size_t size = 0;
    snprintf(path, sizeof path, "/tmp/assay_test_symqg_%ld", (long)getpid());
    CHECK(index_save(ix, path, 1, &e) == ERR_OK && mem_read_file(bytes, &size, path, &e) == ERR_OK, "%s", e.text);
    unlink(path);
    return size;
}

/* Any number of threads, and any instruction set with fused multiply-add, make the same file: first at once, then of
 * rows that come later. */
static void one_graph(void)
{
    struct rows x = heaps(7, N, 0.6f), more = heaps(8, 700, 0.8f);
    for (int m = 0; m < METRIC_COUNT; m++) {
        unsigned char *wanted = NULL;
        size_t size = 0;
        for (int isa = -2; isa < ISA_COUNT; isa++) {
            struct kernel_set kernels;
            if (isa == ISA_scalar) continue;
            if (isa >= 0 && kernel_set_resolve(&kernels, isa_name((enum isa)isa), NULL) != ERR_OK) continue;
            struct index *ix = make("symqg:degree=16,ef_build=48,bits=2", (enum metric)m, isa == -2 ? 1 : 3,
                                    isa < 0 ? NULL : isa_name((enum isa)isa));
            unsigned char *bytes = NULL;
            add(ix, x, NULL), add(ix, more, NULL);
            const size_t got = file_of(ix, &bytes);
            if (!wanted) wanted = bytes, size = got;
            else {
                CHECK(got == size && memcmp(bytes, wanted, size) == 0, "%s: another graph with %s",
                      metric_name((enum metric)m), isa < 0 ? "three threads" : isa_name((enum isa)isa));
                mem_free(bytes);
            }
            index_destroy(ix);
        }
        mem_free(wanted);
    }
    free_rows(x), free_rows(more);
}

/* Rows come, go and change; every live one is an answer to itself, no other is. */
static void changes(const char *spec, enum metric metric)
{
    struct rows x = heaps(9, N, 0.6f), others = heaps(10, N, 0.6f), q = heaps(11, Q, 0.6f);
    struct index *ix = make(spec, metric, 2, NULL), *exact = make("flat", metric, 1, NULL);
    struct err e = { 0 };
    for (size_t from = 0, count = 600; from < N; from += count, count = from == 600 ? 300 : 700) {
        if (from + count > N) count = N - from;
        int64_t ids[N];
        for (size_t i = 0; i < count; i++) ids[i] = (int64_t)(10 * (from + i));
        const struct rows some = { rows_at(x, from), count, D, D };
        add(ix, some, ids), add(exact, some, ids);
    }
    CHECK(recall(ix, exact, q) >= 0.9, "%s, %s: added in parts: %.3f", spec, metric_name(metric), recall(ix, exact, q));
    for (size_t i = 0; i < N; i += 5) {
        const int64_t id = (int64_t)(10 * i), changed = (int64_t)(10 * (i + 1));
        CHECK(index_remove(ix, id, &e) == ERR_OK && index_remove(exact, id, &e) == ERR_OK, "%s", e.text);
        CHECK(index_replace(ix, changed, rows_at(others, i), &e) == ERR_OK &&
              index_replace(exact, changed, rows_at(others, i), &e) == ERR_OK, "%s", e.text);
    }
    CHECK(index_remove(ix, 0, &e) == ERR_NOT_FOUND && strstr(e.text, "0"), "removed twice");
    CHECK(recall(ix, exact, q) >= 0.9, "%s, %s: changed: %.3f", spec, metric_name(metric), recall(ix, exact, q));
    struct hit *hits = mem_alloc(N, sizeof *hits);
    size_t count;
    ask(ix, (struct rows){ q.at, 1, D, D }, N, 1, 1, hits, &count);
    CHECK(count == N - N / 5, "%s, %s: %zu rows live", spec, metric_name(metric), count);
    for (size_t i = 0; i < count; i++) CHECK(hits[i].id / 10 % 5 != 0, "%lld is dead", (long long)hits[i].id);
    /* Down to what needs no graph. */
    for (size_t i = 0; i < N - 100; i++)
        if (i % 5) CHECK(index_remove(ix, (int64_t)(10 * i), &e) == ERR_OK, "%s", e.text);
    ask(ix, (struct rows){ q.at, 1, D, D }, N, 1, 1, hits, &count);
    CHECK(count == 80, "%s: %zu rows left", spec, count);
    mem_free(hits);
    index_destroy(ix), index_destroy(exact);
    free_rows(x), free_rows(others), free_rows(q);
}

static void rows_change(void)
{
    changes("symqg", METRIC_COSINE);
    changes("symqg:rescore=f32", METRIC_L2);
    changes("symqg:layout=once", METRIC_DOT);
}

static void saves(void)
{
    struct rows x = heaps(12, N, 0.6f), more = heaps(13, 20, 0.6f), q = heaps(14, Q, 0.6f);
    static struct hit wanted[Q * K], found[Q * K];
    size_t counts[Q];
    char path[64];
    struct err e = { 0 };
    snprintf(path, sizeof path, "/tmp/assay_test_symqg_%ld", (long)getpid());
    for (size_t s = 0; specs[s]; s++)
        for (int m = 0; m < METRIC_COUNT; m++) {
            struct index *ix = make(specs[s], (enum metric)m, 2, NULL), *back[2] = { NULL };
            add(ix, x, NULL), add(ix, more, NULL); /* some beside the graph */
            CHECK(index_remove(ix, 17, &e) == ERR_OK, "%s", e.text);
            ask(ix, q, K, 1, 1, wanted, counts);
            CHECK(index_save(ix, path, 5, &e) == ERR_OK, "%s", e.text);
            CHECK(index_load(&back[0], path, NULL, NULL, &e) == ERR_OK, "%s: %s", specs[s], e.text);
            CHECK(index_map(&back[1], path, NULL, NULL, &e) == ERR_OK, "%s: %s", specs[s], e.text);
            for (int b = 0; b < 2; b++) {
                ask(back[b], q, K, Q, 2, found, counts);
                for (size_t i = 0; i < Q * K; i++)
                    CHECK(wanted[i].id == found[i].id && memcmp(&wanted[i].score, &found[i].score, 4) == 0,
                          "%s, %s: another answer %s", specs[s], metric_name((enum metric)m), b ? "mapped" : "loaded");
            }
            CHECK(index_remove(back[1], 18, &e) == ERR_UNSUPPORTED, "a mapped index is not changed");
            index_destroy(ix), index_destroy(back[0]), index_destroy(back[1]);
        }
    unlink(path);
    free_rows(x), free_rows(more), free_rows(q);
}

/* A row that is written again as it is stays where it is; another one does not. */
static void keeps_what_is_there(void)
{
    enum { SOME = 600 };
    struct rows x = heaps(20, SOME, 0.6f);
    float changed[D];
    struct err e = { 0 };
    for (size_t s = 0; specs[s]; s++)
        for (int m = 0; m < METRIC_COUNT; m++) {
            struct index *ix = make(specs[s], (enum metric)m, 2, NULL);
            uint32_t before = 0, after = 0, other = 0;
            add(ix, x, NULL);
            CHECK(index_sum(ix, &before, &e) == ERR_OK, "%s", e.text);
            for (int64_t id = 0; id < SOME; id += 7)
                CHECK(index_replace(ix, id, rows_at(x, (size_t)id), &e) == ERR_OK, "%s", e.text);
            CHECK(index_sum(ix, &after, &e) == ERR_OK && after == before, "%s, %s: not as it was", specs[s],
                  metric_name((enum metric)m));
            memcpy(changed, rows_at(x, 7), sizeof changed);
            changed[3] += 0.5f;
            CHECK(index_replace(ix, 7, changed, &e) == ERR_OK && index_sum(ix, &other, &e) == ERR_OK && other != before,
                  "%s, %s: another row is not there", specs[s], metric_name((enum metric)m));
            CHECK(ix->ops->has(ix, 7) && !ix->ops->has(ix, SOME), "%s: ids", specs[s]);
            index_destroy(ix);
        }
    free_rows(x);
}

/* A failed allocation while a graph is made, or taken further, changes nothing. */
static void survives_no_memory(void)
{
    enum { SOME = 600 };
    struct rows x = heaps(15, SOME + 300, 0.6f), q = heaps(16, Q, 0.6f);
    static struct hit wanted[Q * K], found[Q * K];
    size_t counts[Q];
    struct err e = { 0 };
    for (size_t had = 500; had <= SOME; had += 100) { /* scanned before; in a graph before */
        const struct rows first = { x.at, had, D, D }, rest = { rows_at(x, had), x.count - had, D, D };
        struct index *ix = make("symqg:degree=16,ef_build=32", METRIC_COSINE, 2, NULL);
        add(ix, first, NULL);
        ask(ix, q, K, Q, 1, wanted, counts);
        int status = ERR_MEM;
        for (long n = 1; status == ERR_MEM && n < 1000; n++) {
            fault_after(FAULT_MEMORY, n, ENOMEM);
            status = index_add(ix, rest, NULL, &e);
            fault_after(FAULT_NONE, 0, 0);
            if (status == ERR_OK) break;
            ask(ix, q, K, Q, 1, found, counts);
            CHECK(status == ERR_MEM && memcmp(wanted, found, sizeof wanted) == 0, "allocation %ld: %s", n, e.text);
        }
        CHECK(status == ERR_OK, "%d %s", status, e.text);
        ask(ix, q, K, Q, 1, found, counts);
        index_destroy(ix);
    }
    free_rows(x), free_rows(q);
}

/* More candidates: where answers are scored exactly no query loses one, whichever metric and codes. */
static void ef_pays(void)
{
    static const char *const layouts[] = { "rescore=f32", "rescore=f32,bits=2,estimator=centred", "rescore=f32,bits=3" };
    struct rows x = heaps(17, N, 0.9f), q = heaps(18, Q, 0.9f);
    for (int m = 0; m < METRIC_COUNT; m++) {
        struct index *exact = make("flat", (enum metric)m, 1, NULL);
        char spec[96];
        size_t before[Q] = { 0 }, found[Q], all = 0;
        snprintf(spec, sizeof spec, "symqg:%s", layouts[m]);
        struct index *ix = make(spec, (enum metric)m, 1, NULL), *view;
        struct err e = { 0 };
        add(exact, x, NULL), add(ix, x, NULL);
        for (int ef = 10; ef <= 640; ef += ef < 40 ? 3 : ef) {
            snprintf(spec, sizeof spec, "symqg:%s,ef=%d", layouts[m], ef);
            CHECK(index_view(&view, ix, spec, &e) == ERR_OK, "%s", e.text);
            find(view, exact, q, found);
            all = 0;
            for (size_t i = 0; i < Q; i++) {
                CHECK(found[i] >= before[i], "%s: query %zu: %zu after %zu", spec, i, found[i], before[i]);
                before[i] = found[i];
                all += found[i];
            }
            index_destroy(view);
        }
        CHECK((double)all >= 0.999 * Q * K, "%s: %zu of %d", spec, all, Q * K);
        index_destroy(ix), index_destroy(exact);
    }
    free_rows(x), free_rows(q);
}

/* The estimate of an edge, from its code and the two numbers beside it, against the inner product. */
static double estimate_error(int projects, int bits)
{
    enum { EDGES = 16, TRIES = 200 };
    struct rows x = heaps(19, 1 + EDGES, 0.6f), q = heaps(20, TRIES, 0.6f);
    struct kernel_set kernels;
    struct nodes n;
    struct coder coder;
    struct points points;
    struct err e = { 0 };
    CHECK(kernel_set_resolve(&kernels, NULL, &e) == ERR_OK, "%s", e.text);
    const struct index_config c = { .dim = D, .metric = METRIC_COSINE, .seed = 1, .threads = 1, .kernels = &kernels };
    CHECK(nodes_init(&n, &c, &kernels, EDGES, bits, RESCORE_8BIT, 1, projects, &e) == ERR_OK &&
          coder_init(&coder, &n, &e) == ERR_OK && points_init(&points, 1 + EDGES, D, &e) == ERR_OK, "%s", e.text);
    float row[D], turned[D], back[D], turned_query[D];
    uint32_t picked[EDGES];
    for (size_t i = 0; i <= EDGES; i++) {
        nodes_prepare(&n, rows_at(x, i == 1 ? 0 : i), row, turned); /* edge 0 leads to the node's own double */
        points_set(&points, i, turned, D, 1);
        if (i) picked[i - 1] = (uint32_t)i;
    }
    uint8_t *codes = mem_zero(1, nodes_blocks_bytes(&n, EDGES)), unpacked[64 * EDGES];
    float scale[EDGES], error[EDGES];
    nodes_code(&n, &coder, &points, 0, picked, EDGES, codes, scale, error);
    kernels.of[OP_unpack]->fn.unpack(codes, 0, EDGES, n.groups, bits, unpacked, n.padded);
    double off = 0;
    for (size_t t = 0; t < TRIES; t++) {
        nodes_prepare(&n, rows_at(q, t), row, turned_query);
        double exact[1 + EDGES];
        for (size_t i = 0; i <= EDGES; i++) {
            exact[i] = 0;
            for (size_t d = 0; d < D; d++)
                exact[i] += (double)turned_query[d] * (double)points.steps[i] * points.codes[i * points.padded + d];
        }
        for (size_t i = 0; i < EDGES; i++) {
            double sum = 0;
            kernels.of[OP_decode]->fn.decode(unpacked + i * n.padded, D, n.codec.levels, bits, back);
            for (size_t d = 0; d < D; d++) sum += (double)turned_query[d] * (double)back[d];
            const double guess = sum * (double)scale[i] + (projects ? exact[0] * (double)error[i]
                                                                    : exact[0] + (double)error[i]);
            if (i == 0) CHECK(fabs(guess - exact[1]) < 1e-5, "of the node itself: off by %g", guess - exact[1]);
            off += (guess - exact[i + 1]) * (guess - exact[i + 1]) / (TRIES * EDGES);
        }
    }
    mem_free(codes);
    points_fini(&points), coder_fini(&coder), nodes_fini(&n, 0);
    free_rows(x), free_rows(q);
    return sqrt(off);
}

static void estimates(void)
{
    for (int bits = 1; bits <= 4; bits++) {
        const double projected = estimate_error(1, bits), centred = estimate_error(0, bits);
        CHECK(projected < 0.9 * centred, "%d bits: off by %.4f, centred %.4f", bits, projected, centred);
        CHECK(projected < 0.15 / (1 << (bits - 1)), "%d bits: off by %.4f", bits, projected);
    }
}

struct told { double unreached, components, in_min, recall, exact, graph, codes, nodes; };
static void take(void *context, const char *name, double value, const char *meaning)
{
    struct told *t = context;
    const struct { const char *name; double *to; } wanted[] = {
        { "unreached", &t->unreached },          { "components", &t->components }, { "degree_in_min", &t->in_min },
        { "recall_at_10", &t->recall },          { "nodes", &t->nodes },           { "lost_to_codes", &t->codes },
        { "recall_exact_walk", &t->exact },      { "lost_to_graph", &t->graph },
    };
    (void)meaning;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strcmp(name, wanted[i].name) == 0) *wanted[i].to = value;
}

/* What it tells of itself agrees with what is found; finer codes lose less. */
static void tells(void)
{
    struct rows x = heaps(21, N, 0.9f), q = heaps(22, Q, 0.9f);
    struct index *exact = make("flat", METRIC_COSINE, 1, NULL);
    struct told told[2];
    struct err e = { 0 };
    add(exact, x, NULL);
    for (int i = 0; i < 2; i++) {
        struct index *ix =
            make(i ? "symqg:rescore=f32,ef=20,bits=4" : "symqg:rescore=f32,ef=20", METRIC_COSINE, 1, NULL);
        struct told *t = &told[i];
        add(ix, x, NULL);
        *t = (struct told){ .unreached = -1, .recall = -1 };
        CHECK(ix->ops->look(ix, q, take, t, &e) == ERR_OK, "%s", e.text);
        CHECK(t->unreached == 0 && t->components >= 1 && t->nodes == N && t->in_min >= 0, "%g, %g, %g", t->unreached,
              t->components, t->nodes);
        CHECK(fabs(t->recall - recall(ix, exact, q)) < 1e-9, "recall %g, not %g", t->recall, recall(ix, exact, q));
        CHECK(fabs(t->graph + t->codes - (1 - t->recall)) < 1e-9 && t->exact >= t->recall, "%g and %g lost of %g",
              t->graph, t->codes, 1 - t->recall);
        CHECK(ix->ops->look(ix, (struct rows){ 0 }, take, t, &e) == ERR_OK && t->recall > 0.5, "its own rows: %g",
              t->recall);
        CHECK(ix->ops->look(ix, q, take, t, &e) == ERR_OK, "%s", e.text);
        index_destroy(ix);
    }
    CHECK(told[1].codes < told[0].codes / 2 && told[0].codes > 0, "codes of 1 bit lose %g, of 4 %g", told[0].codes,
          told[1].codes);
    index_destroy(exact);
    free_rows(x), free_rows(q);
}

/* What a search reads: one run of bytes a node visited, and less where the pool is smaller. */
static void counts_its_work(void)
{
    struct rows x = heaps(23, N, 0.9f), q = heaps(24, Q, 0.9f);
    uint64_t before = 0;
    for (int ef = 10; ef <= 80; ef *= 2) {
        char spec[64];
        static struct hit hits[Q * K];
        size_t counts[Q];
        struct index_work work = { 0 };
        snprintf(spec, sizeof spec, "symqg:ef=%d", ef);
        struct index *ix = make(spec, METRIC_COSINE, 1, NULL);
        add(ix, x, NULL);
        void *scratch = mem_alloc(1, ix->ops->scratch_bytes(ix, Q, K));
        ix->ops->search(ix, q, K, scratch, hits, counts);
        ix->ops->work(ix, scratch, Q, &work);
        CHECK(work.hops >= (uint64_t)(Q * ef) && work.hops < (uint64_t)(2 * Q * ef + 20 * Q), "ef %d: %llu hops", ef,
              (unsigned long long)work.hops);
        CHECK(work.rescored == work.hops && work.scored > 32 * work.hops && work.bytes > work.hops * 32 * D / 8,
              "%llu rows, %llu codes, %llu bytes", (unsigned long long)work.rescored, (unsigned long long)work.scored,
              (unsigned long long)work.bytes);
        CHECK(work.hops > before, "ef %d: no more hops", ef);
        before = work.hops;
        mem_free(scratch);
        index_destroy(ix);
    }
    free_rows(x), free_rows(q);
}

static void refuses(void)
{
    static const struct { const char *spec, *says; } bad[] = {
        { "symqg:degree=40", "degree=40" },
        { "symqg:layout=once,rescore=f32", "layout=once" },
        { "symqg:bits=5", "bits=5 outside 1..4" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct index *ix = NULL;
        struct err e = { 0 };
        const struct index_config c = { .dim = 4, .threads = 1 };
        CHECK(index_create(&ix, bad[i].spec, &c, &e) == ERR_ARG && strstr(e.text, bad[i].says), "%s: %s", bad[i].spec,
              e.text);
    }
}

int main(void)
{
    test_case("the nearest are found, by every metric and layout", finds_the_nearest);
    test_case("every row is reached, whatever the data", reaches_everything);
    test_case("threads and instruction sets make one graph", one_graph);
    test_case("rows come, go and change", rows_change);
    test_case("saved, loaded and mapped is the same index", saves);
    test_case("a row written again stays where it is", keeps_what_is_there);
    test_case("a failed allocation changes nothing", survives_no_memory);
    test_case("more candidates lose nothing, in any query", ef_pays);
    test_case("estimates: exact of the node itself, projected nearer than centred", estimates);
    test_case("what it tells of itself is so", tells);
    test_case("what searching reads is counted", counts_its_work);
    test_case("bad specs are refused by name", refuses);
    return test_end();
}
