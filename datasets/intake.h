/* SPDX-License-Identifier: MIT
 * intake.h - the one rule for files that people bring.
 *
 *   What is not understood is an error that names file, line, field and value.
 *   What is left out, or added, is counted, and said.
 *   Nothing is guessed: ids stay as they came, text or number, and a misspelt field is no new one.
 *
 * A byte order mark is passed over, CRLF ends a line as LF does, a zero byte is an error. */
#ifndef ASSAY_INTAKE_H
#define ASSAY_INTAKE_H
#include "kernels/base/err.h"
#include "kernels/base/mem.h"
#include "kernels/base/names.h"

/* --- lines ---------------------------------------------------------------------------------- */
struct lines {
    const char *path;
    size_t number; /* of the line read last, from 1 */
    struct mem_map map;
    const char *at, *end;
    struct text one;
};
/* `path` must outlive it.  ERR_NOT_FOUND, ERR_IO; ERR_FORMAT: UTF-16. */
int lines_open(struct lines *l, const char *path, struct err *e);
/* The next line that is not blank, its end cut off: changeable, ended by 0, valid until the next call.  NULL at the
 * end or, with *status, on failure (ERR_FORMAT: a zero byte; ERR_MEM). */
char *lines_next(struct lines *l, int *status, struct err *e);
void lines_close(struct lines *l); /* a zeroed one is allowed */

/* ERR_FORMAT: 'PATH: line LINE: "FIELD" is 'VALUE': WHY'; without a value 'PATH: line LINE: "FIELD" WHY', without
 * a field 'PATH: line LINE: WHY'.  A long value is cut. */
int line_bad(struct err *e, const char *path, size_t line, const char *field, const char *value, const char *why);

/* --- fields --------------------------------------------------------------------------------- */
/* The known name that `field` is a slip of - letters swapped, one missing, one too many, other capitals - or NULL when
 * it is one itself or like none.  known: "a|b|c". */
const char *field_meant(const char *field, const char *known, char out[32]);
int field_is(const char *field, const char *known); /* 1 when it is one of "a|b|c" */

/* --- ids ------------------------------------------------------------------------------------ */
/* The ids of a source's entities or questions, in order.  Where all of them are whole numbers, these are the numbers
 * inside, too; otherwise they are counted from `first` on. */
struct ids {
    struct names names;
    int words;     /* one of them is no whole number as it would be printed: "007", "a" */
    int64_t first; /* zeroed: from 0 */
};
/* The place of an id, or of a new one; *known: it came before.  ERR_MEM. */
int ids_add(struct ids *s, const char *id, size_t size, size_t *place, int *known, struct err *e);
int64_t ids_place(const struct ids *s, const char *id, size_t size); /* NAMES_NONE: no such id */
int64_t ids_number(const struct ids *s, size_t place);               /* inside */
void ids_free(struct ids *s);
/* Why a text cannot be an id: it is empty, or holds a tab or a line end.  NULL: it can. */
const char *id_fault(const char *id, size_t size);

/* --- what is left out ----------------------------------------------------------------------- */
/* Counts by what they are of, each with the first of its kind. */
struct tally {
    struct names what;
    struct { uint64_t count; char first[96]; } *at;
    size_t room;
};
/* "labels of documents that are not there"; first: such a one, or NULL. */
int tally_add(struct tally *t, const char *what, uint64_t count, const char *first, struct err *e);
uint64_t tally_of(const struct tally *t, const char *what);
/* Appends "3 labels of ... (the first: x)" for each, `between` between them. */
void tally_text(const struct tally *t, const char *between, struct text *out);
void tally_free(struct tally *t);
#endif
