/* SPDX-License-Identifier: MIT
 * cmd_latency.c - closed and open loop latency of indexes and pipelines. */
#include "bench/time/clock.h"
#include "bench/command.h"
#include "bench/rows/gnuplot.h"
#include "bench/time/latency.h"
#include "bench/time/machine.h"
#include "bench/rows/output.h"
#include "bench/rows/row.h"
#include "bench/rows/run.h"
#include "bench/contest/subject.h"
#include "kernels/base/option.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SUBJECTS_MOST = 8, LOADS = 2 };

struct asked {
    struct subject_data data;
    struct option_list subjects;
    int64_t calls, cpu;
    double rate, load, budget_s;
    const char *out;
    int poisson, json;
};

struct measured {
    const char *spec;
    double rate; /* 0: closed loop */
    struct latency latency;
};

static void call_subject(void *subject, uint64_t number)
{
    subject_place(subject, number);
    subject_run(subject, 1);
}

/* Closed loop first; the open loop's rate is a share of what that served, unless one was asked for. */
static int measure_subject(const struct asked *a, const char *spec, struct measured *out, struct err *e)
{
    struct subject *s;
    int status = subject_open(&s, spec, &a->data, e);
    if (status != ERR_OK) return status;
    struct latency_plan plan = { .call = call_subject, .context = s, .calls = (size_t)a->calls, .poisson = a->poisson,
                                 .waiting = 1000, .budget_ns = a->budget_s * 1e9, .seed = (uint64_t)a->data.seed };
    struct latency warm;
    plan.calls = plan.calls / 10 + 1;
    status = latency_run(&warm, &plan, e);
    if (status == ERR_OK) latency_free(&warm);
    plan.calls = (size_t)a->calls;
    out[0].spec = out[1].spec = spec;
    if (status == ERR_OK) status = latency_run(&out[0].latency, &plan, e);
    plan.rate = out[1].rate = a->rate > 0 ? a->rate : a->load * out[0].latency.served;
    if (status == ERR_OK) status = latency_run(&out[1].latency, &plan, e);
    if (status == ERR_OK) status = subject_failed(s, e);
    subject_close(s);
    return status;
}

static const struct { const char *name, *column; double q;
} percentiles[] = {
    { "p50", "p50", 0.5 },  { "p90", "p90", 0.9 },      { "p95", "p95", 0.95 },
    { "p99", "p99", 0.99 }, { "p99.9", "p999", 0.999 },
};
enum { PERCENTILES = sizeof percentiles / sizeof *percentiles };

static void add_table(const struct measured *m, size_t count, struct text *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct latency *l = &m[i].latency;
        if (m[i].rate > 0)
            text_add(out, "%s  open loop at %.0f calls/s, from when a call was due", m[i].spec, m[i].rate);
        else text_add(out, "%s  closed loop, service time", m[i].spec);
        text_add(out, ": %zu calls, %.0f/s served", l->count, l->served);
        if (l->skipped) text_add(out, ", %zu TURNED AWAY: it cannot keep up", l->skipped);
        text_add(out, "\n");
        for (int p = 0; p < PERCENTILES; p++) {
            const struct percentile v = latency_percentile(l, percentiles[p].q);
            if (v.ns > 0)
                text_add(out, "  %-6s %10.2f us  [%.2f, %.2f]\n", percentiles[p].name, v.ns / 1e3, v.interval.lo / 1e3,
                         v.interval.hi / 1e3);
            else text_add(out, "  %-6s  too few calls\n", percentiles[p].name);
        }
        text_add(out, "  %-6s %10.2f us\n", "most", l->count ? l->ns[l->count - 1] / 1e3 : 0);
    }
}

static void add_json(const struct measured *m, size_t count, struct text *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct latency *l = &m[i].latency;
        text_add(out, "{\"subject\":");
        text_add_json(out, m[i].spec);
        text_add(out, ",\"loop\":\"%s\",\"rate\":%.6g,\"calls\":%zu,\"skipped\":%zu,\"served_per_s\":%.6g",
                 m[i].rate > 0 ? "open" : "closed", m[i].rate, l->count, l->skipped, l->served);
        for (int p = 0; p < PERCENTILES; p++) {
            const struct percentile v = latency_percentile(l, percentiles[p].q);
            if (v.ns > 0) text_add(out, ",\"lat_%s_us\":%.6g", percentiles[p].column, v.ns / 1e3);
        }
        text_add(out, "}\n");
    }
}

