/* SPDX-License-Identifier: MIT
 * rag_trec.c - answers and labels as TREC files. */
#include "bench/points/rag_trec.h"
#include "bench/rows/output.h"
#include "kernels/base/text.h"
#include "pipeline/store.h"
#include <math.h>
#include <string.h>

/* Appends an id, which the fields of these files must be able to hold. */
static int add_id(struct text *out, const char *path, const char *id, struct err *e)
{
    if (strpbrk(id, " \t\n\r\v\f")) return FAIL(e, ERR_ARG, "%s: the id '%.80s' holds a blank, which a TREC file cannot hold", path, id);
    text_add(out, "%s", id);
    return ERR_OK;
}

struct trec {
    const char *path;
    struct store *store; /* knows what entities are called */
    struct text out, id;
};

static int trec_open(struct trec *t, const char *path, const struct rag_set *s, struct err *e)
{
    *t = (struct trec){ .path = path };
    const int status = store_open(&t->store, s->db, STORE_READ, e);
    return status == ERR_OK ? store_read_begin(t->store, e) : status;
}

static int add_entity(struct trec *t, const struct rag_set *s, int64_t id, struct err *e)
{
    const char *absent = queries_absent(&s->queries, id);
    if (absent) return add_id(&t->out, t->path, absent, e);
    text_clear(&t->id);
    const int status = store_id_of(t->store, id, &t->id, e);
    return status == ERR_OK ? add_id(&t->out, t->path, text_of(&t->id), e) : status;
}

static int trec_close(struct trec *t, int status, struct err *e)
{
    if (status == ERR_OK && t->out.failed) status = FAIL(e, ERR_MEM, "%s: no memory", t->path);
    if (status == ERR_OK) status = output_write(t->path, &t->out, e);
    if (t->store) store_read_end(t->store);
    store_close(t->store);
    text_free(&t->out);
    text_free(&t->id);
    return status;
}

int rag_write_run(const char *path, const struct rag_set *s, const struct rag_arm *a, size_t *nudged, struct err *e)
{
    struct trec t;
    const size_t k = a->point.k;
    int status = trec_open(&t, path, s, e);
    *nudged = 0;
    for (size_t i = 0; i < s->queries.count; i++) {
        float before = INFINITY;
        for (size_t j = 0; status == ERR_OK && j < a->answer_count[i]; j++) {
            float score = (float)a->scores[i * k + j];
            if (!(score < before)) {
                score = nextafterf(before, -INFINITY);
                (*nudged)++;
            }
            before = score;
            status = add_id(&t.out, path, s->queries.names[i], e);
            text_add(&t.out, "\tQ0\t");
            if (status == ERR_OK) status = add_entity(&t, s, a->answers[i * k + j], e);
            text_add(&t.out, "\t%zu\t%.9g\tassay\n", j + 1, (double)score);
        }
    }
    return trec_close(&t, status, e);
}

int rag_write_qrels(const char *path, const struct rag_set *s, struct err *e)
{
    struct trec t;
    int status = trec_open(&t, path, s, e);
    for (size_t i = 0; i < s->queries.count; i++) {
        size_t count;
        const struct label *labels = queries_labels(&s->queries, i, &count);
        for (size_t j = 0; status == ERR_OK && j < count; j++) {
            status = add_id(&t.out, path, s->queries.names[i], e);
            text_add(&t.out, "\t0\t");
            if (status == ERR_OK) status = add_entity(&t, s, labels[j].id, e);
            text_add(&t.out, "\t%lld\n", (long long)labels[j].grade);
        }
    }
    return trec_close(&t, status, e);
}
