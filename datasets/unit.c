/* SPDX-License-Identifier: MIT */
#include "datasets/unit.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <pthread.h>
#include <unistd.h>

enum { LANES = 8, THREADS_MAX = 64 };

double fixed_dot(const float *x, const float *y, size_t n)
{
    double lane[LANES] = { 0 }, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) lane[l] += (double)x[i + l] * y[i + l];
    for (size_t l = 0; i + l < n; l++) lane[l] += (double)x[i + l] * y[i + l];
    for (size_t l = 0; l < LANES; l++) sum += lane[l];
    return sum;
}

void unit_make(float *x, size_t n)
{
    const double square = fixed_dot(x, x, n);
    if (square == 0) return;
    const double inverse = 1 / sqrt(square); /* sqrt and / are correctly rounded everywhere */
    for (size_t i = 0; i < n; i++) x[i] = (float)(x[i] * inverse);
}

void unit_random(float *out, size_t n, uint64_t seed, uint64_t stream)
{
    struct rng r;
    rng_seed(&r, seed, stream);
    rng_normal(&r, out, n);
    unit_make(out, n);
}

struct part {
    int (*work)(void *context, size_t from, size_t to);
    void *context;
    size_t from, to;
    int status;
};

static void *run_part(void *argument)
{
    struct part *p = argument;
    p->status = p->work(p->context, p->from, p->to);
    return NULL;
}

int split_over_threads(size_t count, int (*work)(void *context, size_t from, size_t to), void *context)
{
    struct part parts[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    int started[THREADS_MAX], status = 0;
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = cpus < 1 ? 1 : cpus > THREADS_MAX ? THREADS_MAX : (size_t)cpus;
    if (count < 1024) n = 1; /* a thread costs more than so few rows */
    for (size_t t = 0; t < n; t++) {
        parts[t] = (struct part){ work, context, count * t / n, count * (t + 1) / n, 0 };
        started[t] = t + 1 < n && pthread_create(&threads[t], NULL, run_part, &parts[t]) == 0;
        if (!started[t]) run_part(&parts[t]);
    }
    for (size_t t = 0; t < n; t++) {
        if (started[t]) pthread_join(threads[t], NULL);
        status |= parts[t].status;
    }
    return status;
}
