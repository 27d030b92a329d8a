/* SPDX-License-Identifier: MIT
 * test_store.c - what the store writes, refuses, reads and survives. */
#include "pipeline/store.h"
#include "kernels/base/test.h"
#include <math.h>
#include <sqlite3.h>
#include <sys/stat.h>

static char folder[] = "/tmp/assay_store_XXXXXX";
static char path[256];
static struct err e;

static const char *file_of(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Three entities, vectors of dimension 4, one relation; committed. */
static void make(const char *name)
{
    struct store *s = NULL;
    const float x[4] = { 1, 2, 3, 4 };
    CHECK(store_open(&s, file_of(name), STORE_CREATE, &e) == ERR_OK, "%s", e.text);
    if (!s) return;
    for (int64_t id = 1; id <= 3; id++) {
        CHECK(store_add_entity(s, id, "doc", "a name", id == 2 ? "{\"a\":[1]}" : NULL, &e) == ERR_OK, "%s", e.text);
        CHECK(store_add_vector(s, id, x, 4, &e) == ERR_OK, "%s", e.text);
    }
    CHECK(store_add_relation(s, 1, 2, "link", 0.5, NULL, &e) == ERR_OK, "%s", e.text);
    CHECK(store_commit(s, &e) == ERR_OK, "%s", e.text);
    store_close(s);
}

static void sql(const char *name, const char *text)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    CHECK(sqlite3_open(file_of(name), &db) == SQLITE_OK, "%s", name);
    CHECK(sqlite3_exec(db, text, NULL, NULL, &why) == SQLITE_OK, "%s: %s", text, why);
    sqlite3_free(why);
    sqlite3_close(db);
}

