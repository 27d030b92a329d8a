/* SPDX-License-Identifier: MIT
 * cmd_tune.c - the settings to use, and how sure that is. */
#include "bench/command.h"
#include "bench/micro/tune_kernels.h"
#include "bench/rows/output.h"
#include "bench/time/clock.h"
#include "bench/sweep/tune.h"
#include "kernels/base/option.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h> /* not used here: a bare worker leaves this verb out with the library */

struct request {
    struct option_list words, axes, settings;
    const char *query, *query_ids, *qrels, *kernel, *out;
    int drop; /* labels of documents that are not there */
    int64_t k, seed;
    struct tune_request tune;
    double max_p99_ms;
    int64_t least_calls, most;
    int json;
    int kernels; /* of this machine, in place of a base */
    int64_t dim, bits;
    double seconds;
};

static int parse(int argc, char **argv, struct request *r, struct err *e)
{
    int trust = 0;
    const struct option options[] = {
        { "--query", OPTION_TEXT, &r->query, 0, 0 },
        { "--query-ids", OPTION_TEXT, &r->query_ids, 0, 0 },
        { "--qrels", OPTION_TEXT, &r->qrels, 0, 0 },
        { "--drop-unjudgeable", OPTION_FLAG, &r->drop, 0, 0 },
        { "--max-p99-ms", OPTION_REAL, &r->max_p99_ms, 1e-6, 1e9 },
        { "--by", OPTION_TEXT, &r->tune.by, 0, 0 },
        { "--axis", OPTION_LIST, &r->axes, 0, 0 },
        { "--set", OPTION_LIST, &r->settings, 0, 0 },
        { "-k", OPTION_INT, &r->k, 1, 1e6 },
        { "--kernel", OPTION_TEXT, &r->kernel, 0, 0 },
        { "--held-out", OPTION_REAL, &r->tune.held_out, 0.05, 0.95 },
        { "--seed", OPTION_INT, &r->seed, 0, 9e15 },
        { "--min-calls", OPTION_INT, &r->least_calls, 500, 1e8 },
        { "--budget", OPTION_REAL, &r->tune.budget_s, 0, 1e9 },
        { "--finalists", OPTION_INT, &r->most, 1, 1000 },
        { "--json", OPTION_FLAG, &r->json, 0, 0 },
        { "--trust", OPTION_FLAG, &trust, 0, 0 },
        { "--out", OPTION_TEXT, &r->out, 0, 0 },
        { "--kernels", OPTION_FLAG, &r->kernels, 0, 0 },
        { "--dim", OPTION_INT, &r->dim, 1, 65536 },
        { "--bits", OPTION_INT, &r->bits, 1, 8 },
        { "--seconds", OPTION_REAL, &r->seconds, 0.1, 1e5 },
        { 0 },
    };
    const int status = options_parse(argc, argv, options, &r->words, e);
    if (status != ERR_OK) return status;
    if (r->kernels && r->words.count) return FAIL(e, ERR_ARG, "--kernels looks at this machine, not at %s", r->words.at[0]);
    if (r->kernels) return ERR_OK;
    trust_base(&r->settings, trust);
    if (r->words.count != 1) return FAIL(e, ERR_ARG, "one database is wanted, not %d", r->words.count);
    if (!r->query) return FAIL(e, ERR_ARG, "--query FILE is missing");
    r->tune.max_p99_us = r->max_p99_ms * 1e3;
    r->tune.seed = (uint64_t)r->seed;
    r->tune.least_calls = (size_t)r->least_calls;
    r->tune.most = (size_t)r->most;
    return ERR_OK;
}

/* --- for a person --------------------------------------------------------------------------------------- */
static void print_head(const struct tune *t)
{
    const struct rag_set *s = &t->tuning;
    printf("%s: %zu vectors x %zu; %zu points over %zu questions, %zu held out (seed %llu)\n", s->name, s->base_count,
           s->dim, t->plan.count, s->queries.count, t->held_out.queries.count, (unsigned long long)t->request->seed);
    if (t->left_out) printf("  %zu questions are left out: nothing is relevant to them\n", t->left_out);
    printf("maximised: %s, where p99 <= %g ms\n", t->by, t->request->max_p99_us * 1e-3);
    if (strcmp(t->by, "agree_at_10") == 0)
        printf("  There are no labels, so nothing says which answers are better.  This is how little the approximations of\n"
               "  stage one change the answers; graph_depth, score and the like stay as they are: only labels can tune them.\n");
    printf("\n");
}

static const char *number(double value, int digits, char out[32])
{
    if (isnan(value)) snprintf(out, 32, "-");
    else snprintf(out, 32, "%.*f", digits, value);
    return out;
}

