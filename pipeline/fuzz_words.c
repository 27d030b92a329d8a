/* SPDX-License-Identifier: MIT
 * fuzz_words.c - the file beside a base that holds its words (bm25.h), whoever wrote it: the checksum and the hash of the
 * texts are redone, so that what is inside is read.
 *
 * reader: pipeline/bm25.c
 * planted: pipeline/bm25.c s/bad |= w->document\[p\] >= h->documents || /bad |= /
 */
#include "kernels/base/fuzz.h"
#include "pipeline/check_kb.h"

/* What bm25.c writes; a test of its own would notice another layout, because nothing would be loaded. */
struct header {
    char magic[8];
    uint32_t version, crc;
    uint64_t fingerprint, documents, terms, postings, name_bytes;
};

static const float rows[3][2] = { { 1, 0 }, { 0, 1 }, { 0.6f, 0.8f } };

static struct header as_written; /* of the base's own file */

static void make_base(void)
{
    kb_make("w.db", 3, 2, rows[0], NULL);
    kb_sql("w.db", "UPDATE kg_entities SET properties = '{\"text\":\"alpha beta alpha\"}' WHERE id = 2");
    struct answer a;
    struct pipeline *p = kb_pipeline("w.db", "retrieve=bm25");
    if (!p || kb_ask(p, rows[0], 2, 2, &a) != ERR_OK) abort();
    pipeline_close(p);
    FILE *f = fopen(kb_path("w.db.assay-words"), "rb");
    if (!f || fread(&as_written, sizeof as_written, 1, f) != 1) abort();
    fclose(f);
}

static int run(const uint8_t *bytes, size_t size)
{
    if (kb_memory_folder()) make_base();
    struct header h;
    if (size < sizeof h) return -1;
    memcpy(&h, bytes, sizeof h);
    h.fingerprint = as_written.fingerprint;
    h.crc = crc32_of(0, bytes + sizeof h, size - sizeof h);
    FILE *f = fopen(kb_path("w.db.assay-words"), "wb");
    if (!f) abort();
    fwrite(&h, sizeof h, 1, f);
    fwrite(bytes + sizeof h, 1, size - sizeof h, f);
    fclose(f);
    struct pipeline *p = kb_pipeline("w.db", "retrieve=bm25");
    struct answer a;
    const struct question q = { .text = "alpha entity 1 2 3 none", .vector = rows[0], .dim = 2 };
    if (!p || pipeline_query(p, &q, 3, &a, &kb_err) != ERR_OK) abort(); /* it can always be made again */
    pipeline_close(p);
    return 0;
}

const struct fuzz_target fuzz_words = { .summary = "a foreign .assay-words", .run = run, .longest = 2048 };
