/* SPDX-License-Identifier: MIT
 * widest.c - reads the samples of a saved run and says of every operation whether its widest row is the best. */
#include "bench/report/widest.h"
#include "bench/report/saved.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include "kernels/kernel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESSES = SAVED_PROCESSES, ARMS = 96 };

/* One name of the file: "op/isa/variant/shape". */
struct arm {
    char op[24], isa[24], variant[40];
    const char *name, *shape;
    const struct kernel *kernel; /* NULL: a control, a peer, or none of this build */
    double *ns[PROCESSES];       /* samples of a process in the order of rounds; owned */
    size_t count[PROCESSES];
};
struct arms {
    struct arm *at;
    size_t count;
    struct table table; /* owns the names */
};
/* The arms of one operation and shape, by their places. */
struct group {
    size_t at[ARMS], count;
    size_t usual, again, read, widest, best, compiler; /* ARMS: none */
};
struct factor { double at; struct interval interval; };

int widest_is(const struct table *t) { return saved_is(t) && table_column(t, "sample") >= 0; }

static const struct kernel *registered(const struct arm *a)
{
    const enum kernel_op op = kernel_op_find(a->op);
    for (const struct kernel *k = op == OP_COUNT ? NULL : kernel_next(op, NULL); k; k = kernel_next(op, k))
        if (strcmp(isa_name(k->isa), a->isa) == 0 && strcmp(k->variant, a->variant) == 0) return k;
    return NULL;
}

static struct arm *arm_of(struct arms *all, const char *name)
{
    if (all->count && strcmp(all->at[all->count - 1].name, name) == 0) return &all->at[all->count - 1];
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->at[i].name, name) == 0) return &all->at[i];
    struct arm one = { .name = name };
    int used = 0;
    if (sscanf(name, "%23[^/]/%23[^/]/%39[^/]/%n", one.op, one.isa, one.variant, &used) != 3 || used == 0) return NULL;
    if (!mem_extend(&all->at, all->count, all->count + 1, sizeof *all->at)) return NULL;
    one.shape = name + used;
    one.kernel = registered(&one);
    all->at[all->count] = one;
    return &all->at[all->count++];
}

static void arms_free(struct arms *all)
{
    for (size_t i = 0; i < all->count; i++)
        for (size_t p = 0; p < PROCESSES; p++) mem_free(all->at[i].ns[p]);
    mem_free(all->at);
    table_free(&all->table);
}

static int arms_open(struct arms *all, const char *path, struct err *e)
{
    int status = table_append(&all->table, path, e);
    const struct table *t = &all->table;
    if (status == ERR_OK && !widest_is(t)) status = FAIL(e, ERR_FORMAT, "%s: not a saved run of assay bench", path);
    const int name = table_column(t, "name"), process = table_column(t, "process"), ns = table_column(t, "ns_per_vector");
    for (size_t r = 0; status == ERR_OK && r < t->count; r++) {
        const double p = table_number(t, r, process), value = table_number(t, r, ns);
        if (!(p >= 0 && p < PROCESSES && value > 0))
            return FAIL(e, ERR_FORMAT, "%s: row %zu has no process below %d, or no time", path, r + 1, PROCESSES);
        struct arm *a = arm_of(all, table_text(t, r, name));
        const size_t at = (size_t)p;
        if (!a) return FAIL(e, ERR_FORMAT, "%s: '%.60s' names no kernel", path, table_text(t, r, name));
        if (!mem_extend(&a->ns[at], a->count[at], a->count[at] + 1, sizeof *a->ns[at])) return FAIL(e, ERR_MEM, "%s: no memory", path);
        a->ns[at][a->count[at]++] = value;
    }
    return status;
}

/* --- pairs ---------------------------------------------------------------------------------------- */

/* ln(time of base / time of arm) of every process that has rounds of both; sorted. */
static size_t log_ratios(const struct arm *base, const struct arm *arm, double out[PROCESSES])
{
    size_t count = 0;
    for (size_t p = 0; p < PROCESSES; p++) {
        const size_t rounds = base->count[p] < arm->count[p] ? base->count[p] : arm->count[p];
        double *work = rounds ? mem_alloc(rounds, sizeof *work) : NULL;
        if (!work) continue;
        for (size_t i = 0; i < rounds; i++) work[i] = log(base->ns[p][i] / arm->ns[p][i]);
        stats_sort(work, rounds);
        out[count++] = stats_median(work, rounds);
        mem_free(work);
    }
    stats_sort(out, count);
    return count;
}

/* Time of base over time of arm, wider by `off` either way. */
static struct factor factor_of(const struct arm *base, const struct arm *arm, size_t comparisons, double off)
{
    double logs[PROCESSES];
    const size_t count = log_ratios(base, arm, logs);
    const struct interval in = stats_sign_interval(logs, count, 0.05, comparisons);
    return (struct factor){ count ? exp(stats_median(logs, count)) : (double)NAN, { exp(in.lo - off), exp(in.hi + off) } };
}

