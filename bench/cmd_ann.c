/* SPDX-License-Identifier: MIT
 * cmd_ann.c - recall, latency and bytes of indexes, side by side. */
#include "bench/points/ann.h"
#include "bench/command.h"
#include "bench/points/ann_kept.h"
#include "bench/points/ann_levels.h"
#include "bench/points/ann_row.h"
#include "bench/rows/output.h"
#include "bench/rows/sink.h"
#include "bench/rows/strata.h"
#include "bench/time/progress.h"
#include "kernels/base/mem.h"
#include "kernels/base/option.h"
#include <stdlib.h>
#include <string.h>

struct request {
    const char *base, *query, *truth, *metric, *kernel, *keep, *out;
    struct option_list specs, levels;
    int64_t k, rerank, batch, threads, seed, least_calls, reps;
    int json, ceiling;
    /* From here: made of it. */
    char **expanded;
    size_t count;
    struct text strata; /* of the last repetition, for people */
    double *recalls; /* levels.count */
};

static int read_levels(struct request *r, struct err *e)
{
    r->recalls = mem_alloc((size_t)r->levels.count + 1, sizeof *r->recalls);
    if (!r->recalls) return FAIL(e, ERR_MEM, "no memory for %d levels of recall", r->levels.count);
    for (int i = 0; i < r->levels.count; i++)
        if (!text_to_f64(r->levels.at[i], &r->recalls[i]) || !(r->recalls[i] > 0 && r->recalls[i] <= 1))
            return FAIL(e, ERR_ARG, "--at-recall %s is no share above 0, up to 1", r->levels.at[i]);
    return ERR_OK;
}

static int parse(int argc, char **argv, struct request *r, struct err *e)
{
    const struct option options[] = {
        { "--base", OPTION_TEXT, &r->base, 0, 0 },
        { "--query", OPTION_TEXT, &r->query, 0, 0 },
        { "--truth", OPTION_TEXT, &r->truth, 0, 0 },
        { "--metric", OPTION_TEXT, &r->metric, 0, 0 },
        { "--index", OPTION_LIST, &r->specs, 0, 0 },
        { "-k", OPTION_INT, &r->k, 1, 1e6 },
        { "--rerank", OPTION_INT, &r->rerank, 0, 1e6 },
        { "--batch", OPTION_INT, &r->batch, 1, 1e6 },
        { "--threads", OPTION_INT, &r->threads, 1, 256 },
        { "--kernel", OPTION_TEXT, &r->kernel, 0, 0 },
        { "--seed", OPTION_INT, &r->seed, 0, 9e18 },
        { "--min-calls", OPTION_INT, &r->least_calls, 1, 1e8 },
        { "--reps", OPTION_INT, &r->reps, 1, 1000 },
        { "--ceiling", OPTION_FLAG, &r->ceiling, 0, 0 },
        { "--json", OPTION_FLAG, &r->json, 0, 0 },
        { "--keep", OPTION_TEXT, &r->keep, 0, 0 },
        { "--at-recall", OPTION_LIST, &r->levels, 0, 0 },
        { "--out", OPTION_TEXT, &r->out, 0, 0 },
        { 0 },
    };
    const int status = options_parse(argc, argv, options, NULL, e);
    if (status != ERR_OK) return status;
    if (!r->base) return FAIL(e, ERR_ARG, "--base FILE is missing");
    if (!r->query) return FAIL(e, ERR_ARG, "--query FILE is missing");
    if (r->specs.count == 0) return FAIL(e, ERR_ARG, "--index SPEC is missing");
    return read_levels(r, e);
}

static int add_spec(const char *spec, void *context)
{
    struct request *r = context;
    char **grown = mem_grow(r->expanded, r->count, r->count + 1, sizeof *grown);
    if (!grown) return ERR_MEM;
    r->expanded = grown;
    r->expanded[r->count] = strdup(spec);
    if (!r->expanded[r->count]) return ERR_MEM;
    r->count++;
    return ERR_OK;
}

static int expand(struct request *r, struct err *e)
{
    for (int i = 0; i < r->specs.count; i++) {
        const int status = spec_expand(r->specs.at[i], add_spec, r, e);
        if (status == ERR_MEM) return FAIL(e, ERR_MEM, "no memory for %s", r->specs.at[i]);
        if (status != ERR_OK) return status;
    }
    return ERR_OK;
}

