/* SPDX-License-Identifier: MIT
 * cmd_data.c - everything about data sets: what is known, fetched, imported, described, generated,
 * split, and the exact answers. */
#include "bench/command.h"
#include "bench/kb/data_get.h"
#include "bench/kb/data_info.h"
#include "bench/kb/kb_build.h"
#include "bench/quality/truth_file.h"
#include "datasets/dataset.h"
#include "datasets/intake.h"
#include "datasets/unit.h"
#include "datasets/whole_file.h"
#include "kernels/base/option.h"
#include "kernels/base/parallel.h"
#include "kernels/base/rng.h"
#include "kernels/base/text.h"
#include "pipeline/lexicon.h"
#include "pipeline/store.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- list ---------------------------------------------------------------------------------------- */
static int data_list(int argc, char **argv, struct err *e)
{
    const struct option options[] = { { 0 } };
    const int status = options_parse(argc, argv, options, NULL, e);
    if (status != ERR_OK) return status;
    for (size_t i = 0; reader_at(i); i++)
        printf("reader     %-12s %-28s %s\n", reader_at(i)->name, reader_at(i)->suffixes, reader_at(i)->summary);
    for (size_t i = 0; generator_at(i); i++) {
        struct text help = { 0 };
        const struct generator_ops *g = generator_at(i);
        params_help(g->params, &help);
        printf("generator  %-12s %s (%s)\n%s", g->name, g->summary,
               g->vectors ? "base.fvecs, query.fvecs"
               : g->graph ? "kb.sqlite, query.fvecs" : "{base,query}.metadata.spmat", text_of(&help));
        text_free(&help);
    }
    for (size_t i = 0; importer_at(i); i++)
        printf("importer   %-12s %s\n                        from %s (%s)\n", importer_at(i)->name,
               importer_at(i)->summary, importer_at(i)->from ? importer_at(i)->from : "--from PATH", importer_at(i)->get);
    data_sets_print();
    return ERR_OK;
}

/* --- get ------------------------------------------------------------------------------------------ */
static int data_get(int argc, char **argv, struct err *e)
{
    struct option_list rest = { 0 };
    const char *from = NULL, *folder = NULL;
    const struct option options[] = {
        { "--from", OPTION_TEXT, &from, 0, 0 }, { "--out", OPTION_TEXT, &folder, 0, 0 }, { 0 }
    };
    const int status = options_parse(argc, argv, options, &rest, e);
    if (status != ERR_OK) return status;
    if (rest.count != 1) return FAIL(e, ERR_ARG, "get needs one set (assay data list shows them)");
    if (!from != !folder) return FAIL(e, ERR_ARG, "get needs both --from and --out, or neither");
    return data_get_set(rest.at[0], from, folder, e);
}

/* --- gen ----------------------------------------------------------------------------------------- */
enum { PARAMS_MAX = 32, OPTION_MAX = 40 };

static int no_generator(const char *kind, struct err *e)
{
    const char *names[PARAMS_MAX];
    size_t count = 0;
    for (; generator_at(count) && count < PARAMS_MAX; count++) names[count] = generator_at(count)->name;
    if (!*kind) return FAIL(e, ERR_ARG, "gen needs --kind (assay data list shows them)");
    return FAIL(e, ERR_ARG, "--kind %s: no such generator%s", kind, NEAREST(kind, names, count));
}

/* --kind has to be known before the other options can be. */
static const char *kind_of(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--kind=", 7) == 0) return argv[i] + 7;
        if (strcmp(argv[i], "--kind") == 0 && i + 1 < argc) return argv[i + 1];
    }
    return "";
}

static int path_in(struct text *out, const char *folder, const char *name, struct err *e)
{
    text_clear(out);
    text_add(out, "%s/%s", folder, name);
    return out->failed ? FAIL(e, ERR_MEM, "%s/%s: no memory for its name", folder, name) : ERR_OK;
}

static int write_rows(const char *folder, const char *name, struct rows rows, struct err *e)
{
    struct text path = { 0 };
    int status = path_in(&path, folder, name, e);
    if (status == ERR_OK) status = dataset_write_fvecs(text_of(&path), rows, e);
    if (status == ERR_OK) printf("%-40s %zu x %zu f32\n", text_of(&path), rows.count, rows.dim);
    text_free(&path);
    return status;
}

