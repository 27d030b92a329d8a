/* SPDX-License-Identifier: MIT
 * test_faults.c - a disk that fails at every single call, and memory that runs out at every allocation, ours or
 * SQLite's: an error is reported, the database is intact, and the next call works. */
#include "pipeline/cache.h"
#include "pipeline/check_kb.h"
#include "pipeline/bm25.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include "kernels/base/faults.h"
#include "kernels/base/mem.h"

/* --- a VFS that fails the n-th call, wrapped around the usual one ------------------------------------ */

static sqlite3_vfs *real_vfs;
static long calls, fail_at; /* fail_at 0: never */
static int failure;         /* what the call returns */

struct faulty {
    sqlite3_file base;
    sqlite3_file *real;
};

/* Counts a call; 1 when it is the one that fails. */
static int hit(void) { return ++calls == fail_at; }
static sqlite3_file *real_of(sqlite3_file *f) { return ((struct faulty *)f)->real; }

static int f_close(sqlite3_file *f)
{
    const int rc = real_of(f)->pMethods ? real_of(f)->pMethods->xClose(real_of(f)) : SQLITE_OK;
    free(real_of(f));
    return rc;
}
static int f_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    if (hit()) return failure == SQLITE_FULL ? SQLITE_IOERR_READ : failure;
    return real_of(f)->pMethods->xRead(real_of(f), to, n, at);
}
static int f_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
    return hit() ? failure : real_of(f)->pMethods->xWrite(real_of(f), from, n, at);
}
static int f_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    return hit() ? failure : real_of(f)->pMethods->xTruncate(real_of(f), n);
}
static int f_sync(sqlite3_file *f, int flags) { return hit() ? failure : real_of(f)->pMethods->xSync(real_of(f),
                                                                                                     flags); }
static int f_size(sqlite3_file *f, sqlite3_int64 *n)
{
    return hit() ? SQLITE_IOERR_FSTAT : real_of(f)->pMethods->xFileSize(real_of(f), n);
}
static int f_lock(sqlite3_file *f, int level)
{
    return hit() ? SQLITE_BUSY : real_of(f)->pMethods->xLock(real_of(f), level);
}
static int f_unlock(sqlite3_file *f, int level) { return real_of(f)->pMethods->xUnlock(real_of(f), level); }
static int f_reserved(sqlite3_file *f, int *out) { return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out); }
static int f_control(sqlite3_file *f, int op, void *arg) { return real_of(f)->pMethods->xFileControl(real_of(f), op,
                                                                                                     arg); }
static int f_sector(sqlite3_file *f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); }
static int f_device(sqlite3_file *f) { return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f)); }

static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return hit() ? SQLITE_IOERR_SHMMAP : real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}
static int f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    const int may_fail = (flags & SQLITE_SHM_LOCK) != 0;
    return may_fail && hit() ? SQLITE_BUSY : real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}
static void f_shm_barrier(sqlite3_file *f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); }
static int f_shm_unmap(sqlite3_file *f, int away) { return real_of(f)->pMethods->xShmUnmap(real_of(f), away); }

static const sqlite3_io_methods methods = {
    2, f_close, f_read, f_write, f_truncate, f_sync, f_size, f_lock, f_unlock, f_reserved, f_control, f_sector,
        f_device,
    f_shm_map, f_shm_lock, f_shm_barrier, f_shm_unmap, NULL, NULL,
};

static int f_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
    (void)vfs;
    struct faulty *faulty = (struct faulty *)f;
    f->pMethods = NULL;
    if (hit()) return SQLITE_CANTOPEN;
    faulty->real = calloc(1, (size_t)real_vfs->szOsFile);
    if (!faulty->real) return SQLITE_NOMEM;
    const int rc = real_vfs->xOpen(real_vfs, name, faulty->real, flags, out);
    if (rc == SQLITE_OK) f->pMethods = &methods;
    else free(faulty->real);
    return rc;
}
static int f_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    return hit() ? SQLITE_IOERR_DELETE : real_vfs->xDelete(real_vfs, name, sync);
}

/* --- SQLite's memory ---------------------------------------------------------------------------------- */

static sqlite3_mem_methods real_memory;
static long allocations, fail_allocation; /* 0: never */

static void *m_malloc(int n) { return ++allocations == fail_allocation ? NULL : real_memory.xMalloc(n); }
static void *m_realloc(void *at, int n)
{
    return ++allocations == fail_allocation ? NULL : real_memory.xRealloc(at, n);
}

