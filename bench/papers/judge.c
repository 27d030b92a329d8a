/* SPDX-License-Identifier: MIT
 * judge.c - verdicts of findings, from their intervals and the table's rules. */
#include "bench/papers/judge.h"
#include "bench/rows/row.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <string.h>

static const char *const names[VERDICT_COUNT] = { "agrees",       "agrees with theory", "deviates", "shape agrees", "shape differs",
                                                  "not resolved", "X",                  "skipped",  "void",         "" };
const char *verdict_name(enum verdict v) { return names[v]; }

void judge_init(struct judge *j, const struct paper_table *t, const struct paper_item *item, const char *name)
{
    *j = (struct judge){ .table = t, .item = name, .along = item ? item->figure.x : NULL };
}

void judge_free(struct judge *j)
{
    mem_free(j->rows);
    mem_free(j->skips);
    *j = (struct judge){ 0 };
}

static int room_for_one(struct judge *j, struct err *e)
{
    return mem_one_more(&j->rows, j->count, &j->room, sizeof *j->rows) ? ERR_OK : FAIL(e, ERR_MEM, "no memory for a finding");
}

/* Of what no line speaks of: as the lines of its item are. */
static enum paper_class class_of(const struct judge *j)
{
    for (size_t i = 0; i < j->table->count; i++)
        if (strcmp(j->table->lines[i].item, j->item) == 0) return j->table->lines[i].class;
    return PAPER_R;
}

static struct judged *append(struct judge *j, const struct finding *f, const struct paper_line *line)
{
    struct judged *g = &j->rows[j->count++];
    *g = (struct judged){ .f = *f, .line = line, .class = line ? line->class : class_of(j), .verdict = VERDICT_NONE,
                           .shape_p = (double)NAN };
    snprintf(g->index, sizeof g->index, "%s", f->index ? f->index : "");
    snprintf(g->why, sizeof g->why, "%s", line && *line->why ? line->why : f->note ? f->note : "");
    snprintf(g->against, sizeof g->against, "%s", f->against ? f->against : "");
    for (size_t i = 0; f->tuned && f->reported && i < f->questions; i++) {
        g->tuned += f->tuned[i] != 0;
        g->reported += f->reported[i] != 0;
    }
    g->f.index = g->f.note = g->f.against = NULL;
    g->f.tuned = g->f.reported = NULL;
    return g;
}

/* --- one finding, one line ------------------------------------------------------------------------- */

enum { WIDEST = 2 };                          /* halves of the band that half an interval may be */
static const double theory_slack = 1e-3;      /* of the theory: what it leaves out, such as terms beyond the first in 1 / d */

static int theory_holds(const struct finding *f)
{
    const double slack = theory_slack * fabs(f->theory);
    return isfinite(f->theory) && f->lo <= f->theory + slack && f->hi >= f->theory - slack;
}

static enum verdict within(const struct finding *f, const struct paper_line *line)
{
    const double band = line->digit / 2 + line->tolerance;
    const int meets = f->hi >= line->value - band && f->lo <= line->value + band;
    if (isfinite(f->theory) && !theory_holds(f)) return VERDICT_DEVIATES;
    if (!meets) return isfinite(f->theory) ? VERDICT_THEORY : VERDICT_DEVIATES;
    return (f->hi - f->lo) / 2 > WIDEST * band ? VERDICT_UNRESOLVED : VERDICT_AGREES;
}

/* sign 1: ours is to be at least the limit. */
static enum verdict beyond(const struct finding *f, double limit, int sign)
{
    const double nearest = sign > 0 ? f->lo : -f->hi, furthest = sign > 0 ? f->hi : -f->lo;
    return nearest >= sign * limit ? VERDICT_AGREES : furthest < sign * limit ? VERDICT_DEVIATES : VERDICT_UNRESOLVED;
}

static enum verdict verdict_of(const struct finding *f, const struct paper_line *line)
{
    if (!isfinite(f->ours) || !isfinite(f->lo) || !isfinite(f->hi)) return VERDICT_UNRESOLVED;
    if (!line) return !isfinite(f->theory) ? VERDICT_NONE : theory_holds(f) ? VERDICT_THEORY : VERDICT_DEVIATES;
    enum verdict v = VERDICT_UNRESOLVED;
    switch (line->rule) {
    case PAPER_WITHIN: v = within(f, line); break;
    case PAPER_AT_LEAST: v = beyond(f, line->value - line->tolerance, 1); break;
    case PAPER_AT_MOST: v = beyond(f, line->value + line->tolerance, -1); break;
    case PAPER_DIRECTION: /* what touches 0 has no direction: no question may differ at all */
        v = f->lo <= 0 && f->hi >= 0 ? VERDICT_UNRESOLVED : beyond(f, 0, line->value > 0 ? 1 : -1);
        break;
    case PAPER_SHAPE: break; /* by its whole line: judge_close */
    }
    if (line->class == PAPER_T) v = v == VERDICT_AGREES ? VERDICT_SHAPE : v == VERDICT_DEVIATES ? VERDICT_NO_SHAPE : v;
    return v;
}