/* Median over processes of the median of each. */
static double median_ns(const struct arm *a)
{
    double medians[PROCESSES];
    size_t count = 0;
    for (size_t p = 0; p < PROCESSES; p++) {
        double *sorted = a->count[p] ? mem_alloc(a->count[p], sizeof *sorted) : NULL;
        if (!sorted) continue;
        memcpy(sorted, a->ns[p], a->count[p] * sizeof *sorted);
        stats_sort(sorted, a->count[p]);
        medians[count++] = stats_median(sorted, a->count[p]);
        mem_free(sorted);
    }
    stats_sort(medians, count);
    return count ? stats_median(medians, count) : (double)NAN;
}

/* --- what is what --------------------------------------------------------------------------------- */

static int is_candidate(const struct arm *a) { return a->kernel && kernel_is_canonical(a->kernel) && a->kernel->isa != ISA_scalar; }

/* "avx512:rows8" of a control is the default's name. */
static int is_named(const struct arm *a, const char *control)
{
    const char *colon = strchr(control, ':');
    return colon && strlen(a->isa) == (size_t)(colon - control) && strncmp(a->isa, control, strlen(a->isa)) == 0 &&
           strcmp(a->variant, colon + 1) == 0;
}

static void group_of(const struct arms *all, size_t first, struct group *g)
{
    *g = (struct group){ .usual = ARMS, .again = ARMS, .read = ARMS, .widest = ARMS, .best = ARMS, .compiler = ARMS };
    for (size_t i = first; i < all->count && g->count < ARMS; i++)
        if (strcmp(all->at[i].op, all->at[first].op) == 0 && strcmp(all->at[i].shape, all->at[first].shape) == 0)
            g->at[g->count++] = i;
    for (size_t j = 0; j < g->count; j++) {
        const struct arm *a = &all->at[g->at[j]];
        const struct arm *widest = g->widest < ARMS ? &all->at[g->at[g->widest]] : NULL;
        if (strcmp(a->isa, "again") == 0) g->again = j;
        if (strcmp(a->isa, "read") == 0) g->read = j;
        if (strncmp(a->variant, "compiler", 8) == 0 &&
            (g->compiler == ARMS || median_ns(a) < median_ns(&all->at[g->at[g->compiler]])))
            g->compiler = j;
        if (!is_candidate(a)) continue;
        if (a->kernel->kind == KERNEL_DEFAULT && (!widest || a->kernel->isa > widest->kernel->isa)) g->widest = j;
        if (g->best == ARMS || median_ns(a) < median_ns(&all->at[g->at[g->best]])) g->best = j;
    }
    for (size_t j = 0; j < g->count && g->again < ARMS; j++)
        if (is_named(&all->at[g->at[j]], all->at[g->at[g->again]].variant)) g->usual = j;
}

/* "d = 384, 4 bits, L2" out of "dim:384/bits:4/batch:1/rows:341/l2/scan" */
static void add_shape(const char *shape, struct text *out)
{
    char copy[160], *save = NULL;
    snprintf(copy, sizeof copy, "%s", shape);
    for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
        const char *value = strchr(part, ':');
        if (strncmp(part, "dim:", 4) == 0) text_add(out, "d = %s", value + 1);
        else if (strncmp(part, "bits:", 5) == 0) text_add(out, ", %s bit%s", value + 1, strcmp(value + 1, "1") ? "s" : "");
        else if (strncmp(part, "batch:", 6) == 0 && strcmp(value + 1, "1") != 0) text_add(out, ", %s queries", value + 1);
        else if (strncmp(part, "rows:", 5) == 0 && !strstr(shape, "/l") && !strstr(shape, "/dram")) text_add(out, ", %s rows", value + 1);
        else if (part[0] == 'l' && part[2] == 0) text_add(out, ", L%c", part[1]);
        else if (strcmp(part, "dram") == 0) text_add(out, ", DRAM");
        else if (strcmp(part, "gather") == 0) text_add(out, ", gathered");
    }
}

static void add_factor(struct factor f, struct text *out)
{
    if (isfinite(f.interval.lo) && isfinite(f.interval.hi))
        text_add(out, "x%.3f [%.3f, %.3f]", f.at, f.interval.lo, f.interval.hi);
    else text_add(out, "x%.3f, too few processes for an interval", f.at);
}

/* "best here", "not best: x1.07 [1.05, 1.09] by avx2/rows3", "not resolved from ..." */
static void add_verdict(const struct arms *all, const struct group *g, double off, struct text *out)
{
    const struct arm *widest = &all->at[g->at[g->widest]], *by = NULL, *open = NULL;
    struct factor of_by = { 0 }, of_open = { 0 };
    size_t comparisons = 0;
    for (size_t j = 0; j < g->count; j++) comparisons += is_candidate(&all->at[g->at[j]]);
    if (comparisons < 2) {
        text_add(out, "the only one");
        return;
    }
    for (size_t j = 0; j < g->count; j++) {
        const struct arm *a = &all->at[g->at[j]];
        if (!is_candidate(a) || j == g->widest) continue;
        const struct factor f = factor_of(widest, a, comparisons - 1, off);
        if (f.interval.lo > 1 && f.at > of_by.at) by = a, of_by = f;
        else if (f.interval.hi >= 1 && f.at > of_open.at) open = a, of_open = f;
    }
    text_add(out, by ? "**not best**: " : open ? "not resolved: " : "best here");
    if (!by && !open) return;
    add_factor(by ? of_by : of_open, out);
    text_add(out, " by %s/%s", (by ? by : open)->isa, (by ? by : open)->variant);
}

