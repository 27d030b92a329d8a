/* SPDX-License-Identifier: MIT
 * file.c - partial files that a lock marks as in use, published by link or rename; folders and hashes. */
#define _GNU_SOURCE /* flock */
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".partial";

int file_replaceable(const char *path, struct err *e)
{
    struct stat there;
    if (lstat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return FAIL(e, ERR_ARG, "%s: not a regular file, so it is not replaced by one", path);
    return ERR_OK;
}

/* "<base>.123-4.partial" */
static int is_partial(const char *name, const char *base)
{
    const size_t size = strlen(base);
    if (strncmp(name, base, size) != 0 || name[size] != '.') return 0;
    const size_t number = strspn(name + size + 1, "0123456789-");
    return number > 0 && strcmp(name + size + 1 + number, suffix) == 0;
}

static int lock(int fd, int how)
{
    int rc;
    do rc = flock(fd, how);
    while (rc != 0 && errno == EINTR);
    return rc;
}

/* Removes a partial file that nobody holds a lock on. */
static void sweep_one(int folder, const char *name, const struct stat *published)
{
    struct stat named, held;
    if (fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(named.st_mode)) return;
    if (named.st_dev == published->st_dev && named.st_ino == published->st_ino) {
        /* A second name of the whole file.  It is not opened: closing it would take SQLite's locks on the
         * file from every connection of this process. */
        (void)unlinkat(folder, name, 0);
        return;
    }
    const int fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return;
    /* Between the two calls the name may have become another process's file. */
    if (lock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &held) == 0 &&
        fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && held.st_dev == named.st_dev &&
        held.st_ino == named.st_ino)
        (void)unlinkat(folder, name, 0);
    close(fd);
}

int file_open_text(FILE **out, const char *path, struct err *e)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return FAIL(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    const int is_none = fstat(fd, &st) != 0 || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISDIR(st.st_mode);
    FILE *f = is_none ? NULL : fdopen(fd, "r");
    if (f) return *out = f, ERR_OK;
    const int status = is_none ? FAIL(e, ERR_IO, "%s: not a regular file", path)
                               : FAIL(e, ERR_IO, "%s: %s", path, strerror(errno));
    close(fd);
    return status;
}

void file_sweep(const char *path)
{
    struct stat published = { 0 };
    (void)stat(path, &published);
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    struct text folder = { 0 };
    text_add(&folder, "%.*s", slash ? (int)(slash - path + 1) : 2, slash ? path : "./");
    DIR *listing = folder.failed ? NULL : opendir(text_of(&folder));
    for (const struct dirent *d; listing && (d = readdir(listing)) != NULL;)
        if (is_partial(d->d_name, base)) sweep_one(dirfd(listing), d->d_name, &published);
    if (listing) closedir(listing);
    text_free(&folder);
}

int file_partial(const char *path, char **name, int *fd, struct err *e)
{
    struct text made = { 0 };
    file_sweep(path);
    for (int n = 0;; n++) {
        struct stat st;
        text_clear(&made);
        text_add(&made, "%s.%ld-%d%s", path, (long)getpid(), n, suffix);
        if (made.failed) return text_free(&made), FAIL(e, ERR_MEM, "%s: no memory for its name", path);
        const int opened = open(made.at, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (opened < 0 && errno == EEXIST) continue;
        if (opened < 0) break;
        /* Another process may have swept it away before it was locked. */
        if (lock(opened, LOCK_EX) != 0 || fstat(opened, &st) != 0 || st.st_nlink > 0) {
            *name = made.at;
            *fd = opened;
            return ERR_OK;
        }
        close(opened);
    }
    const int why = errno;
    text_free(&made);
    return FAIL(e, ERR_IO, "%s: cannot be written: %s", path, strerror(why));
}

int file_publish(const char *partial, int fd, const char *path, enum file_over over, struct err *e)
{
    int status = ERR_OK;
    if (fsync(fd) != 0) {
        status = FAIL(e, ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    } else if (over == FILE_NEW && link(partial, path) == 0) { /* unlike rename it never replaces */
        (void)unlink(partial);
    } else if (over == FILE_NEW && errno == EEXIST) {
        status = FAIL(e, ERR_ARG, "%s: exists already", path);
    } else if (rename(partial, path) != 0) { /* FILE_NEW: a file system without links */
        status = FAIL(e, ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    if (status != ERR_OK) (void)unlink(partial);
    return status;
}

int file_hash(const char *path, uint64_t *out, struct err *e)
{
    struct mem_map map;
    const int status = mem_map_open(&map, path, e);
    if (status != ERR_OK) return status;
    *out = hash64(0, map.at, map.size);
    mem_map_close(&map);
    return ERR_OK;
}

void path_short(const char *path, char *out, size_t size)
{
    char full[PATH_MAX];
    const char *at = realpath(path, full) ? full : path;
    const char *file = strrchr(at, '/');
    while (file > at && file[-1] != '/') file--;
    snprintf(out, size, "%s", file ? file : at);
}

int folder_make(const char *path, struct err *e)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return FAIL(e, ERR_ARG, "%s: path too long", path);
    for (char *c = part + 1;; c++) {
        if (*c && *c != '/') continue;
        const char kept = *c;
        *c = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST) return FAIL(e, ERR_IO, "%s: %s", part, strerror(errno));
        if (!kept) break;
        *c = kept;
    }
    struct stat s;
    if (stat(path, &s) != 0 || !S_ISDIR(s.st_mode)) return FAIL(e, ERR_IO, "%s: not a folder", path);
    return ERR_OK;
}
