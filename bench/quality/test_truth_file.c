/* SPDX-License-Identifier: MIT
 * test_truth_file.c - truth in shards and after a kill: the same bytes as in one go; damage, other content and a full
 * disk are named. */
#include "bench/quality/truth_file.h"
#include "kernels/base/faults.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"
#include <errno.h>

enum { N = 900, Q = 53, D = 12, K = 7 };
static float base_at[N * D], query_at[Q * D];
static char folder[] = "/tmp/assay-test-XXXXXX", out[64], work[80];
static const struct truth_key key = { 11, 22, 0 };

static struct truth_job job_of(int threads)
{
    return (struct truth_job){ .base = { base_at, N, D, D }, .query = { query_at, Q, D, D }, .k = K,
                              .metric = METRIC_COSINE,
                               .threads = threads };
}

/* The whole of a file; its size. */
static size_t slurp(const char *path, unsigned char *to, size_t room)
{
    FILE *f = fopen(path, "rb");
    const size_t size = f ? fread(to, 1, room, f) : 0;
    if (f) fclose(f);
    return size;
}

static void check_result(const char *when)
{
    static unsigned char got[Q * (K + 1) * 4 + 100];
    struct truth t = { 0 };
    struct err e = { 0 };
    const struct truth_job job = job_of(1);
    CHECK(truth_run(&t, &job, &e) == ERR_OK, "%s", e.text);
    CHECK(slurp(out, got, sizeof got) == Q * (K + 1) * 4, "%s: size", when);
    for (size_t q = 0; q < Q; q++) CHECK(memcmp(got + q * (K + 1) * 4 + 4, t.ids + q * K, K * 4) == 0, "%s: query %zu",
                                         when, q);
    truth_free(&t);
    unlink(out);
}

static void in_one_go(void)
{
    const struct truth_job job = job_of(2);
    struct truth_done done = { 0 };
    struct err e = { 0 };
    CHECK(truth_to_file(out, &job, &key, 0, 1, &done,
                        &e) == ERR_OK && done.computed == Q && done.found == 0 && done.k == K, "%s", e.text);
    CHECK(access(work, F_OK) != 0, "the work file goes");
    check_result("one go");
}

static void in_shards(void)
{
    struct truth_done done = { 0 };
    struct err e = { 0 };
    char path[96];
    CHECK(truth_merge(out, 5, &done, &e) == ERR_NOT_FOUND && strstr(e.text, "shard-0-of-5"), "%s", e.text);
    size_t computed = 0;
    for (size_t s = 0; s < 5; s++) {
        const struct truth_job job = job_of(1 + (int)s % 2);
        if (s == 3) CHECK(truth_merge(out, 5, &done, &e) == ERR_NOT_FOUND && strstr(e.text, "shard-3-of-5"), "%s",
                          e.text);
        CHECK(truth_to_file(out, &job, &key, s, 5, &done, &e) == ERR_OK, "%s", e.text);
        computed += done.computed;
    }
    CHECK(computed == Q, "%zu queries in all", computed);
    CHECK(truth_merge(out, 5, &done, &e) == ERR_OK && done.found == Q, "%s", e.text);
    check_result("shards");
    /* One of other queries, and one that lacks some. */
    const struct truth_job job = job_of(1);
    const struct truth_key other = { 11, 23, 0 };
    snprintf(path, sizeof path, "%s.shard-2-of-5", out);
    CHECK(truth_to_file(out, &job, &other, 2, 5, &done, &e) == ERR_ARG && strstr(e.text, path), "%s", e.text);
    CHECK(unlink(path) == 0 && truth_to_file(out, &job, &other, 2, 5, &done, &e) == ERR_OK, "%s", e.text);
    CHECK(truth_merge(out, 5, &done, &e) == ERR_ARG && strstr(e.text, "than shard 0"), "%s", e.text);
    CHECK(truncate(path, 9 * 8) == 0 && truth_merge(out, 5, &done, &e) == ERR_ARG, "%s", e.text);
    CHECK(access(out, F_OK) != 0, "nothing is written");
    CHECK(truth_to_file(out, &job, &key, 5, 5, &done, &e) == ERR_ARG && strstr(e.text, "shard 5 of 5"), "%s", e.text);
    for (int s = 0; s < 5; s++) {
        snprintf(path, sizeof path, "%s.shard-%d-of-5", out, s);
        CHECK(unlink(path) == 0, "%s", path);
    }
}

