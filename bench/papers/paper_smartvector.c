/* SPDX-License-Identifier: MIT
 * paper_smartvector.c - the engine's smart_search and version slots (crate 0.12, 0.13), which its own pipeline never reads:
 * what is each of the four signals worth where the base's columns tell the truth?
 *
 * Planted rewards (memories alike in vector, unlike in worth), and columns that say so: confidence is an option's chance of
 * reward, the worst option of each situation was valid until a year ago, in-degree rises with the chance, version 1 is
 * without the worst two.  So every signal is right here, and the ablation says how much of that the engine's weights turn
 * into answers; on a base whose columns are defaults all of it is 0. */
#include "bench/papers/retrieval.h"
#include "kernels/base/mem.h"
#include "pipeline/store.h"
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static const char table[] =
#include "gen/smartvector.tsv.inc"
    ;

/* The generator's entities say their chance of reward: properties.chance. */
static const char columns[] =
    "UPDATE kg_entities SET confidence = coalesce(json_extract(properties, '$.chance'), 0.5),"
    " validity = CASE WHEN json_extract(properties, '$.chance') > 0.4 THEN 3 ELSE 1 END;"
    "UPDATE kg_entities SET valid_until = 1000000000 - 31536000 WHERE json_extract(properties, '$.chance') < 0.15;"
    "INSERT INTO kg_dependencies(source_id, target_id, dep_type) SELECT a.id, b.id, 'depends_on' FROM kg_entities a JOIN kg_entities b"
    " ON b.id = a.id + 1 + abs(a.id * 7) % 3 WHERE json_extract(b.properties, '$.chance') > 0.6;";

static int write_columns(struct retrieval *base, const char *sql, struct err *e)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open(base->db, &db);
    if (rc == SQLITE_OK) rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    const int status = rc == SQLITE_OK ? ERR_OK : FAIL(e, ERR_IO, "smartvector: %s", sqlite3_errmsg(db));
    sqlite3_close(db);
    return status == ERR_OK ? retrieval_questions(base, "report", e) : status;
}

#define PLANTED "n=4000,situations=60,queries=2000,worst=0.1,best=0.9,dim=64"
static int open_base(struct retrieval *base, struct err *e)
{
    const struct retrieval_source from = { .generator = "rewards", .split = "report", .params = PLANTED };
    const int status = retrieval_open(base, &from, e);
    return status == ERR_OK ? write_columns(base, columns, e) : status;
}

#define SMART "retrieve=exact expand=none top_k_rerank=20 min_combined_score=-1e9 smart_now=1000000000 score=smart " \
              "vector_weight=0.5 graph_weight=0.5 "
static const struct { const char *name, *settings; } arms[] = {
    { "all", SMART },
    { "without temporal", SMART "smart_temporal=0" },
    { "without confidence", SMART "smart_confidence=0" },
    { "without in_degree", SMART "smart_in_degree=0" },
    { "cosine", SMART "smart_temporal=0 smart_confidence=0 smart_in_degree=0" },
};
enum { ARMS = sizeof arms / sizeof *arms };

static int ablation(struct paper_run *r, struct err *e)
{
    struct retrieval base = { 0 };
    int status = open_base(&base, e);
    const size_t room = base.set.queries.count;
    double *values = mem_alloc(ARMS * room + 1, sizeof *values);
    size_t count = 0;
    if (status == ERR_OK && !values) status = FAIL(e, ERR_MEM, "smartvector: no memory");
    for (size_t a = 0; status == ERR_OK && a < ARMS; a++) {
        struct finding f = finding_of("arm=%s;measure=success@1", arms[a].name);
        status = retrieval_ask(&base, 10, e, "%s", arms[a].settings);
        if (status != ERR_OK) break;
        count = retrieval_at(&base, metric_success_at, 1, values + a * room);
        retrieval_mean(&f, values + a * room, count, values, a ? arms[0].name : NULL);
        status = retrieval_keep(&base, r, "rewards", arms[a].name, e);
        if (status != ERR_OK) break;
        status = paper_found(r, &f, e);
    }
    for (size_t a = 1; status == ERR_OK && a < ARMS; a++) {
        struct finding f = finding_of("contrast=all-%s;measure=success@1", arms[a].name);
        finding_of_pairs(&f, values, values + a * room, count);
        status = paper_found(r, &f, e);
    }
    mem_free(values);
    retrieval_close(&base);
    return status;
}