static void print_finalists(const struct tune *t)
{
    char c[5][32];
    printf("measured again over the held-out questions, which had no say in the choice:\n");
    printf("  %-60s %9s %9s  %-19s %9s %9s %7s\n", "", "tuned on", "held out", "minus the winner", "p50 us", "p99 us",
           "B/vec");
    for (size_t i = 0; i < t->again_count; i++) {
        const struct tune_point *p = &t->points[t->again[i]];
        const struct tune_measured *h = &p->held_out;
        struct text what = { 0 };
        char against[64] = "the winner";
        plan_describe(&t->plan, p->point, &what);
        if (p->is_default) text_add(&what, " (defaults)");
        if (i > 0)
            snprintf(against, sizeof against, "[%+.4f, %+.4f]", p->held_against.interval.lo, p->held_against.interval.hi);
        printf("  %-60s %9s %9s  %-19s %9s %9s %7s%s\n", text_of(&what), number(p->tuning.mean, 4, c[0]),
               number(h->mean, 4, c[1]), against, number(h->p50_us, 1, c[2]), number(h->p99_us, 1, c[3]),
               number(h->bytes_per_vector, 0, c[4]), h->p99_us > t->request->max_p99_us ? "  over the limit" : "");
        text_free(&what);
    }
    if (t->again_count > 1)
        printf("  (interval: paired bootstrap over questions, 95 %% for all %zu comparisons together)\n", t->again_count - 1);
}

static void add_number(struct text *out, const char *key, double value)
{
    if (isfinite(value)) text_add(out, ",\"%s\":%.9g", key, value);
    else text_add(out, ",\"%s\":null", key);
}

/* Where no point keeps to the limit: what all of them took, for a person or for programs. */
static void print_grid(const struct tune *t, int json)
{
    char c[4][32];
    if (!json) printf("no point keeps to the limit:\n  %-60s %9s %9s %9s %7s\n", "", "tuned on", "p50 us", "p99 us", "B/vec");
    for (size_t i = 0; i < t->plan.count; i++) {
        const struct tune_point *p = &t->points[i];
        struct text what = { 0 }, line = { 0 };
        plan_describe(&t->plan, p->point, &what);
        if (json) {
            text_add(&line, "{\"point_id\":\"%s\",\"role\":\"over_limit\",\"point\":", p->point->id);
            text_add_json(&line, text_of(&what));
            text_add(&line, ",\"by\":\"%s\"", t->by);
            add_number(&line, "tuning_mean", p->tuning.mean);
            add_number(&line, "lat_p50_us", p->tuning.p50_us);
            add_number(&line, "lat_p99_us", p->tuning.p99_us);
            add_number(&line, "bytes_per_vector", p->tuning.bytes_per_vector);
            text_add(&line, "}\n");
        } else {
            text_add(&line, "  %-60s %9s %9s %9s %7s\n", text_of(&what), number(p->tuning.mean, 4, c[0]),
                     number(p->tuning.p50_us, 1, c[1]), number(p->tuning.p99_us, 1, c[2]),
                     number(p->tuning.bytes_per_vector, 0, c[3]));
        }
        fputs(text_of(&line), stdout);
        text_free(&line);
        text_free(&what);
    }
}

static void print_verdict(const struct tune *t)
{
    const struct tune_point *w = tune_winner(t);
    const struct tune_measured *m = &w->tuning;
    struct text what = { 0 };
    plan_describe(&t->plan, w->point, &what);
    printf("winner: %s\n", text_of(&what));
    printf("  %zu of %zu points keep to the limit; %zu of them are not resolved from the winner\n", t->feasible,
           t->plan.count, t->unresolved);
    if (m->p99_hi_us > t->request->max_p99_us)
        printf("  its p99, %.1f us [%.1f, %.1f], is not resolved from the limit\n", m->p99_us, m->p99_lo_us, m->p99_hi_us);
    if (w->held_out.p99_us > t->request->max_p99_us)
        printf("  over the held-out questions its p99 is %.1f us, beyond the limit: leave more room\n", w->held_out.p99_us);
    text_clear(&what);
    if (t->faster) {
        const char *verdict = t->ratio_within.lo > 1 ? "faster" : t->ratio_within.hi < 1 ? "slower" : "speed not resolved";
        plan_describe(&t->plan, t->faster->point, &what);
        printf("  as good as far as was resolved, and faster over the tuning questions: %s\n", text_of(&what));
        printf("    over the held-out questions: %s, x%.2f [%.2f, %.2f] (times paired by question, one process)\n", verdict,
               t->ratio, t->ratio_within.lo, t->ratio_within.hi);
    }
    text_free(&what);
}