/* Questions that chose and were reported on. */
static size_t leaked(const struct finding *f)
{
    size_t count = 0;
    for (size_t i = 0; f->tuned && f->reported && i < f->questions; i++) count += f->tuned[i] && f->reported[i];
    return count;
}

int judge_add(struct judge *j, const struct finding *f, struct err *e)
{
    const size_t leak = leaked(f);
    int status = ERR_OK, met = 0;
    for (size_t i = 0; status == ERR_OK && i <= j->table->count; i++) {
        const struct paper_line *line = i < j->table->count ? &j->table->lines[i] : NULL;
        if (line ? line->class == PAPER_X || strcmp(line->item, j->item) != 0 || !cell_in(line->cell, f->cell) : met) continue;
        status = room_for_one(j, e);
        if (status != ERR_OK) break;
        struct judged *g = append(j, f, line);
        g->verdict = leak ? VERDICT_VOID : verdict_of(f, line);
        if (leak) snprintf(g->why, sizeof g->why, "%zu questions both tuned and were reported on", leak);
        met = 1;
    }
    return status;
}

int judge_skip(struct judge *j, const char *cell, const char *lacks, struct err *e)
{
    if (!mem_one_more(&j->skips, j->skip_count, &j->skip_room, sizeof *j->skips))
        return FAIL(e, ERR_MEM, "no memory for what was skipped");
    struct skip *s = &j->skips[j->skip_count++];
    snprintf(s->cell, sizeof s->cell, "%s", cell);
    snprintf(s->lacks, sizeof s->lacks, "%s", lacks);
    return ERR_OK;
}

/* --- lines of a figure ----------------------------------------------------------------------------- */

enum { SHAPE_MOST = 64, SHUFFLES = 9999 };

struct shape {
    const struct paper_line *lines[SHAPE_MOST];
    double ours[SHAPE_MOST];
    size_t count;
};

static int sign_of(double x) { return (x > 0) - (x < 0); }

/* Pairs in the paper's order less pairs against it, of those that it tells apart. */
static int concordance(const struct shape *s, const uint32_t *order)
{
    int sum = 0;
    for (size_t a = 0; a < s->count; a++)
        for (size_t b = 0; b < a; b++) {
            const double d = s->lines[a]->value - s->lines[b]->value;
            if (fabs(d) > s->lines[a]->digit + s->lines[a]->tolerance)
                sum += sign_of(d) * sign_of(s->ours[order[a]] - s->ours[order[b]]);
        }
    return sum;
}

static enum verdict shape_verdict(const struct shape *s, double *p)
{
    uint32_t order[SHAPE_MOST];
    struct rng rng;
    size_t above = 1, below = 1;
    for (size_t i = 0; i < s->count; i++) order[i] = (uint32_t)i;
    const int seen = concordance(s, order);
    rng_seed(&rng, 1, 0);
    for (int i = 0; i < SHUFFLES; i++) {
        rng_shuffle(&rng, order, s->count);
        const int other = concordance(s, order);
        above += other >= seen;
        below += other <= seen;
    }
    *p = (double)(seen >= 0 ? above : below) / (SHUFFLES + 1);
    return *p > 0.05 ? VERDICT_UNRESOLVED : seen > 0 ? VERDICT_SHAPE : VERDICT_NO_SHAPE;
}

static int is_shape(const struct judged *g)
{
    return g->line && g->line->rule == PAPER_SHAPE && g->verdict == VERDICT_UNRESOLVED && !g->is_shaped;
}

