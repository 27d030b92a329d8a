/* SPDX-License-Identifier: MIT
 * subject.c - opens kernels, indexes and pipelines by their specs, and runs them for the clock. */
#include "bench/contest/subject.h"
#include "bench/time/machine.h"
#include "bench/points/rag_set.h"
#include "bench/quality/truth.h"
#include "bench/micro/workload.h"
#include "datasets/dataset.h"
#include "index/index.h"
#include "kernels/base/mem.h"
#include "kernels/base/option.h"
#include "pipeline/pipeline.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct subject_data SUBJECT_DATA_USUAL = { .metric = "cosine", .where = "l2", .n = 20000, .query_count = 200,
                                                 .dim = 384, .k = 10, .bits = 4, .batch = 1, .seed = 1 };

void subject_options(struct subject_data *d, struct option *table)
{
    const struct option options[SUBJECT_OPTIONS] = {
        { "--base", OPTION_TEXT, &d->base, 0, 0 },           { "--query", OPTION_TEXT, &d->query, 0, 0 },
        { "--metric", OPTION_TEXT, &d->metric, 0, 0 },       { "--questions", OPTION_TEXT, &d->questions, 0, 0 },
        { "--qrels", OPTION_TEXT, &d->qrels, 0, 0 },         { "--n", OPTION_INT, &d->n, 1, 1e9 },
        { "--queries", OPTION_INT, &d->query_count, 1, 1e6 }, { "--dim", OPTION_INT, &d->dim, 1, 65536 },
        { "-k", OPTION_INT, &d->k, 1, 1e5 },                 { "--trust", OPTION_FLAG, &d->trust, 0, 0 },
        /* of kernels alone */
        { "--where", OPTION_TEXT, &d->where, 0, 0 },         { "--bits", OPTION_INT, &d->bits, 1, 8 },
        { "--batch", OPTION_INT, &d->batch, 1, 1024 },       { "--gather", OPTION_FLAG, &d->gather, 0, 0 },
    };
    memcpy(table, options, sizeof options);
}

enum kind { KIND_KERNEL, KIND_INDEX, KIND_RAG, KIND_COUNT };
static const char *const kind_names[KIND_COUNT] = { "kernel", "index", "rag" };

struct subject {
    enum kind kind;
    char *spec, *rest, *kernel_request; /* one copy: "kind" NUL rest NUL request */
    struct kernel_set kernels;
    const struct subject_data *data;
    uint64_t first; /* number of the next iteration */
    struct err failed;
    int looked;
    struct subject_facts facts;
    /* kernel */
    struct workload *workload;
    struct workload_arm arm;
    /* index */
    struct dataset base_file, query_file;
    float *base_made, *query_made;
    struct rows base, query;
    struct index *index;
    void *scratch;
    struct hit *hits;
    /* rag */
    struct pipeline *pipeline;
    struct queries questions;
};

/* --- kernels ----------------------------------------------------------------------------------- */

static int open_kernel(struct subject *s, struct err *e)
{
    const struct subject_data *d = s->data;
    char name[64], request[80];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(s->rest, "="), s->rest);
    const enum kernel_op op = kernel_op_find(name);
    snprintf(request, sizeof request, "%s=scalar", name); /* an unknown operation is refused with the nearest */
    const char *asked = op == OP_COUNT ? request : strchr(s->rest, '=') ? s->rest : NULL;
    int status = kernel_set_resolve(&s->kernels, asked, e);
    if (status != ERR_OK) return status;
    struct machine machine;
    machine_read(&machine);
    const size_t bytes = machine_level_bytes(&machine, d->where);
    if (bytes == 0) return FAIL(e, ERR_ARG, "--where %s: not l1, l2, l3 or dram, or this machine has none", d->where);
    const struct workload_shape shape = { .op = op, .dim = (size_t)d->dim, .bytes = bytes, .bits = (int)d->bits,
                                          .batch = (size_t)d->batch, .gather = d->gather, .seed = (uint64_t)d->seed };
    status = workload_verify(&shape, s->kernels.of[op], e);
    if (status == ERR_OK) status = workload_create(&s->workload, &shape, e);
    s->arm = (struct workload_arm){ s->workload, s->kernels.of[op] };
    return status;
}

