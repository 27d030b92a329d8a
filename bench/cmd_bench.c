/* SPDX-License-Identifier: MIT
 * cmd_bench.c - microbenchmarks: correctness first, then time, with the ceiling beside it. */
#include "bench/time/clock.h"
#include "bench/command.h"
#include "bench/micro/count.h"
#include "bench/micro/micro.h"
#include "bench/rows/output.h"
#include "bench/rows/run.h"
#include "bench/time/progress.h"
#include "kernels/base/mem.h"
#include "kernels/base/option.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const levels[] = { "l1", "l2", "l3", "dram" };
enum { LEVELS = 4, LIST_MOST = 32 };
/* Seven and seven give the exact interval an end for up to 85 rows at once (stats_shift_rank). */
enum { PROCESSES = 7 };

struct asked {
    const char *dims, *where, *access, *bits, *batch;
    int64_t rows, rounds, cpu, seed, processes, part;
    double budget_s, fail_slower;
    const char *save, *baseline, *out, *part_to;
    int argc;
    char **argv; /* of the verb */
    const char *counts, *assembly;
    int csv, json, quick, force, model, count, no_baselines;
    struct option_list filters;
};

/* "384,768" into numbers; returns how many, 0 with *e set. */
static size_t numbers_of(const char *list, const char *what, double least, double most, size_t *out, struct err *e)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", list);
    size_t count = 0;
    char *save = NULL;
    for (char *item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
        int64_t value;
        if (!text_to_i64(item, &value) || (double)value < least || (double)value > most || count == LIST_MOST) {
            FAIL(e, ERR_ARG, "%s %s: a list of at most %d whole numbers in %g..%g, separated by commas", what, list,
                 LIST_MOST, least, most);
            return 0;
        }
        out[count++] = (size_t)value;
    }
    if (count == 0) FAIL(e, ERR_ARG, "%s: an empty list", what);
    return count;
}

/* Positions in `names` of a comma-separated list. */
static size_t choices_of(const char *list, const char *what, const char *const *names, size_t known, size_t *out,
                         struct err *e)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", list);
    size_t count = 0;
    char *save = NULL;
    for (char *item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
        size_t i = 0;
        while (i < known && strcmp(names[i], item) != 0) i++;
        if (i == known || count == LIST_MOST) {
            FAIL(e, ERR_ARG, "%s %s: unknown%s", what, item, NEAREST(item, names, known));
            return 0;
        }
        out[count++] = i;
    }
    if (count == 0) FAIL(e, ERR_ARG, "%s: an empty list", what);
    return count;
}

struct axes {
    size_t dims[LIST_MOST], where[LIST_MOST], access[LIST_MOST], bits[LIST_MOST], batch[LIST_MOST];
    size_t dim_count, where_count, access_count, bits_count, batch_count;
};

static int read_axes(const struct asked *a, struct axes *x, struct err *e)
{
    static const char *const accesses[] = { "scan", "gather" };
    x->dim_count = numbers_of(a->dims, "--dim", 1, 65536, x->dims, e);
    if (!x->dim_count) return ERR_ARG;
    x->bits_count = numbers_of(a->bits, "--bits", 1, 8, x->bits, e);
    if (!x->bits_count) return ERR_ARG;
    x->batch_count = numbers_of(a->batch, "--batch", 1, 1024, x->batch, e);
    if (!x->batch_count) return ERR_ARG;
    x->where_count = choices_of(a->where, "--where", levels, LEVELS, x->where, e);
    if (!x->where_count) return ERR_ARG;
    x->access_count = choices_of(a->access, "--access", accesses, 2, x->access, e);
    return x->access_count ? ERR_OK : ERR_ARG;
}

/* Has this operation a row whose name the filter selects? */
static int op_wanted(enum kernel_op op, const char *filter)
{
    for (const struct kernel *k = kernel_next(op, NULL); k; k = kernel_next(op, k)) {
        char name[128];
        snprintf(name, sizeof name, "%s/%s/%s", kernel_op_name(op), isa_name(k->isa), k->variant);
        if (strstr(name, filter)) return 1;
    }
    return 0;
}

static const enum kernel_op headline[] = { OP_dot_f32, OP_cosine_f32, OP_rotate_f32, OP_scan_lut, OP_scan_sign };

static int in_headline(enum kernel_op op)
{
    for (size_t i = 0; i < sizeof headline / sizeof *headline; i++)
        if (headline[i] == op) return 1;
    return 0;
}