static void add_csv(const struct measured *m, size_t count, const char *notes, struct text *out)
{
    text_add(out, "%ssubject,loop,rate,calls,skipped,served_per_s", notes);
    for (int p = 0; p < PERCENTILES; p++) {
        const char *name = percentiles[p].column;
        text_add(out, ",lat_%s_us,lat_%s_lo_us,lat_%s_hi_us", name, name, name);
    }
    text_add(out, "\n");
    for (size_t i = 0; i < count; i++) {
        const struct latency *l = &m[i].latency;
        csv_add(out, m[i].spec);
        text_add(out, ",%s,%.6g,%zu,%zu,%.6g", m[i].rate > 0 ? "open" : "closed", m[i].rate, l->count, l->skipped,
                 l->served);
        for (int p = 0; p < PERCENTILES; p++) {
            const struct percentile v = latency_percentile(l, percentiles[p].q);
            if (v.ns <= 0) text_add(out, ",,,");
            else if (isfinite(v.interval.hi))
                text_add(out, ",%.6g,%.6g,%.6g", v.ns / 1e3, v.interval.lo / 1e3, v.interval.hi / 1e3);
            else text_add(out, ",%.6g,%.6g,", v.ns / 1e3, v.interval.lo / 1e3);
        }
        text_add(out, "\n");
    }
}

/* 95 % of a share that was seen in n calls (Wilson 1927). */
static struct interval interval_of_share(double share, size_t n)
{
    const double z = 1.96, z2_n = z * z / (double)n;
    const double centre = (share + z2_n / 2) / (1 + z2_n);
    const double reach =
        z * sqrt(share * (1 - share) / (double)n + z2_n / (4 * (double)n)) / (1 + z2_n);
    return (struct interval){ centre - reach, centre + reach };
}

/* Share of calls that took longer, against time, with its interval: one block a measurement, at
 * most 400 points. */
static int draw(const struct measured *m, size_t count, const char *dir, struct err *e)
{
    struct text data = { 0 }, script = { 0 };
    int status = gnuplot_figure(&script, "ccdf", dir, "latency", "latency", "latency (us)", e);
    text_add(&script, "n = %zu; array label[%zu]; ", count, count);
    for (size_t i = 0; i < count; i++) {
        const struct latency *l = &m[i].latency;
        struct text label = { 0 };
        text_add(&label, "%s, %s", m[i].spec, m[i].rate > 0 ? "open" : "closed");
        if (m[i].rate > 0) text_add(&label, " at %.0f/s", m[i].rate);
        gnuplot_set(&script, "label", i + 1, text_of(&label));
        text_free(&label);
        text_add(&data, "%s", i ? "\n\n" : "");
        double next = 1; /* share that is longer; steps of 4 % of itself */
        for (size_t j = 0; j < l->count; j++) {
            const double longer = (double)(l->count - j) / (double)l->count;
            if (longer > next && j + 1 < l->count) continue;
            const struct interval i95 = interval_of_share(longer, l->count);
            text_add(&data, "%.6g %.6g %.6g %.6g\n", l->ns[j] / 1e3, longer, i95.lo, i95.hi);
            next = longer * 0.96;
        }
    }
    if (status == ERR_OK) status = output_write_in(dir, "latency.dat", &data, e);
    if (status == ERR_OK) status = gnuplot_render(&script, dir, "latency", e);
    text_free(&data);
    text_free(&script);
    return status;
}

static int write_results(const struct asked *a, const struct measured *m, size_t count, const char *notes,
                         struct err *e)
{
    struct text out = { 0 };
    if (a->json) add_json(m, count, &out);
    else add_table(m, count, &out);
    fputs(text_of(&out), stdout);
    int status = ERR_OK;
    if (a->out) {
        text_clear(&out);
        add_csv(m, count, notes, &out);
        status = output_write_in(a->out, "latency.csv", &out, e);
        for (size_t i = 0; i < count && status == ERR_OK; i++) {
            char name[64];
            snprintf(name, sizeof name, "latency_%zu_%s.hgrm", i / LOADS + 1, m[i].rate > 0 ? "open" : "closed");
            text_clear(&out);
            latency_hgrm(&m[i].latency, &out);
            status = output_write_in(a->out, name, &out, e);
        }
        if (status == ERR_OK) status = draw(m, count, a->out, e);
    }
    text_free(&out);
    return status;
}