/* All rows of the line of a figure that row `first` is in. */
static void judge_shape(struct judge *j, size_t first)
{
    char key[PAPER_CELL_MAX], other[PAPER_CELL_MAX];
    size_t rows[SHAPE_MOST];
    struct shape s = { .count = 0 };
    double p;
    cell_without(j->rows[first].f.cell, &j->along, 1, key, sizeof key);
    for (size_t i = first; i < j->count && s.count < SHAPE_MOST; i++) {
        cell_without(j->rows[i].f.cell, &j->along, 1, other, sizeof other);
        if (!is_shape(&j->rows[i]) || strcmp(key, other) != 0) continue;
        rows[s.count] = i;
        s.lines[s.count] = j->rows[i].line;
        s.ours[s.count++] = j->rows[i].f.ours;
    }
    const enum verdict v = shape_verdict(&s, &p);
    for (size_t i = 0; i < s.count; i++) {
        struct judged *g = &j->rows[rows[i]];
        g->verdict = g->class == PAPER_R && v == VERDICT_SHAPE ? VERDICT_AGREES
                     : g->class == PAPER_R && v == VERDICT_NO_SHAPE ? VERDICT_DEVIATES : v;
        g->shape_p = p;
        g->is_shaped = 1;
    }
}

/* --- lines that nothing met ------------------------------------------------------------------------ */

static int add_unmet(struct judge *j, const struct paper_line *line, struct err *e)
{
    size_t i = 0;
    for (; i < j->count; i++)
        if (j->rows[i].line == line) return ERR_OK;
    int status = room_for_one(j, e);
    if (status != ERR_OK) return status;
    const struct finding f = finding_of("%s", line->cell);
    struct judged *g = append(j, &f, line);
    g->verdict = line->class == PAPER_X ? VERDICT_X : VERDICT_SKIPPED;
    if (line->class == PAPER_X) return ERR_OK;
    for (i = 0; i < j->skip_count && !cell_in(j->skips[i].cell, line->cell); i++) {}
    snprintf(g->why, sizeof g->why, "%s", i < j->skip_count ? j->skips[i].lacks : "nothing was measured for it");
    return ERR_OK;
}

int judge_close(struct judge *j, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; i < j->count; i++)
        if (is_shape(&j->rows[i])) judge_shape(j, i);
    for (size_t i = 0; status == ERR_OK && i < j->table->count; i++)
        if (strcmp(j->table->lines[i].item, j->item) == 0) status = add_unmet(j, &j->table->lines[i], e);
    return status;
}

/* --- rows ------------------------------------------------------------------------------------------- */

static void add_number(struct text *out, double value)
{
    if (isfinite(value)) text_add(out, "%.9g", value);
    text_add(out, ",");
}

static void add_count(struct text *out, size_t value, int known)
{
    if (known) text_add(out, "%zu", value);
    text_add(out, ",");
}

static void add_text(struct text *out, const char *value)
{
    csv_add(out, value);
    text_add(out, ",");
}

void judge_csv(const struct judge *j, const char *paper, struct text *out)
{
    text_add(out, "paper,item,class,cell,index,dim,bits,n,seeds,published,digit,unit,how,source,rule,tolerance,theory,ours,ours_lo,"
                  "ours_hi,p,wins,ties,losses,against,shape_p,tuned,reported,verdict,why\n");
    for (size_t i = 0; i < j->count; i++) {
        const struct judged *g = &j->rows[i];
        const struct finding *f = &g->f;
        const struct paper_line *line = g->line;
        char key[32];
        const int has_line = line && line->class != PAPER_X;
        text_add(out, "%s,%s,%s,", paper, j->item, paper_class_name(g->class));
        add_text(out, f->cell);
        add_text(out, g->index);
        add_text(out, cell_get(f->cell, "dim", key, sizeof key) ? key : "");
        add_text(out, cell_get(f->cell, "bits", key, sizeof key) ? key : "");
        add_count(out, f->n, f->n > 0);
        add_count(out, f->seeds, f->seeds > 0);
        add_number(out, line ? line->value : (double)NAN);
        add_number(out, line ? line->digit : (double)NAN);
        add_text(out, line ? line->unit : "");
        add_text(out, line ? line->how : "");
        add_text(out, line ? line->where : "");
        add_text(out, has_line ? paper_rule_name(line->rule) : "");
        add_number(out, line ? line->tolerance : (double)NAN);
        add_number(out, f->theory);
        add_number(out, f->ours);
        add_number(out, f->lo);
        add_number(out, f->hi);
        add_number(out, f->p);
        const int counted = f->wins + f->ties + f->losses > 0;
        add_count(out, f->wins, counted);
        add_count(out, f->ties, counted);
        add_count(out, f->losses, counted);
        add_text(out, g->against);
        add_number(out, g->shape_p);
        add_count(out, g->tuned, g->tuned > 0);
        add_count(out, g->reported, g->reported > 0);
        add_text(out, verdict_name(g->verdict));
        csv_add(out, g->why);
        text_add(out, "\n");
    }
}
