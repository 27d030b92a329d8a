/* SPDX-License-Identifier: MIT
 * said.c - reads the per-query files of a point, of all its seeds. */
#include "bench/report/said.h"
#include "bench/rows/pq.h"
#include "kernels/base/mem.h"
#include <string.h>

void said_free(struct said *s)
{
    mem_free(s->by);
    mem_free(s->us);
    *s = (struct said){ 0 };
}

static int is_first_of_id(const struct result_group *g, const struct result_point *p, size_t i, int column)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(table_text(g->t, p->rows[i], column), table_text(g->t, p->rows[j], column)) == 0) return 0;
    return 1;
}

int said_read(struct said *s, const struct result_group *g, const struct result_point *p)
{
    const int id = table_column(g->t, "point_id");
    size_t files = 0;
    int whole = 1;
    *s = (struct said){ 0 };
    for (size_t i = 0; whole && i < p->count; i++) {
        if (!is_first_of_id(g, p, i, id)) continue;
        struct pq q = { 0 };
        whole = pq_read(&q, g->folder, table_text(g->t, p->rows[i], id), NULL) == ERR_OK && q.query_count;
        const double *const by = whole ? pq_column(&q, g->by) : NULL, *const us = whole ? pq_column(&q, "lat_us") : NULL;
        if (files++ == 0 && by && us) {
            s->n = q.query_count;
            s->by = mem_zero(s->n, sizeof *s->by);
            s->us = mem_zero(s->n, sizeof *s->us);
        }
        whole = by && us && s->by && s->us && s->n == q.query_count;
        for (size_t j = 0; whole && j < s->n; j++) s->by[j] += by[j], s->us[j] += us[j];
        pq_free(&q);
    }
    for (size_t j = 0; whole && j < s->n; j++) s->by[j] /= (double)files, s->us[j] /= (double)files;
    if (!whole) said_free(s);
    return whole;
}
