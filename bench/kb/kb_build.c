/* SPDX-License-Identifier: MIT
 * kb_build.c - takes texts, vectors, relations and queries from any source, embeds what is text, and writes the
 * folder. */
#include "bench/kb/kb_build.h"
#include "bench/kb/kb_files.h"
#include "bench/kb/kb_record.h"
#include "bench/time/progress.h"
#include "datasets/intake.h"
#include "kernels/base/parallel.h"
#include "kernels/base/text.h"
#include "pipeline/lexicon.h"
#include "pipeline/lsa.h"
#include "pipeline/stage.h"
#include "pipeline/store.h"
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EMBED_BLOCK = 4096, EMBED_CHUNK = 64 };

struct kb_build {
    struct kb_build_options options;
    char *folder, *what;
    int by_lsa;
    const struct stage_ops *service; /* http; NULL: embedded here */
    struct store *store;
    struct { struct text embed, url, model; int64_t dim; } made; /* by what the base's vectors were; dim 0: none yet */
    struct kb_record record; /* what was written, where it may have to be written again */
    struct lexicon *lexicon;
    struct text texts;  /* of every entity that has one, each with its 0 */
    int64_t *text_ids;
    size_t *text_at, text_count, text_room;
    struct kb_files files;
    struct text entity_id, query_id; /* what the next one is called; empty: its number */
    struct tally notes;
    struct kb_build_counts counts;
    struct progress progress;
    uint64_t rows; /* delivered */
};

int make_folder(const char *path, struct err *e)
{
    struct text partial = { 0 };
    int status = ERR_OK;
    for (const char *c = path; status == ERR_OK && *c;) {
        const size_t size = strspn(c, "/") + strcspn(c + strspn(c, "/"), "/");
        text_add_bytes(&partial, c, size);
        c += size;
        struct stat st;
        if (partial.failed) status = FAIL(e, ERR_MEM, "%s: no memory for its name", path);
        else if (mkdir(text_of(&partial), 0777) != 0) {
            const int why = errno; /* of mkdir: that there is nothing yet is no news */
            if (stat(text_of(&partial), &st) != 0 || !S_ISDIR(st.st_mode))
                status = FAIL(e, ERR_IO, "%s: cannot be made: %s", text_of(&partial), strerror(why));
        }
    }
    text_free(&partial);
    return status;
}

static int choose_embedder(struct kb_build *b, const char *name, struct err *e)
{
    b->by_lsa = name && strcmp(name, "lsa") == 0;
    const int by_http = name && strcmp(name, "http") == 0;
    if (name && !b->by_lsa && !by_http && strcmp(name, "rp") != 0)
        return FAIL(e, ERR_ARG, "embed=%s is none of rp|lsa|http", name);
#ifdef ASSAY_WORKER
    if (b->by_lsa) return FAIL(e, ERR_UNSUPPORTED, "embed=lsa needs LAPACK, which this build is without");
#endif
    b->service = by_http ? stage_find(SLOT_EMBED, name) : NULL;
    return by_http && !b->service ? FAIL(e, ERR_UNSUPPORTED, "embed=http needs curl, which this build is without") : ERR_OK;
}

static int note_made(void *context, const char *key, const char *value)
{
    struct kb_build *b = context;
    struct text *to = strcmp(key, "embed") == 0 ? &b->made.embed
                      : strcmp(key, "embed_url") == 0 ? &b->made.url
                      : strcmp(key, "embed_model") == 0 ? &b->made.model : NULL;
    if (to) text_add(to, "%s", value);
    return to && to->failed ? ERR_MEM : ERR_OK;
}

/* By what more of the same can be made; NULL: by nothing. */
static const char *made_by(const struct kb_build *b)
{
    const char *by = store_embedder(b->store);
    return by && strcmp(by, "lsa") == 0 ? NULL : by;
}

/* Sets made.dim to the dimension of the base's vectors; 0: it has none. */
static int read_dimension(struct kb_build *b, struct err *e)
{
    sqlite3_stmt *st = NULL;
    sqlite3 *db = store_handle(b->store);
    int rc = sqlite3_prepare_v2(db, "SELECT length(vector) / 4 FROM kg_vectors LIMIT 1", -1, &st, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) b->made.dim = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK
                                                 : FAIL(e, ERR_IO, "%s: %s", store_path(b->store), sqlite3_errmsg(db));
}

