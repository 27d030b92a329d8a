/* SPDX-License-Identifier: MIT
 * fuzz_jsonl.c - a knowledge base as lines of JSON: entities, relations and questions, with a line "--" between the files.
 *
 * reader: datasets/jsonl.c
 * planted: datasets/jsonl.c s/ && \*out < r->ids.first + (int64_t)r->lines//
 */
#define _GNU_SOURCE /* memmem */
#include "datasets/jsonl.h"
#include "kernels/base/fuzz.h"
#include "kernels/base/fuzz_files.h"
#include <jansson.h> /* not used here: a bare worker leaves this target out with its reader */

enum { MOST = 4096 };
static int64_t entities[MOST];
static size_t entity_count;

static int is_entity(int64_t id)
{
    for (size_t i = 0; i < entity_count; i++)
        if (entities[i] == id) return 1;
    return 0;
}

/* What a sink may rely on: no entity twice, ends that are there, properties that are an object. */
static int take_entity(void *context, int64_t id, const char *type, const char *name, const char *properties, const char *text,
                       struct err *e)
{
    (void)context, (void)e;
    if (is_entity(id) || !*name || !type || !text || *properties != '{') abort();
    if (entity_count < MOST) entities[entity_count++] = id;
    return ERR_OK;
}

static int take_relation(void *context, int64_t source, int64_t target, const char *type, double weight,
                         const char *properties, struct err *e)
{
    (void)context, (void)weight, (void)e;
    if (!is_entity(source) || !is_entity(target) || !type || *properties != '{') abort();
    return ERR_OK;
}

static int take_query(void *context, int64_t id, const char *split, const char *text, const float *x, size_t dim,
                      const struct kb_label *relevant, size_t count, struct err *e)
{
    (void)context, (void)id, (void)split, (void)text, (void)x, (void)e;
    if (dim || (count && !relevant)) abort();
    return ERR_OK;
}

static int take_vector(void *context, int64_t id, const float *x, size_t dim, struct err *e)
{
    (void)context, (void)e;
    if (!is_entity(id) || !x || dim != 2) abort();
    return ERR_OK;
}

static int run(const uint8_t *bytes, size_t size)
{
    static const float rows[3][2] = { { 1, 0 }, { 0, 1 }, { 1, 1 } };
    const struct kb_sink sink = { .entity = take_entity, .relation = take_relation, .query = take_query, .vector = take_vector };
    static const char *const names[3] = { "e.jsonl", "r.jsonl", "q.jsonl" };
    const char *paths[3] = { 0 };
    struct err e = { 0 };
    for (int i = 0; i < 3 && (i == 0 || size); i++) {
        const uint8_t *part = bytes;
        const size_t n = fuzz_part(&bytes, &size);
        paths[i] = fuzz_put(names[i], part, n);
    }
    struct jsonl_files files = { .entities = paths[0], .relations = paths[1], .queries = paths[2], .first_id = 1 };
    if (size) { /* a fourth part, of any content: vectors of three rows */
        files.vectors = fuzz_path("v.fvecs");
        if (dataset_write_fvecs(files.vectors, (struct rows){ rows[0], 3, 2, 2 }, &e) != ERR_OK) abort();
    }
    entity_count = 0;
    const int status = jsonl_read(&files, &sink, &e);
    if (status != ERR_OK && !*e.text) abort();
    return 0;
}

const struct fuzz_target fuzz_jsonl = { .summary = "a user's entities, relations and questions", .run = run, .longest = 2048 };
