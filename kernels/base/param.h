/* SPDX-License-Identifier: MIT
 * param.h - parameters declared once in a table, and the spec strings that set them.
 *
 *     spec   name[:key=value[,key=value...]]
 *     value  text without ',' ')' '('   or   (SPEC) nested, parentheses balanced
 *
 * From one table come parsing, bounds errors, --help, sweep axes and CSV columns.  One name means
 * one thing, one type and one unit in every table of the project (bench/test_registry.c). */
#ifndef ASSAY_PARAM_H
#define ASSAY_PARAM_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/err.h"
#include "kernels/base/text.h"

#ifdef __cplusplus
extern "C" {
#endif

enum param_type {
    PARAM_INT,    /* least..most */
    PARAM_REAL,   /* least..most, which may be infinite */
    PARAM_FLAG,   /* true | false, also 1 | 0 */
    PARAM_CHOICE, /* one of `choices`, "a|b|c"; the value is its position */
    PARAM_SPEC,   /* a nested spec, stored without its parentheses */
    PARAM_TEXT,   /* anything: a path, a pattern */
};

struct param {
    const char *name; /* NULL ends a table */
    enum param_type type;
    double least, most;  /* PARAM_INT and PARAM_REAL */
    const char *usual;   /* the default, as it would be typed */
    const char *unit;    /* "bits", "us", "" */
    const char *choices; /* PARAM_CHOICE */
    const char *help;    /* one line */
};

/* The values of one table. */
struct params;

/* All defaults, then "key=value,..." from `args` (NULL: none).  `who` names the owner in errors;
 * table may be NULL (no parameters) and must outlive the result.
 * ERR_ARG for an unknown key (with the nearest), a bad value, or one out of bounds. */
int params_create(struct params **out, const struct param *table, const char *who, const char *args,
                  struct err *e);
void params_destroy(struct params *p);
int params_set(struct params *p, const char *key, const char *value, struct err *e);

/* Values by name; asking for a name that the table lacks, or by another type, is a bug. */
int64_t params_int(const struct params *p, const char *name); /* INT, FLAG, CHOICE */
double params_real(const struct params *p, const char *name);
const char *params_text(const struct params *p, const char *name); /* any type, as typed */

/* Appends "who:key=value,..." with every value that differs from its default, in table order:
 * equal settings give equal strings. */
void params_canonical(const struct params *p, struct text *out);
/* Appends one help line a parameter: name, type, bounds, default, unit, help. */
void params_help(const struct param *table, struct text *out);

int params_are_of(const struct params *p, const struct param *table);
/* 1 when both have one table and equal values, but for the parameter `but`. */
int params_equal_but(const struct params *a, const struct params *b, const char *but);

const struct param *param_find(const struct param *table, const char *name); /* NULL: none */
/* 0 when `value` fits `p`; `who` names the owner in the error. */
int param_check(const struct param *p, const char *who, const char *value, struct err *e);

/* Cuts "name:args" into name (copied) and args (points into spec, NULL when there are none). */
int spec_split(const char *spec, char *name, size_t name_size, const char **args, struct err *e);
/* 1 when the spec itself says a value for `key`; inside: also when a spec nested in it does. */
int spec_says(const char *spec, const char *key, int inside);
enum { SPEC_EXPANSIONS_MAX = 10000 };
/* Expands integer ranges "key=1..8" (the innermost level too) into one spec a value, in order.
 * Calls each(spec, context) and stops at the first non-zero return, which it passes on.  ERR_ARG: an empty range, or
 * more than SPEC_EXPANSIONS_MAX specs. */
int spec_expand(const char *spec, int (*each)(const char *spec, void *context), void *context,
                struct err *e);

#ifdef __cplusplus
}
#endif
#endif
