/* SPDX-License-Identifier: MIT
 * fuzz_files.h - for fuzz targets whose readers want files: a folder in memory, removed at the end. */
#ifndef ASSAY_FUZZ_FILES_H
#define ASSAY_FUZZ_FILES_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char fuzz_folder[64] = "/tmp/assay_XXXXXX";

static inline void fuzz_remove_folder(void)
{
    char command[80];
    snprintf(command, sizeof command, "rm -rf %s", fuzz_folder);
    if (system(command) != 0) abort();
}

/* A path in the folder; one of four that are valid at a time. */
static inline const char *fuzz_path(const char *name)
{
    static char paths[4][160];
    static int next, made;
    if (!made++) {
        if (access("/dev/shm", W_OK) == 0) snprintf(fuzz_folder, sizeof fuzz_folder, "/dev/shm/assay_XXXXXX");
        if (!mkdtemp(fuzz_folder) || atexit(fuzz_remove_folder) != 0) abort();
    }
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", fuzz_folder, name);
    return path;
}

static inline const char *fuzz_put(const char *name, const void *bytes, size_t size)
{
    const char *path = fuzz_path(name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) abort();
    return path;
}

/* The part of an input before a line "--" (all of it where there is none); *bytes and *size go behind it. */
static inline size_t fuzz_part(const uint8_t **bytes, size_t *size)
{
    const uint8_t *end = memmem(*bytes, *size, "\n--\n", 4);
    const size_t part = end ? (size_t)(end - *bytes) + 1 : *size, cut = end ? part + 3 : part;
    *bytes += cut;
    *size -= cut;
    return part;
}
#endif