static void print_page(const struct tune *t, const char *yaml)
{
    print_verdict(t);
    printf("\n");
    print_finalists(t);
    printf("\nto paste (assay sweep run FILE.yaml, assay compare FILE.yaml OTHER.yaml):\n\n%s", yaml);
}

/* --- for programs ------------------------------------------------------------------------------------------ */
static void print_json(const struct tune *t)
{
    for (size_t i = 0; i < t->again_count; i++) {
        const struct tune_point *p = &t->points[t->again[i]];
        struct text out = { 0 }, what = { 0 };
        const char *role = i == 0 ? "winner" : p->feasible && !p->resolved ? "not_resolved" : "defaults";
        plan_describe(&t->plan, p->point, &what);
        text_add(&out, "{\"point_id\":\"%s\",\"role\":\"%s\",\"point\":", p->point->id, role);
        text_add_json(&out, text_of(&what));
        text_add(&out, ",\"by\":\"%s\"", t->by);
        add_number(&out, "tuning_mean", p->tuning.mean);
        add_number(&out, "held_out_mean", p->held_out.mean);
        add_number(&out, "held_out_difference_lo", i ? p->held_against.interval.lo : NAN);
        add_number(&out, "held_out_difference_hi", i ? p->held_against.interval.hi : NAN);
        add_number(&out, "faster_ratio", p == t->faster ? t->ratio : NAN);
        add_number(&out, "faster_ratio_lo", p == t->faster ? t->ratio_within.lo : NAN);
        add_number(&out, "faster_ratio_hi", p == t->faster ? t->ratio_within.hi : NAN);
        add_number(&out, "lat_p50_us", p->held_out.p50_us);
        add_number(&out, "lat_p99_us", p->held_out.p99_us);
        add_number(&out, "bytes_per_vector", p->held_out.bytes_per_vector);
        text_add(&out, "}\n");
        fputs(text_of(&out), stdout);
        text_free(&out);
        text_free(&what);
    }
}

/* DIR/tune.csv and DIR/held_out.csv: rows as a sweep's; DIR/winner.yaml. */
static int write_results(const struct tune *t, const struct run *run, const char *folder, const char *yaml, struct err *e)
{
    static const char *const files[] = { "tune.csv", "held_out.csv" };
    struct text out = { 0 };
    int status = ERR_OK;
    for (int part = 0; status == ERR_OK && part < 2; part++) {
        text_clear(&out);
        text_add_bytes(&out, text_of(&run->notes), run->notes.size);
        layout_csv(&t->layout, &out);
        for (size_t i = 0; i < t->plan.count; i++) {
            const struct text *line = part ? &t->points[i].held_out.csv : &t->points[i].tuning.csv;
            if (line->size) text_add_bytes(&out, line->at, line->size);
        }
        status = output_write_in(folder, files[part], &out, e);
    }
    text_clear(&out);
    text_add_bytes(&out, yaml, strlen(yaml));
    if (status == ERR_OK) status = output_write_in(folder, "winner.yaml", &out, e);
    text_free(&out);
    return status;
}

static int report(const struct request *r, struct tune *t, struct run *run, struct err *e)
{
    if (!r->json) print_head(t);
    int status = tune_run(t, run, e);
    if (status == ERR_NOT_FOUND) print_grid(t, r->json);
    if (status == ERR_OK) status = tune_confirm(t, run, e);
    if (status != ERR_OK) return status;
    struct text yaml = { 0 };
    plan_yaml(&t->plan, t->sweep, tune_winner(t)->point, &yaml);
    if (yaml.failed) status = FAIL(e, ERR_MEM, "no memory for the winner");
    if (status == ERR_OK && r->json) print_json(t);
    else if (status == ERR_OK) print_page(t, text_of(&yaml));
    if (status == ERR_OK && r->out) status = write_results(t, run, r->out, text_of(&yaml), e);
    text_free(&yaml);
    return status;
}

static int tune_machine(const struct request *r, int argc, char **argv, struct err *e)
{
    const struct kernel_tuning how = { (size_t)r->dim, (int)r->bits, r->seconds, (uint64_t)r->seed };
    struct text file = { 0 }, table = { 0 };
    struct run about = { 0 };
    int status = run_init(&about, argc, argv, e);
    (void)clock_pin(-1, NULL); /* where binding is forbidden the scheduler's choice stands */
    if (status == ERR_OK) status = kernels_tune(&how, text_of(&about.notes), &file, &table, e);
    if (status == ERR_OK) fputs(text_of(&table), stdout);
    if (status == ERR_OK && r->out) status = output_write(r->out, &file, e);
    run_fini(&about);
    text_free(&file), text_free(&table);
    return status;
}

