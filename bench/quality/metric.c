/* SPDX-License-Identifier: MIT
 * metric.c - the registry of metrics, and what several of them count. */
#include "bench/quality/metric.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PLUGIN(f) extern const struct metric_ops f;
#include "gen/metrics.inc"
#undef PLUGIN
static const struct metric_ops *const all[] = {
#define PLUGIN(f) &f,
#include "gen/metrics.inc"
#undef PLUGIN
    NULL
};

/* A file is called metric_NAME: NAME is its registered name. */
#define PLUGIN(f) { &#f "_lo"[sizeof "metric_" - 1], &#f "_hi"[sizeof "metric_" - 1] },
static const char *const ends[][2] = {
#include "gen/metrics.inc"
};
#undef PLUGIN

const char *metric_lo(size_t i) { return ends[i][0]; }

const char *metric_hi(size_t i) { return ends[i][1]; }

size_t metric_count(void) { return sizeof all / sizeof *all - 1; }

const struct metric_ops *metric_at(size_t i) { return i < metric_count() ? all[i] : NULL; }

const struct metric_ops *metric_find(const char *name)
{
    for (size_t i = 0; all[i]; i++)
        if (strcmp(all[i]->name, name) == 0) return all[i];
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double metric_folded(const struct metric_ops *m, const double *values, size_t count, double *scratch)
{
    size_t kept = 0;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i])) continue;
        scratch[kept++] = values[i];
        sum += values[i];
    }
    if (kept == 0) return NAN;
    if (m->fold == METRIC_MEAN) return sum / (double)kept;
    qsort(scratch, kept, sizeof *scratch, ascending);
    return scratch[metric_p5_rank(kept)];
}

/* The nearest rank: the smallest value with at least 5 % of all at or below it. */
size_t metric_p5_rank(size_t count)
{
    const size_t rank = (size_t)ceil(0.05 * (double)count);
    return rank ? rank - 1 : 0;
}

static int holds(struct id_list list, size_t depth, int64_t id)
{
    for (size_t i = 0; i < list.count && i < depth; i++)
        if (list.at[i] == id) return 1;
    return 0;
}

int metric_is_first(struct id_list list, size_t i) { return !holds(list, i, list.at[i]); }

size_t metric_overlap(struct id_list list, size_t depth, struct id_list set, size_t among)
{
    size_t both = 0;
    for (size_t i = 0; i < list.count && i < depth; i++)
        both += metric_is_first(list, i) && holds(set, among, list.at[i]);
    return both;
}

double metric_same_ten(struct id_list a, struct id_list b, size_t k)
{
    if (!a.at || !b.at || k < 10) return NAN;
    const size_t in_a = a.count < 10 ? a.count : 10, in_b = b.count < 10 ? b.count : 10;
    const size_t longer = in_a > in_b ? in_a : in_b;
    return longer ? (double)metric_overlap(a, 10, b, 10) / (double)longer : 1;
}

double metric_recall(const struct evidence *v, struct id_list list, size_t depth)
{
    if (!list.at || !v->truth.at || v->truth.count == 0) return NAN;
    const size_t among = v->truth.count < v->k ? v->truth.count : v->k;
    return (double)metric_overlap(list, depth, v->truth, among) / (double)among;
}

double metric_nearest_in(const struct evidence *v, size_t depth)
{
    if (!v->found.at || !v->truth.at || v->truth.count == 0 || v->k < depth) return NAN;
    return holds(v->found, depth, v->truth.at[0]);
}

double metric_covered(const struct evidence *v, double share)
{
    const double recall = metric_recall(v, v->found, v->k);
    return isnan(recall) ? NAN : recall >= share - 1e-12; /* 9 of 10 are 0.90 */
}

int64_t metric_grade(const struct evidence *v, int64_t id)
{
    for (size_t i = 0; i < v->label_count; i++)
        if (v->labels[i].id == id) return v->labels[i].grade;
    return 0;
}

size_t metric_relevant(const struct evidence *v)
{
    size_t relevant = 0;
    for (size_t i = 0; v->labels && i < v->label_count; i++) relevant += v->labels[i].grade > 0;
    return relevant;
}

size_t metric_relevant_in(const struct evidence *v, struct id_list list, size_t depth)
{
    size_t found = 0;
    for (size_t i = 0; v->labels && i < v->label_count; i++)
        found += v->labels[i].grade > 0 && holds(list, depth, v->labels[i].id);
    return found;
}

double metric_relevant_share(const struct evidence *v, struct id_list list, size_t depth)
{
    const size_t relevant = metric_relevant(v);
    if (!list.at || !metric_is_judged(v)) return NAN;
    return relevant ? (double)metric_relevant_in(v, list, depth) / (double)relevant : 0;
}

/* --- at a cut-off ------------------------------------------------------------------------------- */
static int is_known(const struct evidence *v, size_t cut) { return metric_is_judged(v) && v->answers.at && v->k >= cut; }

double metric_recall_at(const struct evidence *v, size_t cut)
{
    return is_known(v, cut) ? metric_relevant_share(v, v->answers, cut) : NAN;
}

double metric_all_recall_at(const struct evidence *v, size_t cut)
{
    return is_known(v, cut) ? metric_recall_at(v, cut) == 1 : NAN;
}

double metric_p_at(const struct evidence *v, size_t cut)
{
    return is_known(v, cut) ? (double)metric_relevant_in(v, v->answers, cut) / (double)cut : NAN;
}

double metric_success_at(const struct evidence *v, size_t cut)
{
    return is_known(v, cut) ? metric_relevant_in(v, v->answers, cut) > 0 : NAN;
}

double metric_ndcg_at(const struct evidence *v, size_t cut)
{
    if (!is_known(v, cut)) return NAN;
    double gain = 0, ideal = 0;
    for (size_t i = 0; i < cut; i++) {
        const double discount = log2((double)i + 2);
        if (i < v->label_count && v->labels[i].grade > 0) ideal += (double)v->labels[i].grade / discount;
        if (i >= v->answers.count || !metric_is_first(v->answers, i)) continue;
        const int64_t grade = metric_grade(v, v->answers.at[i]);
        gain += (double)(grade > 0 ? grade : 0) / discount;
    }
    return ideal > 0 ? gain / ideal : 0;
}

const struct metric_cut *metric_cut_at(size_t i)
{
    static const struct metric_cut cuts[] = {
        { "recall", metric_recall_at }, { "all_recall", metric_all_recall_at }, { "p", metric_p_at },
        { "success", metric_success_at }, { "ndcg", metric_ndcg_at },
    };
    return i < sizeof cuts / sizeof *cuts ? &cuts[i] : NULL;
}
