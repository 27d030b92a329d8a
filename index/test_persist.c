/* SPDX-License-Identifier: MIT
 * test_persist.c - a damaged index file is refused, whatever the damage, and a failed save loses nothing. */
#include <fcntl.h>
#include <unistd.h>
#include "index/index.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"

enum { D = 5, N = 3, ROOM = 1 << 15 };
static char path[64];
static unsigned char whole[ROOM], bent[ROOM];
static struct kernel_set kernels; /* resolved once: a third of the time when every load does it */
static const struct index_config loading = { .threads = 1, .kernels = &kernels };

/* One of each way that a file is made of sections. */
static const char *const specs[] = { "flat", "turboquant:bits=2", "turboquant:bits=3,center=true,calibrate=true",
                                     "turboquant:bits=2,layout=blocked,estimator=prod_orth", "rabitq:bits=3", "sq:bits=4",
                                     "binary", "pq:m=2,nbits=4", "ivf:nlist=2,nprobe=2,inner=(flat)",
                                     "ivf:nlist=2,nprobe=2,residual=1,inner=(pq:m=1,nbits=4)",
                                     "ivf:nlist=2,nprobe=2,residual=1,inner=(turboquant:bits=2)" };
enum { SPECS = sizeof specs / sizeof *specs };

static struct index *make(const char *spec)
{
    struct index *ix = NULL;
    struct err e = { 0 };
    const struct index_config c = { .dim = D, .metric = METRIC_L2, .seed = 9, .threads = 1 };
    CHECK(index_create(&ix, spec, &c, &e) == ERR_OK, "%s: %s", spec, e.text);
    float x[N * D];
    struct rng r;
    rng_seed(&r, 1, 0);
    rng_normal(&r, x, N * D);
    const int64_t ids[N] = { 7, -1, 1LL << 60 };
    CHECK(index_add(ix, (struct rows){ x, N, D, D }, ids, &e) == ERR_OK, "%s", e.text);
    return ix;
}

static size_t slurp(unsigned char *bytes, size_t room)
{
    FILE *f = fopen(path, "rb");
    const size_t size = f ? fread(bytes, 1, room, f) : 0;
    if (f) fclose(f);
    return size;
}

/* Never cut to nothing first: ext4 then writes to the disk at close, 10 ms for each of 10,000 files. */
static void spill(const void *bytes, size_t size)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && ftruncate(fd, (off_t)size) == 0, "%s", path);
    if (fd >= 0) close(fd);
}

static void refused(const char *what, size_t at)
{
    struct index *ix = NULL;
    struct err e = { 0 };
    uint64_t fingerprint = 1234;
    CHECK(index_load(&ix, path, &loading, &fingerprint, &e) == ERR_FORMAT && !ix &&
              fingerprint == 1234 && strstr(e.text, path),
          "%s %zu: %d %s", what, at, e.code, e.text);
    CHECK(index_map(&ix, path, &loading, &fingerprint, &e) == ERR_FORMAT && !ix, "%s %zu mapped: %s", what, at, e.text);
    index_destroy(ix);
}

/* Recomputes the checksum, so that the checks behind it are what refuses (or, for harmless bytes, does not). */
static void seal(unsigned char *bytes, size_t size)
{
    const uint32_t crc = crc32_of(0, bytes, size - 4);
    memcpy(bytes + size - 4, &crc, 4);
}

static void every_flip_and_cut(void)
{
    for (size_t s = 0; s < SPECS; s++) {
        struct index *ix = make(specs[s]);
        struct err e = { 0 };
        CHECK(index_save(ix, path, 5, &e) == ERR_OK, "%s", e.text);
        index_destroy(ix);
        const size_t size = slurp(whole, sizeof whole);
        CHECK(size > 100 && size + 1 < sizeof whole, "%zu bytes", size);
        for (size_t at = 0; at < size; at += s < 2 ? 1 : 11) { /* the frame is the same for all */
            memcpy(bent, whole, size);
            bent[at] ^= (unsigned char)(1u << at % 8);
            spill(bent, size);
            refused("byte", at);
            spill(whole, at);
            refused("cut at", at);
        }
        memcpy(bent, whole, size);
        bent[size] = 0;
        spill(bent, size + 1);
        refused("one byte too long", size);
    }
}

static struct hit ask(const struct index *ix)
{
    static const float query[D] = { 1, -2, 3, 0, .5f };
    struct hit hits[N] = { 0 };
    size_t count;
    struct err e = { 0 };
    CHECK(index_search(ix, (struct rows){ query, 1, D, D }, N, 1, 1, hits, &count, &e) == ERR_OK, "%s", e.text);
    return hits[0];
}

/* A file with a good checksum and bad contents: from a foreign program, or made on purpose. */
static void sealed_nonsense_in(const char *spec, int step)
{
    struct index *ix = make(spec);
    struct err e = { 0 };
    CHECK(index_save(ix, path, 5, &e) == ERR_OK, "%s", e.text);
    index_destroy(ix);
    const size_t size = slurp(whole, sizeof whole);
    size_t loaded = 0;
    for (size_t at = 0; at < size - 4; at++)
        for (int value = 0; value < 256; value += step) {
            memcpy(bent, whole, size);
            if (bent[at] == value) continue;
            bent[at] = (unsigned char)value;
            seal(bent, size);
            spill(bent, size);
            ix = NULL;
            loaded += index_load(&ix, path, &loading, NULL, &e) == ERR_OK; /* padding and payload may be anything */
            if (ix) ask(ix);
            const int fine = ix != NULL;
            index_destroy(ix);
            if (value != 255) continue;
            ix = NULL;
            CHECK((index_map(&ix, path, &loading, NULL, &e) == ERR_OK) == fine, "%s: byte %zu: %s", spec, at, e.text);
            if (ix) ask(ix);
            index_destroy(ix);
        }
    CHECK(loaded > 0 && loaded < 4 * size, "%s: %zu loaded", spec, loaded);
}

