/* SPDX-License-Identifier: MIT
 * pq.c - per-query files, read back. */
#include "bench/rows/pq.h"
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include <math.h>
#include <string.h>

static size_t count_of(const char *text, char c)
{
    size_t count = 0;
    for (; *text; text++) count += *text == c;
    return count;
}

/* The cell at *at, ended by NUL; *at moves behind it.  *last: the line ended, too. */
static char *cut(char **at, int *last)
{
    char *const cell = *at, *const end = cell + strcspn(cell, "\t\n");
    *last = *end != '\t';
    *at = *end ? end + 1 : end;
    *end = 0;
    return cell;
}

static int parse(struct pq *p, const char *path, struct err *e)
{
    char *at = p->bytes;
    int last = 0;
    (void)cut(&at, &last);
    while (!last) p->columns[p->column_count++] = cut(&at, &last);
    const size_t lines = count_of(at, '\n'); /* queries: what values was made for */
    while (*at) {
        const size_t q = p->query_count++;
        size_t c = 0;
        p->queries[q] = cut(&at, &last);
        for (; !last && c < p->column_count; c++) {
            double value;
            p->values[c * lines + q] = text_to_f64(cut(&at, &last), &value) ? value : (double)NAN;
        }
        if (!last || c != p->column_count)
            return FAIL(e, ERR_FORMAT, "%s: line %zu has other columns than the first", path,
                        q + 2);
    }
    return ERR_OK;
}

int pq_parse(struct pq *out, const char *bytes, size_t size, const char *name, struct err *e)
{
    struct pq p = { .bytes = mem_alloc(size + 1, 1) };
    if (p.bytes && size) memcpy(p.bytes, bytes, size);
    if (p.bytes) p.bytes[size] = 0;
    const size_t columns = p.bytes ? strcspn(p.bytes, "\n") + 1 : 0, lines = p.bytes ? count_of(p.bytes, '\n') : 0;
    const int whole = p.bytes && strlen(p.bytes) == size && size && p.bytes[size - 1] == '\n';
    p.columns = mem_alloc(columns, sizeof *p.columns);
    p.queries = mem_alloc(lines + 1, sizeof *p.queries);
    size_t cells = 0;
    for (size_t i = 0; p.bytes && i + 1 < columns; i++) cells += p.bytes[i] == '\t';
    p.values = mem_alloc(cells * lines + 1, sizeof *p.values);
    int status = ERR_OK;
    if (!p.bytes || !p.columns || !p.queries || !p.values) status = FAIL(e, ERR_MEM, "%s: no memory", name);
    else if (!whole) status = FAIL(e, ERR_FORMAT, "%s: its last line is torn", name);
    else status = parse(&p, name, e);
    if (status == ERR_OK && p.query_count != lines - 1) status = FAIL(e, ERR_FORMAT, "%s: an empty line", name);
    if (status == ERR_OK) *out = p;
    else pq_free(&p);
    return status;
}

int pq_read(struct pq *out, const char *folder, const char *point_id, struct err *e)
{
    struct text path = { 0 };
    struct mem_map map;
    text_add(&path, "%s/%s.pq.tsv", folder, point_id);
    int status = mem_map_open(&map, text_of(&path), e);
    if (status == ERR_OK) {
        status = pq_parse(out, (const char *)map.at, map.size, text_of(&path), e);
        mem_map_close(&map);
    }
    text_free(&path);
    return status;
}

void pq_free(struct pq *p)
{
    mem_free(p->bytes);
    mem_free(p->columns);
    mem_free(p->queries);
    mem_free(p->values);
    *p = (struct pq){ 0 };
}

const double *pq_column(const struct pq *p, const char *name)
{
    for (size_t c = 0; c < p->column_count; c++)
        if (strcmp(p->columns[c], name) == 0) return p->values + c * p->query_count;
    return NULL;
}
