/* SPDX-License-Identifier: MIT
 * cmd_query.c - one question, and for --explain what every stage made of it. */
#include "bench/points/rag.h"
#include "bench/command.h"
#include "kernels/base/mem.h"
#include "kernels/base/option.h"
#include "pipeline/pipeline.h"
#include "pipeline/stage.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many survivors of a stage are shown. */
enum { SHOWN = 5, NAME_WIDTH = 60 };

struct request {
    struct option_list words, settings;
    const char *kernel;
    int64_t k;
    int explain, json, trust;
};

/* The name of an entity, cut to a width; "?" when the database does not say. */
static const char *name_of(const struct pipeline *p, int64_t id, char out[NAME_WIDTH + 4])
{
    struct entity entity;
    struct text plain = { 0 };
    if (store_entity(pipeline_last(p)->store, id, &entity, NULL) != ERR_OK) return "?";
    text_add_plain(&plain, entity.name);
    snprintf(out, NAME_WIDTH + 4, plain.size > NAME_WIDTH ? "%.60s..." : "%.60s", text_of(&plain));
    text_free(&plain);
    return out;
}

/* "#7" or "#Pump 4": what the user calls an entity, in `out`. */
static const char *called(const struct pipeline *p, int64_t id, struct text *out)
{
    struct text own = { 0 };
    const int known = store_id_of(pipeline_last(p)->store, id, &own, NULL) == ERR_OK;
    text_clear(out);
    text_add(out, "#");
    text_add_plain(out, known ? text_of(&own) : "?");
    text_free(&own);
    return text_of(out);
}

static void print_hit(const struct pipeline *p, double score, int64_t id)
{
    char name[NAME_WIDTH + 4];
    struct text own = { 0 };
    printf("      %9.4f  %-9s %s\n", score, called(p, id, &own), name_of(p, id, name));
    text_free(&own);
}

static void print_more(size_t count)
{
    if (count > SHOWN) printf("      ... and %zu more\n", count - SHOWN);
}

static int by_vector(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    return (x->vector_score < y->vector_score) - (x->vector_score > y->vector_score);
}

static int by_combined(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    return (x->combined_score < y->combined_score) - (x->combined_score > y->combined_score);
}

/* The best `SHOWN` of some members of the pool. */
static void print_members(const struct pipeline *p, const struct member *from, size_t count, int combined)
{
    struct member *sorted = mem_alloc(count, sizeof *sorted);
    if (!sorted) return;
    if (count) memcpy(sorted, from, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, combined ? by_combined : by_vector);
    for (size_t i = 0; i < count && i < SHOWN; i++)
        print_hit(p, combined ? sorted[i].combined_score : (double)sorted[i].vector_score,
                  pipeline_kb(p)->graph.ids[sorted[i].entity]);
    print_more(count);
    mem_free(sorted);
}

static void print_survivors(const struct pipeline *p, const struct answer *a, enum slot slot)
{
    const struct query *q = pipeline_last(p);
    const size_t reranked = a->trace[SLOT_RERANK].out, came = q->pool_count - reranked;
    switch (slot) {
    case SLOT_RETRIEVE:
        for (size_t i = 0; i < a->candidate_count && i < SHOWN; i++)
            print_hit(p, (double)a->candidates[i].score, a->candidates[i].id);
        print_more(a->candidate_count);
        break;
    case SLOT_RERANK: print_members(p, q->pool, reranked, 0); break;
    case SLOT_EXPAND:
        if (came) printf("      %zu neighbours came in, the nearest:\n", came);
        print_members(p, q->pool + reranked, came, 0);
        break;
    case SLOT_SCORE: print_members(p, q->pool, q->pool_count, 1); break;
    default: break;
    }
}

static int is(const struct answer *a, enum slot slot, const char *stage) { return strcmp(a->trace[slot].stage, stage) == 0; }

/* What a stage did, from the stage that ran. */
static void explain(const struct pipeline *p, const struct answer *a, enum slot slot, struct text *out)
{
    const struct stage_ops *ops = stage_find(slot, a->trace[slot].stage);
    const char *retrieve = a->trace[SLOT_RETRIEVE].stage;
    text_clear(out);
    if (slot == SLOT_EMBED && !ops)
        text_add(out, "%s", is(a, slot, "given") ? "the vector came with the question" : "no vector: words alone are asked");
    else text_add(out, "%s", ops ? ops->summary : "");
    if (slot == SLOT_RETRIEVE && pipeline_index(p)) {
        text_add(out, ", ");
        index_spec(pipeline_index(p), out);
    }
    if (slot == SLOT_RERANK && !is(a, slot, "none") && strcmp(retrieve, "index") != 0)
        text_add(out, ", in place of the order of retrieve=%s", retrieve);
    if (slot == SLOT_FILTER && a->filtered) text_add(out, "; it dropped %zu", a->filtered);
}