/* In the place of the C library's, SQLite's calls too.  Nothing here survives the machine, so nothing waits for a disk. */
int fsync(int fd) { return (void)fd, 0; }
int fdatasync(int fd) { return (void)fd, 0; }
static void install(void)
{
    static sqlite3_vfs vfs;
    static sqlite3_mem_methods memory;
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
    memory = real_memory;
    memory.xMalloc = m_malloc;
    memory.xRealloc = m_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.iVersion = 1;
    vfs.zName = "faulty";
    vfs.szOsFile = sizeof(struct faulty);
    vfs.xOpen = f_open;
    vfs.xDelete = f_delete;
    sqlite3_vfs_register(&vfs, 1);
}

/* --- what must hold ---------------------------------------------------------------------------------- */

enum { N = 120, DIM = 8 };
static float x[N][DIM];

static void make_base(const char *name)
{
    struct kb_edge edges[3 * N + 1] = { 0 };
    for (int i = 0; i < 3 * N; i++)
        edges[i] = (struct kb_edge){ (int64_t)(test_rand() % N) + 1, (int64_t)(test_rand() % N) + 1 };
    for (int i = 0; i < N; i++)
        for (int j = 0; j < DIM; j++) x[i][j] = (float)(test_rand() >> 40) / (1 << 23) - 1;
    kb_make(name, N, DIM, x[0], edges);
}

static int intact(const char *name)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int ok = sqlite3_open(kb_path(name), &db) == SQLITE_OK &&
             sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) ==
                 SQLITE_ROW &&
             strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
    sqlite3_finalize(st);
    sqlite3_close(db);
    return ok;
}

static const int failures[] = { SQLITE_IOERR_READ, SQLITE_FULL, SQLITE_IOERR };

static int ask_words(struct pipeline *p, struct answer *out)
{
    const struct question q = { .text = "run entity", .vector = x[0], .dim = DIM };
    kb_err.text[0] = 0;
    return pipeline_query(p, &q, 5, out, &kb_err);
}

/* Every call of a query that finds the base changed, name and vector, and so reads all of it. */
static void query_faults(void)
{
    static const char *const settings[] = { "index=flat", "retrieve=bm25", "retrieve=hybrid" };
    enum { KINDS = sizeof failures / sizeof *failures, CASES = KINDS * sizeof settings / sizeof *settings };
    make_base("query.db");
    for (size_t i = 0; i < CASES; i++) {
        const size_t kind = i % KINDS;
        struct answer a;
        struct pipeline *p = kb_pipeline("query.db", settings[i / KINDS]);
        CHECK(p && ask_words(p, &a) == ERR_OK && a.count == 5, "%s", kb_err.text);
        long n = 1, failed = 0;
        for (int hits = 1; p && hits; n++) {
            char sql[200];
            snprintf(sql, sizeof sql, "UPDATE kg_entities SET name = 'run %ld' WHERE id = 1;"
                     "UPDATE kg_vectors SET vector = zeroblob(32) WHERE entity_id = %ld", n, n % 100 + 2);
            kb_sql("query.db", sql);
            failure = failures[kind];
            calls = 0;
            fail_at = n;
            const int status = ask_words(p, &a);
            hits = calls >= fail_at;
            fail_at = 0;
            failed += status != ERR_OK;
            CHECK(status == ERR_OK || kb_err.text[0], "call %ld: an error without words", n);
            CHECK(ask_words(p, &a) == ERR_OK && a.count == 5 && a.results[0].id == 1, "after call %ld: %s", n,
                  kb_err.text);
            snprintf(sql, sizeof sql, "run %ld", n);
            CHECK(strcmp(a.results[0].entity.name, sql) == 0, "after call %ld: an old answer", n);
        }
        CHECK(failed > 5, "%ld of %ld calls failed", failed, n);
        pipeline_close(p);
    }
    CHECK(intact("query.db"), "integrity_check");
}

static void open_faults(void)
{
    static const int codes[] = { SQLITE_IOERR_READ, SQLITE_FULL, SQLITE_IOERR, SQLITE_BUSY };
    make_base("open.db");
    for (int wal = 0; wal < 2; wal++) {
        kb_sql("open.db", wal ? "PRAGMA journal_mode = WAL" : "PRAGMA journal_mode = DELETE");
        CHECK(kb_number("open.db", "SELECT journal_mode = 'wal' FROM pragma_journal_mode") == wal, "journal_mode");
        for (size_t kind = 0; kind < sizeof codes / sizeof *codes; kind++) {
            long n = 1, failed = 0;
            for (int hits = 1; hits; n++) {
                failure = codes[kind];
                calls = 0;
                fail_at = n;
                struct pipeline *p = kb_pipeline("open.db", kind % 2 ? "index=flat" : "retrieve=hybrid");
                hits = calls >= fail_at;
                fail_at = 0;
                failed += p == NULL;
                CHECK(p || kb_err.text[0], "call %ld: an error without words", n);
                pipeline_close(p);
            }
            CHECK(failed > 5, "%ld of %ld", failed, n);
        }
    }
    CHECK(intact("open.db"), "integrity_check");
}

