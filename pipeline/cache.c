/* SPDX-License-Identifier: MIT
 * cache.c - keeps an index in step with a base: loads, compares row by row, updates or builds, and saves. */
#include "pipeline/cache.h"
#include "kernels/base/clock.h"
#include "index/persist.h"
#include "kernels/base/mem.h"
#include "pipeline/side.h"
#include <string.h>

/* Updating row by row costs more than building in bulk from about here on. */
enum { UPDATE_AT_MOST_ONE_IN = 8, TRAIN_ROWS_MAX = 262144 };

static void forget(struct index_cache *c)
{
    if (!c->users || __atomic_sub_fetch(c->users, 1, __ATOMIC_ACQ_REL) == 0) {
        index_destroy(c->index);
        mem_free(c->ids);
        mem_free(c->hashes);
        mem_free(c->users);
    }
    *c = (struct index_cache){ 0 };
}

void index_cache_free(struct index_cache *c) { forget(c); }

void index_cache_share(struct index_cache *to, const struct index_cache *from)
{
    if (from->users) __atomic_add_fetch(from->users, 1, __ATOMIC_RELAXED);
    *to = *from;
}

/* Remembers which vectors the index holds. */
static int remember(struct index_cache *c, const struct kb *kb, struct err *e)
{
    const size_t n = kb->vectors.rows.count;
    int64_t *ids = mem_alloc(n, sizeof *ids);
    uint64_t *hashes = mem_alloc(n, sizeof *hashes);
    int *users = c->users ? c->users : mem_zero(1, sizeof *users);
    if (!ids || !hashes || !users) {
        mem_free(ids);
        mem_free(hashes);
        if (!c->users) mem_free(users);
        return FAIL(e, ERR_MEM, "no memory for the hashes of %zu vectors", n);
    }
    memcpy(ids, kb->vectors.ids, n * sizeof *ids);
    memcpy(hashes, kb->vectors.hashes, n * sizeof *hashes);
    mem_free(c->ids);
    mem_free(c->hashes);
    c->ids = ids;
    c->hashes = hashes;
    c->users = users;
    *users = 1;
    c->count = n;
    c->fingerprint = kb->fingerprint;
    return ERR_OK;
}

/* What to do with the next of two ascending lists of ids: -1 only the old one has it, 1 only the new
 * one, 2 both but with another vector, 0 equal. */
static int compare_next(const struct index_cache *c, size_t old, const struct vectors *v, size_t new)
{
    if (old == c->count) return 1;
    if (new == v->rows.count) return -1;
    if (c->ids[old] != v->ids[new]) return c->ids[old] < v->ids[new] ? -1 : 1;
    return c->hashes[old] != v->hashes[new] ? 2 : 0;
}

/* Removes, adds and replaces in the index what differs between its ids and hashes and the base's; with index NULL the
 * differences are only counted. */
static int apply_changes(const struct index_cache *c, struct index *index, const struct vectors *v, size_t *changes,
                         struct err *e)
{
    int status = ERR_OK;
    *changes = 0;
    for (size_t old = 0, new = 0; status == ERR_OK && (old < c->count || new < v->rows.count);) {
        const int what = compare_next(c, old, v, new);
        *changes += what != 0;
        const struct rows row = { what > 0 ? rows_at(v->rows, new) : NULL, 1, v->rows.dim, v->rows.stride };
        if (index && what == -1) status = index_remove(index, c->ids[old], e);
        if (index && what == 1) status = index_add(index, row, &v->ids[new], e);
        if (index && what == 2) status = index_replace(index, v->ids[new], row.at, e);
        old += what != 1;
        new += what != -1;
    }
    return status;
}

/* 1 when the index now holds what the base does.  One that others search is not touched. */
static int update(struct index_cache *c, const struct kb *kb)
{
    const struct vectors *v = &kb->vectors;
    if (!c->users || __atomic_load_n(c->users, __ATOMIC_ACQUIRE) > 1) return 0;
    if (!c->index || !c->index->ops->remove || index_learns(c->index) || c->index->config.dim != v->rows.dim) return 0;
    size_t changes;
    (void)apply_changes(c, NULL, v, &changes, NULL);
    if (changes > v->rows.count / UPDATE_AT_MOST_ONE_IN) return 0;
    if (apply_changes(c, c->index, v, &changes, NULL) != ERR_OK) return 0;
    c->row_changes = changes;
    c->source = CACHE_UPDATED;
    return 1;
}

