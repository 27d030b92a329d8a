/* SPDX-License-Identifier: MIT
 * test_persist.c - a damaged index file is refused, whatever the damage, and a failed save loses nothing. */
#include <unistd.h>
#include "index/index.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"

enum { D = 5, N = 3 };
static char path[64];

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

static void spill(const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(bytes, 1, size, f) == size, "%s", path);
    if (f) fclose(f);
}

static void refused(const char *what, size_t at)
{
    struct index *ix = NULL;
    struct err e = { 0 };
    uint64_t fingerprint = 1234;
    CHECK(index_load(&ix, path, NULL, &fingerprint, &e) == ERR_FORMAT && !ix &&
              fingerprint == 1234 && strstr(e.text, path),
          "%s %zu: %d %s", what, at, e.code, e.text);
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
    static const char *const specs[] = { "flat", "turboquant:bits=2" };
    static unsigned char whole[8192], bent[8192];
    for (size_t s = 0; s < 2; s++) {
        struct index *ix = make(specs[s]);
        struct err e = { 0 };
        CHECK(index_save(ix, path, 5, &e) == ERR_OK, "%s", e.text);
        index_destroy(ix);
        const size_t size = slurp(whole, sizeof whole);
        CHECK(size > 100 && size < sizeof whole, "%zu bytes", size);
        for (size_t at = 0; at < size; at++) {
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

/* A file with a good checksum and bad contents: from a foreign program, or made on purpose. */
static void sealed_nonsense(void)
{
    static unsigned char whole[8192], bent[8192];
    struct index *ix = make("turboquant:bits=2");
    struct err e = { 0 };
    CHECK(index_save(ix, path, 5, &e) == ERR_OK, "%s", e.text);
    index_destroy(ix);
    const size_t size = slurp(whole, sizeof whole);
    size_t loaded = 0;
    for (size_t at = 0; at < size - 4; at++)
        for (int value = 0; value < 256; value += 85) {
            memcpy(bent, whole, size);
            if (bent[at] == value) continue;
            bent[at] = (unsigned char)value;
            seal(bent, size);
            spill(bent, size);
            ix = NULL;
            loaded += index_load(&ix, path, NULL, NULL, &e) == ERR_OK; /* padding and payload may be anything */
            index_destroy(ix);
        }
    CHECK(loaded > 0 && loaded < 4 * size, "%zu loaded", loaded);
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

int main(void)
{
    snprintf(path, sizeof path, "/tmp/assay_test_persist_%ld", (long)getpid());
    test_case("every flipped byte and every cut is refused", every_flip_and_cut);
    test_case("nonsense with a good checksum never crashes", sealed_nonsense);
    test_case("saving replaces whole files only", keeps_the_old);
    unlink(path);
    return test_end();
}
