/* SPDX-License-Identifier: MIT
 * fuzz_qrels.c - judgements, as people keep them.
 *
 * reader: datasets/qrels.c
 * planted: datasets/qrels.c s/fields < 2 || fields > FIELDS_MOST/fields < 2/
 */
#define _GNU_SOURCE /* memmem */
#include "datasets/qrels.h"
#include "kernels/base/fuzz.h"
#include "kernels/base/fuzz_files.h"

static int is_document(void *context, const char *id)
{
    (void)context;
    return id[0] == 'd';
}

struct seen { size_t line, count; };

/* Lines come in order, and nothing is empty. */
static int take(void *context, const struct judgement *j, struct err *e)
{
    struct seen *s = context;
    if (!*j->query || !*j->document || j->line < s->line) abort();
    s->line = j->line;
    s->count++;
    return j->grade == 77 ? FAIL(e, ERR_ARG, "stopped") : ERR_OK;
}

static int run(const uint8_t *bytes, size_t size)
{
    struct seen seen = { 0 };
    struct err e = { 0 };
    size_t repeated;
    const size_t columns = size ? bytes[0] % 4 : 0; /* the first byte says which columns the caller gives */
    static const char *const given[] = { NULL, NULL, "query-id,corpus-id,score", "qid,nothing" };
    const struct qrels_reader r = { .is_document = is_document, .each = take, .context = &seen, .columns = given[columns] };
    const char *path = fuzz_put("qrels.txt", bytes + (size > 0), size - (size > 0));
    const int status = qrels_read(path, &r, &repeated, &e);
    if (status != ERR_OK && !*e.text) abort();
    return status == ERR_OK && seen.count == 0 ? -1 : 0;
}

const struct fuzz_target fuzz_qrels = { .summary = "qrels: a byte for the columns, then a file", .run = run, .longest = 1024 };
