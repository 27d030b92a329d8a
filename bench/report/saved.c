/* SPDX-License-Identifier: MIT
 * saved.c - reads the samples of bench runs and judges how far each kernel moved between two. */
#include "bench/report/saved.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <string.h>

enum { LEAST = 4 }; /* processes, for an interval at all */

int saved_is(const struct table *t)
{
    return table_column(t, "name") >= 0 && table_column(t, "process") >= 0 && table_column(t, "ns_per_vector") >= 0;
}

static struct saved_kernel *add_kernel(struct saved *s, const char *name)
{
    if (s->count && strcmp(s->kernels[s->count - 1].name, name) == 0) return &s->kernels[s->count - 1];
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->kernels[i].name, name) == 0) return &s->kernels[i];
    if (!mem_extend(&s->kernels, s->count, s->count + 1, sizeof *s->kernels)) return NULL;
    s->kernels[s->count].name = name;
    return &s->kernels[s->count++];
}

/* The samples of one kernel and process stand one after the other. */
static int collect(struct saved *s, double *room)
{
    const struct table *t = &s->table;
    const int name = table_column(t, "name"), process = table_column(t, "process"), ns = table_column(t, "ns_per_vector");
    for (size_t r = 0, next; r < t->count; r = next) {
        size_t have = 0;
        struct saved_kernel *k = add_kernel(s, table_text(t, r, name));
        if (!k) return 0;
        for (next = r; next < t->count && strcmp(table_text(t, next, name), k->name) == 0 &&
                       strcmp(table_text(t, next, process), table_text(t, r, process)) == 0; next++)
            if (table_number(t, next, ns) > 0) room[have++] = table_number(t, next, ns);
        if (!have || k->count == SAVED_PROCESSES) continue;
        stats_sort(room, have);
        k->logs[k->count++] = log(stats_median(room, have));
    }
    return 1;
}

int saved_open(struct saved *s, const char *path, struct err *e)
{
    *s = (struct saved){ 0 };
    const int status = table_append(&s->table, path, e);
    if (status != ERR_OK) return status;
    if (!saved_is(&s->table)) return FAIL(e, ERR_FORMAT, "%s: not a saved run of assay bench", path);
    double *room = mem_alloc(s->table.count + 1, sizeof *room);
    const int whole = room && collect(s, room);
    mem_free(room);
    const char *time = table_note(&s->table, "time");
    if (strlen(time) > 16 && time[10] == 'T') text_add(&s->time, "%.10s %.5s", time, time + 11);
    else text_add(&s->time, "%s", time);
    return whole ? ERR_OK : FAIL(e, ERR_MEM, "%s: no memory", path);
}

void saved_free(struct saved *s)
{
    mem_free(s->kernels);
    text_free(&s->time);
    table_free(&s->table);
    *s = (struct saved){ 0 };
}

double saved_ns(const struct saved_kernel *k)
{
    double sorted[SAVED_PROCESSES];
    if (!k->count) return (double)NAN;
    memcpy(sorted, k->logs, k->count * sizeof *sorted);
    stats_sort(sorted, k->count);
    return exp(stats_median(sorted, k->count));
}

const struct saved_kernel *saved_find(const struct saved *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->kernels[i].name, name) == 0) return &s->kernels[i];
    return NULL;
}

/* --- then and now ------------------------------------------------------------------------------- */

/* "op/isa/variant/shape": behind the third slash. */
static const char *shape_of(const char *name)
{
    for (int i = 0; i < 3 && name; i++) {
        name = strchr(name, '/');
        if (name) name++;
    }
    return name ? name : "";
}

static int is_control(const char *name)
{
    return strstr(name, "/scalar/") || strstr(name, "/compiler") || strstr(name, "/peer/") || strstr(name, "/read/");
}

static int same_shape(const char *a, const char *b)
{
    const size_t op = strcspn(a, "/");
    return op == strcspn(b, "/") && memcmp(a, b, op) == 0 && strcmp(shape_of(a), shape_of(b)) == 0;
}

struct moved { const struct saved_kernel *then, *now; double at; };

static double drift_of(const struct moved *all, size_t count, size_t i)
{
    double drift = 0;
    for (size_t j = 0; j < count; j++)
        if (is_control(all[j].now->name) && same_shape(all[j].now->name, all[i].now->name)) drift = fmax(drift, fabs(all[j].at));
    return drift;
}

static int add_row(struct made *m, const struct moved *all, size_t count, size_t i, size_t comparisons, struct err *e)
{
    const struct moved *one = &all[i];
    struct shift shift = { one->at, { -INFINITY, INFINITY } };
    const int is_judged = one->then->count >= LEAST && one->now->count >= LEAST && !is_control(one->now->name);
    if (is_judged) {
        const int status = stats_shift(one->then->logs, one->then->count, one->now->logs, one->now->count, 0.05, comparisons, &shift, e);
        if (status != ERR_OK) return status;
    }
    const int is_bounded = is_judged && isfinite(shift.interval.lo) && isfinite(shift.interval.hi);
    const double drift = drift_of(all, count, i), lo = exp(shift.interval.lo - drift), hi = exp(shift.interval.hi + drift);
    made_cell(m, "%s", one->now->name);
    made_number(m, saved_ns(one->then));
    made_number(m, saved_ns(one->now));
    made_number(m, exp(shift.at));
    made_number(m, is_bounded ? lo : (double)NAN);
    made_number(m, is_bounded ? hi : (double)NAN);
    made_cell(m, "%s", is_control(one->now->name) ? "control" : !is_bounded ? "not judged"
                       : lo > 1 ? "faster" : hi < 1 ? "slower" : "not resolved");
    return ERR_OK;
}

int saved_compare(struct made *m, const struct saved *then, const struct saved *now, struct err *e)
{
    static const char *const names[] = { "kernel", "ns a vector, then", "now", "then / now", "then / now_lo", "then / now_hi", "verdict" };
    m->names = names;
    m->columns = sizeof names / sizeof *names;
    if (strcmp(table_note(&then->table, "machine"), table_note(&now->table, "machine")) != 0) return ERR_OK;
    struct moved *all = mem_alloc(now->count, sizeof *all);
    size_t count = 0, judged = 0;
    if (!all) return FAIL(e, ERR_MEM, "no memory for %zu kernels", now->count);
    for (size_t i = 0; i < now->count; i++) {
        const struct saved_kernel *before = saved_find(then, now->kernels[i].name);
        if (!before || !before->count || !now->kernels[i].count) continue;
        all[count++] = (struct moved){ before, &now->kernels[i], log(saved_ns(before) / saved_ns(&now->kernels[i])) };
        judged += !is_control(now->kernels[i].name);
    }
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < count; i++) status = add_row(m, all, count, i, judged ? judged : 1, e);
    mem_free(all);
    return status;
}