/* The table for people: which columns of a row, how wide, how many digits. */
static const struct { const char *name, *head; int width, digits; } shown[] = {
    { "recall_strict", "recall", 7, 4 }, { "recall_tie", "tie", 7, 4 },        { "recall_p5", "p5", 6, 2 },
    { "lat_p50_us", "p50 us", 10, 1 },   { "lat_p99_us", "p99 us", 10, 1 },    { "qps", "queries/s", 10, 0 },
    { "ns_per_vector", "ns/vec", 8, 3 }, { "bytes_per_vector", "B/vec", 7, 0 }, { "build_s", "build s", 8, 3 },
};

/* How wide the column of specs is: as the longest of them. */
static int spec_width(const struct request *r)
{
    size_t width = strlen("index");
    for (size_t i = 0; i < r->count; i++)
        if (strlen(r->expanded[i]) > width) width = strlen(r->expanded[i]);
    return (int)width;
}

static void print_row(const struct request *r, const struct ann_arm *a, const struct row *row)
{
    printf("%-*s", spec_width(r), a->point.spec);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        double value;
        if (text_to_f64(row_get(row, shown[i].name), &value))
            printf(" %*.*f", shown[i].width, shown[i].digits, value);
        else printf(" %*s", shown[i].width, "-");
    }
    printf("\n");
}

/* What a person compares by.  --json and --out have the rest. */
static void print_head(const struct ann_set *s, const struct request *r)
{
    printf("%s: %zu vectors x %zu, %zu queries, %s, k=%lld, batch %lld, threads %lld", s->name, s->base.rows.count,
           s->base.rows.dim, s->query.rows.count, metric_name(s->metric), (long long)r->k, (long long)r->batch,
           (long long)r->threads);
    if (r->rerank) printf(", top %lld scored exactly", (long long)r->rerank);
    printf("\n\n%-*s", spec_width(r), "index");
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) printf(" %*s", shown[i].width, shown[i].head);
    printf("\n");
}

static int open_sink(struct sink *o, const struct request *r, const struct ann_set *s, int argc, char **argv,
                     struct err *e)
{
    int status = sink_init(o, argc, argv, r->json, r->out, e);
    for (size_t i = 0; status == ERR_OK && i < r->count; i++) {
        const struct index_ops *ops;
        struct params *params;
        status = index_parse(r->expanded[i], &ops, &params, e);
        if (status != ERR_OK) break;
        params_destroy(params);
        status = ann_layout(&o->layout, ops, e);
    }
    if (status != ERR_OK) return status;
    run_note(&o->run, "dataset", "%s, %zu x %zu, %016llx", s->name, s->base.rows.count, s->base.rows.dim,
             (unsigned long long)s->base.content_hash);
    run_note(&o->run, "queries", "%zu, %016llx", s->query.rows.count, (unsigned long long)s->query.content_hash);
    struct text notes = { 0 };
    tally_text(&s->notes, "; ", &notes);
    if (notes.size) run_note(&o->run, "left_out", "%s", text_of(&notes));
    text_clear(&notes);
    for (size_t i = 0; i < r->count; i++) index_doubt(r->expanded[i], s->base.rows.count, &notes);
    if (notes.size) fprintf(stderr, "ann: %s\n", text_of(&notes)), run_note(&o->run, "doubt", "%s", text_of(&notes));
    text_free(&notes);
    run_note(&o->run, "seed", "%lld", (long long)r->seed);
    return sink_create(o, "ann.csv", r->kernel, e);
}

static int emit(struct sink *o, struct request *r, const struct ann_set *s, const struct ann_arm *a, int rep,
                struct err *e)
{
    struct row row;
    int status = row_init(&row, &o->layout, e);
    if (status != ERR_OK) return status;
    status = ann_row(&row, &o->run, s, a, rep, e);
    if (status == ERR_OK && !o->json) print_row(r, a, &row);
    if (rep + 1 == r->reps) {
        text_add(&r->strata, "%s\n", a->point.spec);
        strata_lines(&r->strata, &a->quality, "recall_strict");
    }
    if (status == ERR_OK) status = sink_emit(o, &row, NULL, &a->quality, &a->calls, a->point.batch, e);
    row_fini(&row);
    return status;
}

