/* SPDX-License-Identifier: MIT
 * tune_kernels.c - times the rows that may stand for each other, and names those that beat the default. */
#include "bench/micro/tune_kernels.h"
#include <math.h>
#include <string.h>
#include "bench/time/progress.h"
#include "kernels/base/clock.h"
#include "kernels/base/mem.h"

static const char *const levels[] = { "l2", "l3", "dram" };
enum { LEVELS = 3, ROUNDS = 40, ROWS_MOST = 48 };
#define LEAST_GAIN 1.02

int kernel_is_faster(const struct kernel_trial *trials, size_t count, size_t comparisons, struct ratio *ratios, double *work)
{
    int faster = 0, slower = 0;
    for (size_t t = 0; t < count; t++) {
        const struct kernel_trial *k = &trials[t];
        for (size_t i = 0; i < k->rounds; i++) work[i] = log(k->usual_ns[i] / k->row_ns[i]);
        stats_sort(work, k->rounds);
        const struct interval in = stats_sign_interval(work, k->rounds, 0.05, comparisons);
        ratios[t] = (struct ratio){ exp(stats_median(work, k->rounds)), { exp(in.lo - k->off), exp(in.hi + k->off) } };
        faster |= ratios[t].interval.lo > 1 && ratios[t].at >= LEAST_GAIN;
        slower |= ratios[t].interval.hi < 1;
    }
    return faster && !slower;
}

/* Rows of an operation that may stand for each other on this CPU. */
static size_t candidates(enum kernel_op op)
{
    size_t count = 0;
    for (const struct kernel *k = kernel_next(op, NULL); k; k = kernel_next(op, k))
        count += kernel_runnable(k) && kernel_is_canonical(k);
    return count;
}

/* Of a shape there may be more than were asked for: whole Latin squares of its arms. */
static size_t most_rounds(const struct micro *m)
{
    size_t most = ROUNDS;
    for (size_t i = 0; i < m->count; i++) most = m->rows[i].call_ns.n > most ? m->rows[i].call_ns.n : most;
    return most;
}

size_t kernel_pays_from(const size_t *queries, const struct ratio *ratios, size_t count)
{
    size_t from = 0;
    for (size_t i = count; i-- > 0 && ratios[i].interval.lo > 1;) from = queries[i];
    return from;
}

static const struct micro_row *row_of(const struct micro *m, const struct kernel *k, const char *level)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->rows[i].kernel == k && strcmp(m->rows[i].where, level) == 0 && !m->rows[i].wrong[0]) return &m->rows[i];
    return NULL;
}

/* The trials of row k at the levels that were measured. */
static size_t trials_of(const struct micro *m, const struct kernel *k, const struct kernel *usual,
                        struct kernel_trial trials[LEVELS], const char *where[LEVELS])
{
    size_t count = 0;
    for (size_t l = 0; l < LEVELS; l++) {
        const struct micro_row *row = row_of(m, k, levels[l]), *base = row_of(m, usual, levels[l]);
        if (!row || !base) continue;
        where[count] = levels[l];
        trials[count++] = (struct kernel_trial){ base->raw_ns, row->raw_ns, base->call_ns.n,
                                                 base->over_self.at > 0 ? fabs(log(base->over_self.at)) : 0 };
    }
    return count;
}

static void add_row(const struct kernel *k, const struct ratio *ratios, const char *const *where, size_t count,
                    struct text *out)
{
    text_add(out, "%s=%s/%s", kernel_op_name(k->op), isa_name(k->isa), k->variant);
    for (size_t t = 0; t < count; t++)
        text_add(out, "%s x%.3f [%.3f, %.3f] in %s", t ? "," : "  #", ratios[t].at, ratios[t].interval.lo,
                 ratios[t].interval.hi, where[t]);
    text_add(out, "\n");
}

