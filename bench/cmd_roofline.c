/* SPDX-License-Identifier: MIT
 * cmd_roofline.c - what this machine can do at most, measured now, and where the kernels stand. */
#include "bench/time/clock.h"
#include "bench/command.h"
#include "bench/rows/apart.h"
#include "bench/rows/gnuplot.h"
#include "bench/micro/micro.h"
#include "bench/rows/output.h"
#include "bench/rows/run.h"
#include "bench/time/progress.h"
#include "kernels/base/clock.h"
#include "kernels/base/mem.h"
#include "kernels/base/option.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const levels[] = { "l1", "l2", "l3", "dram" };
enum { LEVELS = 4, CEILINGS_MOST = 96, THREADS_MOST = 256 };

/* One measured ceiling. */
struct line {
    const char *kind;  /* "read" "random_rows" "chase" "instructions" */
    const char *what;  /* level, or the instruction */
    size_t bytes;      /* read from, of one thread; 0: registers */
    size_t row_bytes;  /* random_rows */
    int threads;
    struct rate rate;  /* in `unit` */
    const char *unit;
};

struct roofline {
    struct line lines[CEILINGS_MOST];
    size_t count;
    struct micro micro; /* the kernels' points */
    size_t left_out;    /* of them, for want of time */
    uint64_t start_ns;
    struct progress progress;
};

struct asked {
    int64_t dim, bits, rounds, seed;
    double seconds;
    const char *out;
    int csv, json, quick, no_kernels;
};

static void keep(struct roofline *r, struct line l)
{
    if (r->count < CEILINGS_MOST) r->lines[r->count++] = l;
}

/* Rates are events a nanosecond; latencies are their inverse. */
static struct rate inverse(struct rate r)
{
    return (struct rate){ 1 / r.median, { 1 / r.interval.hi, 1 / r.interval.lo }, r.kernel };
}

static int measure_reads(struct roofline *r, const struct asked *a, struct err *e)
{
    for (int level = 0; level < LEVELS; level++) {
        const size_t bytes = machine_level_bytes(&r->micro.machine, levels[level]);
        for (int threads = 1; bytes > 0 && threads <= r->micro.machine.cpus && threads <= THREADS_MOST; threads *= 2) {
            /* What the cores share is shared here too. */
            const size_t own = level < 2 ? bytes : bytes / (size_t)threads;
            struct line l = { .kind = "read", .what = levels[level], .bytes = own, .threads = threads, .unit = "GB/s" };
            const int status = roofline_read(own, threads, (size_t)a->rounds, (uint64_t)a->seed, &l.rate, e);
            if (status != ERR_OK) return status;
            keep(r, l);
        }
    }
    return ERR_OK;
}

static int measure_random(struct roofline *r, const struct asked *a, struct err *e)
{
    static const size_t row_bytes[] = { 64, 384, 1536 };
    const size_t dram = machine_level_bytes(&r->micro.machine, "dram"), rounds = (size_t)a->rounds;
    for (int i = 0; i < 3; i++) {
        struct line l = { .kind = "random_rows",
                          .what = "dram",
                          .bytes = dram,
                          .row_bytes = row_bytes[i],
                          .threads = 1,
                          .unit = "ns/row" };
        const int status = roofline_rows(dram, row_bytes[i], rounds, (uint64_t)a->seed, &l.rate, e);
        if (status != ERR_OK) return status;
        l.rate = inverse(l.rate);
        keep(r, l);
    }
    for (int level = 0; level < LEVELS; level++) {
        struct line l = { .kind = "chase", .what = levels[level], .row_bytes = 64, .threads = 1, .unit = "ns/load" };
        l.bytes = machine_level_bytes(&r->micro.machine, levels[level]);
        if (l.bytes == 0) continue;
        const int status = roofline_chase(l.bytes, rounds, (uint64_t)a->seed, &l.rate, e);
        if (status != ERR_OK) return status;
        l.rate = inverse(l.rate);
        keep(r, l);
    }
    return ERR_OK;
}