static int gen_vectors(const struct generator_ops *g, const struct params *p, const char *folder, struct err *e)
{
    struct rows base, query;
    int status = g->vectors(p, &base, &query, e);
    if (status != ERR_OK) return status;
    status = write_rows(folder, "query.fvecs", query, e); /* the base last: where it is, all is */
    if (status == ERR_OK) status = write_rows(folder, "base.fvecs", base, e);
    mem_free((void *)(uintptr_t)base.at);
    mem_free((void *)(uintptr_t)query.at);
    return status;
}

static void print_counts(const char *folder, const struct kb_build_counts *n)
{
    printf("%s/kb.sqlite: %llu entities, %llu vectors, %llu relations; %llu queries", folder,
           (unsigned long long)n->entities, (unsigned long long)n->vectors, (unsigned long long)n->relations,
           (unsigned long long)n->queries);
    if (n->words) printf("; embedded over %llu words", (unsigned long long)n->words);
    else if (n->vectors) printf("; vectors as they came");
    printf("\n");
}

static int gen_graph(const struct generator_ops *g, const struct params *p, const char *folder, struct err *e)
{
    const struct kb_build_options options = { .folder = folder, .what = g->name };
    struct kb_build *b = NULL;
    struct kb_build_counts counts;
    int status = kb_build_open(&b, &options, e);
    if (status != ERR_OK) return status;
    const struct kb_sink sink = kb_build_sink(b);
    status = g->graph(p, &sink, e);
    if (status == ERR_OK) status = kb_build_commit(b, &counts, e);
    kb_build_close(b);
    if (status == ERR_OK) print_counts(folder, &counts);
    return status;
}

static int write_tags(const char *folder, const char *name, const struct tags *t, const char *what, struct err *e)
{
    struct text path = { 0 };
    int status = path_in(&path, folder, name, e);
    if (status == ERR_OK) status = tags_write(text_of(&path), t, e);
    if (status == ERR_OK)
        printf("%-40s %zu %s, %zu tags, %lld entries\n", text_of(&path), t->rows, what, t->tags,
               (long long)t->start[t->rows]);
    text_free(&path);
    return status;
}

static int gen_filters_of(const struct generator_ops *g, const struct params *p, const char *folder, struct err *e)
{
    struct tags base, query;
    int status = g->filters(p, &base, &query, e);
    if (status != ERR_OK) return status;
    status = write_tags(folder, "query.metadata.spmat", &query, "queries", e);
    if (status == ERR_OK) status = write_tags(folder, "base.metadata.spmat", &base, "base rows", e);
    tags_free(&base);
    tags_free(&query);
    return status;
}

/* One option a parameter of the generator, named as the table names it. */
static int gen_options(const struct generator_ops *g, int argc, char **argv, struct params *p, const char **folder,
                       struct err *e)
{
    char names[PARAMS_MAX][OPTION_MAX];
    const char *values[PARAMS_MAX] = { 0 }, *kind;
    struct option options[PARAMS_MAX + 3] = { { "--kind", OPTION_TEXT, &kind, 0, 0 },
                                              { "--out", OPTION_TEXT, folder, 0, 0 } };
    size_t count = 0;
    for (; g->params[count].name && count < PARAMS_MAX; count++) {
        snprintf(names[count], sizeof names[count], "--%s", g->params[count].name);
        options[count + 2] = (struct option){ names[count], OPTION_TEXT, &values[count], 0, 0 };
    }
    int status = options_parse(argc, argv, options, NULL, e);
    for (size_t i = 0; status == ERR_OK && i < count; i++)
        if (values[i]) status = params_set(p, g->params[i].name, values[i], e);
    if (status == ERR_OK && !*folder) status = FAIL(e, ERR_ARG, "gen needs --out DIR");
    return status;
}

static int data_gen(int argc, char **argv, struct err *e)
{
    const struct generator_ops *g = generator_find(kind_of(argc, argv));
    if (!g) return no_generator(kind_of(argc, argv), e);
    struct params *p = NULL;
    const char *folder = NULL;
    int status = params_create(&p, g->params, g->name, NULL, e);
    if (status == ERR_OK) status = gen_options(g, argc, argv, p, &folder, e);
    if (status == ERR_OK) status = make_folder(folder, e);
    if (status == ERR_OK) status = (g->vectors ? gen_vectors : g->graph ? gen_graph : gen_filters_of)(g, p, folder, e);
    params_destroy(p);
    return status;
}

