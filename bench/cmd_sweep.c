/* SPDX-License-Identifier: MIT
 * cmd_sweep.c - grids of points, measured. */
#include "bench/command.h"
#include "bench/rows/contrast.h"
#include "bench/sweep/sweep.h"
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "kernels/base/option.h"
#include "kernels/base/text.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h> /* not used here: a bare worker leaves this verb out with the library */

struct request {
    struct option_list words, where;
    const char *out, *shard, *max, *min;
    double budget_s, near;
    int64_t reps;
    int json, trust;
    int argc; /* for provenance */
    char **argv;
};

static int load_config(struct sweep *s, struct plan *p, const struct request *r, const char *config, struct err *e)
{
    int status = sweep_load(s, config, e);
    if (status != ERR_OK) return status;
    s->trust = r->trust;
    if (r->budget_s >= 0) s->budget_s = r->budget_s;
    status = plan_make(p, s, e);
    if (status != ERR_OK) sweep_free(s);
    return status;
}

static int load(struct sweep *s, struct plan *p, const struct request *r, struct err *e)
{
    if (r->words.count != 2) return FAIL(e, ERR_ARG, "%s needs one CONFIG.yaml", r->words.at[0]);
    return load_config(s, p, r, r->words.at[1], e);
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
    struct text path = { 0 }, out = { 0 }, plain = { 0 };
    const struct contrast_plan plan = { 0 };
    text_add(&path, "%s/sweep.csv", folder);
    int status = contrast_add(&c, text_of(&path), e);
    if (status == ERR_OK) status = contrast_ablation(&c, &plan, &out, e);
    text_add_plain_lines(&plain, text_of(&out));
    if (status == ERR_OK) printf("\n%s", text_of(&plain));
    text_free(&plain);
    text_free(&path);
    text_free(&out);
    contrast_free(&c);
    return status == ERR_NOT_FOUND ? ERR_OK : status; /* nothing varies, or not yet */
}

/* Measures what `folder` lacks of the plan, and says what came of it. */
static int measure(const struct request *r, const struct sweep *s, const struct plan *p, const char *folder, struct shard shard,
                   struct err *e)
{
    struct run run = { 0 };
    struct run_result done;
    int status = run_init(&run, r->argc, r->argv, e);
    if (status == ERR_OK) status = sweep_run(s, p, folder, shard, &run, &done, e);
    if (status == ERR_OK) print_done(&done, s->budget_s, r->json);
    if (status == ERR_OK && done.stopped)
        status = FAIL(e, ERR_BUSY, "stopped by %s: %zu of %zu points are done and stay in %s, %zu are left; "
                      "the same command goes on",
                      done.stopped == SIGINT ? "SIGINT" : "SIGTERM", done.skipped + done.measured, done.wanted, folder,
                      done.wanted - done.skipped - done.measured);
    if (status == ERR_OK && s->one_at_a_time && !s->only && !r->json) status = print_ablation(folder, e);
    if (status == ERR_OK && done.unwritten)
        status = FAIL(e, ERR_IO, "%s: %zu of %zu points have no row; the same command goes on", done.why_unwritten.text,
                      done.unwritten, done.measured);
    if (status == ERR_OK && done.failed)
        status = FAIL(e, ERR_IO, "%zu of %zu points failed: see the column status", done.failed, done.measured);
    run_fini(&run);
    return status;
}

static int do_refine(const struct request *r, struct err *e)
{
    struct sweep s;
    struct plan p;
    struct text folder = { 0 }, config = { 0 };
    struct refine_found found;
    if (r->words.count != 2 && r->words.count != 3) return FAIL(e, ERR_ARG, "refine needs one CSV, and CONFIG.yaml where its folder has none");
    struct refine_wish w = { r->words.at[1], r->max, r->min, r->near };
    const char *slash = strrchr(w.csv, '/');
    text_add(&folder, "%.*s", slash ? (int)(slash - w.csv) : 1, slash ? w.csv : ".");
    text_add(&config, r->words.count == 3 ? "%s" : "%s/config.yaml", r->words.count == 3 ? r->words.at[2] : text_of(&folder));
    int status = folder.failed || config.failed ? FAIL(e, ERR_MEM, "no memory") : ERR_OK;
    if (status == ERR_OK && access(w.csv, R_OK) != 0) status = FAIL(e, ERR_NOT_FOUND, "%s: %s", w.csv, strerror(errno));
    if (status == ERR_OK && access(text_of(&config), R_OK) != 0)
        status = FAIL(e, ERR_NOT_FOUND, "%s: %s: name the CONFIG.yaml that %s was measured by", text_of(&config), strerror(errno), w.csv);
    if (status == ERR_OK) status = load_config(&s, &p, r, text_of(&config), e);
    if (status == ERR_OK) {
        unsigned char *only = mem_zero(p.count, 1);
        status = only ? sweep_refine(&p, &w, only, &found, e) : FAIL(e, ERR_MEM, "no memory for %zu points", p.count);
        if (status == ERR_OK && found.strangers)
            fprintf(stderr, "sweep: %zu rows of points that %s does not plan\n", found.strangers, text_of(&config));
        if (status == ERR_OK && !r->json)
            printf("%zu of %zu measured points lie within %g %% of the front of %s and %s: %lld repetitions of each\n", found.near,
                   found.measured, 100 * w.near, w.quality, w.cost, (long long)r->reps);
        s.only = only;
        s.reps = (size_t)r->reps;
        if (status == ERR_OK) status = measure(r, &s, &p, text_of(&folder), (struct shard){ 0 }, e);
        mem_free(only);
        plan_free(&p);
        sweep_free(&s);
    }
    text_free(&folder);
    text_free(&config);
    return status;
}

