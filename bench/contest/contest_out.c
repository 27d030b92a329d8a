/* SPDX-License-Identifier: MIT
 * contest_out.c - tells a comparison: as a table, JSON, CSV, figures, and a paragraph for a paper. */
#include "bench/contest/contest_out.h"
#include "bench/rows/figure_make.h"
#include "bench/rows/output.h"
#include "bench/rows/row.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <string.h>

static char letter(size_t arm) { return (char)('A' + arm); }

/* What one iteration of an arm costs, in the unit a person thinks in. */
static void add_cost(const struct contest *c, size_t arm, struct text *out)
{
    const struct subject_facts *f = &c->facts[arm == c->count ? 0 : arm];
    if (f->queries) text_add(out, "%.4g us/query", c->iteration_ns[arm] / 1e3);
    else text_add(out, "%.4g ns/vector", c->iteration_ns[arm] / f->vectors);
}

static const char *spec_of(const struct contest_report *r, size_t arm)
{
    return r->run->arms[arm == r->run->count ? 0 : arm];
}

/* --- for a person ------------------------------------------------------------------------------- */

static void add_quality(const struct contest *c, size_t arm, struct text *out)
{
    const struct subject_facts *a = &c->facts[0], *b = &c->facts[arm];
    if (!a->queries) {
        text_add(out, "     results identical to A's: %s\n", contest_same_results(c, arm) ? "yes, every bit" : "no");
        return;
    }
    text_add(out, "     result sets identical to A's: %s (%.2f %% of the ids)",
             contest_same_results(c, arm) ? "yes" : "no", 100 * contest_overlap(c, arm));
    double *work = a->quality && b->quality ? mem_alloc(a->queries, sizeof *work) : NULL;
    if (work) {
        const struct quality_difference d = verdict_quality(a->quality, b->quality, a->queries, 1, 1, work);
        text_add(out, "\n     %s@%zu %.4f, A %.4f: %+.4f [%+.4f, %+.4f]; queries better %zu, equal %zu, worse %zu",
                 strncmp(c->arms[arm], "rag:", 4) == 0 ? "relevant found" : "recall", a->k, d.mean_arm, d.mean_base,
                 d.mean_arm - d.mean_base, d.interval.lo, d.interval.hi, d.wins, d.ties, d.losses);
    }
    mem_free(work);
    text_add(out, "\n");
}

static void add_verdicts(const struct contest *c, struct text *out)
{
    for (size_t i = 1; i <= c->count; i++) {
        const struct judged *j = &c->judged[i];
        text_add(out, "  %s  ", i == c->count ? "A/A" : "   ");
        if (i < c->count) text_add(out, "%c  ", letter(i));
        verdict_describe(j, out);
        if (j->verdict == VERDICT_UNRESOLVED) text_add(out, ", median x%.4f", j->ratio);
        text_add(out, "; %zu rounds, %zu ties", j->rounds, j->ties);
        if (j->lag1 > 0.2) text_add(out, ", lag-1 %.2f", j->lag1);
        text_add(out, "\n");
        if (i < c->count) add_quality(c, i, out);
    }
}

/* With several arms, the fastest of them is only the winner if it beats the next. */
static void add_winner(const struct contest_report *r, struct text *out)
{
    const struct contest *c = r->run;
    if (c->count < 3) return;
    size_t best = 0, next = 1;
    for (size_t i = 1; i < c->count; i++)
        if (c->iteration_ns[i] < c->iteration_ns[best]) best = i;
    next = best == 0 ? 1 : 0;
    for (size_t i = 0; i < c->count; i++)
        if (i != best && c->iteration_ns[i] < c->iteration_ns[next]) next = i;
    struct judged j;
    const size_t pairs = c->count * (c->count - 1) / 2; /* any pair might have been this one */
    if (verdict_judge(c->processes, c->process_count, next, best, r->plan->alpha, pairs, &j, NULL) != ERR_OK) return;
    text_add(out, "fastest: %c; against the next, %c: ", letter(best), letter(next));
    verdict_widen(&j, c->offset);
    verdict_describe(&j, out);
    text_add(out, "\n");
    verdict_free(&j);
}

/* Does the stage run the operation that the two kernels are of? */
static int runs_kernel(const struct contest_report *r, const struct contest *stage)
{
    const char *name = text_of(&r->run->facts[0].kernels), *used = text_of(&stage->facts[0].kernels);
    const size_t size = strcspn(name, "=") + 1;
    for (const char *at = used; at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL)
        if (strncmp(at, name, size) == 0) return 1;
    return 0;
}

