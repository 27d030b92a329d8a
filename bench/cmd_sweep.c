/* SPDX-License-Identifier: MIT
 * cmd_sweep.c - grids of points, measured. */
#include "bench/command.h"
#include "bench/rows/contrast.h"
#include "bench/sweep/sweep.h"
#include "kernels/base/file.h"
#include "kernels/base/option.h"
#include "kernels/base/text.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h> /* not used here: a bare worker leaves this verb out with the library */

struct request {
    struct option_list words, where;
    const char *out, *shard, *max, *min;
    double budget_s;
    int json, trust;
    int argc; /* for provenance */
    char **argv;
};

static int load(struct sweep *s, struct plan *p, const struct request *r, struct err *e)
{
    if (r->words.count != 2) return FAIL(e, ERR_ARG, "%s needs one CONFIG.yaml", r->words.at[0]);
    int status = sweep_load(s, r->words.at[1], e);
    if (status != ERR_OK) return status;
    s->trust = r->trust;
    if (r->budget_s >= 0) s->budget_s = r->budget_s;
    status = plan_make(p, s, e);
    if (status != ERR_OK) sweep_free(s);
    return status;
}

static int needs_out(const struct request *r, struct err *e)
{
    return r->out ? ERR_OK : FAIL(e, ERR_ARG, "%s needs --out DIR", r->words.at[0]);
}

static int parse_shard(const char *text, struct shard *out, struct err *e)
{
    unsigned long at, of;
    int end = 0;
    *out = (struct shard){ 0 };
    if (!text) return ERR_OK;
    if (sscanf(text, "%lu/%lu%n", &at, &of, &end) != 2 || text[end] || of == 0 || at >= of)
        return FAIL(e, ERR_ARG, "--shard %s: I/N with 0 <= I < N", text);
    *out = (struct shard){ at, of };
    return ERR_OK;
}

static void print_point(const struct plan *p, const struct point *point, int json)
{
    struct text line = { 0 }, quoted = { 0 };
    plan_describe(p, point, &line);
    text_add_json(&quoted, text_of(&line));
    if (json) printf("{\"point_id\":\"%s\",\"point\":%s}\n", point->id, text_of(&quoted));
    else printf("%s  %s\n", point->id, text_plain(&quoted, text_of(&line)));
    text_free(&line);
    text_free(&quoted);
}

/* How long it will take, where a part is measured already. */
static int print_cost(struct plan *p, size_t reps, size_t builds, const char *folder, int json, struct err *e)
{
    struct sweep_cost c;
    const int status = sweep_cost(p, reps, builds, folder, &c, e);
    if (status != ERR_OK) return status;
    if (json)
        printf("{\"points\":%zu,\"builds\":%zu,\"reps\":%zu,\"rows_measured\":%zu,\"core_hours\":%.6g}\n", p->count, builds,
               reps, c.rows, c.core_s / 3600);
    else if (c.rows)
        printf("about %.3g core-hours (timed calls %.3g h, and builds) by the mean of %zu rows in %s; loading and truth come "
               "on top\n", c.core_s / 3600, c.calls_s / 3600, c.rows, folder);
    else
        printf("core-hours: unknown; measure a part first (sweep run --budget 60 --out %s), then plan again\n", folder);
    return ERR_OK;
}

static int do_plan(const struct request *r, struct err *e)
{
    struct sweep s;
    struct plan p;
    int status = load(&s, &p, r, e);
    if (status != ERR_OK) return status;
    size_t builds = 0;
    for (size_t i = 0; i < p.count; i++) {
        builds += i == 0 || p.points[i].build_key != p.points[i - 1].build_key;
        print_point(&p, &p.points[i], r->json);
    }
    if (!r->json)
        printf("%zu points, %zu builds, %zu repetition%s\n", p.count, builds, s.reps,
               s.reps == 1 ? "" : "s");
    if (r->out) status = folder_make(r->out, e);
    if (r->out && status == ERR_OK) status = plan_write(&p, r->out, e);
    if (r->out && status == ERR_OK) status = print_cost(&p, s.reps, builds, r->out, r->json, e);
    plan_free(&p);
    sweep_free(&s);
    return status;
}

static void print_done(const struct run_result *d, double budget_s, int json)
{
    const size_t left = d->wanted - d->skipped - d->measured;
    if (json) {
        printf("{\"points\":%zu,\"skipped\":%zu,\"measured\":%zu,\"failed\":%zu,\"left\":%zu,\"set_aside\":%zu}\n",
               d->wanted, d->skipped, d->measured, d->failed, left, d->set_aside);
        return;
    }
    printf("%zu points: %zu measured", d->wanted, d->measured);
    if (d->skipped) printf(", %zu were done before", d->skipped);
    if (d->set_aside) printf(", %zu rows of other data set aside (sweep.csv.earlier)", d->set_aside);
    if (d->failed) printf(", %zu failed (column status)", d->failed);
    if (d->budget_spent) printf(", %zu left: the budget of %g s is spent, run again to go on", left, budget_s);
    printf("\n");
}