static int versions(struct paper_run *r, struct err *e)
{
    struct retrieval base = { 0 };
    int status = open_base(&base, e);
    const size_t room = base.set.queries.count;
    double *values = mem_alloc(2 * room + 1, sizeof *values);
    size_t count = 0;
    if (status == ERR_OK && !values) status = FAIL(e, ERR_MEM, "smartvector: no memory");
    for (int slot = 0; status == ERR_OK && slot < 2; slot++) {
        status = retrieval_ask(&base, 10, e, "retrieve=exact expand=none graph_weight=0 filter=version version_slot=%d", slot);
        if (status == ERR_OK) count = retrieval_at(&base, metric_success_at, 1, values + (size_t)slot * room);
        if (status == ERR_OK) status = retrieval_keep(&base, r, "rewards", slot ? "version" : "all", e);
    }
    if (status == ERR_OK) {
        struct finding f = finding_of("contrast=version-all;measure=success@1");
        finding_of_pairs(&f, values + room, values, count);
        status = paper_found(r, &f, e);
    }
    mem_free(values);
    retrieval_close(&base);
    return status;
}

/* What the crate's ripple writes when the sources of error are found out: each loses all of its confidence, what depends on
 * it half as much, what depends on that a quarter, at most once each, clamped to [0, 1].  Before it every memory is trusted
 * alike, and the three worst options of a situation stand on the worst: worst <- second <- third. */
static const char trusting[] =
    "UPDATE kg_entities SET confidence = 0.8, validity = 0, valid_until = NULL;"
    "DELETE FROM kg_dependencies;"
    "CREATE TEMP TABLE options AS SELECT id, json_extract(properties, '$.situation') AS situation,"
    " row_number() OVER (PARTITION BY json_extract(properties, '$.situation') ORDER BY json_extract(properties, '$.chance')) AS place"
    " FROM kg_entities WHERE entity_type = 'option';"
    "INSERT INTO kg_dependencies(source_id, target_id, dep_type) SELECT a.id, b.id, 'depends_on' FROM options a JOIN options b"
    " ON a.situation = b.situation AND a.place = b.place + 1 WHERE b.place <= 2;";
static const char ripple_writes[] =
    "CREATE TEMP TABLE wrong AS SELECT o.id FROM (SELECT id, row_number() OVER"
    " (PARTITION BY json_extract(properties, '$.situation') ORDER BY json_extract(properties, '$.chance')) AS place"
    " FROM kg_entities WHERE entity_type = 'option') o WHERE o.place = 1;"
    "CREATE TEMP TABLE hit AS WITH RECURSIVE reached(id, hop) AS (SELECT id, 0 FROM wrong UNION"
    " SELECT d.source_id, r.hop + 1 FROM reached r JOIN kg_dependencies d ON d.target_id = r.id AND d.dep_type = 'depends_on'"
    " WHERE r.hop < 2) SELECT id, min(hop) AS hop FROM reached GROUP BY id;"
    "UPDATE kg_entities SET confidence = max(0, min(1, confidence - (SELECT 1.0 / (1 << hop) FROM hit WHERE hit.id = kg_entities.id)))"
    " WHERE id IN (SELECT id FROM hit);";

