/* SPDX-License-Identifier: MIT
 * import_mcp.c - the file of the MCP memory server: a line an entity or a relation.
 *
 *   {"type":"entity","name":"Ada","entityType":"person","observations":["wrote a program"]}
 *   {"type":"relation","from":"Ada","to":"engine","relationType":"writes_for"}
 *
 * An entity's id is its name; an embedder sees name and observations, which are kept as the property "observations".
 * Lines come in any order.  It holds no questions: `assay data queries` makes some. */
#include "datasets/dataset.h"
#include "datasets/jsonl.h"
#include <jansson.h>
#include <string.h>

struct memory {
    const struct kb_sink *sink;
    struct names entities; /* by name; number = place + 1 */
    struct text text, properties;
    struct tally tally;
    int relations; /* of this pass: 1 relations, 0 entities */
};

static int bad(const struct jsonl_line *l, const char *field, const char *value, const char *why, struct err *e)
{
    return line_bad(e, l->path, l->line, field, value, why);
}

static int take_entity(struct memory *m, const struct jsonl_line *l, struct err *e)
{
    const char *name = NULL, *type = NULL;
    const json_t *observations = jsonl_field(l, "observations", NULL);
    int status = jsonl_text(l, "name", &name, e);
    if (status == ERR_OK) status = jsonl_text(l, "entityType", &type, e);
    const char *fault = !name ? "is missing" : id_fault(name, strlen(name));
    if (status == ERR_OK && fault) status = bad(l, "name", name, fault, e);
    if (status == ERR_OK && observations && !json_is_array(observations)) status = bad(l, "observations", NULL,
                                                                                       "is no list", e);
    if (status != ERR_OK) return status;
    const size_t known = m->entities.count;
    const int64_t at = names_add(&m->entities, name, strlen(name));
    if (at == NAMES_NONE) return FAIL(e, ERR_MEM, "%s: no memory", l->path);
    if ((size_t)at < known) return bad(l, "name", name, "an entity that came before", e);
    text_clear(&m->text);
    text_clear(&m->properties);
    text_add(&m->text, "%s", name);
    text_add(&m->properties, "{\"observations\":[");
    for (size_t i = 0; i < json_array_size(observations); i++) {
        const char *said = json_string_value(json_array_get(observations, i));
        if (!said) return bad(l, "observations", NULL, "holds what is no text", e);
        text_add(&m->text, ". %s", said);
        text_add(&m->properties, "%s", i ? "," : "");
        text_add_json(&m->properties, said);
    }
    text_add(&m->properties, "]}");
    status = jsonl_rest(l, "type|name|entityType|observations", NULL, &m->tally, e);
    if (status == ERR_OK && (m->text.failed || m->properties.failed)) status = FAIL(e, ERR_MEM, "%s: no memory",
                                                                                    l->path);
    if (status == ERR_OK) status = sink_entity_id(m->sink, at + 1, name, e);
    if (status == ERR_OK && m->sink->entity)
        status = m->sink->entity(m->sink->context, at + 1, type ? type : "entity", name, text_of(&m->properties),
                                 text_of(&m->text), e);
    return status;
}

static int take_relation(struct memory *m, const struct jsonl_line *l, struct err *e)
{
    static const char *const fields[3] = { "from", "to", "relationType" };
    const char *value[3] = { 0 };
    int64_t end[2] = { 0 };
    for (int i = 0; i < 3; i++) {
        const int status = jsonl_text(l, fields[i], &value[i], e);
        if (status != ERR_OK) return status;
        if (!value[i]) return bad(l, fields[i], NULL, "is missing", e);
    }
    for (int i = 0; i < 2; i++) {
        end[i] = names_find(&m->entities, value[i], strlen(value[i]));
        if (end[i] == NAMES_NONE) return bad(l, fields[i], value[i], "no entity has this name", e);
    }
    const int status = jsonl_rest(l, "type|from|to|relationType", NULL, &m->tally, e);
    if (status != ERR_OK || !m->sink->relation) return status;
    return m->sink->relation(m->sink->context, end[0] + 1, end[1] + 1, value[2], 1, NULL, e);
}

static int take_line(void *context, const struct jsonl_line *l, struct err *e)
{
    struct memory *m = context;
    const char *kind = NULL;
    const int status = jsonl_text(l, "type", &kind, e);
    if (status != ERR_OK) return status;
    const int is_entity = kind && strcmp(kind, "entity") == 0, is_relation = kind && strcmp(kind, "relation") == 0;
    if (!is_entity && !is_relation) return bad(l, "type", kind, kind ? "is neither entity nor relation" : "is missing",
                                               e);
    if (is_entity && !m->relations) return take_entity(m, l, e);
    return is_relation && m->relations ? take_relation(m, l, e) : ERR_OK;
}

static int run(const char *path, const struct kb_sink *sink, struct err *e)
{
    struct memory m = { .sink = sink };
    int status = jsonl_each(path, take_line, &m, e);
    m.relations = 1;
    if (status == ERR_OK) status = jsonl_each(path, take_line, &m, e);
    if (status == ERR_OK && m.entities.count == 0) status = FAIL(e, ERR_FORMAT, "%s: no entity", path);
    if (status == ERR_OK) status = sink_tally(sink, &m.tally, e);
    names_free(&m.entities);
    text_free(&m.text);
    text_free(&m.properties);
    tally_free(&m.tally);
    return status;
}

const struct importer_ops import_mcp = {
    .name = "mcp",
    .summary = "the memory file of the MCP memory server: entities with observations, and relations",
    .get = "memory.json (or .jsonl) that the server writes",
    .run = run,
};
