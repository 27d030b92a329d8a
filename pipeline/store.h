/* SPDX-License-Identifier: MIT
 * store.h - a knowledge base in SQLite: entities, relations, vectors (schema.sql).
 *
 * Reads schema v1..v4 as sqlite-knowledge-graph writes it, and writes v4, which every version of that
 * crate reads.  Reading never changes a database: ours are side tables with the prefix assay_ in
 * databases that we made, and the file <db>.assay for the index cache.
 *
 * What a foreign database may hold and we pass over is counted, never fatal and never silent: vectors
 * of another dimension than most, non-finite ones, vectors without an entity, relations to nowhere, rows whose ids
 * are no integers or another row's.  Its tables may be views, and lack what is not needed to tell rows apart. */
#ifndef ASSAY_STORE_H
#define ASSAY_STORE_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/err.h"
#include "kernels/base/rows.h"
#include "kernels/base/text.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { STORE_SCHEMA_NEWEST = 4, STORE_BUSY_MS = 2000 };

struct sqlite3;
struct store;

enum store_mode {
    STORE_READ,   /* SQLITE_OPEN_READONLY */
    STORE_WRITE,  /* an existing base, migrated to the newest schema by the first write */
    STORE_CREATE, /* a new one; ERR_ARG if it exists */
};

/* ERR_NOT_FOUND: no such file.  ERR_FORMAT: not a database, not a knowledge base, a newer schema.
 * ERR_BUSY: locked by another process for STORE_BUSY_MS.  ERR_IO.  Every message names the path.
 * STORE_CREATE builds a partial file beside it (file.h), without a rollback journal on disk, and the first
 * store_commit renames it to `path`: a crash before that leaves nothing under `path`, the next STORE_CREATE
 * removes what it did leave, and a file that appeared at `path` meanwhile is not overwritten. */
int store_open(struct store **out, const char *path, enum store_mode mode, struct err *e);
void store_close(struct store *s); /* rolls back what was not committed; NULL is allowed */
int store_schema_version(const struct store *s);
const char *store_path(const struct store *s);
/* For tests and side tables.  Another one after the first commit of STORE_CREATE. */
struct sqlite3 *store_handle(struct store *s);

/* --- writing: inside one transaction, begun by the first write and ended by store_commit --------- */
/* ERR_ARG: weight outside [0, 1], another dimension than the base's, a vector that is not finite or too large,
 * properties that are not a JSON object, an id in use, a vector or relation of an entity that does not exist.  A
 * refused row leaves the transaction as it was.  properties: NULL means {}.  store_add_vector replaces. */
int store_begin(struct store *s, struct err *e); /* also before writing to side tables; may be repeated */
int store_add_entity(struct store *s, int64_t id, const char *type, const char *name,
                     const char *properties, struct err *e);
int store_add_vector(struct store *s, int64_t entity_id, const float *x, size_t dim, struct err *e);
int store_add_relation(struct store *s, int64_t source, int64_t target, const char *type, double weight,
                       const char *properties, struct err *e);
/* Joins `count` entities, in order.  ERR_ARG: fewer than 2, one of them twice or nonexistent. */
int store_add_hyperedge(struct store *s, const char *type, const int64_t *entities, size_t count, double weight,
                        const char *properties, struct err *e);
void store_rollback(struct store *s); /* of a base that exists: forgets what was written, and gives up the lock */
int store_commit(struct store *s, struct err *e); /* ERR_BUSY: nothing is lost, commit again */

/* --- reading: one transaction a query, so that all of it sees one state ------------------------- */
/* From here on; writers of a base without a WAL wait until the end.  ERR_BUSY. */
int store_read_begin(struct store *s, struct err *e);
void store_read_end(struct store *s); /* without store_read_begin: nothing to do */
/* 1 in *changed when the database may differ from what the last call of this function saw. */
int store_changed(struct store *s, int *changed, struct err *e);
/* Statements run through this store so far. */
uint64_t store_statements(const struct store *s);

/* Rows that are none of ours, as of the last time that they were read: ids that are no integers, or another row's;
 * vectors that are no blobs. */
struct store_odd { size_t entities, vectors, relations; };
struct store_odd store_odd(const struct store *s);

/* One entity, as text: owned by the store, valid until the next call.  ERR_NOT_FOUND.  NULL properties
 * in the database read as "{}". */
struct entity {
    int64_t id;
    const char *type, *name, *properties;
};
int store_entity(struct store *s, int64_t id, struct entity *out, struct err *e);
/* Appends type, name and properties of each id, every one with its 0, to out; they begin at[i][0..2] bytes behind out->at.
 * A statement reads many.  ERR_NOT_FOUND names one that is not there; what came of the others is out's to forget. */