/* A base whose first vector is of another dimension than most is read twice: what the first time left is freed, whichever
 * query fails (a leak is the sanitizer's to see). */
static void vector_faults(void)
{
    kb_make("mixed.db", 40, 3, x[0], NULL);
    kb_sql("mixed.db", "UPDATE kg_vectors SET vector = substr(vector, 1, 8), dimension = 2 WHERE entity_id > 2");
    for (size_t kind = 0; kind < 2; kind++) {
        long n = 1, failed = 0;
        for (int hits = 1; hits; n++) {
            struct store *s = NULL;
            struct vectors v = { 0 };
            int status = store_open(&s, kb_path("mixed.db"), STORE_READ, &kb_err);
            if (kind) fault_after(FAULT_MEMORY, n, ENOMEM);
            failure = SQLITE_IOERR_READ;
            calls = 0;
            fail_at = kind ? 0 : n;
            if (status == ERR_OK) status = store_vectors(s, &v, &kb_err);
            hits = kind ? fault_hit() : calls >= fail_at;
            fail_at = 0;
            fault_after(FAULT_NONE, 0, 0);
            failed += status != ERR_OK;
            CHECK(status == ERR_OK ? v.rows.count == 38 && v.rows.dim == 2 : v.ids == NULL, "call %ld: %zu rows", n, v.rows.count);
            vectors_free(&v);
            store_close(s);
        }
        CHECK(failed > 3, "%ld of %ld failed", failed, n);
    }
}

static int64_t count_of(const char *name)
{
    struct store *s = NULL;
    int64_t *ids = NULL;
    size_t count = 0;
    const int status = store_open(&s, kb_path(name), STORE_READ, &kb_err);
    /* A reader must not take a base whose writer failed half-way for a whole one. */
    char journal[64];
    snprintf(journal, sizeof journal, "%s-journal", name);
    const int hot = access(kb_path(journal), F_OK) == 0;
    CHECK(hot ? status == ERR_IO && strstr(kb_err.text, "crashed") : status == ERR_OK, "%s", kb_err.text);
    if (hot && store_open(&s, kb_path(name), STORE_WRITE, &kb_err) != ERR_OK) return -1;
    CHECK(s && store_entity_ids(s, &ids, &count, &kb_err) == ERR_OK, "%s", kb_err.text);
    mem_free(ids);
    store_close(s);
    return (int64_t)count;
}

/* A transaction of writes is there as a whole, or not at all. */
static int write_some(struct store *s, int64_t from)
{
    int status = ERR_OK;
    for (int64_t id = from; status == ERR_OK && id < from + 40; id++)
        status = store_add_entity(s, id, "t", "n", NULL, &kb_err);
    for (int64_t id = from; status == ERR_OK && id < from + 40; id++)
        status = store_add_vector(s, id, x[0], DIM, &kb_err);
    if (status == ERR_OK) status = store_add_relation(s, from, from + 1, "t", 1, NULL, &kb_err);
    return status == ERR_OK ? store_commit(s, &kb_err) : status;
}

static void write_faults(void)
{
    make_base("write.db");
    long n = 1, failed = 0;
    int64_t next = 1000, there = N;
    for (int hits = 1; hits; n++, next += 100) {
        struct store *s = NULL;
        failure = failures[n % 3];
        calls = 0;
        fail_at = n;
        int status = store_open(&s, kb_path("write.db"), STORE_WRITE, &kb_err);
        if (status == ERR_OK) status = write_some(s, next);
        hits = calls >= fail_at;
        fail_at = 0;
        store_close(s);
        failed += status != ERR_OK;
        const int64_t now = count_of("write.db");
        /* A commit may have reached the disk before the call that failed. */
        CHECK(now == there + 40 || (status != ERR_OK && now == there),
              "call %ld: status %d, %lld entities, before %lld", n, status,
              (long long)now, (long long)there);
        there = now;
    }
    CHECK(failed > 5 && intact("write.db"), "%ld of %ld failed", failed, n);
}

