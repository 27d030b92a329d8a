/* SPDX-License-Identifier: MIT
 * idset.c - ids of rows in an array, rows of ids in a hash table, which is not made while ids are row numbers. */
#include "index/idset.h"
#include "index/persist.h"
#include "kernels/base/mem.h"
#include <string.h>

static size_t slot_of(const struct idset *s, int64_t id)
{
    const uint64_t h = (uint64_t)id * 0x9e3779b97f4a7c15u;
    return (size_t)(h ^ h >> 32) & (s->slot_count - 1);
}

/* The slot that holds id, or the empty one where it would go. */
static size_t probe(const struct idset *s, int64_t id)
{
    size_t at = slot_of(s, id);
    while (s->slots[at] && s->of_row[s->slots[at] - 1] != id) at = (at + 1) & (s->slot_count - 1);
    return at;
}

void idset_fini(struct idset *s)
{
    mem_free(s->of_row);
    mem_free(s->slots);
    *s = (struct idset){ 0 };
}

int64_t idset_row(const struct idset *s, int64_t id)
{
    if (!s->of_row) return id >= 0 && (uint64_t)id < s->count ? id : IDSET_NONE;
    return (int64_t)s->slots[probe(s, id)] - 1;
}

/* Stores ids from now on, with room for `room` rows: at most half of the slots are in use. */
static int store_ids(struct idset *s, size_t room)
{
    if (s->of_row && room <= s->room) return 1;
    if (room < 2 * s->room) room = 2 * s->room;
    if (room < 16) room = 16;
    size_t slot_count = 32;
    while (slot_count < 2 * room) slot_count *= 2;
    int64_t *of_row = mem_alloc(room, sizeof *of_row);
    uint32_t *slots = mem_zero(slot_count, sizeof *slots);
    if (!of_row || !slots) {
        mem_free(of_row);
        mem_free(slots);
        return 0;
    }
    for (size_t row = 0; row < s->count; row++) of_row[row] = idset_id(s, row);
    mem_free(s->of_row);
    mem_free(s->slots);
    s->of_row = of_row;
    s->slots = slots;
    s->slot_count = slot_count;
    s->room = room;
    for (size_t row = 0; row < s->count; row++) slots[probe(s, of_row[row])] = (uint32_t)row + 1;
    return 1;
}

static int are_row_numbers(const int64_t *ids, size_t count, size_t first)
{
    for (size_t i = 0; ids && i < count; i++)
        if (ids[i] != (int64_t)(first + i)) return 0;
    return 1;
}

static void take_out(struct idset *s, size_t row);

int idset_add(struct idset *s, const int64_t *ids, size_t count, const char *who, struct err *e)
{
    if (count > UINT32_MAX - 1 - s->count)
        return FAIL(e, ERR_ARG, "%s: %zu + %zu rows, at most %u", who, s->count, count, UINT32_MAX - 1);
    if (!s->of_row && are_row_numbers(ids, count, s->count)) {
        s->count += count;
        return ERR_OK;
    }
    if (!store_ids(s, s->count + count)) return FAIL(e, ERR_MEM, "%s: no memory for %zu ids", who, count);
    const size_t before = s->count;
    for (size_t i = 0; i < count; i++) {
        const int64_t id = ids ? ids[i] : (int64_t)(before + i);
        const size_t slot = probe(s, id);
        if (s->slots[slot]) {
            const char *how = s->slots[slot] - 1 < before ? "is in use" : "is given twice";
            while (s->count > before) take_out(s, s->count - 1);
            return FAIL(e, ERR_ARG, "%s: row %zu: id %lld %s", who, i, (long long)id, how);
        }
        s->of_row[s->count++] = id;
        s->slots[slot] = (uint32_t)s->count;
    }
    return ERR_OK;
}

/* Empties a slot and closes the gap behind it, so that no search for another id stops too early. */
static void clear_slot(struct idset *s, size_t hole)
{
    const size_t mask = s->slot_count - 1;
    for (size_t at = (hole + 1) & mask; s->slots[at]; at = (at + 1) & mask) {
        const size_t home = slot_of(s, s->of_row[s->slots[at] - 1]);
        if (((at - home) & mask) < ((at - hole) & mask)) continue; /* its home lies behind the hole */
        s->slots[hole] = s->slots[at];
        hole = at;
    }
    s->slots[hole] = 0;
}

static void take_out(struct idset *s, size_t row)
{
    clear_slot(s, probe(s, s->of_row[row]));
    const size_t last = --s->count;
    if (row == last) return;
    s->slots[probe(s, s->of_row[last])] = (uint32_t)row + 1;
    s->of_row[row] = s->of_row[last];
}

int idset_remove(struct idset *s, int64_t id, size_t *row, const char *who, struct err *e)
{
    const int64_t at = idset_row(s, id);
    if (at == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "%s: no id %lld", who, (long long)id);
    *row = (size_t)at;
    if (!s->of_row && *row + 1 == s->count) {
        s->count--;
        return ERR_OK;
    }
    if (!store_ids(s, s->count)) return FAIL(e, ERR_MEM, "%s: no memory for %zu ids", who, s->count);
    take_out(s, *row);
    return ERR_OK;
}

size_t idset_row_bytes(const struct idset *s) { return s->of_row ? s->count * sizeof *s->of_row : 0; }

size_t idset_other_bytes(const struct idset *s)
{
    return s->of_row ? s->slot_count * sizeof *s->slots + (s->room - s->count) * sizeof *s->of_row : 0;
}

void idset_offer(const struct idset *s, struct topk *best, size_t first, const float *scores, size_t count)
{
    enum { STRIDE = 16 };
    size_t i = 0;
    for (; i + STRIDE <= count; i += STRIDE) {
        const float bound = topk_bound(best);
        int any = 0;
        for (size_t j = 0; j < STRIDE; j++) any |= scores[i + j] >= bound;
        if (!any) continue;
        for (size_t j = i; j < i + STRIDE; j++) topk_push(best, idset_id(s, first + j), scores[j]);
    }
    for (; i < count; i++) topk_push(best, idset_id(s, first + i), scores[i]);
}

int idset_save(const struct idset *s, struct index_writer *w, struct err *e)
{
    const int are_numbers = !s->of_row || are_row_numbers(s->of_row, s->count, 0); /* by now, or again */
    return index_write(w, "ids", s->of_row, are_numbers ? 0 : s->count * sizeof *s->of_row, e);
}

int idset_load(struct idset *s, struct index_reader *r, struct err *e)
{
    const void *bytes = NULL;
    size_t size;
    int status = index_read_any(r, "ids", &bytes, &size, e);
    if (status != ERR_OK) return status;
    if (size != 0 && (r->rows > size || size != r->rows * sizeof(int64_t)))
        return FAIL(e, ERR_FORMAT, "%s: %zu bytes of ids for %llu rows", r->path, size, (unsigned long long)r->rows);
    status = idset_add(s, size ? bytes : NULL, (size_t)r->rows, r->path, e);
    return status == ERR_ARG ? err_context(e, ERR_FORMAT, "damaged") : status;
}
