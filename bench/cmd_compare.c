/* SPDX-License-Identifier: MIT
 * cmd_compare.c - A against B, paired and interleaved, with an arm that compares A with itself. */
#define _GNU_SOURCE
#include "bench/time/clock.h"
#include "bench/command.h"
#include "bench/contest/commit.h"
#include "bench/contest/contest.h"
#include "bench/contest/contest_out.h"
#include "bench/rows/output.h"
#include "bench/rows/run.h"
#include "bench/contest/subject_yaml.h"
#include "kernels/base/mem.h"
#include "kernels/base/option.h"
#include "kernels/base/rng.h"
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct asked {
    struct subject_data data;
    struct option_list arms, then;
    int64_t processes, rounds, cpu, open_seed;
    double sample_us, budget_s, alpha, claim;
    const char *subject, *out;
    int isolate, json, serve, commit;
};

/* A measuring process: opens what it is told to and obeys. */
static int serve(const struct asked *a, struct err *e)
{
    struct subject *subjects[CONTEST_ARMS + 1] = { 0 };
    const size_t count = (size_t)a->arms.count;
    if (count > CONTEST_ARMS + 1) return FAIL(e, ERR_ARG, "%zu arms, at most %d", count, CONTEST_ARMS);
    (void)clock_pin((int)a->cpu, NULL); /* where binding is forbidden the scheduler's choice stands */
    /* What is opened first gets the better memory: of two equal pipelines the second was 3 % slower,
     * in every process.  Drawn anew in each, that is spread over the arms. */
    uint32_t order[CONTEST_ARMS + 1];
    struct rng rng;
    rng_seed(&rng, (uint64_t)a->open_seed, 0);
    rng_shuffle(&rng, order, count);
    int status = ERR_OK;
    for (size_t i = 0; i < count && status == ERR_OK; i++)
        status = subject_open(&subjects[order[i]], a->arms.at[order[i]], &a->data, e);
    if (status == ERR_OK) status = remote_serve(subjects, count, e);
    else printf("error %d %s\n", status, e->text); /* the other side shows it */
    for (size_t i = 0; i < count; i++) subject_close(subjects[i]);
    return ERR_OK;
}

/* "kernel:OP=ISA/VARIANT" -> "OP=ISA/VARIANT"; NULL when the arm is no single kernel. */
static const char *kernel_of(const char *arm)
{
    return strncmp(arm, "kernel:", 7) == 0 && strchr(arm, '=') ? arm + 7 : NULL;
}

/* What the two kernels are worth inside something larger. */
static int run_then(const struct asked *a, const struct contest_plan *plan, struct contest *stages, size_t *done,
                    struct err *e)
{
    const char *first = kernel_of(a->arms.at[0]), *second = kernel_of(a->arms.at[1]);
    if (!first || !second || a->arms.count != 2)
        return FAIL(e, ERR_ARG, "--then needs exactly two arms of the form kernel:OP=ISA/VARIANT");
    for (int i = 0; i < a->then.count; i++) {
        struct text x = { 0 }, y = { 0 };
        text_add(&x, "%s@%s", a->then.at[i], first);
        text_add(&y, "%s@%s", a->then.at[i], second);
        const char *arms[] = { text_of(&x), text_of(&y) };
        const int status = contest_run(&stages[i], plan, arms, 2, e);
        stages[i].arms[0] = stages[i].arms[1] = a->then.at[i]; /* the texts end here */
        text_free(&x);
        text_free(&y);
        if (status != ERR_OK) return status;
        ++*done;
    }
    return ERR_OK;
}

static int say(const struct asked *a, const struct contest_report *r, const char *notes, struct err *e)
{
    struct text out = { 0 };
    if (a->json) contest_json(r, &out);
    else contest_table(r, &out);
    fputs(text_of(&out), stdout);
    text_free(&out);
    return a->out ? contest_write(r, a->out, notes, e) : ERR_OK;
}

