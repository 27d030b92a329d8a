/* SPDX-License-Identifier: MIT
 * micro_out.c - what `assay bench` measured, as a table, CSV and Google Benchmark's JSON. */
#include "bench/micro/micro.h"
#include "bench/rows/row.h"
#include "kernels/base/mem.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double per_vector(const struct micro_row *r, double call_ns) { return call_ns / r->facts.vectors; }
static double gb_per_s(const struct micro_row *r) { return r->facts.demand[CEILING_READ] / r->call_ns.median; }

/* --- for a person ----------------------------------------------------------------------------- */

int micro_same_shape(const struct micro_row *a, const struct micro_row *b)
{
    const struct workload_shape *s = &a->facts.shape, *t = &b->facts.shape;
    return s->op == t->op && s->dim == t->dim && s->rows == t->rows && s->bits == t->bits && s->batch == t->batch &&
           s->gather == t->gather && strcmp(a->where, b->where) == 0;
}

static void add_shape(const struct micro_row *r, struct text *out)
{
    const struct workload_shape *s = &r->facts.shape;
    text_add(out, "%s  d=%zu", kernel_op_name(s->op), s->dim);
    if (s->bits) text_add(out, "  bits=%d", s->bits);
    if (workload_uses(s->op) & USES_BATCH) text_add(out, "  batch=%zu", s->batch);
    text_add(out, "  %zu rows = %.0f KiB%s%s, %s\n", s->rows, (double)r->facts.set_bytes / 1024,
             r->where[0] ? " in " : "", r->where, s->gather ? "gathered" : "scanned");
}

static void add_ratio(struct ratio r, struct text *out)
{
    char cell[64] = "";
    if (r.at > 0) snprintf(cell, sizeof cell, "%6.2f [%.2f, %.2f]", r.at, r.interval.lo, r.interval.hi);
    text_add(out, "  %-22s", cell);
}

static void add_saved(const struct micro_row *r, struct text *out)
{
    static const char *const words[] = { "not resolved", "faster", "SLOWER" };
    if (r->over_saved.at <= 0) return;
    text_add(out, "  since saved: %s x%.3f", r->saved_control ? "control" : words[r->saved_verdict], r->over_saved.at);
    if (isfinite(r->over_saved.interval.hi))
        text_add(out, " [%.3f, %.3f]", r->over_saved.interval.lo, r->over_saved.interval.hi);
}

const char *micro_excess(const struct micro_row *r) { return r->share >= 1.005 ? " !" : ""; }

static void add_table_row(const struct micro_row *r, double ghz, struct text *out)
{
    char name[64];
    snprintf(name, sizeof name, "%s/%s", micro_isa(r->kernel), r->kernel->variant);
    if (r->wrong[0]) {
        text_add(out, "  %-28s WRONG, not timed: %s\n", name, r->wrong);
        return;
    }
    char interval[40], share[32] = "";
    snprintf(interval, sizeof interval, "[%.4g, %.4g]", per_vector(r, r->call_ns.interval.lo),
             per_vector(r, r->call_ns.interval.hi));
    if (r->share > 0) snprintf(share, sizeof share, "%3.0f %% %s%s", 100 * r->share, ceiling_name(r->binds), micro_excess(r));
    text_add(out, "  %-28s %10.4g  %-20s %7.1f  %-14s", name, per_vector(r, r->call_ns.median), interval,
             gb_per_s(r), share);
    add_ratio(r->over_scalar, out);
    add_ratio(r->over_compiler, out);
    text_add(out, "  %s", kernel_kind_name(r->kernel->kind));
    if (r->model.ports > 0)
        text_add(out, "  cycles: ports %.4g, chained %.4g, taken %.4g if the clock is %.2f GHz, as estimated (%s)",
                 r->model.ports, r->model.chained, per_vector(r, r->call_ns.median) * ghz, ghz, r->model.tool);
    else if (r->model.tool[0]) text_add(out, "  no model: %s", r->model.tool);
    if (r->call_ns.lag1 > 0.2) text_add(out, "  lag-1 %.2f", r->call_ns.lag1);
    add_saved(r, out);
    text_add(out, "\n");
}

void micro_table(const struct micro *m, struct text *out)
{
    for (size_t i = 0; i < m->count; i++) {
        if (i == 0 || !micro_same_shape(&m->rows[i], &m->rows[i - 1])) {
            text_add(out, "%s", i ? "\n" : "");
            add_shape(&m->rows[i], out);
            text_add(out, "  %-28s %10s  %-20s %7s  %-14s  %-22s  %-22s  %s\n", "kernel", "ns/vector", "[95 %]", "GB/s",
                     "of ceiling", "x scalar [95 %]", "x compiler [95 %]", "kind");
        }
        add_table_row(&m->rows[i], m->ghz, out);
    }
}

