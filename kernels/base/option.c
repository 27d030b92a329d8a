/* SPDX-License-Identifier: MIT
 * option.c - options of a command line. */
#include "kernels/base/option.h"
#include "kernels/base/text.h"
#include <string.h>

static int store_value(const struct option *o, const char *value, struct err *e)
{
    double real = 0;
    switch (o->type) {
    case OPTION_TEXT: *(const char **)o->to = value; return ERR_OK;
    case OPTION_LIST: {
        struct option_list *list = o->to;
        if (list->count == (int)(sizeof list->at / sizeof *list->at))
            return FAIL(e, ERR_ARG, "%s given more than %d times", o->name, list->count);
        list->at[list->count++] = value;
        return ERR_OK;
    }
    case OPTION_INT:
        if (!text_to_i64(value, o->to)) return FAIL(e, ERR_ARG, "%s %s: not a whole number", o->name, value);
        real = (double)*(int64_t *)o->to;
        break;
    case OPTION_REAL:
        if (!text_to_f64(value, &real)) return FAIL(e, ERR_ARG, "%s %s: not a number", o->name, value);
        *(double *)o->to = real;
        break;
    case OPTION_FLAG: return ERR_OK;
    }
    if (real < o->least || real > o->most)
        return FAIL(e, ERR_ARG, "%s %s: outside %g..%g", o->name, value, o->least, o->most);
    return ERR_OK;
}

static const struct option *find_option(const struct option *table, const char *arg, size_t size)
{
    for (const struct option *o = table; o->name; o++)
        if (strlen(o->name) == size && memcmp(o->name, arg, size) == 0) return o;
    return NULL;
}

static int unknown_option(const struct option *table, const char *arg, struct err *e)
{
    const char *names[64];
    size_t count = 0;
    for (; table[count].name && count < 64; count++) names[count] = table[count].name;
    if (count == 0) return FAIL(e, ERR_ARG, "unknown option %s", arg);
    return FAIL(e, ERR_ARG, "unknown option %s%s", arg, NEAREST(arg, names, count));
}

int options_parse(int argc, char **argv, const struct option *table, struct option_list *rest, struct err *e)
{
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (arg[0] != '-' || arg[1] == 0) {
            if (!rest) return FAIL(e, ERR_ARG, "unexpected argument '%s'", arg);
            const struct option positional = { "argument", OPTION_LIST, rest, 0, 0 };
            const int status = store_value(&positional, arg, e);
            if (status != ERR_OK) return status;
            continue;
        }
        const char *equals = arg[1] == '-' ? strchr(arg, '=') : NULL;
        const struct option *o = find_option(table, arg, equals ? (size_t)(equals - arg) : strlen(arg));
        if (!o) return unknown_option(table, arg, e);
        if (o->type == OPTION_FLAG) {
            if (equals) return FAIL(e, ERR_ARG, "%s takes no value", o->name);
            *(int *)o->to = 1;
            continue;
        }
        if (!equals && i + 1 == argc) return FAIL(e, ERR_ARG, "%s needs a value", o->name);
        const int status = store_value(o, equals ? equals + 1 : argv[++i], e);
        if (status != ERR_OK) return status;
    }
    return ERR_OK;
}