int store_entities(struct store *s, const int64_t *ids, size_t count, struct text *out, size_t (*at)[3], struct err *e);

/* --- what the user calls them --------------------------------------------------------------------
 * The id that an entity came with is its number, unless assay_ids has another for it: a text, one entity's only.  Bases
 * of other programs have no such table, nor have those whose ids are all whole numbers. */
int store_has_ids(struct store *s, int *has, struct err *e);
int store_id_of(struct store *s, int64_t entity, struct text *out, struct err *e); /* appends it */
int store_find_id(struct store *s, const char *id, int64_t *entity, struct err *e); /* ERR_NOT_FOUND: none has it */
/* Of an entity that is there: writes.  ERR_ARG: another one has it. */
int store_set_id(struct store *s, int64_t entity, const char *id, struct err *e);

/* Every entity id, ascending.  Free *ids with mem_free. */
int store_entity_ids(struct store *s, int64_t **ids, size_t *count, struct err *e);

/* Name and properties of every entity of store_entity_ids, in that order, "" where they are NULL; each as for
 * relations. */
typedef int store_text_fn(void *context, int64_t id, const char *name, size_t name_size, const char *properties,
                          size_t properties_size);
int store_texts(struct store *s, store_text_fn *each, void *context, struct err *e);

/* Every vector of the dimension that most rows have, ascending by id. */
struct vectors {
    struct rows rows; /* stride dim, 64-byte aligned; dim 0 when the base holds none */
    int64_t *ids;
    uint64_t *hashes; /* of the blob of each row: what changed is found by comparing these */
    size_t other_dimension, non_finite; /* rows passed over; non_finite: those that no index takes (index_takes) */
};
int store_vectors(struct store *s, struct vectors *out, struct err *e);
void vectors_free(struct vectors *v);

/* Notes of ours about a base (assay_meta), by key; store_meta appends nothing where there is none. */
int store_set_meta(struct store *s, const char *key, const char *value, struct err *e);
int store_meta(struct store *s, const char *key, struct text *out, struct err *e);
/* The embedder that the base's vectors were made by, as far as the base says: "rp", "lsa" or "http", else NULL. */
const char *store_embedder(struct store *s);

/* What a base recommends to whoever queries it (embed=rp, say): rows of assay_settings, which bases of other
 * programs do not have.  store_set_setting replaces. */
int store_set_setting(struct store *s, const char *key, const char *value, struct err *e);
typedef int store_setting_fn(void *context, const char *key, const char *value);
int store_settings(struct store *s, store_setting_fn *each, void *context, struct err *e);

/* Calls each(context, ...) for every relation, ascending by id; a non-zero return stops and is passed
 * on.  Unless described, type is "" and weight 1: the ends are all that is read.  weight: NULL is 1,
 * integers and 4- or 8-byte little-endian blobs are numbers, other blobs are 1
 * (spec 1.5); text is NaN, because the engine fails there.  type is valid during the call only. */
typedef int store_relation_fn(void *context, int64_t id, int64_t source, int64_t target, const char *type,
                              double weight);
int store_relations(struct store *s, int described, store_relation_fn *each, void *context, struct err *e);

/* What schema 3 and 4 keep of an entity beside its text; a base without the columns, or NULL, reads as their defaults. */
struct entity_facts {
    int64_t id;
    double confidence, base_confidence, decay_rate; /* 1, 1, .05 a day */
    int64_t access_count, created_at;               /* 0; seconds since 1970, 0 where it is unknown */
    int64_t valid_from, valid_until;                /* INT64_MIN, INT64_MAX where there is no such end */
    uint64_t validity;                              /* a bit a version slot; none where it is NULL */
};
typedef int store_facts_fn(void *context, const struct entity_facts *facts);
int store_facts(struct store *s, store_facts_fn *each, void *context, struct err *e); /* ascending by id */
/* Every dependency (schema 3): `source` depends on `target`.  Nothing where there is no such table. */
typedef int store_dependency_fn(void *context, int64_t source, int64_t target);
int store_dependencies(struct store *s, store_dependency_fn *each, void *context, struct err *e);

/* The members of every hyperedge, ascending by its id and then by position; each as for relations. */
typedef int store_member_fn(void *context, int64_t hyperedge, int64_t entity, const char *type, double weight);
int store_members(struct store *s, store_member_fn *each, void *context, struct err *e);

#ifdef __cplusplus
}
#endif
#endif
