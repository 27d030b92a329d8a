/* SPDX-License-Identifier: MIT
 * kb_record.c - keeps rows as they come, strings in one text, and plays them into a store. */
#include "bench/kb/kb_record.h"
#include "kernels/base/mem.h"
#include "pipeline/store.h"
#include <string.h>

struct kb_row {
    enum { ENTITY, RELATION, ID } what;
    int64_t id, target;
    double weight;
    size_t type, name, properties; /* in strings; NONE: NULL */
};
static const size_t NONE = SIZE_MAX;

static size_t keep(struct kb_record *r, const char *string)
{
    if (!string) return NONE;
    const size_t at = r->strings.size;
    text_add_bytes(&r->strings, string, strlen(string) + 1);
    return at;
}

static int add(struct kb_record *r, struct kb_row row, struct err *e)
{
    if (r->count == r->room) {
        const size_t room = 2 * r->room + 1024;
        struct kb_row *rows = mem_grow(r->rows, r->count, room, sizeof *rows);
        if (!rows) return FAIL(e, ERR_MEM, "no memory for %zu rows", room);
        r->rows = rows;
        r->room = room;
    }
    r->rows[r->count++] = row;
    return r->strings.failed ? FAIL(e, ERR_MEM, "no memory for the strings of %zu rows", r->count) : ERR_OK;
}

int kb_record_entity(struct kb_record *r, int64_t id, const char *type, const char *name, const char *properties,
                     struct err *e)
{
    const size_t at[3] = { keep(r, type), keep(r, name), keep(r, properties) };
    return add(r, (struct kb_row){ ENTITY, id, 0, 0, at[0], at[1], at[2] }, e);
}

int kb_record_relation(struct kb_record *r, int64_t source, int64_t target, const char *type, double weight,
                       const char *properties, struct err *e)
{
    const size_t at[2] = { keep(r, type), keep(r, properties) };
    return add(r, (struct kb_row){ RELATION, source, target, weight, at[0], NONE, at[1] }, e);
}

int kb_record_id(struct kb_record *r, int64_t entity, const char *external, struct err *e)
{
    return add(r, (struct kb_row){ ID, entity, 0, 0, NONE, keep(r, external), NONE }, e);
}

static const char *string_at(const struct kb_record *r, size_t at) { return at == NONE ? NULL : r->strings.at + at; }

int kb_record_replay(const struct kb_record *r, struct store *to, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < r->count; i++) {
        const struct kb_row *row = &r->rows[i];
        const char *type = string_at(r, row->type), *properties = string_at(r, row->properties);
        if (row->what == RELATION)
            status = store_add_relation(to, row->id, row->target, type, row->weight, properties, e);
        else if (row->what == ENTITY) status = store_add_entity(to, row->id, type, string_at(r, row->name), properties, e);
        else status = store_set_id(to, row->id, string_at(r, row->name), e);
    }
    return status;
}

void kb_record_free(struct kb_record *r)
{
    text_free(&r->strings);
    mem_free(r->rows);
    *r = (struct kb_record){ 0 };
}