static int measure_instructions(struct roofline *r, const struct micro_plan *plan, struct err *e)
{
    const int status = micro_ceilings(&r->micro, plan, e);
    for (int c = CEILING_READ + 1; c < CEILING_COUNT && status == ERR_OK; c++) {
        const struct rate rate = r->micro.rates[c];
        if (!rate.kernel) continue;
        keep(r, (struct line){ "instructions", ceiling_name((enum ceiling)c), 0, 0, 1, rate,
                               ceiling_unit((enum ceiling)c) });
    }
    return status;
}

static int measure_kernel(struct roofline *r, const struct asked *a, const struct micro_plan *plan, enum kernel_op op,
                          const char *level, struct err *e)
{
    const struct workload_shape shape = {
        .op = op, .dim = (size_t)a->dim, .bits = (int)a->bits, .batch = 1, .seed = (uint64_t)a->seed,
        .bytes = machine_level_bytes(&r->micro.machine, level),
    };
    if (shape.bytes == 0) return ERR_OK;
    const int status = micro_shape(&r->micro, plan, &shape, level, e);
    return status == ERR_OK ? ERR_OK : err_context(e, status, "%s in %s", kernel_op_name(op), level);
}

/* The default row of every operation at every level of the memory, as far as time goes.  One call from DRAM takes tens of
 * milliseconds and its data as long as all else: so that level comes last. */
static int measure_kernels(struct roofline *r, const struct asked *a, const struct micro_plan *plan, struct err *e)
{
    static const char *const order[LEVELS] = { "l2", "l1", "l3", "dram" };
    int status = ERR_OK;
    progress_start(&r->progress, "kernels at levels of memory", LEVELS * (OP_COUNT - 1));
    for (size_t i = 0; i < LEVELS; i++)
        for (int op = 0; op < OP_COUNT && status == ERR_OK; op++) {
            if (workload_uses((enum kernel_op)op) < 0) continue;
            if (clock_since_s(r->start_ns) > a->seconds) r->left_out++;
            else status = measure_kernel(r, a, plan, (enum kernel_op)op, order[i], e);
            progress_step(&r->progress, i * (OP_COUNT - 1) + (size_t)op);
        }
    progress_end(&r->progress);
    return status;
}

static int level_of(const char *name)
{
    int level = 0;
    while (level < LEVELS - 1 && strcmp(levels[level], name) != 0) level++;
    return level;
}

static int by_op_and_level(const void *a, const void *b)
{
    const struct micro_row *x = a, *y = b;
    if (x->kernel->op != y->kernel->op) return x->kernel->op < y->kernel->op ? -1 : 1;
    return level_of(x->where) - level_of(y->where);
}

/* The kind of work an operation does most of, and how much of it a nanosecond and a byte. */
struct spot { enum ceiling kind; double per_byte, per_ns, lo, hi; };
static int spot_of(const struct micro_row *row, struct spot *out)
{
    if (row->wrong[0]) return 0;
    int kind = CEILING_FMA;
    for (int c = CEILING_FMA; c < CEILING_COUNT; c++)
        if (row->facts.demand[c] > row->facts.demand[kind]) kind = c;
    const double work = row->facts.demand[kind];
    if (work <= 0 || row->facts.demand[CEILING_READ] <= 0) return 0;
    *out = (struct spot){ (enum ceiling)kind, work / row->facts.demand[CEILING_READ], work / row->call_ns.median,
                          work / row->call_ns.interval.hi, work / row->call_ns.interval.lo };
    return 1;
}

/* --- output ------------------------------------------------------------------------------------- */

