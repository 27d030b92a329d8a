/* SPDX-License-Identifier: MIT
 * kb_record.h - entities and relations kept in memory, to be written a second time. */
#ifndef ASSAY_KB_RECORD_H
#define ASSAY_KB_RECORD_H
#include "kernels/base/err.h"
#include "kernels/base/text.h"
#include <stdint.h>

struct store;
struct kb_record {
    struct text strings; /* each with its 0 */
    struct kb_row *rows;
    size_t count, room;
};
/* Strings may be NULL.  ERR_MEM. */
int kb_record_entity(struct kb_record *r, int64_t id, const char *type, const char *name, const char *properties,
                     struct err *e);
int kb_record_relation(struct kb_record *r, int64_t source, int64_t target, const char *type, double weight,
                       const char *properties, struct err *e);
int kb_record_id(struct kb_record *r, int64_t entity, const char *external, struct err *e);
int kb_record_replay(const struct kb_record *r, struct store *to, struct err *e); /* in the same order */
void kb_record_free(struct kb_record *r);
#endif