/* A run that cannot write beyond some record leaves a work file; another goes on from it. */
static void after_a_kill(void)
{
    static unsigned char bytes[1 << 16];
    struct truth_done done = { 0 };
    struct err e = { 0 };
    int resumed = 0;
    for (long n = 1; n < 12; n++) {
        struct truth_job job = job_of(8); /* tiles of 7 queries */
        fault_from(FAULT_WRITE, n, ENOSPC);
        const int status = truth_to_file(out, &job, &key, 0, 1, &done, &e);
        const int hit = fault_hit();
        fault_after(FAULT_NONE, 0, 0);
        if (!hit) {
            CHECK(status == ERR_OK, "%s", e.text);
            check_result("not hit");
            break;
        }
        CHECK(status == ERR_IO && access(out, F_OK) != 0, "write %ld: %d %s", n, status, e.text);
        if (access(work, F_OK) != 0) continue;
        /* torn, as a kill within a write leaves it */
        const size_t size = slurp(work, bytes, sizeof bytes);
        if (size > 9 * 8 + 20) CHECK(truncate(work, (off_t)size - 5) == 0, "tear");
        job = job_of(3);
        const int again = truth_to_file(out, &job, &key, 0, 1, &done, &e);
        CHECK(again == ERR_OK && done.found + done.computed == Q, "write %ld: %s", n, e.text);
        resumed += done.found > 0;
        check_result("resumed");
    }
    CHECK(resumed > 2, "%d runs went on from what was there", resumed);
}

static void damage_and_other_content(void)
{
    struct truth_job job = job_of(1);
    struct truth_done done = { 0 };
    struct err e = { 0 };
    const struct truth_key other = { 11, 22, 33 };
    char path[96];
    snprintf(path, sizeof path, "%s.shard-0-of-2", out);
    CHECK(truth_to_file(out, &job, &key, 0, 2, &done, &e) == ERR_OK && done.computed == 26, "%s", e.text);
    CHECK(truth_to_file(out, &job, &other, 0, 2, &done, &e) == ERR_ARG && strstr(e.text, "filter"), "%s", e.text);
    job.k = 6;
    CHECK(truth_to_file(out, &job, &key, 0, 2, &done, &e) == ERR_ARG, "another k");
    job.k = K;
    job.metric = METRIC_L2;
    CHECK(truth_to_file(out, &job, &key, 0, 2, &done, &e) == ERR_ARG, "another metric");
    job.metric = METRIC_COSINE;
    CHECK(truth_to_file(out, &job, &key, 0, 2, &done, &e) == ERR_OK && done.found == 26 && done.computed == 0, "%s",
          e.text);
    /* A bit of an answer: its record no longer counts. */
    FILE *f = fopen(path, "r+b");
    if (!f || fseek(f, 9 * 8 + 8 + 3, SEEK_SET) || fputc(0x55, f) == EOF || fclose(f)) abort();
    CHECK(truth_to_file(out, &job, &key, 0, 2, &done, &e) == ERR_OK && done.computed == 26, "damaged: %zu computed",
          done.computed);
    f = fopen(path, "w");
    if (!f || fputs("not a work file, but longer than the head of one, which has nine numbers of eight bytes",
                    f) < 0 || fclose(f)) abort();
    CHECK(truth_to_file(out, &job, &key, 0, 2, &done, &e) == ERR_FORMAT && strstr(e.text, path), "%s", e.text);
    CHECK(unlink(path) == 0, "clean up");
}

int main(void)
{
    struct rng r;
    if (!mkdtemp(folder)) return TEST_FAIL;
    snprintf(out, sizeof out, "%s/t.ivecs", folder);
    snprintf(work, sizeof work, "%s.part", out);
    rng_seed(&r, 1, 0);
    rng_normal(&r, base_at, N * D);
    rng_normal(&r, query_at, Q * D);
    test_case("in one go", in_one_go);
    test_case("in shards, merged", in_shards);
    test_case("after a kill", after_a_kill);
    test_case("damage and other content", damage_and_other_content);
    return rmdir(folder) == 0 ? test_end() : TEST_FAIL;
}