static void sealed_nonsense(void)
{
    for (size_t s = 0; s < SPECS; s++) sealed_nonsense_in(specs[s], s < 2 ? 85 : 255);
}

/* A spec from a file has no library opened and no other file read. */
static void specs_that_reach_out(void)
{
    static const struct { const char *spec, *says; } bad[] = {
        { "peer:lib=faiss:(Flat)", "a peer cannot be loaded" },
        { "ids:file=/etc/passwd", "a ids cannot be loaded" },
        { "upstream:db=/etc/passwd", "wants another file: db=/etc/passwd" },
        { "ivf:inner=(peer:faiss:(Flat))", "cannot stand inside" },
        { "ivf:inner=(upstream:db=/etc/passwd)", "cannot stand inside" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct index *ix = make("flat");
        struct err e = { 0 };
        CHECK(index_save(ix, path, 5, &e) == ERR_OK, "%s", e.text);
        index_destroy(ix);
        const size_t size = slurp(whole, sizeof whole), spec_bytes = strlen(bad[i].spec);
        memcpy(whole + 12, &(uint32_t){ (uint32_t)spec_bytes }, 4);
        memcpy(whole + 56, bad[i].spec, spec_bytes);
        seal(whole, size);
        spill(whole, size);
        ix = NULL;
        CHECK(index_load(&ix, path, NULL, NULL, &e) == ERR_FORMAT && strstr(e.text, bad[i].says) && strstr(e.text, path),
              "%s: %s", bad[i].spec, e.text);
        index_destroy(ix);
    }
}

static void keeps_the_old(void)
{
    struct index *ix = make("flat"), *back = NULL;
    struct err e = { 0 };
    CHECK(index_save(ix, "/nonexistent/folder/file", 1, &e) == ERR_IO && strstr(e.text, "/nonexistent"), "%s", e.text);
    CHECK(index_load(&back, "/nonexistent/folder/file", NULL, NULL, &e) == ERR_NOT_FOUND, "%s", e.text);
    CHECK(index_save(ix, path, 1, &e) == ERR_OK && index_save(ix, path, 2, &e) == ERR_OK, "%s", e.text);
    uint64_t fingerprint = 0;
    CHECK(index_load(&back, path, NULL, &fingerprint, &e) == ERR_OK && fingerprint == 2, "%s", e.text);
    CHECK(back && back->config.dim == D && back->config.metric == METRIC_L2 && back->config.seed == 9, "header");
    index_destroy(back);
    index_destroy(ix);
}

/* Searched where it lies, like what was saved; it outlives its name, and nothing can be changed. */
static void mapped_is_the_same(void)
{
    static const char *const mapped[] = { "flat", "turboquant:bits=4", "turboquant:bits=1", "rabitq:bits=3",
                                         "sq:bits=8", "binary", "pq:m=1", "ivf:nlist=2,nprobe=2",
                                         "ivf:nlist=2,nprobe=2,inner=(flat)",
                                         "ivf:nlist=2,nprobe=2,residual=1,inner=(turboquant:bits=3)" };
    const float row[D] = { 1 };
    for (size_t s = 0; s < sizeof mapped / sizeof *mapped; s++) {
        struct index *ix = make(mapped[s]), *back = NULL;
        struct err e = { 0 };
        uint64_t fingerprint = 0;
        const struct hit before = ask(ix);
        CHECK(index_save(ix, path, 77, &e) == ERR_OK, "%s: %s", mapped[s], e.text);
        CHECK(index_map(&back, path, NULL, &fingerprint, &e) == ERR_OK, "%s: %s", mapped[s], e.text);
        CHECK(fingerprint == 77, "%llu", (unsigned long long)fingerprint);
        unlink(path);
        index_destroy(ix);
        if (!back) continue;
        const struct hit after = ask(back);
        CHECK(before.id == after.id && before.score == after.score, "%s: %g, mapped %g", mapped[s], (double)before.score,
              (double)after.score);
        CHECK(index_add(back, (struct rows){ row, 1, D, D }, NULL, &e) == ERR_UNSUPPORTED && strstr(e.text, "mapped"),
              "%s: %s", mapped[s], e.text);
        CHECK(index_remove(back, 7, &e) == ERR_UNSUPPORTED, "%s: %s", mapped[s], e.text);
        CHECK(index_save(back, path, 78, &e) == ERR_OK, "%s: %s", mapped[s], e.text);
        index_destroy(back);
    }
}

int main(void)
{
    snprintf(path, sizeof path, "/tmp/assay_test_persist_%ld", (long)getpid());
    struct err e = { 0 };
    if (kernel_set_resolve(&kernels, NULL, &e) != ERR_OK) return fprintf(stderr, "%s\n", e.text), TEST_FAIL;
    test_case("every flipped byte and every cut is refused", every_flip_and_cut);
    test_case("nonsense with a good checksum never crashes", sealed_nonsense);
    test_case("a spec from a file reaches for nothing else", specs_that_reach_out);
    test_case("a mapped file is searched where it lies", mapped_is_the_same);
    test_case("saving replaces whole files only", keeps_the_old);
    unlink(path);
    return test_end();
}