void micro_headline(const struct micro *m, struct text *out)
{
    struct kernel_set usual;
    kernel_set_resolve(&usual, NULL, NULL); /* cannot fail: nothing was asked for */
    for (size_t i = 0; i < m->count; i++) {
        const struct micro_row *r = &m->rows[i];
        if (r->kernel != usual.of[r->facts.shape.op] || r->wrong[0]) continue;
        char kernel[64], shape[32], gain[48] = "no compiler row in this build";
        snprintf(kernel, sizeof kernel, "%s/%s", micro_isa(r->kernel), r->kernel->variant);
        snprintf(shape, sizeof shape, r->facts.shape.bits ? "d=%zu b=%d" : "d=%zu", r->facts.shape.dim,
                 r->facts.shape.bits);
        if (r->over_compiler.at > 0)
            snprintf(gain, sizeof gain, "x%.2f [%.2f, %.2f] over %s", r->over_compiler.at, r->over_compiler.interval.lo,
                     r->over_compiler.interval.hi, isa_name(r->compiler->isa));
        text_add(out, "  %-11s %-11s %-4s %-22s %8.4g ns/vector  %s%s%s", kernel_op_name(r->facts.shape.op), shape,
                 r->where, kernel, per_vector(r, r->call_ns.median), gain, r->compiler ? "/" : "",
                 r->compiler ? r->compiler->variant : "");
        if (r->over_self.at > 0)
            text_add(out, "; A/A x%.3f [%.3f, %.3f]", r->over_self.at, r->over_self.interval.lo, r->over_self.interval.hi);
        add_saved(r, out);
        text_add(out, "\n");
    }
}

void micro_footer(const struct micro *m, struct text *out)
{
    double sum = 0, worst = 0;
    size_t timed = 0, disturbed = 0, samples = 0, mild = 0, severe = 0, correlated = 0, excess = 0;
    for (size_t i = 0; i < m->count; i++) {
        const struct micro_row *r = &m->rows[i];
        if (r->wrong[0]) continue;
        const double error = (r->call_ns.interval.hi - r->call_ns.interval.lo) / 2 / r->call_ns.median;
        sum += error;
        worst = fmax(worst, error);
        timed++;
        samples += r->call_ns.n;
        disturbed += r->preempted;
        mild += r->call_ns.outliers.mild;
        severe += r->call_ns.outliers.severe;
        correlated += r->call_ns.lag1 > 0.2;
        excess += *micro_excess(r) != 0;
    }
    if (timed == 0) return;
    text_add(
        out,
        "timing error: average %.2f %%, worst %.2f %% over %zu rows; %zu samples, %zu of them preempted, %zu mild "
        "and %zu severe outliers (kept)\n",
        100 * sum / (double)timed, 100 * worst, timed, samples, disturbed, mild, severe);
    if (correlated)
        text_add(out, "lag-1 autocorrelation above 0.2 in %zu rows: their intervals are too narrow\n", correlated);
    if (excess)
        text_add(out, "! %zu rows read as faster than their ceiling, which nothing is: that or they were disturbed; measure again "
                      "on a quiet machine\n", excess);
    text_add(out, "machine: ");
    machine_describe_load(m->before, m->after, out);
    text_add(out, "; governor %s; clock step %.0f ns, overhead %.0f ns taken off; counters %s\n", m->machine.governor,
             m->resolution_ns, m->overhead_ns, m->counted ? "open" : m->machine.counters);
    if (m->ghz > 0)
        text_add(out, "clock: %.2f GHz, estimated by a chain of rotations, not counted: cycles are as right as that is\n", m->ghz);
    if (m->saved[MICRO_FASTER] + m->saved[MICRO_SLOWER] + m->saved[MICRO_UNRESOLVED])
        text_add(out, "since saved, over %zu processes now: %zu rows faster, %zu slower, %zu not resolved; intervals are wider by "
                      "what their controls moved, %.2f %% at most\n",
                 m->processes, m->saved[MICRO_FASTER], m->saved[MICRO_SLOWER], m->saved[MICRO_UNRESOLVED],
                 100 * m->saved_drift);
    if (m->foreign_saved)
        text_add(out, "NOT COMPARABLE: the saved run was measured %s; \"since saved\" was forced\n", m->foreign_saved);
    if (m->null_count)
        text_add(
            out,
            "this machine resolves +- %.1f %% (a kernel against itself at 80 %% power: median of %zu shapes, worst "
            "%.1f %%; %zu looked different, 5 %% may)\n",
            100 * micro_resolves(m, 0.5), m->null_count, 100 * micro_resolves(m, 1), m->null_resolved);
}

