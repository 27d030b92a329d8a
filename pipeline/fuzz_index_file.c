/* SPDX-License-Identifier: MIT
 * fuzz_index_file.c - the index beside a base, whoever wrote it: the checksum is redone, and the fingerprint unless the
 * first byte says that the file is of an earlier state, so that what is inside is read.  All rows of so small a base are
 * made again (side.h): the answers must be those of an index of ours.
 *
 * reader: index/persist.c pipeline/cache.c
 * planted: index/persist.c s#if (s.bytes > left .*#if (s.bytes == UINT64_MAX)#
 */
#include "kernels/base/fuzz.h"
#include "kernels/base/mem.h"
#include "pipeline/cache.h"
#include "pipeline/check_kb.h"
#include "pipeline/stage.h"

enum { ROWS = 9, DIM = 4, VERSION_END = 12, FINGERPRINT_AT = 48 };

static const float rows[ROWS][DIM] = { { 1, 0, 0, 0 }, { 0, 1, 0, 0 }, { 0.6f, 0.8f, 0, 0 }, { 0, 0, 1, 1 }, { 1, 1, 1, 1 }, { 0, 0, 0, 2 },
                                      { 0, 3, 0, 1 }, { -1, 0, 0, 0 }, { 0, 0, -1, 1 } };
static const char *const kinds[] = { "index=flat", "index=turboquant bit_width=2", "index=sq", "index=turboquant:layout=split,bits=3",
                                     "index=ivf:nlist=2", "index=pq:m=2" };
enum { KINDS = sizeof kinds / sizeof *kinds, EXACT = 4 }; /* what the others learn is believed */

static struct hit best[KINDS][ROWS];
static uint64_t fingerprint;
static uint8_t magic_and_version[VERSION_END];

static void ask(struct pipeline *p, struct hit out[ROWS])
{
    struct answer a;
    if (!p || kb_ask(p, rows[4], DIM, ROWS, &a) != ERR_OK) abort(); /* it can always be made again */
    memset(out, 0, ROWS * sizeof *out);
    for (size_t i = 0; i < a.candidate_count && i < ROWS; i++) out[i].id = a.candidates[i].id, out[i].score = a.candidates[i].score;
}

/* Puts a file beside the base, its head and end made such that it is read on; what became of it. */
static enum cache_source ask_beside(unsigned k, int earlier, const uint8_t *bytes, size_t size, struct hit out[ROWS])
{
    uint8_t *copy = malloc(size);
    if (!copy) abort();
    memcpy(copy, bytes, size);
    memcpy(copy, magic_and_version, sizeof magic_and_version);
    if (!earlier && size >= FINGERPRINT_AT + sizeof fingerprint + 4) memcpy(copy + FINGERPRINT_AT, &fingerprint, sizeof fingerprint);
    const uint32_t crc = crc32_of(0, copy, size - 4);
    memcpy(copy + size - 4, &crc, sizeof crc);
    FILE *f = fopen(kb_path("i.db.assay"), "wb");
    if (!f || fwrite(copy, 1, size, f) != size || fclose(f) != 0) abort();
    free(copy);
    struct pipeline *p = kb_pipeline("i.db", kinds[k]);
    ask(p, out);
    const enum cache_source source = pipeline_cache(p)->source;
    pipeline_close(p);
    return source;
}

static void make_base(void)
{
    kb_make("i.db", ROWS, DIM, rows[0], NULL);
    for (unsigned k = 0; k < KINDS; k++) {
        struct hit got[ROWS];
        uint8_t *own = NULL;
        size_t size = 0;
        struct pipeline *p = kb_pipeline("i.db", kinds[k]);
        ask(p, best[k]);
        fingerprint = pipeline_kb(p)->fingerprint;
        pipeline_close(p);
        if (mem_read_file(&own, &size, kb_path("i.db.assay"), NULL) != ERR_OK || size < 64) abort();
        memcpy(magic_and_version, own, sizeof magic_and_version);
        if (ask_beside(k, 0, own, size, got) != CACHE_LOADED) abort(); /* else nothing would be read on */
        mem_free(own);
    }
}

static int run(const uint8_t *bytes, size_t size)
{
    struct hit got[ROWS];
    if (kb_memory_folder()) make_base();
    if (size < 64) return -1;
    const unsigned k = bytes[0] % KINDS;
    const int earlier = bytes[0] / KINDS % 2; /* and says by its note of what rows */
    (void)ask_beside(k, earlier, bytes + 1, size - 1, got);
    if (k < EXACT && memcmp(got, best[k], sizeof got) != 0) abort(); /* a forged one was believed */
    return 0;
}

const struct fuzz_target fuzz_index_file = { .summary = "a foreign .assay", .run = run, .longest = 8192 };
