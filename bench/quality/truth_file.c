/* SPDX-License-Identifier: MIT */
#include "bench/quality/truth_file.h"
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MAGIC, BASE, QUERY, FILTER, METRIC, K, QUERIES, SHARD, SHARDS, HEAD };
static const uint64_t magic = 0x3148545541535341; /* "ASSAUTH1" */

struct part {
    char *path;
    int fd;
    uint64_t head[HEAD];
    int32_t *ids;   /* queries x k; what is not there is undefined */
    uint8_t *have;  /* by query */
    size_t found;   /* queries */
    off_t whole;    /* bytes of head and undamaged records */
};

static size_t first_of(const uint64_t *head, size_t shard) { return (size_t)(head[QUERIES] * shard / head[SHARDS]); }

static char *part_path(const char *path, size_t shard, size_t shards)
{
    struct text t = { 0 };
    if (shards == 1) text_add(&t, "%s.part", path);
    else text_add(&t, "%s.shard-%zu-of-%zu", path, shard, shards);
    if (t.failed) text_free(&t);
    return t.at;
}

static void part_close(struct part *p)
{
    if (p->fd >= 0) close(p->fd);
    free(p->path);
    mem_free(p->ids);
    mem_free(p->have);
    *p = (struct part){ .fd = -1 };
}

/* Takes whole records; stops at the first that is torn or damaged, which a killed run leaves. */
static int take_records(struct part *p, const unsigned char *at, size_t size, struct err *e)
{
    const size_t k = (size_t)p->head[K], queries = (size_t)p->head[QUERIES];
    const size_t low = first_of(p->head, (size_t)p->head[SHARD]), high = first_of(p->head, (size_t)p->head[SHARD] + 1);
    p->ids = mem_alloc(queries * k, sizeof *p->ids);
    p->have = mem_zero(queries, 1);
    if (!p->ids || !p->have) return FAIL(e, ERR_MEM, "%s: no memory for %zu queries", p->path, queries);
    size_t pos = sizeof p->head;
    for (uint32_t range[2], crc; size - pos >= sizeof range; p->whole = (off_t)pos) {
        memcpy(range, at + pos, sizeof range);
        const size_t from = range[0], count = range[1];
        if (from < low || count == 0 || count > high - low || from > high - count) break;
        const size_t bytes = sizeof range + count * k * sizeof *p->ids;
        if (size - pos < bytes + sizeof crc) break;
        memcpy(&crc, at + pos + bytes, sizeof crc);
        if (crc != crc32_of(0, at + pos, bytes)) break;
        memcpy(p->ids + from * k, at + pos + sizeof range, count * k * sizeof *p->ids);
        for (size_t q = from; q < from + count; q++) {
            p->found += !p->have[q];
            p->have[q] = 1;
        }
        pos += bytes + sizeof crc;
    }
    return ERR_OK;
}

static int check_head(const struct part *p, struct err *e)
{
    const uint64_t *h = p->head;
    if (h[MAGIC] != magic || h[K] == 0 || h[QUERIES] == 0 || h[SHARDS] == 0 || h[SHARD] >= h[SHARDS] ||
        h[K] > INT32_MAX ||
        h[QUERIES] > INT32_MAX || h[SHARDS] > INT32_MAX)
        return FAIL(e, ERR_FORMAT, "%s: no work file of a truth", p->path);
    return ERR_OK;
}

static int read_part(struct part *p, struct err *e)
{
    unsigned char *at = NULL;
    size_t size;
    int status = mem_read_file(&at, &size, p->path, e);
    if (status != ERR_OK) return status;
    p->whole = sizeof p->head;
    if (size < sizeof p->head) {
        status = FAIL(e, ERR_FORMAT, "%s: no work file of a truth", p->path);
    } else {
        memcpy(p->head, at, sizeof p->head);
        status = check_head(p, e);
    }
    if (status == ERR_OK) status = take_records(p, at, size, e);
    mem_free(at);
    return status;
}

static int write_all(int fd, const void *bytes, size_t size)
{
    for (const char *at = bytes; size > 0;) {
        const ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return 0;
        at += n;
        size -= (size_t)n;
    }
    return 1;
}

/* Opens the work file of `head`, new or as a killed run left it. */
static int part_open(struct part *p, const uint64_t *head, struct err *e)
{
    p->fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (p->fd < 0) return FAIL(e, ERR_IO, "%s: %s", p->path, strerror(errno));
    if (flock(p->fd, LOCK_EX | LOCK_NB) != 0) return FAIL(e, ERR_BUSY, "%s: another process is at it", p->path);
    const off_t size = lseek(p->fd, 0, SEEK_END);
    memcpy(p->head, head, sizeof p->head);
    if (size == 0) {
        if (!write_all(p->fd, head, sizeof p->head)) return FAIL(e, ERR_IO, "%s: %s", p->path, strerror(errno));
        p->whole = sizeof p->head;
        p->have = mem_zero((size_t)head[QUERIES], 1);
        p->ids = mem_alloc((size_t)head[QUERIES] * (size_t)head[K], sizeof *p->ids);
        return p->have && p->ids ? ERR_OK : FAIL(e, ERR_MEM, "%s: no memory", p->path);
    }
    const int status = read_part(p, e);
    if (status != ERR_OK) return status;
    if (memcmp(p->head, head, sizeof p->head) != 0)
        return FAIL(e, ERR_ARG, "%s: is of other vectors, filter, metric or k: remove it, or name another file",
                    p->path);
    if (ftruncate(p->fd, p->whole) != 0 || lseek(p->fd, p->whole, SEEK_SET) < 0)
        return FAIL(e, ERR_IO, "%s: %s", p->path, strerror(errno));
    return ERR_OK;
}

