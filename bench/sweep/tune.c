/* SPDX-License-Identifier: MIT
 * tune.c - measures a grid on some of the questions, picks by rule, and holds the pick to the questions kept apart.
 * */
#include "bench/sweep/tune.h"
#include "bench/points/rag_judge.h"
#include "bench/points/rag_row.h"
#include "bench/time/progress.h"
#include "kernels/base/clock.h"
#include "kernels/base/mem.h"
#include "pipeline/stage.h"
#include "pipeline/store.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h> /* not used here: a bare worker leaves this verb out with the library */

enum { PART_LEAST = 10, CALLS_OF_P99 = 500 };

/* --- the grid --------------------------------------------------------------------------------------- */
static const struct { const char *name, *values; int by_labels; } usual_axes[] = {
    { "bit_width", "2, 3, 4, 5, 8", 0 },
    { "top_k_candidates", "20, 50, 100, 200, 400", 0 },
    { "graph_depth", "0, 1, 2", 1 },
};
enum { USUAL_AXES = sizeof usual_axes / sizeof *usual_axes };

static int names(const char *assignment, const char *name)
{
    const size_t size = strlen(name);
    return strncmp(assignment, name, size) == 0 && assignment[size] == '=';
}

static int is_named(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (names(list[i], name)) return 1;
    return 0;
}

/* A YAML scalar in quotes. */
static void add_quoted(struct text *out, const char *value, size_t size)
{
    text_add(out, "'");
    for (size_t i = 0; i < size; i++) {
        if (value[i] == '\'') text_add(out, "'");
        text_add_bytes(out, value + i, 1);
    }
    text_add(out, "'");
}

static void add_line(struct text *out, const char *key, const char *value)
{
    text_add(out, "%s: ", key);
    add_quoted(out, value, strlen(value));
    text_add(out, "\n");
}

/* "key=v1,v2" as "  key: ['v1', 'v2']"; commas inside parentheses are the value's. */
static int add_axis(struct text *out, const char *axis, struct err *e)
{
    const char *at = strchr(axis, '=');
    if (!at || at == axis || !at[1]) return FAIL(e, ERR_ARG, "--axis %s: KEY=VALUE,VALUE... is wanted", axis);
    text_add(out, "  %.*s: [", (int)(at - axis), axis);
    for (int more = 1, first = 1; more; first = 0) {
        const char *from = ++at;
        int depth = 0;
        for (; *at && (*at != ',' || depth > 0); at++) depth += (*at == '(') - (*at == ')');
        more = *at == ',';
        if (at == from) return FAIL(e, ERR_ARG, "--axis %s: an empty value", axis);
        text_add(out, first ? "" : ", ");
        add_quoted(out, from, (size_t)(at - from));
    }
    text_add(out, "]\n");
    return ERR_OK;
}

static int is_without_bits(const struct tune_grid *g)
{
    int without = 0;
    for (size_t i = 0; i < g->setting_count; i++)
        if (names(g->settings[i], "index")) without = !pipeline_takes_bits(strchr(g->settings[i], '=') + 1);
    return without;
}

int tune_yaml(const struct tune_grid *g, struct text *out, struct err *e)
{
    add_line(out, "kb", g->kb);
    add_line(out, "queries", g->questions);
    if (g->query_ids) add_line(out, "query_ids", g->query_ids);
    if (g->qrels) add_line(out, "qrels", g->qrels);
    if (g->drop_unjudgeable) add_line(out, "drop_unjudgeable", "true");
    text_add(out, "base:\n  k: %zu\n", g->k);
    if (*g->kernel) add_line(out, "  kernel", g->kernel);
    for (size_t i = 0; i < g->setting_count; i++) {
        const char *value = strchr(g->settings[i], '=');
        if (!value) return FAIL(e, ERR_ARG, "'%s' is not key=value", g->settings[i]);
        text_add(out, "  %.*s: ", (int)(value - g->settings[i]), g->settings[i]);
        add_quoted(out, value + 1, strlen(value + 1));
        text_add(out, "\n");
    }
    text_add(out, "axes:\n");
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < g->axis_count; i++) status = add_axis(out, g->axes[i], e);
    for (size_t i = 0; i < USUAL_AXES; i++) {
        const char *name = usual_axes[i].name;
        if (usual_axes[i].by_labels && !g->qrels) continue;
        if (strcmp(name, "bit_width") == 0 && is_without_bits(g)) continue;
        if (is_named(g->axes, g->axis_count, name) || is_named(g->settings, g->setting_count, name)) continue;
        text_add(out, "  %s: [%s]\n", name, usual_axes[i].values);
    }
    return status == ERR_OK && out->failed ? FAIL(e, ERR_MEM, "no memory for the grid") : status;
}

