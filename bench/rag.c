/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bench/clock.h"
#include "bench/command.h"
#include "bench/machine.h"
#include "bench/rag_inside.h"
#include "bench/truth.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"
#include "kernels/base/rng.h"
#include "pipeline/kb.h"
#include "pipeline/store.h"
#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- data ------------------------------------------------------------------------------------ */
/* Every value of a table but the times of writing, which differ between two copies made alike. */
static int hash_table(struct sqlite3 *db, const char *table, uint64_t *hash)
{
    sqlite3_stmt *st = NULL;
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
    int rc = sql ? sqlite3_prepare_v2(db, sql, -1, &st, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    *hash = hash64(*hash, table, strlen(table));
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        for (int c = 0; c < sqlite3_column_count(st); c++) {
            const char *name = sqlite3_column_name(st, c);
            if (strcmp(name, "created_at") == 0 || strcmp(name, "updated_at") == 0) continue;
            const int type = sqlite3_column_type(st, c);
            const void *bytes = sqlite3_column_blob(st, c); /* of a number: as text */
            *hash = hash64(*hash ^ (uint64_t)type, bytes ? bytes : "", (size_t)sqlite3_column_bytes(st, c));
        }
        rc = SQLITE_OK;
    }
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Of what a base says, not of its file: the same in a copy made elsewhere or vacuumed, and another when
 * a writer's log holds what the file does not yet.  The engine's index cache says nothing new. */
static int hash_base(const char *path, uint64_t *out, struct stage_choice *usual, struct err *e)
{
    struct store *store = NULL;
    sqlite3_stmt *st = NULL;
    int status = store_open(&store, path, STORE_READ, e);
    if (status == ERR_OK) status = store_read_begin(store, e);
    if (status == ERR_OK) status = pipeline_usual(usual, store, e);
    if (status != ERR_OK) {
        store_close(store);
        return status;
    }
    struct sqlite3 *db = store_handle(store);
    uint64_t hash = 0;
    static const char sql[] = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'kg_turboquant_cache' "
                              "AND (name GLOB 'kg_*' OR name GLOB 'assay_*') ORDER BY name";
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
        rc = hash_table(db, (const char *)sqlite3_column_text(st, 0), &hash);
    if (rc != SQLITE_DONE) status = FAIL(e, ERR_IO, "%s: %s", path, sqlite3_errmsg(db));
    sqlite3_finalize(st);
    store_read_end(store);
    store_close(store);
    if (status == ERR_OK) *out = hash;
    return status;
}

int rag_set_open(struct rag_set *s, const char *db, const char *questions, const char *qrels, struct err *e)
{
    uint64_t base = 0;
    *s = (struct rag_set){ .db = db, .replay_fd = -1 };
    path_short(db, s->name, sizeof s->name);
    int status = hash_base(db, &base, &s->usual, e);
    if (status == ERR_OK) status = queries_open(&s->queries, questions, e);
    if (status == ERR_OK && qrels) status = queries_label(&s->queries, qrels, e);
    s->hash = hash64(s->queries.hash, &base, sizeof base);
    if (status != ERR_OK) rag_set_close(s);
    return status;
}

int rag_set_take(struct rag_set *out, const struct rag_set *all, const uint32_t *which, size_t count, struct err *e)
{
    struct rag_set s = { .db = all->db, .usual = all->usual, .replay_fd = -1 };
    const int status = queries_take(&s.queries, &all->queries, which, count, e);
    if (status != ERR_OK) return status;
    memcpy(s.name, all->name, sizeof s.name);
    s.hash = hash64(all->hash, which, count * sizeof *which);
    *out = s;
    return ERR_OK;
}

static int has_relevant(const struct queries *q, size_t i)
{
    struct evidence ev = { 0 };
    ev.labels = queries_labels(q, i, &ev.label_count);
    return metric_relevant(&ev) > 0;
}

int rag_set_split(struct rag_set *some, struct rag_set *rest, const struct rag_set *all, double share, uint64_t seed,
                  int labelled, size_t least, struct err *e)
{
    uint32_t *order = mem_alloc(all->queries.count, sizeof *order);
    if (!order) return FAIL(e, ERR_MEM, "no memory for %zu questions", all->queries.count);
    struct rng rng;
    size_t count = 0;
    rng_seed(&rng, seed, 0);
    rng_shuffle(&rng, order, all->queries.count);
    for (size_t i = 0; i < all->queries.count; i++)
        if (!labelled || has_relevant(&all->queries, order[i])) order[count++] = order[i];
    const size_t held = (size_t)(share * (double)count);
    int status = ERR_OK;
    if (held < least || count - held < least)
        status = FAIL(e, ERR_ARG, "%zu questions%s: at least %zu held out and %zu left are wanted, not %zu and %zu", count,
                      labelled ? " with something relevant" : "", least, least, held, count - held);
    if (status == ERR_OK) status = rag_set_take(some, all, order, held, e);
    if (status == ERR_OK && (status = rag_set_take(rest, all, order + held, count - held, e)) != ERR_OK) rag_set_close(some);
    mem_free(order);
    return status;
}

void rag_set_close(struct rag_set *s)
{
    if (s->replay_fd >= 0) close(s->replay_fd);
    queries_close(&s->queries);
    mem_free(s->vectors);
    mem_free(s->truth);
    *s = (struct rag_set){ .replay_fd = -1 };
}

/* Question i as it is asked; a prepared one brings its vector, so that no embedder runs. */
static struct question question_of(const struct rag_set *s, size_t i, int prepared)
{
    struct question q = { .id = s->queries.ids[i], .text = s->queries.texts ? s->queries.texts[i] : NULL };
    if (!q.text) {
        q.vector = rows_at(s->queries.vectors.rows, i);
        q.dim = s->queries.vectors.rows.dim;
    } else if (prepared) {
        q.vector = s->vectors + i * s->dim;
        q.dim = s->dim;
    }
    return q;
}

void rag_warn(const char *db, const struct pipeline *p)
{
    struct text what = { 0 };
    kb_passed_over(pipeline_kb(p), &what);
    if (what.size) fprintf(stderr, "%s: passed over: %s (assay kb check names them)\n", db, text_of(&what));
    text_free(&what);
}

int rag_ask(struct pipeline *p, const struct rag_set *s, size_t i, int prepared, size_t k, struct answer *out,
            struct err *e)
{
    const struct question q = question_of(s, i, prepared);
    const int status = pipeline_query(p, &q, k, out, e);
    return status == ERR_OK ? status : err_context(e, status, "question %s", s->queries.names[i]);
}

const char **rag_settings(const struct rag_set *s, const struct rag_point *point, const char *const extra[3],
                          size_t *count)
{
    const char **settings = mem_alloc(point->setting_count + 3, sizeof *settings);
    *count = 0;
    for (size_t i = 0; settings && i < point->setting_count; i++) settings[(*count)++] = point->settings[i];
    for (size_t i = 0; settings && i < 3 && extra[i]; i++) settings[(*count)++] = extra[i];
    if (settings) *count = pipeline_in_force(&s->usual, settings, *count);
    return settings;
}

static int embed_all(struct rag_set *s, struct pipeline *p, struct err *e)
{
    const struct vectors *v = &pipeline_kb(p)->vectors;
    if (v->rows.count == 0) return FAIL(e, ERR_ARG, "%s holds no vectors", s->db);
    s->base_count = v->rows.count;
    s->dim = v->rows.dim;
    s->vectors = mem_alloc(s->queries.count * s->dim, sizeof *s->vectors);
    if (!s->vectors) return FAIL(e, ERR_MEM, "no memory for %zu embedded questions", s->queries.count);
    if (s->queries.texts) return pipeline_embed(p, s->queries.texts, s->queries.ids, s->queries.count, s->vectors, e);
    for (size_t i = 0; i < s->queries.count; i++) {
        struct answer a;
        const int status = rag_ask(p, s, i, 0, 1, &a, e);
        if (status != ERR_OK) return status;
        memcpy(s->vectors + i * s->dim, a.vector, s->dim * sizeof *s->vectors);
    }
    return ERR_OK;
}

/* The truth as retrieve=replay reads it. */
static int write_replay(struct rag_set *s, struct err *e)
{
    /* A file without a name: nothing to clean up, and forked workers inherit it. */
    s->replay_fd = memfd_create("replay", 0);
    FILE *f = s->replay_fd < 0 ? NULL : fdopen(dup(s->replay_fd), "w");
    if (!f) return FAIL(e, ERR_IO, "no memory for candidate lists: %s", strerror(errno));
    int ok = 1;
    for (size_t i = 0; i < s->queries.count; i++)
        for (size_t j = 0; j < s->truth_k; j++)
            /* Stage one's scores rank, no more: the re-ranker computes its own. */
            ok &= fprintf(f, "%lld\t%lld\t%.9g\n", (long long)s->queries.ids[i],
                          (long long)s->truth[i * s->truth_k + j], 1 - (double)j / (double)s->truth_k) > 0;
    ok &= fclose(f) == 0;
    return ok ? ERR_OK : FAIL(e, ERR_IO, "no memory for candidate lists");
}

static int find_truth(struct rag_set *s, const struct vectors *v, size_t depth, int threads, struct err *e)
{
    const struct rows asked = { s->vectors, s->queries.count, s->dim, s->dim };
    const struct dataset base = { .rows = v->rows,
                                  .content_hash = hash64(s->dim, v->hashes,
                                                         v->rows.count * sizeof *v->hashes) };
    const struct dataset query = { .rows = asked,
                                   .content_hash = hash64(s->dim, s->vectors,
                                                          asked.count * s->dim * sizeof(float)) };
    struct truth t = { 0 };
    const int status = truth_cached(&t, &base, &query, depth, METRIC_COSINE, threads, NULL, e);
    if (status != ERR_OK) return status;
    s->truth_k = t.k;
    s->truth = mem_alloc(t.count * t.k, sizeof *s->truth);
    for (size_t i = 0; s->truth && i < t.count * t.k; i++) s->truth[i] = v->ids[t.ids[i]];
    truth_free(&t);
    return s->truth ? ERR_OK : FAIL(e, ERR_MEM, "no memory for the truth of %zu questions", s->queries.count);
}

const char *rag_setting(const struct pipeline *p, const char *wanted)
{
    for (size_t i = 0; i < pipeline_setting_count(p); i++) {
        const char *key, *value;
        pipeline_setting(p, i, &key, &value);
        if (strcmp(key, wanted) == 0) return value;
    }
    return "";
}

int rag_prepare(struct rag_set *s, const struct rag_point *p, size_t depth, int threads, struct err *e)
{
    /* No candidates: all that runs is the embedder, and no index is built. */
    const char *const only_embed[3] = { "retrieve=replay", "replay_file=/dev/null" };
    size_t count;
    const char **settings = rag_settings(s, p, only_embed, &count);
    struct pipeline *pipeline = NULL;
    struct kernel_set kernels;
    int64_t kept;
    int status = settings ? kernel_set_resolve(&kernels, p->kernel, e) : FAIL(e, ERR_MEM, "no memory for settings");
    if (status == ERR_OK) status = pipeline_open(&pipeline, s->db, settings, count, &kernels, e);
    if (status == ERR_OK) status = embed_all(s, pipeline, e);
    if (status == ERR_OK && text_to_i64(rag_setting(pipeline, "top_k_rerank"), &kept) && (size_t)kept > depth)
        depth = (size_t)kept;
    if (status == ERR_OK) status = find_truth(s, &pipeline_kb(pipeline)->vectors, depth, threads, e);
    if (status == ERR_OK) status = write_replay(s, e);
    pipeline_close(pipeline);
    mem_free(settings);
    return status;
}

/* --- opening ------------------------------------------------------------------------------------------ */
static int look(struct rag_arm *a, const struct rag_set *s, int wanted, struct err *e)
{
    const int status = rag_judge(a, s, wanted, e);
    if (status != ERR_OK) rag_close(a);
    return status;
}

int rag_open(struct rag_arm *a, const struct rag_set *s, const struct rag_point *p, int wanted, struct err *e)
{
    *a = (struct rag_arm){ .point = *p };
    int status = kernel_set_resolve(&a->kernels, p->kernel, e);
    if (status == ERR_OK)
        status = pipeline_open(&a->pipeline, s->db, p->settings, p->setting_count, &a->kernels, e);
    return status == ERR_OK ? look(a, s, wanted, e) : status;
}

static void forget(struct rag_arm *a)
{
    mem_free(a->calls.us);
    mem_free(a->answers);
    mem_free(a->answer_count);
    quality_fini(&a->quality);
}

int rag_reopen(struct rag_arm *a, const struct rag_set *s, const struct rag_point *p, int wanted, struct err *e)
{
    forget(a);
    *a = (struct rag_arm){ .point = *p, .kernels = a->kernels, .pipeline = a->pipeline };
    const int status = pipeline_change(a->pipeline, p->settings, p->setting_count, e);
    if (status == ERR_OK) return look(a, s, wanted, e);
    rag_close(a);
    return status;
}

void rag_close(struct rag_arm *a)
{
    pipeline_close(a->pipeline);
    forget(a);
    *a = (struct rag_arm){ 0 };
}

/* --- timing -------------------------------------------------------------------------------------- */
/* What one thread has to itself. */
struct lane {
    struct pipeline *pipeline;
    uint64_t stage_ns[SLOT_COUNT], out[SLOT_COUNT], fetch_ns;
    int status;
    struct err e;
};

struct timing {
    struct rag_arm *arm;
    const struct rag_set *set;
    struct lane *lanes;
    size_t first;
    atomic_int stop;
};

static void ask_some(void *context, int thread, size_t from, size_t to)
{
    struct timing *t = context;
    struct lane *l = &t->lanes[thread];
    for (size_t c = from; c < to && !atomic_load(&t->stop); c++) {
        struct answer a;
        const size_t call = t->first + c;
        const struct question q = question_of(t->set, call % t->set->queries.count, 0);
        const uint64_t start = clock_ns();
        l->status = pipeline_query(l->pipeline, &q, t->arm->point.k, &a, &l->e);
        const uint64_t end = clock_ns();
        if (l->status != ERR_OK) {
            atomic_store(&t->stop, 1);
            return;
        }
        t->arm->calls.us[call] = (double)(end - start) * 1e-3;
        l->fetch_ns += a.fetch_ns;
        for (int s = 0; s < SLOT_COUNT; s++) {
            l->stage_ns[s] += a.trace[s].ns;
            l->out[s] += a.trace[s].out;
        }
    }
}

static int run_calls(struct timing *t, double budget_s, struct err *e)
{
    struct calls *calls = &t->arm->calls;
    const size_t once = t->set->queries.count;
    /* A stretch a thread start costs nothing against, and a budget is kept to. */
    enum { STRETCH = 250 };
    struct progress progress;
    progress_start(&progress, "timed questions", calls->room);
    const uint64_t start = clock_ns();
    int status = ERR_OK;
    while (status == ERR_OK && calls->count < calls->room) {
        const double spent = (double)(clock_ns() - start) * 1e-9;
        if (budget_s > 0 && spent > budget_s && calls->count >= once) break;
        const size_t left = calls->room - calls->count, count = left < STRETCH ? left : STRETCH;
        t->first = calls->count;
        const uint64_t begun = clock_ns();
        parallel_for(t->arm->point.threads, count, 1, ask_some, t);
        calls->wall_s += (double)(clock_ns() - begun) * 1e-9;
        calls->count += count;
        for (int i = 0; status == ERR_OK && i < t->arm->point.threads; i++)
            if (t->lanes[i].status != ERR_OK) status = FAIL(e, t->lanes[i].status, "%s", t->lanes[i].e.text);
        progress_step(&progress, calls->count);
    }
    progress_end(&progress);
    return status;
}

int rag_time(struct rag_arm *a, const struct rag_set *s, size_t least_calls, double budget_s, struct err *e)
{
    const size_t once = s->queries.count;
    const int threads = a->point.threads;
    struct timing t = { .arm = a, .set = s, .lanes = mem_zero((size_t)threads, sizeof *t.lanes) };
    mem_free(a->calls.us);
    a->calls = (struct calls){ .room = least_calls > once ? least_calls : once };
    a->calls.us = mem_alloc(a->calls.room, sizeof *a->calls.us);
    int status = t.lanes && a->calls.us ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu timings", a->calls.room);
    if (status == ERR_OK) t.lanes[0].pipeline = a->pipeline;
    for (int i = 1; status == ERR_OK && i < threads; i++)
        status = pipeline_share(&t.lanes[i].pipeline, a->pipeline, e);
    const uint64_t steal_ms = machine_load().steal_ms;
    if (status == ERR_OK) status = run_calls(&t, budget_s, e);
    a->steal_ms = machine_load().steal_ms - steal_ms;
    const double per_call = 1 / (double)(a->calls.count ? a->calls.count : 1);
    for (int slot = 0; slot < SLOT_COUNT; slot++) a->stage_us[slot] = a->out[slot] = 0;
    a->fetch_us = 0;
    for (int i = 0; t.lanes && i < threads; i++) {
        for (int slot = 0; slot < SLOT_COUNT; slot++) {
            a->stage_us[slot] += (double)t.lanes[i].stage_ns[slot] * 1e-3 * per_call;
            a->out[slot] += (double)t.lanes[i].out[slot] * per_call;
        }
        a->fetch_us += (double)t.lanes[i].fetch_ns * 1e-3 * per_call;
        if (i > 0) pipeline_close(t.lanes[i].pipeline);
    }
    mem_free(t.lanes);
    return status;
}

/* --- rows ----------------------------------------------------------------------------------------- */
int rag_layout(struct layout *l, struct err *e)
{
    struct param *table = pipeline_params();
    if (!table) return FAIL(e, ERR_MEM, "no memory for the parameters of a pipeline");
    const int status = layout_add(l, table, e);
    mem_free(table);
    return status;
}

static int as_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* What was learnt is part of a point, where it lies is not.  A file that cannot be read: its path. */
static void add_canonical(struct text *out, const char *setting)
{
    static const char learnt[] = "utility_file=";
    uint64_t hash;
    if (strncmp(setting, learnt, sizeof learnt - 1) == 0 && file_hash(setting + sizeof learnt - 1, &hash, NULL) == ERR_OK)
        text_add(out, "%s%016llx\n", learnt, (unsigned long long)hash);
    else text_add(out, "%s\n", setting);
}

int rag_point_id(char out[17], const struct rag_set *s, const struct rag_point *p, struct err *e)
{
    struct text canonical = { 0 };
    const char **sorted = mem_alloc(p->setting_count, sizeof *sorted);
    if (!sorted) return FAIL(e, ERR_MEM, "no memory for settings");
    for (size_t i = 0; i < p->setting_count; i++) sorted[i] = p->settings[i];
    qsort(sorted, p->setting_count, sizeof *sorted, as_text);
    for (size_t i = 0; i < p->setting_count; i++) add_canonical(&canonical, sorted[i]);
    text_add(&canonical, "k=%zu\nthreads=%d\nkernel=%s\n", p->k, p->threads, p->kernel);
    mem_free(sorted);
    if (!canonical.failed) point_id(out, text_of(&canonical), s->hash);
    const int status = canonical.failed ? FAIL(e, ERR_MEM, "no memory for settings") : ERR_OK;
    text_free(&canonical);
    return status;
}

void rag_identity(struct row *row, const struct run *run, const struct rag_set *s, const struct rag_point *p, int rep)
{
    char id[17];
    for (size_t i = 0; i < p->setting_count; i++) {
        char key[64];
        const char *equals = strchr(p->settings[i], '=');
        if (!equals) continue;
        snprintf(key, sizeof key, "%.*s", (int)(equals - p->settings[i]), p->settings[i]);
        row_try(row, key, equals + 1);
    }
    run_row(run, row);
    if (rag_point_id(id, s, p, NULL) == ERR_OK) row_text(row, "point_id", id);
    row_int(row, "rep", rep);
    row_text(row, "dataset", s->name);
    row_hash(row, "data", s->hash);
    row_text(row, "metric", "cosine");
    row_int(row, "n", (int64_t)s->base_count);
    row_int(row, "dim", (int64_t)s->dim);
    row_int(row, "queries", (int64_t)s->queries.count);
    row_int(row, "k", (int64_t)p->k);
    row_int(row, "threads", p->threads);
    row_int(row, "batch", 1);
    row_text(row, "kernel_asked", *p->kernel ? p->kernel : "auto");
}

static void index_row(struct row *row, const struct rag_set *s, const struct index *ix)
{
    struct text spec = { 0 };
    struct index_stats stats;
    ix->ops->stats(ix, &stats);
    index_spec(ix, &spec);
    row_text(row, "index", text_of(&spec));
    text_free(&spec);
    for (const struct param *p = ix->ops->params; p && p->name; p++)
        if (strcmp(p->name, "bits") == 0 || strcmp(p->name, "layout") == 0)
            row_text(row, p->name, params_text(ix->params, p->name));
    const uint64_t index_bytes = stats.code_bytes + stats.side_bytes + stats.other_bytes;
    row_real(row, "bytes_per_vector", index_bytes_per_vector(&stats));
    row_int(row, "index_bytes", (int64_t)index_bytes);
    row_int(row, "bytes_total", (int64_t)(index_bytes + s->base_count * s->dim * sizeof(float)));
}

/* What the last hop of the expansion adds to the one before. */
static void hop_row(struct row *row, const struct rag_arm *a)
{
    if (!a->depth) return;
    const struct rag_hop *last = &a->hops[a->depth], *before = last - 1;
    const double edges = last->edges - before->edges, us = last->us - before->us;
    const double relevant = last->relevant - before->relevant;
    row_real(row, "hop_edges", edges);
    row_real(row, "hop_relevant", relevant);
    row_real(row, "yield_per_edge", edges > 0 ? relevant / edges : NAN);
    row_real(row, "yield_per_us", us > 0 ? relevant / us : NAN);
}

int rag_row(struct row *row, const struct run *run, const struct rag_set *s, const struct rag_arm *a, int rep,
            struct err *e)
{
    static const char *const stage_columns[SLOT_COUNT] = { "t_embed_us",  "t_retrieve_us",
                                                           "t_rerank_us", "t_expand_us",
                                                           "t_score_us",  "t_filter_us",
                                                           "t_context_us" };
    struct text used = { 0 };
    const struct index *ix = pipeline_index(a->pipeline);
    /* In this order, so that a name that means something closer to the pipeline wins. */
    for (const struct param *p = ix ? ix->ops->params : NULL; p && p->name; p++)
        row_try(row, p->name, params_text(ix->params, p->name));
    for (size_t i = 0; i < pipeline_setting_count(a->pipeline); i++) {
        const char *key, *value;
        pipeline_setting(a->pipeline, i, &key, &value);
        row_try(row, key, value);
    }
    rag_identity(row, run, s, &a->point, rep);
    if (ix) index_row(row, s, ix);
    row_text(row, "status", "ok");
    pipeline_kernels(a->pipeline, &used);
    row_text(row, "kernel_used", text_of(&used));
    text_free(&used);
    for (int slot = 0; slot < SLOT_COUNT; slot++) row_real(row, stage_columns[slot], a->stage_us[slot]);
    row_real(row, "survivors_mean", a->survivors);
    row_real(row, "bytes_touched_per_query", a->bytes_touched);
    hop_row(row, a);
    if (a->build_s > 0) row_real(row, "build_s", a->build_s);
    point_resources(row, a->steal_ms);
    int status = point_quality(row, &a->quality, e);
    if (status == ERR_OK) status = point_latency(row, &a->calls, 1, 0, e);
    return status;
}