/* Of the rows that beat the default the one with the largest gain, if any. */
static int choose(const struct micro *m, enum kernel_op op, struct text *file, struct text *table, struct err *e)
{
    struct kernel_set set;
    kernel_set_resolve(&set, NULL, NULL); /* cannot fail: nothing was asked for */
    const size_t comparisons = (candidates(op) - 1) * LEVELS;
    const struct kernel *best = NULL;
    struct ratio ratios[LEVELS], of_best[LEVELS];
    const char *where[LEVELS], *at_best[LEVELS];
    size_t best_count = 0;
    double gain = 0, *work = mem_alloc(most_rounds(m), sizeof *work);
    if (!work) return FAIL(e, ERR_MEM, "no memory for the rounds of %s", kernel_op_name(op));
    for (const struct kernel *k = kernel_next(op, NULL); k; k = kernel_next(op, k)) {
        struct kernel_trial trials[LEVELS];
        if (k == set.of[op] || !kernel_runnable(k) || !kernel_is_canonical(k)) continue;
        const size_t count = trials_of(m, k, set.of[op], trials, where);
        if (!kernel_is_faster(trials, count, comparisons, ratios, work)) continue;
        double sum = 0;
        for (size_t t = 0; t < count; t++) sum += log(ratios[t].at);
        if (sum <= gain) continue;
        gain = sum, best = k, best_count = count;
        memcpy(of_best, ratios, sizeof ratios);
        memcpy(at_best, where, sizeof where);
    }
    mem_free(work);
    if (best) add_row(best, of_best, at_best, best_count, file), add_row(best, of_best, at_best, best_count, table);
    else
        text_add(table, "%s: the default, %s/%s, of %zu rows\n", kernel_op_name(op), isa_name(set.of[op]->isa),
                 set.of[op]->variant, candidates(op));
    return ERR_OK;
}

/* Has it rows that were written to be chosen from (KERNEL_SAME)?  Their turn is first: time may end before the last level. */
static int has_alternatives(enum kernel_op op)
{
    for (const struct kernel *k = kernel_next(op, NULL); k; k = kernel_next(op, k))
        if (k->kind == KERNEL_SAME && kernel_runnable(k)) return 1;
    return 0;
}

/* late: of each level, how many operations found no time. */
static int measure(struct micro *m, const struct kernel_tuning *how, size_t late[LEVELS], struct err *e)
{
    const struct micro_plan plan = { .rounds = ROUNDS, .budget_ns = 1e9, .seed = how->seed, .filter = "", .no_baselines = 1,
                                     .canonical_only = 1 };
    const uint64_t start = clock_ns();
    struct progress progress;
    int status = ERR_OK;
    progress_start(&progress, "rows of operations", LEVELS * OP_COUNT);
    for (size_t i = 0; i < 2 * LEVELS * OP_COUNT && status == ERR_OK; i++) {
        const size_t l = i / (2 * OP_COUNT);
        const enum kernel_op op = (enum kernel_op)(i % OP_COUNT);
        const struct workload_shape shape = { .op = op, .dim = how->dim, .bits = how->bits, .batch = 1, .seed = how->seed,
                                              .bytes = machine_level_bytes(&m->machine, levels[l]) };
        if (has_alternatives(op) == (int)(i / OP_COUNT % 2)) continue;
        progress_step(&progress, i / 2);
        if (workload_uses(op) < 0 || shape.bytes == 0 || candidates(op) < 2) continue;
        if (clock_since_s(start) < how->seconds) status = micro_shape(m, &plan, &shape, levels[l], e);
        else late[l]++;
    }
    progress_end(&progress);
    return status;
}

static const size_t batches[] = { 4, 8, 16, 32, 64 };
enum { BATCHES = sizeof batches / sizeof *batches };

