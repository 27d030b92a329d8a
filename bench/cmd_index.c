/* SPDX-License-Identifier: MIT
 * cmd_index.c - indexes in files: build, look into, search. */
#include "bench/command.h"
#include "datasets/dataset.h"
#include "datasets/whole_file.h"
#include "index/index.h"
#include "index/persist.h"
#include "kernels/base/clock.h"
#include "kernels/base/mem.h"
#include "kernels/base/option.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct request {
    struct option_list words;
    const char *base, *query, *metric, *kernel, *out, *spec, *format;
    int64_t k, batch, threads, seed, dim;
    int json, angle, maps;
};

static void print_stats(const struct index *ix, int json, const char *more)
{
    struct index_stats s;
    struct text spec = { 0 };
    ix->ops->stats(ix, &s);
    index_spec(ix, &spec);
    if (json) {
        struct text out = { 0 };
        text_add(&out, "{\"index\":");
        text_add_json(&out, text_of(&spec));
        text_add(&out,
                 ",\"metric\":\"%s\",\"n\":%" PRIu64 ",\"dim\":%zu,\"seed\":%" PRIu64
                 ",\"bytes_per_vector\":%.9g,"
                 "\"code_bytes\":%" PRIu64 ",\"side_bytes\":%" PRIu64 ",\"other_bytes\":%" PRIu64
                 "%s}\n",
                 metric_name(ix->config.metric), s.rows, ix->config.dim, ix->config.seed,
                 index_bytes_per_vector(&s), s.code_bytes, s.side_bytes, s.other_bytes,
                 more);
        fputs(text_of(&out), stdout);
        text_free(&out);
    } else {
        printf("index    %s\nmetric   %s\nvectors  %" PRIu64 " x %zu\nseed     %" PRIu64 "\n", text_of(&spec),
               metric_name(ix->config.metric), s.rows, ix->config.dim, ix->config.seed);
        printf("bytes    %.1f a vector: %" PRIu64 " of codes, %" PRIu64 " of side data; %" PRIu64 " once\n",
               index_bytes_per_vector(&s), s.code_bytes, s.side_bytes, s.other_bytes);
    }
    text_free(&spec);
}

/* Makes r->spec of --base, or (--dim) empty: an upstream:db=FILE brings its own rows. */
static int make(const struct request *r, struct index **ix, struct kernel_set *kernels, uint64_t *fingerprint,
                struct err *e)
{
    struct dataset base = { 0 };
    struct index_config config = { .dim = (size_t)r->dim, .seed = (uint64_t)r->seed, .threads = (int)r->threads,
                                   .kernels = kernels };
    int status = metric_parse(r->metric, &config.metric, e);
    if (status == ERR_OK) status = kernel_set_resolve(kernels, r->kernel, e);
    if (status == ERR_OK && r->base) status = dataset_open(&base, r->base, e);
    if (status == ERR_OK && r->base && !base.rows.at) status = FAIL(e, ERR_FORMAT, "%s holds no vectors", r->base);
    if (r->base) config.dim = base.rows.dim;
    if (status == ERR_OK) status = index_create(ix, r->spec, &config, e);
    if (status == ERR_OK && r->base) status = index_train(*ix, base.rows, e);
    if (status == ERR_OK && r->base) status = index_add(*ix, base.rows, NULL, e);
    struct text doubt = { 0 };
    if (status == ERR_OK && r->base) index_doubt(r->spec, base.rows.count, &doubt);
    if (doubt.size) fprintf(stderr, "index: %s\n", text_of(&doubt));
    size_t first = 0, zeros = status == ERR_OK && r->base && config.metric == METRIC_COSINE ? rows_zeros(base.rows, &first) : 0;
    if (zeros) fprintf(stderr, "index: %zu vectors of zeros, similar to nothing (the first: row %zu)\n", zeros, first);
    text_free(&doubt);
    *fingerprint = base.content_hash;
    dataset_close(&base);
    return status;
}

static int build(const struct request *r, struct err *e)
{
    struct kernel_set kernels;
    struct index *ix = NULL;
    uint64_t fingerprint;
    if (!r->base || !r->spec || !r->out)
        return FAIL(e, ERR_ARG, "build needs --base FILE, --index SPEC and --out FILE");
    const uint64_t start = clock_ns();
    int status = make(r, &ix, &kernels, &fingerprint, e);
    const double build_s = clock_since_s(start);
    if (status == ERR_OK) status = index_save(ix, r->out, fingerprint, e);
    if (status == ERR_OK) print_stats(ix, r->json, "");
    if (status == ERR_OK && !r->json)
        printf("built    in %.3f s on %d thread%s\n", build_s, (int)r->threads, r->threads > 1 ? "s" : "");
    index_destroy(ix);
    return status;
}

