/* SPDX-License-Identifier: MIT
 * embed_rp.c - a linear text feature: tf-idf times a seeded Gaussian projection (lexicon.h), from the
 * words that the knowledge base was built with (side tables assay_terms and assay_meta).  It needs no
 * model and is the same on every machine; it knows words, not meanings.
 *
 * Document counts are looked up as words come: reading all of WordNet's 98,096 words at open took
 * longer than a thousand queries save. */
#include "kernels/base/mem.h"
#include "pipeline/lexicon.h"
#include "pipeline/stage.h"
#include <sqlite3.h>
#include <string.h>

struct rp {
    struct store *store;
    sqlite3_stmt *find;
    struct lexicon_meta meta; /* dim 0: the base has no words */
    float *scratch;           /* meta.dim */
};

static void destroy(void *self)
{
    struct rp *rp = self;
    if (!rp) return;
    sqlite3_finalize(rp->find);
    mem_free(rp->scratch);
    mem_free(rp);
}

static int create(void **self, struct stage_env *env, struct err *e)
{
    struct rp *rp = mem_zero(1, sizeof *rp);
    if (!rp) return FAIL(e, ERR_MEM, "rp: no memory");
    rp->store = env->store;
    *self = rp;
    return ERR_OK;
}

/* A base without words is no error here: its queries may all come as vectors. */
static int refresh(void *self, const struct kb *kb, struct err *e)
{
    (void)kb;
    struct rp *rp = self;
    sqlite3 *db = store_handle(rp->store);
    rp->meta = lexicon_meta_of(rp->store);
    if (!rp->meta.dim) return ERR_OK;
    rp->scratch = mem_alloc(rp->meta.dim, sizeof *rp->scratch);
    if (!rp->scratch) return FAIL(e, ERR_MEM, "rp: no memory");
    const int rc = sqlite3_prepare_v3(db, "SELECT documents FROM assay_terms WHERE term = ?", -1, SQLITE_PREPARE_PERSISTENT,
                                      &rp->find, NULL);
    if (rc == SQLITE_OK) return ERR_OK;
    return FAIL(e, rc == SQLITE_NOMEM ? ERR_MEM : ERR_FORMAT, "%s: assay_terms: %s", store_path(rp->store), sqlite3_errmsg(db));
}

static uint64_t count_of(void *context, const char *word, int *status)
{
    const struct rp *rp = context;
    uint64_t documents = 0;
    sqlite3_bind_text(rp->find, 1, word, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(rp->find);
    if (rc == SQLITE_ROW) documents = (uint64_t)sqlite3_column_int64(rp->find, 0);
    else if (rc != SQLITE_DONE) *status = (rc & 0xff) == SQLITE_BUSY ? ERR_BUSY : ERR_IO;
    sqlite3_reset(rp->find);
    return documents;
}

static int known(void *self, const char *text, size_t *count, struct err *e)
{
    struct rp *rp = self;
    char word[WORD_ROOM];
    int status = ERR_OK;
    for (size_t size; status == ERR_OK && rp->find && (size = word_next(&text, word)) > 0;)
        *count += count_of(rp, word, &status) > 0;
    return status == ERR_OK ? status : FAIL(e, status, "%s: assay_terms", store_path(rp->store));
}

static int run(void *self, struct query *q, struct err *e)
{
    struct rp *rp = self;
    const char *path = store_path(rp->store);
    if (!rp->meta.dim) {
        const char *by = store_embedder(rp->store);
        return FAIL(e, ERR_NOT_FOUND, "embed=rp: %s was not embedded by rp (no table assay_terms); ask with a vector, by "
                    "retrieve=bm25, or %s%s", path, by ? "choose embed=" : "choose another embedder", by ? by : "");
    }
    if (rp->meta.dim != q->kb->vectors.rows.dim)
        return FAIL(e, ERR_FORMAT, "embed=rp: %s has words of dimension %zu but vectors of %zu", path, rp->meta.dim,
                    q->kb->vectors.rows.dim);
    if (!q->text) return FAIL(e, ERR_ARG, "embed=rp: the query has no text");
    const int status =
        text_project(q->text, rp->meta.dim, rp->meta.seed, rp->meta.documents, count_of, rp, rp->scratch, q->vector);
    if (status != ERR_OK) return FAIL(e, status, "%s: assay_terms: %s", path, sqlite3_errmsg(store_handle(rp->store)));
    return ERR_OK;
}

const struct stage_ops embed_rp = {
    .name = "rp",
    .slot = SLOT_EMBED,
    .summary = "tf-idf times a Gaussian projection, from the words of the knowledge base",
    .create = create,
    .refresh = refresh,
    .run = run,
    .known = known,
    .destroy = destroy,
};
