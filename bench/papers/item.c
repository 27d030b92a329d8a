/* SPDX-License-Identifier: MIT
 * item.c - one item of a paper: measured, judged and kept; a killed run goes on with the items that it lacks. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "bench/papers/item.h"
#include "bench/papers/judge.h"
#include "bench/papers/show.h"
#include "bench/rows/output.h"
#include "kernels/base/file.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void plan_add(struct paper_plan *p, const char *item)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i], item) == 0) return;
    if (p->count < PAPER_ITEMS_MAX) p->items[p->count++] = item;
}

int paper_plan_init(struct paper_plan *p, const struct paper_ops *paper, struct err *e)
{
    char file[128];
    *p = (struct paper_plan){ .paper = paper };
    snprintf(file, sizeof file, "bench/papers/%s.tsv", paper->name);
    const int status = paper_table_read(&p->table, file, paper->table, e);
    for (const struct paper_item *item = paper->items; item->name; item++) plan_add(p, item->name);
    for (size_t i = 0; status == ERR_OK && i < p->table.count; i++) {
        const struct paper_line *line = &p->table.lines[i];
        if (line->class != PAPER_X && !paper_item_find(paper, line->item)) {
            const int unknown = FAIL(e, ERR_FORMAT, "%s:%zu: item '%s': the plug-in has none such", file, line->number, line->item);
            paper_plan_fini(p);
            return unknown;
        }
        plan_add(p, line->item);
    }
    return status;
}

void paper_plan_fini(struct paper_plan *p)
{
    paper_table_free(&p->table);
    *p = (struct paper_plan){ 0 };
}

void paper_plan_classes(const struct paper_plan *p, const char *item, char out[4])
{
    size_t count = 0;
    for (int c = PAPER_R; c <= PAPER_X; c++)
        for (size_t i = 0; i < p->table.count; i++)
            if (strcmp(p->table.lines[i].item, item) == 0 && (int)p->table.lines[i].class == c) {
                out[count++] = *paper_class_name((enum paper_class)c);
                break;
            }
    out[count] = 0;
}

/* --- what makes two runs of an item the same --------------------------------------------------------- */

static int add_file(uint64_t *key, const char *path, struct err *e)
{
    uint64_t hash = 0;
    const int status = path ? file_hash(path, &hash, e) : ERR_OK;
    *key = hash64(*key, &hash, sizeof hash);
    return status;
}

static int item_key(const struct paper_plan *p, const char *item, const struct paper_asked *a, const struct run *run, char out[17],
                    struct err *e)
{
    const uint64_t numbers[] = { a->seeds, (uint64_t)a->quick, a->kb_count, access(a->data, R_OK) == 0 };
    uint64_t key = hash64(0, numbers, sizeof numbers);
    key = hash64(key, p->paper->table, strlen(p->paper->table));
    key = hash64(key, item, strlen(item));
    key = hash64(key, run->binary, strlen(run->binary));
    key = hash64(key, run->machine, strlen(run->machine));
    int status = add_file(&key, a->base, e);
    if (status == ERR_OK) status = add_file(&key, a->query, e);
    for (size_t i = 0; status == ERR_OK && i < a->kb_count; i++) status = add_file(&key, a->kbs[i], e);
    snprintf(out, 17, "%016llx", (unsigned long long)key);
    return status;
}

/* --- the run ------------------------------------------------------------------------------------------ */

static int measure(const struct paper_plan *p, const char *name, const struct paper_asked *asked, struct text *csv, struct err *e)
{
    const struct paper_item *item = paper_item_find(p->paper, name);
    struct judge judge;
    judge_init(&judge, &p->table, item, name);
    struct paper_run r = { *asked, &judge, p->paper->name, name };
    int status = item ? item->run(&r, e) : ERR_OK;
    if (status == ERR_OK) status = judge_close(&judge, e);
    if (status == ERR_OK) judge_csv(&judge, p->paper->name, csv);
    judge_free(&judge);
    return status;
}

static int is_kept(const char *path, const char *key, struct table *rows)
{
    if (access(path, R_OK) != 0) return 0;
    if (table_append(rows, path, NULL) == ERR_OK && strcmp(table_note(rows, "key"), key) == 0) return 1;
    table_free(rows);
    return 0;
}

/* Without a folder rows go through a file all the same, which has no name: what is shown is what is kept. */
static int read_through(const char *path, const struct text *csv, struct table *rows, struct err *e)
{
    char nameless[64];
    if (path) {
        const int status = output_write(path, csv, e);
        return status == ERR_OK ? table_append(rows, path, e) : status;
    }
    const int fd = memfd_create("rows", MFD_CLOEXEC);
    FILE *f = fd >= 0 ? fdopen(dup(fd), "w") : NULL;
    int ok = f && !csv->failed && fwrite(text_of(csv), 1, csv->size, f) == csv->size;
    if (f) ok &= fclose(f) == 0;
    int status = ok ? ERR_OK : FAIL(e, ERR_MEM, "no memory for rows");
    snprintf(nameless, sizeof nameless, "/proc/self/fd/%d", fd);
    if (status == ERR_OK) status = table_append(rows, nameless, e);
    if (fd >= 0) close(fd);
    return status;
}

int paper_item_run(const struct paper_plan *p, const char *item, const struct paper_asked *asked, const struct run *run,
                   struct table *rows, int *kept, struct err *e)
{
    char key[17], stem[128];
    struct text path = { 0 }, csv = { 0 };
    int status = item_key(p, item, asked, run, key, e);
    paper_stem(p->paper->name, item, stem, sizeof stem);
    text_add(&path, "%s/%s.csv", asked->out ? asked->out : "", stem);
    *kept = status == ERR_OK && asked->out && is_kept(text_of(&path), key, rows);
    if (status == ERR_OK && !*kept) {
        text_add(&csv, "%s# paper: %s\n# item: %s\n# key: %s\n", text_of(&run->notes), p->paper->reference, item, key);
        status = measure(p, item, asked, &csv, e);
        if (status == ERR_OK) status = read_through(asked->out ? text_of(&path) : NULL, &csv, rows, e);
        if (status != ERR_OK) err_context(e, status, "%s/%s", p->paper->name, item);
    }
    text_free(&path);
    text_free(&csv);
    return status;
}
