/* SPDX-License-Identifier: MIT
 * lsa.c - fits singular vectors of the tf-idf matrix by subspace iteration, over its sparse rows and columns. */
#include "pipeline/lsa.h"
#include "kernels/base/mem.h"
#include "kernels/base/parallel.h"
#include "kernels/base/rng.h"
#include "pipeline/store.h"
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* OVERSAMPLE columns more than asked and POWER iterations: Halko et al., section 4.5. */
enum { OVERSAMPLE = 16, POWER = 2, ROWS_CHUNK = 256 };

/* Texts x words, sparse by row, and by column for the transpose. */
struct sparse { size_t *start; uint32_t *at; float *value; };

struct fit {
    const struct lexicon *words;
    const char *const *texts;
    size_t text_count, word_count, width; /* width: dim + OVERSAMPLE, cut to both counts */
    struct sparse by_text, by_word;
    float *left;  /* text_count x width */
    float *right; /* word_count x width */
    int threads;
};

/* to[i] = sum over row i of value x from[at]: one row of a sparse matrix times a dense one. */
struct product { const struct sparse *m; const float *from; float *to; size_t width; };

static void multiply_some(void *context, int thread, size_t from, size_t to)
{
    const struct product *p = context;
    (void)thread;
    for (size_t i = from; i < to; i++) {
        float *out = p->to + i * p->width;
        memset(out, 0, p->width * sizeof *out);
        for (size_t k = p->m->start[i]; k < p->m->start[i + 1]; k++) {
            const float *row = p->from + (size_t)p->m->at[k] * p->width;
            const float value = p->m->value[k];
            for (size_t c = 0; c < p->width; c++) out[c] += value * row[c];
        }
    }
}

static void multiply(const struct fit *f, const struct sparse *m, size_t rows, const float *from, float *to)
{
    struct product p = { m, from, to, f->width };
    parallel_for(f->threads, rows, ROWS_CHUNK, multiply_some, &p);
}

/* Columns of `right` made orthonormal. */
static int orthonormalise(struct fit *f, struct err *e)
{
    const lapack_int rows = (lapack_int)f->word_count, columns = (lapack_int)f->width;
    float *tau = mem_alloc(f->width, sizeof *tau);
    if (!tau) return FAIL(e, ERR_MEM, "lsa: no memory");
    int bad = LAPACKE_sgeqrf(LAPACK_ROW_MAJOR, rows, columns, f->right, columns, tau);
    if (!bad) bad = LAPACKE_sorgqr(LAPACK_ROW_MAJOR, rows, columns, columns, f->right, columns, tau);
    mem_free(tau);
    return bad ? FAIL(e, ERR_MEM, "lsa: QR of %zu x %zu failed (%d)", f->word_count, f->width, bad) : ERR_OK;
}

static void sparse_free(struct sparse *m)
{
    mem_free(m->start);
    mem_free(m->at);
    mem_free(m->value);
}

static int sparse_make(struct sparse *m, size_t rows, size_t entries)
{
    m->start = mem_zero(rows + 1, sizeof *m->start);
    m->at = mem_alloc(entries, sizeof *m->at);
    m->value = mem_alloc(entries, sizeof *m->value);
    return m->start && m->at && m->value;
}

