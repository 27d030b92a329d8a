/* SPDX-License-Identifier: MIT
 * retrieval.c - makes a base in a folder of its own, asks, and takes the folder away. */
#include "bench/papers/retrieval.h"
#include "bench/kb/kb_build.h"
#include "bench/points/rag_judge.h"
#include "bench/points/rag_trec.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH = 100 }; /* exact neighbours that are known of a question */

static int fill(const struct retrieval_source *s, const struct kb_sink *sink, struct err *e)
{
    if (s->fill) return s->fill(s->context, sink, e);
    if (s->importer) return importer_find(s->importer)->run(s->from ? s->from : importer_find(s->importer)->from, sink, e);
    const struct generator_ops *g = generator_find(s->generator);
    struct params *p = NULL;
    int status = params_create(&p, g->params, g->name, s->params, e);
    if (status == ERR_OK) status = g->graph(p, sink, e);
    params_destroy(p);
    return status;
}

static int build(const struct retrieval *r, const struct retrieval_source *s, struct err *e)
{
    const struct kb_build_options options = { .folder = r->folder, .what = s->importer ? s->importer : s->generator ? s->generator : "paper",
                                              .dim = s->dim, .seed = 1, .threads = parallel_cpus() };
    struct kb_build *b = NULL;
    struct kb_build_counts counts;
    int status = kb_build_open(&b, &options, e);
    if (status != ERR_OK) return status;
    const struct kb_sink sink = kb_build_sink(b);
    status = fill(s, &sink, e);
    if (status == ERR_OK) status = kb_build_commit(b, &counts, e);
    kb_build_close(b);
    return status;
}

static void forget_set(struct retrieval *r)
{
    if (r->ready) rag_close(&r->arm);
    if (r->has_set) rag_set_close(&r->set);
    r->ready = r->has_set = 0;
}

int retrieval_questions(struct retrieval *r, const char *split, struct err *e)
{
    char vectors[576], texts[576], ids[576], qrels[576];
    const char *dot = split ? "." : "", *of = split ? split : "";
    snprintf(vectors, sizeof vectors, "%s/query%s%s.fvecs", r->folder, dot, of);
    snprintf(texts, sizeof texts, "%s/queries%s%s.jsonl", r->folder, dot, of);
    snprintf(ids, sizeof ids, "%s/query%s%s.ids.txt", r->folder, dot, of);
    snprintf(qrels, sizeof qrels, "%s/qrels%s%s.txt", r->folder, dot, of);
    const int has_vectors = access(vectors, R_OK) == 0;
    const struct question_files files = { .questions = has_vectors ? vectors : texts,
                                          .ids = has_vectors && access(ids, R_OK) == 0 ? ids : NULL, .qrels = qrels };
    forget_set(r);
    if (r->has_all) rag_set_close(&r->all);
    r->has_all = 0;
    const int status = rag_set_open(&r->all, r->db, &files, e);
    r->has_all = status == ERR_OK;
    return status == ERR_OK ? retrieval_part(r, 0, 0, e) : status;
}

/* Of what question i asks and what answers it. */
static uint64_t key_of(const struct rag_set *s, size_t i)
{
    size_t count;
    const struct label *labels = queries_labels(&s->queries, i, &count);
    const struct rows rows = s->queries.vectors.rows;
    uint64_t key = s->queries.texts ? hash64(0, s->queries.texts[i], strlen(s->queries.texts[i]))
                                    : hash64(0, rows_at(rows, i), rows.dim * sizeof(float));
    for (size_t j = 0; j < count; j++) key = hash64(key, &labels[j].id, sizeof labels[j].id);
    return key;
}

static int is_dealt(const struct rag_set *all, size_t i, double share, uint64_t seed)
{
    struct evidence ev = { 0 };
    const uint64_t key = key_of(all, i);
    ev.labels = queries_labels(&all->queries, i, &ev.label_count);
    return metric_relevant(&ev) > 0 && ((double)(hash64(seed, &key, sizeof key) >> 11) * 0x1p-53 < fabs(share)) == (share > 0);
}

int retrieval_part(struct retrieval *r, double share, uint64_t seed, struct err *e)
{
    const struct rag_point plain = { .kernel = "", .k = 10, .threads = 1 };
    const size_t all = r->all.queries.count, most = r->most && r->most < all ? r->most : all;
    uint32_t *which = mem_alloc(all, sizeof *which);
    size_t count = 0;
    forget_set(r);
    if (!which) return FAIL(e, ERR_MEM, "no memory for %zu questions", all);
    for (size_t i = 0; i < most; i++)
        if (share == 0 || is_dealt(&r->all, i, share, seed)) which[count++] = (uint32_t)i;
    int status = count ? rag_set_take(&r->set, &r->all, which, count, e)
                       : FAIL(e, ERR_ARG, "no question is left of %zu", all);
    r->has_set = status == ERR_OK;
    if (status == ERR_OK) status = rag_prepare(&r->set, &plain, DEPTH, parallel_cpus(), e);
    mem_free(which);
    return status;
}