/* Chooses, where the caller does not, the embedder that made the vectors which the base has already. */
static int follow_base(struct kb_build *b, struct err *e)
{
    int status = read_dimension(b, e);
    if (status == ERR_OK) status = store_settings(b->store, note_made, b, e);
    if (status == ERR_MEM) status = FAIL(e, ERR_MEM, "%s: no memory for its settings", store_path(b->store));
    if (status != ERR_OK || b->made.dim == 0 || b->options.embed) return status;
    return choose_embedder(b, made_by(b), e);
}

/* Vectors of two kinds cannot be compared: refuses to add others than the base has. */
static int check_kind(const struct kb_build *b, struct err *e)
{
    const struct kb_build_options *o = &b->options;
    const char *made = b->made.dim ? made_by(b) : NULL, *path = store_path(b->store);
    if (b->made.dim == 0) return ERR_OK;
    if (!made)
        return FAIL(e, ERR_ARG, "%s: has vectors that were not made from words by rp, nor by http%s: give vectors for "
                    "the new entities, too", path, store_embedder(b->store) ? " (lsa is fitted once, to all texts)" : "");
    if (o->embed && strcmp(o->embed, made) != 0)
        return FAIL(e, ERR_ARG, "%s: its vectors were made by %s: --embed %s makes others", path, made, o->embed);
    if (o->dim && o->dim != (size_t)b->made.dim)
        return FAIL(e, ERR_ARG, "%s: its vectors have %lld dimensions, not %zu", path, (long long)b->made.dim, o->dim);
    if (b->service && o->embed_url && strcmp(o->embed_url, text_of(&b->made.url)) != 0)
        return FAIL(e, ERR_ARG, "%s: its vectors came from %s, not from %s", path, text_of(&b->made.url), o->embed_url);
    if (b->service && o->embed_model && strcmp(o->embed_model, text_of(&b->made.model)) != 0)
        return FAIL(e, ERR_ARG, "%s: its vectors were made by the model %s, not by %s", path, text_of(&b->made.model),
                    o->embed_model);
    return ERR_OK;
}

int kb_build_open(struct kb_build **out, const struct kb_build_options *options, struct err *e)
{
    struct kb_build *b = mem_zero(1, sizeof *b);
    if (!b) return FAIL(e, ERR_MEM, "%s: no memory", options->folder);
    int status = choose_embedder(b, options->embed, e);
    if (status == ERR_OK) status = make_folder(options->folder, e);
    if (status != ERR_OK) return mem_free(b), status;
    b->options = *options;
    b->folder = strdup(options->folder);
    b->what = strdup(options->what);
    struct text path = { 0 };
    if (options->db) text_add(&path, "%s", options->db);
    else text_add(&path, "%s/kb.sqlite", options->folder);
    if (path.failed || !b->what || !b->folder) status = FAIL(e, ERR_MEM, "%s: no memory", options->folder);
    if (status == ERR_OK) status = store_open(&b->store, text_of(&path), options->existing ? STORE_WRITE : STORE_CREATE, e);
    if (status == ERR_OK) status = lexicon_create(&b->lexicon, e);
    if (status == ERR_OK && options->existing) status = follow_base(b, e);
    text_free(&path);
    b->files = (struct kb_files){ .folder = b->folder, .what = b->what, .store = b->store, .drop = options->drop_unjudgeable };
    if (status == ERR_OK) {
        progress_start(&b->progress, b->what, 0);
        *out = b;
    } else {
        kb_build_close(b);
    }
    return status;
}

void kb_build_close(struct kb_build *b)
{
    if (!b) return;
    store_close(b->store);
    lexicon_destroy(b->lexicon);
    kb_record_free(&b->record);
    text_free(&b->made.embed);
    text_free(&b->made.url);
    text_free(&b->made.model);
    text_free(&b->texts);
    mem_free(b->text_ids);
    mem_free(b->text_at);
    kb_files_close(&b->files);
    text_free(&b->entity_id);
    text_free(&b->query_id);
    tally_free(&b->notes);
    free(b->folder);
    free(b->what);
    mem_free(b);
}