/* tf-idf rows of unit length; a word that comes twice in a text has two entries, which add up. */
static int fill_by_text(struct fit *f, struct err *e)
{
    char word[WORD_ROOM];
    size_t entries = 0;
    for (size_t i = 0; i < f->text_count; i++)
        for (const char *at = f->texts[i]; word_next(&at, word) > 0;) entries++;
    if (!sparse_make(&f->by_text, f->text_count, entries) || !sparse_make(&f->by_word, f->word_count, entries))
        return FAIL(e, ERR_MEM, "lsa: no memory for %zu words of text", entries);
    struct sparse *m = &f->by_text;
    size_t n = 0;
    for (size_t i = 0; i < f->text_count; i++) {
        for (const char *at = f->texts[i]; word_next(&at, word) > 0; n++) {
            uint32_t with_word;
            m->at[n] = (uint32_t)lexicon_number(f->words, word);
            (void)lexicon_word(f->words, m->at[n], &with_word);
            m->value[n] = (float)word_idf(lexicon_documents(f->words), with_word);
        }
        m->start[i + 1] = n;
        double square = 0;
        for (size_t k = m->start[i]; k < n; k++)
            for (size_t j = m->start[i]; j < n; j++)
                if (m->at[k] == m->at[j]) square += (double)m->value[k] * m->value[j];
        const double scale = square > 0 ? 1 / sqrt(square) : 0; /* words that are everywhere weigh nothing */
        for (size_t k = m->start[i]; k < n; k++) m->value[k] = (float)(m->value[k] * scale);
    }
    return ERR_OK;
}

static void transpose(struct fit *f)
{
    const size_t entries = f->by_text.start[f->text_count];
    struct sparse *m = &f->by_word;
    for (size_t k = 0; k < entries; k++) m->start[f->by_text.at[k] + 1]++;
    for (size_t w = 0; w < f->word_count; w++) m->start[w + 1] += m->start[w];
    for (size_t i = 0; i < f->text_count; i++)
        for (size_t k = f->by_text.start[i]; k < f->by_text.start[i + 1]; k++) {
            const size_t to = m->start[f->by_text.at[k]]++; /* start moves to the row's end ... */
            m->at[to] = (uint32_t)i;
            m->value[to] = f->by_text.value[k];
        }
    memmove(m->start + 1, m->start, f->word_count * sizeof *m->start); /* ... and back */
    m->start[0] = 0;
}

/* right <- an orthonormal basis of where the rows of the matrix mostly lie. */
static int find_range(struct fit *f, uint64_t seed, struct err *e)
{
    struct rng r;
    rng_seed(&r, seed, 0);
    rng_normal(&r, f->left, f->text_count * f->width);
    int status = ERR_OK;
    for (int i = 0; status == ERR_OK && i <= POWER; i++) {
        if (i > 0) multiply(f, &f->by_text, f->text_count, f->right, f->left);
        multiply(f, &f->by_word, f->word_count, f->left, f->right);
        status = orthonormalise(f, e);
    }
    return status;
}

/* rows = idf x (right x the first dim eigenvectors of (A right)' (A right)). */
static int rotate(struct fit *f, struct lsa *out, struct err *e)
{
    const size_t w = f->width;
    float *gram = mem_alloc(w * w, sizeof *gram), *values = mem_alloc(w, sizeof *values);
    float *first = mem_alloc(w * out->dim, sizeof *first);
    int status = gram && values && first ? ERR_OK : FAIL(e, ERR_MEM, "lsa: no memory");
    if (status == ERR_OK) {
        multiply(f, &f->by_text, f->text_count, f->right, f->left);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)w, (int)w, (int)f->text_count, 1, f->left, (int)w,
                    f->left, (int)w, 0, gram, (int)w);
        if (LAPACKE_ssyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)w, gram, (lapack_int)w, values) != 0)
            status = FAIL(e, ERR_MEM, "lsa: eigenvectors of %zu x %zu failed", w, w);
    }
    if (status == ERR_OK) { /* ascending: the last columns are the first vectors */
        for (size_t i = 0; i < w; i++)
            for (size_t c = 0; c < out->dim; c++) first[i * out->dim + c] = gram[i * w + (w - 1 - c)];
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)f->word_count, (int)out->dim, (int)w, 1, f->right,
                    (int)w, first, (int)out->dim, 0, out->rows, (int)out->dim);
        for (size_t i = 0; i < f->word_count; i++) {
            uint32_t with_word;
            (void)lexicon_word(f->words, i, &with_word);
            cblas_sscal((int)out->dim, (float)word_idf(lexicon_documents(f->words), with_word), out->rows + i * out->dim, 1);
        }
    }
    mem_free(gram);
    mem_free(values);
    mem_free(first);
    return status;
}