/* --- CSV ------------------------------------------------------------------------------------------ */

static void csv_ratio(struct ratio r, struct text *out)
{
    if (r.at <= 0) text_add(out, ",,,");
    else if (!isfinite(r.interval.lo + r.interval.hi)) text_add(out, ",%.6g,,", r.at);
    else text_add(out, ",%.6g,%.6g,%.6g", r.at, r.interval.lo, r.interval.hi);
}

static void csv_number(double x, struct text *out)
{
    if (x > 0 && isfinite(x)) text_add(out, ",%.6g", x);
    else text_add(out, ",");
}

enum { FIELDS_AFTER_STATUS = 33 }; /* of a row that was timed */

static const char *const verdicts[] = { "not_resolved", "faster", "slower" };

static void csv_row(const struct micro_row *r, struct text *out)
{
    const struct workload_shape *s = &r->facts.shape;
    text_add(out, "%s,%s,%s,%s,%zu,", kernel_op_name(s->op), micro_isa(r->kernel), r->kernel->variant,
             kernel_kind_name(r->kernel->kind), s->dim);
    if (s->bits) text_add(out, "%d", s->bits);
    text_add(out, ",%zu,%zu,%s,%s,%zu,", s->batch, s->rows, r->where, s->gather ? "gather" : "scan",
             r->facts.set_bytes);
    if (r->wrong[0]) {
        struct text status = { 0 };
        text_add(&status, "wrong: %s", r->wrong);
        csv_add(out, text_of(&status));
        text_free(&status);
        for (int i = 0; i < FIELDS_AFTER_STATUS; i++) text_add(out, ",");
        text_add(out, "\n");
        return;
    }
    const struct summary *t = &r->call_ns;
    text_add(out, "ok,%zu,%" PRIu64 ",%.6g,%.6g,%.6g,%.3g,%.6g", t->n, r->iterations, per_vector(r, t->median),
             per_vector(r, t->interval.lo), per_vector(r, t->interval.hi), 100 * t->mad / t->median, gb_per_s(r));
    if (r->share > 0) text_add(out, ",%s,%.4g", ceiling_name(r->binds), 100 * r->share);
    else text_add(out, ",,");
    csv_ratio(r->over_scalar, out);
    csv_ratio(r->over_compiler, out);
    if (r->compiler) text_add(out, ",%s/%s", isa_name(r->compiler->isa), r->compiler->variant);
    else text_add(out, ",");
    csv_ratio(r->over_read, out);
    text_add(out, ",%zu,%zu,%.3g,%zu", t->outliers.mild, t->outliers.severe, t->lag1, r->preempted);
    csv_number(r->cycles, out);
    csv_number(r->instructions, out);
    csv_number(100 * r->detectable, out);
    csv_number(r->model.ports, out);
    csv_number(r->model.chained, out);
    text_add(out, ",%s", r->model.ports > 0 ? r->model.tool : "");
    csv_ratio(r->over_saved, out);
    text_add(out, ",%s\n", r->over_saved.at <= 0 ? "" : r->saved_control ? "control" : verdicts[r->saved_verdict]);
}

void micro_provenance(const struct micro *m, const char *notes, struct text *out)
{
    text_add(out, "%s# load: ", notes);
    machine_describe_load(m->before, m->after, out);
    text_add(out, "\n");
    for (int c = CEILING_READ + 1; c < CEILING_COUNT; c++)
        if (m->rates[c].kernel)
            text_add(out, "# ceiling %s: %.4g %s by %s\n", ceiling_name((enum ceiling)c), m->rates[c].median,
                     ceiling_unit((enum ceiling)c), isa_name(m->rates[c].kernel->isa));
    if (m->ghz > 0) text_add(out, "# ghz: %.4g (estimated by a chain of rotations)\n", m->ghz);
    if (m->null_count)
        text_add(out, "# resolves: %.2f %%, A/A arms: %zu, resolved: %zu\n", 100 * micro_resolves(m, 0.5),
                 m->null_count, m->null_resolved);
}

