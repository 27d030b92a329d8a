/* SPDX-License-Identifier: MIT
 * test_base.c - the floor: top-k, specs and parameters, random numbers, text, memory, time. */
#include "kernels/base/clock.h"
#include "kernels/base/faults.h"
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"
#include "kernels/base/param.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"
#include "kernels/base/topk.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static void topk_is_a_sort(void)
{
    enum { N = 500 };
    struct hit all[N], held[N];
    for (size_t k = 0; k <= 64; k += k < 8 ? 1 : 28) {
        struct topk t;
        topk_init(&t, held, k);
        for (int i = 0; i < N; i++) {
            all[i] = (struct hit){ (int64_t)(test_rand() % 1000000), (float)(test_rand() % 40) };
            topk_push(&t, all[i].id, all[i].score);
        }
        hits_sort(all, N);
        CHECK(topk_finish(&t) == k, "k=%zu", k);
        for (size_t i = 0; i < k; i++)
            CHECK(held[i].id == all[i].id && held[i].score == all[i].score, "k=%zu place %zu", k, i);
    }
}

static const struct param table[] = {
    { "bits", PARAM_INT, 1, 8, "3", "bits", NULL, "code width" },
    { "eps0", PARAM_REAL, 0, 10, "1.9", "", NULL, "bound" },
    { "layout", PARAM_CHOICE, 0, 0, "auto", "", "split|blocked|auto", "layout" },
    { "inner", PARAM_SPEC, 0, 0, "flat", "", NULL, "inner" },
    { "on", PARAM_FLAG, 0, 0, "true", "", NULL, "switch" },
    { 0 }
};

static void params_parse_and_print(void)
{
    struct params *p = NULL;
    struct err e = { 0 };
    CHECK(params_create(&p, table, "thing", "inner=(ivf:a=1,inner=(x:b=2)),bits=04,on=0", &e) == ERR_OK, "%s", e.text);
    CHECK(params_int(p, "bits") == 4 && !params_int(p, "on") && params_int(p, "layout") == 2, "values");
    CHECK(!strcmp(params_text(p, "inner"), "ivf:a=1,inner=(x:b=2)"), "%s", params_text(p, "inner"));
    struct text canonical = { 0 };
    params_canonical(p, &canonical);
    CHECK(!strcmp(text_of(&canonical), "thing:bits=4,inner=(ivf:a=1,inner=(x:b=2)),on=false"), "%s",
          text_of(&canonical));
    text_free(&canonical);
    params_destroy(p);
}

static void params_refuse(void)
{
    static const struct { const char *args, *says; } bad[] = {
        { "bits=9", "thing: bits=9 outside 1..8" }, { "bit=3", "nearest is 'bits'" },
        { "bits", "not key=value" },                { "bits=x", "not a whole number" },
        { "eps0=nan", "not a number" },             { "layout=spilt", "none of split|blocked|auto" },
        { "inner=(a", "do not balance" },           { "bits=99999999999999999999", "not a whole number" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct params *p = NULL;
        struct err e = { 0 };
        CHECK(params_create(&p, table, "thing", bad[i].args, &e) == ERR_ARG && !p, "%s", bad[i].args);
        CHECK(strstr(e.text, bad[i].says), "%s: %s", bad[i].args, e.text);
    }
}

static int collect(const char *spec, void *context)
{
    text_add(context, "%s ", spec);
    return 0;
}

static void specs_expand(void)
{
    struct text seen = { 0 };
    struct err e = { 0 };
    CHECK(spec_expand("ivf:nlist=2,inner=(tq:bits=2..3,r=1..2)", collect, &seen, &e) == ERR_OK, "%s", e.text);
    CHECK(!strcmp(text_of(&seen), "ivf:nlist=2,inner=(tq:bits=2,r=1) ivf:nlist=2,inner=(tq:bits=2,r=2) "
                                  "ivf:nlist=2,inner=(tq:bits=3,r=1) ivf:nlist=2,inner=(tq:bits=3,r=2) "), "%s",
          text_of(&seen));
    CHECK(spec_expand("tq:bits=3..2", collect, &seen, &e) == ERR_ARG, "empty range");
    text_clear(&seen);
    CHECK(spec_expand("ids:../x..y", collect, &seen, &e) == ERR_OK && !strcmp(text_of(&seen), "ids:../x..y "),
          "a path");
    text_clear(&seen);
    CHECK(spec_expand("x:a=1..100,b=(y:c=1..101)", collect, &seen, &e) == ERR_ARG && !seen.size && strstr(e.text, "10000"),
          "%s", e.text);
    CHECK(spec_expand("x:a=2..1", collect, &seen, &e) == ERR_ARG && !seen.size, "%s", e.text);
    CHECK(spec_expand("x:a=0..9223372036854775807", collect, &seen, &e) == ERR_ARG && !seen.size, "%s", e.text);
    text_free(&seen);
    CHECK(spec_says("x:a=1,bb=2", "a", 0) && !spec_says("x:aa=1", "a", 0) && !spec_says("a", "a", 0), "keys of a spec");
    CHECK(!spec_says("x:y=(z:a=1)", "a", 0) && spec_says("x:y=(z:a=1)", "a", 1), "and of one inside");
}

/* Recorded once on x86-64: every machine must draw the same. */
static void random_numbers_are_fixed(void)
{
    enum { N = 100001 };
    float *z = mem_alloc(N, sizeof *z);
    struct rng r;
    rng_seed(&r, 42, 7);
    rng_normal(&r, z, N);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) sum += z[i], squares += (double)z[i] * z[i];
    CHECK(sum / N > -0.013 && sum / N < 0.013, "mean %g", sum / N);
    CHECK(squares / N > 0.98 && squares / N < 1.02, "variance %g", squares / N);
    const uint64_t hash = hash64(0, z, N * sizeof *z);
    CHECK(hash == 0x515e87553939a4c0u, "hash of normals is %#llx", (unsigned long long)hash);
    mem_free(z);
}

