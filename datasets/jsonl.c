/* SPDX-License-Identifier: MIT
 * jsonl.c - lines of JSON objects: a user's own entities, relations and questions. */
#include "datasets/jsonl.h"
#include <jansson.h> /* for the build to see that this file needs it */
#include <stdlib.h>
#include <string.h>

struct reading {
    const struct jsonl_files *files;
    const struct kb_sink *sink;
    struct ids ids;     /* of the entities of this file */
    size_t lines, with_id;
    int64_t *numbers;   /* of every entity, in order: for the vectors */
    size_t count, room;
    size_t question;    /* lines of questions so far */
    int questions_have_ids;
    struct tally tally;
    struct text id, text, properties;
};

/* --- fields --------------------------------------------------------------------------------- */
static int bad(const struct jsonl_line *l, const char *field, const json_t *value, const char *why, struct err *e)
{
    char *shown = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    const int status = line_bad(e, l->path, l->line, field, shown, why);
    free(shown);
    return status;
}

const json_t *jsonl_field(const struct jsonl_line *l, const char *names, const char **name)
{
    char one[32];
    if (name) *name = "";
    for (const char *n = names; *n;) {
        const size_t size = strcspn(n, "|");
        snprintf(one, sizeof one, "%.*s", (int)size, n);
        void *at = json_object_iter_at((json_t *)(uintptr_t)l->object, one);
        const json_t *value = json_object_iter_value(at);
        if (name && value) *name = json_object_iter_key(at);
        if (value && !json_is_null(value)) return value;
        n += size + (n[size] == '|');
    }
    return NULL;
}

int jsonl_text(const struct jsonl_line *l, const char *names, const char **out, struct err *e)
{
    const char *name;
    const json_t *value = jsonl_field(l, names, &name);
    if (value && !json_is_string(value)) return bad(l, name, value, "not a text", e);
    *out = json_string_value(value);
    return ERR_OK;
}

int jsonl_as_id(const struct jsonl_line *l, const char *name, const json_t *value, struct text *out, struct err *e)
{
    text_clear(out);
    if (json_is_integer(value)) text_add(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_string(value)) text_add(out, "%s", json_string_value(value));
    else return bad(l, name, value, "an id is a whole number or a text", e);
    const char *fault = id_fault(text_of(out), out->size);
    if (out->failed) return FAIL(e, ERR_MEM, "%s: no memory", l->path);
    return fault ? bad(l, name, value, fault, e) : ERR_OK;
}

int jsonl_id(const struct jsonl_line *l, struct text *out, int *has, struct err *e)
{
    const json_t *id = jsonl_field(l, "id", NULL), *other = jsonl_field(l, "_id", NULL);
    *has = id || other;
    if (!*has) return ERR_OK;
    if (id && other && !json_equal(id, other)) return bad(l, "_id", other, "\"id\" is another", e);
    return jsonl_as_id(l, id ? "id" : "_id", id ? id : other, out, e);
}

/* A field that is no known one, or a second spelling of one: a property, and counted. */
static int keep_field(const struct jsonl_line *l, const char *key, json_t *value, json_t *properties,
                      struct tally *counts, struct err *e)
{
    struct text what = { 0 };
    if (json_object_get(properties, key)) return bad(l, key, value, "there, and among the properties, too", e);
    if (properties && json_object_set(properties, key, value) != 0) return FAIL(e, ERR_MEM, "%s: no memory", l->path);
    text_add(&what, properties ? "fields \"%s\", kept as properties" : "fields \"%s\", not read", key);
    const int status = what.failed ? FAIL(e, ERR_MEM, "%s: no memory", l->path)
                                   : tally_add(counts, text_of(&what), 1, NULL, e);
    text_free(&what);
    return status;
}

/* 1 when the line also has the spelling that is read instead. */
static int is_second(const struct jsonl_line *l, const char *key)
{
    static const char *const twins[][2] = { { "title", "name" }, { "entity_type", "type" }, { "rel_type", "type" },
                                            { "source_id", "source" }, { "target_id", "target" },
                                            { "metadata", "properties" } };
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++)
        if (strcmp(key, twins[i][0]) == 0) return jsonl_field(l, twins[i][1], NULL) != NULL;
    return 0;
}