static int do_run(const struct request *r, struct err *e)
{
    struct sweep s;
    struct plan p;
    struct shard shard;
    int status = needs_out(r, e);
    if (status == ERR_OK) status = parse_shard(r->shard, &shard, e);
    if (status == ERR_OK) status = load(&s, &p, r, e);
    if (status != ERR_OK) return status;
    status = measure(r, &s, &p, r->out, shard, e);
    plan_free(&p);
    sweep_free(&s);
    return status;
}

/* What the machines did meanwhile, where shards have left anchors: a line, or members of an object. */
static int tell_anchors(const char *folder, int json, struct text *out, struct err *e)
{
    struct sweep_anchors a;
    const int status = sweep_anchors(folder, &a, e);
    if (status != ERR_OK || !a.count) return status;
    if (json)
        text_add(out, ",\"anchors\":%zu,\"nodes\":%zu,\"apart_cached\":%.4g,\"apart_memory\":%.4g,\"drift_cached\":%.4g,"
                 "\"drift_memory\":%.4g", a.count, a.nodes, a.apart[0], a.apart[1], a.drift[0], a.drift[1]);
    else
        text_add(out, "%s: %zu anchors on %zu node%s: the slowest takes x%.2f of the fastest in cache, x%.2f from memory; from start "
                 "to end of a shard at most x%.2f and x%.2f\n", folder, a.count, a.nodes, a.nodes == 1 ? "" : "s", a.apart[0], a.apart[1],
                 a.drift[0], a.drift[1]);
    return out->failed ? FAIL(e, ERR_MEM, "no memory") : ERR_OK;
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
    struct text anchors = { 0 };
    if (status == ERR_OK) status = tell_anchors(r->out, r->json, &anchors, e);
    if (status == ERR_OK)
        printf(r->json ? "{\"points\":%zu,\"done\":%zu,\"failed\":%zu,\"missing\":%zu,\"rows\":%zu,\"rows_wanted\":%zu%s}\n"
                       : "%zu points: %zu done, %zu failed, %zu missing; %zu of %zu repetitions measured\n%s",
               at.points, at.done, at.failed, at.missing, at.rows, at.points * reps, text_of(&anchors));
    text_free(&anchors);
    return status;
}

static int do_merge(const struct request *r, struct err *e)
{
    if (r->words.count < 2) return FAIL(e, ERR_ARG, "merge needs a folder or CSV files");
    if (!r->out && r->words.count > 2) return FAIL(e, ERR_ARG, "merge of several inputs needs --out FILE.csv");
    struct text out = { 0 };
    text_add(&out, r->out ? "%s" : "%s/sweep.csv", r->out ? r->out : r->words.at[1]);
    int status = out.failed ? FAIL(e, ERR_MEM, "no memory")
                            : sweep_merge(r->words.at + 1, (size_t)r->words.count - 1, text_of(&out), e);
    for (int i = 1; status == ERR_OK && i < r->words.count; i++) {
        struct stat s;
        struct text anchors = { 0 };
        if (stat(r->words.at[i], &s) == 0 && S_ISDIR(s.st_mode)) status = tell_anchors(r->words.at[i], 0, &anchors, e);
        fputs(text_of(&anchors), stderr);
        text_free(&anchors);
    }
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
    { "refine", do_refine },
};
enum { ACTIONS = sizeof actions / sizeof *actions };

