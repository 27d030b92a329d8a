/* SPDX-License-Identifier: MIT
 * store.h - a knowledge base in SQLite: entities, relations, vectors (schema.sql).
 *
 * Reads schema v1..v4 as sqlite-knowledge-graph writes it, and writes what it reads.  Reading never
 * changes a database: ours are side tables with the prefix assay_ in databases that we made, and
 * the file <db>.assay for the index cache (spec 7, item 5). */
#ifndef ASSAY_STORE_H
#define ASSAY_STORE_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/err.h"
#include "kernels/base/rows.h"

struct sqlite3;
struct store;

enum store_mode { STORE_READ, STORE_WRITE, STORE_CREATE }; /* CREATE: a new file, ERR_ARG if it exists */

int store_open(struct store **out, const char *path, enum store_mode mode, struct err *e);
void store_close(struct store *s); /* rolls back what was not committed; NULL is allowed */
int store_schema_version(const struct store *s);
struct sqlite3 *store_handle(struct store *s); /* for tests and side tables */

/* Writing, inside one transaction begun by the first write and ended by store_commit.
 * ERR_ARG: weight outside [0, 1], another dimension than the base's, a non-finite number, properties
 * that are not a JSON object, a relation to an entity that does not exist. */
int store_add_entity(struct store *s, int64_t id, const char *type, const char *name,
                     const char *properties, struct err *e);
int store_add_vector(struct store *s, int64_t entity_id, const float *x, size_t dim, struct err *e);
int store_add_relation(struct store *s, int64_t source, int64_t target, const char *type, double weight,
                       const char *properties, struct err *e);
int store_commit(struct store *s, struct err *e);

/* One entity, as text: owned by the store, valid until the next call.  ERR_NOT_FOUND. */
struct entity { int64_t id; const char *type, *name, *properties; };
int store_entity(struct store *s, int64_t id, struct entity *out, struct err *e);
#endif