struct store *kb_build_store(struct kb_build *b) { return b->store; }
const struct tally *kb_build_notes(const struct kb_build *b) { return &b->notes; }

/* --- the sink ------------------------------------------------------------------------------------ */
static int keep_text(struct kb_build *b, int64_t id, const char *text, struct err *e)
{
    if (b->text_count == b->text_room) {
        const size_t room = b->text_room * 2 + 1024;
        int64_t *ids = mem_grow(b->text_ids, b->text_count, room, sizeof *ids);
        if (ids) b->text_ids = ids;
        size_t *at = ids ? mem_grow(b->text_at, b->text_count, room, sizeof *at) : NULL;
        if (!at) return FAIL(e, ERR_MEM, "%s: no memory for %zu texts", b->what, room);
        b->text_at = at;
        b->text_room = room;
    }
    b->text_ids[b->text_count] = id;
    b->text_at[b->text_count++] = b->texts.size;
    text_add_bytes(&b->texts, text, strlen(text) + 1);
    if (b->texts.failed) return FAIL(e, ERR_MEM, "%s: no memory for %zu texts", b->what, b->text_count);
    return lexicon_add(b->lexicon, text, e);
}

/* A service may take hours for what it is asked, and a transaction keeps other writers out of a base that exists:
 * its rows are written once to be checked, and again when the vectors are there. */
static int twice(const struct kb_build *b) { return b->options.existing && b->service; }

static int sink_entity(void *context, int64_t id, const char *type, const char *name, const char *properties,
                       const char *text, struct err *e)
{
    struct kb_build *b = context;
    int status = store_add_entity(b->store, id, type, name, properties, e);
    if (status == ERR_OK && b->entity_id.size) status = store_set_id(b->store, id, text_of(&b->entity_id), e);
    if (status == ERR_OK && twice(b)) status = kb_record_entity(&b->record, id, type, name, properties, e);
    if (status == ERR_OK && twice(b) && b->entity_id.size)
        status = kb_record_id(&b->record, id, text_of(&b->entity_id), e);
    text_clear(&b->entity_id);
    if (status == ERR_OK && text) status = keep_text(b, id, text, e);
    b->counts.entities++;
    progress_step(&b->progress, ++b->rows);
    return status;
}

static int sink_id(void *context, int64_t id, const char *external, struct err *e)
{
    struct kb_build *b = context;
    (void)id;
    text_clear(&b->entity_id);
    text_add(&b->entity_id, "%s", external);
    return b->entity_id.failed ? FAIL(e, ERR_MEM, "%s: no memory", b->what) : ERR_OK;
}

/* Whose cosine with everything is 0. */
static int note_zero(struct kb_build *b, int64_t id, const float *x, size_t dim, struct err *e)
{
    struct text called = { 0 };
    size_t i = 0;
    while (i < dim && x[i] == 0) i++;
    if (i < dim) return ERR_OK;
    int status = store_id_of(b->store, id, &called, e);
    if (status == ERR_OK) status = tally_add(&b->notes, "vectors of zeros, similar to nothing", 1, text_of(&called), e);
    text_free(&called);
    return status;
}

static int sink_vector(void *context, int64_t id, const float *x, size_t dim, struct err *e)
{
    struct kb_build *b = context;
    b->counts.vectors++;
    progress_step(&b->progress, ++b->rows);
    const int status = store_add_vector(b->store, id, x, dim, e);
    return status == ERR_OK ? note_zero(b, id, x, dim, e) : status;
}

static int sink_relation(void *context, int64_t source, int64_t target, const char *type, double weight,
                         const char *properties, struct err *e)
{
    struct kb_build *b = context;
    b->counts.relations++;
    progress_step(&b->progress, ++b->rows);
    const int status = store_add_relation(b->store, source, target, type, weight, properties, e);
    if (status != ERR_OK || !twice(b)) return status;
    return kb_record_relation(&b->record, source, target, type, weight, properties, e);
}