int jsonl_rest(const struct jsonl_line *l, const char *known, json_t *properties, struct tally *counts, struct err *e)
{
    const char *key;
    json_t *value;
    char meant[32], why[64];
    int status = ERR_OK;
    json_object_foreach((json_t *)(uintptr_t)l->object, key, value) {
        const int is_known = field_is(key, known);
        if (status != ERR_OK) break;
        if (is_known && (json_is_null(value) || !is_second(l, key))) continue;
        if (!is_known && field_meant(key, known, meant)) {
            snprintf(why, sizeof why, "is no field; nearest is \"%s\"", meant);
            return bad(l, key, NULL, why, e);
        }
        status = keep_field(l, key, value, properties, counts, e);
    }
    return status;
}

int jsonl_properties(const struct jsonl_line *l, const char *known, const char *text, struct tally *counts,
                     struct text *out, struct err *e)
{
    const char *name;
    const json_t *given = jsonl_field(l, "properties|metadata", &name);
    if (given && !json_is_object(given)) return bad(l, name, given, "not an object", e);
    json_t *all = given ? json_copy((json_t *)(uintptr_t)given) : json_object();
    int status = all ? jsonl_rest(l, known, all, counts, e) : FAIL(e, ERR_MEM, "%s: no memory", l->path);
    if (status == ERR_OK && text && *text && !json_object_get(all, "text") &&
        json_object_set_new(all, "text", json_string(text)) != 0)
        status = FAIL(e, ERR_MEM, "%s: no memory", l->path);
    char *dumped = status == ERR_OK ? json_dumps(all, JSON_COMPACT) : NULL;
    json_decref(all);
    if (status != ERR_OK) return status;
    text_clear(out);
    if (dumped) text_add(out, "%s", dumped);
    free(dumped);
    return dumped && !out->failed ? ERR_OK : FAIL(e, ERR_MEM, "%s: no memory for properties", l->path);
}

/* --- lines ---------------------------------------------------------------------------------- */
int jsonl_each(const char *path, jsonl_each_fn *each, void *context, struct err *e)
{
    struct lines lines = { 0 };
    int status = lines_open(&lines, path, e);
    for (char *at; status == ERR_OK && (at = lines_next(&lines, &status, e)) != NULL;) {
        json_error_t why;
        json_t *object = json_loads(at, JSON_REJECT_DUPLICATES, &why);
        const struct jsonl_line l = { path, lines.number, object };
        if (!object) status = line_bad(e, path, lines.number, NULL, NULL, why.text);
        else if (!json_is_object(object)) status = line_bad(e, path, lines.number, NULL, NULL, "not a JSON object");
        else status = each(context, &l, e);
        json_decref(object);
    }
    lines_close(&lines);
    return status;
}

/* --- entities ------------------------------------------------------------------------------- */
/* The first pass: all ids, so that it is known what they are before one is used. */
static int number_entity(void *context, const struct jsonl_line *l, struct err *e)
{
    struct reading *r = context;
    int has, known = 0;
    size_t place;
    int64_t ignored;
    int status = jsonl_id(l, &r->id, &has, e);
    if (status != ERR_OK) return status;
    r->lines++;
    r->with_id += has != 0;
    if (r->with_id && r->with_id != r->lines)
        return bad(l, "id", NULL, has ? "is there, and missing in lines before" : "is missing, and lines before have one", e);
    if (!has) return ERR_OK;
    const char *id = text_of(&r->id);
    status = ids_add(&r->ids, id, r->id.size, &place, &known, e);
    if (status == ERR_OK && known) return line_bad(e, l->path, l->line, "id", id, "an id that came before");
    if (status == ERR_OK && r->files->find && (status = r->files->find(r->files->base, id, &ignored, e)) == ERR_OK)
        return line_bad(e, l->path, l->line, "id", id, "the base has an entity of this id");
    return status == ERR_NOT_FOUND ? ERR_OK : status;
}

static int keep_number(struct reading *r, int64_t number, struct err *e)
{
    if (!mem_one_more(&r->numbers, r->count, &r->room, sizeof *r->numbers))
        return FAIL(e, ERR_MEM, "no memory for %zu entities", r->count + 1);
    r->numbers[r->count++] = number;
    return ERR_OK;
}