/* --- the file: the index, and as its note the hash and the id of every row ----------------------- */

/* hashes, then ids as the differences between one and the next: 7 bits a byte, low ones first. */
static size_t write_rows(const struct index_cache *c, uint8_t *out)
{
    const uint8_t *const start = out;
    memcpy(out, c->hashes, c->count * sizeof *c->hashes);
    out += c->count * sizeof *c->hashes;
    for (size_t i = 0; i < c->count; i++) {
        uint64_t step = (uint64_t)c->ids[i] - (i ? (uint64_t)c->ids[i - 1] : 0);
        for (; step >= 0x80; step >>= 7) *out++ = (uint8_t)(step | 0x80);
        *out++ = (uint8_t)step;
    }
    return (size_t)(out - start);
}

/* 1 when the note is of `count` rows. */
static int read_rows(struct index_cache *c, const uint8_t *at, size_t size, size_t count)
{
    const uint8_t *const end = at + size;
    if (size < count * (sizeof *c->hashes + 1)) return 0;
    c->ids = mem_alloc(count, sizeof *c->ids);
    c->hashes = mem_alloc(count, sizeof *c->hashes);
    c->users = mem_zero(1, sizeof *c->users);
    if (c->users) *c->users = 1; /* forget frees what the last one leaves */
    if (!c->ids || !c->hashes || !c->users) return 0;
    memcpy(c->hashes, at, count * sizeof *c->hashes);
    at += count * sizeof *c->hashes;
    for (uint64_t id = 0; c->count < count; c->count++) {
        uint64_t step = 0;
        int more = 1;
        for (int shift = 0; more && at < end && shift < 64; shift += 7) {
            step |= (uint64_t)(*at & 0x7f) << shift;
            more = *at++ & 0x80;
        }
        if (more || (c->count && step == 0)) return 0;
        id += step;
        c->ids[c->count] = (int64_t)id;
    }
    return at == end;
}

static int save(const struct index_cache *c, const char *path)
{
    struct index_note note = { .fingerprint = c->fingerprint };
    uint8_t *rows = mem_alloc(c->count, sizeof *c->hashes + 10);
    if (!rows) return 0;
    note.bytes = rows;
    note.size = write_rows(c, rows);
    const int saved = index_save_noted(c->index, path, &note, NULL) == ERR_OK;
    mem_free(rows);
    return saved;
}

/* 1 when the vector of id is what the index holds: writing it again changes nothing. */
static int is_row(struct index *ix, int64_t id, const float *x, float *before, float *after)
{
    const size_t size = ix->config.dim * sizeof *before;
    return index_decode(ix, id, before, NULL) == ERR_OK && index_replace(ix, id, x, NULL) == ERR_OK &&
           index_decode(ix, id, after, NULL) == ERR_OK && memcmp(before, after, size) == 0;
}

/* 1 when the index holds the ids of the base, and a sample of its rows is what they are (side.h).  Where nothing is learnt
 * rows stay in their places, and what lies beside the codes is compared too.  What was learnt is believed: of a forged
 * codebook or centre only what no sampled row shows goes unnoticed; so are edges of a graph and their codes, by which
 * forged ones can lose answers. */
static int is_true(struct index *ix, const struct kb *kb)
{
    const struct vectors *v = &kb->vectors;
    const size_t n = v->rows.count, dim = v->rows.dim;
    struct index_stats stats;
    size_t sample[SIDE_SAMPLE];
    uint32_t before = 0, after = 0;
    if (!ix->ops->has || !ix->ops->replace || !ix->ops->decode) return 0;
    ix->ops->stats(ix, &stats);
    int good = stats.rows == n;
    for (size_t r = 0; good && r < n; r++) good = ix->ops->has(ix, v->ids[r]);
    float *decoded = mem_alloc(2 * dim, sizeof *decoded);
    const int in_place = !index_learns(ix);
    if (good) good = decoded && (!in_place || index_sum(ix, &before, NULL) == ERR_OK);
    const size_t count = side_sample(n, sample);
    for (size_t i = 0; good && i < count; i++)
        good = is_row(ix, v->ids[sample[i]], rows_at(v->rows, sample[i]), decoded, decoded + dim);
    if (good && in_place) good = index_sum(ix, &after, NULL) == ERR_OK && before == after;
    mem_free(decoded);
    return good;
}

