/* SPDX-License-Identifier: MIT
 * contest.c - plays a comparison: starts the processes of its arms, deals the rounds, and judges what they measured.
 * */
#include "bench/contest/contest.h"
#include "bench/time/progress.h"
#include "kernels/base/mem.h"
#include "kernels/base/option.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The command line of a measuring process: this verb once more, with --serve. */
struct command_line {
    char *argv[CONTEST_ARMS + SUBJECT_OPTIONS + 16];
    size_t count;
    struct text words; /* all of them, each ended by NUL */
};

static void add_word(struct command_line *l, const char *name, const char *value)
{
    text_add_bytes(&l->words, name, strlen(name));
    if (value) text_add(&l->words, "=%s", value);
    text_add_bytes(&l->words, "", 1);
    l->count++;
}

static void add_data(struct command_line *l, const struct subject_data *data)
{
    struct subject_data d = *data;
    struct option options[SUBJECT_OPTIONS];
    subject_options(&d, options);
    for (size_t i = 0; i < SUBJECT_OPTIONS; i++) {
        const struct option *o = &options[i];
        char number[32];
        if (o->type == OPTION_TEXT && *(const char **)o->to) add_word(l, o->name, *(const char **)o->to);
        if (o->type == OPTION_FLAG && *(int *)o->to) add_word(l, o->name, NULL);
        if (o->type != OPTION_INT) continue;
        snprintf(number, sizeof number, "%lld", (long long)*(int64_t *)o->to);
        if (o->name[1] == '-') add_word(l, o->name, number);
        else add_word(l, o->name, NULL), add_word(l, number, NULL); /* -k 10 */
    }
}

static int start(struct remote **out, const struct contest_plan *plan, size_t process, const char *program,
                 const char *const *subjects, size_t count, struct err *e)
{
    struct command_line l = { 0 };
    char number[32];
    add_word(&l, program, NULL);
    add_word(&l, "compare", NULL);
    add_word(&l, "--serve", NULL);
    snprintf(number, sizeof number, "%d", plan->cpu);
    add_word(&l, "--cpu", number);
    snprintf(number, sizeof number, "%llu", (unsigned long long)plan->data->seed);
    add_word(&l, "--seed", number);
    if (count > 1) { /* another binary, which has one subject, need not know this */
        snprintf(number, sizeof number, "%llu", (unsigned long long)plan->seed + process);
        add_word(&l, "--open-seed", number);
    }
    add_data(&l, plan->data);
    for (size_t i = 0; i < count; i++) add_word(&l, subjects[i], NULL);
    if (l.words.failed) {
        text_free(&l.words);
        return FAIL(e, ERR_MEM, "no memory for a command line");
    }
    char *at = l.words.at;
    for (size_t i = 0; i < l.count; i++, at += strlen(at) + 1) l.argv[i] = at;
    l.argv[l.count] = NULL;
    const int status = remote_open(out, l.argv, e);
    text_free(&l.words);
    return status;
}

/* The spec of arm i; the last arm is the base once more (A/A). */
static const char *spec_of(const struct contest *c, size_t i) { return c->arms[i == c->count ? 0 : i]; }

static int one_interleaved(struct contest *c, const struct contest_plan *plan, const struct sample_plan *sampling,
                           struct samples *out, struct err *e)
{
    const char *specs[CONTEST_ARMS + 1];
    for (size_t i = 0; i <= c->count; i++) specs[i] = spec_of(c, i);
    struct remote *r;
    int status = start(&r, plan, c->process_count, plan->program, specs, c->count + 1, e);
    if (status != ERR_OK) return status;
    if (c->process_count == 0) /* once is enough: answers do not depend on the process */
        for (size_t i = 0; i < c->count && status == ERR_OK; i++) status = remote_look(r, i, &c->facts[i], e);
    if (status == ERR_OK) status = remote_sample(r, c->count + 1, sampling, out, e);
    remote_close(r);
    return status;
}

static int one_isolated(struct contest *c, const struct contest_plan *plan, const struct sample_plan *sampling,
                        struct samples *out, struct err *e)
{
    struct remote_arm remote[CONTEST_ARMS + 1] = { 0 };
    struct sample_arm arms[CONTEST_ARMS + 1];
    int status = ERR_OK;
    for (size_t i = 0; i <= c->count && status == ERR_OK; i++) {
        const char *spec = spec_of(c, i), *subject = plan->subject ? plan->subject : spec;
        status = start(&remote[i].remote, plan, c->process_count, plan->subject ? spec : plan->program, &subject, 1, e);
        if (status == ERR_OK && i < c->count && c->process_count == 0)
            status = remote_look(remote[i].remote, 0, &c->facts[i], e);
        arms[i] = (struct sample_arm){ .name = spec, .run = remote_run, .context = &remote[i], .place = remote_place };
    }
    if (status == ERR_OK) status = sample_run(arms, c->count + 1, sampling, out, e);
    for (size_t i = 0; i <= c->count; i++) {
        if (status == ERR_OK && remote[i].failed.code != ERR_OK) {
            *e = remote[i].failed;
            status = e->code;
            samples_free(out);
        }
        remote_close(remote[i].remote);
    }
    return status;
}