/* Every peer's time over the default's. */
static void add_peers(const struct arms *all, const struct group *g, double off, struct text *out)
{
    for (size_t j = 0; j < g->count; j++) {
        const struct arm *a = &all->at[g->at[j]];
        if (strcmp(a->isa, "peer") != 0) continue;
        text_add(out, "%s%s %.4g ns: ", out->size ? "; " : "", a->variant, median_ns(a));
        add_factor(factor_of(a, &all->at[g->at[g->usual]], 1, off), out);
    }
}

static void add_row(const struct arms *all, const struct group *g, struct sheet *sheet)
{
    const struct arm *usual = &all->at[g->at[g->usual]], *widest = &all->at[g->at[g->widest]], *best = &all->at[g->at[g->best]];
    const struct factor self = factor_of(usual, &all->at[g->at[g->again]], 1, 0);
    const double off = fabs(log(self.at));
    struct text shape = { 0 }, verdict = { 0 }, compiler = { 0 }, peers = { 0 }, itself = { 0 };
    add_shape(usual->shape, &shape);
    add_verdict(all, g, off, &verdict);
    if (g->compiler < ARMS) add_factor(factor_of(&all->at[g->at[g->compiler]], usual, 1, off), &compiler);
    add_peers(all, g, off, &peers);
    add_factor(self, &itself);
    sheet_add(sheet, SHEET_NONE, "%s", usual->op);
    sheet_add(sheet, SHEET_NONE, "%s", text_of(&shape));
    sheet_add(sheet, SHEET_NONE, "%s/%s", usual->isa, usual->variant);
    sheet_add(sheet, SHEET_NONE, "%.4g", median_ns(usual));
    if (g->read < ARMS) sheet_add(sheet, SHEET_NONE, "%.0f %%", 100 * factor_of(&all->at[g->at[g->read]], usual, 1, 0).at);
    else sheet_add(sheet, SHEET_NONE, "%s", "");
    sheet_add(sheet, SHEET_NONE, "%s/%s", widest->isa, widest->variant);
    sheet_add(sheet, SHEET_NONE, "%s/%s", best->isa, best->variant);
    const struct text *const rest[] = { &verdict, &compiler, &peers, &itself };
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) sheet_add(sheet, SHEET_NONE, "%s", text_of(rest[i]));
    text_free(&shape), text_free(&verdict), text_free(&compiler), text_free(&peers), text_free(&itself);
}

static int add_rows(const struct arms *all, const char *path, struct sheet *sheet, struct err *e)
{
    for (size_t i = 0; i < all->count; i++) {
        struct group g;
        size_t before = 0;
        while (before < i && (strcmp(all->at[before].op, all->at[i].op) != 0 || strcmp(all->at[before].shape, all->at[i].shape) != 0)) before++;
        if (before < i) continue;
        group_of(all, i, &g);
        if (g.widest == ARMS) continue; /* scalar rows alone */
        if (g.usual == ARMS)
            return FAIL(e, ERR_FORMAT, "%s: %s has no A/A arm: it was saved by an older assay, or without its default row", path, all->at[i].op);
        add_row(all, &g, sheet);
    }
    return sheet->failed ? FAIL(e, ERR_MEM, "%s: no memory for its table", path) : ERR_OK;
}

static void add_origin(const struct table *t, const char *path, struct text *out)
{
    static const char *const keys[] = { "machine", "cpu", "hypervisor", "time", "build", "assay", "load", "resolves", "command" };
    const char *name = strrchr(path, '/');
    text_add(out, "`%s`", name ? name + 1 : path);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (*table_note(t, keys[i])) text_add(out, "; %s: %s", keys[i], table_note(t, keys[i]));
    text_add(out, "\n\n");
}

int widest_print(const char *path, enum sheet_format format, struct text *out, struct err *e)
{
    static const char *const names[] = { "operation", "shape", "default", "ns a vector", "of the read loop", "widest", "least time",
                                         "the widest is", "over the compilers' best", "over peers", "A/A" };
    struct arms all = { 0 };
    struct sheet sheet = { .columns = sizeof names / sizeof *names };
    int status = arms_open(&all, path, e);
    for (size_t i = 0; i < sheet.columns; i++) sheet_add(&sheet, SHEET_NONE, "%s", names[i]);
    if (status == ERR_OK) status = add_rows(&all, path, &sheet, e);
    if (status == ERR_OK) {
        add_origin(&all.table, path, out);
        sheet_print(&sheet, format, out);
    }
    sheet_free(&sheet);
    arms_free(&all);
    return status;
}
