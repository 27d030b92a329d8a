/* SPDX-License-Identifier: MIT
 * compared.c - counts of comparisons by where their intervals lie. */
#include "bench/papers/compared.h"
#include "bench/papers/published.h"
#include <math.h>
#include <string.h>

static const char *cell_of(const struct table *t, size_t row) { return table_text(t, row, table_column(t, "cell")); }

struct compared compared_of(const struct table *t, const char *versus, const char *part)
{
    struct compared c = { .least = (double)INFINITY, .most = -(double)INFINITY };
    char name[128];
    for (size_t i = 0; i < t->count; i++) {
        const double ours = table_number(t, i, table_column(t, "ours"));
        if (!cell_get(cell_of(t, i), "versus", name, sizeof name) || strcmp(name, versus) != 0) continue;
        if (!cell_in(part, cell_of(t, i)) || !isfinite(ours)) continue;
        if (i > 0 && strcmp(cell_of(t, i), cell_of(t, i - 1)) == 0) continue; /* another line on it */
        const int up = table_number(t, i, table_column(t, "ours_lo")) > 0, down = table_number(t, i, table_column(t, "ours_hi")) < 0;
        c.ahead += (size_t)up, c.behind += (size_t)down, c.open += (size_t)(!up && !down);
        c.least = fmin(c.least, ours), c.most = fmax(c.most, ours);
    }
    return c;
}

int cell_first(const struct table *t, size_t row, const char *key, char *out, size_t size)
{
    char other[256];
    if (!cell_get(cell_of(t, row), key, out, size)) return 0;
    for (size_t i = 0; i < row; i++)
        if (cell_get(cell_of(t, i), key, other, sizeof other) && strcmp(out, other) == 0) return 0;
    return 1;
}
