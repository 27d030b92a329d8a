/* SPDX-License-Identifier: MIT
 * faults.c - the calls that ld's --wrap puts in the place of the system's (in test programs only). */
#define _GNU_SOURCE
#include "kernels/base/faults.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic int planned = FAULT_NONE;
static _Atomic long countdown;
static _Atomic int lasting, reason, was_hit;

static void plan(enum fault kind, long n, int why, int lasts)
{
    atomic_store(&planned, FAULT_NONE);
    atomic_store(&countdown, n);
    atomic_store(&reason, why);
    atomic_store(&lasting, lasts);
    atomic_store(&was_hit, 0);
    atomic_store(&planned, n > 0 ? kind : FAULT_NONE);
}

void fault_after(enum fault kind, long n, int why) { plan(kind, n, why, 0); }
void fault_from(enum fault kind, long n, int why) { plan(kind, n, why, 1); }
int fault_hit(void) { return atomic_load(&was_hit); }

/* 1 when this call is to fail; errno says why. */
static int fails(enum fault kind)
{
    if (atomic_load(&planned) != (int)kind) return 0;
    const long left = atomic_fetch_sub(&countdown, 1);
    if (left > 1 || (left < 1 && !atomic_load(&lasting))) return 0;
    atomic_store(&was_hit, 1);
    errno = atomic_load(&reason) == FAULT_SHORT ? EIO : atomic_load(&reason);
    return 1;
}

/* A wrapped call, and the one behind it. */
#define WRAP(type, name, ...) type __wrap_##name(__VA_ARGS__); type __real_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__)

/* --- memory ------------------------------------------------------------------------------------------ */
WRAP(void *, malloc, size_t size) { return fails(FAULT_MEMORY) ? NULL : __real_malloc(size); }
WRAP(void *, calloc, size_t n, size_t size) { return fails(FAULT_MEMORY) ? NULL : __real_calloc(n, size); }
WRAP(void *, realloc, void *old, size_t size) { return fails(FAULT_MEMORY) ? NULL : __real_realloc(old, size); }
WRAP(void *, aligned_alloc, size_t align, size_t size)
{
    return fails(FAULT_MEMORY) ? NULL : __real_aligned_alloc(align, size);
}
WRAP(char *, strdup, const char *text) { return fails(FAULT_MEMORY) ? NULL : __real_strdup(text); }
WRAP(char *, strndup, const char *text, size_t n) { return fails(FAULT_MEMORY) ? NULL : __real_strndup(text, n); }

/* --- reads and writes ---------------------------------------------------------------------------------- */
/* A stream knows that it failed only if it failed: for one call its descriptor is one that cannot do it. */
struct detour { int fd, kept, why; };

static struct detour detour(FILE *f, const char *to, int flags)
{
    struct detour d = { fileno(f), -1, errno };
    const int dead_end = d.fd < 0 ? -1 : open(to, flags | O_CLOEXEC);
    if (dead_end >= 0) {
        d.kept = fcntl(d.fd, F_DUPFD_CLOEXEC, 0);
        (void)dup2(dead_end, d.fd);
        close(dead_end);
    }
    return d;
}

static void back(struct detour d)
{
    if (d.kept >= 0) (void)dup2(d.kept, d.fd), close(d.kept);
    errno = d.why;
}

static struct detour full(FILE *f) { return detour(f, "/dev/full", O_WRONLY); }
static struct detour unreadable(FILE *f) { return detour(f, "/dev/null", O_WRONLY); }

WRAP(ssize_t, read, int fd, void *to, size_t n) { return fails(FAULT_READ) ? -1 : __real_read(fd, to, n); }
WRAP(void *, mmap, void *at, size_t size, int protection, int flags, int fd, off_t from)
{
    return fd >= 0 && fails(FAULT_READ) ? MAP_FAILED : __real_mmap(at, size, protection, flags, fd, from);
}
WRAP(size_t, fread, void *to, size_t size, size_t n, FILE *f)
{
    if (!fails(FAULT_READ)) return __real_fread(to, size, n, f);
    const struct detour d = unreadable(f);
    n = __real_fread(to, size, n, f);
    back(d);
    return n;
}
WRAP(char *, fgets, char *to, int size, FILE *f)
{
    if (!fails(FAULT_READ)) return __real_fgets(to, size, f);
    const struct detour d = unreadable(f);
    to = __real_fgets(to, size, f);
    back(d);
    return to;
}
WRAP(ssize_t, getline, char **to, size_t *room, FILE *f)
{
    if (!fails(FAULT_READ)) return __real_getline(to, room, f);
    const struct detour d = unreadable(f);
    const ssize_t n = __real_getline(to, room, f);
    back(d);
    return n;
}

WRAP(int, fflush, FILE *f)
{
    if (!f || !fails(FAULT_WRITE)) return __real_fflush(f);
    const struct detour d = full(f);
    const int rc = __real_fflush(f);
    back(d);
    return rc;
}
WRAP(ssize_t, write, int fd, const void *from, size_t n)
{
    if (!fails(FAULT_WRITE)) return __real_write(fd, from, n);
    return atomic_load(&reason) == FAULT_SHORT ? __real_write(fd, from, n / 2) : -1;
}
WRAP(size_t, fwrite, const void *from, size_t size, size_t n, FILE *f)
{
    if (!fails(FAULT_WRITE)) return __real_fwrite(from, size, n, f);
    const struct detour d = full(f);
    n = __real_fwrite(from, size, n, f);
    (void)__real_fflush(f);
    back(d);
    return n;
}
WRAP(int, fputs, const char *text, FILE *f)
{
    if (!fails(FAULT_WRITE)) return __real_fputs(text, f);
    const struct detour d = full(f);
    int rc = __real_fputs(text, f);
    if (__real_fflush(f) != 0) rc = EOF;
    back(d);
    return rc;
}
WRAP(int, ftruncate, int fd, off_t size) { return fails(FAULT_WRITE) ? -1 : __real_ftruncate(fd, size); }

/* --- the rest -------------------------------------------------------------------------------------------- */
WRAP(int, fsync, int fd) { return fails(FAULT_SYNC) ? -1 : __real_fsync(fd); }
WRAP(int, rename, const char *from, const char *to) { return fails(FAULT_RENAME) ? -1 : __real_rename(from, to); }
WRAP(int, pthread_create, pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *argument)
{
    return fails(FAULT_THREAD) ? errno : __real_pthread_create(thread, how, run, argument);
}