/* Indexes in the order of their specs. */
static int obtain_all(const struct request *r, const struct ann_set *s, struct ann_index *built, struct ann_arm *arms,
                      struct err *e)
{
    struct progress progress;
    int status = ERR_OK;
    progress_start(&progress, "indexes built", r->count);
    for (size_t i = 0; status == ERR_OK && i < r->count; i++) {
        arms[i].point = (struct ann_point){ r->expanded[i], r->kernel, (size_t)r->k, (size_t)r->rerank,
                                            (size_t)r->batch, (int)r->threads, (uint64_t)r->seed };
        const struct ann_store store = { r->keep, 0 };
        status = ann_obtain(&built[i], s, &arms[i].point, built, i, r->keep ? &store : NULL, e);
        if (status == ERR_OK && built[i].rebuilt) fprintf(stderr, "%s: the index kept in %s was damaged, and is built anew\n", r->expanded[i], r->keep);
        arms[i].built = &built[i];
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    return status;
}

/* What the lines cost at the levels asked for, as a table or JSON and in a file. */
static int tell_levels(const struct request *r, const struct ann_levels *l, const struct sink *o, struct err *e)
{
    struct text shown_text = { 0 }, csv = { 0 };
    int status = ERR_OK;
    text_add(&csv, "%s", text_of(&o->run.notes));
    ann_levels_csv_head(&csv);
    for (int i = 0; status == ERR_OK && i < r->levels.count; i++) {
        status = ann_levels_tell(l, r->recalls[i], (uint64_t)r->seed, r->json ? ANN_LEVELS_JSON : ANN_LEVELS_TABLE,
                                 &shown_text, e);
        if (status == ERR_OK && r->out)
            status = ann_levels_tell(l, r->recalls[i], (uint64_t)r->seed, ANN_LEVELS_CSV, &csv, e);
    }
    if (status == ERR_OK) fputs(text_of(&shown_text), stdout);
    if (status == ERR_OK && r->out) status = output_write_in(r->out, "at_recall.csv", &csv, e);
    text_free(&shown_text), text_free(&csv);
    return status;
}

static int measure(struct request *r, struct ann_set *s, struct sink *o, struct err *e)
{
    struct ann_index *built = mem_zero(r->count, sizeof *built);
    struct ann_arm *arms = mem_zero(2 * r->count, sizeof *arms); /* the first line may come again */
    struct ann_levels levels = { 0 };
    int status = built && arms ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu indexes", r->count);
    if (status == ERR_OK) status = obtain_all(r, s, built, arms, e);
    if (status == ERR_OK && r->levels.count)
        status = ann_levels_init(&levels, arms, r->count, s->query.rows.count, (size_t)r->reps, e);
    const size_t count = r->count + levels.again;
    const struct ann_plan plan = { (size_t)r->least_calls, 0, r->ceiling };
    if (status == ERR_OK && !r->json) print_head(s, r);
    for (int rep = 0; status == ERR_OK && rep < r->reps; rep++) {
        ann_levels_repeat(&levels, arms);
        status = ann_measure(s, arms, count, &plan, e);
        for (size_t i = 0; status == ERR_OK && i < r->count; i++) status = emit(o, r, s, &arms[i], rep, e);
        if (status == ERR_OK && levels.count) status = ann_levels_take(&levels, arms, (size_t)rep, e);
        for (size_t i = 0; i < count; i++) ann_arm_fini(&arms[i]);
    }
    if (status == ERR_OK && !r->json && s->hard.count >= STRATA_QUERIES)
        printf("\na fifth of the queries each, by how hard they are, the easiest first; [95 %% over those queries]\n%s",
               text_of(&r->strata));
    if (status == ERR_OK && levels.count) status = tell_levels(r, &levels, o, e);
    ann_levels_fini(&levels);
    for (size_t i = r->count; built && i-- > 0;) ann_index_fini(&built[i]); /* views before what they view */
    mem_free(built);
    mem_free(arms);
    return status;
}

static int run(int argc, char **argv, struct err *e)
{
    struct request r = { .kernel = "", .k = 10, .batch = 1, .threads = 1, .seed = 42,
                         .reps = 1 };
    struct ann_set s = { 0 };
    struct sink o = { .fd = -1 };
    int status = parse(argc, argv, &r, e);
    if (status == ERR_OK) status = expand(&r, e);
    if (status == ERR_OK) status = ann_set_open(&s, r.base, r.query, r.metric, e);
    if (status == ERR_OK) status = ann_set_truth(&s, r.truth, (size_t)r.k, (int)r.threads, e);
    if (status == ERR_OK) command_notes("ann", &s.notes);
    if (status == ERR_OK) status = open_sink(&o, &r, &s, argc, argv, e);
    if (status == ERR_OK) status = measure(&r, &s, &o, e);
    sink_close(&o);
    ann_set_close(&s);
    for (size_t i = 0; i < r.count; i++) free(r.expanded[i]);
    mem_free(r.expanded);
    text_free(&r.strata);
    mem_free(r.recalls);
    return status;
}

const struct command cmd_ann = {
    .name = "ann",
    .summary = "recall, latency and bytes of indexes, measured side by side",
    .help =
        "usage: assay ann --base FILE --query FILE [--truth FILE] --index SPEC [--index SPEC ...]\n\n"
        "  --base FILE      base vectors, in any format of assay data list\n"
        "  --query FILE     query vectors\n"
        "  --truth FILE     exact neighbours, ivecs; default: computed, and cached by content\n"
        "  --index SPEC     what to measure, may be given often; a range makes one index a value:\n"
        "                   flat   turboquant:bits=1..8   'ivf:nlist=512,inner=(turboquant:bits=4)'\n"
        "                   (assay index params lists all with their parameters)\n"
        "                   ids:FILE,lat=FILE: another program's answers, and the us that each took; FILE is .ivecs, or\n"
        "                   lines 'query row score' or of a TREC run, by numbers or by row_ids=FILE, query_ids=FILE\n"
        "  --metric M       cosine, dot or l2; default: the distance that the base's file names (ann-benchmarks), else cosine\n"
        "  -k N             results a query; default 10\n"
        "  --rerank N       score the top N exactly and keep the best k; default 0: do not\n"
        "  --batch N        queries in one timed call; default 1\n"
        "  --threads N      threads that build, and that search at a time; default 1\n"
        "  --kernel K       avx2: at most that instruction set; dot_f32=avx512/VARIANT: exactly that;\n"
        "                   @FILE: what a file says (assay tune --kernels writes one);\n"
        "                   default: the best that this CPU runs\n"
        "  --seed N         of everything random in an index; default 42\n"
        "  --min-calls N    least number of timed calls an index; queries are asked again; default 2000,\n"
        "                   with --batch as many as ask 2000 queries, at least 30\n"
        "  --reps N         repeat the measurement, one row each; default 1\n"
        "  --at-recall R    also what each method costs where it finds that share, and how many times as fast as the\n"
        "                   first it is: between points that differ in ef or nprobe alone, with 95 % intervals over\n"
        "                   queries and --reps (six or more); the first is measured twice (A/A), and what it is off by\n"
        "                   from itself, all intervals are wider by; may be given often\n"
        "  --keep DIR       indexes that can be saved are left there, and found by runs on the same data\n"
        "  --ceiling        also search the decoded vectors exactly (code_ceiling); slow\n"
        "  --json           one object a line instead of a table\n"
        "  --out DIR        append rows to DIR/ann.csv, write DIR/<point_id>.pq.tsv (one line a query) and, of\n"
        "                   --at-recall, DIR/at_recall.csv\n\n"
        "recall: share of the exact nearest k among the k returned; tie: those as near count too;\n"
        "p5: recall that one query in twenty does not reach.  p50, p99: service time of one call, in\n"
        "microseconds; p99 is empty below 500 calls.  ns/vec: p50 by base vector and query.\n"
        "B/vec: bytes of codes and side data a vector.\n\n"
        "example:\n"
        "  assay data gen --kind clustered --n 100000 --dim 384 --queries 1000 --seed 1 --out DIR\n"
        "  assay ann --base DIR/base.fvecs --query DIR/query.fvecs --index flat --index turboquant:bits=1..8\n"
        "  assay ann --base DIR/base.fvecs --query DIR/query.fvecs --index ivf:nprobe=8 --index ivf:nprobe=32 \\\n"
        "            --index symqg:ef=16 --index symqg:ef=64 --at-recall .95 --reps 7\n",
    .run = run,
};
