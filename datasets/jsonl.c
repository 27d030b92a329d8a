/* SPDX-License-Identifier: MIT
 * jsonl.c - reads entities, relations and queries from JSON lines, and names file, line and field of what is wrong.
 * */
#include "datasets/jsonl.h"
#include <jansson.h> /* for the build to see that this file needs it */
#include <string.h>

struct source {
    const char *path;
    size_t line;
    const char *at, *end; /* what is left of the mapped file */
};

struct reading {
    const struct kb_sink *sink;
    struct names names; /* string ids: name i is entity first_id + i */
    int64_t first_id;
    int64_t *ids;       /* of every entity, in order: for the vectors */
    size_t count, room;
    struct text text, properties;
};

static int bad(const struct source *s, const char *what, struct err *e)
{
    return FAIL(e, ERR_FORMAT, "%s: line %zu: %s", s->path, s->line, what);
}

static int is_blank(const char *at, size_t size)
{
    while (size && strchr(" \t\r", *at)) at++, size--;
    return size == 0;
}

/* The next line that is not blank, as an object; NULL at the end or, with *status, on failure. */
static json_t *next_object(struct source *s, int *status, struct err *e)
{
    while (s->at < s->end) {
        const char *stop = memchr(s->at, '\n', (size_t)(s->end - s->at));
        const size_t size = (size_t)((stop ? stop : s->end) - s->at);
        const char *line = s->at;
        s->at += size + (stop != NULL);
        s->line++;
        if (is_blank(line, size)) continue;
        json_error_t why;
        json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES, &why);
        if (json_is_object(object)) return object;
        *status = object ? bad(s, "not a JSON object", e) : bad(s, why.text, e);
        json_decref(object);
        return NULL;
    }
    return NULL;
}

static const json_t *field(const json_t *object, const char *name, const char *other)
{
    const json_t *value = json_object_get(object, name);
    return value ? value : other ? json_object_get(object, other) : NULL;
}

/* A string field; `usual` where it is missing or null; NULL where it is of another kind. */
static const char *string_of(const json_t *value, const char *usual)
{
    return !value || json_is_null(value) ? usual : json_string_value(value);
}

static int keep_id(struct reading *r, int64_t id, struct err *e)
{
    if (!mem_one_more(&r->ids, r->count, &r->room, sizeof *r->ids))
        return FAIL(e, ERR_MEM, "no memory for %zu entities", r->count + 1);
    r->ids[r->count++] = id;
    return ERR_OK;
}

static int entity_id(struct reading *r, const struct source *s, const json_t *value, int64_t *out, struct err *e)
{
    if (!value) {
        *out = r->first_id + (int64_t)r->count;
    } else if (json_is_integer(value)) {
        *out = json_integer_value(value);
    } else if (json_is_string(value)) {
        const size_t known = r->names.count;
        const int64_t number = names_add(&r->names, json_string_value(value), strlen(json_string_value(value)));
        if (number == NAMES_NONE) return FAIL(e, ERR_MEM, "%s: no memory for ids", s->path);
        if ((size_t)number < known) return bad(s, "an id that came before", e);
        *out = r->first_id + number;
    } else {
        return bad(s, "\"id\" is neither a number nor a string", e);
    }
    return ERR_OK;
}

/* The entity that an end of a relation, or a label, names. */
static int known_id(const struct reading *r, const struct source *s, const json_t *value, const char *what,
                    int64_t *out, struct err *e)
{
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return ERR_OK;
    }
    const char *name = json_string_value(value);
    if (!name) return FAIL(e, ERR_FORMAT, "%s: line %zu: \"%s\" is neither a number nor a string", s->path, s->line, what);
    const int64_t number = names_find(&r->names, name, strlen(name));
    if (number == NAMES_NONE)
        return FAIL(e, ERR_FORMAT, "%s: line %zu: \"%s\" is \"%.60s\", which no entity has", s->path, s->line, what, name);
    *out = r->first_id + number;
    return ERR_OK;
}

/* The properties as text, with the string id and the text added unless they are there. */
static int properties_text(struct reading *r, const struct source *s, const json_t *object, struct err *e)
{
    const json_t *given = field(object, "properties", "metadata"), *id = field(object, "id", "_id");
    if (given && !json_is_null(given) && !json_is_object(given)) return bad(s, "\"properties\" is not an object", e);
    json_t *all = json_is_object(given) ? json_copy((json_t *)(uintptr_t)given) : json_object();
    int failed = !all;
    if (json_is_string(id) && !json_object_get(all, "id")) failed |= json_object_set(all, "id", (json_t *)(uintptr_t)id);
    json_t *text = json_object_get(object, "text");
    if (json_is_string(text) && !json_object_get(all, "text")) failed |= json_object_set(all, "text", text);
    char *dumped = failed ? NULL : json_dumps(all, JSON_COMPACT);
    json_decref(all);
    text_clear(&r->properties);
    if (dumped) text_add(&r->properties, "%s", dumped);
    free(dumped);
    return dumped && !r->properties.failed ? ERR_OK : FAIL(e, ERR_MEM, "%s: no memory for properties", s->path);
}