static int sink_query_name(void *context, int64_t id, const char *external, struct err *e)
{
    struct kb_build *b = context;
    (void)id;
    text_clear(&b->query_id);
    text_add(&b->query_id, "%s", external);
    return b->query_id.failed ? FAIL(e, ERR_MEM, "%s: no memory", b->what) : ERR_OK;
}

static int sink_query(void *context, int64_t id, const char *split, const char *text, const float *x, size_t dim,
                      const struct kb_label *relevant, size_t relevant_count, struct err *e)
{
    struct kb_build *b = context;
    char number[32];
    int written = 0;
    snprintf(number, sizeof number, "%lld", (long long)id);
    const struct kb_question q = { b->query_id.size ? text_of(&b->query_id) : number, split, text, x, dim, relevant,
                                   relevant_count };
    const int status = kb_files_add(&b->files, &q, &b->notes, &written, e);
    text_clear(&b->query_id);
    b->counts.queries += written != 0;
    return status;
}

static int take_note(void *context, const char *what, uint64_t count, const char *first, struct err *e)
{
    struct kb_build *b = context;
    return tally_add(&b->notes, what, count, first, e);
}

struct kb_sink kb_build_sink(struct kb_build *b)
{
    return (struct kb_sink){ b, sink_entity, b->options.own_vectors ? NULL : sink_vector, sink_relation, sink_query, sink_id,
                             sink_query_name, take_note, b->options.wishes };
}

/* --- the end --------------------------------------------------------------------------------------- */
struct embed {
    const struct kb_build *b;
    struct lsa lsa; /* dim 0: by rp */
    size_t dim, from, step;
    float *vectors, *block, *scratch; /* all or one step, x dim; where the next go; threads x dim */
    struct params *params;  /* of the service */
    void *service;
    const char **texts;     /* step */
    struct err *e;
};

static uint64_t count_of(void *context, const char *word, int *status)
{
    (void)status;
    return lexicon_find(context, word);
}

static const char *text_at(const struct kb_build *b, size_t i) { return text_of(&b->texts) + b->text_at[i]; }

static void embed_some(void *context, int thread, size_t from, size_t to)
{
    const struct embed *m = context;
    const struct kb_build *b = m->b;
    for (size_t i = from; i < to; i++) {
        float *out = m->block + i * m->dim;
        const char *text = text_at(b, m->from + i);
#ifndef ASSAY_WORKER
        if (m->lsa.dim) {
            lsa_embed(&m->lsa, text, out);
            continue;
        }
#endif
        (void)text_project(text, m->dim, b->options.seed, lexicon_documents(b->lexicon), count_of, b->lexicon,
                           m->scratch + (size_t)thread * m->dim, out);
    }
}

/* Words of the new texts that the base has none of count in no vector, and make no question find what has them. */
static int note_unknown(struct kb_build *b, const struct lexicon *known, struct err *e)
{
    static const char what[] = "words that the base was made without: they count in no vector";
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < lexicon_words(b->lexicon); i++) {
        uint32_t documents;
        const char *word = lexicon_word(b->lexicon, i, &documents);
        if (!lexicon_find(known, word)) status = tally_add(&b->notes, what, 1, word, e);
    }
    return status;
}

/* The words to embed with: the base's own where it has some, so that old and new vectors agree. */
static int choose_words(struct kb_build *b, int *save, struct err *e)
{
    const struct lexicon_meta meta = lexicon_meta_of(b->store);
    struct lexicon *known = NULL;
    *save = !meta.dim;
    if (!meta.dim) return ERR_OK;
    int status = lexicon_load(&known, b->store, e);
    if (status == ERR_OK) status = note_unknown(b, known, e);
    if (status != ERR_OK) return lexicon_destroy(known), status;
    lexicon_destroy(b->lexicon);
    b->lexicon = known;
    b->options.dim = meta.dim;
    b->options.seed = meta.seed;
    return ERR_OK;
}

static int set_kept(void *context, const char *key, const char *value)
{
    const struct embed *m = context;
    return param_find(m->b->service->params, key) ? params_set(m->params, key, value, m->e) : ERR_OK;
}