static int compare(const struct asked *a, const char *notes, struct err *e)
{
    enum { THEN_MOST = 8 };
    char self[PATH_MAX];
    const ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0) return FAIL(e, ERR_IO, "cannot find this program");
    self[size] = 0;
    if (a->then.count > THEN_MOST) return FAIL(e, ERR_ARG, "--then more than %d times", THEN_MOST);
    struct contest_plan plan = {
        .program = self,
        .subject = a->subject,
        .data = &a->data,
        .processes = (size_t)a->processes,
        .rounds = (size_t)a->rounds,
        .sample_ns = a->sample_us * 1e3,
        .budget_ns = a->budget_s * 1e9 / (double)a->processes,
        .alpha = a->alpha,
        .seed = (uint64_t)a->data.seed,
        .cpu = a->cpu >= 0 ? (int)a->cpu : sched_getcpu(),
    };
    struct contest main_run = { 0 }, isolated = { 0 }, stages[THEN_MOST] = { 0 };
    size_t stage_count = 0;
    int status = contest_run(&main_run, &plan, a->arms.at, (size_t)a->arms.count, e);
    if (status == ERR_OK && a->isolate && !a->subject) {
        plan.isolate = 1;
        status = contest_run(&isolated, &plan, a->arms.at, (size_t)a->arms.count, e);
        plan.isolate = 0;
    }
    if (status == ERR_OK && a->then.count) status = run_then(a, &plan, stages, &stage_count, e);
    const struct contest_report report = { .plan = &plan,
                                           .run = &main_run,
                                           .isolated = isolated.count ? &isolated : NULL,
                                           .stages = stages,
                                           .stage_count = stage_count,
                                           .claim = a->claim };
    if (status == ERR_OK) status = say(a, &report, notes, e);
    if (status == ERR_OK) status = contest_claim(&report, e);
    contest_free(&main_run);
    contest_free(&isolated);
    for (size_t i = 0; i < stage_count; i++) contest_free(&stages[i]);
    return status;
}

