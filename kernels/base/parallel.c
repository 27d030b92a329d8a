/* SPDX-License-Identifier: MIT
 * parallel.c - threads that take chunks from a common counter. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "kernels/base/parallel.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

struct loop {
    size_t count, chunk;
    _Atomic size_t next;
    void (*work)(void *context, int thread, size_t from, size_t to);
    void *context;
};

struct worker {
    struct loop *loop;
    int number;
    pthread_t thread;
};

static void *run(void *argument)
{
    const struct worker *w = argument;
    struct loop *l = w->loop;
    size_t from;
    while ((from = atomic_fetch_add(&l->next, l->chunk)) < l->count)
        l->work(l->context, w->number, from, l->count - from < l->chunk ? l->count : from + l->chunk);
    return NULL;
}

void parallel_for(int threads, size_t count, size_t chunk,
                  void (*work)(void *context, int thread, size_t from, size_t to), void *context)
{
    struct loop loop = { count, chunk, 0, work, context };
    struct worker workers[PARALLEL_THREADS_MAX];
    const size_t chunks = (count + chunk - 1) / chunk;
    if (threads > PARALLEL_THREADS_MAX) threads = PARALLEL_THREADS_MAX;
    if ((size_t)threads > chunks) threads = (int)chunks;
    int started = 1;
    while (started < threads) {
        workers[started] = (struct worker){ .loop = &loop, .number = started };
        if (pthread_create(&workers[started].thread, NULL, run, &workers[started]) != 0) break;
        started++;
    }
    workers[0] = (struct worker){ .loop = &loop };
    run(&workers[0]);
    for (int i = 1; i < started; i++) pthread_join(workers[i].thread, NULL);
}

int parallel_cpus(void)
{
    cpu_set_t mine;
    if (sched_getaffinity(0, sizeof mine, &mine) != 0) return 1;
    const int count = CPU_COUNT(&mine);
    return count < 1 ? 1 : count > PARALLEL_THREADS_MAX ? PARALLEL_THREADS_MAX : count;
}