static int load(struct index **ix, const struct request *r, struct kernel_set *kernels,
                uint64_t *fingerprint, struct err *e)
{
    if (r->words.count != 2) return FAIL(e, ERR_ARG, "%s needs one index file", r->words.at[0]);
    const int status = kernel_set_resolve(kernels, r->kernel, e);
    const struct index_config config = { .threads = (int)r->threads, .kernels = kernels };
    if (status != ERR_OK) return status;
    return (r->maps ? index_map : index_load)(ix, r->words.at[1], &config, fingerprint, e);
}

/* What an index of its kind tells of itself. */
struct facts {
    struct text text;
    int json;
};

static void take_fact(void *context, const char *name, double value, const char *meaning)
{
    struct facts *f = context;
    if (f->json) text_add(&f->text, ",\"%s\":%.9g", name, value);
    else text_add(&f->text, "  %-18s %10.6g  %s\n", name, value, meaning);
}

static int look(const struct index *ix, const struct request *r, struct facts *f, struct err *e)
{
    struct dataset query = { 0 };
    if (!ix->ops->look) return r->query ? FAIL(e, ERR_ARG, "%s tells nothing of queries", ix->ops->name) : ERR_OK;
    int status = r->query ? dataset_open(&query, r->query, e) : ERR_OK;
    if (status == ERR_OK && r->query) status = index_check_queries(ix, query.rows, 1, e);
    if (status == ERR_OK) status = ix->ops->look(ix, query.rows, take_fact, f, e);
    dataset_close(&query);
    return status;
}

static int info(const struct request *r, struct err *e)
{
    struct kernel_set kernels;
    struct index *ix;
    uint64_t fingerprint;
    int status = load(&ix, r, &kernels, &fingerprint, e);
    if (status != ERR_OK) return status;
    struct facts f = { .json = r->json };
    status = look(ix, r, &f, e);
    if (status == ERR_OK) print_stats(ix, r->json, r->json ? text_of(&f.text) : "");
    if (status == ERR_OK && !r->json) fputs(text_of(&f.text), stdout);
    text_free(&f.text);
    if (status == ERR_OK && !r->json) printf("made of  %016" PRIx64 " (content hash of the base file)\n", fingerprint);
    index_destroy(ix);
    return status;
}

static void print_hits(const struct hit *hits, size_t count, size_t query, const char *what, int json)
{
    for (size_t i = 0; i < count; i++) {
        if (json)
            printf("{\"query\":%zu,\"rank\":%zu,\"id\":%" PRId64 ",\"%s\":%.9g}\n", query, i + 1, hits[i].id,
                   what, (double)hits[i].score);
        else
            printf("%8zu %5zu %12" PRId64 " %14.6f\n", query, i + 1, hits[i].id, (double)hits[i].score);
    }
}

/* Cosines become angles, in the order they are in: the nearest has the smallest. */
static int turn_into_angles(const struct kernel_set *kernels, struct hit *hits, const size_t *counts, size_t queries,
                            size_t k, struct err *e)
{
    float *angles = mem_alloc(k, sizeof *angles);
    if (!angles) return FAIL(e, ERR_MEM, "no memory for %zu angles", k);
    for (size_t q = 0; q < queries; q++, hits += k) {
        for (size_t i = 0; i < counts[q]; i++) angles[i] = hits[i].score;
        kernels->of[OP_angle_f32]->fn.angle_f32(angles, counts[q], angles);
        for (size_t i = 0; i < counts[q]; i++) hits[i].score = angles[i];
    }
    mem_free(angles);
    return ERR_OK;
}

/* Writes k ids a query as .ivecs, -1 where fewer were found. */
static int write_ids(const char *path, const struct hit *hits, const size_t *counts, size_t queries,
                     size_t k, struct err *e)
{
    int32_t *ids = mem_alloc(queries * k, sizeof *ids);
    if (!ids) return FAIL(e, ERR_MEM, "%s: no memory", path);
    int status = ERR_OK;
    for (size_t i = 0; i < queries * k && status == ERR_OK; i++) {
        const int64_t id = i % k < counts[i / k] ? hits[i].id : -1;
        if (id > INT32_MAX || id < -1) status = FAIL(e, ERR_ARG, "%s: id %" PRId64 " does not fit 32 bits", path, id);
        ids[i] = (int32_t)id;
    }
    if (status == ERR_OK) status = dataset_write_ivecs(path, ids, queries, k, e);
    mem_free(ids);
    return status;
}

