/* SPDX-License-Identifier: MIT
 * check_kb.h - for tests: a temporary folder, small bases, and pipelines over them. */
#ifndef ASSAY_CHECK_KB_H
#define ASSAY_CHECK_KB_H
#include "kernels/base/test.h"
#include "pipeline/pipeline.h"
#include "pipeline/store.h"
#include <math.h>
#include <sqlite3.h>
#include <sys/stat.h>

static char kb_folder[] = "/tmp/assay_test_XXXXXX";
static struct err kb_err;

/* Makes the folder in memory, where there is such a place: for what writes much, and for fuzz targets, which call it at
 * every input.  1 when it was made now.  Removed at the end. */
static inline void kb_remove_folder(void)
{
    char clean[320];
    snprintf(clean, sizeof clean, "rm -rf %s", kb_folder);
    (void)!system(clean);
}

static inline int kb_memory_folder(void)
{
    static int made;
    if (made++) return 0;
    if (access("/dev/shm", W_OK) == 0) snprintf(kb_folder, sizeof kb_folder, "/dev/shm/assay_XXXXXX");
    if (!mkdtemp(kb_folder) || atexit(kb_remove_folder) != 0) abort();
    return 1;
}

/* A path in the folder; one of eight that are valid at a time. */
static inline const char *kb_path(const char *name)
{
    static char paths[8][320];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", kb_folder, name);
    return path;
}

static inline int kb_end(void)
{
    char clean[320];
    snprintf(clean, sizeof clean, "rm -rf %s", kb_folder);
    if (system(clean) != 0) return TEST_FAIL;
    return test_end();
}

/* Runs SQL by a connection of its own, as another process would. */
static inline void kb_sql(const char *name, const char *text)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    CHECK(sqlite3_open(kb_path(name), &db) == SQLITE_OK, "%s", name);
    CHECK(sqlite3_exec(db, text, NULL, NULL, &why) == SQLITE_OK, "%s: %s", text, why);
    sqlite3_free(why);
    sqlite3_close(db);
}

/* The one number that a query gives; -1 when it gives none. */
static inline int64_t kb_number(const char *name, const char *text)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int64_t value = -1;
    if (sqlite3_open(kb_path(name), &db) == SQLITE_OK && sqlite3_prepare_v2(db, text, -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        value = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return value;
}

struct kb_edge { int64_t source, target; };

/* Entities 1..count with the rows of x (dim each), and edges that end at a source of 0. */
static inline void kb_make(const char *name, size_t count, size_t dim, const float *x, const struct kb_edge *edges)
{
    struct store *s = NULL;
    (void)unlink(kb_path(name));
    CHECK(store_open(&s, kb_path(name), STORE_CREATE, &kb_err) == ERR_OK, "%s", kb_err.text);
    if (!s) return;
    for (size_t i = 0; i < count; i++) {
        char title[32];
        snprintf(title, sizeof title, "entity %zu", i + 1);
        CHECK(store_add_entity(s, (int64_t)i + 1, "doc", title, NULL, &kb_err) == ERR_OK, "%s", kb_err.text);
        if (dim) CHECK(store_add_vector(s, (int64_t)i + 1, x + i * dim, dim, &kb_err) == ERR_OK, "%s", kb_err.text);
    }
    for (; edges && edges->source; edges++)
        CHECK(store_add_relation(s, edges->source, edges->target, "link", 0.5, NULL, &kb_err) == ERR_OK, "%s",
              kb_err.text);
    CHECK(store_commit(s, &kb_err) == ERR_OK, "%s", kb_err.text);
    store_close(s);
}

/* settings: "key=value key=value", no blanks inside. */
static inline struct pipeline *kb_pipeline(const char *name, const char *settings)
{
    char copy[1024], *save = NULL;
    const char *list[64];
    size_t count = 0;
    snprintf(copy, sizeof copy, "%s", settings);
    for (char *s = strtok_r(copy, " ", &save); s && count < 64; s = strtok_r(NULL, " ", &save)) list[count++] = s;
    struct pipeline *p = NULL;
    kb_err.text[0] = 0;
    const int status = pipeline_open(&p, kb_path(name), list, count, NULL, &kb_err);
    CHECK((status == ERR_OK) == (p != NULL), "a pipeline without success, or the other way round");
    return p;
}

static inline int kb_ask(struct pipeline *p, const float *vector, size_t dim, size_t k, struct answer *out)
{
    const struct question q = { .id = 0, .text = "question", .vector = vector, .dim = dim };
    kb_err.text[0] = 0;
    return pipeline_query(p, &q, k, out, &kb_err);
}

/* The fixture of the Rust engine, copied so that a cache file may appear beside it; 0: it is missing. */
static inline const char *kb_fixture_file(const char *name)
{
    static char path[512];
    const char *shared = getenv("ASSAY_SHARED");
    snprintf(path, sizeof path, "%s/fixtures/sqlite_kg_v0111/%s", shared ? shared : "../shared", name);
    return path;
}

static inline int kb_fixture(const char *as)
{
    FILE *from = fopen(kb_fixture_file("fixture_v0111.db"), "rb"), *to = from ? fopen(kb_path(as), "wb") : NULL;
    char block[65536];
    for (size_t n; to && (n = fread(block, 1, sizeof block, from)) > 0;)
        if (fwrite(block, 1, n, to) != n) break;
    if (from) fclose(from);
    return to && fclose(to) == 0;
}
#endif