/* What each change is worth: the result of a sweep of one axis at a time. */
static int print_ablation(const char *folder, struct err *e)
{
    struct contrast c = { 0 };
    struct text path = { 0 }, out = { 0 };
    const struct contrast_plan plan = { 0 };
    text_add(&path, "%s/sweep.csv", folder);
    int status = contrast_add(&c, text_of(&path), e);
    if (status == ERR_OK) status = contrast_ablation(&c, &plan, &out, e);
    if (status == ERR_OK) printf("\n%s", text_of(&out));
    text_free(&path);
    text_free(&out);
    contrast_free(&c);
    return status == ERR_NOT_FOUND ? ERR_OK : status; /* nothing varies, or not yet */
}

static int do_run(const struct request *r, struct err *e)
{
    struct sweep s;
    struct plan p;
    struct run run = { 0 };
    struct shard shard;
    struct run_result done;
    int status = needs_out(r, e);
    if (status == ERR_OK) status = parse_shard(r->shard, &shard, e);
    if (status == ERR_OK) status = load(&s, &p, r, e);
    if (status != ERR_OK) return status;
    status = run_init(&run, r->argc, r->argv, e);
    if (status == ERR_OK) status = sweep_run(&s, &p, r->out, shard, &run, &done, e);
    if (status == ERR_OK) print_done(&done, s.budget_s, r->json);
    if (status == ERR_OK && done.stopped)
        status = FAIL(e, ERR_BUSY, "stopped by %s: %zu of %zu points are done and stay in %s, %zu are left; "
                      "the same command goes on",
                      done.stopped == SIGINT ? "SIGINT" : "SIGTERM", done.skipped + done.measured, done.wanted, r->out,
                      done.wanted - done.skipped - done.measured);
    if (status == ERR_OK && s.one_at_a_time && !r->json) status = print_ablation(r->out, e);
    if (status == ERR_OK && done.failed)
        status = FAIL(e, ERR_IO, "%zu of %zu points failed: see the column status", done.failed, done.measured);
    run_fini(&run);
    plan_free(&p);
    sweep_free(&s);
    return status;
}

static int do_status(const struct request *r, struct err *e)
{
    struct sweep s;
    struct plan p;
    struct sweep_status at;
    int status = needs_out(r, e);
    if (status == ERR_OK) status = load(&s, &p, r, e);
    if (status != ERR_OK) return status;
    const size_t reps = s.reps;
    status = sweep_status(&p, reps, r->out, &at, e);
    plan_free(&p);
    sweep_free(&s);
    if (status == ERR_OK)
        printf(r->json ? "{\"points\":%zu,\"done\":%zu,\"failed\":%zu,\"missing\":%zu,\"rows\":%zu,\"rows_wanted\":%zu}\n"
                       : "%zu points: %zu done, %zu failed, %zu missing; %zu of %zu repetitions measured\n",
               at.points, at.done, at.failed, at.missing, at.rows, at.points * reps);
    return status;
}

static int do_merge(const struct request *r, struct err *e)
{
    if (r->words.count < 2) return FAIL(e, ERR_ARG, "merge needs a folder or CSV files");
    if (!r->out && r->words.count > 2) return FAIL(e, ERR_ARG, "merge of several inputs needs --out FILE.csv");
    struct text out = { 0 };
    text_add(&out, r->out ? "%s" : "%s/sweep.csv", r->out ? r->out : r->words.at[1]);
    const int status = out.failed ? FAIL(e, ERR_MEM, "no memory")
                                  : sweep_merge(r->words.at + 1, (size_t)r->words.count - 1, text_of(&out), e);
    text_free(&out);
    return status;
}

static int do_best(const struct request *r, struct err *e)
{
    if (r->words.count != 2) return FAIL(e, ERR_ARG, "best needs one CSV");
    if (!r->max == !r->min) return FAIL(e, ERR_ARG, "best needs either --max COLUMN or --min COLUMN");
    return sweep_best(r->words.at[1], r->where.at, (size_t)r->where.count, r->max ? r->max : r->min, r->max != NULL,
                      r->json, e);
}

static const struct action {
    const char *name;
    int (*run)(const struct request *r, struct err *e);
} actions[] = {
    { "plan", do_plan }, { "run", do_run }, { "status", do_status }, { "merge", do_merge }, { "best", do_best },
};
enum { ACTIONS = sizeof actions / sizeof *actions };

