/* SPDX-License-Identifier: MIT
 * split.c - questions that chose, and questions that are reported on. */
#include "bench/papers/split.h"
#include "kernels/base/mem.h"
#include <string.h>

static int room_for_one(struct split *s)
{
    const size_t room = s->room ? 2 * s->room : 256;
    if (s->count < s->room) return 1;
    if (!mem_extend(&s->keys, s->count, room, sizeof *s->keys)) return 0;
    for (int part = 0; part < SPLIT_PARTS; part++)
        if (!mem_extend(&s->in[part], s->count, room, 1)) return 0;
    s->room = room;
    return 1;
}

int split_add(struct split *s, enum split_part part, uint64_t key, struct err *e)
{
    size_t i = 0;
    while (i < s->count && s->keys[i] != key) i++; /* thousands at most */
    if (i == s->count) {
        if (!room_for_one(s)) return FAIL(e, ERR_MEM, "no memory for which questions chose");
        s->keys[s->count++] = key;
    }
    s->in[part][i] = 1;
    return ERR_OK;
}

void split_clear(struct split *s, enum split_part part)
{
    if (s->count) memset(s->in[part], 0, s->count);
}

void split_say(const struct split *s, struct finding *f)
{
    f->tuned = s->in[SPLIT_TUNED];
    f->reported = s->in[SPLIT_REPORTED];
    f->questions = s->count;
}

void split_free(struct split *s)
{
    mem_free(s->keys);
    for (int part = 0; part < SPLIT_PARTS; part++) mem_free(s->in[part]);
    *s = (struct split){ 0 };
}
