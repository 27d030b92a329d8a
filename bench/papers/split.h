/* SPDX-License-Identifier: MIT
 * split.h - which questions chose something, and which a number is over: what a finding says of itself, so that one that
 * is in both makes its row void (judge.h).  A question is known by what it asks and what answers it, not by its name:
 * files of two splits may count from 0 each, and a set may ask the same twice. */
#ifndef ASSAY_PAPERS_SPLIT_H
#define ASSAY_PAPERS_SPLIT_H
#include "bench/papers/paper.h"
#include <stdint.h>

enum split_part { SPLIT_TUNED, SPLIT_REPORTED, SPLIT_PARTS };
/* Zero-initialise; split_free. */
struct split {
    uint64_t *keys;
    uint8_t *in[SPLIT_PARTS];
    size_t count, room;
};
int split_add(struct split *s, enum split_part part, uint64_t key, struct err *e); /* ERR_MEM */
void split_clear(struct split *s, enum split_part part);
/* Points the finding's tuned and reported here: until the next split_add. */
void split_say(const struct split *s, struct finding *f);
void split_free(struct split *s);
#endif