int lsa_fit(struct lsa *out, const struct lexicon *words, const char *const *texts, size_t text_count, size_t dim,
            uint64_t seed, int threads, struct err *e)
{
    struct fit f = { .words = words, .texts = texts, .text_count = text_count, .word_count = lexicon_words(words),
                     .threads = threads };
    const size_t most = text_count < f.word_count ? text_count : f.word_count;
    if (most == 0) return FAIL(e, ERR_ARG, "lsa: %zu texts with %zu words", text_count, f.word_count);
    struct lsa made = { .words = words, .dim = dim < most ? dim : most };
    f.width = made.dim + OVERSAMPLE < most ? made.dim + OVERSAMPLE : most;
    f.left = mem_alloc(text_count * f.width, sizeof *f.left);
    f.right = mem_alloc(f.word_count * f.width, sizeof *f.right);
    made.rows = mem_alloc(f.word_count * made.dim, sizeof *made.rows);
    int status = f.left && f.right && made.rows ? fill_by_text(&f, e) :
                 FAIL(e, ERR_MEM, "lsa: no memory for %zu texts and %zu words", text_count, f.word_count);
    if (status == ERR_OK) {
        transpose(&f);
        status = find_range(&f, seed, e);
    }
    if (status == ERR_OK) status = rotate(&f, &made, e);
    sparse_free(&f.by_text);
    sparse_free(&f.by_word);
    mem_free(f.left);
    mem_free(f.right);
    if (status == ERR_OK) *out = made;
    else lsa_free(&made);
    return status;
}

void lsa_free(struct lsa *l)
{
    mem_free(l->rows);
    *l = (struct lsa){ 0 };
}

static const float *row_of(void *context, const char *word, size_t size, float *weight, int *status)
{
    const struct lsa *l = context;
    const int64_t i = lexicon_number(l->words, word);
    (void)size;
    (void)status;
    *weight = 1; /* idf is in the row */
    return i < 0 ? NULL : l->rows + (size_t)i * l->dim;
}

void lsa_embed(const struct lsa *l, const char *text, float *out)
{
    (void)text_sum(text, l->dim, row_of, (void *)(uintptr_t)l, out);
}

static const char create_tables[] =
    "CREATE TABLE IF NOT EXISTS assay_meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS assay_lsa(term TEXT PRIMARY KEY, row BLOB NOT NULL);"
    "DELETE FROM assay_lsa;";

int lsa_save(const struct lsa *l, struct store *to, struct err *e)
{
    int status = store_begin(to, e);
    if (status != ERR_OK) return status;
    sqlite3 *db = store_handle(to);
    sqlite3_stmt *add = NULL;
    char meta[128];
    snprintf(meta, sizeof meta, "INSERT OR REPLACE INTO assay_meta VALUES ('lsa_dim', '%zu')", l->dim);
    int rc = sqlite3_exec(db, create_tables, NULL, NULL, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_exec(db, meta, NULL, NULL, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_prepare_v2(db, "INSERT INTO assay_lsa VALUES (?, ?)", -1, &add, NULL);
    for (size_t i = 0; rc == SQLITE_OK && i < lexicon_words(l->words); i++) {
        uint32_t ignored;
        sqlite3_bind_text(add, 1, lexicon_word(l->words, i, &ignored), -1, SQLITE_STATIC);
        sqlite3_bind_blob64(add, 2, l->rows + i * l->dim, l->dim * sizeof *l->rows, SQLITE_STATIC);
        sqlite3_step(add);
        rc = sqlite3_reset(add);
    }
    sqlite3_finalize(add);
    return rc == SQLITE_OK ? ERR_OK : FAIL(e, ERR_IO, "%s: assay_lsa: %s", store_path(to), sqlite3_errmsg(db));
}