static void crc_matches_the_standard(void)
{
    CHECK(crc32_of(0, "123456789", 9) == 0xcbf43926u, "check value of CRC-32/ISO-HDLC");
    CHECK(crc32_of(crc32_of(0, "1234", 4), "56789", 5) == 0xcbf43926u, "chained");
    /* Long inputs take another way: 65,536 + 5 bytes at once and in pieces. */
    static unsigned char many[65541];
    for (size_t i = 0; i < sizeof many; i++) many[i] = (unsigned char)test_rand();
    uint32_t pieces = 0;
    for (size_t i = 0; i < sizeof many; i += 61)
        pieces = crc32_of(pieces, many + i, sizeof many - i < 61 ? sizeof many - i : 61);
    CHECK(crc32_of(0, many, sizeof many) == pieces, "in pieces");
}

static void memory_fails_cleanly(void)
{
    CHECK(!mem_alloc(SIZE_MAX / 2, 4), "overflow");
    fault_after(FAULT_MEMORY, 2, ENOMEM);
    void *a = mem_alloc(1, 1), *b = mem_alloc(1, 1), *c = mem_alloc(1, 1);
    CHECK(a && !b && c, "second of three");
    mem_free(a);
    mem_free(c);
    struct mem_map map;
    struct err e = { 0 };
    CHECK(mem_map_open(&map, "/nonexistent/file", &e) == ERR_NOT_FOUND && strstr(e.text, "/nonexistent/file"), "%s",
          e.text);
}

static void time_goes_on(void)
{
    const uint64_t start = clock_ns();
    uint64_t last = start;
    while (last - start < 2000000) { /* 2 ms */
        const uint64_t now = clock_ns();
        CHECK(now >= last, "%llu after %llu", (unsigned long long)now, (unsigned long long)last);
        last = now;
    }
    const double first = clock_since_s(start), second = clock_since_s(start);
    CHECK(first >= 0.002 && second >= first && second < 3600, "%g and %g s", first, second);
}

static void memory_grows(void)
{
    uint32_t *numbers = NULL, *before;
    size_t room = 0, count = 0;
    for (; count < 1000; count++) {
        CHECK(mem_one_more(&numbers, count, &room, sizeof *numbers) && room > count, "one more than %zu", count);
        numbers[count] = (uint32_t)count * 7;
    }
    for (size_t i = 0; i < count; i++) CHECK(numbers[i] == i * 7, "%zu is kept", i);
    CHECK(mem_one_more(&numbers, 5 * room, &room, sizeof *numbers) && room > 5 * count, "far beyond its room: %zu", room);
    CHECK(numbers[999] == 999 * 7 && numbers[room - 1] == 0, "kept, and zero beyond");
    before = numbers;
    const size_t had = room;
    fault_after(FAULT_MEMORY, 1, ENOMEM);
    CHECK(!mem_one_more(&numbers, room, &room, sizeof *numbers) && numbers == before && room == had, "without memory");
    CHECK(!mem_extend(&numbers, room, SIZE_MAX / 2, sizeof *numbers) && numbers == before, "too much for any");
    CHECK(mem_extend(&numbers, room, room + 3, sizeof *numbers) && numbers[999] == 999 * 7 && numbers[room + 2] == 0,
          "to a given size");
    mem_free(numbers);
}