static int run(int argc, char **argv, struct err *e)
{
    struct request r = { .budget_s = -1, .near = 0.05, .reps = 7, .argc = argc, .argv = argv };
    const struct option options[] = {
        { "--out", OPTION_TEXT, &r.out, 0, 0 },           { "--shard", OPTION_TEXT, &r.shard, 0, 0 },
        { "--budget", OPTION_REAL, &r.budget_s, 0, 1e9 }, { "--where", OPTION_LIST, &r.where, 0, 0 },
        { "--max", OPTION_TEXT, &r.max, 0, 0 },           { "--min", OPTION_TEXT, &r.min, 0, 0 },
        { "--reps", OPTION_INT, &r.reps, 1, 10000 },      { "--near", OPTION_REAL, &r.near, 0, 1 },
        { "--json", OPTION_FLAG, &r.json, 0, 0 },         { "--trust", OPTION_FLAG, &r.trust, 0, 0 },
        { 0 },
    };
    const int status = options_parse(argc, argv, options, &r.words, e);
    if (status != ERR_OK) return status;
    if (r.words.count == 0) return FAIL(e, ERR_ARG, "plan, run, status, merge, best or refine?");
    const char *names[ACTIONS];
    for (int i = 0; i < ACTIONS; i++) {
        names[i] = actions[i].name;
        if (strcmp(names[i], r.words.at[0]) == 0) return actions[i].run(&r, e);
    }
    return FAIL(e, ERR_ARG, "no '%s'%s", r.words.at[0], NEAREST(r.words.at[0], names, ACTIONS));
}

const struct command cmd_sweep = {
    .name = "sweep",
    .summary = "many points of a grid: plan, run, status, merge, best, refine",
    .help =
        "usage: assay sweep plan   CONFIG.yaml [--out DIR]\n"
        "       assay sweep run    CONFIG.yaml --out DIR [--shard I/N] [--budget S]\n"
        "       assay sweep status CONFIG.yaml --out DIR\n"
        "       assay sweep merge  DIR|CSV ... [--out FILE.csv]      (default: DIR/sweep.csv)\n"
        "       assay sweep best   CSV [--where COND ...] --max COLUMN | --min COLUMN\n"
        "       assay sweep refine CSV [CONFIG.yaml] [--reps N] [--near X] [--max COLUMN] [--min COLUMN]\n\n"
        "  --out DIR       rows go to DIR/sweep.csv, one line a query to DIR/<point_id>.pq.tsv; what DIR holds\n"
        "                  already is not measured again, so a killed sweep goes on where it was; rows of the\n"
        "                  same dataset whose content, questions or labels were others go to sweep.csv.earlier\n"
        "                  plan --out DIR: the core-hours of it all, by the mean of the rows that DIR holds\n"
        "  --shard I/N     only the points whose hash is I modulo N (I from 0), into DIR/sweep.I-of-N.csv; a small work is\n"
        "                  timed at its start and end (DIR/anchors.I-of-N.csv): status and merge say how far nodes are apart\n"
        "  --budget S      seconds in all; timed calls are cut short to fit, and the points reached first cover the whole\n"
        "                  grid; default: as the config says\n"
        "  --where COND    as 'lat_p99_us<=5000' or 'bits>=3 or rerank>0'; all that are given must hold\n"
        "  --trust         a service that the base names (embed_url) may be asked; else only one that `base:` repeats\n"
        "  --reps N        refine: repetitions of each point near the front, those that are there counted; default 7\n"
        "  --near X        refine: no other point is as good and cheaper by more than that share (or as cheap, and better by\n"
        "                  that share of what qualities span); default 0.05.  --max: the quality, default the first that\n"
        "                  has values of label_ndcg_at_10, label_mrr, recall_strict; --min: the cost, default lat_p50_us.\n"
        "                  Rows go to the CSV's folder; the config is the one that sweep run has left there (config.yaml)\n"
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
        "  min_calls: 2000                 timed calls a point, reps: 1, budget_s: none\n"
        "  timed: false                    quality alone: every question once, as many points at a time as there are CPUs, no\n"
        "                                  times in the rows (time the same points into another folder)\n\n"
        "indexes that took a second to build are kept in DIR/indexes, by what they are of and the program that built them:\n"
        "shards, refine and a run that goes on read them back; the folder may be removed at any time\n\n"
        "example:\n"
        "  assay sweep run sweep.yaml --out results/mine\n"
        "  assay sweep best results/mine/sweep.csv --where 'lat_p99_us<=5000' --max agree_at_10\n"
        "  assay sweep refine results/mine/sweep.csv --reps 10\n",
    .run = run,
};
