/* SPDX-License-Identifier: MIT
 * folder.c - reads a folder of results. */
#include "bench/report/folder.h"
#include "bench/report/saved.h"
#include "kernels/base/mem.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int ends_with(const char *name, const char *suffix)
{
    const size_t size = strlen(name), tail = strlen(suffix);
    return size >= tail && strcmp(name + size - tail, suffix) == 0;
}

/* The names of a folder and of the folders in it, one level down: "sweep.csv", "twohop/sweep.csv". */
static int list_files(const char *dir, const char *below, struct text *names, struct err *e)
{
    struct text path = { 0 };
    text_add(&path, "%s%s%s", dir, *below ? "/" : "", below);
    struct dirent **entries;
    const int count = scandir(text_of(&path), &entries, NULL, alphasort);
    int status = ERR_OK;
    if (count < 0) status = FAIL(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", text_of(&path), strerror(errno));
    for (int folders = 0; folders < 2; folders++) /* the folder's own files first */
        for (int i = 0; i < count; i++) {
            const char *name = entries[i]->d_name;
            const int is_folder = entries[i]->d_type == DT_DIR;
            if (is_folder != folders || name[0] == '.' || strchr(name, '\n')) continue;
            if (!is_folder) text_add(names, "%s%s%s\n", below, *below ? "/" : "", name);
            else if (!*below && status == ERR_OK) status = list_files(dir, name, names, e);
        }
    for (int i = 0; i < count; i++) free(entries[i]);
    if (count >= 0) free(entries);
    text_free(&path);
    return status;
}

static int add_table(struct folder *f, const char *dir, const char *name, struct err *e)
{
    if (!mem_extend(&f->tables, f->count, f->count + 1, sizeof *f->tables)) return FAIL(e, ERR_MEM, "%s: no memory", name);
    struct folder_table *t = &f->tables[f->count];
    struct text path = { 0 };
    const char *slash = strrchr(name, '/');
    *t = (struct folder_table){ 0 };
    text_add(&path, "%s/%s", dir, name);
    text_add(&t->name, "%s", name);
    text_add(&t->folder, "%s%s%.*s", dir, slash ? "/" : "", slash ? (int)(slash - name) : 0, name);
    const int status = table_append(&t->table, text_of(&path), e);
    const int is_raw = table_column(&t->table, "sample") >= 0 || table_column(&t->table, "round") >= 0;
    if (status == ERR_OK && saved_is(&t->table)) text_add(&f->saved, "%s\n", text_of(&path));
    if (status == ERR_OK && is_raw) text_add(&f->left, "%s%s", f->left.size ? ", " : "", name);
    if (status == ERR_OK && !is_raw) {
        f->count++;
    } else {
        table_free(&t->table);
        text_free(&t->name);
        text_free(&t->folder);
    }
    text_free(&path);
    return status;
}

static int add_text(struct text *to, const char *dir, const char *name, struct err *e)
{
    struct text path = { 0 };
    struct mem_map map;
    text_add(&path, "%s/%s", dir, name);
    const int status = mem_map_open(&map, text_of(&path), e);
    if (status == ERR_OK) {
        for (size_t i = 0; i < map.size; i++)
            if (map.at[i]) text_add_bytes(to, map.at + i, 1);
        mem_map_close(&map);
    }
    text_free(&path);
    return status;
}

static int add_file(struct folder *f, const char *dir, const char *name, struct err *e)
{
    if (ends_with(name, ".narrow.svg")) return ERR_OK;
    if (ends_with(name, ".csv")) return add_table(f, dir, name, e);
    if (ends_with(name, ".svg")) return figures_add(&f->figures, dir, name, e);
    if (ends_with(name, "summary.txt")) return add_text(&f->summary, dir, name, e);
    if (ends_with(name, "flat.txt")) return add_text(&f->flat, dir, name, e);
    return ERR_OK;
}

/* Rows of points of the folder itself, then those of folders in it, then other tables; as they were otherwise. */
static int place_of(const struct folder_table *t)
{
    return (table_column(&t->table, "point_id") < 0 ? 2 : 0) + (strchr(text_of(&t->name), '/') != NULL);
}

static int by_place(const void *a, const void *b)
{
    const struct folder_table *p = a, *q = b;
    const int apart = place_of(p) - place_of(q);
    return apart ? apart : strcmp(text_of(&p->name), text_of(&q->name));
}

int folder_open(struct folder *f, const char *dir, struct err *e)
{
    struct text names = { 0 };
    int status = list_files(dir, "", &names, e);
    const char *end;
    for (const char *at = text_of(&names); status == ERR_OK && (end = strchr(at, '\n')); at = end + 1) {
        struct text name = { 0 };
        text_add_bytes(&name, at, (size_t)(end - at));
        status = add_file(f, dir, text_of(&name), e);
        text_free(&name);
    }
    text_free(&names);
    if (status == ERR_OK && !f->count && !f->figures.count && !f->saved.size)
        status = FAIL(e, ERR_NOT_FOUND, "%s: holds no .csv and no .svg", dir);
    if (status != ERR_OK) return status;
    if (f->count) qsort(f->tables, f->count, sizeof *f->tables, by_place);
    f->results = mem_zero(f->count, sizeof *f->results);
    if (!f->results) return FAIL(e, ERR_MEM, "%s: no memory", dir);
    for (size_t i = 0; status == ERR_OK && i < f->count; i++)
        status = results_init(&f->results[i], &f->tables[i].table, text_of(&f->tables[i].folder), e);
    if (status == ERR_OK) status = figures_arrange(&f->figures, f->results, f->count, e);
    return status;
}

void folder_free(struct folder *f)
{
    figures_free(&f->figures);
    for (size_t i = 0; f->results && i < f->count; i++) results_free(&f->results[i]);
    mem_free(f->results);
    for (size_t i = 0; i < f->count; i++) {
        table_free(&f->tables[i].table);
        text_free(&f->tables[i].name);
        text_free(&f->tables[i].folder);
    }
    mem_free(f->tables);
    text_free(&f->summary);
    text_free(&f->flat);
    text_free(&f->saved);
    text_free(&f->left);
    *f = (struct folder){ 0 };
}