void micro_csv(const struct micro *m, const char *notes, struct text *out)
{
    micro_provenance(m, notes, out);
    text_add(out,
             "op,isa,variant,kind,dim,bits,batch,rows,where,access,working_set_bytes,status,samples,iterations,"
             "ns_per_vector,ns_per_vector_lo,ns_per_vector_hi,mad_pct,gb_per_s,ceiling,pct_of_ceiling,x_scalar,x_"
             "scalar_lo,"
             "x_scalar_hi,x_compiler,x_compiler_lo,x_compiler_hi,compiler,x_read,x_read_lo,x_read_hi,outliers_mild,"
             "outliers_severe,lag1,preempted,cycles_per_vector,instructions_per_vector,detectable_pct,"
             "model_port_cycles,model_chained_cycles,model,x_saved,x_saved_lo,x_saved_hi,since_saved\n");
    for (size_t i = 0; i < m->count; i++) csv_row(&m->rows[i], out);
}

/* --- Google Benchmark's JSON ------------------------------------------------------------------------ */

static void json_context(const struct micro *m, const char *program, struct text *out)
{
    char when[40];
    const time_t now = time(NULL);
    struct tm local;
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S%z", localtime_r(&now, &local));
    const size_t zone = strlen(when) - 2; /* +0000 -> +00:00 */
    memmove(when + zone + 1, when + zone, 3);
    when[zone] = ':';
    text_add(out, "  \"context\": {\n    \"date\": \"%s\",\n    \"host_name\": ", when);
    text_add_json(out, m->machine.host);
    text_add(out, ",\n    \"executable\": ");
    text_add_json(out, program);
    text_add(out, ",\n    \"num_cpus\": %d,\n    \"mhz_per_cpu\": %d,\n    \"caches\": [\n", m->machine.cpus,
             m->machine.mhz);
    static const char *const type[MACHINE_CACHES] = { "Data", "Unified", "Unified" };
    int listed = 0;
    for (int i = 0; i < MACHINE_CACHES; i++) {
        if (!m->machine.cache_bytes[i]) continue;
        text_add(out,
                 "%s      {\n        \"type\": \"%s\",\n        \"level\": %d,\n        \"size\": %zu,\n"
                 "        \"num_sharing\": %d\n      }",
                 listed++ ? ",\n" : "", type[i], i + 1, m->machine.cache_bytes[i], m->machine.cache_sharing[i]);
    }
    double load[3] = { 0 };
    const int loads = getloadavg(load, 3);
    text_add(out, "\n    ],\n    \"load_avg\": [");
    for (int i = 0; i < loads; i++) text_add(out, "%s%.6g", i ? "," : "", load[i]);
    text_add(out, "],\n    \"library_version\": ");
    text_add_json(out, machine_version());
    text_add(out, ",\n    \"library_build_type\": \"%s\",\n    \"json_schema_version\": 1",
             machine_is_release() ? "release" : "debug");
    text_add(out, ",\n    \"cpu_model\": ");
    text_add_json(out, m->machine.cpu);
    if (m->null_count)
        text_add(out, ",\n    \"resolves_percent\": \"%.2f\",\n    \"aa_arms\": \"%zu\",\n    \"aa_resolved\": \"%zu\"",
                 100 * micro_resolves(m, 0.5), m->null_count, m->null_resolved);
    text_add(out, "\n  },\n");
}

/* The keys that every entry has, up to the name of its kind. */
static void json_head(const char *run, const char *suffix, size_t family, const char *kind, size_t repetitions,
                      struct text *out)
{
    struct text name = { 0 };
    text_add(&name, "%s%s", run, suffix);
    text_add(out, "    {\n      \"name\": ");
    text_add_json(out, text_of(&name));
    text_add(out, ",\n      \"family_index\": %zu,\n      \"per_family_instance_index\": 0,\n      \"run_name\": ",
             family);
    text_add_json(out, run);
    text_add(out, ",\n      \"run_type\": \"%s\",\n      \"repetitions\": %zu,\n", kind, repetitions);
    text_free(&name);
}

static void json_ratio(const char *name, struct ratio r, struct text *out)
{
    if (r.at <= 0) return;
    text_add(out, ",\n      \"%s\": %.6e", name, r.at);
    if (!isfinite(r.interval.lo + r.interval.hi)) return;
    text_add(out, ",\n      \"%s_lo\": %.6e,\n      \"%s_hi\": %.6e", name, r.interval.lo, name, r.interval.hi);
}