static int ripple(struct paper_run *r, struct err *e)
{
    static const char *const writes[] = { trusting, ripple_writes };
    struct retrieval base = { 0 };
    const struct retrieval_source from = { .generator = "rewards", .split = "report", .params = PLANTED };
    int status = retrieval_open(&base, &from, e);
    const size_t room = base.set.queries.count;
    double *values = mem_alloc(2 * room + 1, sizeof *values);
    size_t count = 0;
    if (status == ERR_OK && !values) status = FAIL(e, ERR_MEM, "smartvector: no memory");
    for (size_t i = 0; status == ERR_OK && i < 2; i++) {
        struct finding f = finding_of("arm=%s;measure=success@1", i ? "rippled" : "trusting");
        status = write_columns(&base, writes[i], e);
        if (status == ERR_OK) status = retrieval_ask(&base, 10, e, "%s", SMART);
        if (status == ERR_OK) status = retrieval_keep(&base, r, "rewards", i ? "rippled" : "trusting", e);
        if (status != ERR_OK) break;
        count = retrieval_at(&base, metric_success_at, 1, values + i * room);
        retrieval_mean(&f, values + i * room, count, values, i ? "trusting" : NULL);
        status = paper_found(r, &f, e);
    }
    if (status == ERR_OK) {
        struct finding f = finding_of("contrast=rippled-trusting;measure=success@1");
        finding_of_pairs(&f, values + room, values, count);
        status = paper_found(r, &f, e);
    }
    mem_free(values);
    retrieval_close(&base);
    return status;
}

/* Confidence of an entity made `days` ago, as score=smart decays it: read back from a combined score. */
static int decay(struct paper_run *r, struct err *e)
{
    static const int ages[] = { 0, 7, 14, 30, 90 };
    const float x[] = { 1, 0 };
    struct store *store = NULL;
    struct scratch scratch = { 0 };
    char db[96];
    int status = scratch_open(&scratch, e);
    snprintf(db, sizeof db, "%s/kb.sqlite", scratch.folder);
    if (status == ERR_OK) status = store_open(&store, db, STORE_CREATE, e);
    if (status == ERR_OK) status = store_add_entity(store, 1, "fact", "fact", NULL, e);
    if (status == ERR_OK) status = store_add_vector(store, 1, x, 2, e);
    if (status == ERR_OK) status = store_commit(store, e);
    if (status == ERR_OK &&
        sqlite3_exec(store_handle(store), "UPDATE kg_entities SET created_at = 1000000000", NULL, NULL, NULL) != SQLITE_OK)
        status = FAIL(e, ERR_IO, "smartvector: %s cannot be written", db);
    store_close(store);
    for (size_t i = 0; status == ERR_OK && i < sizeof ages / sizeof *ages; i++) {
        struct pipeline *p = NULL;
        struct answer a;
        char now[64];
        snprintf(now, sizeof now, "smart_now=%lld", 1000000000ll + 86400ll * ages[i]);
        const char *const settings[] = { "retrieve=exact", "score=smart", "vector_weight=0", "graph_weight=1", "smart_temporal=0",
                                         "smart_in_degree=0", "smart_confidence=1", "smart_decay=true", now };
        const struct question q = { .vector = x, .dim = 2 };
        status = pipeline_open(&p, db, settings, sizeof settings / sizeof *settings, NULL, e);
        if (status == ERR_OK) status = pipeline_query(p, &q, 1, &a, e);
        struct finding f = finding_of("days=%d;quantity=confidence", ages[i]);
        if (status == ERR_OK) f.ours = f.lo = f.hi = a.count ? a.results[0].combined_score : (double)NAN;
        f.n = 1;
        f.theory = exp(-0.05 * ages[i]);
        pipeline_close(p);
        if (status == ERR_OK) status = paper_found(r, &f, e);
    }
    scratch_close(&scratch);
    return status;
}

static const struct paper_item items[] = {
    { .name = "ablation", .summary = "smart_search without one signal at a time, where the columns tell the truth", .run = ablation },
    { .name = "versions", .summary = "a version without the worst memories against all of them", .run = versions },
    { .name = "ripple", .summary = "what the crate's ripple writes along dependencies, read by score=smart", .run = ripple },
    { .name = "decay", .summary = "confidence by age", .run = decay },
    { 0 },
};

const struct paper_ops paper_smartvector = {
    .name = "smartvector",
    .reference = "sqlite-knowledge-graph 0.12, 0.13: smart_search, ConfidenceEngine, version slots",
    .summary = "time, trust and dependencies beside similarity",
    .table = table,
    .items = items,
};