int retrieval_open(struct retrieval *r, const struct retrieval_source *s, struct err *e)
{
    int status = ERR_OK;
    r->most = s->questions;
    if (!s->folder) status = scratch_open(&r->scratch, e);
    snprintf(r->folder, sizeof r->folder, "%s", s->folder ? s->folder : r->scratch.folder);
    snprintf(r->db, sizeof r->db, "%s/kb.sqlite", r->folder);
    if (status == ERR_OK && !s->folder) status = build(r, s, e);
    return status == ERR_OK ? retrieval_questions(r, s->split, e) : status;
}

int retrieval_wordnet(struct retrieval_source *s, size_t questions, char *lacks, size_t size)
{
    const struct importer_ops *wordnet = importer_find("wordnet");
    *s = (struct retrieval_source){ .importer = "wordnet", .from = wordnet->from, .split = "report", .questions = questions };
    snprintf(lacks, size, "%s: %s", wordnet->from, wordnet->get);
    return access(wordnet->from, R_OK) == 0;
}

int retrieval_ask(struct retrieval *r, size_t k, struct err *e, const char *fmt, ...)
{
    struct text told = { 0 };
    char said[2048];
    size_t count = 0;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(said, sizeof said, fmt, ap);
    va_end(ap);
    text_add(&told, "%s", said);
    if (told.failed) return FAIL(e, ERR_MEM, "no memory for settings");
    text_free(&r->settings);
    r->settings = told;
    for (char *at = told.at; *at && count < sizeof r->parts / sizeof *r->parts;) {
        r->parts[count++] = at;
        at += strcspn(at, " ");
        while (*at == ' ') *at++ = 0;
    }
    const struct rag_point point = { r->parts, count, "", k, 1 };
    const int status = r->ready ? rag_reopen(&r->arm, &r->set, &point, 0, e) : rag_open(&r->arm, &r->set, &point, 0, e);
    r->ready = status == ERR_OK;
    return status;
}

void retrieval_close(struct retrieval *r)
{
    forget_set(r);
    if (r->has_all) rag_set_close(&r->all);
    text_free(&r->settings);
    scratch_close(&r->scratch);
    *r = (struct retrieval){ 0 };
}

int retrieval_mark(const struct retrieval *r, struct split *s, enum split_part part, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < r->set.queries.count; i++) status = split_add(s, part, key_of(&r->set, i), e);
    return status;
}

int retrieval_keep(const struct retrieval *r, const struct paper_run *run, const char *data, const char *arm, struct err *e)
{
    return retrieval_keep_lists(r, &r->arm, run, data, arm, e);
}

int retrieval_keep_lists(const struct retrieval *r, const struct rag_arm *lists, const struct paper_run *run, const char *data,
                         const char *arm, struct err *e)
{
    struct text path = { 0 };
    size_t nudged;
    int status = ERR_OK;
    if (!run->asked.out) return ERR_OK;
    paper_trec_path(run, data, NULL, &path);
    status = rag_write_qrels(text_of(&path), &r->set, e);
    paper_trec_path(run, data, arm, &path);
    if (status == ERR_OK && path.failed) status = FAIL(e, ERR_MEM, "no memory for a name");
    if (status == ERR_OK) status = rag_write_run(text_of(&path), &r->set, lists, &nudged, e);
    text_free(&path);
    return status;
}

size_t retrieval_at(const struct retrieval *r, double (*of)(const struct evidence *, size_t), size_t cut, double *out)
{
    const size_t k = r->arm.point.k;
    size_t count = 0;
    for (size_t i = 0; i < r->set.queries.count; i++) {
        struct evidence ev = { .k = k, .answers = { r->arm.answers + i * k, r->arm.answer_count[i] } };
        ev.labels = queries_labels(&r->set.queries, i, &ev.label_count);
        const double value = of(&ev, cut);
        if (!isnan(value)) out[count++] = value;
    }
    return count;
}

size_t retrieval_metric(const struct retrieval *r, const char *name, double *out)
{
    size_t m = 0, count = 0;
    while (strcmp(metric_at(m)->name, name) != 0) m++;
    const double *values = r->arm.quality.values + m * r->set.queries.count;
    for (size_t i = 0; i < r->set.queries.count; i++)
        if (!isnan(values[i])) out[count++] = values[i];
    return count;
}

void retrieval_mean(struct finding *f, const double *values, size_t count, const double *base, const char *against)
{
    const struct interval i = count > 1 ? stats_bootstrap_mean(values, count, 0.999, STATS_RESAMPLES_MOST, 1)
                                        : (struct interval){ (double)NAN, (double)NAN };
    f->ours = count ? stats_mean(values, count) : (double)NAN;
    f->lo = i.lo;
    f->hi = i.hi;
    f->n = count;
    finding_against(f, values, base, count, against);
}