static int take_entity(struct reading *r, const struct source *s, const json_t *object, struct err *e)
{
    const char *text = string_of(json_object_get(object, "text"), "");
    const char *name = string_of(field(object, "name", "title"), ""), *type = string_of(json_object_get(object, "type"), "entity");
    int64_t id = 0;
    if (!text || !name || !type) return bad(s, "\"name\", \"type\" and \"text\" are strings", e);
    if (!*name && !*text) return bad(s, "an entity needs a \"name\" or a \"text\"", e);
    int status = entity_id(r, s, field(object, "id", "_id"), &id, e);
    if (status == ERR_OK) status = properties_text(r, s, object, e);
    if (status == ERR_OK) status = keep_id(r, id, e);
    if (status != ERR_OK) return status;
    text_clear(&r->text);
    text_add(&r->text, "%s%s%s", name, *name && *text ? ". " : "", text);
    if (r->text.failed) return FAIL(e, ERR_MEM, "%s: no memory", s->path);
    status = r->sink->entity ? r->sink->entity(r->sink->context, id, type, *name ? name : "(no name)",
                                               text_of(&r->properties), text_of(&r->text), e)
                             : ERR_OK;
    return status == ERR_OK ? status : err_context(e, status, "%s: line %zu", s->path, s->line);
}

static int take_relation(struct reading *r, const struct source *s, const json_t *object, struct err *e)
{
    const json_t *weight = json_object_get(object, "weight"), *properties = json_object_get(object, "properties");
    const char *type = string_of(json_object_get(object, "type"), "related");
    int64_t source = 0, target = 0;
    int status = known_id(r, s, json_object_get(object, "source"), "source", &source, e);
    if (status == ERR_OK) status = known_id(r, s, json_object_get(object, "target"), "target", &target, e);
    if (status != ERR_OK) return status;
    if (!type) return bad(s, "\"type\" is not a string", e);
    if (weight && !json_is_number(weight)) return bad(s, "\"weight\" is not a number", e);
    if (properties && !json_is_object(properties)) return bad(s, "\"properties\" is not an object", e);
    char *dumped = properties ? json_dumps(properties, JSON_COMPACT) : NULL;
    if (properties && !dumped) return FAIL(e, ERR_MEM, "%s: no memory for properties", s->path);
    status = r->sink->relation ? r->sink->relation(r->sink->context, source, target, type,
                                                   weight ? json_number_value(weight) : 1, dumped, e)
                               : ERR_OK;
    free(dumped);
    return status == ERR_OK ? status : err_context(e, status, "%s: line %zu", s->path, s->line);
}

static int take_query(struct reading *r, const struct source *s, const json_t *object, struct err *e)
{
    enum { RELEVANT_MOST = 1000 };
    struct kb_label relevant[RELEVANT_MOST];
    const json_t *id = field(object, "id", "_id"), *list = json_object_get(object, "relevant");
    const char *text = json_string_value(json_object_get(object, "text"));
    const char *split = string_of(json_object_get(object, "split"), NULL);
    const size_t count = json_array_size(list);
    int status = ERR_OK;
    if (!text) return bad(s, "a query needs a \"text\"", e);
    if (id && !json_is_integer(id)) return bad(s, "\"id\" of a query is not a number", e);
    if (list && !json_is_array(list)) return bad(s, "\"relevant\" is not a list", e);
    if (count > RELEVANT_MOST) return bad(s, "more than 1000 relevant entities", e);
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        relevant[i].grade = 1;
        status = known_id(r, s, json_array_get(list, i), "relevant", &relevant[i].id, e);
    }
    if (status != ERR_OK || !r->sink->query) return status;
    return r->sink->query(r->sink->context, id ? json_integer_value(id) : (int64_t)s->line, split, text, NULL, 0,
                          relevant, count, e);
}

int jsonl_each(const char *path, jsonl_each_fn *each, void *context, struct err *e)
{
    struct mem_map map = { 0 };
    int status = mem_map_open(&map, path, e);
    if (status != ERR_OK) return status;
    struct source s = { .path = path, .at = (const char *)map.at, .end = (const char *)map.at + map.size };
    for (json_t *object; status == ERR_OK && (object = next_object(&s, &status, e)) != NULL;) {
        status = each(context, path, s.line, object, e);
        json_decref(object);
    }
    mem_map_close(&map);
    return status;
}

struct taking {
    struct reading *r;
    int (*take)(struct reading *r, const struct source *s, const json_t *object, struct err *e);
};

static int take_line(void *context, const char *path, size_t line, const json_t *object, struct err *e)
{
    const struct taking *t = context;
    const struct source s = { .path = path, .line = line };
    return t->take(t->r, &s, object, e);
}

static int read_lines(struct reading *r, const char *path,
                      int (*take)(struct reading *r, const struct source *s, const json_t *object, struct err *e),
                      struct err *e)
{
    struct taking t = { r, take };
    return path ? jsonl_each(path, take_line, &t, e) : ERR_OK;
}

static int send_vectors(struct reading *r, const char *path, struct err *e)
{
    struct dataset d = { 0 };
    if (!path) return ERR_OK;
    int status = dataset_open(&d, path, e);
    if (status != ERR_OK) return status;
    if (!d.rows.at) status = FAIL(e, ERR_FORMAT, "%s: holds ids, vectors are needed", path);
    else if (d.rows.count != r->count)
        status = FAIL(e, ERR_FORMAT, "%s: %zu rows for %zu entities", path, d.rows.count, r->count);
    for (size_t i = 0; status == ERR_OK && r->sink->vector && i < r->count; i++)
        status = r->sink->vector(r->sink->context, r->ids[i], rows_at(d.rows, i), d.rows.dim, e);
    dataset_close(&d);
    return status;
}

int jsonl_read(const struct jsonl_files *files, const struct kb_sink *sink, struct err *e)
{
    struct reading r = { .sink = sink, .first_id = files->first_id };
    int status = read_lines(&r, files->entities, take_entity, e);
    if (status == ERR_OK) status = send_vectors(&r, files->vectors, e);
    if (status == ERR_OK) status = read_lines(&r, files->relations, take_relation, e);
    if (status == ERR_OK) status = read_lines(&r, files->queries, take_query, e);
    names_free(&r.names);
    mem_free(r.ids);
    text_free(&r.text);
    text_free(&r.properties);
    return status;
}
