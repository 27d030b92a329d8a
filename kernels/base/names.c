/* SPDX-License-Identifier: MIT
 * names.c - a hash table from strings to the order in which they first came. */
#include "kernels/base/names.h"
#include "kernels/base/mem.h"
#include <string.h>

enum { FIRST_SLOTS = 1 << 12, FIRST_ROOM = 1 << 10 };

/* The slot of a name, or the free one where it would go. */
static size_t slot_of(const struct names *n, uint64_t hash, const char *name, size_t size)
{
    size_t slot = hash & (n->slots - 1);
    while (n->table[slot]) {
        const size_t i = n->table[slot] - 1;
        if (n->hashes[i] == hash && strlen(names_at(n, i)) == size && memcmp(names_at(n, i), name, size) == 0) break;
        slot = (slot + 1) & (n->slots - 1);
    }
    return slot;
}

int64_t names_find(const struct names *n, const char *name, size_t size)
{
    if (!n->slots) return NAMES_NONE;
    const size_t slot = slot_of(n, hash64(0, name, size), name, size);
    return n->table[slot] ? (int64_t)n->table[slot] - 1 : NAMES_NONE;
}

static int grow_lists(struct names *n)
{
    const size_t room = n->room ? 2 * n->room : FIRST_ROOM;
    if (!mem_extend(&n->hashes, n->count, room, sizeof *n->hashes) ||
        !mem_extend(&n->starts, n->count, room, sizeof *n->starts))
        return 0;
    n->room = room;
    return 1;
}

static int grow_table(struct names *n)
{
    const size_t slots = n->slots ? 2 * n->slots : FIRST_SLOTS;
    uint32_t *table = mem_zero(slots, sizeof *table);
    if (!table) return 0;
    mem_free(n->table);
    n->table = table;
    n->slots = slots;
    for (size_t i = 0; i < n->count; i++) {
        size_t slot = n->hashes[i] & (slots - 1);
        while (table[slot]) slot = (slot + 1) & (slots - 1);
        table[slot] = (uint32_t)i + 1;
    }
    return 1;
}

int64_t names_add(struct names *n, const char *name, size_t size)
{
    const int64_t known = names_find(n, name, size);
    if (known != NAMES_NONE) return known;
    if (n->count >= UINT32_MAX - 1) return NAMES_NONE;
    if (n->count == n->room && !grow_lists(n)) return NAMES_NONE;
    if (2 * (n->count + 1) > n->slots && !grow_table(n)) return NAMES_NONE;
    const size_t start = n->bytes.size;
    text_add_bytes(&n->bytes, name, size);
    text_add_bytes(&n->bytes, "", 1);
    if (n->bytes.failed) { /* as it was: the next may find memory */
        n->bytes.size = start;
        n->bytes.failed = 0;
        return NAMES_NONE;
    }
    const uint64_t hash = hash64(0, name, size);
    n->hashes[n->count] = hash;
    n->starts[n->count] = start;
    n->table[slot_of(n, hash, name, size)] = (uint32_t)++n->count;
    return (int64_t)n->count - 1;
}

void names_free(struct names *n)
{
    mem_free(n->hashes);
    mem_free(n->starts);
    mem_free(n->table);
    text_free(&n->bytes);
    *n = (struct names){ 0 };
}