/* Share of the base's time in `stage` that is the part with the ratio before it: of a pipeline, stage
 * one as its trace says; of an index, the kernel if every row is scored once. */
static double share_of(const struct contest_report *r, size_t stage)
{
    const struct contest *c = &r->stages[stage], *k = r->run;
    if (!runs_kernel(r, c)) return 0;
    if (c->facts[0].retrieve_share > 0) return c->facts[0].retrieve_share;
    const double kernel_ns = k->iteration_ns[0] / k->facts[0].vectors * c->facts[0].vectors;
    return fmin(kernel_ns / c->iteration_ns[0], 1);
}

static void add_attribution(const struct contest_report *r, struct text *out)
{
    double before = r->run->judged[1].ratio;
    if (r->stage_count == 0) return;
    text_add(out, "attribution: kernel x%.2f", before);
    for (size_t i = 0; i < r->stage_count; i++) {
        const struct judged *j = &r->stages[i].judged[1];
        text_add(out, " -> %s x%.2f [%.2f, %.2f]", r->stages[i].arms[0], j->ratio, j->interval.lo, j->interval.hi);
    }
    text_add(out, "\n");
    for (size_t i = 0; i < r->stage_count; i++) {
        const struct contest *c = &r->stages[i];
        const double share = share_of(r, i);
        text_add(out, "  %s: ", c->arms[0]);
        if (runs_kernel(r, c))
            text_add(out, "%s share %.0f %% of A's time; Amdahl predicts x%.2f, measured x%.2f",
                     c->facts[0].retrieve_share > 0 ? "stage one's" : "distance", 100 * share,
                     verdict_amdahl(share, before), c->judged[1].ratio);
        else
            text_add(out, "does not run %.*s, so its time should not change: x%.2f",
                     (int)strcspn(text_of(&r->run->facts[0].kernels), "="), text_of(&r->run->facts[0].kernels),
                     c->judged[1].ratio);
        text_add(out, "; results identical: %s\n", contest_same_results(c, 1) ? "yes" : "no");
        if (runs_kernel(r, c)) before = c->judged[1].ratio;
    }
}

void contest_table(const struct contest_report *r, struct text *out)
{
    const struct contest *c = r->run;
    for (size_t i = 0; i < c->count; i++) {
        text_add(out, "%c  %-44s ", letter(i), spec_of(r, i));
        add_cost(c, i, out);
        text_add(out, "   %s\n", text_of(&c->facts[i].kernels));
    }
    text_add(out, "\n%zu %s x %zu rounds, %s; %.3g %% intervals of time(A) / time, over %s\n", c->process_count,
             c->process_count == 1 ? "process" : "processes", c->processes[0].rounds,
             r->plan->subject ? "each binary in its own process" : "interleaved", 100 * (1 - r->plan->alpha),
             c->process_count == 1 ? "the rounds of this one process: exploratory" : "processes");
    add_verdicts(c, out);
    if (r->isolated) {
        text_add(out, "each arm alone in its process:\n");
        add_verdicts(r->isolated, out);
    }
    add_winner(r, out);
    add_attribution(r, out);
    if (isfinite(c->detectable))
        text_add(out, "this run would have found a difference of %.2f %% four times in five\n", 100 * c->detectable);
    text_add(out, "every interval is wider by what A was off from itself, %.2f %%%s\n", 100 * expm1(c->offset),
             contest_disturbed(c) ? ": more than chance, something disturbs this machine" : "");
    size_t preempted = 0, samples = 0;
    for (size_t p = 0; p < c->process_count; p++) {
        preempted += c->processes[p].preempted;
        samples += c->processes[p].arms * c->processes[p].rounds;
    }
    text_add(out, "machine: load %.2f, steal %llu ms, throttled %llu ms, %zu of %zu samples preempted\n",
             c->after.load1, (unsigned long long)(c->after.steal_ms - c->before.steal_ms),
             (unsigned long long)(c->after.throttled_ms - c->before.throttled_ms), preempted, samples);
}

/* --- files ---------------------------------------------------------------------------------------- */

static const char *verdict_word(const struct contest *c, size_t arm)
{
    static const char *const words[] = { "faster", "slower", "not_resolved" };
    return words[c->judged[arm].verdict];
}

