/* SPDX-License-Identifier: MIT
 * mem.c - aligned blocks, huge pages for large ones, and files as memory. */
#include "kernels/base/mem.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HUGE_PAGE = 2 << 20, HUGE_FROM = 4 << 20 };

void *mem_alloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - HUGE_PAGE) return NULL;
    const size_t align = bytes >= HUGE_FROM ? HUGE_PAGE : MEM_ALIGN;
    bytes = (bytes + align - 1) / align * align;
    void *block = aligned_alloc(align, bytes ? bytes : align);
    if (block && align == HUGE_PAGE) (void)madvise(block, bytes, MADV_HUGEPAGE);
    return block;
}

void *mem_zero(size_t count, size_t size)
{
    void *block = mem_alloc(count, size);
    if (block) memset(block, 0, count * size);
    return block;
}

void *mem_grow(void *old, size_t old_count, size_t new_count, size_t size)
{
    assert(new_count >= old_count);
    char *block = mem_alloc(new_count, size);
    if (!block) return NULL;
    if (old_count) memcpy(block, old, old_count * size);
    memset(block + old_count * size, 0, (new_count - old_count) * size);
    mem_free(old);
    return block;
}

int mem_extend(void *array, size_t old_count, size_t new_count, size_t size)
{
    void *old, *block;
    memcpy(&old, array, sizeof old); /* whatever it points to: no object is read as a void pointer */
    block = mem_grow(old, old_count, new_count, size);
    if (block) memcpy(array, &block, sizeof block);
    return block != NULL;
}

int mem_one_more(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room) return 1;
    const size_t more = 2 * count + 64;
    if (!mem_extend(array, *room, more, size)) return 0;
    *room = more;
    return 1;
}

void mem_free(void *block) { free(block); }

static int open_regular(const char *path, int *fd, size_t *size, struct err *e)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* of a pipe this would wait for a writer */
    if (*fd < 0) return FAIL(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode)) {
        *size = (size_t)st.st_size;
        return ERR_OK;
    }
    close(*fd);
    return FAIL(e, ERR_IO, "%s: not a regular file", path);
}

int mem_map_open(struct mem_map *map, const char *path, struct err *e)
{
    int fd;
    size_t size;
    const int status = open_regular(path, &fd, &size, e);
    if (status != ERR_OK) return status;
    void *at = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    const int why = errno;
    close(fd);
    if (at == MAP_FAILED) return FAIL(e, ERR_IO, "%s: mmap: %s", path, strerror(why));
    *map = (struct mem_map){ size ? at : (const unsigned char *)"", size };
    return ERR_OK;
}

int mem_read_file(unsigned char **bytes, size_t *size, const char *path, struct err *e)
{
    int fd;
    size_t had = 0;
    int status = open_regular(path, &fd, size, e);
    if (status != ERR_OK) return status;
    unsigned char *at = mem_alloc(*size, 1);
    if (!at) status = FAIL(e, ERR_MEM, "%s: no memory for %zu bytes", path, *size);
    while (status == ERR_OK && had < *size) {
        const ssize_t got = read(fd, at + had, *size - had);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) status = FAIL(e, ERR_IO, "%s: %s", path, strerror(errno));
        if (got == 0) *size = had; /* it has shrunk */
        if (got > 0) had += (size_t)got;
    }
    close(fd);
    if (status == ERR_OK) *bytes = at;
    else mem_free(at);
    return status;
}

void mem_map_close(struct mem_map *map)
{
    if (map->size) munmap((void *)(uintptr_t)map->at, map->size);
    *map = (struct mem_map){ 0 };
}