static int take_entity(void *context, const struct jsonl_line *l, struct err *e)
{
    struct reading *r = context;
    const char *text = NULL, *name = NULL, *type = NULL;
    int status = jsonl_text(l, "text", &text, e);
    if (status == ERR_OK) status = jsonl_text(l, "name|title", &name, e);
    if (status == ERR_OK) status = jsonl_text(l, "type|entity_type", &type, e);
    if (status == ERR_OK) status = jsonl_properties(l, JSONL_ENTITY_FIELDS, text, &r->tally, &r->properties, e);
    if (status != ERR_OK) return status;
    const int named = name || text;
    if (!text) text = "";
    if (!name) name = "";
    if (named && !*name && !*text) /* as in published corpora: it is there, and found by its relations alone */
        status = tally_add(&r->tally, "entities whose name and text are empty", 1, r->with_id ? names_at(&r->ids.names, r->count) : NULL, e);
    if (status != ERR_OK) return status;
    if (!named) return line_bad(e, l->path, l->line, "name", NULL, "is missing, and so is \"text\"");
    const int64_t number = r->with_id ? ids_number(&r->ids, r->count) : r->ids.first + (int64_t)r->count;
    if (r->ids.words) status = sink_entity_id(r->sink, number, names_at(&r->ids.names, r->count), e);
    if (status == ERR_OK) status = keep_number(r, number, e);
    text_clear(&r->text);
    text_add(&r->text, "%s%s%s", name, *name && *text ? ". " : "", text);
    if (status == ERR_OK && r->text.failed) status = FAIL(e, ERR_MEM, "%s: no memory", l->path);
    if (status == ERR_OK && r->sink->entity)
        status = r->sink->entity(r->sink->context, number, type ? type : "entity", *name ? name : "(no name)",
                                 text_of(&r->properties), text_of(&r->text), e);
    return status == ERR_OK ? status : err_context(e, status, "%s: line %zu", l->path, l->line);
}

/* The entity of an id, of this file or of the base.  ERR_NOT_FOUND: none. */
static int find_entity(struct reading *r, const char *id, int64_t *out, struct err *e)
{
    const int64_t place = ids_place(&r->ids, id, strlen(id));
    if (place != NAMES_NONE) return *out = ids_number(&r->ids, (size_t)place), ERR_OK;
    if (r->lines && !r->with_id && text_is_i64(id, out) && *out >= r->ids.first && *out < r->ids.first + (int64_t)r->lines)
        return ERR_OK; /* numbered: the number is the id */
    if (r->files->find) return r->files->find(r->files->base, id, out, e);
    return FAIL(e, ERR_NOT_FOUND, "no entity %s", id);
}

/* --- relations ------------------------------------------------------------------------------ */
static int find_end(struct reading *r, const struct jsonl_line *l, const char *names, int64_t *out, struct err *e)
{
    const char *name;
    const json_t *value = jsonl_field(l, names, &name);
    char first[16];
    snprintf(first, sizeof first, "%.*s", (int)strcspn(names, "|"), names);
    if (!value) return bad(l, first, NULL, "is missing", e);
    int status = jsonl_as_id(l, name, value, &r->id, e);
    if (status == ERR_OK) status = find_entity(r, text_of(&r->id), out, e);
    return status == ERR_NOT_FOUND ? line_bad(e, l->path, l->line, name, text_of(&r->id), "no entity has this id") : status;
}

static int take_relation(void *context, const struct jsonl_line *l, struct err *e)
{
    struct reading *r = context;
    const json_t *weight = jsonl_field(l, "weight", NULL);
    const char *type = NULL;
    int64_t source = 0, target = 0;
    /* First what is misspelt: a "sorce" is no missing source. */
    int status = jsonl_properties(l, "source|source_id|target|target_id|type|rel_type|weight|properties|metadata", NULL,
                                  &r->tally, &r->properties, e);
    if (status == ERR_OK) status = find_end(r, l, "source|source_id", &source, e);
    if (status == ERR_OK) status = find_end(r, l, "target|target_id", &target, e);
    if (status == ERR_OK) status = jsonl_text(l, "type|rel_type", &type, e);
    if (status != ERR_OK) return status;
    if (weight && !json_is_number(weight)) return bad(l, "weight", weight, "not a number", e);
    if (weight && !(json_number_value(weight) >= 0 && json_number_value(weight) <= 1)) return bad(l, "weight", weight, "outside 0..1", e);
    if (r->sink->relation)
        status = r->sink->relation(r->sink->context, source, target, type ? type : "related",
                                   weight ? json_number_value(weight) : 1, text_of(&r->properties), e);
    return status == ERR_OK ? status : err_context(e, status, "%s: line %zu", l->path, l->line);
}