static void json_contest(const struct contest *c, const char *mode, struct text *out)
{
    for (size_t i = 1; i <= c->count; i++) {
        const struct judged *j = &c->judged[i];
        text_add(out, "{\"mode\":\"%s\",\"base\":", mode);
        text_add_json(out, c->arms[0]);
        text_add(out, ",\"arm\":");
        text_add_json(out, i == c->count ? "A/A" : c->arms[i]);
        text_add(out, ",\"verdict\":\"%s\",\"ratio\":%.6g", verdict_word(c, i), j->ratio);
        if (isfinite(j->interval.hi))
            text_add(out, ",\"ratio_lo\":%.6g,\"ratio_hi\":%.6g", j->interval.lo, j->interval.hi);
        text_add(out, ",\"iteration_ns\":%.6g,\"base_ns\":%.6g,\"processes\":%zu,\"rounds\":%zu,\"ties\":%zu",
                 c->iteration_ns[i], c->iteration_ns[0], c->process_count, j->rounds, j->ties);
        if (isfinite(c->detectable)) text_add(out, ",\"detectable_pct\":%.4g", 100 * c->detectable);
        if (i < c->count) text_add(out, ",\"widened_pct\":%.4g", 100 * expm1(c->offset));
        if (i < c->count) text_add(out, ",\"same_results\":%s", contest_same_results(c, i) ? "true" : "false");
        text_add(out, "}\n");
    }
}

void contest_json(const struct contest_report *r, struct text *out)
{
    json_contest(r->run, r->plan->subject ? "binaries" : "interleaved", out);
    if (r->isolated) json_contest(r->isolated, "isolated", out);
    for (size_t i = 0; i < r->stage_count; i++) json_contest(&r->stages[i], "then", out);
}

static void csv_contest(const struct contest *c, const char *mode, struct text *out)
{
    for (size_t i = 1; i <= c->count; i++) {
        const struct judged *j = &c->judged[i];
        text_add(out, "%s,", mode);
        csv_add(out, c->arms[0]);
        text_add(out, ",");
        csv_add(out, i == c->count ? "A/A" : c->arms[i]);
        text_add(out, ",%s,%.6g,", verdict_word(c, i), j->ratio);
        if (isfinite(j->interval.hi)) text_add(out, "%.6g,%.6g", j->interval.lo, j->interval.hi);
        else text_add(out, ",");
        text_add(out, ",%.6g,%.6g,%zu,%zu,%zu,%.3g,", c->iteration_ns[i], c->iteration_ns[0], c->process_count,
                 j->rounds, j->ties, j->lag1);
        if (isfinite(c->detectable)) text_add(out, "%.4g", 100 * c->detectable);
        text_add(out, ",");
        if (i < c->count) text_add(out, "%.4g", 100 * expm1(c->offset));
        text_add(out, ",%s\n", i == c->count ? "" : contest_same_results(c, i) ? "yes" : "no");
    }
}

void contest_csv(const struct contest_report *r, const char *notes, struct text *out)
{
    text_add(out, "%smode,base,arm,verdict,ratio,ratio_lo,ratio_hi,iteration_ns,base_ns,processes,rounds,ties,lag1,"
                  "detectable_pct,widened_pct,same_results\n", notes);
    csv_contest(r->run, r->plan->subject ? "binaries" : "interleaved", out);
    if (r->isolated) csv_contest(r->isolated, "isolated", out);
    for (size_t i = 0; i < r->stage_count; i++) csv_contest(&r->stages[i], "then", out);
}

static void raw_contest(const struct contest *c, const char *mode, struct text *out)
{
    for (size_t p = 0; p < c->process_count; p++)
        for (size_t i = 0; i <= c->count; i++)
            for (size_t round = 0; round < c->processes[p].rounds; round++) {
                text_add(out, "%s,%zu,%zu,", mode, p, round);
                csv_add(out, i == c->count ? "A/A" : c->arms[i]);
                text_add(out, ",%.9g\n", samples_of(&c->processes[p], i)[round]);
            }
}

void contest_raw_csv(const struct contest_report *r, const char *notes, struct text *out)
{
    text_add(out, "%smode,process,round,arm,iteration_ns\n", notes);
    raw_contest(r->run, r->plan->subject ? "binaries" : "interleaved", out);
    if (r->isolated) raw_contest(r->isolated, "isolated", out);
    for (size_t i = 0; i < r->stage_count; i++) raw_contest(&r->stages[i], "then", out);
}