/* --- import ---------------------------------------------------------------------------------------- */
static const struct importer_ops *find_importer(const struct option_list *rest, struct err *e)
{
    const char *names[PARAMS_MAX];
    size_t count = 0;
    for (; importer_at(count) && count < PARAMS_MAX; count++) names[count] = importer_at(count)->name;
    if (rest->count != 1) {
        (void)FAIL(e, ERR_ARG, "import needs one name (assay data list shows them)");
        return NULL;
    }
    const struct importer_ops *importer = importer_find(rest->at[0]);
    if (!importer)
        (void)FAIL(e, ERR_ARG, "import %s: no such importer%s", rest->at[0], NEAREST(rest->at[0], names, count));
    return importer;
}

static int import(const struct importer_ops *importer, const char *from, const struct kb_build_options *options,
                  struct err *e)
{
    struct kb_build *b = NULL;
    struct kb_build_counts counts;
    int status = kb_build_open(&b, options, e);
    if (status != ERR_OK) return status;
    const struct kb_sink sink = kb_build_sink(b);
    status = importer->run(from, &sink, e);
    if (status == ERR_NOT_FOUND) status = err_context(e, status, "%s (%s)", importer->name, importer->get);
    if (status == ERR_OK) status = kb_build_commit(b, &counts, e);
    if (status == ERR_OK) command_notes(importer->name, kb_build_notes(b));
    kb_build_close(b);
    if (status == ERR_OK) print_counts(options->folder, &counts);
    return status;
}

static int data_import(int argc, char **argv, struct err *e)
{
    struct option_list rest = { 0 };
    const char *from = NULL, *folder = NULL;
    const char *embed = NULL;
    struct option_list columns = { 0 };
    int drop = 0;
    int64_t dim = 0, seed = 1, threads = parallel_cpus();
    const struct option options[] = {
        { "--from", OPTION_TEXT, &from, 0, 0 },        { "--out", OPTION_TEXT, &folder, 0, 0 },
        { "--dim", OPTION_INT, &dim, 2, LEXICON_DIM_MAX }, { "--embed", OPTION_TEXT, &embed, 0, 0 }, { "--seed", OPTION_INT, &seed, 0, 9e15 },
        { "--threads", OPTION_INT, &threads, 1, 256 }, { "--columns", OPTION_LIST, &columns, 0, 0 },
        { "--drop-unjudgeable", OPTION_FLAG, &drop, 0, 0 }, { 0 }
    };
    const int status = options_parse(argc, argv, options, &rest, e);
    if (status != ERR_OK) return status;
    const struct importer_ops *importer = find_importer(&rest, e);
    if (!importer) return ERR_ARG;
    if (!folder) return FAIL(e, ERR_ARG, "import needs --out DIR");
    if (!from) from = importer->from;
    if (!from) return FAIL(e, ERR_ARG, "import %s needs --from PATH: %s", importer->name, importer->get);
    if (columns.count && strcmp(importer->name, "tsv") != 0)
        return FAIL(e, ERR_ARG, "--columns is for import tsv, not %s", importer->name);
    const struct kb_wishes wishes = { columns.at, (size_t)columns.count };
    const struct kb_build_options build = { .folder = folder, .what = importer->name, .embed = embed, .own_vectors = embed != NULL,
                                            .drop_unjudgeable = drop, .wishes = &wishes, .dim = (size_t)dim,
                                            .seed = (uint64_t)seed, .threads = (int)threads };
    return import(importer, from, &build, e);
}

/* --- truth --------------------------------------------------------------------------------------- */
static int open_floats(struct dataset *d, const char *path, struct err *e)
{
    const int status = dataset_open(d, path, e);
    if (status != ERR_OK || d->rows.at) return status;
    dataset_close(d);
    return FAIL(e, ERR_ARG, "%s: holds ids (%s), vectors are needed", path, element_name(d->element));
}

struct truth_wishes {
    const char *base, *query, *metric, *out, *kernel, *shard, *base_tags, *query_tags;
    int64_t k, threads, merge;
    int self;
};

