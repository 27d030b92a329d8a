/* SPDX-License-Identifier: MIT
 * test_contest.c - comparisons end to end through measuring processes; nothing about how fast. */
#include "bench/contest/contest.h"
#include "bench/contest/contest_out.h"
#include "bench/contest/remote.h"
#include "kernels/base/test.h"
#include <jansson.h>
#include <math.h>
#include <signal.h>

static const char *program; /* the built assay; NULL: not told */
static struct subject_data data;

static struct contest_plan small_plan(void)
{
    data = SUBJECT_DATA_USUAL;
    data.n = 300;
    data.query_count = 20;
    data.dim = 40;
    data.where = "l1";
    return (struct contest_plan){
        .program = program, .data = &data, .processes = 2, .rounds = 3, .alpha = 0.05, .seed = 1
    };
}

static void kernels(void)
{
    if (!program) SKIP("ASSAY is not set");
    const char *arms[] = { "kernel:dot_f32", "kernel:dot_f32=scalar", "kernel:dot_f32" };
    const struct contest_plan plan = small_plan();
    struct contest c;
    struct err e = { 0 };
    CHECK(contest_run(&c, &plan, arms, 3, &e) == ERR_OK, "%s", e.text);
    if (e.code != ERR_OK) return;
    CHECK(c.process_count == 2 && c.processes[0].arms == 4 && c.processes[0].rounds == 4, "%zu rounds of %zu arms",
          c.processes[0].rounds, c.processes[0].arms);
    CHECK(contest_same_results(&c, 2), "one kernel, two results");
    CHECK(strstr(text_of(&c.facts[1].kernels), "dot_f32=scalar/plain"), "%s", text_of(&c.facts[1].kernels));
    CHECK(c.facts[0].queries == 0 && isnan(contest_overlap(&c, 1)), "a kernel has no queries");
    for (size_t i = 1; i <= 3; i++) CHECK(c.judged[i].replicates == 2 && c.judged[i].ratio > 0, "arm %zu", i);
    CHECK(c.judged[1].verdict == VERDICT_UNRESOLVED && isinf(c.judged[1].interval.hi), "two processes resolve nothing");
    contest_free(&c);
}

static void indexes(void)
{
    if (!program) SKIP("ASSAY is not set");
    const char *arms[] = { "index:flat", "index:flat@scalar", "index:turboquant:bits=2" };
    struct contest_plan plan = small_plan();
    plan.isolate = 1;
    struct contest c;
    struct err e = { 0 };
    CHECK(contest_run(&c, &plan, arms, 3, &e) == ERR_OK, "%s", e.text);
    if (e.code != ERR_OK) return;
    CHECK(c.facts[0].queries == 20 && c.facts[0].k == 10 && c.facts[0].quality, "%zu queries", c.facts[0].queries);
    CHECK(contest_overlap(&c, 0) == 1 && contest_overlap(&c, 1) >= 0.9, "overlap %g", contest_overlap(&c, 1));
    double mean = stats_mean(c.facts[0].quality, 20), quantised = stats_mean(c.facts[2].quality, 20);
    CHECK(mean == 1, "flat recall %g", mean);
    CHECK(quantised > 0.3 && quantised < 1 && !contest_same_results(&c, 2), "2-bit recall %g", quantised);
    contest_free(&c);
}

/* Another program's answers are by the place of a query: here row 0 and no other, for each. */
static void external_answers(void)
{
    if (!program) SKIP("ASSAY is not set");
    char path[] = P_tmpdir "/assay_contest.XXXXXX", arm[64];
    const int fd = mkstemp(path);
    int32_t lines[20][2];
    for (int q = 0; q < 20; q++) lines[q][0] = 1, lines[q][1] = 0;
    CHECK(fd >= 0 && write(fd, lines, sizeof lines) == sizeof lines, "%s", path);
    close(fd);
    snprintf(arm, sizeof arm, "index:ids:%s", path);
    const char *arms[] = { "index:flat", arm };
    const struct contest_plan plan = small_plan();
    struct contest c;
    struct err e = { 0 };
    CHECK(contest_run(&c, &plan, arms, 2, &e) == ERR_OK, "%s", e.text);
    unlink(path);
    if (e.code != ERR_OK) return;
    CHECK(contest_overlap(&c, 1) <= 0.1, "overlap %g", contest_overlap(&c, 1));
    CHECK(stats_mean(c.facts[1].quality, 20) <= 0.1, "recall %g", stats_mean(c.facts[1].quality, 20));
    contest_free(&c);
}