/* --- opening -------------------------------------------------------------------------------------- */
static int find_metric(struct tune *t, struct err *e)
{
    const int labelled = t->plan.rag.queries.label_start != NULL;
    t->by = t->request->by ? t->request->by : labelled ? "label_ndcg_at_10" : "agree_at_10";
    const char *known[256];
    size_t count = 0;
    for (size_t m = 0; metric_at(m); m++) {
        const char *name = metric_at(m)->name;
        if (metric_at(m)->fold != METRIC_MEAN || strcmp(name, "label_filter_loss") == 0) continue;
        if (strncmp(name, "label_", 6) != 0 && strcmp(name, "agree_at_10") != 0) continue;
        if (strcmp(name, t->by) == 0) t->metric = m;
        known[count++] = name;
    }
    if (strcmp(metric_at(t->metric)->name, t->by) != 0)
        return FAIL(e, ERR_ARG, "--by %s: nothing that can be maximised%s", t->by, NEAREST(t->by, known, count));
    if (!labelled && strncmp(t->by, "label_", 6) == 0) return FAIL(e, ERR_ARG, "--by %s needs --qrels", t->by);
    return ERR_OK;
}

/* Agreement with the exact pipeline compares approximations of one pipeline.  Any other setting changes what is
 * agreed with. */
static int check_axes(const struct tune *t, struct err *e)
{
    if (strncmp(t->by, "label_", 6) == 0) return ERR_OK;
    const struct stage_ops *retrieve = stage_find(SLOT_RETRIEVE, "index");
    for (size_t i = 0; i < t->sweep->axes.count; i++) {
        const char *name = t->sweep->axes.axes[i].name;
        const int at = vocabulary_find(&t->plan.names, name);
        if (param_find(retrieve->params, name) || at >= (int)t->plan.names.settings) continue;
        return FAIL(e, ERR_ARG, "%s: without labels only stage one can be tuned, by its agreement with exact search; "
                                "which %s is better only labels can say (--qrels, --by label_...)", name, name);
    }
    return ERR_OK;
}

static int same_value(const char *a, const char *b)
{
    double x, y;
    return strcmp(a, b) == 0 || (text_to_f64(a, &x) && text_to_f64(b, &y) && x == y);
}

/* What is said of each name beyond the tables: by the base, then by `base:`.  The later holds. */
struct said {
    const struct vocabulary *names;
    char *value[SWEEP_NAMES];
};

static int say(void *said, const char *key, const char *value)
{
    struct said *s = said;
    const int at = vocabulary_find(s->names, key);
    if (at < 0) return ERR_OK;
    free(s->value[at]);
    s->value[at] = strdup(value);
    return s->value[at] ? ERR_OK : ERR_MEM;
}

/* Marks the point that would hold if no axis were set. */
static int mark_defaults(struct tune *t, struct err *e)
{
    struct said said = { .names = &t->plan.names };
    struct store *store = NULL;
    int status = store_open(&store, t->plan.rag.db, STORE_READ, e);
    if (status == ERR_OK) status = store_settings(store, say, &said, e);
    store_close(store);
    for (size_t i = 0; status == ERR_OK && i < t->sweep->fixed.count; i++)
        status = say(&said, t->sweep->fixed.axes[i].name, t->sweep->fixed.axes[i].values[0]);
    if (status == ERR_MEM) (void)FAIL(e, ERR_MEM, "no memory for settings");
    for (size_t i = 0; i < t->plan.count; i++) t->points[i].is_default = 1;
    for (size_t i = 0; i < t->sweep->axes.count; i++) {
        const int at = vocabulary_find(&t->plan.names, t->sweep->axes.axes[i].name);
        const char *usual = said.value[at] ? said.value[at] : t->plan.names.at[at].usual;
        for (size_t j = 0; j < t->plan.count; j++) {
            const char *has = t->plan.points[j].values[at];
            t->points[j].is_default &= !has || same_value(has, usual);
        }
    }
    for (size_t i = 0; i < SWEEP_NAMES; i++) free(said.value[i]);
    return status;
}