static void parts_of_a_block(void)
{
    static const size_t sizes[] = { 1, 64, 0, 65, 1000, 0 };
    enum { PARTS = sizeof sizes / sizeof *sizes };
    struct mem_parts counted = { 0 };
    for (size_t i = 0; i < PARTS; i++) CHECK(!mem_part(&counted, sizes[i]), "nothing is placed over NULL");
    CHECK(counted.bytes == 64 + 64 + 0 + 128 + 1024 + 0, "%zu", counted.bytes);
    char *block = test_fenced(counted.bytes);
    struct mem_parts placed = { .at = block };
    for (size_t i = 0; i < PARTS; i++) {
        char *part = mem_part(&placed, sizes[i]);
        CHECK((part - block) % MEM_ALIGN == 0 && part + sizes[i] <= block + counted.bytes, "part %zu", i);
        memset(part, (int)i + 1, sizes[i]);
    }
    CHECK(placed.bytes == counted.bytes, "%zu placed, %zu counted", placed.bytes, counted.bytes);
    CHECK(block[0] == 1 && block[64] == 2 && block[127] == 2 && block[128] == 4 && block[192] == 4 && block[256] == 5, "apart");
}

static void nearest_names(void)
{
    static const char *const names[] = { "flat", "turboquant", "ivf", "rabitq" };
    static const struct { const char *wanted, *says; } cases[] = {
        { "turbo", "; nearest is 'turboquant'" }, /* a beginning */
        { "rabitk", "; nearest is 'rabitq'" },
        { "truboquant", "; nearest is 'turboquant'" },
        { "xyz", "; there are flat, turboquant, ivf, rabitq" }, /* three letters of three say nothing */
        { "hnsw", "; there are flat, turboquant, ivf, rabitq" },
        { "", "; there are flat, turboquant, ivf, rabitq" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK(strcmp(NEAREST(cases[i].wanted, names, 4), cases[i].says) == 0, "%s%s", cases[i].wanted,
              NEAREST(cases[i].wanted, names, 4));
    const char *many[100];
    for (size_t i = 0; i < 100; i++) many[i] = "turboquant";
    const char *said = NEAREST("xyz", many, 100);
    CHECK(strlen(said) < sizeof(struct hint) && strcmp(said + strlen(said) - 5, ", ...") == 0, "%s", said);
    CHECK(*NEAREST("xyz", many, 0) == 0, "no names, nothing to say");
}

/* What a stranger names is printed and written: nothing in it is obeyed, all of it is valid. */
static void strange_texts(void)
{
    static const struct { const char *text, *plain, *json; } all[] = {
        { "Pump 4", "Pump 4", "\"Pump 4\"" },
        { "a\x1b[2Jb\r\n\t\x7f", "a?[2Jb????", "\"a\\u001b[2Jb\\u000d\\n\\t\\u007f\"" },
        { "\xc2\x9b" "2J\xc2\xa0", "?2J\xc2\xa0", "\"\\u009b2J\xc2\xa0\"" },
        { "\x9b" "2J\xff", "?2J?", "\"\\ufffd2J\\ufffd\"" },
        { "\xe4\xba\xba\xf0\x9f\x98\x80\"\\", "\xe4\xba\xba\xf0\x9f\x98\x80\"\\", "\"\xe4\xba\xba\xf0\x9f\x98\x80\\\"\\\\\"" },
        { "\xc0\x9b\xe4\xba", "????", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" }, /* longer than needed; cut */
        { "\xed\xa0\x80", "???", "\"\\ufffd\\ufffd\\ufffd\"" },            /* a surrogate */
        { "\xf4\x90\x80\x80", "????", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" }, /* above U+10FFFF */
    };
    struct text t = { 0 };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        CHECK(strcmp(text_plain(&t, all[i].text), all[i].plain) == 0, "%zu: %s", i, text_of(&t));
        text_clear(&t);
        text_add_json(&t, all[i].text);
        CHECK(strcmp(text_of(&t), all[i].json) == 0, "%zu: %s", i, text_of(&t));
    }
    text_clear(&t);
    text_add_plain_lines(&t, "a\x1b\nb\tc\n");
    CHECK(strcmp(text_of(&t), "a?\nb?c\n") == 0, "%s", text_of(&t));
    text_free(&t);
}

static void only_files_are_replaced(void)
{
    struct err e = { 0 };
    CHECK(file_replaceable("/proc/self/exe.none", &e) == ERR_OK, "nothing there: %s", e.text);
    CHECK(file_replaceable("/dev/null", &e) == ERR_ARG && strstr(e.text, "/dev/null"), "a device: %s", e.text);
    CHECK(file_replaceable("/proc/self/exe", &e) == ERR_ARG, "a link");
    CHECK(file_replaceable("/", &e) == ERR_ARG, "a folder");
    CHECK(file_replaceable("/proc/self/status", &e) == ERR_OK, "a file: %s", e.text);
}

/* A process that is killed while it fills a partial file. */
static void dies_filling(const void *path, void *unused, void *unused_too)
{
    (void)unused, (void)unused_too;
    char *name = NULL;
    int fd = -1;
    if (file_partial(path, &name, &fd, NULL) == ERR_OK) abort();
}

static void partial_files(void)
{
    char folder[] = "/tmp/assay_base_XXXXXX", path[64], other[64];
    char *first = NULL, *second = NULL;
    struct err e = { 0 };
    int fd = -1, fd2 = -1;
    CHECK(mkdtemp(folder) != NULL, "mkdtemp");
    snprintf(path, sizeof path, "%s/a", folder);
    snprintf(other, sizeof other, "%s/a.1-0.partial.txt", folder);
    FILE *f = fopen(other, "w"); /* of no concern */
    if (f) fclose(f);
    (void)test_child(dies_filling, path, NULL, NULL);
    CHECK(file_partial(path, &first, &fd, &e) == ERR_OK, "%s", e.text);
    CHECK(file_partial(path, &second, &fd2, &e) == ERR_OK && strcmp(first, second) != 0, "%s", e.text);
    CHECK(access(first, F_OK) == 0 && access(second, F_OK) == 0 && access(other, F_OK) == 0, "files in use stay");
    char count[128];
    snprintf(count, sizeof count, "test $(ls %s | wc -l) = 3", folder);
    CHECK(system(count) == 0, "what the dead process left is gone");
    CHECK(unlink(first) == 0 && unlink(second) == 0 && unlink(other) == 0 && rmdir(folder) == 0, "clean");
    close(fd), close(fd2);
    free(first), free(second);
    CHECK(file_partial("/nonexistent/a", &first, &fd, &e) == ERR_IO && strstr(e.text, "/nonexistent/a"), "%s", e.text);
}

static void publishing(void)
{
    char folder[] = "/tmp/assay_base_XXXXXX", path[64], left[64];
    char *name = NULL, byte = 0;
    struct err e = { 0 };
    int fd = -1;
    CHECK(mkdtemp(folder) != NULL, "mkdtemp");
    snprintf(path, sizeof path, "%s/a", folder);
    for (int i = 0; i < 4; i++) { /* new, new over it, replacing, and nowhere to go */
        static const int want[] = { ERR_OK, ERR_ARG, ERR_OK, ERR_IO };
        CHECK(file_partial(path, &name, &fd, &e) == ERR_OK && write(fd, &"1234"[i], 1) == 1, "%s", e.text);
        if (i == 3) CHECK(unlink(name) == 0, "%s", name);
        CHECK(file_publish(name, fd, path, i < 2 ? FILE_NEW : FILE_REPLACE, &e) == want[i], "%d: %s", i, e.text);
        CHECK(want[i] == ERR_OK || strstr(e.text, path), "%d: names the path: %s", i, e.text);
        CHECK(access(name, F_OK) != 0, "%d: %s is left", i, name);
        close(fd);
        free(name);
    }
    FILE *f = fopen(path, "r");
    CHECK(f && fread(&byte, 1, 1, f) == 1 && byte == '3', "'%c'", byte);
    if (f) fclose(f);
    snprintf(left, sizeof left, "%s/a.1-0.partial", folder); /* killed between link and unlink */
    CHECK(link(path, left) == 0, "%s", left);
    file_sweep(path);
    CHECK(access(left, F_OK) != 0 && access(path, F_OK) == 0, "only the second name goes");
    CHECK(unlink(path) == 0 && rmdir(folder) == 0, "clean");
}

static void *nothing(void *argument) { return argument; }

/* The n-th call of every kind, and no other. */
static void faults_happen_where_planned(void)
{
    char path[] = "/tmp/assay_fault_XXXXXX", bytes[8] = "";
    const int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, "12345678", 8) == 8, "%s", path);
    FILE *f = fopen(path, "r+");
    for (int n = 1; f && n <= 3; n++) {
        pthread_t t;
        fault_after(FAULT_WRITE, n, ENOSPC);
        CHECK((write(fd, "a", 1) == 1) == (n != 1) && fault_hit() == (n == 1), "write, %d", n);
        fault_after(FAULT_WRITE, n, FAULT_SHORT);
        CHECK(write(fd, "abcd", 4) == (n == 1 ? 2 : 4), "short write, %d", n);
        fault_after(FAULT_READ, n, EIO);
        CHECK((pread(fd, bytes, 1, 0) == 1) && (read(fd, bytes, 1) >= 0) == (n != 1), "read, %d", n);
        fault_after(FAULT_SYNC, n, EIO);
        CHECK((fsync(fd) == 0) == (n != 1) && (n != 1 || errno == EIO), "fsync, %d", n);
        fault_after(FAULT_RENAME, n, EXDEV);
        CHECK((rename(path, path) == 0) == (n != 1) && (n != 1 || errno == EXDEV), "rename, %d", n);
        fault_after(FAULT_THREAD, n, EAGAIN);
        const int rc = pthread_create(&t, NULL, nothing, NULL);
        CHECK(rc == (n == 1 ? EAGAIN : 0), "thread, %d: %d", n, rc);
        if (rc == 0) pthread_join(t, NULL);
    }
    fault_from(FAULT_WRITE, 2, ENOSPC);
    CHECK(f && fputs("x", f) >= 0 && !ferror(f) && fputs("y", f) < 0 && ferror(f), "a stream knows that it failed");
    CHECK(write(fd, "a", 1) < 0 && write(fd, "a", 1) < 0, "and all that follow");
    fault_after(FAULT_NONE, 0, 0);
    CHECK(f && fclose(f) == 0 && close(fd) == 0 && unlink(path) == 0, "as usual afterwards");
}

static void add_up(void *context, int thread, size_t from, size_t to)
{
    (void)thread;
    for (; from < to; from++) atomic_fetch_add((_Atomic long *)context, (long)from);
}

static void refused_threads_are_done_without(void)
{
    for (int n = 1; n <= 5; n++) {
        _Atomic long sum = 0;
        fault_from(FAULT_THREAD, n, EAGAIN);
        parallel_for(4, 1000, 7, add_up, &sum);
        CHECK(fault_hit() == (n <= 3), "%d threads refused", 4 - n);
        fault_after(FAULT_NONE, 0, 0);
        CHECK(sum == 499500, "%ld with %d threads", (long)sum, n);
    }
}

int main(void)
{
    test_case("a file gets its name when it is whole", publishing);
    test_case("partial files, and those of killed processes", partial_files);
    test_case("topk equals a sort, ties by id", topk_is_a_sort);
    test_case("parameters parse and print canonically", params_parse_and_print);
    test_case("bad parameters are refused by name and value", params_refuse);
    test_case("ranges in specs expand", specs_expand);
    test_case("random numbers are the same everywhere", random_numbers_are_fixed);
    test_case("crc32", crc_matches_the_standard);
    test_case("memory failures", memory_fails_cleanly);
    test_case("the clock never goes back", time_goes_on);
    test_case("a planned fault happens at its call", faults_happen_where_planned);
    test_case("refused threads are done without", refused_threads_are_done_without);
    test_case("parts of a block are counted as they are placed", parts_of_a_block);
    test_case("blocks grow in place, and stay as they were without memory", memory_grows);
    test_case("nearest names", nearest_names);
    test_case("texts that are not obeyed", strange_texts);
    test_case("only files are replaced", only_files_are_replaced);
    return test_end();
}