static void say_lines(const struct roofline *r, struct text *out)
{
    text_add(out, "%-13s %-9s %10s %8s  %10s  %-22s %s\n", "ceiling", "", "bytes", "threads", "median", "[95 %]", "");
    for (size_t i = 0; i < r->count; i++) {
        const struct line *l = &r->lines[i];
        char bytes[24] = "", interval[48];
        if (l->bytes) snprintf(bytes, sizeof bytes, "%zu KiB", l->bytes / 1024);
        snprintf(interval, sizeof interval, "[%.4g, %.4g]", l->rate.interval.lo, l->rate.interval.hi);
        text_add(out, "%-13s %-9s %10s %8d  %10.4g  %-22s %s", l->kind, l->what, bytes, l->threads, l->rate.median,
                 interval, l->unit);
        if (l->row_bytes && strcmp(l->kind, "random_rows") == 0) text_add(out, ", rows of %zu bytes", l->row_bytes);
        if (l->rate.kernel) text_add(out, "  (%s/%s)", isa_name(l->rate.kernel->isa), l->rate.kernel->variant);
        text_add(out, "\n");
    }
}

static void say_points(const struct roofline *r, struct text *out)
{
    if (r->micro.count)
        text_add(out, "\n%-11s %-6s %-24s %10s  %12s  %-14s %s\n", "kernel", "where", "row", "per byte", "G/s",
                 "of ceiling", "of the read loop's speed [95 %], paired");
    for (size_t i = 0; i < r->micro.count; i++) {
        const struct micro_row *row = &r->micro.rows[i];
        struct spot s;
        if (row->kernel->kind == KERNEL_BASELINE || !spot_of(row, &s)) continue;
        char name[64], share[32];
        snprintf(name, sizeof name, "%s/%s", isa_name(row->kernel->isa), row->kernel->variant);
        snprintf(share, sizeof share, "%.0f %% %s%s", 100 * row->share, ceiling_name(row->binds), micro_excess(row));
        text_add(out, "%-11s %-6s %-24s %10.3g  %12.4g  %-14s", kernel_op_name(row->kernel->op), row->where, name,
                 s.per_byte, s.per_ns, share);
        if (row->binds == CEILING_READ)
            text_add(out, " %.3f [%.3f, %.3f]", row->over_read.at, row->over_read.interval.lo,
                     row->over_read.interval.hi);
        text_add(out, "\n");
    }
}

static void add_csv(const struct roofline *r, const char *notes, struct text *out)
{
    text_add(out, "%skind,what,bytes,row_bytes,threads,value,value_lo,value_hi,unit,kernel,per_byte\n", notes);
    for (size_t i = 0; i < r->count; i++) {
        const struct line *l = &r->lines[i];
        text_add(out, "%s,%s,%zu,%zu,%d,%.6g,%.6g,%.6g,%s,", l->kind, l->what, l->bytes, l->row_bytes, l->threads,
                 l->rate.median, l->rate.interval.lo, l->rate.interval.hi, l->unit);
        if (l->rate.kernel) text_add(out, "%s/%s", isa_name(l->rate.kernel->isa), l->rate.kernel->variant);
        text_add(out, ",\n");
    }
    for (size_t i = 0; i < r->micro.count; i++) {
        const struct micro_row *row = &r->micro.rows[i];
        struct spot s;
        if (row->kernel->kind == KERNEL_BASELINE || !spot_of(row, &s)) continue;
        text_add(out, "kernel,%s,%zu,,1,%.6g,%.6g,%.6g,%s,%s/%s,%.6g\n", kernel_op_name(row->kernel->op),
                 row->facts.set_bytes, s.per_ns, s.lo, s.hi, ceiling_unit(s.kind), isa_name(row->kernel->isa),
                 row->kernel->variant, s.per_byte);
    }
}

static void add_json(const struct roofline *r, struct text *out)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct line *l = &r->lines[i];
        text_add(out,
                 "{\"kind\":\"%s\",\"what\":\"%s\",\"bytes\":%zu,\"row_bytes\":%zu,\"threads\":%d,\"value\":%.6g,"
                 "\"value_lo\":%.6g,\"value_hi\":%.6g,\"unit\":\"%s\"}\n",
                 l->kind, l->what, l->bytes, l->row_bytes, l->threads, l->rate.median, l->rate.interval.lo,
                 l->rate.interval.hi, l->unit);
    }
}

/* Names that would stand on each other share one line. */
struct name { char text[96]; double x, y; };

