/* SPDX-License-Identifier: MIT
 * saved.c - samples of several processes, kept in a file, and a later run against them. */
#include "bench/micro/micro.h"
#include "bench/rows/table.h"
#include "kernels/base/mem.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double per_vector(const struct micro_row *r, double call_ns)
{
    return call_ns / r->facts.vectors;
}

/* --- files of samples
 * ------------------------------------------------------------------------------ */
static void raw_lines(const struct micro_row *r, const char *name, const double *call_ns, struct text *out)
{
    for (size_t j = 0; j < r->call_ns.n; j++)
        text_add(out, "%s,0,%zu,%.9g\n", name, j, per_vector(r, call_ns[j]));
}

/* Beside a default row "dot_f32/again/avx512:rows8/..." is its A/A arm, ".../read/..." the loop that only reads. */
static void raw_control(const struct micro_row *r, const char *what, const double *call_ns, struct text *out)
{
    struct text name = { 0 }, own = { 0 };
    micro_name(r, &own);
    text_add(&name, "%s/%s/%s:%s", kernel_op_name(r->kernel->op), what, isa_name(r->kernel->isa), r->kernel->variant);
    text_add(&name, "%s", strstr(text_of(&own), "/dim:"));
    raw_lines(r, text_of(&name), call_ns, out);
    text_free(&name), text_free(&own);
}

void micro_raw_csv(const struct micro *m, const char *notes, struct text *out)
{
    micro_provenance(m, notes, out);
    text_add(out, "name,process,sample,ns_per_vector\n");
    for (size_t i = 0; i < m->count; i++) {
        struct text name = { 0 };
        micro_name(&m->rows[i], &name);
        raw_lines(&m->rows[i], text_of(&name), m->rows[i].raw_ns, out);
        if (m->rows[i].again_ns) raw_control(&m->rows[i], "again", m->rows[i].again_ns, out);
        if (m->rows[i].read_ns) raw_control(&m->rows[i], "read", m->rows[i].read_ns, out);
        text_free(&name);
    }
    if (m->others.size) text_add_bytes(out, m->others.at, m->others.size);
}

/* The columns of a file of samples. */
struct raw {
    struct table table;
    int name, process, sample, ns;
};

static int raw_open(struct raw *r, const char *path, struct err *e)
{
    *r = (struct raw){ 0 };
    const int status = table_append(&r->table, path, e);
    if (status != ERR_OK) return status;
    r->name = table_column(&r->table, "name");
    r->process = table_column(&r->table, "process");
    r->sample = table_column(&r->table, "sample");
    r->ns = table_column(&r->table, "ns_per_vector");
    if (r->name >= 0 && r->process >= 0 && r->sample >= 0 && r->ns >= 0) return ERR_OK;
    table_free(&r->table);
    return FAIL(e, ERR_FORMAT,
                "%s: not a saved run of assay bench, or of an assay that saved one process", path);
}

/* ln of the median time of each process, in the order of the file, of the row with this name. room:
 * as many doubles as the table has rows.  Returns how many processes, at most MICRO_PROCESSES. */
static size_t process_logs(const struct raw *r, const char *name, double *out, double *room)
{
    size_t count = 0, have = 0;
    const char *process = NULL;
    for (size_t i = 0; i <= r->table.count; i++) {
        const int ends = i == r->table.count;
        if (!ends && strcmp(table_text(&r->table, i, r->name), name) != 0) continue;
        const char *now = ends ? NULL : table_text(&r->table, i, r->process);
        if (have && (ends || strcmp(now, process) != 0)) {
            stats_sort(room, have);
            if (count < MICRO_PROCESSES) out[count++] = log(stats_median(room, have));
            have = 0;
        }
        process = now;
        const double ns = ends ? (double)NAN : table_number(&r->table, i, r->ns);
        if (ns > 0) room[have++] = ns;
    }
    return count;
}

/* --- other processes of this run
 * --------------------------------------------------------------------- */
int micro_add_process(struct micro *m, const char *path, struct err *e)
{
    struct raw r;
    int status = raw_open(&r, path, e);
    if (status != ERR_OK) return status;
    double *room = mem_alloc(r.table.count + 1, sizeof *room), log_ns[MICRO_PROCESSES];
    if (!room) status = FAIL(e, ERR_MEM, "no memory for %zu samples", r.table.count);
    for (size_t i = 0; status == ERR_OK && i < m->count; i++) {
        struct micro_row *row = &m->rows[i];
        struct text name = { 0 };
        if (row->wrong[0]) continue;
        micro_name(row, &name);
        if (process_logs(&r, text_of(&name), log_ns, room) != 1)
            status =
                FAIL(e, ERR_FORMAT, "%s: another process did not time %s", path, text_of(&name));
        else if (row->process_count < MICRO_PROCESSES)
            row->process_logs[row->process_count++] = log_ns[0];
        text_free(&name);
    }
    m->processes++;
    for (size_t i = 0; status == ERR_OK && i < r.table.count; i++)
        text_add(&m->others, "%s,%zu,%s,%s\n", table_text(&r.table, i, r.name), m->processes - 1,
                 table_text(&r.table, i, r.sample), table_text(&r.table, i, r.ns));
    if (status == ERR_OK && m->others.failed)
        status = FAIL(e, ERR_MEM, "no memory for %zu samples", r.table.count);
    mem_free(room);
    table_free(&r.table);
    return status;
}

