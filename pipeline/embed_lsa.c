/* SPDX-License-Identifier: MIT
 * embed_lsa.c - latent semantic analysis (lsa.h) with the rows that the knowledge base was built with
 * (side table assay_lsa); a linear text feature, like rp, but one that has seen which words come
 * together.  Building needs LAPACK, asking does not. */
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include "pipeline/lexicon.h"
#include "pipeline/stage.h"
#include <sqlite3.h>
#include <string.h>

struct lsa_rows {
    struct store *store;
    sqlite3_stmt *find; /* NULL: the base has no rows */
    size_t dim;
    float *row; /* dim */
};

static void destroy(void *self)
{
    struct lsa_rows *l = self;
    if (!l) return;
    sqlite3_finalize(l->find);
    mem_free(l->row);
    mem_free(l);
}

static int create(void **self, struct stage_env *env, struct err *e)
{
    struct lsa_rows *l = mem_zero(1, sizeof *l);
    if (!l) return FAIL(e, ERR_MEM, "lsa: no memory");
    l->store = env->store;
    *self = l;
    return ERR_OK;
}

/* A base without rows is no error here: its queries may all come as vectors. */
static int refresh(void *self, const struct kb *kb, struct err *e)
{
    struct lsa_rows *l = self;
    l->dim = kb->vectors.rows.dim;
    l->row = mem_alloc(l->dim, sizeof *l->row);
    (void)sqlite3_prepare_v3(store_handle(l->store), "SELECT row FROM assay_lsa WHERE term = ?", -1,
                             SQLITE_PREPARE_PERSISTENT, &l->find, NULL);
    return l->row ? ERR_OK : FAIL(e, ERR_MEM, "lsa: no memory");
}

static const float *row_of(void *context, const char *word, size_t size, float *weight, int *status)
{
    struct lsa_rows *l = context;
    const float *row = NULL;
    sqlite3_bind_text(l->find, 1, word, (int)size, SQLITE_STATIC);
    const int rc = sqlite3_step(l->find);
    if (rc == SQLITE_ROW && (size_t)sqlite3_column_bytes(l->find, 0) == l->dim * sizeof *l->row) {
        memcpy(l->row, sqlite3_column_blob(l->find, 0), l->dim * sizeof *l->row);
        row = l->row;
        *weight = 1; /* idf is in the row */
    } else if (rc != SQLITE_DONE) {
        *status = rc == SQLITE_ROW ? ERR_FORMAT : (rc & 0xff) == SQLITE_BUSY ? ERR_BUSY : ERR_IO;
    }
    sqlite3_reset(l->find);
    return row;
}

static int known(void *self, const char *text, size_t *count, struct err *e)
{
    struct lsa_rows *l = self;
    char word[WORD_ROOM];
    int status = ERR_OK;
    float weight;
    for (size_t size; status == ERR_OK && l->find && (size = word_next(&text, word)) > 0;)
        *count += row_of(l, word, size, &weight, &status) != NULL;
    return status == ERR_OK ? status : FAIL(e, status, "%s: assay_lsa", store_path(l->store));
}

static int run(void *self, struct query *q, struct err *e)
{
    struct lsa_rows *l = self;
    const char *path = store_path(l->store);
    if (!l->find) {
        const char *by = store_embedder(l->store);
        return FAIL(e, ERR_NOT_FOUND, "embed=lsa: %s was not embedded by lsa (no table assay_lsa); ask with a vector, by "
                    "retrieve=bm25, or %s%s", path, by ? "choose embed=" : "choose another embedder", by ? by : "");
    }
    if (!q->text) return FAIL(e, ERR_ARG, "embed=lsa: the query has no text");
    const int status = text_sum(q->text, l->dim, row_of, l, q->vector);
    if (status == ERR_FORMAT) return FAIL(e, status, "embed=lsa: %s has rows of another size than its vectors' %zu", path, l->dim);
    if (status != ERR_OK) return FAIL(e, status, "%s: assay_lsa: %s", path, sqlite3_errmsg(store_handle(l->store)));
    return ERR_OK;
}

const struct stage_ops embed_lsa = {
    .name = "lsa",
    .slot = SLOT_EMBED,
    .summary = "latent semantic analysis: tf-idf times singular vectors of the base's own texts",
    .create = create,
    .refresh = refresh,
    .run = run,
    .known = known,
    .destroy = destroy,
};