static int run(int argc, char **argv, struct err *e)
{
    struct request r = { .dim = 384, .bits = 4, .seconds = 50, .kernel = "", .k = 10, .seed = 1, .least_calls = 1000, .most = 8, .max_p99_ms = 5,
                         .tune = { .held_out = 0.5, .budget_s = 120 } };
    struct text yaml = { 0 };
    struct sweep sweep = { 0 };
    struct tune t = { 0 };
    struct run about = { 0 };
    int status = parse(argc, argv, &r, e), opened = 0;
    if (status == ERR_OK && r.kernels) return tune_machine(&r, argc, argv, e);
    if (status != ERR_OK) return status;
    const struct tune_grid grid = { r.words.at[0], r.query, r.qrels, r.axes.at, r.settings.at, (size_t)r.axes.count,
                                    (size_t)r.settings.count, (size_t)r.k, r.kernel, r.query_ids, r.drop };
    status = tune_yaml(&grid, &yaml, e);
    if (status == ERR_OK) status = sweep_parse(&sweep, "grid", text_of(&yaml), e);
    if (status == ERR_OK) status = run_init(&about, argc, argv, e);
    if (status == ERR_OK) {
        status = tune_open(&t, &r.tune, &sweep, e);
        opened = status == ERR_OK;
    }
    if (opened) rag_set_note(&t.plan.rag, &about);
    if (status == ERR_OK) status = report(&r, &t, &about, e);
    if (opened) tune_close(&t);
    run_fini(&about);
    sweep_free(&sweep);
    text_free(&yaml);
    return status;
}

const struct command cmd_tune = {
    .name = "tune",
    .summary = "which top_k_candidates, bits and graph_depth to use, within a limit of time",
    .help =
        "usage: assay tune DB --query FILE [--qrels FILE] [--max-p99-ms T] [--axis KEY=V,V,... ...]\n"
        "       assay tune --kernels [--dim N] [--bits N] [--seconds S] [--out FILE]\n\n"
        "Measures a grid over some of the questions, takes the point with the best mean whose p99 keeps to the limit,\n"
        "says which others are not resolved from it (question by question), and measures those again over the other\n"
        "questions, which had no say: believe the second numbers.\n\n"
        "  --query FILE       questions: fvecs or npy (vectors), .txt (one a line), .jsonl (_id, text)\n"
        "  --query-ids FILE   for questions that are vectors: whose row i is, line by line; rows: known by their rows\n"
        "  --qrels FILE       what is relevant; without it only stage one is tuned, by its agreement with exact search,\n"
        "                     because nothing says which answers are better\n"
        "  --drop-unjudgeable labels of documents that are not there are left out; else they count as never found\n"
        "  --max-p99-ms T     limit of the 99th percentile of a query's time, milliseconds; default 5\n"
        "  --by METRIC        what to maximise; default label_ndcg_at_10, without labels agree_at_10\n"
        "  --axis KEY=V,V     values to try; default bit_width=2,3,4,5,8 top_k_candidates=20,50,100,200,400 and, with\n"
        "                     labels, graph_depth=0,1,2; may be given often, adds to those or replaces one\n"
        "  --set KEY=VALUE    a setting held fixed, may be given often (assay query --settings lists them)\n"
        "  --trust            a service that the base names (embed_url) may be asked; else only one that --set repeats\n"
        "  -k N               results a question; default 10\n"
        "  --held-out X       share of the questions to hold out; default 0.5\n"
        "  --seed N           of the split; default 1\n"
        "  --min-calls N      timed calls a point, 500 at least; default 1000\n"
        "  --budget S         seconds for the grid: then fewer timed calls; 0: no limit; default 120\n"
        "  --finalists N      points measured again; default 8\n"
        "  --kernel K         as in assay ann; default: the best that this CPU runs\n"
        "  --json             one object a finalist and line\n"
        "  --out DIR          tune.csv and held_out.csv (rows as a sweep's), winner.yaml\n\n"
        "--kernels measures in a minute which rows of kernels are faster on this machine than the defaults, of those that\n"
        "give the same bits, for one query of --dim N dimensions (384) and codes of --bits N (4), in L2, L3 and DRAM; no\n"
        "shape is begun after --seconds S (50): which, it says.  Where there is AMX it says, too, from how many queries on tiles\n"
        "pay here (kernels/amx.h has the numbers in use).  --out FILE is what --kernel @FILE takes; nothing is tuned without\n"
        "it.\n\n"
        "example:\n"
        "  assay data gen --kind twohop --seed 1 --out DIR\n"
        "  assay tune DIR/kb.sqlite --query DIR/query.fvecs --qrels DIR/qrels.txt --max-p99-ms 2 --out DIR/tuned\n"
        "  assay sweep run DIR/tuned/winner.yaml --out DIR/tuned/again\n",
    .run = run,
};
