/* SPDX-License-Identifier: MIT
 * apart.c - finds room for the names of points, greedily. */
#include "bench/rows/apart.h"
#include <math.h>

enum { STEPS = 24 /* half lines up and down */ };
#define GAP 0.008 /* between a point and its name */

static int overlap(const struct apart_name *a, const struct apart_name *b)
{
    return a->left < b->left + b->width && b->left < a->left + a->width &&
           fabs(a->middle - b->middle) < (a->height + b->height) / 2;
}

static int covers(const struct apart_name *a, struct apart_point p)
{
    return p.x > a->left - GAP / 2 && p.x < a->left + a->width + GAP / 2 && fabs(p.y - a->middle) < 0.75 * a->height;
}

static int fits(const struct apart_name *name, const struct apart_name *placed, size_t count,
                const struct apart_point *points, size_t point_count)
{
    if (name->left < 0 || name->left + name->width > 1 || name->middle < name->height / 2 ||
        name->middle > 1 - name->height / 2)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (overlap(name, &placed[i])) return 0;
    for (size_t i = 0; i < point_count; i++)
        if (covers(name, points[i])) return 0;
    return 1;
}

/* The nearest place where it fits, first on the right: 1, or 0 where there is none. */
static int place_one(struct apart_name *name, const struct apart_name *placed, size_t count,
                     const struct apart_point *points, size_t point_count)
{
    for (int step = 0; step <= 2 * STEPS; step++)
        for (int side = 0; side < 2; side++) {
            const double lines = (step % 2 ? -1 : 1) * (double)((step + 1) / 2) / 2;
            name->left = side ? name->x - GAP - name->width : name->x + GAP;
            name->middle = name->y + lines * name->height;
            if (fits(name, placed, count, points, point_count)) return 1;
        }
    return 0;
}

void apart_place(struct apart_name *names, size_t count, const struct apart_point *points, size_t point_count)
{
    for (size_t i = 0; i < count; i++) {
        struct apart_name *n = &names[i];
        if (place_one(n, names, i, points, point_count) || place_one(n, names, i, points, 0)) continue;
        n->left = n->x + GAP;
        n->middle = n->y;
    }
}
