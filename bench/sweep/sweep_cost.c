/* SPDX-License-Identifier: MIT
 * sweep_cost.c - what a plan will take, by those of its points that are measured already. */
#include "bench/sweep/sweep.h"
#include <math.h>
#include <string.h>

static int has_point(struct pool *ids, const char *id)
{
    const size_t before = ids->count;
    return pool_keep(ids, id) && ids->count == before;
}

int sweep_cost(struct plan *p, size_t reps, size_t builds, const char *folder, struct sweep_cost *out, struct err *e)
{
    struct table t = { 0 };
    struct sweep_cost c = { .calls_s = 0 };
    const int status = sweep_read(&t, &folder, 1, e);
    const int id = table_column(&t, "point_id"), ok = table_column(&t, "status"), calls = table_column(&t, "lat_n");
    const int batch = table_column(&t, "batch"), qps = table_column(&t, "qps"), threads = table_column(&t, "threads");
    const int build = table_column(&t, "build_s");
    double calls_s = 0, core_s = 0, build_s = 0;
    size_t built = 0;
    for (size_t i = 0; status == ERR_OK && i < t.count; i++) {
        const double wall = table_number(&t, i, calls) * table_number(&t, i, batch) / table_number(&t, i, qps);
        const double cores = table_number(&t, i, threads), made_s = table_number(&t, i, build);
        if (strcmp(table_text(&t, i, ok), "ok") != 0 || !isfinite(wall * cores) || !has_point(&p->ids, table_text(&t, i, id)))
            continue;
        c.rows++;
        calls_s += wall;
        core_s += wall * cores;
        if (!isfinite(made_s)) continue;
        build_s += made_s * cores;
        built++;
    }
    const double all = (double)p->count * (double)reps;
    if (c.rows) c.calls_s = calls_s / (double)c.rows * all, c.core_s = core_s / (double)c.rows * all;
    if (built) c.core_s += build_s / (double)built * (double)builds;
    table_free(&t);
    if (status == ERR_OK) *out = c;
    return status;
}