/* Visits every shape of the axes.  With m NULL it only counts them. */
static int each_shape(const struct asked *a, const struct axes *x, const struct micro_plan *plan, struct micro *m,
                      struct progress *progress, size_t *count, struct err *e)
{
    *count = 0;
    for (int op = 0; op < OP_COUNT; op++) {
        const int uses = workload_uses((enum kernel_op)op);
        if (uses < 0 || !op_wanted((enum kernel_op)op, plan->filter)) continue;
        if (a->quick && a->filters.count == 0 && !in_headline((enum kernel_op)op)) continue;
        const size_t bits = uses & USES_BITS ? x->bits_count : 1, batch = uses & USES_BATCH ? x->batch_count : 1;
        const size_t access = uses & USES_GATHER ? x->access_count : 1, where = a->rows ? 1 : x->where_count;
        const size_t dims = uses & IGNORES_DIM ? 1 : x->dim_count, shapes = dims * bits * batch * where * access;
        for (size_t i = 0; i < shapes; i++, ++*count) {
            if (!m) continue;
            size_t left = i;
            const size_t w = left % where, g = (left /= where) % access, q = (left /= access) % batch;
            const size_t b = (left /= batch) % bits, d = left / bits;
            const int least = workload_least_bits((enum kernel_op)op), most = workload_most_bits((enum kernel_op)op);
            if ((uses & USES_BITS) && ((int)x->bits[b] < least || (int)x->bits[b] > most)) continue;
            const char *level = a->rows ? "" : levels[x->where[w]];
            const struct workload_shape shape = {
                .op = (enum kernel_op)op, .dim = x->dims[d], .rows = (size_t)a->rows,
                .bytes = a->rows ? 0 : machine_level_bytes(&m->machine, level), .bits = (int)x->bits[b],
                .batch = x->batch[q], .gather = (uses & USES_GATHER) && x->access[g] == 1, .seed = (uint64_t)a->seed,
            };
            const int status = micro_shape(m, plan, &shape, level, e);
            if (status != ERR_OK)
                return err_context(e, status, "%s, dim %zu, %s", kernel_op_name(shape.op), shape.dim, level);
            if (progress) progress_step(progress, *count + 1);
        }
    }
    return ERR_OK;
}

static void say_untimed(void)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (workload_uses((enum kernel_op)op) < 0 && op != OP_peak)
            fprintf(stderr, "not timed: %s has no entry in bench/micro/workload.c\n", kernel_op_name((enum kernel_op)op));
}

static int write_results(const struct asked *a, const struct micro *m, const char *notes, struct err *e)
{
    struct text out = { 0 };
    int status = ERR_OK;
    if (a->csv) micro_csv(m, notes, &out);
    else if (a->json) micro_google_json(m, "assay bench", &out);
    else if (a->quick) {
        text_add(&out, "kernels over the faster of the compilers' rows, median and 95 %% interval\n");
        micro_headline(m, &out);
    } else {
        micro_table(m, &out);
    }
    if (out.failed) status = FAIL(e, ERR_MEM, "no memory for the results");
    fputs(text_of(&out), stdout);
    text_clear(&out);
    micro_footer(m, &out);
    fputs(text_of(&out), a->csv || a->json ? stderr : stdout);
    if (status == ERR_OK && a->save) {
        text_clear(&out);
        micro_raw_csv(m, notes, &out);
        status = output_write(a->save, &out, e);
    }
    if (status == ERR_OK && a->out) {
        text_clear(&out);
        micro_csv(m, notes, &out);
        status = output_write_in(a->out, "bench.csv", &out, e);
        text_clear(&out);
        micro_raw_csv(m, notes, &out);
        if (status == ERR_OK) status = output_write_in(a->out, "raw.csv", &out, e);
        text_clear(&out);
        micro_google_json(m, "assay bench", &out);
        if (status == ERR_OK) status = output_write_in(a->out, "bench.json", &out, e);
        if (status == ERR_OK) status = micro_figures(m, a->out, e);
    }
    text_free(&out);
    return status;
}

