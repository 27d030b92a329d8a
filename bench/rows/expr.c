/* SPDX-License-Identifier: MIT
 * expr.c - cuts a condition into its clauses, and tries it on named values. */
#include "bench/rows/expr.h"
#include "kernels/base/text.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum operation { LE, GE, NE, EQ, LT, GT };
/* Longer spellings first. */
static const struct { const char *spelling; enum operation operation; } spellings[] = {
    { "<=", LE }, { ">=", GE }, { "!=", NE }, { "==", EQ }, { "<", LT }, { ">", GT }, { "=", EQ },
};

struct clause {
    char left[64], right[256];
    enum operation operation;
};

static void trimmed(char *out, size_t size, const char *from, const char *to)
{
    while (from < to && isspace((unsigned char)*from)) from++;
    while (to > from && isspace((unsigned char)to[-1])) to--;
    snprintf(out, size, "%.*s", (int)(to - from), from);
}

static int cut(struct clause *c, const char *from, const char *to, struct err *e)
{
    for (const char *at = from; at < to; at++)
        for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
            const size_t size = strlen(spellings[i].spelling);
            if (strncmp(at, spellings[i].spelling, size) != 0) continue;
            c->operation = spellings[i].operation;
            trimmed(c->left, sizeof c->left, from, at);
            trimmed(c->right, sizeof c->right, at + size, to);
            if (*c->left && *c->right) return ERR_OK;
        }
    return FAIL(e, ERR_ARG, "'%.*s' is no condition: write NAME<=VALUE, or >=, <, >, ==, !=", (int)(to - from), from);
}

static int compare(enum operation operation, const char *a, const char *b)
{
    double x, y;
    const int numbers = text_to_f64(a, &x) && text_to_f64(b, &y);
    const int order = numbers ? (x > y) - (x < y) : strcmp(a, b);
    switch (operation) {
    case LE: return order <= 0;
    case GE: return order >= 0;
    case NE: return order != 0;
    case EQ: return order == 0;
    case LT: return order < 0;
    default: return order > 0;
    }
}

int expr_holds(const char *text, expr_value_fn *value, void *context, int if_empty, int *holds, char unknown[64],
               struct err *e)
{
    unknown[0] = 0;
    *holds = 0;
    for (const char *from = text; from;) {
        const char *or = strstr(from, " or "), *to = or ? or : from + strlen(from);
        struct clause c;
        const int status = cut(&c, from, to, e);
        if (status != ERR_OK) return status;
        const char *left = value(context, c.left), *right = value(context, c.right);
        if (!left) {
            snprintf(unknown, 64, "%s", c.left);
            return FAIL(e, ERR_ARG, "'%s': there is no '%s'", text, c.left);
        }
        if (!right) right = c.right;
        *holds |= *left && *right ? compare(c.operation, left, right) : if_empty;
        from = or ? or + 4 : NULL;
    }
    return ERR_OK;
}