void contest_paragraph(const struct contest_report *r, struct text *out)
{
    const struct contest *c = r->run;
    struct machine m;
    machine_read(&m);
    text_add(out, "On %s (%d CPUs%s%s), assay %s (sources %s) compared the following with `%s`, the base. ", m.cpu, m.cpus,
             m.hypervisor[0] ? ", virtual: " : "", m.hypervisor, machine_version(), machine_sources(),
             c->arms[0]);
    for (size_t i = 1; i < c->count; i++) {
        text_add(out, "`%s` was ", c->arms[i]);
        verdict_describe(&c->judged[i], out);
        text_add(out, ", with %s results. ", contest_same_results(c, i) ? "identical" : "different");
    }
    text_add(
        out,
        "The ratio is time of the base over time of the arm; intervals are exact sign-test intervals at a joint "
        "level of %.3g over %zu %s of %zu rounds each, arms %s, in Latin-square order (Bonferroni over %zu). ",
        1 - r->plan->alpha, c->process_count,
        c->process_count == 1 ? "process (exploratory: over its rounds)" : "processes", c->processes[0].rounds,
        r->plan->subject ? "in processes of their own" : "interleaved within a process", c->count - 1);
    text_add(out, "The base against itself (A/A) was ");
    verdict_describe(&c->judged[c->count], out);
    text_add(out, ", off by %.2f %%, by which every interval is wider", 100 * expm1(c->offset));
    if (isfinite(c->detectable))
        text_add(out, "; the smallest difference detectable at 80 %% power was %.2f %%", 100 * c->detectable);
    text_add(out, ".\n\n");
    add_attribution(r, out);
}

static int add_rows(const struct contest *c, struct figure_ratio **rows, size_t *count, const char *suffix)
{
    for (size_t i = 1; i <= c->count; i++) {
        const struct judged *j = &c->judged[i];
        const int bounded = isfinite(j->interval.hi);
        if (!mem_extend(rows, *count, *count + 1, sizeof **rows)) return 0;
        struct figure_ratio *made = &(*rows)[(*count)++];
        *made = (struct figure_ratio){ .at = j->ratio, .lo = bounded ? j->interval.lo : (double)NAN,
                                       .hi = bounded ? j->interval.hi : (double)NAN,
                                       .resolved = i < c->count && j->verdict != VERDICT_UNRESOLVED };
        text_add(&made->label, "%s%s", i == c->count ? "A/A" : c->arms[i], suffix);
    }
    return 1;
}

static int draw(const struct contest_report *r, const char *dir, struct err *e)
{
    struct figure_ratio *rows = NULL;
    struct text title = { 0 };
    size_t count = 0;
    int ok = add_rows(r->run, &rows, &count, "");
    if (ok && r->isolated) ok = add_rows(r->isolated, &rows, &count, ", alone");
    for (size_t i = 0; ok && i < r->stage_count; i++) ok = add_rows(&r->stages[i], &rows, &count, ", then");
    text_add(&title, "against %s", r->run->arms[0]);
    int status = ok && !title.failed ? ERR_OK : FAIL(e, ERR_MEM, "no memory for a figure");
    if (status == ERR_OK)
        status = figure_of_ratios(rows, count, "compare", text_of(&title),
                                  "above 1: faster; intervals over processes, for all arms together", dir, e);
    for (size_t i = 0; i < count; i++) text_free(&rows[i].label);
    mem_free(rows);
    text_free(&title);
    return status;
}

int contest_write(const struct contest_report *r, const char *dir, const char *notes, struct err *e)
{
    struct text out = { 0 };
    contest_raw_csv(r, notes, &out);
    int status = output_write_in(dir, "raw.csv", &out, e);
    text_clear(&out);
    contest_csv(r, notes, &out);
    if (status == ERR_OK) status = output_write_in(dir, "compare.csv", &out, e);
    text_clear(&out);
    contest_paragraph(r, &out);
    if (status == ERR_OK) status = output_write_in(dir, "claim.md", &out, e);
    text_free(&out);
    return status == ERR_OK ? draw(r, dir, e) : status;
}

int contest_claim(const struct contest_report *r, struct err *e)
{
    if (r->claim <= 0) return ERR_OK;
    const struct contest *c = r->run;
    for (size_t i = 1; i < c->count; i++)
        if (!(c->judged[i].interval.lo >= r->claim))
            return FAIL(e, ERR_NOT_FOUND, "claim x%g not reached: %s is x%.3f, lower bound %.3f", r->claim, c->arms[i],
                        c->judged[i].ratio, c->judged[i].interval.lo);
    return ERR_OK;
}