/* --- other processes ------------------------------------------------------------------------------ */
/* Process `part` of this run: the same command line, which writes its samples to a file and nothing else. */
static int run_part(const struct asked *a, int64_t part, const char *to, struct err *e)
{
    enum { WORDS = 300 };
    char *argv[WORDS], self[] = "assay", number[32], file[64];
    int count = 0, status;
    snprintf(number, sizeof number, "--part=%lld", (long long)part);
    snprintf(file, sizeof file, "--part-to=%s", to);
    argv[count++] = self;
    for (int i = 0; i < a->argc && count < WORDS - 3; i++) argv[count++] = a->argv[i];
    argv[count++] = number;
    argv[count++] = file;
    argv[count] = NULL;
    const pid_t pid = fork();
    if (pid == 0) {
        execv("/proc/self/exe", argv);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return FAIL(e, ERR_IO, "process %lld: %s", (long long)part, strerror(errno));
    return status == 0 ? ERR_OK : FAIL(e, ERR_IO, "process %lld of this measurement failed", (long long)part);
}

/* Each with a layout in memory of its own, one after the other. */
static int run_parts(const struct asked *a, struct micro *m, struct err *e)
{
    int status = ERR_OK;
    for (int64_t part = 1; status == ERR_OK && part < a->processes; part++) {
        char path[] = P_tmpdir "/assay_bench.XXXXXX";
        const int fd = mkstemp(path);
        if (fd < 0) return FAIL(e, ERR_IO, "%s: %s", path, strerror(errno));
        close(fd);
        status = run_part(a, part, path, e);
        if (status == ERR_OK) status = micro_add_process(m, path, e);
        unlink(path);
    }
    return status;
}

static int measure_part(const struct asked *a, const struct axes *axes, const struct micro_plan *plan,
                        const char *notes, struct err *e)
{
    struct micro m;
    struct text out = { 0 };
    size_t done;
    micro_init(&m);
    int status = each_shape(a, axes, plan, &m, NULL, &done, e);
    micro_raw_csv(&m, notes, &out);
    if (status == ERR_OK) status = output_write(a->part_to, &out, e);
    text_free(&out);
    micro_fini(&m);
    return status;
}

static int measure(const struct asked *a, const char *notes, struct err *e)
{
    const char *filter = a->filters.count ? a->filters.at[0] : "";
    const struct micro_plan plan = { .rounds = (size_t)a->rounds,
                                     .budget_ns = a->budget_s * 1e9,
                                     .seed = (uint64_t)(a->seed + 1000 * a->part), /* of the order of arms */
                                     .filter = filter,
                                     .no_baselines = a->no_baselines,
                                     .defaults_only = a->quick };
    struct axes axes;
    int status = read_axes(a, &axes, e);
    if (status != ERR_OK) return status;
    size_t shapes, done;
    each_shape(a, &axes, &plan, NULL, NULL, &shapes, e);
    if (shapes == 0) return FAIL(e, ERR_ARG, "no kernel that can be timed is called '%s' (assay info --list)", filter);
    struct err pinned;
    if (clock_pin((int)a->cpu, &pinned) != ERR_OK && !a->part) fprintf(stderr, "%s: the scheduler may move us\n", pinned.text);
    if (a->part) return measure_part(a, &axes, &plan, notes, e);
    if (a->baseline) { /* before minutes of measuring rather than after */
        struct mem_map map;
        status = mem_map_open(&map, a->baseline, e);
        if (status != ERR_OK) return status;
        mem_map_close(&map);
    }
    if (!machine_is_release()) fprintf(stderr, "not a release build: these times mean nothing\n");
    struct micro m;
    micro_init(&m);
    struct progress progress;
    progress_start(&progress, "bench", shapes);
    status = micro_ceilings(&m, &plan, e);
    if (status == ERR_OK) status = each_shape(a, &axes, &plan, &m, &progress, &done, e);
    progress_end(&progress);
    if (status == ERR_OK) status = run_parts(a, &m, e);
    if (status == ERR_OK && a->model) micro_models(&m);
    if (status == ERR_OK && a->baseline) status = micro_baseline(&m, a->baseline, a->force, e);
    if (status == ERR_OK) {
        if (!a->filters.count && !a->quick) say_untimed();
        status = write_results(a, &m, notes, e);
    }
    size_t wrong = 0;
    for (size_t i = 0; i < m.count; i++) wrong += m.rows[i].wrong[0] != 0;
    if (status == ERR_OK && !wrong && a->fail_slower > 0) status = micro_fails(&m, a->fail_slower, e);
    micro_fini(&m);
    if (status == ERR_OK && wrong) return FAIL(e, ERR_FORMAT, "%zu rows gave wrong results and were not timed", wrong);
    return status;
}

/* The committed counts of this compiler in `dir` as text; nothing, and said so, where there are none. */
static void read_committed(const char *dir, struct text *out)
{
    char path[512];
    struct mem_map map;
    snprintf(path, sizeof path, "%s/%s.csv", dir, count_compiler());
    if (mem_map_open(&map, path, NULL) != ERR_OK) {
        printf("counts: not checked: there is no %s (assay bench --count --save FILE writes one)\n", path);
        return;
    }
    text_add_bytes(out, map.at, map.size);
    text_add(out, "\n");
    mem_map_close(&map);
}

/* --count, --asm: what is executed, in place of how long it takes. */
static int count(const struct asked *a, struct err *e)
{
    struct axes axes;
    struct text committed = { 0 };
    struct count_run r = { 0 };
    int status = read_axes(a, &axes, e);
    if (status != ERR_OK) return status;
    if (!machine_is_release()) fprintf(stderr, "not a release build: these counts are of no program that is used\n");
    if (a->counts) read_committed(a->counts, &committed);
    if (a->counts && committed.size == 0) return ERR_OK;
    const struct count_plan plan = { .filter = a->filters.count ? a->filters.at[0] : "", .kernel = a->assembly,
                                     .dims = axes.dims, .dim_count = axes.dim_count, .bits = (int)axes.bits[0],
                                     .batch = axes.batch[0], .rows = (size_t)a->rows, .seed = (uint64_t)a->seed,
                                     .committed = committed.size ? text_of(&committed) : NULL };
    status = count_run(&plan, &r, e);
    if (status == ERR_UNSUPPORTED && a->counts) {
        printf("counts: not checked: %s\n", e->text);
        status = ERR_OK;
    } else if (status == ERR_OK) {
        fputs(text_of(a->csv ? &r.csv : &r.table), stdout);
        if (a->save) status = output_write(a->save, &r.csv, e);
        if (status == ERR_OK && a->counts)
            printf("counts: %zu of %zu stand in %s/%s.csv, %zu not checked, %zu grew by more than 1 %%"
                   " (fewer instructions need not be less time)\n",
                   r.compared, r.done, a->counts, count_compiler(), r.done - r.compared, r.grown);
        if (status == ERR_OK && r.grown) status = FAIL(e, ERR_FORMAT, "%zu kernels execute more instructions: %s", r.grown, r.first);
    }
    text_free(&committed);
    count_run_free(&r);
    return status;
}

static int run(int argc, char **argv, struct err *e)
{
    struct asked a = { .dims = NULL,
                       .where = NULL,
                       .access = "scan",
                       .bits = "4",
                       .batch = NULL,
                       .rounds = 0,
                       .cpu = -1,
                       .seed = 1,
                       .budget_s = 10,
                       .fail_slower = 1.05,
                       .argc = argc,
                       .argv = argv };
    const struct option options[] = {
        { "--dim", OPTION_TEXT, &a.dims, 0, 0 },        { "--rows", OPTION_INT, &a.rows, 1, 1e9 },
        { "--where", OPTION_TEXT, &a.where, 0, 0 },     { "--access", OPTION_TEXT, &a.access, 0, 0 },
        { "--bits", OPTION_TEXT, &a.bits, 0, 0 },       { "--batch", OPTION_TEXT, &a.batch, 0, 0 },
        { "--rounds", OPTION_INT, &a.rounds, 6, 4096 }, { "--budget", OPTION_REAL, &a.budget_s, 0.01, 1e6 },
        { "--cpu", OPTION_INT, &a.cpu, 0, 4095 },       { "--seed", OPTION_INT, &a.seed, 0, 1e18 },
        { "--save", OPTION_TEXT, &a.save, 0, 0 },       { "--baseline", OPTION_TEXT, &a.baseline, 0, 0 },
        { "--out", OPTION_TEXT, &a.out, 0, 0 },         { "--csv", OPTION_FLAG, &a.csv, 0, 0 },
        { "--json", OPTION_FLAG, &a.json, 0, 0 },       { "--quick", OPTION_FLAG, &a.quick, 0, 0 },
        { "--force", OPTION_FLAG, &a.force, 0, 0 },     { "--model", OPTION_FLAG, &a.model, 0, 0 },
        { "--processes", OPTION_INT, &a.processes, 1, MICRO_PROCESSES },
        { "--fail-slower", OPTION_REAL, &a.fail_slower, 0, 1e6 },
        { "--part", OPTION_INT, &a.part, 1, MICRO_PROCESSES }, { "--part-to", OPTION_TEXT, &a.part_to, 0, 0 },
        { "--count", OPTION_FLAG, &a.count, 0, 0 },     { "--counts", OPTION_TEXT, &a.counts, 0, 0 },
        { "--asm", OPTION_TEXT, &a.assembly, 0, 0 },    { "--no-baselines", OPTION_FLAG, &a.no_baselines, 0, 0 },
        { 0 },
    };
    int status = options_parse(argc, argv, options, &a.filters, e);
    if (status != ERR_OK) return status;
    if (a.filters.count > 1) return FAIL(e, ERR_ARG, "one FILTER at most, not '%s' too", a.filters.at[1]);
    if (a.csv && a.json) return FAIL(e, ERR_ARG, "--csv and --json: choose one");
    const int counting = a.count || a.counts || a.assembly;
    if (!a.dims) a.dims = counting && !a.assembly ? "32,100,384" : "384,768";
    if (!a.batch) a.batch = counting ? "8" : "1";
    if (!a.where) a.where = a.quick ? "l1,l2" : "l2";
    if (!a.processes) a.processes = a.save || a.baseline ? PROCESSES : 1;
    if (!a.rounds) a.rounds = a.quick ? 20 : 52;
    if (counting) return count(&a, e);
    struct run r;
    status = run_init(&r, argc, argv, e);
    if (status == ERR_OK) status = measure(&a, text_of(&r.notes), e);
    run_fini(&r);
    return status;
}

const struct command cmd_bench = {
    .name = "bench",
    .summary = "microbenchmarks: correctness first, then time, ceiling beside it",
    .help =
        "usage: assay bench [FILTER] [options]\n\n"
        "Times every row of every operation whose op/isa/variant contains FILTER, interleaved with the scalar\n"
        "row, the compiler's rows, itself (A/A) and a loop that only reads the same bytes.  A row whose results\n"
        "differ from the scalar ones by more than both rows' bounds (assay info --list) is reported and not timed.\n\n"
        "  --dim LIST       dimensions of a vector                                   (384,768)\n"
        "  --where LIST     working set: l1, l2, l3, dram, sized from this machine    (l2)\n"
        "  --rows N         rows, in place of --where\n"
        "  --access LIST    scan, gather: rows in order, or by a random list          (scan)\n"
        "  --bits LIST      bits of a code, where the operation has codes             (4)\n"
        "  --batch LIST     queries a call, where the operation takes several         (1)\n"
        "  --rounds N       samples of each row                                      (52)\n"
        "  --no-baselines   leave out the scalar and the compilers' rows (other libraries' stay)\n"
        "  --budget S       seconds a shape: fewer rounds after that, at least 12     (10)\n"
        "  --cpu N          the CPU to run on                             (the one we start on)\n"
        "  --seed N         of data, order and resampling                             (1)\n"
        "  --model          what llvm-mca predicts for each inner loop (needs objdump and llvm-mca)\n"
        "  --count          instructions executed, one by one, in place of times: default rows, or what FILTER selects\n"
        "                   (--dim 32,100,384 --batch 8; the same program and shape: the same count)\n"
        "  --counts DIR     count, and compare with DIR/<compiler>.csv: 1 % more of them is an error (make count)\n"
        "  --asm K          the hot loop of one kernel (dot_f32=avx512/rows8) with how often each line was executed\n"
        "  --save FILE      keep the raw samples (CSV), of several processes; of --count the counts\n"
        "  --baseline FILE  compare with such a file; of another machine, compiler or flags only with --force\n"
        "  --processes N    fresh processes that time every row        (7 with --save or --baseline, else 1)\n"
        "  --fail-slower R  with --baseline: exit status 1 where a row is resolved slower, R times or more; 0: never (1.05)\n"
        "  --csv | --json   to standard output; --json is Google Benchmark's schema\n"
        "  --out DIR        bench.csv, raw.csv, bench.json and figures\n"
        "  --quick          headline operations, default rows only, l1 and l2, 20 rounds, one line a shape\n\n"
        "example: assay bench dot_f32/avx512 --dim 100,101,384 --where l1,l2,dram --access scan,gather\n",
    .run = run,
};