/* --- questions ------------------------------------------------------------------------------ */
/* One label; its id in `absent` where no entity has it. */
static int take_label(struct reading *r, const struct jsonl_line *l, const json_t *value, struct kb_label *out,
                      struct names *absent, struct err *e)
{
    int status = jsonl_as_id(l, "relevant", value, &r->id, e);
    *out = (struct kb_label){ .grade = 1 };
    if (status == ERR_OK) status = find_entity(r, text_of(&r->id), &out->id, e);
    if (status != ERR_NOT_FOUND) return status;
    const int64_t place = names_add(absent, text_of(&r->id), r->id.size);
    if (place == NAMES_NONE) return FAIL(e, ERR_MEM, "%s: no memory", l->path);
    out->id = -1 - place; /* a pointer would move */
    out->absent = "";
    return ERR_OK;
}

static int question_number(struct reading *r, const struct jsonl_line *l, int64_t *out, struct err *e)
{
    int has;
    int status = jsonl_id(l, &r->id, &has, e);
    if (status != ERR_OK) return status;
    if (r->question++ == 0) r->questions_have_ids = has;
    if (has != r->questions_have_ids)
        return bad(l, "id", NULL, has ? "is there, and missing in lines before" : "is missing, and lines before have one", e);
    *out = (int64_t)r->question;
    if (!has || text_is_i64(text_of(&r->id), out)) return ERR_OK;
    return sink_query_id(r->sink, *out, text_of(&r->id), e);
}

static int send_question(struct reading *r, const struct jsonl_line *l, int64_t number, struct kb_label *relevant,
                         struct err *e)
{
    const json_t *list = jsonl_field(l, "relevant", NULL);
    const char *text = NULL, *split = NULL;
    const size_t count = json_array_size(list);
    struct names absent = { 0 };
    int status = jsonl_text(l, "text", &text, e);
    if (status == ERR_OK) status = jsonl_text(l, "split", &split, e);
    for (size_t i = 0; status == ERR_OK && i < count; i++)
        status = take_label(r, l, json_array_get(list, i), &relevant[i], &absent, e);
    for (size_t i = 0; i < count; i++)
        if (relevant[i].absent) relevant[i].absent = names_at(&absent, (size_t)(-1 - relevant[i].id));
    if (status == ERR_OK && r->sink->query)
        status = r->sink->query(r->sink->context, number, split, text ? text : "", NULL, 0, relevant, count, e);
    names_free(&absent);
    return status;
}

static int take_question(void *context, const struct jsonl_line *l, struct err *e)
{
    struct reading *r = context;
    const json_t *list = jsonl_field(l, "relevant", NULL);
    int64_t number = 0;
    int status = jsonl_rest(l, "id|_id|text|relevant|split|metadata|properties", NULL, &r->tally, e);
    if (status != ERR_OK) return status;
    if (list && !json_is_array(list)) return bad(l, "relevant", list, "not a list", e);
    struct kb_label *relevant = mem_zero(json_array_size(list), sizeof *relevant);
    if (!relevant) return FAIL(e, ERR_MEM, "%s: no memory", l->path);
    status = question_number(r, l, &number, e);
    if (status == ERR_OK) status = send_question(r, l, number, relevant, e);
    mem_free(relevant);
    return status;
}

/* --- all ------------------------------------------------------------------------------------ */
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
        status = r->sink->vector(r->sink->context, r->numbers[i], rows_at(d.rows, i), d.rows.dim, e);
    dataset_close(&d);
    return status;
}

static int read_lines(struct reading *r, const char *path, jsonl_each_fn *take, struct err *e)
{
    return path ? jsonl_each(path, take, r, e) : ERR_OK;
}

int jsonl_read(const struct jsonl_files *files, const struct kb_sink *sink, struct err *e)
{
    struct reading r = { .files = files, .sink = sink };
    r.ids.first = files->first_id > 0 ? files->first_id : 1;
    int status = read_lines(&r, files->entities, number_entity, e);
    r.ids.words |= files->named && r.with_id;
    if (status == ERR_OK) status = read_lines(&r, files->entities, take_entity, e);
    if (status == ERR_OK) status = send_vectors(&r, files->vectors, e);
    if (status == ERR_OK) status = read_lines(&r, files->relations, take_relation, e);
    if (status == ERR_OK) status = read_lines(&r, files->queries, take_question, e);
    if (status == ERR_OK) status = sink_tally(sink, &r.tally, e);
    ids_free(&r.ids);
    tally_free(&r.tally);
    mem_free(r.numbers);
    text_free(&r.id);
    text_free(&r.text);
    text_free(&r.properties);
    return status;
}