static void add_name(struct name *names, size_t *count, size_t room, const char *text, double x, double y)
{
    for (size_t i = 0; i < *count; i++)
        if (fabs(log(names[i].x / x)) < 0.05 && fabs(log(names[i].y / y)) < 0.15) {
            const size_t size = strlen(names[i].text);
            snprintf(names[i].text + size, sizeof names[i].text - size, ", %s", text);
            return;
        }
    if (*count == room) return;
    snprintf(names[*count].text, sizeof names[*count].text, "%s", text);
    names[*count].x = x;
    names[(*count)++].y = y;
}

/* Slopes and flats as functions, kernels as points: work per byte, work per ns, lo, hi, level (0..3). */
static void add_roofs(const struct roofline *r, struct text *script)
{
    struct name flats[CEILING_COUNT];
    size_t roofs = 0, count = 0;
    struct text more = { 0 };
    for (size_t i = 0; i < r->count; i++) {
        const struct line *l = &r->lines[i];
        if (strcmp(l->kind, "instructions") == 0)
            add_name(flats, &count, CEILING_COUNT, l->what, 1, l->rate.median);
        if (strcmp(l->kind, "read") != 0 || l->threads != 1) continue;
        gnuplot_set(&more, "roof_name", ++roofs, l->what);
        text_add(&more, "roof[%zu] = %.6g; ", roofs, l->rate.median);
    }
    for (size_t i = 0; i < count; i++) {
        gnuplot_set(&more, "flat_name", i + 1, flats[i].text);
        text_add(&more, "flat[%zu] = %.6g; ", i + 1, flats[i].y);
    }
    text_add(script,
             "roofs = %zu; array roof[%d]; array roof_name[%d]; flats = %zu; array flat[%d]; array flat_name[%d]; ",
             roofs, LEVELS, LEVELS, count, CEILING_COUNT, CEILING_COUNT);
    text_add(script, "%s", text_of(&more));
    text_free(&more);
}

/* What the plot shows. */
struct frame { double x_low, x_high, y_low, y_high; };

static struct frame frame_of(const struct roofline *r)
{
    double least = INFINITY, most = 0, bottom = INFINITY, top = 0, slope = INFINITY;
    for (size_t i = 0; i < r->count; i++) {
        const struct line *l = &r->lines[i];
        if (strcmp(l->kind, "instructions") == 0) top = fmax(top, l->rate.median);
        if (strcmp(l->kind, "read") == 0 && l->threads == 1) slope = fmin(slope, l->rate.median);
    }
    for (size_t i = 0; i < r->micro.count; i++) {
        struct spot s;
        if (!spot_of(&r->micro.rows[i], &s)) continue;
        least = fmin(least, s.per_byte), most = fmax(most, s.per_byte);
        bottom = fmin(bottom, s.per_ns), top = fmax(top, s.per_ns);
    }
    return (struct frame){ least / 3, most * 4, fmin(bottom, slope * least / 3) / 1.5, top * 1.6 };
}

static double share_x(const struct frame *f, double x) { return log(x / f->x_low) / log(f->x_high / f->x_low); }
static double share_y(const struct frame *f, double y) { return log(y / f->y_low) / log(f->y_high / f->y_low); }

/* Names where they cover neither each other nor a point, as shares of a plot that is so many letters wide and lines high;
 * in the arrays PREFIX_x and PREFIX_y. */
static void add_places(const struct frame *f, const struct name *names, size_t count, const struct apart_point *points,
                       size_t point_count, double letters, double lines, const char *prefix, struct text *script)
{
    struct apart_name boxes[OP_COUNT];
    for (size_t i = 0; i < count; i++)
        boxes[i] = (struct apart_name){ .x = share_x(f, names[i].x), .y = share_y(f, names[i].y),
                                        .width = (double)strlen(names[i].text) / letters, .height = 1 / lines };
    apart_place(boxes, count, points, point_count);
    text_add(script, "array %s_x[%d]; array %s_y[%d]; ", prefix, OP_COUNT, prefix, OP_COUNT);
    for (size_t i = 0; i < count; i++)
        text_add(script, "%s_x[%zu] = %.6g; %s_y[%zu] = %.6g; ", prefix, i + 1, boxes[i].left, prefix, i + 1, boxes[i].middle);
}