/* One write(2) a record. */
static int save(void *context, size_t from, size_t count, const int32_t *ids, size_t k, struct err *e)
{
    struct part *p = context;
    const uint32_t range[2] = { (uint32_t)from, (uint32_t)count };
    struct text record = { 0 };
    text_add_bytes(&record, range, sizeof range);
    text_add_bytes(&record, ids, count * k * sizeof *ids);
    const uint32_t crc = record.failed ? 0 : crc32_of(0, record.at, record.size);
    text_add_bytes(&record, &crc, sizeof crc);
    int status = record.failed ? FAIL(e, ERR_MEM, "%s: no memory", p->path) : ERR_OK;
    if (status == ERR_OK && !write_all(p->fd, record.at, record.size))
        status = FAIL(e, ERR_IO, "%s: %s", p->path, strerror(errno));
    text_free(&record);
    return status;
}

static int compute(struct part *p, const struct truth_job *ask, struct truth_done *done, struct err *e)
{
    struct truth t = { 0 };
    struct truth_job job = *ask;
    const size_t k = (size_t)p->head[K];
    job.from = first_of(p->head, (size_t)p->head[SHARD]);
    job.to = first_of(p->head, (size_t)p->head[SHARD] + 1);
    job.have = p->have;
    job.save = save;
    job.context = p;
    *done = (struct truth_done){ .found = p->found, .computed = job.to - job.from - p->found, .k = k };
    if (done->computed == 0) return ERR_OK;
    const int status = truth_run(&t, &job, e);
    for (size_t q = job.from; status == ERR_OK && q < job.to; q++)
        if (!p->have[q]) memcpy(p->ids + q * k, t.ids + q * k, k * sizeof *t.ids);
    done->tied = t.tied;
    done->scanned = t.scanned;
    done->by_coarse = t.by_coarse;
    done->rescored = t.rescored;
    truth_free(&t);
    if (status == ERR_OK && fsync(p->fd) != 0) return FAIL(e, ERR_IO, "%s: %s", p->path, strerror(errno));
    return status;
}

int truth_to_file(const char *path, const struct truth_job *job, const struct truth_key *key, size_t shard,
                  size_t shards,
                  struct truth_done *done, struct err *e)
{
    if (shards == 0 || shard >= shards) return FAIL(e, ERR_ARG, "truth: shard %zu of %zu", shard, shards);
    if (job->k == 0 || job->base.count == 0 || job->query.count == 0)
        return FAIL(e, ERR_ARG, "truth: k=%zu of %zu base rows, %zu queries", job->k, job->base.count,
                    job->query.count);
    const uint64_t head[HEAD] = { magic, key->base, key->query, key->filter, job->metric,
                                  truth_job_width(job), job->query.count, shard, shards };
    struct part p = { .path = part_path(path, shard, shards), .fd = -1 };
    int status = p.path ? part_open(&p, head, e) : FAIL(e, ERR_MEM, "%s: no memory", path);
    if (status == ERR_OK) status = compute(&p, job, done, e);
    if (status == ERR_OK && shards == 1)
        status = dataset_write_ivecs(path, p.ids, job->query.count, (size_t)head[K], e);
    if (status == ERR_OK && shards == 1) (void)unlink(p.path);
    part_close(&p);
    return status;
}

/* Shard s of what `all` is the first of, checked, into `all`. */
static int merge_one(struct part *all, struct part *p, size_t s, size_t shards, struct err *e)
{
    const int status = read_part(p, e);
    if (status != ERR_OK) return status;
    const size_t k = (size_t)p->head[K], low = first_of(p->head, s), high = first_of(p->head, s + 1);
    if (p->head[SHARD] != s || p->head[SHARDS] != shards || (s && memcmp(p->head, all->head,
                                                                         SHARD * sizeof *p->head) != 0))
        return FAIL(e, ERR_ARG, "%s: is of other vectors, filter, metric or k than shard 0", p->path);
    if (p->found < high - low)
        return FAIL(e, ERR_ARG, "%s: answers %zu of its %zu queries: run it again", p->path, p->found, high - low);
    if (s == 0) {
        *all = *p;
        *p = (struct part){ .fd = -1 };
    } else {
        memcpy(all->ids + low * k, p->ids + low * k, (high - low) * k * sizeof *p->ids);
    }
    return ERR_OK;
}

int truth_merge(const char *path, size_t shards, struct truth_done *done, struct err *e)
{
    struct part all = { .fd = -1 };
    int status = shards > 0 ? ERR_OK : FAIL(e, ERR_ARG, "truth: merge of 0 shards");
    for (size_t s = 0; status == ERR_OK && s < shards; s++) {
        struct part p = { .path = part_path(path, s, shards), .fd = -1 };
        status = p.path ? merge_one(&all, &p, s, shards, e) : FAIL(e, ERR_MEM, "%s: no memory", path);
        part_close(&p);
    }
    if (status == ERR_OK) status = dataset_write_ivecs(path, all.ids, (size_t)all.head[QUERIES], (size_t)all.head[K],
                                                       e);
    if (status == ERR_OK) *done = (struct truth_done){ .found = (size_t)all.head[QUERIES], .k = (size_t)all.head[K] };
    part_close(&all);
    return status;
}