static void print_stages(const struct pipeline *p, const struct answer *a)
{
    struct text said = { 0 };
    printf("  %-9s %-14s %8s    %-8s %10s\n", "stage", "by", "in", "out", "us");
    for (int s = 0; s < SLOT_COUNT; s++) {
        const struct stage_trace *t = &a->trace[s];
        explain(p, a, (enum slot)s, &said);
        printf("\n  %-9s %-14s %8llu -> %-8llu %10.1f   %s\n", slot_name((enum slot)s), t->stage,
               (unsigned long long)t->in, (unsigned long long)t->out, (double)t->ns * 1e-3, text_of(&said));
        print_survivors(p, a, (enum slot)s);
    }
    printf("\n  %-9s %-14s %8s    %-8s %10.1f   names and context of the results\n", "fetch", "", "", "",
           (double)a->fetch_ns * 1e-3);
    printf("  %-9s %-14s %8s    %-8s %10.1f   %llu SQL statements\n\n", "total", "", "", "",
           (double)a->total_ns * 1e-3, (unsigned long long)a->sql_statements);
    text_free(&said);
}

static void print_results(const struct pipeline *p, const struct answer *a, int detailed)
{
    struct text out = { 0 }, own = { 0 };
    if (a->count == 0) printf("no results\n");
    for (size_t i = 0; i < a->count; i++) {
        const struct result *r = &a->results[i];
        text_add(&out, "%3zu  %7.4f  %-9s ", i + 1, r->combined_score, called(p, r->id, &own));
        text_add_plain(&out, r->entity.name);
        text_add(&out, "  [");
        text_add_plain(&out, r->entity.type);
        text_add(&out, "]\n");
        if (!detailed) continue;
        text_add(&out, "     vector %.4f, graph %.4f\n", r->vector_score, r->graph_score);
        if (strcmp(r->entity.properties, "{}") != 0) {
            char some[201];
            snprintf(some, sizeof some, "%s", r->entity.properties);
            text_add(&out, "     ");
            text_add_plain(&out, some);
            text_add(&out, "\n");
        }
        for (size_t c = 0; c < r->context_count; c++) {
            text_add(&out, "     %s ", c ? "        " : "context:");
            text_add_plain(&out, r->context_entities[c].name);
            text_add(&out, "\n");
        }
    }
    fputs(text_of(&out), stdout);
    text_free(&out);
    text_free(&own);
}

/* An id as JSON: the number, or the user's own text. */
static void json_id(const struct pipeline *p, int64_t id, struct text *out)
{
    struct text own = { 0 };
    int64_t number;
    if (store_id_of(pipeline_last(p)->store, id, &own, NULL) == ERR_OK && text_is_i64(text_of(&own), &number))
        text_add(out, "%lld", (long long)number);
    else text_add_json(out, text_of(&own));
    text_free(&own);
}

/* Properties on one line, as JSON where they are; as a text where they are none, or hold what a terminal would obey. */
static void json_properties(sqlite3_stmt *minify, const char *properties, struct text *out)
{
    struct text plain = { 0 };
    sqlite3_reset(minify);
    sqlite3_bind_text(minify, 1, properties, -1, SQLITE_STATIC);
    const char *json = sqlite3_step(minify) == SQLITE_ROW ? (const char *)sqlite3_column_text(minify, 0) : NULL;
    if (json && strcmp(text_plain(&plain, json), json) == 0) text_add(out, "%s", json);
    else text_add_json(out, properties);
    text_free(&plain);
}

static void print_json(const struct pipeline *p, const struct answer *a)
{
    struct text out = { 0 };
    sqlite3_stmt *minify = NULL; /* stays NULL without memory: then they are texts */
    (void)sqlite3_prepare_v2(store_handle(pipeline_last(p)->store), "SELECT json(?1)", -1, &minify, NULL);
    for (size_t i = 0; i < a->count; i++) {
        const struct result *r = &a->results[i];
        text_add(&out, "{\"rank\":%zu,\"id\":", i + 1);
        json_id(p, r->id, &out);
        text_add(&out, ",\"combined_score\":%.9g,\"vector_score\":%.9g,\"graph_score\":%.9g,\"type\":", r->combined_score,
                 r->vector_score, r->graph_score);
        text_add_json(&out, r->entity.type);
        text_add(&out, ",\"name\":");
        text_add_json(&out, r->entity.name);
        text_add(&out, ",\"properties\":");
        json_properties(minify, r->entity.properties, &out);
        text_add(&out, ",\"context\":[");
        for (size_t c = 0; c < r->context_count; c++)
            text_add(&out, "%s", c ? "," : ""), json_id(p, r->context[c], &out);
        text_add(&out, "]}\n");
    }
    fputs(text_of(&out), stdout);
    sqlite3_finalize(minify);
    text_free(&out);
}