static void add_names(const struct frame *f, const struct name *names, size_t count, const struct apart_point *points,
                      size_t point_count, struct text *script)
{
    text_add(script, "n = %zu; array label[%d]; array of_x[%d]; array of_y[%d]; ", count, OP_COUNT, OP_COUNT, OP_COUNT);
    for (size_t i = 0; i < count; i++) {
        gnuplot_set(script, "label", i + 1, names[i].text);
        text_add(script, "of_x[%zu] = %.6g; of_y[%zu] = %.6g; ", i + 1, share_x(f, names[i].x), i + 1, share_y(f, names[i].y));
    }
    add_places(f, names, count, points, point_count, 175, 38, "wide", script);
    add_places(f, names, count, points, point_count, 58, 38, "slim", script);
}

static void add_points(const struct roofline *r, struct text *script, struct text *data)
{
    enum { POINTS = OP_COUNT * LEVELS };
    const struct frame f = frame_of(r);
    struct name names[OP_COUNT];
    struct apart_point points[POINTS];
    size_t count = 0, point_count = 0;
    for (size_t i = 0; i < r->micro.count; i++) {
        const struct micro_row *row = &r->micro.rows[i];
        struct spot s;
        if (row->kernel->kind == KERNEL_BASELINE || !spot_of(row, &s)) continue;
        text_add(data, "%.6g %.6g %.6g %.6g %d\n", s.per_byte, s.per_ns, s.lo, s.hi, level_of(row->where));
        if (point_count < POINTS)
            points[point_count++] = (struct apart_point){ share_x(&f, s.per_byte), share_y(&f, s.per_ns) };
        /* One name an operation, at its last level, where the points hang lowest. */
        const int last = i + 1 == r->micro.count || r->micro.rows[i + 1].kernel->op != row->kernel->op;
        if (last) add_name(names, &count, OP_COUNT, kernel_op_name(row->kernel->op), s.per_byte, s.per_ns);
    }
    text_add(script, "x_low = %.6g; x_high = %.6g; y_low = %.6g; y_high = %.6g; ", f.x_low, f.x_high, f.y_low, f.y_high);
    add_names(&f, names, count, points, point_count, script);
}

static int draw(const struct roofline *r, const char *dir, struct err *e)
{
    struct text data = { 0 }, script = { 0 };
    int status = gnuplot_figure(&script, "roofline", dir, "roofline", r->micro.machine.cpu, "work per byte read", e);
    add_roofs(r, &script);
    add_points(r, &script, &data);
    if (status == ERR_OK) status = output_write_in(dir, "roofline.dat", &data, e);
    if (status == ERR_OK) status = gnuplot_render(&script, dir, "roofline", e);
    text_free(&data);
    text_free(&script);
    return status;
}

static int write_results(const struct roofline *r, const struct asked *a, const char *notes, struct err *e)
{
    struct text out = { 0 };
    if (a->csv) add_csv(r, notes, &out);
    else if (a->json) add_json(r, &out);
    else {
        text_add(&out, "%s, %d CPUs\n\n", r->micro.machine.cpu, r->micro.machine.cpus);
        say_lines(r, &out);
        say_points(r, &out);
        if (r->left_out)
            text_add(&out, "not measured in %g s (--seconds): %zu kernels at a level, of the last in this order: l2, l1, l3, dram\n",
                     a->seconds, r->left_out);
        micro_footer(&r->micro, &out);
    }
    fputs(text_of(&out), stdout);
    int status = out.failed ? FAIL(e, ERR_MEM, "no memory for the results") : ERR_OK;
    if (status == ERR_OK && a->out) {
        text_clear(&out);
        add_csv(r, notes, &out);
        status = output_write_in(a->out, "roofline.csv", &out, e);
        if (status == ERR_OK && r->micro.count) status = draw(r, a->out, e);
    }
    text_free(&out);
    return status;
}

