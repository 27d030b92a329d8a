/* SPDX-License-Identifier: MIT
 * test.h - the whole test framework: check, random numbers, fenced buffers, a child a case, and
 * TAP lines that scripts/run_tests.sh counts.  Ours rather than cmocka, because the same tests are
 * cross-compiled and run under qemu, where every library costs a foreign package. */
#ifndef ASSAY_TEST_H
#define ASSAY_TEST_H
/* Not every test uses all of it. */
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
enum { TEST_PASS = 0, TEST_FAIL = 1, TEST_SKIP = 77 };
static int test_failures;
/* Under a heading ("op=isa/variant") its name comes first, then three cases, then how many more. */
enum { TEST_SHOWN = 3, TEST_ENOUGH = 100 };
static const char *test_heading;
static inline int test_failed(void)
{
    if (test_heading && test_failures == 0) fprintf(stderr, "%s:\n", test_heading);
    return ++test_failures <= TEST_SHOWN || !test_heading;
}
static inline int test_enough(void) { return test_failures >= TEST_ENOUGH; } /* a long search may stop */
static inline void test_say_rest(void)
{
    if (test_heading && test_failures > TEST_SHOWN)
        fprintf(stderr, "%s: and %s%d more\n", test_heading, test_enough() ? "at least " : "", test_failures - TEST_SHOWN);
}
#define CHECK(cond, ...) \
    do { if (!(cond) && test_failed()) { fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #cond); \
         fprintf(stderr, __VA_ARGS__); fputc('\n', stderr); } } while (0)
static uint64_t test_seed = 1;
static inline uint64_t test_rand(void)
{
    uint64_t z = test_seed += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}
/* `size` bytes whose last byte touches an unreadable page: one byte too far is a fault. */
static inline void *test_fenced(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), span = (size + page - 1) / page * page;
    char *p = mmap(NULL, span + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + span, page, PROT_NONE)) abort();
    return p + span - size;
}
/* Runs fn in a child, so a fault in one kernel is that kernel's failure and no other's. */
static const char TEST_SAID_OK[] = "ok";
static inline const char *test_child(void (*fn)(const void *, void *, void *), const void *k, void *a, void *b)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) { test_failures = 0; fn(k, a, b); test_say_rest(); fflush(NULL); _exit(test_failures ? TEST_FAIL : TEST_PASS); }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return "FAIL: fork";
    if (WIFSIGNALED(status)) return strsignal(WTERMSIG(status));
    return WEXITSTATUS(status) == TEST_PASS ? TEST_SAID_OK : "FAIL";
}
/* Every test program prints one TAP line a case; scripts/run_tests.sh counts them. */
static int test_cases, test_bad_cases;
static const char *test_skip_reason;
static inline void test_line(const char *name, int ok, const char *why_skipped)
{
    test_cases++;
    test_bad_cases += !ok;
    printf("%s %d - %s%s%s\n", ok ? "ok" : "not ok", test_cases, name, why_skipped ? " # SKIP " : "",
           why_skipped ? why_skipped : "");
    fflush(stdout);
}
/* Inside a case: SKIP("needs ../shared"); */
#define SKIP(why) do { test_skip_reason = (why); return; } while (0)
static inline void test_case(const char *name, void (*fn)(void))
{
    const int before = test_failures;
    test_skip_reason = NULL;
    fn();
    test_line(name, test_failures == before, test_failures == before ? test_skip_reason : NULL);
}
static inline int test_end(void)
{
    printf("1..%d\n", test_cases);
    return test_bad_cases ? TEST_FAIL : TEST_PASS;
}
#endif
