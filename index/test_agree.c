/* SPDX-License-Identifier: MIT
 * test_agree.c - whole searches give the same ids, order and bits of scores on every machine: default kernels of
 * every instruction set with fused multiply-add are held to hashes recorded on x86-64.  d = 100: tails everywhere, and
 * a rotation of turns; 384: the rotation in parts.  What learns through a BLAS (pq, ivf, opq) is not here: its
 * sums are the library's. */
#include "index/index.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/check_kernel.h"

enum { ROWS = 300, QUERIES = 7, K = 10, DIMS = 2 };
static const size_t dims[DIMS] = { 100, 384 };
static float *numbers;

/* Everything that differs in what is stored, and in what scans it. */
static const struct { const char *spec; uint64_t hash[DIMS]; } recorded[] = {
    { "flat", { 0xde0e63e0c85776bd, 0x2e94bf10ebcb05f9 } },
    { "flat:type=f16", { 0x7499a2ab29a2a5c8, 0x59bd89431bd8b518 } },
    { "flat:type=bf16", { 0x14a24a292e2f404d, 0x4ea9b99423a61e40 } },
    { "binary", { 0x815c3cd8f895508e, 0x788aa3303a0a12f0 } },
    { "sq:bits=4", { 0x07a031daaa39ceb7, 0x8ef9ae1ca85925d4 } },
    { "sq:bits=8,rotation=fht", { 0x92e89edc0be92f8e, 0xe11eaa91db470cbd } },
    { "turboquant:bits=1", { 0x45c08825e53faa1d, 0xea13e633a15cb0e4 } },
    { "turboquant:bits=3,rounds=1", { 0x93a2f5fe6e59e9c2, 0xeb5861a81c50c971 } },
    { "turboquant:bits=4", { 0x8307d4230bb5646c, 0xa15cb7afa65a50c4 } },
    { "turboquant:bits=4,layout=blocked,rounds=3", { 0xf1e889bae659de65, 0x96212838248fb74c } },
    { "turboquant:bits=8,query=f32", { 0x7b763a6b583b7379, 0x541e777c265b856a } },
    { "turboquant:bits=2,query=u8", { 0x2becbfade02a86c8, 0xd2c255f5d62278fe } },
    { "turboquant:bits=3,query=u8", { 0xe8744004f16a0236, 0x590eb5c15a1cd7ec } },
    { "turboquant:bits=4,query=u8,estimator=prod_orth", { 0xd248620f55900e5f, 0x514ce0ece44b1134 } },
    { "turboquant:bits=2,estimator=prod", { 0x95c5c0ddd40fc9db, 0xfdbbbb469a71c2db } },
    { "turboquant:bits=3,center=true,calibrate=true", { 0x61aad7db1028e6fb, 0x72edd2b81c69aabe } },
    { "rabitq:bits=1", { 0xf0e268af8c68dc46, 0x2f71a8854d516e40 } },
    { "rabitq:bits=3,fit=sweep,layout=blocked", { 0xec9dbffb4f12c3fe, 0xaf4ed7e7570ce5ae } },
    { "rabitq:bits=4", { 0xefee1c85d40fa2dd, 0xafd1be586b3bdd12 } },
    { "rabitq:bits=4,query=u8", { 0xbc44648e54ea4e3f, 0x97962faa26e8e1cd } },
};

/* Of all metrics that the index has: ids and scores in order. */
static uint64_t search_hash(const char *spec, size_t dim, const struct kernel_set *kernels)
{
    const struct rows x = { numbers, ROWS, dim, dim }, q = { numbers + ROWS * dim, QUERIES, dim, dim };
    uint64_t hash = CHECK_HASH_START;
    for (int m = 0; m < METRIC_COUNT; m++) {
        const enum metric metric = (enum metric)m;
        const struct index_config c = { .dim = dim, .metric = metric, .seed = 42, .threads = 1, .kernels = kernels };
        struct index *ix = NULL;
        struct err e = { 0 };
        struct hit hits[QUERIES * K];
        size_t counts[QUERIES];
        const int made = index_create(&ix, spec, &c, &e);
        if (made == ERR_UNSUPPORTED) continue;
        CHECK(made == ERR_OK && index_add(ix, x, NULL, &e) == ERR_OK &&
              index_search(ix, q, K, QUERIES, 1, hits, counts, &e) == ERR_OK, "%s: %s", spec, e.text);
        for (size_t i = 0; i < QUERIES * K; i++) {
            hash = check_hash(hash, &hits[i].id, sizeof hits[i].id);
            hash = check_hash(hash, &hits[i].score, sizeof hits[i].score);
        }
        index_destroy(ix);
    }
    return hash;
}

static enum isa running;
static void as_recorded(void)
{
    struct kernel_set kernels;
    struct err e = { 0 };
    if (kernel_set_resolve(&kernels, isa_name(running), &e) != ERR_OK) {
        CHECK(!check_strict(running), "%s", e.text);
        SKIP("this CPU cannot run it");
    }
    for (size_t i = 0; i < sizeof recorded / sizeof *recorded; i++)
        for (int d = 0; d < DIMS; d++) {
            const uint64_t hash = search_hash(recorded[i].spec, dims[d], &kernels);
            CHECK(hash == recorded[i].hash[d], "%s, d = %zu: 0x%016llx, recorded 0x%016llx", recorded[i].spec, dims[d],
                  (unsigned long long)hash, (unsigned long long)recorded[i].hash[d]);
        }
}

int main(void)
{
    struct rng r;
    rng_seed(&r, 70, 0);
    numbers = mem_alloc((ROWS + QUERIES) * dims[DIMS - 1], sizeof *numbers);
    rng_normal(&r, numbers, (ROWS + QUERIES) * dims[DIMS - 1]);
    for (int isa = ISA_scalar + 1; isa < ISA_COUNT; isa++) {
        running = (enum isa)isa;
        test_case(isa_name(running), as_recorded);
    }
    mem_free(numbers);
    return test_end();
}