static int measure(const struct asked *a, const char *notes, struct err *e)
{
    struct roofline *r = mem_zero(1, sizeof *r);
    if (!r) return FAIL(e, ERR_MEM, "no memory for the results");
    micro_init(&r->micro);
    r->start_ns = clock_ns();
    const struct micro_plan plan = { .rounds = (size_t)a->rounds,
                                     .budget_ns = a->quick ? 5e7 : 2e8,
                                     .seed = (uint64_t)a->seed,
                                     .filter = "",
                                     .defaults_only = 1,
                                     .no_baselines = 1 };
    int status = measure_reads(r, a, e); /* before we bind ourselves: its threads bind themselves */
    (void)clock_pin(-1, NULL);           /* where binding is forbidden the scheduler's choice stands */
    if (status == ERR_OK) status = measure_random(r, a, e);
    if (status == ERR_OK) status = measure_instructions(r, &plan, e);
    if (status == ERR_OK && !a->no_kernels) status = measure_kernels(r, a, &plan, e);
    if (r->micro.count) qsort(r->micro.rows, r->micro.count, sizeof *r->micro.rows, by_op_and_level);
    if (status == ERR_OK) status = write_results(r, a, notes, e);
    micro_fini(&r->micro);
    mem_free(r);
    return status;
}

static int run(int argc, char **argv, struct err *e)
{
    struct asked a = { .dim = 384, .bits = 4, .rounds = 0, .seed = 1 };
    const struct option options[] = {
        { "--dim", OPTION_INT, &a.dim, 1, 65536 },      { "--bits", OPTION_INT, &a.bits, 1, 8 },
        { "--rounds", OPTION_INT, &a.rounds, 6, 4096 }, { "--seed", OPTION_INT, &a.seed, 0, 1e15 },
        { "--out", OPTION_TEXT, &a.out, 0, 0 },         { "--no-kernels", OPTION_FLAG, &a.no_kernels, 0, 0 },
        { "--csv", OPTION_FLAG, &a.csv, 0, 0 },         { "--json", OPTION_FLAG, &a.json, 0, 0 },
        { "--quick", OPTION_FLAG, &a.quick, 0, 0 },     { "--seconds", OPTION_REAL, &a.seconds, 0.1, 1e5 },
        { 0 },
    };
    int status = options_parse(argc, argv, options, NULL, e);
    if (status == ERR_OK && a.csv && a.json) status = FAIL(e, ERR_ARG, "--csv and --json: choose one");
    if (status != ERR_OK) return status;
    if (!a.rounds) a.rounds = a.quick ? 6 : 20;
    if (a.seconds == 0) a.seconds = a.quick ? 8 : 45;
    struct run r;
    status = run_init(&r, argc, argv, e);
    if (status == ERR_OK) status = measure(&a, text_of(&r.notes), e);
    run_fini(&r);
    return status;
}

const struct command cmd_roofline = {
    .name = "roofline",
    .summary = "this machine's ceilings, measured now",
    .help =
        "usage: assay roofline [options]\n\n"
        "Sequential reads from each level of the memory by 1, 2, 4 ... threads; random rows and dependent loads;\n"
        "fused multiply-adds, int8 products, byte shuffles and bit counts a second; and where the default row of\n"
        "every operation stands below them, in under a minute.  Medians with 95 % intervals; a share above 100 % is marked !\n\n"
        "  --dim N        dimensions of the kernels' vectors                (384)\n"
        "  --bits N       bits of their codes                               (4)\n"
        "  --rounds N     samples of each                                   (20, --quick 6)\n"
        "  --seconds S    no kernel is begun after this; what is left out is said   (45, --quick 8)\n"
        "  --quick        a first look in some ten seconds: few samples, few kernels from DRAM\n"
        "  --no-kernels   the ceilings alone\n"
        "  --seed N       of data and order                                 (1)\n"
        "  --csv, --json  to standard output\n"
        "  --out DIR      roofline.csv and the figure\n\n"
        "example: assay roofline --out results/roofline\n",
    .run = run,
};