static int look_kernel(struct subject *s, struct err *e)
{
    (void)e;
    const struct workload_facts *f = workload_facts(s->workload);
    s->facts.vectors = f->vectors;
    s->facts.bytes = f->set_bytes;
    s->facts.result = workload_result(s->workload, s->arm.kernel);
    kernel_set_describe(&s->kernels, f->shape.op, &s->facts.kernels);
    return ERR_OK;
}

/* --- indexes ------------------------------------------------------------------------------------ */

static int make_vectors(struct subject *s, struct err *e)
{
    const struct generator_ops *g = generator_find("clustered");
    const struct subject_data *d = s->data;
    char args[160];
    snprintf(args, sizeof args, "n=%lld,dim=%lld,queries=%lld,seed=%lld", (long long)d->n, (long long)d->dim,
             (long long)d->query_count, (long long)d->seed);
    struct params *p = NULL;
    int status = params_create(&p, g->params, g->name, args, e);
    if (status == ERR_OK) status = g->vectors(p, &s->base, &s->query, e);
    params_destroy(p);
    if (status == ERR_OK) {
        s->base_made = (float *)(uintptr_t)s->base.at; /* ours to free */
        s->query_made = (float *)(uintptr_t)s->query.at;
    }
    return status;
}

static int open_vectors(struct subject *s, struct err *e)
{
    const struct subject_data *d = s->data;
    if (!d->base != !d->query) return FAIL(e, ERR_ARG, "--base and --query: both or neither");
    if (!d->base) return make_vectors(s, e);
    int status = dataset_open(&s->base_file, d->base, e);
    if (status == ERR_OK) status = dataset_open(&s->query_file, d->query, e);
    if (status != ERR_OK) return status;
    s->base = s->base_file.rows;
    s->query = s->query_file.rows;
    if (!s->base.at || s->base.count == 0) return FAIL(e, ERR_ARG, "%s: no vectors", d->base);
    if (!s->query.at || s->query.count == 0) return FAIL(e, ERR_ARG, "%s: no vectors", d->query);
    return ERR_OK;
}

static int open_index(struct subject *s, struct err *e)
{
    enum metric metric = METRIC_COSINE;
    int status = metric_parse(s->data->metric, &metric, e);
    if (status == ERR_OK) status = kernel_set_resolve(&s->kernels, s->kernel_request, e);
    if (status == ERR_OK) status = open_vectors(s, e);
    if (status != ERR_OK) return status;
    const struct index_config config = { s->base.dim, metric, (uint64_t)s->data->seed, 1, &s->kernels };
    status = index_create(&s->index, s->rest, &config, e);
    struct text doubt = { 0 };
    if (status == ERR_OK) index_doubt(s->rest, s->base.count, &doubt);
    if (doubt.size) fprintf(stderr, "compare: %s\n", text_of(&doubt));
    text_free(&doubt);
    if (status == ERR_OK) status = index_train(s->index, s->base, e);
    if (status == ERR_OK) status = index_add(s->index, s->base, NULL, e);
    const size_t k = (size_t)s->data->k;
    if (status == ERR_OK) status = index_bind(s->index, s->query, e);
    if (status == ERR_OK) status = index_check_queries(s->index, s->query, k, e);
    if (status != ERR_OK) return status;
    s->scratch = mem_alloc(s->index->ops->scratch_bytes(s->index, 1, k), 1);
    s->hits = mem_alloc(k, sizeof *s->hits);
    return s->scratch && s->hits ? ERR_OK : FAIL(e, ERR_MEM, "%s: no memory to search", s->spec);
}

static size_t search_one(struct subject *s, size_t query)
{
    const struct rows one = { rows_at(s->query, query), 1, s->query.dim, s->query.stride };
    size_t count;
    s->index->ops->search(s->index, one, (size_t)s->data->k, s->scratch, s->hits, &count);
    return count;
}

static int make_answers(struct subject *s, size_t queries, struct err *e)
{
    struct subject_facts *f = &s->facts;
    f->queries = queries;
    f->k = (size_t)s->data->k;
    f->ids = mem_alloc(queries * f->k, sizeof *f->ids);
    if (!f->ids) return FAIL(e, ERR_MEM, "%s: no memory for answers", s->spec);
    for (size_t i = 0; i < queries * f->k; i++) f->ids[i] = -1;
    return ERR_OK;
}