/* 1 when the file beside the database is what `empty` would become, or was and has been brought up to date. */
static int load(struct index_cache *c, const struct kb *kb, const struct index *empty, const char *path)
{
    struct index_note note = { 0 };
    struct text want = { 0 }, have = { 0 };
    struct index_stats stats;
    if (index_load_noted(&c->index, path, &empty->config, &note, NULL) != ERR_OK) return 0;
    const struct index_config *got = &c->index->config;
    index_spec(empty, &want);
    index_spec(c->index, &have);
    int fits = got->seed == empty->config.seed && got->metric == empty->config.metric &&
               got->dim == empty->config.dim && !want.failed && !have.failed &&
               strcmp(text_of(&want), text_of(&have)) == 0;
    if (fits && note.fingerprint == kb->fingerprint) {
        c->source = CACHE_LOADED;
        c->saved = 1;
    } else if (fits) {
        c->index->ops->stats(c->index, &stats);
        fits = read_rows(c, note.bytes, note.size, (size_t)stats.rows) && update(c, kb);
    }
    if (fits) fits = is_true(c->index, kb);
    mem_free((void *)(uintptr_t)note.bytes);
    text_free(&want);
    text_free(&have);
    if (!fits) forget(c);
    return fits;
}

static int build(struct index *empty, const struct kb *kb, struct err *e)
{
    struct rows sample = kb->vectors.rows;
    const size_t step = (sample.count + TRAIN_ROWS_MAX - 1) / TRAIN_ROWS_MAX;
    sample.stride *= step;
    sample.count = (sample.count + step - 1) / step;
    const int status = index_train(empty, sample, e);
    return status == ERR_OK ? index_add(empty, kb->vectors.rows, kb->vectors.ids, e) : status;
}

/* An index where none was in memory: loaded from its file where that is good, else built from all vectors. */
static int fresh(struct index_cache *c, const struct kb *kb, const struct cache_request *want, const char *path,
                 struct err *e)
{
    const struct index_config config = { .dim = kb->vectors.rows.dim, .metric = METRIC_COSINE, .seed = want->seed,
                                         .threads = want->threads, .kernels = want->kernels };
    struct index *empty = NULL;
    int status = index_create(&empty, want->spec, &config, e);
    if (status != ERR_OK) return status;
    if (empty->ops->save && load(c, kb, empty, path)) {
        index_destroy(empty);
        return ERR_OK;
    }
    status = build(empty, kb, e);
    if (status == ERR_OK) c->index = empty, c->source = CACHE_BUILT;
    else index_destroy(empty);
    return status;
}

int index_cache_refresh(struct index_cache *c, const struct kb *kb, const struct cache_request *want, struct err *e)
{
    c->source = CACHE_KEPT;
    c->build_s = 0;
    c->row_changes = 0;
    if (kb->vectors.rows.count == 0) return forget(c), ERR_OK;
    if (c->index && c->fingerprint == kb->fingerprint) return ERR_OK;
    struct text path = { 0 };
    text_add(&path, "%s.assay", want->db_path);
    if (path.failed) return forget(c), FAIL(e, ERR_MEM, "%s: no memory", want->db_path);
    const uint64_t started = clock_ns();
    int status = ERR_OK;
    c->saved = 0;
    if (!update(c, kb)) {
        forget(c);
        status = fresh(c, kb, want, text_of(&path), e);
    }
    if (status == ERR_OK) status = remember(c, kb, e);
    if (status == ERR_OK && !c->saved) {
        c->build_s = clock_since_s(started);
        /* A folder without room or permission costs the next open its time, and nothing else. */
        c->saved = save(c, text_of(&path));
    }
    if (status != ERR_OK) forget(c);
    text_free(&path);
    return status;
}