/* "I/N", I from 0. */
static int parse_shard(const char *text, size_t *shard, size_t *shards, struct err *e)
{
    char *slash = strchr(text, '/'), first[32];
    int64_t i = -1, n = -1;
    if (slash && (size_t)(slash - text) < sizeof first) {
        snprintf(first, sizeof first, "%.*s", (int)(slash - text), text);
        if (!text_to_i64(first, &i) || !text_to_i64(slash + 1, &n)) i = -1;
    }
    if (i < 0 || n < 1 || i >= n || n > 100000) return FAIL(e, ERR_ARG, "--shard %s: not I/N with 0 <= I < N", text);
    *shard = (size_t)i;
    *shards = (size_t)n;
    return ERR_OK;
}

/* The filter of the two files of tags. */
static int open_filter(const struct truth_wishes *w, struct tags *by_tag, struct tags *query, uint64_t *hash,
                       struct err *e)
{
    struct tags base = { 0 };
    if (!w->base_tags != !w->query_tags) return FAIL(e, ERR_ARG,
                                                     "truth needs both --base-tags and --query-tags, or neither");
    if (!w->base_tags) return ERR_OK;
    int status = tags_read(&base, w->base_tags, e);
    if (status == ERR_OK) status = tags_read(query, w->query_tags, e);
    if (status == ERR_OK) status = tags_transpose(by_tag, &base, e);
    const uint64_t parts[2] = { status == ERR_OK ? tags_hash(&base) : 0, status == ERR_OK ? tags_hash(query) : 0 };
    *hash = hash64(0, parts, sizeof parts);
    tags_free(&base);
    return status;
}

static void say_truth(const struct truth_wishes *w, const struct truth_done *done, const char *metric, size_t shard,
                      size_t shards)
{
    if (w->merge) printf("%-40s %zu x %zu ids, of %zu shards\n", w->out, done->found, done->k, (size_t)w->merge);
    else if (shards > 1) printf("%-40s shard %zu of %zu: ", w->out, shard, shards);
    else printf("%-40s ", w->out);
    if (w->merge) return;
    printf("%zu x %zu ids, %s", done->found + done->computed, done->k, metric);
    if (done->found) printf("; %zu were there", done->found);
    printf("; a tie over the last place in %zu", done->tied);
    if (done->rescored)
        printf("; %zu by a first pass in bf16, %.1f rows a query scored again", done->by_coarse,
               (double)done->rescored / (double)done->computed);
    printf("\n");
}

/* What was said, else the file's own distance, else cosine; where they differ, that is told. */
static int truth_metric(const struct truth_wishes *w, const char *file, enum metric *out, struct err *e)
{
    const char *own = metric_of_distance(file);
    if (!w->metric && *file && !own)
        return FAIL(e, ERR_ARG, "%s: its distance is '%s', which is none of cosine, dot and l2: say --metric", w->base, file);
    const int status = metric_parse(w->metric ? w->metric : own ? own : "cosine", out, e);
    if (status == ERR_OK && *file && (!own || strcmp(metric_name(*out), own) != 0))
        fprintf(stderr, "%s: metric %s, where the file's own distance is %s\n", w->base, metric_name(*out), file);
    return status;
}

