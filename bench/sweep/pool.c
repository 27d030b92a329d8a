/* SPDX-License-Identifier: MIT
 * pool.c - texts of which many are equal, in a hash table of pointers. */
#include "bench/sweep/pool.h"
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

/* Where the text is, or the free place where it would be. */
static char **slot_of(char **slots, size_t room, const char *text)
{
    size_t at = hash64(0, text, strlen(text)) & (room - 1);
    while (slots[at] && strcmp(slots[at], text) != 0) at = (at + 1) & (room - 1);
    return &slots[at];
}

static int grow(struct pool *p)
{
    const size_t room = p->room ? 2 * p->room : FIRST_ROOM;
    char **slots = mem_zero(room, sizeof *slots);
    if (!slots) return 0;
    for (size_t i = 0; i < p->room; i++)
        if (p->slots[i]) *slot_of(slots, room, p->slots[i]) = p->slots[i];
    mem_free(p->slots);
    p->slots = slots;
    p->room = room;
    return 1;
}

const char *pool_keep(struct pool *p, const char *text)
{
    if (2 * (p->count + 1) > p->room && !grow(p)) return NULL;
    char **slot = slot_of(p->slots, p->room, text);
    if (!*slot && (*slot = strdup(text))) p->count++;
    return *slot;
}

void pool_free(struct pool *p)
{
    for (size_t i = 0; i < p->room; i++) free(p->slots[i]);
    mem_free(p->slots);
    *p = (struct pool){ 0 };
}