/* --- against a saved run
 * -------------------------------------------------------------------------------- */
int micro_is_control(const struct micro_row *r)
{
    struct kernel_set usual;
    kernel_set_resolve(&usual, NULL, NULL); /* cannot fail: nothing was asked for */
    if (r->kernel == usual.of[r->kernel->op]) return 0;
    return r->kernel->kind == KERNEL_BASELINE || r->kernel->isa == ISA_scalar;
}

struct pair {
    double then[MICRO_PROCESSES];
    size_t then_count;
    int known, control;
    struct shift shift;
};

static int shift_of(const struct micro_row *r, struct pair *p, size_t comparisons, struct err *e)
{
    return stats_shift(p->then, p->then_count, r->process_logs, r->process_count, 0.05, comparisons,
                       &p->shift, e);
}

/* The furthest that a control of row i's shape has moved. */
static double drift_of(const struct micro *m, const struct pair *pairs, size_t i)
{
    double drift = 0;
    for (size_t j = 0; j < m->count; j++)
        if (pairs[j].known && pairs[j].control && micro_same_shape(&m->rows[j], &m->rows[i]))
            drift = fmax(drift, fabs(pairs[j].shift.at));
    return drift;
}

static int judge(struct micro *m, struct pair *pairs, struct err *e)
{
    size_t tested = 0;
    for (size_t i = 0; i < m->count; i++) tested += pairs[i].known && !pairs[i].control;
    for (size_t i = 0; i < m->count; i++) {
        const int status =
            pairs[i].known ? shift_of(&m->rows[i], &pairs[i], tested ? tested : 1, e) : ERR_OK;
        if (status != ERR_OK) return status;
    }
    for (size_t i = 0; i < m->count; i++) {
        struct micro_row *r = &m->rows[i];
        if (!pairs[i].known) continue;
        const struct shift s = pairs[i].shift;
        const double drift = drift_of(m, pairs, i), lo = s.interval.lo - drift,
                     hi = s.interval.hi + drift;
        r->over_saved = (struct ratio){ exp(s.at), { exp(lo), exp(hi) } };
        r->saved_control = pairs[i].control;
        m->saved_drift = fmax(m->saved_drift, expm1(drift));
        if (pairs[i].control) continue;
        r->saved_verdict = lo > 0 ? MICRO_FASTER : hi < 0 ? MICRO_SLOWER : MICRO_UNRESOLVED;
        m->saved[r->saved_verdict]++;
    }
    return ERR_OK;
}

/* Why the saved run is not comparable, or NULL. */
static const char *foreign(const struct micro *m, const struct table *saved)
{
    char id[32];
    snprintf(id, sizeof id, "%016" PRIx64, m->machine.id);
    struct text own = { 0 }, build = { 0 };
    machine_provenance(&m->machine, &own);
    text_add(&build, "# build: %s\n", table_note(saved, "build"));
    const int other_machine = strcmp(id, table_note(saved, "machine")) != 0;
    const int other_build = !strstr(text_of(&own), text_of(&build));
    text_free(&own);
    text_free(&build);
    return other_machine ? "on another machine"
           : other_build ? "with another compiler or flags"
                         : NULL;
}

static int against(struct micro *m, const struct raw *r, const char *path, struct err *e)
{
    struct pair *pairs = mem_zero(m->count, sizeof *pairs);
    double *room = mem_alloc(r->table.count + 1, sizeof *room);
    int status = pairs && room ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu rows", m->count);
    size_t known = 0;
    for (size_t i = 0; status == ERR_OK && i < m->count; i++) {
        struct text name = { 0 };
        if (m->rows[i].wrong[0]) continue;
        micro_name(&m->rows[i], &name);
        pairs[i].then_count = process_logs(r, text_of(&name), pairs[i].then, room);
        pairs[i].control = micro_is_control(&m->rows[i]);
        pairs[i].known = pairs[i].then_count > 0;
        known += (size_t)pairs[i].known;
        text_free(&name);
    }
    if (status == ERR_OK && known == 0)
        status = FAIL(e, ERR_NOT_FOUND, "%s: it has none of the rows that were timed now", path);
    if (status == ERR_OK) status = judge(m, pairs, e);
    mem_free(pairs);
    mem_free(room);
    return status;
}

int micro_baseline(struct micro *m, const char *path, int force, struct err *e)
{
    struct raw r;
    int status = raw_open(&r, path, e);
    if (status != ERR_OK) return status;
    m->foreign_saved = foreign(m, &r.table);
    if (m->foreign_saved && !force)
        status =
            FAIL(e, ERR_ARG, "%s was measured %s: not comparable (--force compares all the same)",
                 path, m->foreign_saved);
    if (status == ERR_OK) status = against(m, &r, path, e);
    table_free(&r.table);
    return status;
}

int micro_fails(const struct micro *m, double slower, struct err *e)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct micro_row *r = &m->rows[i];
        if (r->saved_verdict != MICRO_SLOWER || r->over_saved.at * slower > 1) continue;
        struct text name = { 0 };
        micro_name(r, &name);
        const int status =
            FAIL(e, ERR_NOT_FOUND, "%s takes x%.3f [%.3f, %.3f] the time of the saved run",
                 text_of(&name), 1 / r->over_saved.at, 1 / r->over_saved.interval.hi,
                 1 / r->over_saved.interval.lo);
        text_free(&name);
        return status;
    }
    return ERR_OK;
}
