/* SPDX-License-Identifier: MIT
 * test_specs.c - specs that are refused, and what searching is said to have read. */
#include "index/check_index.h"

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

/* Bytes a vector: codes, ids, and the share of what was learnt once. */
static void shares_what_it_learnt(void)
{
    enum { D = 64, N = 2000 };
    static const struct { const char *spec; double least; } specs[] = {
        { "pq:m=8", 8 + 256.0 * (D + 8) * 4 / N }, { "ivf:nlist=50,inner=(flat)", D * 4 + 50.0 * D * 4 / N },
        { "ivf:nlist=50,inner=(pq:m=8)", 8 + (256.0 * (D + 8) + 50.0 * D) * 4 / N },
    };
    struct rows x = normal_rows(97, N, D);
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        struct index *ix = make(specs[i].spec, D, METRIC_COSINE);
        struct index_stats s;
        add_all(ix, x, NULL);
        ix->ops->stats(ix, &s);
        const double got = index_bytes_per_vector(&s);
        CHECK(got >= specs[i].least && got < specs[i].least + 64 && s.shared_bytes <= s.other_bytes, "%s: %g bytes, at least %g",
              specs[i].spec, got, specs[i].least);
        index_destroy(ix);
    }
    free_rows(x);
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

int main(void)
{
    test_case("bytes a vector count what is held once", shares_what_it_learnt);
    test_case("what searching reads is counted", counts_its_work);
    test_case("bad specs are refused by name", bad_specs);
    return test_end();
}