static void create_faults(void)
{
    long n = 1, failed = 0;
    for (int hits = 1; hits; n++) {
        struct store *s = NULL;
        (void)unlink(kb_path("create.db"));
        failure = failures[n % 3];
        calls = 0;
        fail_at = n;
        int status = store_open(&s, kb_path("create.db"), STORE_CREATE, &kb_err);
        if (status == ERR_OK) status = write_some(s, 1);
        hits = calls >= fail_at;
        fail_at = 0;
        store_close(s);
        failed += status != ERR_OK;
        const int exists = access(kb_path("create.db"), F_OK) == 0;
        CHECK(status != ERR_OK || exists, "call %ld: nothing was made", n);
        if (exists) CHECK(intact("create.db") && count_of("create.db") == 40, "call %ld: a half-made base", n);
    }
    CHECK(failed > 5, "%ld of %ld failed", failed, n);
}

static int partial_files_left(void)
{
    char sql[128];
    snprintf(sql, sizeof sql, "ls %s | grep -q partial", kb_folder);
    return system(sql) == 0;
}

/* A disk that fills after so many bytes of a file beside the base (as a file size limit): the answer is the same, no half
 * file appears, and the next open saves what this one could not. */
static void cache_faults(void)
{
    static const struct { const char *settings, *file; } cases[] = {
        { "", "cache.db.assay" }, { "index=ivf:nlist=4", "cache.db.assay" }, { "retrieve=bm25", "cache.db.assay-words" },
    };
    struct rlimit old;
    make_base("cache.db");
    getrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer a;
        struct stat st = { 0 };
        pipeline_close(kb_pipeline("cache.db", cases[i].settings));
        CHECK(stat(kb_path(cases[i].file), &st) == 0 && st.st_size > 1000, "%s: %lld bytes", cases[i].file,
              (long long)st.st_size);
        for (off_t room = 0; room < st.st_size; room += st.st_size / 60 + 1) {
            struct rlimit small = { (rlim_t)room, old.rlim_max };
            (void)unlink(kb_path(cases[i].file));
            setrlimit(RLIMIT_FSIZE, &small);
            struct pipeline *p = kb_pipeline("cache.db", cases[i].settings);
            const int status = p ? kb_ask(p, x[0], DIM, 5, &a) : kb_err.code;
            setrlimit(RLIMIT_FSIZE, &old);
            CHECK(status == ERR_OK, "%s, %lld bytes: %s", cases[i].settings, (long long)room, kb_err.text);
            CHECK(access(kb_path(cases[i].file), F_OK) != 0 && !partial_files_left(), "%lld bytes: half a file",
                  (long long)room);
            pipeline_close(p);
        }
        for (int last = 0; last < 2; last++) {
            fault_after(last ? FAULT_RENAME : FAULT_SYNC, 1, EIO);
            struct pipeline *p = kb_pipeline("cache.db", cases[i].settings);
            fault_after(FAULT_NONE, 0, 0);
            CHECK(p && kb_ask(p, x[0], DIM, 5, &a) == ERR_OK, "%s: %s", cases[i].settings, kb_err.text);
            CHECK(access(kb_path(cases[i].file), F_OK) != 0 && !partial_files_left(), "%s: half a file",
                  last ? "rename" : "fsync");
            pipeline_close(p);
        }
        pipeline_close(kb_pipeline("cache.db", cases[i].settings));
        CHECK(access(kb_path(cases[i].file), F_OK) == 0, "saved once there is room");
        (void)unlink(kb_path(cases[i].file));
    }
    CHECK(intact("cache.db"), "integrity_check");
}

/* Memory that runs out at the n-th allocation: the same promises. */
static void memory_faults(void)
{
    static const char *const settings[] = { "",
                                            "index=flat expand=ppr score=ppr calibration=percentile filter=quantile",
                                            "rerank=memrl context=bfs", "retrieve=bm25", "retrieve=hybrid" };
    make_base("memory.db");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        long failed = 0;
        struct answer a;
        for (long n = 1;; n++) {
            (void)unlink(kb_path("memory.db.assay"));
            (void)unlink(kb_path("memory.db.assay-words"));
            fault_after(FAULT_MEMORY, n, ENOMEM);
            struct pipeline *p = kb_pipeline("memory.db", settings[i]);
            const int status = p ? kb_ask(p, x[0], DIM, 5, &a) : kb_err.code;
            fault_after(FAULT_NONE, 0, 0);
            CHECK(status == ERR_OK || status == ERR_MEM, "allocation %ld: %d %s", n, status, kb_err.text);
            if (p) CHECK(kb_ask(p, x[0], DIM, 5, &a) == ERR_OK, "after allocation %ld: %s", n, kb_err.text);
            pipeline_close(p);
            failed += status != ERR_OK;
            if (p && status == ERR_OK && n > failed + 20) break; /* far beyond the last one that matters */
        }
        CHECK(failed > 20, "%ld allocations", failed);
    }
}

