/* SPDX-License-Identifier: MIT
 * progress.c - how far a long run is, on a terminal. */
#include "bench/time/progress.h"
#include "kernels/base/clock.h"
#include <stdio.h>
#include <unistd.h>

void progress_start(struct progress *p, const char *what, uint64_t total)
{
    const uint64_t now = clock_ns();
    *p = (struct progress){ what, total, now, now, 0 };
}

void progress_step(struct progress *p, uint64_t done)
{
    const uint64_t now = clock_ns(), quiet = 2000000000u, interval = 200000000u;
    if (now - p->start_ns < quiet || now - p->last_ns < interval) return;
    p->last_ns = now;
    if (!isatty(STDERR_FILENO)) return;
    p->shown = 1;
    const double spent = (double)(now - p->start_ns) / 1e9;
    if (p->total == 0) { /* not known */
        fprintf(stderr, "\r%s: %llu, %.0f s \033[K", p->what, (unsigned long long)done, spent);
        return;
    }
    const double left = done ? spent * (double)(p->total - done) / (double)done : 0;
    fprintf(stderr, "\r%s: %llu of %llu, %.0f s, %.0f s left \033[K", p->what, (unsigned long long)done,
            (unsigned long long)p->total, spent, left);
}

void progress_end(struct progress *p)
{
    if (p->shown) fputs("\r\033[K", stderr);
    p->shown = 0;
}