static int print_settings(struct err *e)
{
    struct param *table = pipeline_params();
    struct text out = { 0 };
    if (!table) return FAIL(e, ERR_MEM, "no memory for the settings");
    params_help(table, &out);
    fputs(text_of(&out), stdout);
    text_free(&out);
    mem_free(table);
    return ERR_OK;
}

/* 1 when the embedder made nothing of the question. */
static int is_zero(const struct answer *a)
{
    const size_t dim = (size_t)a->trace[SLOT_EMBED].out;
    size_t i = 0;
    while (a->vector && i < dim && a->vector[i] == 0) i++;
    return a->vector && i == dim;
}

/* Why a question's vector is zeros, where it is. */
static void say_zero(struct pipeline *p, const struct answer *a, const char *text)
{
    const char *then = strcmp(a->trace[SLOT_RETRIEVE].stage, "bm25") == 0 && !is(a, SLOT_RERANK, "none")
                           ? ", and rerank=none keeps the order of the words" : "";
    if (!is_zero(a)) return;
    const long known = pipeline_known_words(p, text);
    if (known == 0) fprintf(stderr, "no word of \"%s\" is known to this base: its vector is zeros, similar to nothing%s\n", text, then);
    else if (known > 0)
        fprintf(stderr, "the %ld known words of \"%s\" are in every text of this base and weigh nothing: its vector is zeros, "
                        "similar to nothing%s\n", known, text, then);
    else fprintf(stderr, "the vector of \"%s\" is zeros, similar to nothing%s\n", text, then);
}

static int run(int argc, char **argv, struct err *e)
{
    struct request r = { .k = 10, .kernel = "" };
    int list = 0;
    const struct option options[] = {
        { "-k", OPTION_INT, &r.k, 1, 1e6 },          { "--set", OPTION_LIST, &r.settings, 0, 0 },
        { "--kernel", OPTION_TEXT, &r.kernel, 0, 0 }, { "--explain", OPTION_FLAG, &r.explain, 0, 0 },
        { "--json", OPTION_FLAG, &r.json, 0, 0 },     { "--settings", OPTION_FLAG, &list, 0, 0 },
        { "--trust", OPTION_FLAG, &r.trust, 0, 0 },
        { 0 },
    };
    int status = options_parse(argc, argv, options, &r.words, e);
    if (status != ERR_OK) return status;
    if (list) return print_settings(e);
    trust_base(&r.settings, r.trust);
    if (r.words.count != 2)
        return FAIL(e, ERR_ARG, "a database and one question are wanted, not %d words",
                    r.words.count);
    struct pipeline *p = NULL;
    struct kernel_set kernels;
    struct answer a;
    const struct question question = { .text = r.words.at[1] };
    status = kernel_set_resolve(&kernels, r.kernel, e);
    if (status == ERR_OK)
        status = pipeline_open(&p, r.words.at[0], r.settings.at, (size_t)r.settings.count, &kernels, e);
    if (status == ERR_OK) status = pipeline_query(p, &question, (size_t)r.k, &a, e);
    if (status == ERR_OK) rag_warn(r.words.at[0], p);
    if (status == ERR_OK) say_zero(p, &a, question.text);
    if (status == ERR_OK && a.filtered && !r.explain)
        fprintf(stderr, "filter=%s dropped %zu of %llu\n", a.trace[SLOT_FILTER].stage, a.filtered,
                (unsigned long long)a.trace[SLOT_FILTER].in);
    if (status == ERR_OK && r.json) print_json(p, &a);
    else if (status == ERR_OK) {
        if (r.explain) printf("\"%s\" in %s\n\n", question.text, r.words.at[0]);
        if (r.explain && pipeline_build_s(p) > 0)
            printf("  the index was built first, in %.2f s\n\n", pipeline_build_s(p));
        if (r.explain) print_stages(p, &a);
        print_results(p, &a, r.explain);
    }
    pipeline_close(p);
    return status;
}

const struct command cmd_query = {
    .name = "query",
    .summary = "one question to a knowledge base; --explain shows what every stage did",
    .help =
        "usage: assay query DB \"text\" [-k N] [--explain] [--set KEY=VALUE ...]\n\n"
        "  -k N              results; default 10\n"
        "  --explain         time of every stage, what came in and went out, the best survivors with their\n"
        "                    scores, and the context of every result\n"
        "  --set KEY=VALUE   a setting of the pipeline, may be given often\n"
        "  --trust           a service that the base names (embed_url) may be sent the question; without it only\n"
        "                    one that --set embed_url repeats is\n"
        "  --settings        list every setting with bounds, default and meaning\n"
        "  --kernel K        as in assay ann; default: the best that this CPU runs\n"
        "  --json            one object a result and line\n\n"
        "example:\n"
        "  assay data import wordnet --out wordnet\n"
        "  assay query wordnet/kb.sqlite \"a small domesticated feline\" -k 5 --explain\n"
        "  assay query wordnet/kb.sqlite \"a small domesticated feline\" --set graph_depth=2 --set bit_width=4\n",
    .run = run,
};