static double recall_of(const int64_t *ids, const int32_t *truth, size_t k)
{
    size_t found = 0;
    for (size_t t = 0; t < k; t++)
        for (size_t i = 0; i < k; i++)
            if (ids[i] == truth[t]) {
                found++;
                break;
            }
    return (double)found / (double)k;
}

static int look_index(struct subject *s, struct err *e)
{
    struct subject_facts *f = &s->facts;
    int status = make_answers(s, s->query.count, e);
    struct truth truth = { 0 };
    if (status == ERR_OK)
        status = truth_compute(&truth, s->base, s->query, f->k, s->index->config.metric, 1, NULL, e);
    if (status == ERR_OK) {
        f->quality = mem_alloc(f->queries, sizeof *f->quality);
        if (!f->quality) status = FAIL(e, ERR_MEM, "%s: no memory for %zu queries", s->spec, f->queries);
    }
    for (size_t q = 0; status == ERR_OK && q < f->queries; q++) {
        const size_t count = search_one(s, q);
        for (size_t i = 0; i < count; i++) f->ids[q * f->k + i] = s->hits[i].id;
        f->quality[q] = recall_of(f->ids + q * f->k, truth.ids + q * truth.k, truth.k);
    }
    truth_free(&truth);
    if (status != ERR_OK) return status;
    struct index_stats stats = { 0 };
    s->index->ops->stats(s->index, &stats);
    f->vectors = (double)stats.rows;
    f->bytes = stats.code_bytes + stats.side_bytes;
    f->result = hash64(0, f->ids, f->queries * f->k * sizeof *f->ids);
    s->index->ops->kernels(s->index, &f->kernels);
    return ERR_OK;
}

/* --- pipelines ---------------------------------------------------------------------------------- */

