/* SPDX-License-Identifier: MIT
 * scratch.c - folders of knowledge bases that are made for an item.  SQLite opens its files by their names, so they cannot be
 * unlinked at once; the owner holds a lock (flock) on the folder, which the kernel takes from a process that is killed.  Who
 * gets the lock of a folder may remove it. */
#include "bench/papers/scratch.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char prefix[] = "assay-scratch-";

static int open_folder(const char *path) { return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }

/* Files alone lie in it.  They are reached by fd, its lock, which is closed last: nobody else has begun on it. */
static void remove_folder(const char *path, int fd)
{
    DIR *dir = fdopendir(fd);
    for (const struct dirent *d; dir && (d = readdir(dir));)
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0) (void)unlinkat(fd, d->d_name, 0);
    (void)rmdir(path);
    if (dir) closedir(dir);
    else close(fd);
}

/* As mkdtemp makes it: of this user, for nobody else, and six letters behind the prefix.  What a person keeps under such a
 * name stays. */
static int is_scratch(const char *name, int fd)
{
    struct stat is;
    return strlen(name) == strlen(prefix) + 6 && fstat(fd, &is) == 0 && is.st_uid == geteuid() && (is.st_mode & 0777) == 0700;
}

/* Before the lock is held another's sweep may have taken it: then the name is gone, or another's. */
static int is_there(const char *path, int fd)
{
    struct stat mine, named;
    return fstat(fd, &mine) == 0 && lstat(path, &named) == 0 && mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

void scratch_sweep(void)
{
    DIR *all = opendir(P_tmpdir);
    for (const struct dirent *d; all && (d = readdir(all));) {
        char path[sizeof P_tmpdir + sizeof d->d_name];
        if (strncmp(d->d_name, prefix, strlen(prefix)) != 0) continue;
        snprintf(path, sizeof path, "%s/%s", P_tmpdir, d->d_name);
        const int fd = open_folder(path);
        if (fd < 0) continue;
        if (is_scratch(d->d_name, fd) && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_there(path, fd)) remove_folder(path, fd);
        else close(fd);
    }
    if (all) closedir(all);
}

int scratch_open(struct scratch *s, struct err *e)
{
    for (;;) {
        snprintf(s->folder, sizeof s->folder, "%s/%sXXXXXX", P_tmpdir, prefix);
        if (!mkdtemp(s->folder)) break;
        s->lock = open_folder(s->folder);
        if (s->lock >= 0 && flock(s->lock, LOCK_EX) == 0 && is_there(s->folder, s->lock)) return ERR_OK;
        const int taken = s->lock >= 0 ? !is_there(s->folder, s->lock) : errno == ENOENT;
        if (s->lock >= 0) close(s->lock);
        if (taken) continue;
        (void)rmdir(s->folder);
        break;
    }
    s->folder[0] = 0;
    return FAIL(e, ERR_IO, "%s: no folder can be made there: %s", P_tmpdir, strerror(errno));
}

void scratch_close(struct scratch *s)
{
    if (*s->folder) remove_folder(s->folder, s->lock);
    *s = (struct scratch){ 0 };
}