static int split(struct tune *t, struct err *e)
{
    const int by_labels = strncmp(t->by, "label_", 6) == 0;
    const int status = rag_set_split(&t->held_out, &t->tuning, &t->plan.rag, t->request->held_out, t->request->seed,
                                     by_labels, PART_LEAST, e);
    t->left_out = status == ERR_OK ? t->plan.rag.queries.count - t->held_out.queries.count - t->tuning.queries.count : 0;
    return status;
}

static int prepare(struct tune *t, struct err *e)
{
    const struct rag_point first = plan_rag(&t->plan, &t->plan.points[0]);
    const size_t depth = t->plan.depth < 100 ? 100 : t->plan.depth;
    for (size_t i = 1; i < t->plan.count; i++)
        if (t->plan.points[i].load_key != t->plan.points[0].load_key)
            return FAIL(e, ERR_ARG, "embedder and kernel cannot be tuned: tune once for each");
    const int status = rag_prepare(&t->tuning, &first, depth, 1, e);
    return status == ERR_OK ? rag_prepare(&t->held_out, &first, depth, 1, e) : status;
}

int tune_open(struct tune *out, const struct tune_request *r, const struct sweep *s, struct err *e)
{
    struct tune t = { .request = r, .sweep = s };
    t.tuning.replay_fd = t.held_out.replay_fd = t.plan.rag.replay_fd = -1;
    int status = plan_make(&t.plan, s, e);
    if (status == ERR_OK) status = find_metric(&t, e);
    if (status == ERR_OK) status = check_axes(&t, e);
    if (status == ERR_OK) status = split(&t, e);
    if (status == ERR_OK) status = prepare(&t, e);
    if (status == ERR_OK) status = plan_layout(&t.plan, &t.layout, e);
    if (status == ERR_OK) {
        t.points = mem_zero(t.plan.count, sizeof *t.points);
        t.again = mem_alloc(t.plan.count, sizeof *t.again);
        if (!t.points || !t.again) status = FAIL(e, ERR_MEM, "no memory for %zu points", t.plan.count);
    }
    for (size_t i = 0; status == ERR_OK && i < t.plan.count; i++) t.points[i].point = &t.plan.points[i];
    if (status == ERR_OK) status = mark_defaults(&t, e);
    if (status == ERR_OK) *out = t;
    else tune_close(&t);
    return status;
}

void tune_close(struct tune *t)
{
    for (size_t i = 0; t->points && i < t->plan.count; i++) {
        struct tune_measured *const both[] = { &t->points[i].tuning, &t->points[i].held_out };
        for (int j = 0; j < 2; j++) {
            mem_free(both[j]->values);
            mem_free(both[j]->us);
            text_free(&both[j]->csv);
        }
    }
    mem_free(t->points);
    mem_free(t->again);
    layout_fini(&t->layout);
    rag_set_close(&t->tuning);
    rag_set_close(&t->held_out);
    plan_free(&t->plan);
    *t = (struct tune){ 0 };
}

/* --- measuring -------------------------------------------------------------------------------------- */
static double number_in(const struct row *row, const char *name)
{
    double value;
    return text_to_f64(row_get(row, name), &value) ? value : NAN;
}

/* Median time of every question. */
static int time_questions(const struct calls *calls, size_t count, double *us, struct err *e)
{
    double *own = mem_alloc(calls->count, sizeof *own);
    for (size_t i = 0; own && i < count; i++) {
        size_t n = 0;
        for (size_t c = i; c < calls->count; c += count) own[n++] = calls->us[c];
        stats_sort(own, n);
        us[i] = n ? stats_median(own, n) : NAN;
    }
    mem_free(own);
    return own ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu timings", calls->count);
}

static int keep(const struct tune *t, const struct rag_set *set, const struct rag_arm *arm, struct run *run,
                struct tune_measured *out, struct err *e)
{
    const size_t count = set->queries.count;
    struct row row;
    int status = row_init(&row, &t->layout, e);
    if (status != ERR_OK) return status;
    status = rag_row(&row, run, set, arm, 0, e);
    out->values = mem_alloc(count, sizeof *out->values);
    out->us = mem_alloc(count, sizeof *out->us);
    if (status == ERR_OK && (!out->values || !out->us)) status = FAIL(e, ERR_MEM, "no memory for %zu values", count);
    if (status == ERR_OK) status = time_questions(&arm->calls, count, out->us, e);
    if (status == ERR_OK) {
        memcpy(out->values, arm->quality.values + t->metric * count, count * sizeof *out->values);
        out->mean = number_in(&row, t->by);
        out->p50_us = number_in(&row, "lat_p50_us");
        out->p99_us = number_in(&row, "lat_p99_us");
        out->p99_lo_us = number_in(&row, "lat_p99_lo_us");
        out->p99_hi_us = number_in(&row, "lat_p99_hi_us");
        out->bytes_per_vector = number_in(&row, "bytes_per_vector");
        row_csv(&row, &out->csv);
        if (isnan(out->mean)) status = FAIL(e, ERR_ARG, "--by %s: not applicable to any question (k, labels?)", t->by);
    }
    row_fini(&row);
    return status;
}

