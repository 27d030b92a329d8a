/* SPDX-License-Identifier: MIT
 * rag_learn.c - learns utilities of entities from labelled questions. */
#include "bench/points/rag_learn.h"
#include "bench/rows/output.h"
#include "kernels/base/mem.h"
#include "pipeline/graph.h"
#include "pipeline/kb.h"

/* Asks all labelled questions once; the mean reward. */
static int learn_epoch(struct pipeline *p, const struct rag_set *s, size_t k, int64_t *ids, struct rag_lesson *out,
                       struct err *e)
{
    size_t rewarded = 0;
    out->questions = 0;
    for (size_t i = 0; i < s->queries.count; i++) {
        struct answer a;
        struct evidence ev = { .k = k };
        ev.labels = queries_labels(&s->queries, i, &ev.label_count);
        if (metric_relevant(&ev) == 0) continue;
        int status = rag_ask(p, s, i, 1, k, &a, e);
        if (status != ERR_OK) return status;
        for (size_t j = 0; j < a.count; j++) ids[j] = a.results[j].id;
        const int hit = metric_relevant_in(&ev, (struct id_list){ ids, a.count }, k) > 0;
        status = pipeline_feedback(p, ids, a.count, hit, e);
        if (status != ERR_OK) return status;
        rewarded += (size_t)hit;
        out->questions++;
    }
    out->last = out->questions ? (double)rewarded / (double)out->questions : 0;
    return ERR_OK;
}

/* By the ids that the user knows, as utility_file reads them. */
static int write_utilities(const struct pipeline *p, const struct rag_set *s, const char *path, struct rag_lesson *out, struct err *e)
{
    const struct graph *g = &pipeline_kb(p)->graph;
    struct text lines = { 0 };
    struct store *store = NULL;
    double initial = 0, q = 0;
    (void)text_to_f64(rag_setting(p, "memrl_initial"), &initial);
    int status = store_open(&store, s->db, STORE_READ, e);
    if (status == ERR_OK) status = store_read_begin(store, e);
    for (size_t x = 0; status == ERR_OK && x < g->count; x++) {
        status = pipeline_utility(p, g->ids[x], &q, e);
        if (status != ERR_OK || q == initial) continue;
        status = store_id_of(store, g->ids[x], &lines, e);
        text_add(&lines, "\t%.9g\n", q);
        out->entities++;
    }
    if (status == ERR_OK) status = output_write(path, &lines, e);
    if (store) store_read_end(store);
    store_close(store);
    text_free(&lines);
    return status;
}

int rag_learn(const struct rag_set *s, const struct rag_point *p, size_t epochs, const char *path,
              struct rag_lesson *out, struct err *e)
{
    struct pipeline *pipeline = NULL;
    struct kernel_set kernels;
    struct rag_lesson lesson = { 0 };
    if (!s->queries.label_start) return FAIL(e, ERR_ARG, "learning needs labels (--qrels)");
    int64_t *ids = mem_alloc(p->k, sizeof *ids);
    int status = ids ? kernel_set_resolve(&kernels, p->kernel, e) : FAIL(e, ERR_MEM, "no memory for answers");
    if (status == ERR_OK) status = pipeline_open(&pipeline, s->db, p->settings, p->setting_count, &kernels, e);
    if (status == ERR_OK) pipeline_hold(pipeline);
    for (size_t epoch = 0; status == ERR_OK && epoch < epochs; epoch++) {
        status = learn_epoch(pipeline, s, p->k, ids, &lesson, e);
        if (epoch == 0) lesson.first = lesson.last;
    }
    if (status == ERR_OK) status = write_utilities(pipeline, s, path, &lesson, e);
    if (status == ERR_OK) *out = lesson;
    pipeline_close(pipeline);
    mem_free(ids);
    return status;
}
