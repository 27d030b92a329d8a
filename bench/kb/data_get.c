/* SPDX-License-Identifier: MIT
 * data_get.c - walks the manifest of public data sets: lists them, and copies files whose hashes are right. */
#include "bench/kb/data_get.h"
#include "bench/kb/kb_build.h"
#include "datasets/sha256.h"
#include "datasets/whole_file.h"
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include <stdio.h>
#include <string.h>

static const char manifest[] =
#include "gen/manifest.tsv.inc"
    ;

/* A field of a line of the manifest, "-" for what is not known. */
struct field { const char *at; int size; };
enum { SET, FILE_NAME, BYTES, SHA256, HOME, LICENCE, FIELDS };

/* The next line; 0 at the end.  The first line names the fields. */
static int next_line(const char **at, struct field out[FIELDS])
{
    if (*at == manifest) *at = strchr(manifest, '\n') + 1;
    if (!**at) return 0;
    for (int i = 0; i < FIELDS; i++) {
        out[i] = (struct field){ *at, (int)strcspn(*at, "\t\n") };
        *at += out[i].size + 1;
    }
    return 1;
}

static int is(struct field f, const char *value) { return (int)strlen(value) == f.size && memcmp(f.at, value, (size_t)f.size) == 0; }

void data_sets_print(void)
{
    struct field f[FIELDS], last = { "", 0 };
    for (const char *at = manifest; next_line(&at, f); last = f[SET]) {
        if (f[SET].size == last.size && memcmp(f[SET].at, last.at, (size_t)last.size) == 0) continue;
        printf("public     %-27.*s %.*s (%.*s)\n", f[SET].size, f[SET].at, f[HOME].size, f[HOME].at, f[LICENCE].size,
               f[LICENCE].at);
    }
}

static int check_copy(const struct field f[FIELDS], const char *path, const struct mem_map *map, struct err *e)
{
    char size[24], sha[65];
    snprintf(size, sizeof size, "%zu", map->size);
    if (!is(f[BYTES], "-") && !is(f[BYTES], size))
        return FAIL(e, ERR_FORMAT, "%s: %s bytes, the manifest says %.*s", path, size, f[BYTES].size, f[BYTES].at);
    sha256_hex(map->at, map->size, sha);
    if (!is(f[SHA256], "-") && !is(f[SHA256], sha))
        return FAIL(e, ERR_FORMAT, "%s: sha256 %s, the manifest says %.*s", path, sha, f[SHA256].size, f[SHA256].at);
    printf("%-32.*s %12s  %s  %s\n", f[FILE_NAME].size, f[FILE_NAME].at, size, sha,
           is(f[SHA256], "-") ? "not verified: no checksum is recorded" : "verified");
    return ERR_OK;
}

static int copy(const struct field f[FIELDS], const char *from, const char *to, struct err *e)
{
    struct text source = { 0 }, target = { 0 };
    struct mem_map map = { 0 };
    struct whole_file out = { 0 };
    text_add(&source, "%s/%.*s", from, f[FILE_NAME].size, f[FILE_NAME].at);
    text_add(&target, "%s/%.*s", to, f[FILE_NAME].size, f[FILE_NAME].at);
    int status = source.failed || target.failed ? FAIL(e, ERR_MEM, "%s: no memory", from) : ERR_OK;
    if (status == ERR_OK) status = mem_map_open(&map, text_of(&source), e);
    if (status == ERR_OK) status = check_copy(f, text_of(&source), &map, e);
    if (status == ERR_OK) status = whole_file_open(&out, text_of(&target), e);
    if (status == ERR_OK) {
        fwrite(map.at, 1, map.size, out.to);
        status = whole_file_commit(&out, e);
    }
    mem_map_close(&map);
    text_free(&source);
    text_free(&target);
    return status;
}

static int no_such_set(const char *set, struct err *e)
{
    enum { MOST = 64, ROOM = 48 };
    static const char none[] = "";
    char names[MOST][ROOM];
    const char *list[MOST] = { none };
    size_t count = 0;
    struct field f[FIELDS];
    for (const char *at = manifest; count < MOST && next_line(&at, f); count++) {
        snprintf(names[count], ROOM, "%.*s", f[SET].size, f[SET].at);
        list[count] = names[count];
    }
    return FAIL(e, ERR_ARG, "get %s: not in the manifest%s", set, NEAREST(set, list, count));
}

int data_get_set(const char *set, const char *from, const char *to, struct err *e)
{
    struct field f[FIELDS];
    int found = 0, status = ERR_OK;
    for (const char *at = manifest; status == ERR_OK && next_line(&at, f);) {
        if (!is(f[SET], set)) continue;
        if (!found && !from)
            printf("%s: fetch from %.*s (%.*s), then\n  assay data get %s --from FOLDER --out DIR\n", set, f[HOME].size,
                   f[HOME].at, f[LICENCE].size, f[LICENCE].at, set);
        if (!found && from) status = make_folder(to, e);
        found = 1;
        if (!from)
            printf("%-32.*s %12.*s bytes  sha256 %.*s\n", f[FILE_NAME].size, f[FILE_NAME].at, f[BYTES].size, f[BYTES].at,
                   f[SHA256].size, f[SHA256].at);
        else if (status == ERR_OK) status = copy(f, from, to, e);
    }
    return found ? status : no_such_set(set, e);
}
