/* SPDX-License-Identifier: MIT
 * sweep_anchor.c - the same small work, timed at the start and the end of every shard: whether nodes are alike, and stay so.
 * One row of products in cache (256 x 512 floats), one over 64 MiB; the median of what fits 50 ms. */
#define _GNU_SOURCE
#include "bench/rows/output.h"
#include "bench/sweep/sweep.h"
#include "bench/time/stats.h"
#include "kernels/base/clock.h"
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "kernels/kernel.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DIM = 512, CACHED = 256, LARGE = 32768, TIMES_MOST = 4096, SPAN_NS = 50000000 };

/* ns of one pass over `rows`. */
static double time_pass(const struct kernel_set *k, const float *at, size_t rows, float *scores, double *times)
{
    size_t count = 0;
    const uint64_t start = clock_ns();
    for (uint64_t now = start; count < TIMES_MOST && (count < 3 || now - start < SPAN_NS); count++) {
        const uint64_t before = clock_ns();
        k->of[OP_dot_f32]->fn.dot_f32(at, at, DIM, NULL, rows, DIM, scores);
        now = clock_ns();
        times[count] = (double)(now - before);
    }
    stats_sort(times, count);
    return stats_median(times, count);
}

static int measure(double out[2], struct err *e)
{
    struct kernel_set k;
    float *at = mem_zero((size_t)LARGE * DIM, sizeof *at), *scores = mem_alloc(LARGE, sizeof *scores);
    double *times = mem_alloc(TIMES_MOST, sizeof *times);
    int status = at && scores && times ? kernel_set_resolve(&k, NULL, e) : FAIL(e, ERR_MEM, "no memory for an anchor");
    for (size_t i = 0; status == ERR_OK && i < (size_t)LARGE * DIM; i++) at[i] = (float)(i % 17) - 8;
    if (status == ERR_OK) out[0] = time_pass(&k, at, CACHED, scores, times);
    if (status == ERR_OK) out[1] = time_pass(&k, at, LARGE, scores, times);
    mem_free(at);
    mem_free(scores);
    mem_free(times);
    return status;
}

int sweep_anchor(const struct run *run, const char *folder, struct shard shard, const char *when, struct err *e)
{
    char host[256] = { 0 };
    double ns[2];
    struct text path = { 0 }, line = { 0 };
    int status = measure(ns, e);
    if (status != ERR_OK) return status;
    (void)gethostname(host, sizeof host - 1);
    text_add(&path, "%s/anchors.%zu-of-%zu.csv", folder, shard.at, shard.of);
    if (access(text_of(&path), F_OK) != 0) text_add(&line, "run_id,machine,node,shard,at,unix_s,cached_ns,memory_ns\n");
    text_add(&line, "%s,%s,%08x,%zu/%zu,%s,%lld,%.0f,%.0f\n", run->id, run->machine, (unsigned)hash64(0, host, strlen(host)), shard.at,
             shard.of, when, (long long)time(NULL), ns[0], ns[1]);
    if (path.failed || line.failed) status = FAIL(e, ERR_MEM, "no memory for an anchor");
    const int fd = status == ERR_OK ? open(text_of(&path), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (status == ERR_OK && (fd < 0 || write(fd, line.at, line.size) != (ssize_t)line.size))
        status = FAIL(e, ERR_IO, "%s: %s", text_of(&path), strerror(errno));
    if (fd >= 0) close(fd);
    text_free(&path);
    text_free(&line);
    return status;
}

/* --- what they say ---------------------------------------------------------------------------------------- */
static int is_anchors(const struct dirent *d)
{
    const size_t size = strlen(d->d_name);
    return strncmp(d->d_name, "anchors.", 8) == 0 && size > 12 && strcmp(d->d_name + size - 4, ".csv") == 0;
}

/* Median of a column over the rows of a node (NULL: of all). */
static double median_of(const struct table *t, int column, const char *node, double *work)
{
    size_t n = 0;
    const int of = table_column(t, "node");
    for (size_t i = 0; i < t->count; i++) {
        const double x = table_number(t, i, column);
        if (isfinite(x) && (!node || strcmp(table_text(t, i, of), node) == 0)) work[n++] = x;
    }
    stats_sort(work, n);
    return n ? stats_median(work, n) : (double)NAN;
}

static void compare_nodes(const struct table *t, int column, double *work, double *apart, size_t *nodes)
{
    const int of = table_column(t, "node");
    double least = INFINITY, most = 0;
    *nodes = 0;
    for (size_t i = 0; i < t->count; i++) {
        size_t before = 0;
        while (strcmp(table_text(t, before, of), table_text(t, i, of)) != 0) before++;
        if (before < i) continue;
        const double median = median_of(t, column, table_text(t, i, of), work);
        ++*nodes;
        least = fmin(least, median);
        most = fmax(most, median);
    }
    *apart = least > 0 ? most / least : (double)NAN;
}

/* The most that one run's end is off its start. */
static double drift_of(const struct table *t, int column)
{
    const int run = table_column(t, "run_id"), at = table_column(t, "at");
    double most = 1;
    for (size_t i = 0; i < t->count; i++)
        for (size_t j = i + 1; j < t->count; j++) {
            if (strcmp(table_text(t, i, run), table_text(t, j, run)) != 0 || strcmp(table_text(t, i, at), "start") != 0) continue;
            const double ratio = table_number(t, j, column) / table_number(t, i, column);
            if (ratio > 0) most = fmax(most, ratio > 1 ? ratio : 1 / ratio);
            break;
        }
    return most;
}

int sweep_anchors(const char *folder, struct sweep_anchors *out, struct err *e)
{
    struct dirent **names = NULL;
    struct table t = { .whole_lines = 1 };
    int status = ERR_OK;
    const int count = scandir(folder, &names, is_anchors, alphasort);
    *out = (struct sweep_anchors){ 0 };
    for (int i = 0; i < count; i++) {
        struct text path = { 0 };
        text_add(&path, "%s/%s", folder, names[i]->d_name);
        if (status == ERR_OK) status = path.failed ? FAIL(e, ERR_MEM, "%s: no memory", folder) : table_append(&t, text_of(&path), e);
        text_free(&path);
        free(names[i]);
    }
    free(names);
    double *work = status == ERR_OK && t.count ? mem_alloc(t.count, sizeof *work) : NULL;
    if (status == ERR_OK && t.count && !work) status = FAIL(e, ERR_MEM, "%s: no memory", folder);
    const int columns[2] = { table_column(&t, "cached_ns"), table_column(&t, "memory_ns") };
    for (int c = 0; work && c < 2; c++) {
        compare_nodes(&t, columns[c], work, &out->apart[c], &out->nodes);
        out->drift[c] = drift_of(&t, columns[c]);
    }
    out->count = work ? t.count : 0;
    mem_free(work);
    table_free(&t);
    return status;
}
