/* SPDX-License-Identifier: MIT
 * import_locomo.c - LoCoMo (Maharana et al., ACL 2024; locomo10.json): the turns of long conversations, and questions
 * with the turns that hold the evidence.
 *
 * A turn is an entity, "conv-26/D3:7", of the type turn: speaker, text, and the caption of a picture that was shared; a
 * session another, "conv-26/session_3", with its date.  Relations: part_of from turn to session, next from turn to turn
 * and from session to session.  Questions of all five categories go into one file, "conv-26/q17"; relevant are the
 * turns that are named as evidence.  Evidence that names no turn is counted; so are questions without any, which are
 * left out, as the literature does. */
#include "datasets/dataset.h"
#include "datasets/intake.h"
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SESSIONS_MOST = 1000, LABELS_MOST = 256 };

struct diary {
    const struct kb_sink *sink;
    const char *path;
    struct names entities; /* "conv-26/D3:7"; number = place + 1 */
    struct text id, name, text, properties;
    struct kb_label *labels;
    int64_t questions;
    struct tally tally;
};

/* What goes over all conversations: entities before relations before questions. */
typedef int part_fn(struct diary *d, const char *sample, const json_t *conversation, struct err *e);

static int bad(const struct diary *d, const char *sample, const char *why, struct err *e)
{
    return FAIL(e, ERR_FORMAT, "%s: %s: %s", d->path, sample, why);
}

static int no_memory(const struct diary *d, struct err *e) { return FAIL(e, ERR_MEM, "%s: no memory", d->path); }

static const char *text_in(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

/* The session's list of turns, NULL where there is none; `key` gets its name. */
static const json_t *session_of(const json_t *conversation, int number, char key[32])
{
    snprintf(key, 32, "session_%d", number);
    return json_object_get(conversation, key);
}

static int64_t find(const struct diary *d, const char *sample, const char *what)
{
    struct text id = { 0 };
    text_add(&id, "%s/%s", sample, what);
    const int64_t at = id.failed ? NAMES_NONE : names_find(&d->entities, text_of(&id), id.size);
    text_free(&id);
    return at == NAMES_NONE ? NAMES_NONE : at + 1;
}

static int send(struct diary *d, const char *sample, const char *what, const char *type, struct err *e)
{
    text_clear(&d->id);
    text_add(&d->id, "%s/%s", sample, what);
    if (d->id.failed || d->name.failed || d->text.failed || d->properties.failed) return no_memory(d, e);
    const size_t known = d->entities.count;
    const int64_t at = names_add(&d->entities, text_of(&d->id), d->id.size);
    if (at == NAMES_NONE) return no_memory(d, e);
    if ((size_t)at < known) return bad(d, text_of(&d->id), "an id that came before", e);
    int status = sink_entity_id(d->sink, at + 1, text_of(&d->id), e);
    if (status == ERR_OK && d->sink->entity)
        status = d->sink->entity(d->sink->context, at + 1, type, text_of(&d->name), text_of(&d->properties),
                                 d->text.size ? text_of(&d->text) : NULL, e);
    return status;
}

static void add_member(struct text *out, const char *key, const char *value)
{
    if (!*value) return;
    text_add(out, "%s\"%s\":", out->size > 1 ? "," : "", key);
    text_add_json(out, value);
}

static int send_turn(struct diary *d, const char *sample, const json_t *turn, struct err *e)
{
    const char *id = text_in(turn, "dia_id"), *speaker = text_in(turn, "speaker"), *text = text_in(turn, "text");
    const char *picture = text_in(turn, "blip_caption");
    if (!*id || !*speaker) return bad(d, sample, "a turn without \"dia_id\" or \"speaker\"", e);
    text_clear(&d->name);
    text_clear(&d->text);
    text_clear(&d->properties);
    text_add(&d->name, "%s %s", speaker, id);
    text_add(&d->text, "%s: %s%s%s%s", speaker, text, *picture ? " [picture: " : "", picture, *picture ? "]" : "");
    text_add(&d->properties, "{");
    add_member(&d->properties, "speaker", speaker);
    add_member(&d->properties, "text", text);
    add_member(&d->properties, "picture", picture);
    text_add(&d->properties, "}");
    return send(d, sample, id, "turn", e);
}

static int send_sessions(struct diary *d, const char *sample, const json_t *conversation, struct err *e)
{
    int status = ERR_OK;
    for (int s = 1; status == ERR_OK && s <= SESSIONS_MOST; s++) {
        char key[32], date_key[48];
        const json_t *turns = session_of(conversation, s, key);
        if (!turns) continue;
        if (!json_is_array(turns)) return bad(d, sample, "a session that is no list", e);
        snprintf(date_key, sizeof date_key, "%s_date_time", key);
        text_clear(&d->name);
        text_clear(&d->text);
        text_clear(&d->properties);
        text_add(&d->name, "%s, %s", sample, key);
        text_add(&d->properties, "{");
        add_member(&d->properties, "date", text_in(conversation, date_key));
        text_add(&d->properties, "}");
        status = send(d, sample, key, "session", e);
        for (size_t i = 0; status == ERR_OK && i < json_array_size(turns); i++)
            status = send_turn(d, sample, json_array_get(turns, i), e);
    }
    return status;
}

static int relate(struct diary *d, int64_t from, int64_t to, const char *type, struct err *e)
{
    return d->sink->relation ? d->sink->relation(d->sink->context, from, to, type, 1, NULL, e) : ERR_OK;
}

static int send_relations(struct diary *d, const char *sample, const json_t *conversation, struct err *e)
{
    int64_t last_session = NAMES_NONE;
    int status = ERR_OK;
    for (int s = 1; status == ERR_OK && s <= SESSIONS_MOST; s++) {
        char key[32];
        const json_t *turns = session_of(conversation, s, key);
        if (!turns) continue;
        const int64_t session = find(d, sample, key);
        int64_t last = NAMES_NONE;
        if (last_session != NAMES_NONE) status = relate(d, last_session, session, "next", e);
        for (size_t i = 0; status == ERR_OK && i < json_array_size(turns); i++) {
            const int64_t turn = find(d, sample, text_in(json_array_get(turns, i), "dia_id"));
            status = relate(d, turn, session, "part_of", e);
            if (status == ERR_OK && last != NAMES_NONE) status = relate(d, last, turn, "next", e);
            last = turn;
        }
        last_session = session;
    }
    return status;
}

/* "D8:6; D9:17" and "D1:3 D1:5" name two turns each. */
static int take_evidence(struct diary *d, const char *sample, const char *named, size_t *count, struct err *e)
{
    int status = ERR_OK;
    while (status == ERR_OK && *named) {
        char id[64];
        named += strspn(named, " ;,");
        const size_t size = strcspn(named, " ;,");
        if (size == 0) break;
        snprintf(id, sizeof id, "%.*s", (int)(size < sizeof id ? size : sizeof id - 1), named);
        named += size;
        const int64_t turn = find(d, sample, id);
        int twice = 0;
        for (size_t i = 0; i < *count; i++) twice |= d->labels[i].id == turn;
        if (turn == NAMES_NONE) status = tally_add(&d->tally, "pieces of evidence that name no turn", 1, id, e);
        else if (!twice && *count < LABELS_MOST) d->labels[(*count)++] = (struct kb_label){ .id = turn, .grade = 1 };
        else if (!twice) status = bad(d, sample, "a question with more than 256 pieces of evidence", e);
    }
    return status;
}

static int send_question(struct diary *d, const char *sample, size_t number, const json_t *qa, struct err *e)
{
    const char *question = text_in(qa, "question");
    const json_t *evidence = json_object_get(qa, "evidence");
    size_t count = 0;
    int status = ERR_OK;
    if (!*question) return bad(d, sample, "a question without \"question\"", e);
    if (evidence && !json_is_array(evidence)) return bad(d, sample, "\"evidence\" is no list", e);
    for (size_t i = 0; status == ERR_OK && i < json_array_size(evidence); i++) {
        const char *named = json_string_value(json_array_get(evidence, i));
        if (!named) status = bad(d, sample, "a piece of evidence that is no text", e);
        else status = take_evidence(d, sample, named, &count, e);
    }
    if (status != ERR_OK) return status;
    if (count == 0) return tally_add(&d->tally, "questions without a turn as evidence, left out", 1, question, e);
    text_clear(&d->id);
    text_add(&d->id, "%s/q%zu", sample, number);
    if (d->id.failed) return no_memory(d, e);
    status = sink_query_id(d->sink, d->questions, text_of(&d->id), e);
    if (status == ERR_OK)
        status = d->sink->query(d->sink->context, d->questions++, NULL, question, NULL, 0, d->labels, count, e);
    return status;
}

static int each(struct diary *d, const json_t *all, part_fn *part, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i), *conversation = json_object_get(one, "conversation");
        const char *sample = text_in(one, "sample_id");
        if (!*sample || !json_is_object(conversation))
            return FAIL(e, ERR_FORMAT, "%s: conversation %zu has no \"sample_id\" or no \"conversation\"", d->path, i);
        status = part(d, sample, conversation, e);
    }
    return status;
}

