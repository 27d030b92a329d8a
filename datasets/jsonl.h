/* SPDX-License-Identifier: MIT
 * jsonl.h - a knowledge base as lines of JSON objects, and a file of vectors.
 *
 *   entities   {"id": 7, "type": "person", "name": "Ada", "properties": {...}, "text": "..."}
 *   relations  {"source": 7, "target": 9, "type": "knows", "weight": 0.5, "properties": {...}}
 *   queries    {"id": 1, "text": "...", "relevant": [7, 9], "split": "tune"}
 *
 * Only name (or text) of an entity, and source and target, are required; "_id" is "id", "title" is
 * "name" (as BEIR spells them).  An id is a number, kept, or a string, numbered in order and kept as
 * the property "id"; without any, the lines are numbered.  An embedder sees name and text; the text
 * is kept as the property "text".  Row i of the vectors belongs to line i of the entities. */
#ifndef ASSAY_JSONL_H
#define ASSAY_JSONL_H
#include "datasets/dataset.h"
#include "kernels/base/names.h"
#include <jansson.h>

struct jsonl_files {
    const char *entities, *relations, *vectors, *queries; /* paths; NULL: none */
    int64_t first_id; /* the first number given to an entity without a numeric id, >= 1 */
};

/* ERR_FORMAT naming path and line: not an object, a field of the wrong kind, an unknown string id. */
int jsonl_read(const struct jsonl_files *files, const struct kb_sink *sink, struct err *e);

/* Calls each(context, path, line, object) for every line that is not blank; a non-zero return stops and
 * is passed on.  ERR_FORMAT naming path and line: not a JSON object. */
typedef int jsonl_each_fn(void *context, const char *path, size_t line, const json_t *object, struct err *e);
int jsonl_each(const char *path, jsonl_each_fn *each, void *context, struct err *e);
#endif
