/* SPDX-License-Identifier: MIT
 * paper_memex.c - Memex (arXiv 2603.04257): what a budget of context is worth.  Its tables need reinforcement learning of a
 * language model; what is left is whether entities attached to results hold evidence that the results lack, and how many
 * of them it takes.  Planted two-hop questions by 1-bit codes, which lose the evidence (exact vectors find it
 * among five results, so that no context can add any), and the turns of LoCoMo, linked with those before and after. */
#include "bench/papers/retrieval.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <stdio.h>

static const char table[] =
#include "gen/memex.tsv.inc"
    ;

enum { K = 5, BUDGET_MOST = 20, ROOM = K * (1 + BUDGET_MOST) };

static void add_once(struct rag_arm *lists, size_t question, int64_t id)
{
    int64_t *ids = lists->answers + question * ROOM;
    size_t *count = &lists->answer_count[question];
    for (size_t i = 0; i < *count; i++)
        if (ids[i] == id) return;
    if (*count == ROOM) return;
    lists->scores[question * ROOM + *count] = -(double)*count;
    ids[(*count)++] = id;
}

/* What is asked, and how. */
struct memories { const char *data, *how; struct retrieval base; };

/* Of each question, results and their context as one list. */
static int list_all(struct retrieval *base, struct rag_arm *lists, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < base->set.queries.count; i++) {
        struct answer a;
        lists->answer_count[i] = 0;
        status = rag_ask(base->arm.pipeline, &base->set, i, 1, K, &a, e);
        for (size_t x = 0; status == ERR_OK && x < a.count; x++) add_once(lists, i, a.results[x].id);
        for (size_t x = 0; status == ERR_OK && x < a.count; x++)
            for (size_t c = 0; c < a.results[x].context_count; c++) add_once(lists, i, a.results[x].context[c]);
    }
    return status;
}

/* Of each question, the share of its evidence that the list holds. */
static size_t coverage(const struct retrieval *base, const struct rag_arm *lists, double *out)
{
    size_t count = 0;
    for (size_t i = 0; i < base->set.queries.count; i++) {
        struct evidence ev = { .k = ROOM, .answers = { lists->answers + i * ROOM, lists->answer_count[i] } };
        ev.labels = queries_labels(&base->set.queries, i, &ev.label_count);
        const double share = metric_recall_at(&ev, ROOM);
        if (!isnan(share)) out[count++] = share;
    }
    return count;
}

static int ask(const struct paper_run *r, struct memories *m, const char *context, int most, double *out, size_t *count, struct err *e)
{
    struct retrieval *base = &m->base;
    const size_t questions = base->set.queries.count;
    struct rag_arm lists = { .point.k = ROOM, .answers = mem_alloc(questions * ROOM, sizeof(int64_t)),
                             .scores = mem_alloc(questions * ROOM, sizeof(double)), .answer_count = mem_zero(questions, sizeof(size_t)) };
    char arm[32];
    int status = lists.answers && lists.scores && lists.answer_count ? ERR_OK : FAIL(e, ERR_MEM, "memex: no memory");
    if (status == ERR_OK)
        status = retrieval_ask(base, K, e, "%s min_combined_score=-1e9 context=%s max_context_entities=%d", m->how, context, most);
    if (status == ERR_OK) status = list_all(base, &lists, e);
    if (status == ERR_OK) *count = coverage(base, &lists, out);
    snprintf(arm, sizeof arm, "%s %d", context, most);
    if (status == ERR_OK) status = retrieval_keep_lists(base, &lists, r, m->data, arm, e);
    mem_free(lists.answers);
    mem_free(lists.scores);
    mem_free(lists.answer_count);
    return status;
}

static int budget_over(struct paper_run *r, struct memories *m, struct err *e)
{
    static const int budgets[] = { 0, 1, 2, 5, 10, BUDGET_MOST };
    enum { BUDGETS = sizeof budgets / sizeof *budgets };
    const size_t room = m->base.set.queries.count;
    double *values = mem_alloc((BUDGETS + 1) * room + 1, sizeof *values);
    size_t count = 0;
    int status = values ? ERR_OK : FAIL(e, ERR_MEM, "memex: no memory");
    for (size_t b = 0; status == ERR_OK && b < BUDGETS; b++) {
        struct finding f = finding_of("budget=%d;context=pool_first;data=%s", budgets[b], m->data);
        status = ask(r, m, "pool_first", budgets[b], values + b * room, &count, e);
        if (status != ERR_OK) break;
        retrieval_mean(&f, values + b * room, count, values, b ? "budget 0" : NULL);
        status = paper_found(r, &f, e);
    }
    if (status == ERR_OK) status = ask(r, m, "bfs", 5, values + BUDGETS * room, &count, e);
    if (status == ERR_OK) {
        struct finding more = finding_of("contrast=5-0;data=%s", m->data), order = finding_of("contrast=pool_first-bfs;data=%s", m->data),
                       bend = finding_of("contrast=(5-0)-(10-5);data=%s", m->data);
        finding_of_pairs(&more, values + 3 * room, values, count);
        finding_of_pairs(&order, values + 3 * room, values + BUDGETS * room, count);
        for (size_t q = 0; q < count; q++) {
            values[q] = values[3 * room + q] - values[q];
            values[room + q] = values[4 * room + q] - values[3 * room + q];
        }
        finding_of_pairs(&bend, values, values + room, count);
        status = paper_found(r, &more, e);
        if (status == ERR_OK) status = paper_found(r, &order, e);
        if (status == ERR_OK) status = paper_found(r, &bend, e);
    }
    mem_free(values);
    return status;
}

static int budget(struct paper_run *r, struct err *e)
{
    struct memories planted = { .data = "twohop", .how = "bit_width=1 expand=none" },
                    turns = { .data = "locomo", .how = "retrieve=exact graph_depth=1" };
    struct retrieval_source from = { .generator = "twohop", .params = r->asked.quick ? "n=5000,queries=300" : "queries=500" };
    char path[512];
    int status = retrieval_open(&planted.base, &from, e);
    if (status == ERR_OK) status = budget_over(r, &planted, e);
    retrieval_close(&planted.base);
    if (status != ERR_OK) return status;
    if (!paper_data(r, "locomo/locomo10.json", path, sizeof path)) return paper_skip(r, "data=locomo", e, "%s", path);
    from = (struct retrieval_source){ .importer = "locomo", .from = path };
    status = retrieval_open(&turns.base, &from, e);
    if (status == ERR_OK) status = budget_over(r, &turns, e);
    retrieval_close(&turns.base);
    return status;
}

static const struct paper_item items[] = {
    { .name = "budget", .summary = "share of the evidence in results and context, by entities a result", .run = budget,
      .figure = { .x = "budget", .panel = "data", .x_label = "context entities a result", .y_label = "share of the evidence", .y = PAPER_SHARE } },
    { 0 },
};

const struct paper_ops paper_memex = {
    .name = "memex", .reference = "arXiv 2603.04257 (the engine cites 2603.03561, another paper)", .summary = "indexed experience, dereferenced within a budget",
    .table = table, .items = items,
};