static int prepare_service(struct kb_build *b, struct embed *m, struct err *e)
{
    const struct kb_build_options *o = &b->options;
    int status = params_create(&m->params, b->service->params, b->service->name, NULL, e);
    if (status == ERR_OK) status = store_settings(b->store, set_kept, m, e);
    if (status == ERR_OK && o->embed_url) status = params_set(m->params, "embed_url", o->embed_url, e);
    if (status == ERR_OK && o->embed_model) status = params_set(m->params, "embed_model", o->embed_model, e);
    struct stage_env env = { .params = m->params, .store = b->store, .threads = 1,
                             .asks_elsewhere = b->made.url.size && !o->embed_url && !o->trust };
    if (status == ERR_OK) status = b->service->create(&m->service, &env, e);
    if (status == ERR_OK) m->step = (size_t)params_int(m->params, "embed_batch");
    if (status == ERR_OK && !m->dim) /* as the service has it */
        status = b->service->dimension(m->service, text_at(b, 0), &m->dim, e);
    b->options.dim = m->dim;
    m->texts = mem_alloc(m->step, sizeof *m->texts);
    return status == ERR_OK && !m->texts ? FAIL(e, ERR_MEM, "%s: no memory to embed", b->what) : status;
}

/* How to ask the service again, as settings of the base: what is added later comes from the same one. */
static int save_service(struct kb_build *b, const struct embed *m, struct err *e)
{
    static const char *const keys[] = { "embed_url", "embed_model" };
    int status = store_set_setting(b->store, "embed", b->service->name, e);
    for (size_t i = 0; status == ERR_OK && i < 2; i++)
        status = store_set_setting(b->store, keys[i], params_text(m->params, keys[i]), e);
    return status;
}

/* Fits lsa where it was asked for, and saves what asking will need. */
static int prepare_embedder(struct kb_build *b, struct embed *m, struct err *e)
{
    m->step = EMBED_BLOCK;
    if (b->made.dim) b->options.dim = (size_t)b->made.dim;
    if (!b->service && !b->options.dim) b->options.dim = KB_BUILD_DIM;
    m->dim = b->options.dim;
    if (b->service) return prepare_service(b, m, e);
    int save = 1, status = choose_words(b, &save, e);
    m->dim = b->options.dim;
    if (status != ERR_OK || !save) return status;
#ifndef ASSAY_WORKER
    if (b->by_lsa) {
        const char **texts = mem_alloc(b->text_count, sizeof *texts);
        if (!texts) return FAIL(e, ERR_MEM, "%s: no memory to embed", b->what);
        for (size_t i = 0; i < b->text_count; i++) texts[i] = text_at(b, i);
        status = lsa_fit(&m->lsa, b->lexicon, texts, b->text_count, m->dim, b->options.seed, b->options.threads, e);
        mem_free(texts);
        if (status != ERR_OK) return status;
        m->dim = m->lsa.dim;
        status = store_set_setting(b->store, "embed", "lsa", e);
        return status == ERR_OK ? lsa_save(&m->lsa, b->store, e) : status;
    }
#endif
    return lexicon_save(b->lexicon, b->store, m->dim, b->options.seed, e);
}

static int ask_service(const struct kb_build *b, struct embed *m, size_t count, struct err *e)
{
    for (size_t i = 0; i < count; i++) m->texts[i] = text_at(b, m->from + i);
    const int status = b->service->embed_many(m->service, m->texts, count, m->dim, m->block, e);
    if (status == ERR_OK) return status;
    return err_context(e, status, "the texts of entities %lld .. %lld", (long long)b->text_ids[m->from],
                       (long long)b->text_ids[m->from + count - 1]);
}

static int add_vectors(struct kb_build *b, const struct embed *m, const float *from, size_t first, size_t count,
                       struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        const float *x = from + i * m->dim;
        status = store_add_vector(b->store, b->text_ids[first + i], x, m->dim, e);
        if (status == ERR_OK) status = note_zero(b, b->text_ids[first + i], x, m->dim, e);
    }
    return status;
}