static int write_truth(const struct truth_wishes *w, struct err *e)
{
    struct dataset base = { 0 }, query = { 0 };
    struct tags by_tag = { 0 }, query_tags = { 0 };
    struct kernel_set kernels;
    struct truth_job job = { .k = (size_t)w->k, .threads = (int)w->threads, .kernels = w->kernel ? &kernels : NULL };
    struct truth_key key = { 0 };
    struct truth_done done = { 0 };
    size_t shard = 0, shards = 1;
    int status = w->metric ? metric_parse(w->metric, &job.metric, e) : ERR_OK;
    if (status == ERR_OK) status = kernel_set_resolve(&kernels, w->kernel, e);
    if (status == ERR_OK && w->shard) status = parse_shard(w->shard, &shard, &shards, e);
    if (status == ERR_OK) status = open_floats(&base, w->base, e);
    if (status == ERR_OK) status = truth_metric(w, base.metric, &job.metric, e);
    if (status == ERR_OK && !w->self) status = open_floats(&query, w->query, e);
    if (status == ERR_OK) status = open_filter(w, &by_tag, &query_tags, &key.filter, e);
    if (status == ERR_OK) {
        job.base = base.rows;
        job.query = w->self ? base.rows : query.rows;
        job.self = w->self;
        if (w->base_tags) job.rows_by_tag = &by_tag, job.query_tags = &query_tags;
        key.base = base.content_hash;
        key.query = w->self ? hash64(base.content_hash, "self", 4) : query.content_hash;
        status = truth_to_file(w->out, &job, &key, shard, shards, &done, e);
    }
    size_t first = 0, zeros = status == ERR_OK && job.metric == METRIC_COSINE ? rows_zeros(job.base, &first) : 0;
    if (zeros) fprintf(stderr, "truth: %zu base vectors of zeros, similar to nothing (the first: row %zu)\n", zeros, first);
    if (status == ERR_OK && job.metric == METRIC_COSINE && !w->self && (zeros = rows_zeros(job.query, &first)) > 0)
        fprintf(stderr, "truth: %zu queries of zeros, similar to nothing (the first: row %zu)\n", zeros, first);
    if (status == ERR_OK) say_truth(w, &done, metric_name(job.metric), shard, shards);
    tags_free(&by_tag);
    tags_free(&query_tags);
    dataset_close(&base);
    dataset_close(&query);
    return status;
}

static int data_truth(int argc, char **argv, struct err *e)
{
    struct truth_wishes w = { .k = 100, .threads = parallel_cpus() };
    const struct option options[] = {
        { "--base", OPTION_TEXT, &w.base, 0, 0 },           { "--query", OPTION_TEXT, &w.query, 0, 0 },
        { "--metric", OPTION_TEXT, &w.metric, 0, 0 },       { "--out", OPTION_TEXT, &w.out, 0, 0 },
        { "--kernel", OPTION_TEXT, &w.kernel, 0, 0 },       { "-k", OPTION_INT, &w.k, 1, 1e6 },
        { "--threads", OPTION_INT, &w.threads, 1, 256 },    { "--shard", OPTION_TEXT, &w.shard, 0, 0 },
        { "--base-tags", OPTION_TEXT, &w.base_tags, 0, 0 }, { "--query-tags", OPTION_TEXT, &w.query_tags, 0, 0 },
        { "--merge", OPTION_INT, &w.merge, 1, 1e5 },        { "--self", OPTION_FLAG, &w.self, 0, 0 },
        { 0 }
    };
    struct truth_done done = { 0 };
    int status = options_parse(argc, argv, options, NULL, e);
    if (status == ERR_OK && !w.out) status = FAIL(e, ERR_ARG, "truth needs --out FILE");
    if (status == ERR_OK && !w.merge && (!w.base || !w.query == !w.self))
        status = FAIL(e, ERR_ARG, "truth needs --base, --query or --self, and --out");
    if (status == ERR_OK && w.merge && (w.base || w.query || w.shard))
        status = FAIL(e, ERR_ARG, "truth --merge N joins what is there: it takes --out alone");
    if (status != ERR_OK || !w.merge) return status == ERR_OK ? write_truth(&w, e) : status;
    status = truth_merge(w.out, (size_t)w.merge, &done, e);
    if (status == ERR_OK) say_truth(&w, &done, "", 0, 1);
    return status;
}

/* --- split --------------------------------------------------------------------------------------- */
/* Rows named by pick, copied: NULL without memory. */
static float *copy_rows(struct rows from, const uint32_t *pick, size_t count)
{
    float *to = mem_alloc(count * from.dim, sizeof *to);
    for (size_t i = 0; to && i < count; i++) memcpy(to + i * from.dim, rows_at(from, pick[i]), from.dim * sizeof *to);
    return to;
}

