/* SPDX-License-Identifier: MIT
 * persist.c - writes and reads the sections of an index file, and the checks that a foreign file must pass. */
#include "index/persist.h"
#include "kernels/base/file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERSION = 2, ALIGN = 64, SPEC_MAX = 4096 };
static const char MAGIC[8] = { 'A', 'S', 'S', 'A', 'Y', 'I', 'D', 'X' };

struct header {
    char magic[8];
    uint32_t version, spec_bytes;
    uint64_t dim, metric, seed, rows, fingerprint;
};
struct section {
    char tag[8];
    uint64_t bytes;
};

static int put(struct index_writer *w, const void *bytes, size_t size, struct err *e)
{
    if (size && fwrite(bytes, 1, size, w->file) != size)
        return FAIL(e, ERR_IO, "%s: writing failed: %s", w->path, strerror(errno));
    w->crc = crc32_of(w->crc, bytes, size);
    w->at += size;
    return ERR_OK;
}

static int pad(struct index_writer *w, struct err *e)
{
    static const char zeros[ALIGN];
    return put(w, zeros, (size_t)(-w->at % ALIGN), e);
}

int index_write(struct index_writer *w, const char *tag, const void *bytes, size_t size, struct err *e)
{
    struct section s = { .bytes = size };
    memcpy(s.tag, tag, strnlen(tag, sizeof s.tag));
    int status = put(w, &s, sizeof s, e);
    if (status == ERR_OK) status = pad(w, e);
    if (status == ERR_OK) status = put(w, bytes, size, e);
    return status == ERR_OK ? pad(w, e) : status;
}

static int write_all(const struct index *ix, struct index_writer *w, const char *spec, const struct index_note *note,
                     struct err *e)
{
    struct index_stats stats;
    ix->ops->stats(ix, &stats);
    struct header h = { .version = VERSION,
                        .spec_bytes = (uint32_t)strlen(spec),
                        .dim = ix->config.dim,
                        .metric = (uint64_t)ix->config.metric,
                        .seed = ix->config.seed,
                        .rows = stats.rows,
                        .fingerprint = note->fingerprint };
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    int status = put(w, &h, sizeof h, e);
    if (status == ERR_OK) status = put(w, spec, h.spec_bytes, e);
    if (status == ERR_OK) status = pad(w, e);
    if (status == ERR_OK) status = ix->ops->save(ix, w, e);
    if (status == ERR_OK && note->size) status = index_write(w, "note", note->bytes, note->size, e);
    const uint32_t crc = w->crc;
    return status == ERR_OK ? put(w, &crc, sizeof crc, e) : status;
}

int index_sum(const struct index *ix, uint32_t *out, struct err *e)
{
    struct index_writer w = { .path = ix->ops->name, .file = fopen("/dev/null", "wb") };
    if (!w.file) return FAIL(e, ERR_IO, "/dev/null: %s", strerror(errno));
    const int status = ix->ops->save(ix, &w, e);
    fclose(w.file);
    if (status == ERR_OK) *out = w.crc;
    return status;
}

static int write_file(const struct index *ix, const char *path, const char *spec, const struct index_note *note,
                      struct err *e)
{
    char *partial = NULL;
    int fd = -1, status = file_partial(path, &partial, &fd, e);
    if (status != ERR_OK) return status;
    struct index_writer w = { .path = path, .file = fdopen(fd, "wb") };
    if (w.file) status = write_all(ix, &w, spec, note, e);
    if (!w.file || (status == ERR_OK && fflush(w.file) != 0))
        status = FAIL(e, ERR_IO, "%s: writing failed: %s", path, strerror(errno));
    if (status == ERR_OK) status = file_publish(partial, fd, path, FILE_REPLACE, e);
    else (void)unlink(partial);
    if (w.file) fclose(w.file);
    else close(fd);
    free(partial);
    return status;
}

int index_save_noted(const struct index *ix, const char *path, const struct index_note *note, struct err *e)
{
    if (!ix->ops->save) return FAIL(e, ERR_UNSUPPORTED, "%s: cannot be saved", ix->ops->name);
    struct text spec = { 0 };
    index_spec(ix, &spec);
    int status = file_replaceable(path, e);
    if (status == ERR_OK && spec.failed) status = FAIL(e, ERR_MEM, "%s: no memory", path);
    if (status == ERR_OK && spec.size > SPEC_MAX)
        status = FAIL(e, ERR_ARG, "%s: a spec of %zu bytes, at most %d", path, spec.size, SPEC_MAX);
    if (status == ERR_OK) status = write_file(ix, path, text_of(&spec), note, e);
    text_free(&spec);
    return status;
}