/* Opens the first point, changes to the others: the base is loaded once. */
static int measure(const struct tune *t, const struct rag_set *set, const struct tune_point *p, int wanted,
                   double budget_s, struct rag_arm *arm, struct run *run, struct tune_measured *out, struct err *e)
{
    const struct rag_point asked = plan_rag(&t->plan, p->point);
    int status = arm->pipeline ? rag_reopen(arm, set, &asked, wanted, e) : rag_open(arm, set, &asked, wanted, e);
    if (status == ERR_OK) status = rag_time(arm, set, t->request->least_calls, budget_s, e);
    if (status == ERR_OK && arm->calls.count < CALLS_OF_P99) /* more than the questions: none is left out of a p99 */
        status = rag_time(arm, set, CALLS_OF_P99, 0, e);
    return status == ERR_OK ? keep(t, set, arm, run, out, e) : status;
}

static int measure_grid(struct tune *t, struct run *run, struct err *e)
{
    const int wanted = strcmp(t->by, "agree_at_10") == 0 ? RAG_AGREE : 0;
    struct rag_arm arm = { 0 };
    struct progress progress;
    double timed_s = 0;
    int status = ERR_OK;
    const uint64_t start = clock_ns();
    progress_start(&progress, "points measured", t->plan.count);
    for (size_t i = 0; status == ERR_OK && i < t->plan.count; i++) {
        const double spent = clock_since_s(start), left = (double)(t->plan.count - i);
        const double overhead = i ? (spent - timed_s) / (double)i : 0;
        double share = t->request->budget_s > 0 ? (t->request->budget_s - spent) / left - overhead : 0;
        if (t->request->budget_s > 0 && share < 0.02) share = 0.02;
        status = measure(t, &t->tuning, &t->points[i], wanted, share, &arm, run, &t->points[i].tuning, e);
        timed_s += arm.calls.wall_s;
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    rag_close(&arm);
    return status;
}

/* --- judging -------------------------------------------------------------------------------------------- */
static int is_better(const struct tune_measured *a, const struct tune_measured *b)
{
    if (a->mean != b->mean) return a->mean > b->mean;
    if (a->bytes_per_vector < b->bytes_per_vector) return 1; /* as good, and cheaper */
    if (a->bytes_per_vector > b->bytes_per_vector) return 0;
    return a->p50_us < b->p50_us; /* ... and faster */
}

static int by_speed(const void *a, const void *b)
{
    const struct tune_point *const *x = a, *const *y = b;
    const double d = (*x)->tuning.p50_us - (*y)->tuning.p50_us;
    return d ? (d < 0 ? -1 : 1) : (*x < *y ? -1 : 1);
}

static int choose(struct tune *t, size_t *winner, struct err *e)
{
    size_t fastest = 0;
    t->feasible = 0;
    for (size_t i = 0; i < t->plan.count; i++) {
        struct tune_point *p = &t->points[i];
        p->feasible = p->tuning.p99_us <= t->request->max_p99_us;
        if (p->tuning.p99_us < t->points[fastest].tuning.p99_us) fastest = i;
        if (p->feasible && (t->feasible++ == 0 || is_better(&p->tuning, &t->points[*winner].tuning))) *winner = i;
    }
    if (t->feasible) return ERR_OK;
    struct text what = { 0 };
    plan_describe(&t->plan, t->points[fastest].point, &what);
    const int status = FAIL(e, ERR_NOT_FOUND, "none of %zu points has a p99 of at most %g ms; the fastest has %.3g ms: %s",
                            t->plan.count, t->request->max_p99_us * 1e-3, t->points[fastest].tuning.p99_us * 1e-3,
                            text_of(&what));
    text_free(&what);
    return status;
}

/* Who is measured again: the winner, the unresolved from fast to slow as far as there is room, the defaults. */
static void pick(struct tune *t, size_t winner, const struct tune_point **unresolved)
{
    size_t room = t->request->most, usual = SIZE_MAX;
    for (size_t i = 0; i < t->plan.count; i++)
        if (t->points[i].is_default) usual = i;
    const size_t apart = usual != SIZE_MAX && usual != winner;
    if (room < 1 + apart) room = 1 + apart;
    t->again_count = 0;
    t->again[t->again_count++] = winner;
    for (size_t i = 0; i < t->unresolved && t->again_count + apart < room; i++)
        if ((size_t)(unresolved[i] - t->points) != usual) t->again[t->again_count++] = (size_t)(unresolved[i] - t->points);
    if (apart) t->again[t->again_count++] = usual;
    for (size_t i = 0; i < t->again_count; i++) t->points[t->again[i]].again = 1;
}

/* The feasible points against the winner, which the same questions picked. */
static int compare_feasible(struct tune *t, size_t winner, struct err *e)
{
    const double **values = mem_alloc(t->feasible, sizeof *values);
    struct interval *against = mem_alloc(t->feasible, sizeof *against);
    int status = values && against ? ERR_OK : FAIL(e, ERR_MEM, "no memory to compare %zu points", t->feasible);
    size_t count = 0, chosen = 0;
    for (size_t i = 0; status == ERR_OK && i < t->plan.count; i++) {
        if (i == winner) chosen = count;
        if (t->points[i].feasible) values[count++] = t->points[i].tuning.values;
    }
    if (status == ERR_OK) status = verdict_all_pairs(values, count, t->tuning.queries.count, chosen, 1, against, e);
    for (size_t i = t->plan.count; status == ERR_OK && i-- > 0;)
        if (t->points[i].feasible) t->points[i].against = against[--count];
    mem_free(values);
    mem_free(against);
    return status;
}

int tune_run(struct tune *t, struct run *run, struct err *e)
{
    size_t winner = 0;
    int status = measure_grid(t, run, e);
    if (status == ERR_OK) status = choose(t, &winner, e);
    if (status == ERR_OK) status = compare_feasible(t, winner, e);
    if (status != ERR_OK) return status;
    const struct tune_point **unresolved = mem_alloc(t->plan.count, sizeof *unresolved);
    if (!unresolved) return FAIL(e, ERR_MEM, "no memory to compare %zu points", t->plan.count);
    t->unresolved = 0;
    for (size_t i = 0; i < t->plan.count; i++) {
        struct tune_point *p = &t->points[i];
        if (i == winner || !p->feasible) continue;
        p->resolved = p->against.hi < 0;
        if (!p->resolved) unresolved[t->unresolved++] = p;
    }
    qsort(unresolved, t->unresolved, sizeof *unresolved, by_speed);
    pick(t, winner, unresolved);
    mem_free(unresolved);
    return ERR_OK;
}

static void find_faster(struct tune *t, double *work)
{
    const struct tune_point *w = tune_winner(t), *best = w;
    const size_t count = t->held_out.queries.count;
    for (size_t i = 1; i < t->again_count; i++) {
        const struct tune_point *p = &t->points[t->again[i]];
        if (p->feasible && !p->resolved && p->held_against.interval.hi >= 0 &&
            p->held_out.p99_us <= t->request->max_p99_us && p->tuning.p50_us < best->tuning.p50_us)
            best = p;
    }
    t->faster = best == w ? NULL : best;
    for (size_t i = 0; t->faster && i < count; i++) work[i] = w->held_out.us[i] / best->held_out.us[i];
    if (!t->faster) return;
    stats_sort(work, count);
    t->ratio = stats_median(work, count);
    t->ratio_within = stats_sign_interval(work, count, 0.05, 1);
}

int tune_confirm(struct tune *t, struct run *run, struct err *e)
{
    const size_t count = t->held_out.queries.count;
    struct rag_arm arm = { 0 };
    struct progress progress;
    double *work = mem_alloc(count, sizeof *work);
    int status = work ? ERR_OK : FAIL(e, ERR_MEM, "no memory to compare %zu questions", count);
    progress_start(&progress, "points measured again", t->again_count);
    for (size_t i = 0; status == ERR_OK && i < t->again_count; i++) {
        struct tune_point *p = &t->points[t->again[i]];
        status = measure(t, &t->held_out, p, RAG_USUAL, 0, &arm, run, &p->held_out, e);
        if (status == ERR_OK && i > 0)
            p->held_against = verdict_quality(tune_winner(t)->held_out.values, p->held_out.values, count,
                                              t->again_count - 1, 1, work);
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    if (status == ERR_OK) find_faster(t, work);
    rag_close(&arm);
    mem_free(work);
    return status;
}