/* Row k beside `without` in one shape of so many queries, in L2; *out stays 0 where either was not timed. */
static int time_batch(const struct kernel_tuning *how, const struct kernel *k, const struct kernel *without, size_t batch,
                      struct ratio *out, struct err *e)
{
    /* A second for each of the shapes at 50 s. */
    const struct micro_plan plan = { .rounds = ROUNDS, .budget_ns = how->seconds * 2e7, .seed = how->seed, .filter = "",
                                     .no_baselines = 1, .canonical_only = 1 };
    struct micro m;
    micro_init(&m);
    const struct workload_shape shape = { .op = k->op, .dim = how->dim, .bits = how->bits, .batch = batch, .seed = how->seed,
                                          .bytes = machine_level_bytes(&m.machine, "l2") };
    int status = micro_shape(&m, &plan, &shape, "l2", e);
    double *work = status == ERR_OK ? mem_alloc(most_rounds(&m), sizeof *work) : NULL;
    if (status == ERR_OK && !work) status = FAIL(e, ERR_MEM, "no memory for the rounds of %s", kernel_op_name(k->op));
    const struct micro_row *row = row_of(&m, k, "l2"), *base = row_of(&m, without, "l2");
    if (status == ERR_OK && row && base) {
        const double off = base->over_self.at > 0 ? fabs(log(base->over_self.at)) : 0;
        const struct kernel_trial trial = { base->raw_ns, row->raw_ns, base->call_ns.n, off };
        kernel_is_faster(&trial, 1, BATCHES, out, work);
    }
    mem_free(work);
    micro_fini(&m);
    return status;
}

static int find_number(const struct kernel_tuning *how, const struct kernel *k, struct text *line, struct err *e)
{
    const struct kernel *without = kernel_default(k->op, (enum isa)(k->isa - 1), cpu_line());
    const struct kernel *usual = kernel_default(k->op, k->isa, cpu_line());
    struct ratio ratios[BATCHES] = { 0 };
    int status = ERR_OK;
    for (size_t b = 0; b < BATCHES && status == ERR_OK; b++) status = time_batch(how, k, without, batches[b], &ratios[b], e);
    text_add(line, "%s=%s/%s over %s/%s:", kernel_op_name(k->op), isa_name(k->isa), k->variant, isa_name(without->isa),
             without->variant);
    for (size_t b = 0; b < BATCHES; b++)
        text_add(line, "%s x%.2f [%.2f, %.2f] with %zu queries", b ? "," : "", ratios[b].at, ratios[b].interval.lo,
                 ratios[b].interval.hi, batches[b]);
    const size_t from = kernel_pays_from(batches, ratios, BATCHES);
    if (from) text_add(line, ": pays from %zu on", from);
    else text_add(line, ": pays at none of them");
    text_add(line, "; the default, %s/%s: %s\n", isa_name(usual->isa), usual->variant, usual->note);
    return status;
}

static int find_numbers(const struct kernel_tuning *how, struct text *file, struct text *table, struct err *e)
{
    int status = ERR_OK;
    for (int op = 0; op < OP_COUNT; op++)
        for (const struct kernel *k = kernel_next((enum kernel_op)op, NULL); k && status == ERR_OK;
             k = kernel_next((enum kernel_op)op, k)) {
            if (!kernel_runnable(k) || strcmp(k->variant, "always") != 0) continue;
            struct text line = { 0 };
            status = find_number(how, k, &line, e);
            text_add(file, "# %s", text_of(&line)), text_add(table, "%s", text_of(&line));
            text_free(&line);
        }
    return status;
}

int kernels_tune(const struct kernel_tuning *how, const char *notes, struct text *file, struct text *table, struct err *e)
{
    struct micro m;
    size_t late[LEVELS] = { 0 };
    micro_init(&m);
    int status = measure(&m, how, late, e);
    text_add(file, "%s# rows that are faster here than the defaults, with the same bits: --kernel @THIS-FILE\n", notes);
    text_add(file, "# one query, %zu dimensions, %d bits; times of the default over the row's, 95 %% intervals over all rows\n",
             how->dim, how->bits);
    for (int op = 0; op < OP_COUNT && status == ERR_OK; op++)
        if (workload_uses((enum kernel_op)op) >= 0 && candidates((enum kernel_op)op) > 1)
            status = choose(&m, (enum kernel_op)op, file, table, e);
    if (status == ERR_OK) status = find_numbers(how, file, table, e);
    for (size_t l = 0; l < LEVELS; l++)
        if (late[l]) text_add(table, "not measured in %s: %zu operations found no time (--seconds)\n", levels[l], late[l]);
    if (status == ERR_OK && (file->failed || table->failed)) status = FAIL(e, ERR_MEM, "no memory for the choices");
    micro_footer(&m, table);
    micro_fini(&m);
    return status;
}