static int run(int argc, char **argv, struct err *e)
{
    struct request r = { .budget_s = -1, .argc = argc, .argv = argv };
    const struct option options[] = {
        { "--out", OPTION_TEXT, &r.out, 0, 0 },           { "--shard", OPTION_TEXT, &r.shard, 0, 0 },
        { "--budget", OPTION_REAL, &r.budget_s, 0, 1e9 }, { "--where", OPTION_LIST, &r.where, 0, 0 },
        { "--max", OPTION_TEXT, &r.max, 0, 0 },           { "--min", OPTION_TEXT, &r.min, 0, 0 },
        { "--json", OPTION_FLAG, &r.json, 0, 0 },         { "--trust", OPTION_FLAG, &r.trust, 0, 0 },
        { 0 },
    };
    const int status = options_parse(argc, argv, options, &r.words, e);
    if (status != ERR_OK) return status;
    if (r.words.count == 0) return FAIL(e, ERR_ARG, "plan, run, status, merge or best?");
    const char *names[ACTIONS];
    for (int i = 0; i < ACTIONS; i++) {
        names[i] = actions[i].name;
        if (strcmp(names[i], r.words.at[0]) == 0) return actions[i].run(&r, e);
    }
    return FAIL(e, ERR_ARG, "no '%s'%s", r.words.at[0], NEAREST(r.words.at[0], names, ACTIONS));
}

const struct command cmd_sweep = {
    .name = "sweep",
    .summary = "many points of a grid: plan, run, status, merge, best",
    .help =
        "usage: assay sweep plan   CONFIG.yaml [--out DIR]\n"
        "       assay sweep run    CONFIG.yaml --out DIR [--shard I/N] [--budget S]\n"
        "       assay sweep status CONFIG.yaml --out DIR\n"
        "       assay sweep merge  DIR|CSV ... [--out FILE.csv]      (default: DIR/sweep.csv)\n"
        "       assay sweep best   CSV [--where COND ...] --max COLUMN | --min COLUMN\n\n"
        "  --out DIR       rows go to DIR/sweep.csv, one line a query to DIR/<point_id>.pq.tsv; what DIR holds\n"
        "                  already is not measured again, so a killed sweep goes on where it was; rows of the\n"
        "                  same dataset whose content, questions or labels were others go to sweep.csv.earlier\n"
        "                  plan --out DIR: the core-hours of it all, by the mean of the rows that DIR holds\n"
        "  --shard I/N     only the points whose hash is I modulo N (I from 0), into DIR/sweep.I-of-N.csv\n"
        "  --budget S      seconds in all; timed calls are cut short to fit; default: as the config says\n"
        "  --where COND    as 'lat_p99_us<=5000' or 'bits>=3 or rerank>0'; all that are given must hold\n"
        "  --trust         a service that the base names (embed_url) may be asked; else only one that `base:` repeats\n"
        "  --json          one object a line\n\n"
        "the config is YAML; paths are relative to the working folder:\n"
        "  dataset: {base: b.fvecs, query: q.fvecs, truth: t.ivecs, metric: cosine}    an index sweep, or\n"
        "  kb: kb.sqlite                   a pipeline sweep: kb, queries and, where there are labels, qrels\n"
        "  queries: queries.jsonl\n"
        "  qrels: qrels.txt\n"
        "  base: {k: 10, bit_width: 4}     values held fixed; what is not said has its default\n"
        "  axes:                           values to vary: their product\n"
        "    bit_width: [1, 2, 3, 4]       (an index sweep: index, k, rerank, batch, threads, kernel, seed and\n"
        "    graph_depth: 0..2             the parameters of its indexes; a pipeline: k, kernel, every setting,\n"
        "                                  and the parameters of its indexes)\n"
        "  query_ids: ids.txt              whose row i is, where questions are vectors (as assay rag --query-ids)\n"
        "  drop_unjudgeable: true          labels of documents that are not there are left out; else: never found\n"
        "  one_at_a_time: true             each axis alone around the fixed values, not their product\n"
        "  grids: [{bit_width: 1..4, top_k_candidates: [20, 50]}]    products beside that\n"
        "  constraints: ['top_k_rerank <= top_k_candidates']\n"
        "  min_calls: 2000                 timed calls a point, reps: 1, budget_s: none\n\n"
        "example:\n"
        "  assay sweep run sweep.yaml --out results/mine\n"
        "  assay sweep best results/mine/sweep.csv --where 'lat_p99_us<=5000' --max agree_at_10\n",
    .run = run,
};