static int search(const struct request *r, struct err *e)
{
    struct kernel_set kernels;
    struct index *ix = NULL;
    struct dataset query = { 0 };
    uint64_t fingerprint;
    const size_t k = (size_t)r->k;
    if (!r->query) return FAIL(e, ERR_ARG, "search needs --query FILE");
    int status = load(&ix, r, &kernels, &fingerprint, e);
    if (status != ERR_OK) return status;
    if (r->angle && ix->config.metric != METRIC_COSINE)
        status = FAIL(e, ERR_ARG, "--angle: the metric of %s is %s, not cosine", r->words.at[1], metric_name(ix->config.metric));
    if (status == ERR_OK) status = dataset_open(&query, r->query, e);
    if (status == ERR_OK && !query.rows.at) status = FAIL(e, ERR_FORMAT, "%s holds no vectors", r->query);
    struct hit *hits = mem_alloc(query.rows.count * k, sizeof *hits);
    size_t *counts = mem_alloc(query.rows.count, sizeof *counts);
    if (status == ERR_OK && (!hits || !counts))
        status = FAIL(e, ERR_MEM, "no memory for %zu x %zu hits", query.rows.count, k);
    if (status == ERR_OK)
        status =
            index_search(ix, query.rows, k, (size_t)r->batch, (int)r->threads, hits, counts, e);
    if (status == ERR_OK && r->angle) status = turn_into_angles(&kernels, hits, counts, query.rows.count, k, e);
    if (status == ERR_OK && r->out) status = write_ids(r->out, hits, counts, query.rows.count, k, e);
    else if (status == ERR_OK) {
        const char *what = r->angle ? "angle" : "score";
        if (!r->json) printf("%8s %5s %12s %14s\n", "query", "rank", "id", what);
        for (size_t q = 0; q < query.rows.count; q++) print_hits(hits + q * k, counts[q], q, what, r->json);
    }
    mem_free(hits);
    mem_free(counts);
    dataset_close(&query);
    index_destroy(ix);
    return status;
}

/* To --out or to standard output. */
static int export(const struct request *r, struct err *e)
{
    struct kernel_set kernels;
    struct index *ix = NULL;
    struct whole_file file;
    uint64_t fingerprint;
    if (!r->format || strcmp(r->format, "upstream-json") != 0)
        return FAIL(e, ERR_ARG, "--format %s: export writes upstream-json", r->format ? r->format : "is missing");
    if (r->spec && !r->base && !r->dim) return FAIL(e, ERR_ARG, "export --index SPEC needs --base FILE or --dim N");
    if (r->spec && r->words.count > 1)
        return FAIL(e, ERR_ARG, "export %s --index %s: one or the other", r->words.at[1], r->spec);
    int status = r->spec ? make(r, &ix, &kernels, &fingerprint, e) : load(&ix, r, &kernels, &fingerprint, e);
    if (status == ERR_OK && !r->out) status = index_export_upstream(ix, "standard output", stdout, e);
    else if (status == ERR_OK && (status = whole_file_open(&file, r->out, e)) == ERR_OK) {
        status = index_export_upstream(ix, r->out, file.to, e);
        if (status == ERR_OK) status = whole_file_commit(&file, e);
        else whole_file_abandon(&file);
    }
    index_destroy(ix);
    return status;
}

static int params(const struct request *r, struct err *e)
{
    struct text out = { 0 };
    if (r->words.count == 2 && !index_find(r->words.at[1])) {
        struct index *none;
        const struct index_config config = { .dim = 1, .threads = 1 };
        return index_create(&none, r->words.at[1], &config, e); /* says which is nearest */
    }
    for (size_t i = 0; index_at(i); i++) {
        if (r->words.count == 2 && strcmp(index_at(i)->name, r->words.at[1]) != 0) continue;
        text_add(&out, "%s%s: %s\n", out.size ? "\n" : "", index_at(i)->name, index_at(i)->summary);
        params_help(index_at(i)->params, &out);
    }
    fputs(text_of(&out), stdout);
    text_free(&out);
    return ERR_OK;
}