static int run(int argc, char **argv, struct err *e)
{
    struct asked a = { .data = SUBJECT_DATA_USUAL, .calls = 10000, .cpu = -1, .load = 0.7, .budget_s = 20 };
    struct option options[SUBJECT_OPTIONS + 16] = {
        { "--calls", OPTION_INT, &a.calls, 10, 1e8 },    { "--rate", OPTION_REAL, &a.rate, 1e-3, 1e9 },
        { "--load", OPTION_REAL, &a.load, 0.01, 10 },    { "--cpu", OPTION_INT, &a.cpu, 0, 4095 },
        { "--seed", OPTION_INT, &a.data.seed, 0, 1e15 }, { "--out", OPTION_TEXT, &a.out, 0, 0 },
        { "--poisson", OPTION_FLAG, &a.poisson, 0, 0 },  { "--json", OPTION_FLAG, &a.json, 0, 0 },
        { "--budget", OPTION_REAL, &a.budget_s, 0.01, 1e6 },
    };
    subject_options(&a.data, options + 9);
    options[9 + SUBJECT_OPTIONS - SUBJECT_KERNEL_OPTIONS] = (struct option){ 0 }; /* the table ends before those */
    int status = options_parse(argc, argv, options, &a.subjects, e);
    if (status != ERR_OK) return status;
    if (a.subjects.count == 0) return FAIL(e, ERR_ARG, "name a subject: index:SPEC or rag:DB");
    for (int i = 0; i < a.subjects.count; i++)
        if (strncmp(a.subjects.at[i], "kernel:", 7) == 0)
            return FAIL(e, ERR_ARG, "%s: a kernel has no latency of its own here (assay bench, assay compare)",
                        a.subjects.at[i]);
    if (a.subjects.count > SUBJECTS_MOST)
        return FAIL(e, ERR_ARG, "%d subjects, at most %d", a.subjects.count, SUBJECTS_MOST);
    (void)clock_pin((int)a.cpu, NULL); /* where binding is forbidden the scheduler's choice stands */
    struct run r;
    struct measured m[SUBJECTS_MOST * LOADS] = { 0 };
    size_t count = 0;
    status = run_init(&r, argc, argv, e);
    for (int i = 0; i < a.subjects.count && status == ERR_OK; i++, count += LOADS)
        status = measure_subject(&a, a.subjects.at[i], &m[count], e);
    if (status == ERR_OK) status = write_results(&a, m, count, text_of(&r.notes), e);
    for (size_t i = 0; i < SUBJECTS_MOST * LOADS; i++) latency_free(&m[i].latency);
    run_fini(&r);
    return status;
}

const struct command cmd_latency = {
    .name = "latency",
    .summary = "closed and open loop latency of indexes and pipelines, to the tail",
    .help =
        "usage: assay latency SUBJECT ... [options]\n\n"
        "A subject is index:SPEC[@KERNEL] or rag:DB[,KEY=VALUE...][@KERNEL].  Each is measured in a closed loop\n"
        "(service time: the next call begins when the last ended) and in an open loop (calls are due at a fixed\n"
        "rate and timed from when they were due, so a stall is felt by all that were due during it).  Intervals are\n"
        "95 %, by order statistics, and take calls for independent: in an open loop near saturation they are not.\n\n"
        "  --calls N          calls of each loop; p99 needs 500, p99.9 10,000         (10000)\n"
        "  --budget S         seconds of each loop: then fewer calls                  (20)\n"
        "  --rate R           open loop: calls a second               (--load of the closed loop)\n"
        "  --load X           open loop: share of the closed loop's rate              (0.7)\n"
        "  --poisson          exponential gaps in place of even ones\n"
        "  --cpu N, --seed N  the CPU to run on (the one we start on), seed of data and gaps (1)\n"
        "  --out DIR          latency.csv, HdrHistogram text (.hgrm), CCDF figure\n"
        "  --json             one object a line, one line a loop\n\n"
        SUBJECT_HELP
        "\nexample: assay latency index:turboquant:bits=4 --n 100000 --poisson --out results/latency\n",
    .run = run,
};