static int write_picked(const char *folder, const char *name, struct rows from, const uint32_t *pick, size_t count,
                        struct err *e)
{
    float *rows = copy_rows(from, pick, count);
    if (!rows) return FAIL(e, ERR_MEM, "split: no memory for %zu rows", count);
    const int status = write_rows(folder, name, (struct rows){ rows, count, from.dim, from.dim }, e);
    mem_free(rows);
    return status;
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int compare_u32(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Held-out rows that a row of the base equals, bit for bit: they are found whatever the method. */
static size_t count_repeated(struct rows all, const uint32_t *order, size_t queries)
{
    size_t repeated = 0;
    uint64_t *hashes = mem_alloc(all.count, sizeof *hashes);
    for (size_t i = 0; hashes && i < all.count; i++) hashes[i] = hash64(0, rows_at(all, order[i]), all.dim * sizeof(float));
    if (hashes) qsort(hashes + queries, all.count - queries, sizeof *hashes, compare_u64);
    for (size_t i = 0; hashes && i < queries; i++)
        repeated += bsearch(hashes + i, hashes + queries, all.count - queries, sizeof *hashes, compare_u64) != NULL;
    mem_free(hashes);
    return repeated;
}

static int split(struct rows all, size_t queries, uint64_t seed, const char *folder, struct err *e)
{
    if (queries >= all.count)
        return FAIL(e, ERR_ARG, "--queries %zu of %zu rows leaves no base", queries, all.count);
    if (all.count > INT32_MAX) return FAIL(e, ERR_ARG, "split: %zu rows, at most 2147483647", all.count);
    uint32_t *order = mem_alloc(all.count, sizeof *order);
    if (!order) return FAIL(e, ERR_MEM, "split: no memory for %zu rows", all.count);
    struct rng r;
    struct text path = { 0 };
    rng_seed(&r, seed, 0);
    rng_shuffle(&r, order, all.count);
    /* Both parts keep the order of the file. */
    qsort(order, queries, sizeof *order, compare_u32);
    qsort(order + queries, all.count - queries, sizeof *order, compare_u32);
    int status = write_picked(folder, "query.fvecs", all, order, queries, e);
    if (status == ERR_OK) status = write_picked(folder, "base.fvecs", all, order + queries, all.count - queries, e);
    if (status == ERR_OK) status = path_in(&path, folder, "base_rows.ivecs", e);
    if (status == ERR_OK)
        status = dataset_write_ivecs(text_of(&path), (const int32_t *)order + queries, all.count - queries, 1, e);
    if (status == ERR_OK) printf("%-40s row of each base vector in the original\n", text_of(&path));
    const size_t repeated = status == ERR_OK ? count_repeated(all, order, queries) : 0;
    if (repeated)
        fprintf(stderr, "split: %zu of the %zu queries equal a row of the base, bit for bit: each finds itself\n", repeated, queries);
    text_free(&path);
    mem_free(order);
    return status;
}

static int data_split(int argc, char **argv, struct err *e)
{
    const char *base_path = NULL, *folder = NULL;
    int64_t queries = 1000, seed = 1;
    const struct option options[] = {
        { "--base", OPTION_TEXT, &base_path, 0, 0 }, { "--out", OPTION_TEXT, &folder, 0, 0 },
        { "--queries", OPTION_INT, &queries, 1, INT32_MAX }, { "--seed", OPTION_INT, &seed, 0, 9e15 }, { 0 }
    };
    int status = options_parse(argc, argv, options, NULL, e);
    if (status == ERR_OK && (!base_path || !folder)) status = FAIL(e, ERR_ARG, "split needs --base and --out");
    struct dataset d = { 0 };
    if (status == ERR_OK) status = open_floats(&d, base_path, e);
    if (status == ERR_OK) status = make_folder(folder, e);
    if (status == ERR_OK) status = split(d.rows, (size_t)queries, (uint64_t)seed, folder, e);
    dataset_close(&d);
    return status;
}

/* --- info ---------------------------------------------------------------------------------------- */
static int data_info(int argc, char **argv, struct err *e)
{
    struct option_list files = { 0 };
    struct info_wishes wishes = { .threads = parallel_cpus() };
    const char *query_path = NULL;
    enum metric any;
    const struct option options[] = {
        { "--query", OPTION_TEXT, &query_path, 0, 0 }, { "--metric", OPTION_TEXT, &wishes.metric, 0, 0 },
        { "--plot", OPTION_TEXT, &wishes.plot, 0, 0 }, { "--json", OPTION_FLAG, &wishes.json, 0, 0 }, { 0 }
    };
    int status = options_parse(argc, argv, options, &files, e);
    if (status == ERR_OK && wishes.metric) status = metric_parse(wishes.metric, &any, e);
    if (status == ERR_OK && files.count == 0) status = FAIL(e, ERR_ARG, "info needs a file");
    if (status == ERR_OK && query_path && files.count != 1)
        status = FAIL(e, ERR_ARG, "info --query needs one file, their base; %d were given", files.count);
    struct dataset query = { 0 };
    if (status == ERR_OK && query_path) status = open_floats(&query, query_path, e);
    wishes.query_path = query_path;
    wishes.query = query.rows;
    for (int i = 0; status == ERR_OK && i < files.count; i++) status = data_info_print(files.at[i], &wishes, e);
    dataset_close(&query);
    return status;
}

/* --- queries ------------------------------------------------------------------------------------- */
/* Query i is the vector of a random entity, turned by noise: x/|x| + noise u, u a random unit
 * vector; the entity itself is its one label. */
static int write_synthetic(struct store *store, const struct vectors *v, size_t count, double noise, uint64_t seed, const char *folder,
                           struct err *e)
{
    const size_t dim = v->rows.dim;
    struct whole_file qrels = { 0 };
    struct text path = { 0 }, id = { 0 };
    float *rows = mem_alloc(count * dim, sizeof *rows);
    int status = rows ? path_in(&path, folder, "synthetic.qrels.txt", e) : FAIL(e, ERR_MEM, "queries: no memory");
    if (status == ERR_OK) status = whole_file_open(&qrels, text_of(&path), e);
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        struct rng r;
        rng_seed(&r, seed, 2 * i);
        const size_t row = (size_t)rng_below(&r, v->rows.count);
        float *x = rows + i * dim;
        const float *from = rows_at(v->rows, row);
        const double square = fixed_dot(from, from, dim), scale = square > 0 ? 1 / sqrt(square) : 0;
        unit_random(x, dim, seed, 2 * i + 1);
        for (size_t c = 0; c < dim; c++) x[c] = (float)(scale * from[c] + noise * x[c]);
        unit_make(x, dim);
        text_clear(&id);
        status = store_id_of(store, v->ids[row], &id, e);
        if (status == ERR_OK && id_fault(text_of(&id), id.size))
            status = FAIL(e, ERR_ARG, "%s: the id '%.80s': %s", store_path(store), text_of(&id), id_fault(text_of(&id), id.size));
        if (status == ERR_OK) fprintf(qrels.to, "%zu\t0\t%s\t1\n", i, text_of(&id));
    }
    if (status == ERR_OK) status = write_rows(folder, "synthetic.query.fvecs", (struct rows){ rows, count, dim, dim }, e);
    if (status == ERR_OK) status = whole_file_commit(&qrels, e);
    if (status == ERR_OK) printf("%-40s the entity that each was made from\n", text_of(&path));
    whole_file_abandon(&qrels);
    text_free(&id);
    text_free(&path);
    mem_free(rows);
    return status;
}

static int data_queries(int argc, char **argv, struct err *e)
{
    struct option_list rest = { 0 };
    const char *folder = NULL;
    int64_t n = 2000, seed = 1;
    double noise = 0.5;
    const struct option options[] = {
        { "--n", OPTION_INT, &n, 1, 1e8 },           { "--noise", OPTION_REAL, &noise, 0, 100 },
        { "--seed", OPTION_INT, &seed, 0, 9e15 },    { "--out", OPTION_TEXT, &folder, 0, 0 }, { 0 }
    };
    int status = options_parse(argc, argv, options, &rest, e);
    if (status != ERR_OK) return status;
    if (rest.count != 1 || !folder) return FAIL(e, ERR_ARG, "queries needs one DB and --out DIR");
    struct store *store = NULL;
    struct vectors v = { 0 };
    status = store_open(&store, rest.at[0], STORE_READ, e);
    if (status == ERR_OK) status = store_vectors(store, &v, e);
    if (status == ERR_OK && v.rows.count == 0) status = FAIL(e, ERR_ARG, "%s: holds no vectors", rest.at[0]);
    if (status == ERR_OK) status = make_folder(folder, e);
    if (status == ERR_OK) status = write_synthetic(store, &v, (size_t)n, noise, (uint64_t)seed, folder, e);
    vectors_free(&v);
    store_close(store);
    return status;
}

static const struct subverb actions[] = {
    { "list", data_list }, { "get", data_get },     { "import", data_import }, { "info", data_info },
    { "gen", data_gen },   { "split", data_split }, { "truth", data_truth },   { "queries", data_queries },
    { 0 },
};

static int run(int argc, char **argv, struct err *e) { return command_action(actions, argc, argv, e); }

const struct command cmd_data = {
    .name = "data",
    .summary = "data sets: list, get, import, info, gen, split, truth, queries",
    .help =
        "usage: assay data list                                    readers, generators with parameters, importers\n"
        "       assay data info FILE... [--query FILE] [--metric M] [--plot DIR] [--json]     what a set is like\n"
        "       assay data get SET [--from FOLDER --out DIR]       files and home of a public set; copy and verify\n"
        "       assay data import NAME [--from PATH] [--embed rp|lsa] [--dim N] [--seed N]\n"
        "                         [--columns FILE=NAME,NAME,...]... [--drop-unjudgeable] --out DIR\n"
        "       assay data gen --kind KIND [--PARAM VALUE]... --out DIR\n"
        "       assay data split --base FILE [--queries N] [--seed N] --out DIR\n"
        "       assay data truth --base FILE --query FILE [-k N] [--metric M] [--shard I/N] --out FILE.ivecs\n"
        "       assay data truth --base FILE --self [-k N] [--metric M] --out FILE.ivecs    (each row's nearest others)\n"
        "       assay data truth --merge N --out FILE.ivecs\n"
        "       assay data queries DB [--n N] [--noise X] [--seed N] --out DIR\n"
        "\n"
        "  import writes kb.sqlite, queries and qrels; texts become linear text features:\n"
        "         --embed NAME   rp (tf-idf x Gaussian projection) or lsa (x singular vectors), default rp; said, also\n"
        "                        where the source brings vectors of its own\n"
        "         --dim N        of the vectors, default 384\n"
        "         --seed N       of the projection, default 1\n"
        "         --from PATH    default: where the importer's package puts it (assay data list)\n"
        "         --columns F=N,N,...   tsv: what the columns of a table without a line of names are, as\n"
        "                        --columns corpus.tsv=id,title,text\n"
        "         --drop-unjudgeable    labels of documents that are not there and questions without a text; else\n"
        "                        they are kept, as trec_eval does: relevant and never found\n"
        "  gen    generators of vectors write base.fvecs and query.fvecs, of graphs kb.sqlite and query.fvecs,\n"
        "         filters {base,query}.metadata.spmat (tags of rows, as big-ann's); kinds, parameters: data list\n"
        "  split  --queries N    rows held out as queries, default 1000\n"
        "         --seed N       default 1\n"
        "  info   lengths, repeated rows, cosines of pairs and neighbours, relative contrast, local dimension, hubs,\n"
        "         spectrum; of queries also whether they are like the base or in it, and strata of difficulty\n"
        "         --query FILE   queries against the one FILE\n"
        "         --metric M     of contrast and local dimension: cosine|dot|l2, default: the file's own distance, else cosine\n"
        "         --plot DIR     one page of figures, DIR/<name>.{png,svg,pdf}, and what it is drawn from\n"
        "  truth  -k N           neighbours a query, default 100\n"
        "         --metric M     cosine|dot|l2, default: the file's own distance (ann-benchmarks), else cosine\n"
        "         --threads N    default: the CPUs of this process\n"
        "         --kernel SPEC  kernels of the first pass, default: the best of this CPU, and before them a pass in\n"
        "                        bf16 where it pays (auto: without it); the ids are the same\n"
        "         --base-tags FILE --query-tags FILE  (.spmat) only rows with all tags of the query; else -1\n"
        "         --shard I/N    a part of the queries, into FILE.shard-I-of-N; --merge N joins them.  A run that\n"
        "                        was stopped goes on where it stood\n"
        "  queries  synthetic ones, where there is no log: vectors of random entities + noise x a random unit\n"
        "           vector, and qrels that name the entity; --n default 2000, --noise .5, --seed 1\n"
        "\n"
        "example: assay data import wordnet --out wordnet\n"
        "         assay data gen --kind clustered --n 100000 --dim 384 --queries 1000 --seed 1 --out d\n"
        "         assay data truth --base d/base.fvecs --query d/query.fvecs -k 100 --metric cosine --out d/truth.ivecs\n",
    .run = run,
};