static int is_yaml(const char *arm)
{
    const char *dot = strrchr(arm, '.');
    return dot && !strchr(arm, ':') && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* Replaces arms that are YAML files by what they hold; specs keeps their texts. */
static int read_yaml_arms(struct asked *a, struct text *specs, struct text kept[SUBJECT_YAML_TEXTS], struct err *e)
{
    for (int i = 0; i < a->arms.count && i < CONTEST_ARMS; i++) {
        if (!is_yaml(a->arms.at[i])) continue;
        const int status = subject_from_yaml(a->arms.at[i], &a->data, &specs[i], kept, e);
        if (status != ERR_OK) return status;
        a->arms.at[i] = text_of(&specs[i]);
    }
    return ERR_OK;
}

static int check_arms(const struct asked *a, struct err *e)
{
    if (a->arms.count < 2) return FAIL(e, ERR_ARG, "name at least two arms");
    for (int i = 0; i < a->arms.count; i++) {
        const char *arm = a->arms.at[i];
        const int is_program = !strchr(arm, ':') && access(arm, X_OK) == 0;
        if (is_program && !a->subject) return FAIL(e, ERR_ARG, "%s is a program: --run SUBJECT says what it runs", arm);
        if (!is_program && a->subject) return FAIL(e, ERR_ARG, "%s: with --run every arm is an assay binary", arm);
    }
    return ERR_OK;
}

/* Commits become the programs that they build; programs keeps their paths. */
static int build_commits(struct asked *a, struct text *programs, struct err *e)
{
    if (!a->commit) return ERR_OK;
    if (!a->subject || a->arms.count > CONTEST_ARMS)
        return FAIL(e, ERR_ARG,
                    "--commit A B -- SUBJECT: name what both run, and at most %d commits",
                    CONTEST_ARMS);
    for (int i = 0; i < a->arms.count; i++) {
        fprintf(stderr, "commit %s: building it, unless it is there\n", a->arms.at[i]);
        const int status = commit_build(a->arms.at[i], &programs[i], e);
        if (status != ERR_OK) return status;
        a->arms.at[i] = text_of(&programs[i]);
    }
    return ERR_OK;
}

/* "A B -- SUBJECT" is "A B --run SUBJECT".  Cuts it off; returns what is left of argc. */
static int take_subject(int argc, char **argv, struct asked *a, struct err *e)
{
    int at = 1;
    while (at < argc && strcmp(argv[at], "--") != 0) at++;
    if (at == argc) return argc;
    if (at + 2 != argc) {
        FAIL(e, ERR_ARG, "-- wants one SUBJECT behind it, and nothing else");
        return -1;
    }
    a->subject = argv[at + 1];
    return at;
}

static int run(int argc, char **argv, struct err *e)
{
    struct asked a = { .data = SUBJECT_DATA_USUAL, .processes = 10, .rounds = 20, .cpu = -1, .sample_us = 500,
                       .budget_s = 120, .alpha = 0.05 };
    struct option options[SUBJECT_OPTIONS + 18] = {
        { "--processes", OPTION_INT, &a.processes, 1, 1000 },
        { "--rounds", OPTION_INT, &a.rounds, 1, 10000 },
        { "--sample-us", OPTION_REAL, &a.sample_us, 50, 1e7 },
        { "--budget", OPTION_REAL, &a.budget_s, 0.1, 1e6 },
        { "--alpha", OPTION_REAL, &a.alpha, 1e-9, 0.5 },
        { "--claim", OPTION_REAL, &a.claim, 1e-3, 1e6 },
        { "--cpu", OPTION_INT, &a.cpu, 0, 4095 },
        { "--seed", OPTION_INT, &a.data.seed, 0, 1e15 },
        { "--run", OPTION_TEXT, &a.subject, 0, 0 },
        { "--then", OPTION_LIST, &a.then, 0, 0 },
        { "--out", OPTION_TEXT, &a.out, 0, 0 },
        { "--isolate", OPTION_FLAG, &a.isolate, 0, 0 },
        { "--json", OPTION_FLAG, &a.json, 0, 0 },
        { "--serve", OPTION_FLAG, &a.serve, 0, 0 },
        { "--open-seed", OPTION_INT, &a.open_seed, 0, 1e18 },
        { "--commit", OPTION_FLAG, &a.commit, 0, 0 },
    };
    subject_options(&a.data, options + 16);
    const int left = take_subject(argc, argv, &a, e);
    if (left < 0) return ERR_ARG;
    int status = options_parse(left, argv, options, &a.arms, e);
    if (status != ERR_OK) return status;
    if (a.serve) return serve(&a, e);
    struct text specs[CONTEST_ARMS] = { 0 }, kept[SUBJECT_YAML_TEXTS] = { 0 };
    status = a.commit ? build_commits(&a, specs, e) : read_yaml_arms(&a, specs, kept, e);
    if (status == ERR_OK) status = check_arms(&a, e);
    struct run r = { 0 };
    if (status == ERR_OK) status = run_init(&r, argc, argv, e);
    if (status == ERR_OK) status = compare(&a, text_of(&r.notes), e);
    run_fini(&r);
    for (int i = 0; i < CONTEST_ARMS; i++) text_free(&specs[i]);
    for (int i = 0; i < SUBJECT_YAML_TEXTS; i++) text_free(&kept[i]);
    return status;
}

const struct command cmd_compare = {
    .name = "compare",
    .summary = "paired, interleaved comparison of kernels, indexes, pipelines or binaries",
    .help =
        "usage: assay compare A B [C ...] [options]\n"
        "       assay compare OLD-BINARY NEW-BINARY --run SUBJECT [options]\n"
        "       assay compare --commit OLD NEW [options] -- SUBJECT\n\n"
        "A subject is kernel:OP=ISA/VARIANT, index:SPEC[@KERNEL] or "
        "rag:DB[,KEY=VALUE...][@KERNEL], or a "
        "sweep's YAML file\n"
        "of one point.  All are compared with A, in rounds whose order is a Latin square, over "
        "several "
        "processes; A\n"
        "also runs against itself.  The interval is the sign test's, exact, over processes, with "
        "Bonferroni's "
        "correction.\n\n"
        "  --processes N      fresh processes; 6 are the least that give an interval  (10)\n"
        "  --rounds N         samples of each arm in a process                        (20)\n"
        "  --sample-us T      least length of a sample, microseconds                  (500)\n"
        "  --budget S         seconds for all processes: then fewer rounds            (120)\n"
        "  --alpha P          level of all verdicts together                          (0.05)\n"
        "  --claim R          fail unless every ratio's lower bound reaches R\n"
        "  --isolate          once more with every arm in a process of its own\n"
        "  --then SUBJECT     two kernels: what they are worth inside an index or pipeline (may be "
        "repeated)\n"
        "  --commit           the arms are commits of the source tree here: built in its "
        "build/commits/, then run\n"
        "  --run SUBJECT      the arms are assay binaries: what each of them runs\n"
        "  --cpu N, --seed N  the CPU to run on (the one we start on), seed of data and order (1)\n"
        "  --out DIR          raw.csv, compare.csv, figures, claim.md\n"
        "  --json             one object a line, one line a verdict\n\n" SUBJECT_HELP
            SUBJECT_HELP_KERNEL "\nexample: assay compare kernel:cosine_f32=avx2 "
                                "kernel:cosine_f32=avx512 --where l1 --then index:flat\n",
    .run = run,
};