static int judge(struct contest *c, const struct contest_plan *plan, struct err *e)
{
    double *work = mem_alloc(c->process_count, sizeof *work);
    int status = work ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu processes", c->process_count);
    for (size_t i = 0; i <= c->count && status == ERR_OK; i++) {
        for (size_t p = 0; p < c->process_count && status == ERR_OK; p++) {
            struct summary s;
            status = stats_summarise(samples_of(&c->processes[p], i), c->processes[p].rounds, plan->seed, &s, e);
            work[p] = s.median;
        }
        stats_sort(work, c->process_count);
        c->iteration_ns[i] = stats_median(work, c->process_count);
        const size_t comparisons = i == c->count ? 1 : c->count - 1;
        if (i > 0 && status == ERR_OK)
            status = verdict_judge(c->processes, c->process_count, 0, i, plan->alpha, comparisons, &c->judged[i], e);
    }
    mem_free(work);
    if (status != ERR_OK) return status;
    c->offset = fabs(log(c->judged[c->count].ratio));
    for (size_t i = 1; i < c->count; i++) verdict_widen(&c->judged[i], c->offset);
    c->detectable = verdict_detectable(&c->judged[c->count], plan->alpha, c->count - 1, plan->seed);
    c->detectable = expm1(log1p(c->detectable) + c->offset);
    return ERR_OK;
}

int contest_run(struct contest *c, const struct contest_plan *plan, const char *const *arms, size_t count,
                struct err *e)
{
    *c = (struct contest){ .count = count };
    if (count < 2 || count > CONTEST_ARMS)
        return FAIL(e, ERR_ARG, "%zu arms: 2 to %d can be compared", count, CONTEST_ARMS);
    memcpy(c->arms, arms, count * sizeof *arms);
    c->processes = mem_zero(plan->processes, sizeof *c->processes);
    if (!c->processes) return FAIL(e, ERR_MEM, "no memory for %zu processes", plan->processes);
    c->before = machine_load();
    struct progress progress;
    progress_start(&progress, "compare", plan->processes);
    int status = ERR_OK;
    while (c->process_count < plan->processes && status == ERR_OK) {
        const struct sample_plan sampling = {
            .rounds = plan->rounds, .sample_ns = plan->sample_ns, .budget_ns = plan->budget_ns, .shared = 1,
            .least_rounds = count + 1, .seed = plan->seed + c->process_count,
        };
        struct samples *s = &c->processes[c->process_count];
        status = plan->isolate || plan->subject ? one_isolated(c, plan, &sampling, s, e)
                                                : one_interleaved(c, plan, &sampling, s, e);
        c->process_count += status == ERR_OK;
        progress_step(&progress, c->process_count);
    }
    progress_end(&progress);
    c->after = machine_load();
    if (status == ERR_OK) status = judge(c, plan, e);
    if (status != ERR_OK) contest_free(c);
    return status;
}

void contest_free(struct contest *c)
{
    for (size_t i = 0; i < c->count; i++) remote_facts_free(&c->facts[i]);
    for (size_t i = 1; i <= c->count; i++) verdict_free(&c->judged[i]);
    for (size_t p = 0; p < c->process_count; p++) samples_free(&c->processes[p]);
    mem_free(c->processes);
    *c = (struct contest){ 0 };
}

int contest_same_results(const struct contest *c, size_t arm) { return c->facts[arm].result == c->facts[0].result; }

double contest_overlap(const struct contest *c, size_t arm)
{
    const struct subject_facts *a = &c->facts[0], *b = &c->facts[arm];
    if (a->queries == 0 || a->queries != b->queries || a->k != b->k) return NAN;
    size_t shared = 0, of = 0;
    for (size_t q = 0; q < a->queries; q++)
        for (size_t i = 0; i < a->k; i++) {
            const int64_t id = a->ids[q * a->k + i];
            if (id < 0) continue;
            of++;
            for (size_t j = 0; j < b->k; j++) shared += b->ids[q * b->k + j] == id;
        }
    return of ? (double)shared / (double)of : NAN;
}

int contest_disturbed(const struct contest *c) { return c->judged[c->count].verdict != VERDICT_UNRESOLVED; }