/* The same where a cache file is there that a few rows differ from. */
static void stale_cache(void)
{
    make_base("stale.db");
    pipeline_close(kb_pipeline("stale.db", ""));
    long failed = 0, updated = 0;
    for (long n = 1; n < 1500; n += 1 + n / 100) {
        struct answer a;
        char sql[128];
        snprintf(sql, sizeof sql, "UPDATE kg_vectors SET vector = (SELECT vector FROM kg_vectors WHERE entity_id = "
                 "%ld) WHERE entity_id = 2", n % 100 + 3);
        kb_sql("stale.db", sql);
        fault_after(FAULT_MEMORY, n, ENOMEM);
        struct pipeline *p = kb_pipeline("stale.db", "");
        fault_after(FAULT_NONE, 0, 0);
        CHECK(p || kb_err.code == ERR_MEM, "allocation %ld: %d %s", n, kb_err.code, kb_err.text);
        failed += p == NULL;
        updated += p && pipeline_cache(p)->source == CACHE_UPDATED;
        if (p) CHECK(kb_ask(p, x[0], DIM, 5, &a) == ERR_OK && a.results[0].id == 1, "%ld: %s", n, kb_err.text);
        pipeline_close(p);
    }
    CHECK(failed > 20 && updated > 20, "%ld failed, %ld updated", failed, updated);
}

/* SQLite's allocations: no answer, or the right one; and no index of words that says otherwise ever after. */
static void sqlite_memory(void)
{
    static const char *const settings[] = { "index=flat", "retrieve=bm25" };
    make_base("sqlite.db");
    kb_sql("sqlite.db", "UPDATE kg_entities SET name = 'run' || hex(zeroblob(3000)) || ' run', "
                        "properties = '{\"t\":\"' || hex(zeroblob(3000)) || ' run\"}' WHERE id = 1");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        long failed = 0, n = 1;
        for (int hits = 1; hits; n += 1 + n / 100) {
            struct answer a;
            (void)unlink(kb_path("sqlite.db.assay-words"));
            allocations = 0;
            fail_allocation = n;
            struct pipeline *p = kb_pipeline("sqlite.db", settings[i]);
            int status = p ? ask_words(p, &a) : kb_err.code;
            hits = allocations >= n;
            fail_allocation = 0;
            failed += status != ERR_OK;
            CHECK(status == ERR_OK || kb_err.text[0], "allocation %ld: an error without words", n);
            if (status == ERR_OK) CHECK(a.count == 5 && a.results[0].id == 1, "allocation %ld: another answer", n);
            pipeline_close(p);
            p = kb_pipeline("sqlite.db", settings[i]);
            status = p ? ask_words(p, &a) : kb_err.code;
            CHECK(status == ERR_OK && a.count == 5 && a.results[0].id == 1, "after allocation %ld: %d %s", n, status,
                  kb_err.text);
            pipeline_close(p);
        }
        CHECK(failed > 20, "%ld of %ld allocations", failed, n);
    }
}

/* A fingerprint of half the texts would bring back an index of others. */
static void fingerprint_memory(void)
{
    struct store *s = NULL;
    uint64_t want = 0, got;
    CHECK(store_open(&s, kb_path("sqlite.db"), STORE_READ, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(s && bm25_fingerprint(s, &want, &kb_err) == ERR_OK && want, "%s", kb_err.text);
    long failed = 0;
    for (long n = 1, hits = 1; s && hits; n++) {
        got = 0;
        allocations = 0;
        fail_allocation = n;
        const int status = bm25_fingerprint(s, &got, &kb_err);
        hits = allocations >= n;
        fail_allocation = 0;
        failed += status != ERR_OK;
        CHECK(status == ERR_OK ? got == want : status == ERR_MEM, "allocation %ld: %d %s", n, status, kb_err.text);
    }
    CHECK(failed > 0, "nothing failed");
    store_close(s);
}

int main(void)
{
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    install();
    test_case("a disk that fails during a query", query_faults);
    test_case("a disk that fails while opening", open_faults);
    test_case("a disk that fails while vectors are read", vector_faults);
    test_case("a disk that fails while writing", write_faults);
    test_case("a disk that fails while creating", create_faults);
    test_case("a disk that fills while the cache is written", cache_faults);
    test_case("memory that runs out", memory_faults);
    test_case("memory that runs out beside a stale cache", stale_cache);
    test_case("memory that runs out in SQLite", sqlite_memory);
    test_case("memory that runs out for a fingerprint", fingerprint_memory);
    return kb_end();
}
