/* SPDX-License-Identifier: MIT
 * jsonl.h - a knowledge base as lines of JSON objects, and a file of vectors.
 *
 *   entities   {"id": 7, "type": "person", "name": "Ada", "properties": {...}, "text": "..."}
 *   relations  {"source": 7, "target": 9, "type": "knows", "weight": 0.5, "properties": {...}}
 *   queries    {"id": 1, "text": "...", "relevant": [7, 9], "split": "tune"}
 *
 * Only name (or text) of an entity, and source and target, are required; null is missing.  "_id" is "id", "title" is
 * "name" (as BEIR spells them), "entity_type", "rel_type", "source_id" and "target_id" are type, source and target (as
 * the engine's columns are called).  An id is a whole number or a text, and 7 and "7" are one; all entities of a file
 * have one, or none has: then they are numbered.  Any other field becomes a property, and is counted; one that is
 * a slip of a known name is refused.  An embedder sees name and text; the text is kept as the property "text".
 * Row i of the vectors belongs to line i of the entities. */
#ifndef ASSAY_JSONL_H
#define ASSAY_JSONL_H
#include "datasets/dataset.h"
#include "datasets/intake.h"
#include <jansson.h>

struct jsonl_files {
    const char *entities, *relations, *vectors, *queries; /* paths; NULL: none */
    /* Of a base that is added to; zeroed: there is none. */
    int64_t first_id; /* a number above all of its entities', >= 1 */
    int named;        /* its entities' ids are texts */
    int (*find)(void *base, const char *id, int64_t *number, struct err *e); /* ERR_NOT_FOUND: no entity has the id */
    void *base;
};

/* ERR_FORMAT naming path, line, field and value: not an object, a field of the wrong kind, an id twice, an end of a
 * relation that no entity is. */
int jsonl_read(const struct jsonl_files *files, const struct kb_sink *sink, struct err *e);

/* One line: what messages name, and its object. */
struct jsonl_line {
    const char *path;
    size_t line;
    const json_t *object;
};
/* Calls each for every line that is not blank; a non-zero return stops and is passed on.  ERR_FORMAT naming path and
 * line: not a JSON object, a name twice, "\u0000" in a text. */
typedef int jsonl_each_fn(void *context, const struct jsonl_line *l, struct err *e);
int jsonl_each(const char *path, jsonl_each_fn *each, void *context, struct err *e);

/* The first of the fields "a|b" that is there; NULL: none, or null. */
const json_t *jsonl_field(const struct jsonl_line *l, const char *names, const char **name);
/* The same as text, NULL when missing.  ERR_FORMAT: of another kind. */
int jsonl_text(const struct jsonl_line *l, const char *names, const char **out, struct err *e);
/* The field "id" or "_id" as text, in `out`; *has: it is there.  ERR_FORMAT: neither whole number nor text, or no
 * id (id_fault), or both and not the same. */
int jsonl_id(const struct jsonl_line *l, struct text *out, int *has, struct err *e);
int jsonl_as_id(const struct jsonl_line *l, const char *name, const json_t *value, struct text *out, struct err *e);
/* Fields that are not `known` ("a|b"), and the second of two spellings, go into the object `properties`, each counted;
 * NULL: they are counted as not read.  ERR_FORMAT: a slip of a known name, or there already. */
int jsonl_rest(const struct jsonl_line *l, const char *known, json_t *properties, struct tally *counts, struct err *e);
/* The same beside what "properties" or "metadata" hold, and the text as "text", as one object in `out`. */
int jsonl_properties(const struct jsonl_line *l, const char *known, const char *text, struct tally *counts,
                     struct text *out, struct err *e);
#define JSONL_ENTITY_FIELDS "id|_id|type|entity_type|name|title|text|properties|metadata"
#endif
