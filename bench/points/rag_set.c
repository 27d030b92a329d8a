/* SPDX-License-Identifier: MIT
 * rag_set.c - a knowledge base and its questions, embedded, with their exact neighbours. */
#define _GNU_SOURCE
#include "bench/points/rag_set.h"
#include "bench/rows/run.h"
#include "bench/quality/truth.h"
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/base/text.h"
#include "pipeline/kb.h"
#include "pipeline/store.h"
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every value of a table but the times of writing, which differ between two copies made alike. */
static int hash_table(struct sqlite3 *db, const char *table, uint64_t *hash, size_t *rows)
{
    sqlite3_stmt *st = NULL;
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
    int rc = sql ? sqlite3_prepare_v2(db, sql, -1, &st, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    *hash = hash64(*hash, table, strlen(table));
    *rows = 0;
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        ++*rows;
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
static int hash_base(const char *path, uint64_t *out, size_t *vectors, struct stage_choice *usual, char **notes, struct err *e)
{
    struct store *store = NULL;
    sqlite3_stmt *st = NULL;
    struct text said = { 0 };
    int status = store_open(&store, path, STORE_READ, e);
    if (status == ERR_OK) status = store_read_begin(store, e);
    if (status == ERR_OK) status = store_meta(store, "notes", &said, e);
    *notes = said.size ? strdup(text_of(&said)) : NULL;
    text_free(&said);
    if (status == ERR_OK) status = pipeline_usual(usual, store, e);
    if (status != ERR_OK) {
        store_close(store);
        return status;
    }
    struct sqlite3 *db = store_handle(store);
    uint64_t hash = 0;
    size_t rows = 0;
    *vectors = 0;
    static const char sql[] = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'kg_turboquant_cache' "
                              "AND (name GLOB 'kg_*' OR name GLOB 'assay_*') ORDER BY name";
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *table = (const char *)sqlite3_column_text(st, 0);
        rc = hash_table(db, table, &hash, &rows);
        if (strcmp(table, "kg_vectors") == 0) *vectors = rows;
    }
    if (rc != SQLITE_DONE) status = FAIL(e, ERR_IO, "%s: %s", path, sqlite3_errmsg(db));
    sqlite3_finalize(st);
    store_read_end(store);
    store_close(store);
    if (status == ERR_OK) *out = hash;
    return status;
}

static int find_entity(void *store, const char *id, int64_t *number, struct err *e)
{
    return store_find_id(store, id, number, e);
}

static int label(struct queries *q, const struct question_files *f, const char *db, struct err *e)
{
    struct store *store = NULL;
    int status = store_open(&store, db, STORE_READ, e);
    const struct documents documents = { find_entity, store };
    if (status == ERR_OK) status = store_read_begin(store, e);
    if (status == ERR_OK) status = queries_label(q, f->qrels, &documents, f->drop, e);
    if (store) store_read_end(store);
    store_close(store);
    return status;
}

int question_files_open(struct queries *q, const struct question_files *f, const char *db, struct err *e)
{
    struct queries made = { 0 };
    int status = queries_open(&made, f->questions, e);
    if (status == ERR_OK && f->ids) status = queries_name(&made, f->ids, e);
    if (status == ERR_OK && f->qrels) status = label(&made, f, db, e);
    if (status == ERR_OK) *q = made;
    else queries_close(&made);
    return status;
}

/* Of the file and of the log that a writer may keep: equal while nobody has written. */
static uint64_t hash_stamp(const char *db)
{
    uint64_t hash = 0;
    struct text log = { 0 };
    text_add(&log, "%s-wal", db);
    const char *const files[2] = { db, text_of(&log) };
    for (int i = 0; i < 2; i++) {
        struct stat st;
        if (stat(files[i], &st) != 0 || st.st_size == 0) continue; /* readers make an empty log */
        const uint64_t about[] = { (uint64_t)st.st_dev, (uint64_t)st.st_ino, (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec,
                                   (uint64_t)st.st_mtim.tv_nsec };
        hash = hash64(hash + (uint64_t)i, about, sizeof about);
    }
    text_free(&log);
    return hash;
}

int rag_set_still(const struct rag_set *s, struct err *e)
{
    uint64_t base = 0;
    size_t vectors;
    struct stage_choice usual;
    char *notes = NULL;
    if (hash_stamp(s->db) == s->stamp) return ERR_OK;
    const int status = hash_base(s->db, &base, &vectors, &usual, &notes, e); /* or only its log was taken in */
    free(notes);
    if (status != ERR_OK || base == s->base_hash) return status;
    return FAIL(e, ERR_BUSY, "%s: the base changed while it was measured", s->db);
}

int rag_set_open(struct rag_set *s, const char *db, const struct question_files *f, struct err *e)
{
    *s = (struct rag_set){ .db = db, .replay_fd = -1, .stamp = hash_stamp(db) };
    path_short(db, s->name, sizeof s->name);
    int status = hash_base(db, &s->base_hash, &s->base_count, &s->usual, &s->notes, e);
    if (status == ERR_OK) status = question_files_open(&s->queries, f, db, e);
    s->hash = hash64(s->queries.hash, &s->base_hash, sizeof s->base_hash);
    if (status != ERR_OK) rag_set_close(s);
    return status;
}

int rag_set_take(struct rag_set *out, const struct rag_set *all, const uint32_t *which, size_t count, struct err *e)
{
    struct rag_set s = { .db = all->db, .usual = all->usual, .replay_fd = -1, .stamp = all->stamp,
                         .base_hash = all->base_hash };
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
    free(s->notes);
    mem_free(s->vectors);
    mem_free(s->truth);
    difficulties_free(&s->hard);
    *s = (struct rag_set){ .replay_fd = -1 };
}

int rag_is_mute(const struct rag_set *s, size_t i) { return s->queries.texts && !*s->queries.texts[i]; }

/* Question i as it is asked; a prepared one brings its vector, so that no embedder runs. */
struct question rag_question(const struct rag_set *s, size_t i, int prepared)
{
    struct question q = { .id = s->queries.ids[i], .name = s->queries.names[i], .text = s->queries.texts ? s->queries.texts[i] : NULL };
    if (!q.text) {
        q.vector = rows_at(s->queries.vectors.rows, i);
        q.dim = s->queries.vectors.rows.dim;
    } else if (prepared && !s->blind) {
        q.vector = s->vectors + i * s->dim;
        q.dim = s->dim;
    }
    return q;
}

void rag_notes(const struct rag_set *s, const char *what)
{
    struct text lines = { 0 }, between = { 0 };
    text_add(&between, "\n%s: ", what);
    tally_text(&s->queries.notes, text_of(&between), &lines);
    if (lines.size) fprintf(stderr, "%s: %s\n", what, text_of(&lines));
    text_free(&between);
    text_free(&lines);
}

void rag_doubt(const struct pipeline *p, struct text *out)
{
    const struct index *index = pipeline_index(p);
    struct text spec = { 0 };
    if (index) index_spec(index, &spec);
    if (index) index_doubt(text_of(&spec), pipeline_kb(p)->vectors.rows.count, out);
    text_free(&spec);
}

void rag_warn(const char *db, const struct pipeline *p)
{
    struct text what = { 0 };
    kb_passed_over(pipeline_kb(p), &what);
    if (what.size) fprintf(stderr, "%s: passed over: %s (assay kb check names them)\n", db, text_of(&what));
    text_clear(&what);
    rag_doubt(p, &what);
    if (what.size) fprintf(stderr, "%s: %s\n", db, text_of(&what));
    text_free(&what);
}

int rag_ask(struct pipeline *p, const struct rag_set *s, size_t i, int prepared, size_t k, struct answer *out,
            struct err *e)
{
    const struct question q = rag_question(s, i, prepared);
    if (rag_is_mute(s, i)) {
        static const struct question nothing = { .text = "" };
        return pipeline_query(p, &nothing, k, out, e);
    }
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

const char *rag_setting(const struct pipeline *p, const char *wanted)
{
    for (size_t i = 0; i < pipeline_setting_count(p); i++) {
        const char *key, *value;
        pipeline_setting(p, i, &key, &value);
        if (strcmp(key, wanted) == 0) return value;
    }
    return "";
}

/* Those that have a text; the others' vectors are zeros, and are not asked for. */
static int embed_texts(struct rag_set *s, struct pipeline *p, struct err *e)
{
    const size_t count = s->queries.count;
    const char **texts = mem_alloc(count, sizeof *texts);
    const char **called = mem_alloc(count, sizeof *called);
    int64_t *ids = mem_alloc(count, sizeof *ids);
    size_t some = 0;
    int status = texts && called && ids ? ERR_OK : FAIL(e, ERR_MEM, "no memory for %zu questions", count);
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        if (rag_is_mute(s, i)) continue;
        texts[some] = s->queries.texts[i];
        called[some] = s->queries.names[i];
        ids[some++] = s->queries.ids[i];
    }
    if (status == ERR_OK) status = pipeline_embed(p, texts, ids, called, some, s->vectors, e);
    for (size_t i = count, from = some; status == ERR_OK && from < i && i-- > 0;) { /* apart again, from the last */
        float *to = s->vectors + i * s->dim;
        if (rag_is_mute(s, i)) memset(to, 0, s->dim * sizeof *to);
        else memmove(to, s->vectors + --from * s->dim, s->dim * sizeof *to);
    }
    mem_free(texts);
    mem_free(called);
    mem_free(ids);
    return status;
}

static int embed_all(struct rag_set *s, struct pipeline *p, struct err *e)
{
    const struct vectors *v = &pipeline_kb(p)->vectors;
    if (v->rows.count == 0) return FAIL(e, ERR_ARG, "%s holds no vectors", s->db);
    s->base_count = v->rows.count;
    s->dim = v->rows.dim;
    s->vectors = mem_alloc(s->queries.count * s->dim, sizeof *s->vectors);
    if (!s->vectors) return FAIL(e, ERR_MEM, "no memory for %zu embedded questions", s->queries.count);
    if (s->queries.texts) return embed_texts(s, p, e);
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
    int ok = fprintf(f, "#numbers\n") > 0;
    for (size_t i = 0; i < s->queries.count; i++)
        for (size_t j = 0; j < s->truth_k; j++)
            /* Stage one's scores rank, no more: the re-ranker computes its own. */
            ok &= fprintf(f, "%s\t%lld\t%.9g\n", s->queries.names[i],
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
    int status = truth_cached(&t, &base, &query, depth, METRIC_COSINE, threads, NULL, e);
    if (status == ERR_OK) status = difficulties_make(&s->hard, v->rows, asked, t.ids, t.k, METRIC_COSINE, threads, e);
    if (status != ERR_OK) return truth_free(&t), status;
    s->truth_k = t.k;
    s->truth = mem_alloc(t.count * t.k, sizeof *s->truth);
    for (size_t i = 0; s->truth && i < t.count * t.k; i++) s->truth[i] = v->ids[t.ids[i]];
    truth_free(&t);
    return s->truth ? ERR_OK : FAIL(e, ERR_MEM, "no memory for the truth of %zu questions", s->queries.count);
}

/* The last word on retrieve is bm25. */
static int asks_words(const struct rag_point *p)
{
    int words = 0;
    for (size_t i = 0; i < p->setting_count; i++)
        if (strncmp(p->settings[i], "retrieve=", 9) == 0) words = strcmp(p->settings[i], "retrieve=bm25") == 0;
    return words;
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
    if (status == ERR_OK) pipeline_hold(pipeline);
    if (status == ERR_OK) status = rag_set_still(s, e);
    if (status == ERR_OK) status = embed_all(s, pipeline, e);
    if (status == ERR_NOT_FOUND && s->vectors && asks_words(p)) { /* of a base that no embedder fits */
        memset(s->vectors, 0, s->queries.count * s->dim * sizeof *s->vectors);
        s->blind = 1;
        status = ERR_OK;
    }
    if (status == ERR_OK && text_to_i64(rag_setting(pipeline, "top_k_rerank"), &kept) && (size_t)kept > depth)
        depth = (size_t)kept;
    if (status == ERR_OK && !s->blind) status = find_truth(s, &pipeline_kb(pipeline)->vectors, depth, threads, e);
    if (status == ERR_OK) status = write_replay(s, e);
    pipeline_close(pipeline);
    mem_free(settings);
    return status;
}

void rag_set_note(const struct rag_set *s, struct run *run)
{
    struct text left = { 0 };
    tally_text(&s->queries.notes, "; ", &left);
    if (left.size) run_note(run, "left_out", "%s", text_of(&left));
    if (s->notes) run_note(run, "base_notes", "%s", s->notes);
    text_free(&left);
}