/* The one number that a query gives; -1 when it gives none. */
static int64_t number(const char *name, const char *text)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int64_t value = -1;
    if (sqlite3_open(file_of(name), &db) == SQLITE_OK && sqlite3_prepare_v2(db, text, -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        value = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return value;
}

static int open_status(const char *name, enum store_mode mode)
{
    struct store *s = NULL;
    e.text[0] = 0;
    const int status = store_open(&s, file_of(name), mode, &e);
    CHECK((status == ERR_OK) == (s != NULL), "%s", name);
    CHECK(status == ERR_OK || strstr(e.text, path), "names the path: %s", e.text);
    store_close(s);
    return status;
}

static int count_relation(void *context, int64_t id, int64_t source, int64_t target, const char *type, double weight)
{
    (void)source, (void)target, (void)type;
    ((double *)context)[id] = weight;
    return 0;
}

static void round_trip(void)
{
    make("round.db");
    struct store *s = NULL;
    struct entity got;
    struct vectors v = { 0 };
    double weights[8] = { 0 };
    CHECK(store_open(&s, file_of("round.db"), STORE_READ, &e) == ERR_OK, "%s", e.text);
    if (!s) return;
    CHECK(store_schema_version(s) == 4, "%d", store_schema_version(s));
    CHECK(store_entity(s, 2, &got, &e) == ERR_OK && strcmp(got.properties, "{\"a\":[1]}") == 0, "%s", e.text);
    CHECK(store_entity(s, 3, &got, &e) == ERR_OK && strcmp(got.properties, "{}") == 0, "%s", e.text);
    CHECK(store_entity(s, 4, &got, &e) == ERR_NOT_FOUND, "%s", e.text);
    CHECK(store_vectors(s, &v, &e) == ERR_OK, "%s", e.text);
    CHECK(v.rows.count == 3 && v.rows.dim == 4 && v.ids[2] == 3 && rows_at(v.rows, 2)[3] == 4, "vectors");
    CHECK(v.hashes[0] != v.hashes[1], "equal vectors under two ids have two hashes");
    CHECK(store_relations(s, 1, count_relation, weights, &e) == ERR_OK && weights[1] == 0.5, "%s", e.text);
    vectors_free(&v);
    store_close(s);
}

static void refuses_rows(void)
{
    struct store *s = NULL;
    const float good[2] = { 1, 0 }, nan[2] = { 1, NAN }, inf[2] = { INFINITY, 1 }, huge[2] = { -6e17f, 6e17f };
    CHECK(store_open(&s, file_of("refuse.db"), STORE_CREATE, &e) == ERR_OK, "%s", e.text);
    if (!s) return;
    CHECK(store_add_entity(s, 1, "doc", "A", NULL, &e) == ERR_OK, "%s", e.text);
    CHECK(store_add_entity(s, 1, "doc", "B", NULL, &e) == ERR_ARG && strstr(e.text, "exists"), "%s", e.text);
    CHECK(store_add_entity(s, 2, "doc", "B", "[1]", &e) == ERR_ARG && strstr(e.text, "JSON object"), "%s", e.text);
    CHECK(store_add_entity(s, 2, "doc", "B", "{", &e) == ERR_ARG, "%s", e.text);
    CHECK(store_add_entity(s, 2, NULL, "B", "{}", &e) == ERR_ARG, "%s", e.text);
    CHECK(store_add_vector(s, 1, nan, 2, &e) == ERR_ARG && strstr(e.text, "column 1"), "%s", e.text);
    CHECK(store_add_vector(s, 1, inf, 2, &e) == ERR_ARG && strstr(e.text, "column 0"), "%s", e.text);
    CHECK(store_add_vector(s, 1, huge, 2, &e) == ERR_ARG && strstr(e.text, "too large (at most 1e18): its absolute values sum to 1.2e+18"), "%s", e.text);
    CHECK(store_add_vector(s, 1, good, 0, &e) == ERR_ARG, "%s", e.text);
    CHECK(store_add_vector(s, 7, good, 2, &e) == ERR_ARG && strstr(e.text, "entity 7"), "%s", e.text);
    CHECK(store_add_vector(s, 1, good, 2, &e) == ERR_OK, "%s", e.text);
    CHECK(store_add_vector(s, 1, good, 1, &e) == ERR_ARG && strstr(e.text, "dimension 1"), "%s", e.text);
    CHECK(store_add_relation(s, 1, 9, "x", 1, NULL, &e) == ERR_ARG && strstr(e.text, "1 -> 9"), "%s", e.text);
    CHECK(store_add_relation(s, 1, 1, "x", 1.5, NULL, &e) == ERR_ARG && strstr(e.text, "1.5"), "%s", e.text);
    CHECK(store_add_relation(s, 1, 1, "x", NAN, NULL, &e) == ERR_ARG, "%s", e.text);
    CHECK(store_add_relation(s, 1, 1, "x", 0, "7", &e) == ERR_ARG, "%s", e.text);
    CHECK(store_commit(s, &e) == ERR_OK, "%s", e.text);
    store_close(s);
    CHECK(number("refuse.db", "SELECT count(*) FROM kg_entities") == 1, "what was refused is not there");
    CHECK(number("refuse.db", "SELECT count(*) FROM kg_vectors") == 1, "what was refused is not there");
    CHECK(number("refuse.db", "SELECT count(*) FROM kg_relations") == 0, "what was refused is not there");
    CHECK(store_open(&s, file_of("refuse.db"), STORE_WRITE, &e) == ERR_OK, "%s", e.text);
    CHECK(store_add_vector(s, 1, good, 1, &e) == ERR_ARG, "the dimension of what was there before");
    store_close(s);
}

/* A process that was killed while it gave a base its name has left a second one: the next writer removes it. */
static void second_name(void)
{
    char left[300];
    make("twice.db");
    snprintf(left, sizeof left, "%s.1-0.partial", file_of("twice.db"));
    CHECK(link(path, left) == 0, "%s", left);
    CHECK(open_status("twice.db", STORE_READ) == ERR_OK && access(left, F_OK) == 0, "reading changes nothing: %s", e.text);
    CHECK(open_status("twice.db", STORE_WRITE) == ERR_OK && access(left, F_OK) != 0, "%s", e.text);
    CHECK(number("twice.db", "SELECT count(*) FROM kg_entities") == 3, "the base");
}

static void bad_files(void)
{
    CHECK(open_status("none.db", STORE_READ) == ERR_NOT_FOUND, "%s", e.text);
    CHECK(open_status("none.db", STORE_WRITE) == ERR_NOT_FOUND, "%s", e.text);
    FILE *f = fopen(file_of("text.db"), "w");
    for (int i = 0; f && i < 1000; i++) fputs("not a database at all\n", f);
    if (f) fclose(f);
    CHECK(open_status("text.db", STORE_READ) == ERR_FORMAT && strstr(e.text, "not a SQLite"), "%s", e.text);
    if ((f = fopen(file_of("empty.db"), "w"))) fclose(f);
    CHECK(open_status("empty.db", STORE_READ) == ERR_FORMAT && strstr(e.text, "kg_entities"), "%s", e.text);
    CHECK(open_status(".", STORE_READ) == ERR_FORMAT, "%s", e.text);
    make("newer.db");
    sql("newer.db", "UPDATE kg_schema_version SET version = 9");
    CHECK(open_status("newer.db", STORE_READ) == ERR_FORMAT && strstr(e.text, "version 9"), "%s", e.text);
    make("there.db");
    CHECK(open_status("there.db", STORE_CREATE) == ERR_ARG && strstr(e.text, "exists"), "%s", e.text);
    CHECK(open_status("no/folder.db", STORE_CREATE) == ERR_IO, "%s", e.text);
    make("short.db");
    CHECK(truncate(file_of("short.db"), 9000) == 0, "truncate");
    const int status = open_status("short.db", STORE_READ);
    CHECK(status == ERR_FORMAT, "%d %s", status, e.text);
}

static void locked(void)
{
    make("locked.db");
    sqlite3 *db = NULL;
    CHECK(sqlite3_open(file_of("locked.db"), &db) == SQLITE_OK, "open");
    CHECK(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK, "lock");
    CHECK(open_status("locked.db", STORE_READ) == ERR_BUSY && strstr(e.text, "locked"), "%s", e.text);
    sqlite3_close(db);
    CHECK(open_status("locked.db", STORE_READ) == ERR_OK, "%s", e.text);
}

static void foreign_rows(void)
{
    make("foreign.db");
    sql("foreign.db",
        "PRAGMA foreign_keys = OFF;"
        "UPDATE kg_entities SET properties = NULL WHERE id = 1;"
        "INSERT INTO kg_entities (id, entity_type, name) VALUES (4, 't', 'n'), (5, 't', 'n'), (6, 't', 'n');"
        "INSERT INTO kg_vectors (entity_id, vector, dimension) VALUES (4, x'0000803f', 1),"
        "  (5, CAST(x'0000c07f0000000000000000' || x'00000000' AS BLOB), 4),"
        "  (6, x'6b0b5e5d6b0b5e5d6b0b5e5d6b0b5e5d', 4);" /* 1e18 each */
        "INSERT INTO kg_relations (source_id, target_id, rel_type, weight) VALUES (1, 2, 'x', 1),"
        "  (1, 2, 'x', NULL), (1, 2, 'x', x'000000000000e03f'), (1, 2, 'x', x'0000803e'),"
        "  (1, 2, 'x', x'00'), (1, 2, 'x', 'heavy')");
    struct store *s = NULL;
    struct entity got;
    struct vectors v = { 0 };
    double w[8] = { 0 };
    CHECK(store_open(&s, file_of("foreign.db"), STORE_READ, &e) == ERR_OK, "%s", e.text);
    if (!s) return;
    CHECK(store_entity(s, 1, &got, &e) == ERR_OK && strcmp(got.properties, "{}") == 0, "NULL properties");
    CHECK(store_vectors(s, &v, &e) == ERR_OK, "%s", e.text);
    CHECK(v.rows.count == 3 && v.other_dimension == 1 && v.non_finite == 2, "%zu %zu %zu", v.rows.count,
          v.other_dimension, v.non_finite);
    CHECK(store_relations(s, 1, count_relation, w, &e) == ERR_OK, "%s", e.text);
    CHECK(w[2] == 1 && w[3] == 1 && w[4] == 0.5 && w[5] == 0.25 && w[6] == 1 && isnan(w[7]), "%g %g %g %g %g %g", w[2],
          w[3], w[4], w[5], w[6], w[7]);
    vectors_free(&v);
    store_close(s);
}

/* The crate's first schema: no version table, no checksum. */
static void migrates(void)
{
    make("old.db");
    sql("old.db", "DROP TABLE kg_schema_version; ALTER TABLE kg_turboquant_cache DROP COLUMN vectors_checksum;"
                  "DROP INDEX idx_versions_branch; DROP INDEX idx_versions_parent; DROP TABLE kg_versions;"
                  "DROP INDEX idx_conf_log_entity_reason; DROP INDEX idx_conf_log_entity; DROP TABLE kg_confidence_log;"
                  "DROP INDEX idx_deps_source; DROP INDEX idx_deps_target; DROP TABLE kg_dependencies;"
                  "ALTER TABLE kg_entities DROP COLUMN confidence; ALTER TABLE kg_entities DROP COLUMN access_count;"
                  "ALTER TABLE kg_entities DROP COLUMN last_accessed; ALTER TABLE kg_entities DROP COLUMN valid_from;"
                  "ALTER TABLE kg_entities DROP COLUMN valid_until;"
                  "ALTER TABLE kg_entities DROP COLUMN base_confidence;"
                  "ALTER TABLE kg_entities DROP COLUMN decay_rate; ALTER TABLE kg_entities DROP COLUMN validity;"
                  "ALTER TABLE kg_relations DROP COLUMN confidence; ALTER TABLE kg_relations DROP COLUMN valid_from;"
                  "ALTER TABLE kg_relations DROP COLUMN valid_until; ALTER TABLE kg_relations DROP COLUMN validity");
    struct store *s = NULL;
    CHECK(store_open(&s, file_of("old.db"), STORE_READ, &e) == ERR_OK && store_schema_version(s) == 1, "%s", e.text);
    store_close(s);
    s = NULL;
    CHECK(store_open(&s, file_of("old.db"), STORE_WRITE, &e) == ERR_OK, "%s", e.text);
    if (!s) return;
    CHECK(store_add_entity(s, 9, "doc", "new", NULL, &e) == ERR_OK, "%s", e.text);
    CHECK(store_commit(s, &e) == ERR_OK && store_schema_version(s) == 4, "%s", e.text);
    store_close(s);
    sql("old.db", "SELECT validity, confidence, decay_rate FROM kg_entities; SELECT validity FROM kg_relations;"
                  "SELECT bit_slot FROM kg_versions; SELECT vectors_checksum FROM kg_turboquant_cache");
    CHECK(number("old.db", "SELECT version FROM kg_schema_version") == 4, "the version");
    CHECK(number("old.db", "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name LIKE 'idx_%'") == 15,
          "indexes");
}

/* A process that dies while it writes leaves no new base and an old one unharmed. */
static void dies_writing(const void *name, void *mode, void *unused)
{
    (void)unused;
    struct store *s = NULL;
    CHECK(store_open(&s, file_of(name), *(enum store_mode *)mode, &e) == ERR_OK, "%s", e.text);
    for (int64_t id = 100; id < 3000; id++)
        CHECK(store_add_entity(s, id, "doc", "lost", NULL, &e) == ERR_OK, "%s", e.text);
    abort();
}

static void crash_safe(void)
{
    enum store_mode mode = STORE_CREATE;
    (void)test_child(dies_writing, "crash_new.db", &mode, NULL);
    CHECK(access(file_of("crash_new.db"), F_OK) != 0, "a half-written base appeared");
    make("crash_old.db");
    mode = STORE_WRITE;
    (void)test_child(dies_writing, "crash_old.db", &mode, NULL);
    CHECK(number("crash_old.db", "SELECT count(*) FROM kg_entities") == 3, "as it was");
    CHECK(number("crash_old.db", "SELECT integrity_check = 'ok' FROM pragma_integrity_check") == 1, "whole");
    struct store *s = NULL;
    CHECK(store_open(&s, file_of("rolled.db"), STORE_CREATE, &e) == ERR_OK, "%s", e.text);
    store_close(s);
    CHECK(access(file_of("rolled.db"), F_OK) != 0, "closed without a commit");
    make("crash_new.db"); /* and takes what the dead process left with it */
    char listing[300];
    snprintf(listing, sizeof listing, "ls %s | grep -q partial", folder);
    CHECK(system(listing) != 0, "a partial file is left");
}

static void notices_changes(void)
{
    make("change.db");
    struct store *s = NULL;
    int changed = 0;
    CHECK(store_open(&s, file_of("change.db"), STORE_READ, &e) == ERR_OK, "%s", e.text);
    if (!s) return;
    CHECK(store_changed(s, &changed, &e) == ERR_OK && changed, "the first look");
    CHECK(store_changed(s, &changed, &e) == ERR_OK && !changed, "nothing happened");
    sql("change.db", "UPDATE kg_vectors SET vector = x'0000803f0000803f0000803f0000803f' WHERE entity_id = 1");
    CHECK(store_changed(s, &changed, &e) == ERR_OK && changed, "another connection wrote");
    CHECK(store_changed(s, &changed, &e) == ERR_OK && !changed, "seen");
    store_close(s);
}

static void expect_id(struct store *s, int64_t entity, const char *id)
{
    struct text got = { 0 };
    int64_t back = -1;
    CHECK(store_id_of(s, entity, &got, &e) == ERR_OK && strcmp(text_of(&got), id) == 0, "%s, wanted %s", text_of(&got), id);
    CHECK(store_find_id(s, id, &back, &e) == ERR_OK && back == entity, "%s is %lld", id, (long long)back);
    text_free(&got);
}

/* Numbers need no table; a text is one entity's, whose number is no id any more. */
static void ids_of_the_user(void)
{
    struct store *s = NULL;
    int has = 1;
    int64_t found;
    make("ids.db");
    CHECK(store_open(&s, file_of("ids.db"), STORE_WRITE, &e) == ERR_OK, "%s", e.text);
    CHECK(store_has_ids(s, &has, &e) == ERR_OK && !has, "none yet");
    expect_id(s, 2, "2");
    CHECK(store_set_id(s, 2, "Pump 4", &e) == ERR_OK && store_set_id(s, 3, "2", &e) == ERR_OK, "%s", e.text);
    CHECK(store_set_id(s, 1, "Pump 4", &e) == ERR_ARG && strstr(e.text, "another entity's"), "%s", e.text);
    CHECK(store_set_id(s, 99, "x", &e) == ERR_ARG && strstr(e.text, "no entity 99"), "%s", e.text);
    CHECK(store_commit(s, &e) == ERR_OK, "%s", e.text);
    expect_id(s, 1, "1");
    expect_id(s, 2, "Pump 4");
    expect_id(s, 3, "2");
    CHECK(store_find_id(s, "3", &found, &e) == ERR_NOT_FOUND && strstr(e.text, "'3'"), "%s", e.text);
    CHECK(store_find_id(s, "01", &found, &e) == ERR_NOT_FOUND, "01 is no 1");
    store_close(s);
    sql("ids.db", "PRAGMA foreign_keys = ON; DELETE FROM kg_vectors; DELETE FROM kg_relations; DELETE FROM kg_entities WHERE id = 2");
    CHECK(store_open(&s, file_of("ids.db"), STORE_READ, &e) == ERR_OK, "%s", e.text);
    CHECK(store_find_id(s, "Pump 4", &found, &e) == ERR_NOT_FOUND, "gone with its entity");
    store_close(s);
}

int main(void)
{
    if (!mkdtemp(folder)) return 1;
    test_case("what is written is read", round_trip);
    test_case("bad rows are refused and leave nothing", refuses_rows);
    test_case("bad files give one clear line", bad_files);
    test_case("a base with two names", second_name);
    test_case("a locked database is busy, then open", locked);
    test_case("foreign rows are counted, not fatal", foreign_rows);
    test_case("an old schema is read, and migrated by a write", migrates);
    test_case("a crash loses only what was not committed", crash_safe);
    test_case("ids that are texts, and numbers", ids_of_the_user);
    test_case("changes of other connections are noticed", notices_changes);
    char clean[300];
    snprintf(clean, sizeof clean, "rm -rf %s", folder);
    if (system(clean) != 0) return 1;
    return test_end();
}