int index_save(const struct index *ix, const char *path, uint64_t fingerprint, struct err *e)
{
    const struct index_note note = { .fingerprint = fingerprint };
    return index_save_noted(ix, path, &note, e);
}

/* --- reading ------------------------------------------------------------------------------------ */

static int damaged(const char *path, const char *what, struct err *e)
{
    return FAIL(e, ERR_FORMAT, "%s: %s", path, what);
}

int index_read_any(struct index_reader *r, const char *tag, const void **bytes, size_t *size, struct err *e)
{
    struct section s;
    if (r->end - r->at < ALIGN) return FAIL(e, ERR_FORMAT, "%s: section '%s' is missing", r->path, tag);
    memcpy(&s, r->map.at + r->at, sizeof s);
    if (strncmp(s.tag, tag, sizeof s.tag) != 0)
        return FAIL(e, ERR_FORMAT, "%s: section '%.8s' where '%s' belongs", r->path, s.tag, tag);
    const uint64_t left = r->end - r->at - ALIGN;
    if (s.bytes > left || s.bytes + -s.bytes % ALIGN > left)
        return FAIL(e, ERR_FORMAT, "%s: section '%s' is longer than the file", r->path, tag);
    *bytes = r->map.at + r->at + ALIGN;
    *size = (size_t)s.bytes;
    r->at += ALIGN + s.bytes + -s.bytes % ALIGN;
    return ERR_OK;
}

int index_read(struct index_reader *r, const char *tag, size_t size, const void **bytes, struct err *e)
{
    size_t got = 0;
    const int status = index_read_any(r, tag, bytes, &got, e);
    if (status == ERR_OK && got != size)
        return FAIL(e, ERR_FORMAT, "%s: section '%s' has %zu bytes, not %zu", r->path, tag, got, size);
    return status;
}

int index_read_into(struct index_reader *r, const char *tag, void *to, size_t size, struct err *e)
{
    const void *bytes = NULL;
    const int status = index_read(r, tag, size, &bytes, e);
    if (status == ERR_OK && size) memcpy(to, bytes, size);
    return status;
}

int index_take(struct index_reader *r, const char *tag, void *array, size_t size, struct err *e)
{
    const void *bytes = NULL;
    if (!r->maps) return index_read_into(r, tag, *(void **)array, size, e);
    const int status = index_read(r, tag, size, &bytes, e);
    if (status == ERR_OK) *(void **)array = (void *)(uintptr_t)bytes;
    return status;
}

static int check_frame(struct index_reader *r, struct header *h, char *spec, struct err *e)
{
    const size_t size = r->map.size;
    uint32_t crc;
    if (size < sizeof *h + sizeof crc || memcmp(r->map.at, MAGIC, sizeof MAGIC) != 0)
        return damaged(r->path, "not an index of assay", e);
    memcpy(h, r->map.at, sizeof *h);
    if (h->version != VERSION)
        return FAIL(e, ERR_FORMAT, "%s: version %u of the index file, this program reads %d",
                    r->path, h->version, VERSION);
    memcpy(&crc, r->map.at + size - sizeof crc, sizeof crc);
    if (crc != crc32_of(0, r->map.at, size - sizeof crc))
        return damaged(r->path, "damaged: its checksum does not fit", e);
    if (h->spec_bytes > SPEC_MAX || sizeof *h + h->spec_bytes > size - sizeof crc || h->metric >= METRIC_COUNT)
        return damaged(r->path, "damaged header", e);
    memcpy(spec, r->map.at + sizeof *h, h->spec_bytes);
    spec[h->spec_bytes] = 0;
    r->at = sizeof *h + h->spec_bytes;
    r->at += -r->at % ALIGN;
    r->end = size - sizeof crc;
    r->rows = h->rows;
    return r->at <= r->end ? ERR_OK : damaged(r->path, "damaged header", e);
}

