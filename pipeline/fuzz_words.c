/* SPDX-License-Identifier: MIT
 * fuzz_words.c - the file beside a base that holds its words (bm25.h), whoever wrote it: the checksum and the hash of the
 * texts are redone, so that what is inside is read.
 *
 * reader: pipeline/bm25.c
 * planted: pipeline/bm25.c s/bad |= w->document\[p\] >= h->documents || /bad |= /
 */
#include "kernels/base/fuzz.h"
#include "kernels/base/mem.h"
#include "pipeline/check_kb.h"

/* What bm25.c writes. */
struct header {
    char magic[8];
    uint32_t version, crc;
    uint64_t fingerprint, documents, terms, postings, name_bytes;
};

static const float rows[3][2] = { { 1, 0 }, { 0, 1 }, { 0.6f, 0.8f } };

static struct header as_written; /* of the base's own file */

/* Puts a file beside the base, its head made one that is read on; 1 when it was taken, and not made again. */
static int ask_beside(const uint8_t *bytes, size_t size)
{
    const struct question q = { .text = "alpha entity 1 2 3 none", .vector = rows[0], .dim = 2 };
    struct answer a;
    struct header h;
    struct stat before, after;
    memcpy(&h, bytes, sizeof h);
    memcpy(h.magic, as_written.magic, sizeof h.magic);
    h.version = as_written.version;
    h.fingerprint = as_written.fingerprint;
    h.crc = crc32_of(0, bytes + sizeof h, size - sizeof h);
    FILE *f = fopen(kb_path("w.db.assay-words"), "wb");
    if (!f || fwrite(&h, sizeof h, 1, f) != 1 || fwrite(bytes + sizeof h, 1, size - sizeof h, f) != size - sizeof h ||
        fstat(fileno(f), &before) != 0 || fclose(f) != 0)
        abort();
    struct pipeline *p = kb_pipeline("w.db", "retrieve=bm25");
    if (!p || pipeline_query(p, &q, 3, &a, &kb_err) != ERR_OK) abort(); /* it can always be made again */
    pipeline_close(p);
    return stat(kb_path("w.db.assay-words"), &after) == 0 && after.st_ino == before.st_ino;
}

static void make_base(void)
{
    uint8_t *own = NULL;
    size_t size = 0;
    struct answer a;
    kb_make("w.db", 3, 2, rows[0], NULL);
    kb_sql("w.db", "UPDATE kg_entities SET properties = '{\"text\":\"alpha beta alpha\"}' WHERE id = 2");
    struct pipeline *p = kb_pipeline("w.db", "retrieve=bm25");
    if (!p || kb_ask(p, rows[0], 2, 2, &a) != ERR_OK) abort();
    pipeline_close(p);
    if (mem_read_file(&own, &size, kb_path("w.db.assay-words"), NULL) != ERR_OK || size < sizeof as_written) abort();
    memcpy(&as_written, own, sizeof as_written);
    if (!ask_beside(own, size)) abort(); /* else nothing would be read on */
    mem_free(own);
}

static int run(const uint8_t *bytes, size_t size)
{
    if (kb_memory_folder()) make_base();
    if (size < sizeof(struct header)) return -1;
    (void)ask_beside(bytes, size);
    return 0;
}

const struct fuzz_target fuzz_words = { .summary = "a foreign .assay-words", .run = run, .longest = 2048 };
