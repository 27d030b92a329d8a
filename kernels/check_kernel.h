/* SPDX-License-Identifier: MIT
 * check_kernel.h - what tests of kernels share: every variant in its own child, STRICT, memory
 * fenced on both sides. */
#ifndef ASSAY_CHECK_KERNEL_H
#define ASSAY_CHECK_KERNEL_H
#include <fcntl.h>
#include "kernels/base/test.h"
#include "kernels/kernel.h"

/* STRICT=avx512vnni,neon turns "this CPU cannot run it" into a failure for those ISAs. */
static inline int check_strict(enum isa isa)
{
    const char *list = getenv("STRICT"), *name = isa_name(isa);
    const size_t n = strlen(name);
    for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == n && strncmp(at, name, n) == 0) return 1;
    return 0;
}

/* What a child has seen, for its TAP line: the largest |got - exact| / bound (stays 0 where results
 * are exact).  In shared memory; check_start makes it, check_one calls that. */
struct check_seen { double worst; };
static struct check_seen *check_seen;

static inline void check_start(void)
{
    const int access = PROT_READ | PROT_WRITE, kind = MAP_SHARED | MAP_ANONYMOUS;
    if (!check_seen) check_seen = mmap(NULL, sizeof *check_seen, access, kind, -1, 0);
    if (check_seen == MAP_FAILED) abort();
    check_seen->worst = 0;
}
static inline void check_error(double error, double bound)
{
    if (error > 0 && error / bound > check_seen->worst) check_seen->worst = error / bound;
}

/* The case of one row: check(kernel, a, b) in a child process. */
static inline void check_one(const struct kernel *k, void (*check)(const void *, void *, void *), void *a, void *b)
{
    char name[160];
    const int length = snprintf(name, sizeof name, "%s=%s/%s", kernel_op_name(k->op), isa_name(k->isa), k->variant);
    if (!kernel_runnable(k)) {
        test_line(name, !check_strict(k->isa), "this CPU cannot run it");
        return;
    }
    check_start();
    test_heading = name;
    const char *said = test_child(check, k, a, b);
    test_heading = NULL;
    if (said != TEST_SAID_OK) fprintf(stderr, "%s: %s\n", name, said);
    if (check_seen->worst > 0)
        snprintf(name + length, sizeof name - (size_t)length, " worst/bound %.3f", check_seen->worst);
    test_line(name, said == TEST_SAID_OK, NULL);
}
/* Every registered row of `op`. */
static inline void check_every(enum kernel_op op, void (*check)(const void *, void *, void *), void *a, void *b)
{
    for (const struct kernel *k = kernel_next(op, NULL); k; k = kernel_next(op, k)) check_one(k, check, a, b);
}

/* For wrong kernels planted to be caught: their complaints are wanted, but not on the screen. */
static inline const char *check_quietly(void (*check)(const void *, void *, void *), const struct kernel *k, void *a, void *b)
{
    const int screen = dup(STDERR_FILENO), hole = open("/dev/null", O_WRONLY);
    dup2(hole, STDERR_FILENO);
    const char *said = test_child(check, k, a, b);
    dup2(screen, STDERR_FILENO);
    close(screen);
    close(hole);
    return said;
}

/* Memory with an unreadable page before and after.  fence_tail(f, n) is n bytes that end at the
 * page after, fence_head(f) the bytes that start at the page before. */
struct fence { char *head; size_t size; };

/* QEMU 7.2 reads 16 bytes for the 4 of a scalar FMA's operand and every lane of VMASKMOVPS, which no CPU
 * does.  Only where that is seen to happen, the page after stands 64 bytes further off. */
static inline void fence_probe(const void *last_float, void *unused, void *unused2)
{
    (void)last_float, (void)unused, (void)unused2;
#ifdef __x86_64__
    __asm__ volatile("vfmadd231ss %0, %%xmm0, %%xmm0" : : "m"(*(const float *)last_float) : "xmm0");
#endif
}
static inline size_t fence_slack(void)
{
    static int known, slack;
    if (!known && cpu_features() & CPU_FMA) {
        const float *end = (const float *)test_fenced(sizeof *end);
        slack = test_child(fence_probe, end, NULL, NULL) == TEST_SAID_OK ? 0 : 64;
    }
    known = 1;
    return (size_t)slack;
}

static inline struct fence fence_make(size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), slack = fence_slack();
    const size_t span = ((size + slack) / page + 1) * page;
    char *p = mmap(NULL, span + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + page, span, PROT_READ | PROT_WRITE)) abort();
    return (struct fence){ p + page, span - slack };
}
static inline void *fence_tail(struct fence f, size_t size) { return f.head + f.size - size; }
static inline void *fence_head(struct fence f) { return f.head; }
/* At the page before (end 0) or the page after (end 1): every test runs both. */
static inline void *fence_at(struct fence f, size_t size, int end)
{
    return end ? fence_tail(f, size) : fence_head(f);
}

/* Was nothing written since fence_paint but the `size` bytes at `from`? */
static inline void fence_paint(struct fence f) { memset(f.head, 0x5a, f.size); }
static inline int is_paint(const char *from, size_t size)
{
    return size == 0 || (*from == 0x5a && memcmp(from, from + 1, size - 1) == 0);
}
static inline int untouched(struct fence f, const void *from, size_t size)
{
    const size_t before = (size_t)((const char *)from - f.head);
    return is_paint(f.head, before) && is_paint(f.head + before + size, f.size - before - size);
}

/* The lengths that every operation over a vector is tried at. */
enum { CHECK_DIMS = 1032 + 3, CHECK_LONGEST = 4096 };
static inline size_t check_dim(size_t i)
{
    static const size_t longer[] = { 1536, 3072, CHECK_LONGEST };
    return i < 1032 ? i : longer[i - 1032];
}

/* FNV-1a, for results that must be the same on every machine. */
static inline uint64_t check_hash(uint64_t hash, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++) hash = (hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3ull;
    return hash;
}
#define CHECK_HASH_START 0xcbf29ce484222325ull
#endif