/* Copies the caller's note, the last section, where the file has one. */
static int load_note(struct index_reader *r, struct index_note *note, struct err *e)
{
    const void *bytes;
    if (r->at == r->end) return ERR_OK;
    const int status = index_read_any(r, "note", &bytes, &note->size, e);
    if (status != ERR_OK) return status;
    void *copy = mem_alloc(note->size, 1);
    if (!copy) return FAIL(e, ERR_MEM, "%s: no memory for a note of %zu bytes", r->path, note->size);
    note->bytes = memcpy(copy, bytes, note->size);
    return ERR_OK;
}

/* Before anything is made of it: a spec from a file must not have another file read, or a library opened. */
static int check_spec(const char *path, const char *spec, struct err *e)
{
    const struct index_ops *ops;
    struct params *params;
    int status = index_parse(spec, &ops, &params, e);
    if (status != ERR_OK) return status;
    if (!ops->load) status = FAIL(e, ERR_FORMAT, "%s: a %s cannot be loaded", path, ops->name);
    for (const struct param *p = ops->params; status == ERR_OK && p && p->name; p++)
        if (p->type == PARAM_TEXT && *params_text(params, p->name))
            status = FAIL(e, ERR_FORMAT, "%s: its %s wants another file: %s=%s", path, ops->name, p->name,
                          params_text(params, p->name));
    params_destroy(params);
    return status;
}

static int load_frame(struct index **out, struct index_reader *r, const struct index_config *config,
                      struct index_note *note, struct err *e)
{
    struct header h;
    char spec[SPEC_MAX + 1];
    int status = check_frame(r, &h, spec, e);
    if (status != ERR_OK) return status;
    struct index_config c = config ? *config : (struct index_config){ .threads = 1 };
    c.dim = (size_t)h.dim;
    c.metric = (enum metric)h.metric;
    c.seed = h.seed;
    struct index *ix;
    status = check_spec(r->path, spec, e);
    if (status == ERR_OK) status = index_create(&ix, spec, &c, e);
    if (status == ERR_ARG) return err_context(e, ERR_FORMAT, "%s", r->path);
    if (status != ERR_OK) return status;
    ix->is_mapped = r->maps;
    status = ix->ops->load(ix, r, e);
    if (status == ERR_OK) status = load_note(r, note, e);
    if (status == ERR_OK && r->at != r->end) status = damaged(r->path, "bytes left over behind the last section", e);
    struct index_stats stats;
    if (status == ERR_OK) {
        ix->ops->stats(ix, &stats);
        if (stats.rows != h.rows)
            status =
                damaged(r->path, "its sections hold another number of rows than its header", e);
    }
    if (status != ERR_OK) {
        index_destroy(ix);
        return status;
    }
    note->fingerprint = h.fingerprint;
    *out = ix;
    return ERR_OK;
}

static int open_file(struct index **out, const char *path, int maps, const struct index_config *config,
                     struct index_note *note, struct err *e)
{
    struct index_reader r = { .path = path, .maps = maps };
    struct index_note got = { 0 };
    unsigned char *bytes = NULL;
    int status = maps ? mem_map_open(&r.map, path, e) : mem_read_file(&bytes, &r.map.size, path, e);
    if (status != ERR_OK) return status;
    if (!maps) r.map.at = bytes;
    status = load_frame(out, &r, config, &got, e);
    if (status == ERR_OK && maps) (*out)->map = r.map;
    else if (maps) mem_map_close(&r.map);
    mem_free(bytes);
    if (status == ERR_OK) *note = got;
    else mem_free((void *)(uintptr_t)got.bytes);
    return status;
}

static int open_unnoted(struct index **out, const char *path, int maps, const struct index_config *config,
                        uint64_t *fingerprint, struct err *e)
{
    struct index_note note = { 0 };
    const int status = open_file(out, path, maps, config, &note, e);
    if (status == ERR_OK && fingerprint) *fingerprint = note.fingerprint;
    mem_free((void *)(uintptr_t)note.bytes);
    return status;
}

int index_load_noted(struct index **out, const char *path, const struct index_config *config, struct index_note *note,
                     struct err *e)
{
    return open_file(out, path, 0, config, note, e);
}

int index_load(struct index **out, const char *path, const struct index_config *config, uint64_t *fingerprint,
               struct err *e)
{
    return open_unnoted(out, path, 0, config, fingerprint, e);
}

int index_map(struct index **out, const char *path, const struct index_config *config, uint64_t *fingerprint,
              struct err *e)
{
    return open_unnoted(out, path, 1, config, fingerprint, e);
}