static int send_questions(struct diary *d, const json_t *all, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i), *qa = json_object_get(one, "qa");
        for (size_t q = 0; status == ERR_OK && q < json_array_size(qa); q++)
            status = send_question(d, text_in(one, "sample_id"), q, json_array_get(qa, q), e);
    }
    return status;
}

static int run(const char *path, const struct kb_sink *sink, struct err *e)
{
    struct diary d = { .sink = sink, .path = path };
    struct mem_map map = { 0 };
    json_error_t why;
    int status = mem_map_open(&map, path, e);
    if (status != ERR_OK) return status;
    json_t *all = json_loadb((const char *)map.at, map.size, JSON_REJECT_DUPLICATES, &why);
    mem_map_close(&map);
    d.labels = mem_zero(LABELS_MOST, sizeof *d.labels);
    if (!all) status = FAIL(e, ERR_FORMAT, "%s: line %d: %s", path, why.line, why.text);
    else if (!json_is_array(all) || json_array_size(all) == 0) status = FAIL(e, ERR_FORMAT,
                                                                             "%s: no list of conversations", path);
    else if (!d.labels) status = no_memory(&d, e);
    if (status == ERR_OK) status = each(&d, all, send_sessions, e);
    if (status == ERR_OK) status = each(&d, all, send_relations, e);
    if (status == ERR_OK && sink->query) status = send_questions(&d, all, e);
    if (status == ERR_OK) status = sink_tally(sink, &d.tally, e);
    json_decref(all);
    names_free(&d.entities);
    text_free(&d.id);
    text_free(&d.name);
    text_free(&d.text);
    text_free(&d.properties);
    mem_free(d.labels);
    tally_free(&d.tally);
    return status;
}

const struct importer_ops import_locomo = {
    .name = "locomo",
    .summary = "LoCoMo: the turns of long conversations, and questions with the turns that hold the evidence",
    .get = "locomo10.json of the LoCoMo repository (CC BY-NC 4.0)",
    .run = run,
};