static void reports(void)
{
    if (!program) SKIP("ASSAY is not set");
    const char *arms[] = { "kernel:fht_f32", "kernel:fht_f32=scalar" };
    const struct contest_plan plan = small_plan();
    struct contest c;
    struct err e = { 0 };
    CHECK(contest_run(&c, &plan, arms, 2, &e) == ERR_OK, "%s", e.text);
    if (e.code != ERR_OK) return;
    const struct contest_report r = { .plan = &plan, .run = &c, .claim = 1e5 };
    struct text out = { 0 };
    contest_json(&r, &out);
    size_t lines = 0;
    for (char *save = NULL, *line = strtok_r(out.at, "\n", &save); line; line = strtok_r(NULL, "\n", &save), lines++) {
        json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        CHECK(o && json_is_number(json_object_get(o, "ratio")) && json_is_string(json_object_get(o, "verdict")),
              "%s", line);
        json_decref(o);
    }
    CHECK(lines == 2, "%zu lines: the arm and the A/A arm", lines);
    text_clear(&out);
    contest_raw_csv(&r, "# a: b\n", &out);
    lines = 0;
    for (const char *at = text_of(&out); (at = strchr(at, '\n')); at++) lines++;
    CHECK(lines == 2 + 2 * 3 * c.processes[0].rounds, "%zu lines of raw samples", lines);
    CHECK(contest_claim(&r, &e) == ERR_NOT_FOUND && strstr(e.text, "not reached"), "%s", e.text);
    text_clear(&out);
    contest_paragraph(&r, &out);
    CHECK(strstr(text_of(&out), "A/A") && strstr(text_of(&out), "2 processes"), "%s", text_of(&out));
    text_free(&out);
    contest_free(&c);
}

static void refused(const char *a, const char *b, int code, const char *part)
{
    const char *arms[] = { a, b };
    const struct contest_plan plan = small_plan();
    struct contest c;
    struct err e = { 0 };
    const int status = contest_run(&c, &plan, arms, 2, &e);
    CHECK(status == code && strstr(e.text, part), "%s, %s: %d %s", a, b, status, e.text);
    if (status == ERR_OK) contest_free(&c);
}

static void refusals(void)
{
    if (!program) SKIP("ASSAY is not set");
    refused("kernel:dot_f32", "kernel:dot_f23", ERR_ARG, "nearest is 'dot_f32'");
    refused("kernel:dot_f32", "kernel:dot_f32=scalar/nosuch", ERR_ARG, "no such variant");
    refused("kernel:dot_f32", "index:flt", ERR_ARG, "flat");
    refused("kernel:dot_f32", "indx:flat", ERR_ARG, "nearest is 'index'");
    refused("kernel:dot_f32", "plain", ERR_ARG, "not kernel:");
    refused("kernel:dot_f32", "index:flat@nosuch", ERR_ARG, "nosuch");
    refused("kernel:dot_f32", "rag:kb.sqlite", ERR_ARG, "--questions");
    const char *one[] = { "kernel:dot_f32", "kernel:dot_f32" };
    struct contest_plan plan = small_plan();
    struct contest c;
    struct err e = { 0 };
    CHECK(contest_run(&c, &plan, one, 1, &e) == ERR_ARG, "one arm: %s", e.text);
    plan.program = "/bin/false";
    CHECK(contest_run(&c, &plan, one, 2, &e) == ERR_IO && strstr(e.text, "ended early"), "%s", e.text);
    plan.program = "/no/such/program";
    CHECK(contest_run(&c, &plan, one, 2, &e) == ERR_IO, "%s", e.text);
}

/* Programs that are no measuring process, or promise more than they send. */
static void strangers(void)
{
    static const struct { const char *script, *says; } all[] = {
        { "exit 0", "ended early" },
        { "read a; echo hello", "answers 'hello'" },
        { "read a; yes | tr -d '\\n'", "more than 67108864 bytes" },
        { "read a; echo error 3 broken", "broken" },
        { "read a; echo ok what", "facts not understood" },
        { "read a; echo ok 1 1 1 0 4294967296 4294967296 0 -", "fewer answers" },
        { "read a; echo ok 1 1 1 0 1000 1000 1 - 1 2 3", "fewer answers" },
        { "read a; echo ok 1 1 1 0 3 1 1 - 1 2 3", "fewer answers" },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char shell[] = "/bin/sh", flag[] = "-c", script[100];
        char *const argv[] = { shell, flag, script, NULL };
        struct remote *r = NULL;
        struct subject_facts facts;
        struct err e = { 0 };
        snprintf(script, sizeof script, "%s", all[i].script);
        CHECK(remote_open(&r, argv, &e) == ERR_OK, "%s", e.text);
        CHECK(r && remote_look(r, 0, &facts, &e) != ERR_OK && strstr(e.text, all[i].says), "%s: %s", script, e.text);
        remote_close(r);
    }
    char shell[] = "/bin/sh", flag[] = "-c", script[] = "read a; echo ok 99999999999 1 0 1 2";
    char *const argv[] = { shell, flag, script, NULL };
    struct remote *r = NULL;
    struct samples samples;
    struct err e = { 0 };
    const struct sample_plan plan = { .rounds = 1 };
    CHECK(remote_open(&r, argv, &e) == ERR_OK && remote_sample(r, 2, &plan, &samples, &e) == ERR_FORMAT &&
          strstr(e.text, "fewer samples"), "%s", e.text);
    remote_close(r);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* as bench/main.c does */
    program = getenv("ASSAY");
    test_case("kernels, interleaved", kernels);
    test_case("indexes, each in its process", indexes);
    test_case("answers of another program as an arm", external_answers);
    test_case("reports", reports);
    test_case("refusals", refusals);
    test_case("programs that are no measuring process", strangers);
    return test_end();
}