static int embed_blocks(struct kb_build *b, struct embed *m, struct err *e)
{
    int status = ERR_OK;
    progress_start(&b->progress, "embedding texts", b->text_count);
    for (; status == ERR_OK && m->from < b->text_count; m->from += m->step) {
        const size_t count = b->text_count - m->from < m->step ? b->text_count - m->from : m->step;
        m->block = m->vectors + (twice(b) ? m->from * m->dim : 0);
        if (m->service) status = ask_service(b, m, count, e);
        else parallel_for(b->options.threads, count, EMBED_CHUNK, embed_some, m);
        if (status == ERR_OK && !twice(b)) status = add_vectors(b, m, m->block, m->from, count, e);
        b->counts.vectors += count;
        progress_step(&b->progress, m->from + count);
    }
    return status;
}

/* Writes once more, now that the vectors are there, the rows that were rolled back after their check. */
static int write_again(struct kb_build *b, const struct embed *m, struct err *e)
{
    const int status = kb_record_replay(&b->record, b->store, e);
    return status == ERR_OK ? add_vectors(b, m, m->vectors, 0, b->text_count, e) : status;
}

static int embed_texts(struct kb_build *b, struct err *e)
{
    struct embed m = { .b = b, .e = e };
    progress_end(&b->progress);
    int status = check_kind(b, e);
    if (status == ERR_OK && twice(b)) store_rollback(b->store);
    if (status == ERR_OK) status = prepare_embedder(b, &m, e);
    if (status == ERR_OK) {
        m.vectors = mem_alloc(twice(b) ? b->text_count : m.step, m.dim * sizeof *m.vectors);
        m.scratch = mem_alloc((size_t)b->options.threads * m.dim, sizeof *m.scratch);
        status = m.vectors && m.scratch ? embed_blocks(b, &m, e) : FAIL(e, ERR_MEM, "%s: no memory to embed", b->what);
    }
    if (status == ERR_OK && twice(b)) status = write_again(b, &m, e);
    if (status == ERR_OK && b->service) status = save_service(b, &m, e);
    mem_free(m.vectors);
    mem_free(m.scratch);
    if (m.service) b->service->destroy(m.service);
    params_destroy(m.params);
    mem_free(m.texts);
#ifndef ASSAY_WORKER
    lsa_free(&m.lsa);
#endif
    b->counts.words = b->service ? 0 : lexicon_words(b->lexicon);
    return status;
}

/* What was left out or added, where whoever measures over the base finds it: behind what was noted before. */
static int save_notes(struct kb_build *b, struct err *e)
{
    struct text all = { 0 }, more = { 0 };
    tally_text(&b->notes, "; ", &more);
    if (more.failed) return FAIL(e, ERR_MEM, "%s: no memory", b->what);
    int status = more.size ? store_meta(b->store, "notes", &all, e) : ERR_OK;
    const int is_new = more.size && !strstr(text_of(&all), text_of(&more));
    text_add(&all, "%s%s", all.size ? "; " : "", text_of(&more));
    if (status == ERR_OK && all.failed) status = FAIL(e, ERR_MEM, "%s: no memory", b->what);
    if (status == ERR_OK && is_new) status = store_set_meta(b->store, "notes", text_of(&all), e);
    text_free(&all);
    text_free(&more);
    return status;
}

/* Files and base, or nothing: the files get their names first, because only they can lose them again. */
static int put_in_place(struct kb_build *b, struct err *e)
{
    char *published[KB_SPLITS_MAX * KB_FILES];
    size_t count;
    int status = kb_files_publish(&b->files, published, &count, e);
    if (status == ERR_OK) status = store_begin(b->store, e); /* an empty base is one, too */
    if (status == ERR_OK) status = save_notes(b, e);
    if (status == ERR_OK) status = store_commit(b->store, e);
    for (size_t i = 0; i < count; i++) {
        if (status != ERR_OK) (void)unlink(published[i]);
        free(published[i]);
    }
    return status;
}

int kb_build_commit(struct kb_build *b, struct kb_build_counts *counts, struct err *e)
{
    int status = ERR_OK;
    if (b->text_count && b->counts.vectors == 0) status = embed_texts(b, e);
    progress_end(&b->progress);
    if (status == ERR_OK) status = put_in_place(b, e);
    if (status == ERR_OK) *counts = b->counts;
    return status;
}