static int open_rag(struct subject *s, struct err *e)
{
    enum { SETTINGS = 64 };
    const char *settings[SETTINGS + 1] = { SETTINGS_TRUST };
    size_t count = s->data->trust != 0;
    char *save = NULL, *db = strtok_r(s->rest, ",", &save);
    if (!db) return FAIL(e, ERR_ARG, "rag: names no database");
    for (char *item = strtok_r(NULL, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
        if (count > SETTINGS) return FAIL(e, ERR_ARG, "rag: more than %d settings", SETTINGS);
        settings[count++] = item;
    }
    if (!s->data->questions) return FAIL(e, ERR_ARG, "rag: --questions FILE is missing");
    int status = kernel_set_resolve(&s->kernels, s->kernel_request, e);
    const struct question_files files = { .questions = s->data->questions, .qrels = s->data->qrels };
    if (status == ERR_OK) status = question_files_open(&s->questions, &files, db, e);
    if (status == ERR_OK) status = pipeline_open(&s->pipeline, db, settings, count, &s->kernels, e);
    if (status == ERR_OK) pipeline_hold(s->pipeline);
    return status;
}

static int ask(struct subject *s, size_t i, struct answer *out, struct err *e)
{
    struct question q = { .id = s->questions.ids[i] };
    if (s->questions.texts) q.text = s->questions.texts[i];
    else {
        q.vector = rows_at(s->questions.vectors.rows, i);
        q.dim = s->questions.vectors.rows.dim;
    }
    return pipeline_query(s->pipeline, &q, (size_t)s->data->k, out, e);
}

/* Share of the relevant entities of question q that are among its ids; NaN without any. */
static double share_found(const struct subject *s, size_t q)
{
    const struct subject_facts *f = &s->facts;
    size_t count, relevant = 0, found = 0;
    const struct label *labels = queries_labels(&s->questions, q, &count);
    for (size_t l = 0; l < count; l++) {
        if (labels[l].grade <= 0) continue;
        relevant++;
        for (size_t i = 0; i < f->k; i++) found += f->ids[q * f->k + i] == labels[l].id;
    }
    return relevant ? (double)found / (double)relevant : NAN;
}

static int look_rag(struct subject *s, struct err *e)
{
    struct subject_facts *f = &s->facts;
    int status = make_answers(s, s->questions.count, e);
    double share = 0;
    for (size_t q = 0; status == ERR_OK && q < f->queries; q++) {
        struct answer a;
        status = ask(s, q, &a, e);
        if (status != ERR_OK) break;
        for (size_t i = 0; i < a.count && i < f->k; i++) f->ids[q * f->k + i] = a.results[i].id;
        share += a.total_ns ? (double)a.trace[SLOT_RETRIEVE].ns / (double)a.total_ns : 0;
    }
    if (status != ERR_OK) return status;
    f->retrieve_share = share / (double)f->queries;
    if (s->data->qrels) f->quality = mem_alloc(f->queries, sizeof *f->quality);
    if (s->data->qrels && !f->quality) return FAIL(e, ERR_MEM, "%s: no memory for %zu queries", s->spec, f->queries);
    for (size_t q = 0; f->quality && q < f->queries; q++) f->quality[q] = share_found(s, q);
    f->result = hash64(0, f->ids, f->queries * f->k * sizeof *f->ids);
    pipeline_kernels(s->pipeline, &f->kernels);
    return ERR_OK;
}

/* --- all of them -------------------------------------------------------------------------------- */

static int find_kind(struct subject *s, const char *spec, struct err *e)
{
    s->spec = strdup(spec);
    char *colon = s->spec ? strchr(s->spec, ':') : NULL;
    if (!colon) return FAIL(e, s->spec ? ERR_ARG : ERR_MEM, "%s: not kernel:..., index:... or rag:...", spec);
    *colon = 0;
    s->rest = colon + 1;
    int kind = 0;
    while (kind < KIND_COUNT && strcmp(kind_names[kind], s->spec) != 0) kind++;
    if (kind == KIND_COUNT)
        return FAIL(e, ERR_ARG, "no '%s:'%s", s->spec, NEAREST(s->spec, kind_names, KIND_COUNT));
    s->kind = (enum kind)kind;
    char *at = kind == KIND_KERNEL ? NULL : strrchr(s->rest, '@');
    if (at) *at = 0;
    s->kernel_request = at ? at + 1 : NULL;
    return ERR_OK;
}

int subject_open(struct subject **out, const char *spec, const struct subject_data *d, struct err *e)
{
    static int (*const open[KIND_COUNT])(struct subject *, struct err *) = { open_kernel, open_index, open_rag };
    struct subject *s = mem_zero(1, sizeof *s);
    if (!s) return FAIL(e, ERR_MEM, "%s: no memory", spec);
    s->data = d;
    int status = find_kind(s, spec, e);
    if (status == ERR_OK) status = open[s->kind](s, e);
    if (status == ERR_OK) *out = s;
    else {
        subject_close(s);
        err_context(e, status, "%s", spec);
    }
    return status;
}

void subject_close(struct subject *s)
{
    if (!s) return;
    workload_destroy(s->workload);
    index_destroy(s->index);
    pipeline_close(s->pipeline);
    queries_close(&s->questions);
    dataset_close(&s->base_file);
    dataset_close(&s->query_file);
    mem_free(s->base_made);
    mem_free(s->query_made);
    mem_free(s->scratch);
    mem_free(s->hits);
    mem_free(s->facts.ids);
    mem_free(s->facts.quality);
    text_free(&s->facts.kernels);
    free(s->spec);
    mem_free(s);
}

double subject_run(void *subject, uint64_t iterations)
{
    struct subject *s = subject;
    if (s->kind == KIND_KERNEL) return workload_run(&s->arm, iterations);
    const uint64_t end = s->first + iterations;
    for (; s->first < end; s->first++) {
        if (s->kind == KIND_INDEX) {
            search_one(s, s->first % s->query.count);
            continue;
        }
        struct answer a;
        struct err e = { 0 };
        if (ask(s, s->first % s->questions.count, &a, &e) != ERR_OK && s->failed.code == ERR_OK) s->failed = e;
    }
    return -1;
}

void subject_place(void *subject, uint64_t first) { ((struct subject *)subject)->first = first; }

int subject_failed(const struct subject *s, struct err *e)
{
    if (s->failed.code != ERR_OK && e) *e = s->failed;
    return s->failed.code;
}

int subject_look(struct subject *s, const struct subject_facts **out, struct err *e)
{
    static int (*const look[KIND_COUNT])(struct subject *, struct err *) = { look_kernel, look_index, look_rag };
    if (!s->looked) {
        const int status = look[s->kind](s, e);
        if (status != ERR_OK) return status;
        s->looked = 1;
    }
    *out = &s->facts;
    return ERR_OK;
}
