/* SPDX-License-Identifier: MIT
 * kb_files.c - the questions beside a base: texts, vectors, ids, labels. */
#include "bench/kb/kb_files.h"
#include "kernels/base/text.h"
#include "pipeline/store.h"
#include <stdlib.h>
#include <string.h>

enum { TEXTS, VECTORS, IDS, QRELS };
static const struct { const char *stem, *suffix; } names[KB_FILES] = {
    [TEXTS] = { "queries", ".jsonl" }, [VECTORS] = { "query", ".fvecs" }, [IDS] = { "query", ".ids.txt" },
    [QRELS] = { "qrels", ".txt" },
};

static struct kb_split *find_split(struct kb_files *f, const char *name, struct err *e)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->splits[i].name, name) == 0) return &f->splits[i];
    if (f->count == KB_SPLITS_MAX) {
        (void)FAIL(e, ERR_FORMAT, "%s: more than %d splits of queries ('%s')", f->what, KB_SPLITS_MAX, name);
        return NULL;
    }
    struct kb_split *s = &f->splits[f->count];
    *s = (struct kb_split){ .name = strdup(name) };
    if (s->name) f->count++;
    else (void)FAIL(e, ERR_MEM, "%s: no memory", f->what);
    return s->name ? s : NULL;
}

static int open_file(const struct kb_files *f, struct kb_split *s, int which, struct err *e)
{
    struct text path = { 0 };
    if (s->files[which].to) return ERR_OK;
    text_add(&path, "%s/%s%s%s%s", f->folder, names[which].stem, *s->name ? "." : "", s->name, names[which].suffix);
    const int status = path.failed ? FAIL(e, ERR_MEM, "%s: no memory", f->what)
                                   : whole_file_open_new(&s->files[which], text_of(&path), e);
    text_free(&path);
    return status == ERR_OK ? status : err_context(e, status, "queries go beside the base");
}

static int write_text(const struct kb_files *f, struct kb_split *s, const struct kb_question *q, struct err *e)
{
    struct text line = { 0 };
    int status = open_file(f, s, TEXTS, e);
    text_add(&line, "{\"_id\": ");
    text_add_json(&line, q->id);
    text_add(&line, ", \"text\": ");
    text_add_json(&line, q->text);
    text_add(&line, "}\n");
    if (status == ERR_OK && line.failed) status = FAIL(e, ERR_MEM, "%s: no memory", f->what);
    if (status == ERR_OK) fputs(text_of(&line), s->files[TEXTS].to);
    text_free(&line);
    return status;
}

static int write_vector(const struct kb_files *f, struct kb_split *s, const struct kb_question *q, struct err *e)
{
    const int32_t head = (int32_t)q->dim;
    int64_t row;
    int status = open_file(f, s, VECTORS, e);
    if (status == ERR_OK) status = open_file(f, s, IDS, e);
    if (status != ERR_OK) return status;
    fwrite(&head, sizeof head, 1, s->files[VECTORS].to);
    fwrite(q->x, sizeof *q->x, q->dim, s->files[VECTORS].to);
    fprintf(s->files[IDS].to, "%s\n", q->id);
    s->named |= !text_is_i64(q->id, &row) || row != (int64_t)s->vectors;
    s->vectors++;
    return ERR_OK;
}

static int write_labels(const struct kb_files *f, struct kb_split *s, const struct kb_question *q, struct tally *notes,
                        struct err *e)
{
    struct text id = { 0 };
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < q->relevant_count; i++) {
        const struct kb_label *l = &q->relevant[i];
        if (l->absent && l->grade > 0)
            status = tally_add(notes, f->drop ? "labels of documents that are not there, dropped"
                                              : "labels of documents that are not there, kept: relevant and never found",
                               1, l->absent, e);
        if (status != ERR_OK || (l->absent && f->drop)) continue;
        text_clear(&id);
        if (l->absent) text_add(&id, "%s", l->absent);
        else status = store_id_of(f->store, l->id, &id, e);
        if (status == ERR_OK && id.failed) status = FAIL(e, ERR_MEM, "%s: no memory", f->what);
        if (status == ERR_OK && id_fault(text_of(&id), id.size))
            status = FAIL(e, ERR_ARG, "%s: the id '%.80s': %s", f->what, text_of(&id), id_fault(text_of(&id), id.size));
        if (status == ERR_OK) status = open_file(f, s, QRELS, e);
        if (status == ERR_OK) fprintf(s->files[QRELS].to, "%s\t0\t%s\t%d\n", q->id, text_of(&id), l->grade);
    }
    text_free(&id);
    return status;
}

static int is_zero(const float *x, size_t dim)
{
    size_t i = 0;
    while (i < dim && x[i] == 0) i++;
    return i == dim;
}

int kb_files_add(struct kb_files *f, const struct kb_question *q, struct tally *notes, int *written, struct err *e)
{
    const int mute = !q->x && (!q->text || !*q->text);
    int status = ERR_OK;
    *written = !(mute && f->drop);
    if (mute)
        status = tally_add(notes, f->drop ? "questions without a text, dropped"
                                          : "questions without a text, kept: nothing is found for them", 1, q->id, e);
    if (status == ERR_OK && q->x && is_zero(q->x, q->dim))
        status = tally_add(notes, "questions that are vectors of zeros", 1, q->id, e);
    if (status != ERR_OK || !*written) return status;
    struct kb_split *s = find_split(f, q->split ? q->split : "", e);
    if (!s) return e ? e->code : ERR_MEM;
    if (q->text) status = write_text(f, s, q, e);
    if (status == ERR_OK && q->x) status = write_vector(f, s, q, e);
    return status == ERR_OK ? write_labels(f, s, q, notes, e) : status;
}

int kb_files_publish(struct kb_files *f, char *published[KB_SPLITS_MAX * KB_FILES], size_t *count, struct err *e)
{
    int status = ERR_OK;
    *count = 0;
    for (size_t i = 0; status == ERR_OK && i < f->count * KB_FILES; i++) {
        struct kb_split *s = &f->splits[i / KB_FILES];
        struct whole_file *file = &s->files[i % KB_FILES];
        if (i % KB_FILES == IDS && !s->named) whole_file_abandon(file);
        if (!file->to) continue;
        char *path = strdup(file->path);
        status = path ? whole_file_commit(file, e) : FAIL(e, ERR_MEM, "%s: no memory", file->path);
        if (status == ERR_OK) published[(*count)++] = path;
        else free(path);
    }
    return status;
}

void kb_files_close(struct kb_files *f)
{
    for (size_t i = 0; i < f->count; i++) {
        for (int j = 0; j < KB_FILES; j++) whole_file_abandon(&f->splits[i].files[j]);
        free(f->splits[i].name);
    }
    f->count = 0;
}