static const struct action {
    const char *name;
    int (*run)(const struct request *r, struct err *e);
} actions[] = { { "build", build }, { "info", info }, { "search", search }, { "export", export },
              { "params", params } };
enum { ACTIONS = sizeof actions / sizeof *actions };

static int run(int argc, char **argv, struct err *e)
{
    struct request r = { .metric = "cosine", .kernel = "", .k = 10, .batch = 1, .threads = 1, .seed = 42 };
    const struct option options[] = {
        { "--base", OPTION_TEXT, &r.base, 0, 0 },       { "--query", OPTION_TEXT, &r.query, 0, 0 },
        { "--index", OPTION_TEXT, &r.spec, 0, 0 },      { "--metric", OPTION_TEXT, &r.metric, 0, 0 },
        { "--kernel", OPTION_TEXT, &r.kernel, 0, 0 },   { "--out", OPTION_TEXT, &r.out, 0, 0 },
        { "-k", OPTION_INT, &r.k, 1, 1e6 },             { "--batch", OPTION_INT, &r.batch, 1, 1e6 },
        { "--threads", OPTION_INT, &r.threads, 1, 256 }, { "--seed", OPTION_INT, &r.seed, 0, 9e18 },
        { "--format", OPTION_TEXT, &r.format, 0, 0 },   { "--dim", OPTION_INT, &r.dim, 1, INDEX_DIM_MAX },
        { "--json", OPTION_FLAG, &r.json, 0, 0 },       { "--angle", OPTION_FLAG, &r.angle, 0, 0 },
        { "--mmap", OPTION_FLAG, &r.maps, 0, 0 },       { 0 },
    };
    const int status = options_parse(argc, argv, options, &r.words, e);
    if (status != ERR_OK) return status;
    if (r.words.count == 0) return FAIL(e, ERR_ARG, "build, info, search, export or params?");
    const char *names[ACTIONS];
    for (int i = 0; i < ACTIONS; i++) {
        names[i] = actions[i].name;
        if (strcmp(names[i], r.words.at[0]) == 0) return actions[i].run(&r, e);
    }
    return FAIL(e, ERR_ARG, "no '%s'%s", r.words.at[0], NEAREST(r.words.at[0], names, ACTIONS));
}

const struct command cmd_index = {
    .name = "index",
    .summary = "indexes in files: build, info, search, export; params lists what every index takes",
    .help = "usage: assay index build --base FILE --index SPEC --out FILE [--metric M] [--seed N] [--threads N]\n"
            "       assay index info FILE [--query FILE]\n"
            "       assay index search FILE --query FILE [-k N] [--batch N] [--threads N] [--angle] [--mmap]\n"
            "                    [--out FILE.ivecs]\n"
            "       assay index export FILE --format upstream-json [--out FILE]\n"
            "       assay index export --index SPEC (--base FILE | --dim N) --format upstream-json [--out FILE]\n"
            "       assay index params [NAME]\n\n"
            "  --base FILE     vectors, in any format of assay data list; their ids are their numbers, from 0\n"
            "  --index SPEC    NAME or NAME:KEY=VALUE,...; assay index params lists names and keys\n"
            "  --metric M      cosine, dot or l2; default cosine\n"
            "  --seed N        of everything random; default 42\n"
            "  -k N            hits a query; default 10\n"
            "  --batch N       queries searched together; default 1\n"
            "  --threads N     default 1\n"
            "  --kernel K      as in assay ann; default: the best that this CPU runs\n"
            "  --out FILE      build: the index; search: the ids (-1 where there are fewer), instead of a table\n"
            "  --format F      upstream-json: what the Rust engine keeps in kg_turboquant_cache.index_blob; of\n"
            "                  turboquant up to 7 bits, whose levels its search then uses, and of upstream, by cosine\n"
            "                  (upstream:db=FILE reads such a file)\n"
            "  --dim N         of an index that brings its own rows: upstream:db=kb.sqlite\n"
            "  --angle         search: the angle to the query in radians, 0..pi, in place of the cosine\n"
            "  --mmap          search codes where they lie in the file, shared by all who do, instead of a copy; a file\n"
            "                  that is cut short meanwhile ends the program (SIGBUS)\n"
            "  --json          one object a line\n\n"
            "example:\n"
            "  assay index build --base base.fvecs --index turboquant:bits=4 --out base.assay\n"
            "  assay index search base.assay --query query.fvecs -k 5\n"
            "  assay index export base.assay --format upstream-json --out cache.json\n",
    .run = run,
};