static void json_times(const struct micro_row *r, uint64_t iterations, double real, double cpu, struct text *out)
{
    text_add(out, "      \"iterations\": %" PRIu64 ",\n      \"real_time\": %.16e,\n      \"cpu_time\": %.16e,\n"
             "      \"time_unit\": \"ns\",\n      \"bytes_per_second\": %.16e,\n      \"items_per_second\": %.16e",
             iterations, real, cpu, real > 0 ? r->facts.demand[CEILING_READ] / real * 1e9 : 0,
             real > 0 ? r->facts.vectors / real * 1e9 : 0);
}

static double deviation(const double *x, size_t n)
{
    const double mean = stats_mean(x, n);
    double square = 0;
    for (size_t i = 0; i < n; i++) square += (x[i] - mean) * (x[i] - mean);
    return n > 1 ? sqrt(square / (double)(n - 1)) : 0;
}

static void json_aggregate(const struct micro_row *r, const char *run, size_t family, const char *name, double real,
                           double cpu, struct text *out)
{
    char suffix[16];
    snprintf(suffix, sizeof suffix, "_%s", name);
    const int percentage = strcmp(name, "cv") == 0;
    text_add(out, ",\n");
    json_head(run, suffix, family, "aggregate", r->call_ns.n, out);
    text_add(out, "      \"threads\": 1,\n      \"aggregate_name\": \"%s\",\n      \"aggregate_unit\": \"%s\",\n", name,
             percentage ? "percentage" : "time");
    text_add(out,
             "      \"iterations\": %zu,\n      \"real_time\": %.16e,\n      \"cpu_time\": %.16e,\n      "
             "\"time_unit\": \"ns\"",
             r->call_ns.n, real, cpu);
    if (strcmp(name, "median") == 0) {
        text_add(out, ",\n      \"ns_per_vector\": %.6e,\n      \"pct_of_ceiling\": %.6e", per_vector(r, real),
                 100 * r->share);
        json_ratio("x_scalar", r->over_scalar, out);
        json_ratio("x_compiler", r->over_compiler, out);
        text_add(out, ",\n      \"label\": \"%s\"", ceiling_name(r->binds));
    }
    text_add(out, "\n    }");
}

static void json_row(const struct micro_row *r, size_t family, struct text *out)
{
    struct text run = { 0 };
    micro_name(r, &run);
    if (r->wrong[0]) {
        json_head(text_of(&run), "", family, "iteration", 1, out);
        text_add(out, "      \"repetition_index\": 0,\n      \"threads\": 1,\n      \"error_occurred\": true,\n    "
                      "  \"error_message\": ");
        text_add_json(out, r->wrong);
        text_add(out, ",\n");
        json_times(r, 0, 0, 0, out);
        text_add(out, "\n    }");
        text_free(&run);
        return;
    }
    const size_t n = r->call_ns.n;
    for (size_t i = 0; i < n; i++) {
        json_head(text_of(&run), "", family, "iteration", n, out);
        text_add(out, "      \"repetition_index\": %zu,\n      \"threads\": 1,\n", i);
        json_times(r, r->iterations, r->raw_ns[i], r->raw_cpu_ns[i], out);
        text_add(out, "\n    }%s", i + 1 < n ? ",\n" : "");
    }
    double *cpu = mem_alloc(n, sizeof *cpu);
    if (cpu) {
        memcpy(cpu, r->raw_cpu_ns, n * sizeof *cpu);
        stats_sort(cpu, n);
        const double real_sd = deviation(r->raw_ns, n), cpu_sd = deviation(cpu, n), cpu_mean = stats_mean(cpu, n);
        json_aggregate(r, text_of(&run), family, "mean", r->call_ns.mean, cpu_mean, out);
        json_aggregate(r, text_of(&run), family, "median", r->call_ns.median, stats_median(cpu, n), out);
        json_aggregate(r, text_of(&run), family, "stddev", real_sd, cpu_sd, out);
        json_aggregate(r, text_of(&run), family, "cv", real_sd / r->call_ns.mean,
                       cpu_mean > 0 ? cpu_sd / cpu_mean : 0, out);
    }
    mem_free(cpu);
    text_free(&run);
}

void micro_google_json(const struct micro *m, const char *program, struct text *out)
{
    text_add(out, "{\n");
    json_context(m, program, out);
    text_add(out, "  \"benchmarks\": [\n");
    for (size_t i = 0; i < m->count; i++) {
        json_row(&m->rows[i], i, out);
        text_add(out, "%s\n", i + 1 < m->count ? "," : "");
    }
    text_add(out, "  ]\n}\n");
}
