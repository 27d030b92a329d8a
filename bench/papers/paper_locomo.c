/* SPDX-License-Identifier: MIT
 * paper_locomo.c - which session of a long conversation answers a question (arXiv 2606.04194), over LoCoMo.
 *
 * What a word, a session and a relevant session are is the paper's own definition, as its code has it (diary.h), and so are
 * k1 1.5 and b .75: nothing here was chosen by looking at its numbers.  (Before that code was found, 288 other ways to cut
 * words were tried; the nearest gave .6381, and recall@5 and MRR deviated.)  The dense half wants vectors of its encoders,
 * which a user may bring; in their place stand latent semantic features of the same turns, of which directions are
 * compared.  Where a weight or parameters are chosen, each conversation is reported on with what the nine others chose. */
#include "bench/papers/diary_trec.h"
#include "bench/papers/judge.h"
#include "bench/papers/retrieval.h"
#include "bench/time/stats.h"
#include "datasets/unit.h"
#include "kernels/base/mem.h"
#include "pipeline/lsa.h"
#include <jansson.h> /* not used here: a bare worker leaves this paper out with its reader */
#include <math.h>
#include <string.h>

static const char table[] =
#include "gen/locomo.tsv.inc"
    ;

static const double k1 = 1.5, b = 0.75;
static const char *const categories[] = { NULL, "multi-hop", "temporal", "open-domain", "single-hop", "adversarial" };
enum { CATEGORIES = sizeof categories / sizeof *categories, ALPHAS = 21, LSA_DIM = 384 };

static int no_memory(struct err *e) { return FAIL(e, ERR_MEM, "locomo: no memory"); }

/* The diary, or the item's lines skipped: *has is then 0. */
static int open_diary(struct paper_run *r, struct diary *d, int *has, struct err *e)
{
    char path[512];
    *has = paper_data(r, "locomo/locomo10.json", path, sizeof path);
    return *has ? diary_read(d, path, e) : paper_skip(r, "", e, "%s", path);
}

/* Every measure of every question: at[m * questions + q]. */
struct marks { double *at; };

static void mark(const struct diary *d, size_t q, const double *scores, struct marks out)
{
    double values[DIARY_MEASURES];
    diary_measure(d, &d->questions[q], scores, values);
    for (size_t m = 0; m < DIARY_MEASURES; m++) out.at[m * d->question_count + q] = values[m];
}

/* Whose questions means are set against; NULL: these are the ones. */
struct rival { const double *values; const char *name; };
static const struct rival none;

/* A mean over questions: a number that nothing random is in when `exact`, else with its interval. */
static int found_mean(struct paper_run *r, struct finding f, const double *values, size_t count, int exact, struct rival rival,
                      struct err *e)
{
    retrieval_mean(&f, values, count, rival.values, rival.name);
    if (exact) f.lo = f.hi = f.ours;
    return paper_found(r, &f, e);
}

/* The values of the questions of a category, one after the other. */
static size_t of_category(const struct diary *d, int category, const double *values, double *out)
{
    size_t count = 0;
    for (size_t q = 0; q < d->question_count; q++)
        if (d->questions[q].category == category) out[count++] = values[q];
    return count;
}

/* --- BM25 -------------------------------------------------------------------------------------------- */

static int bm25_row(struct paper_run *r, const struct diary *d, double *values, double *some, double *scores, struct err *e)
{
    struct finding count = finding_of("quantity=questions");
    for (size_t q = 0; q < d->question_count; q++) {
        diary_bm25(d, &d->questions[q], DIARY_OKAPI, k1, b, scores + q * DIARY_SESSIONS_MOST);
        mark(d, q, scores + q * DIARY_SESSIONS_MOST, (struct marks){ values });
    }
    count.ours = count.lo = count.hi = (double)d->question_count;
    int status = diary_keep(d, r, "locomo", "bm25", scores, e);
    if (status == ERR_OK) status = paper_found(r, &count, e);
    for (size_t m = 0; status == ERR_OK && m < DIARY_MEASURES; m++)
        status = found_mean(r, finding_of("retriever=bm25;measure=%s", diary_measures[m]), values + m * d->question_count,
                            d->question_count, 1, none, e);
    for (int c = 1; status == ERR_OK && c < CATEGORIES; c++)
        status = found_mean(r, finding_of("retriever=bm25;category=%s;of=hit@1", categories[c]), some, of_category(d, c, values, some), 1,
                            none, e);
    return status;
}

static int sessions(struct paper_run *r, struct err *e)
{
    struct diary d = { 0 };
    int has;
    int status = open_diary(r, &d, &has, e);
    if (status == ERR_OK && has) {
        const size_t count = d.question_count;
        double *values = mem_alloc((DIARY_MEASURES + 1 + DIARY_SESSIONS_MOST) * count, sizeof *values);
        status = values ? bm25_row(r, &d, values, values + DIARY_MEASURES * count, values + (DIARY_MEASURES + 1) * count, e)
                        : no_memory(e);
        mem_free(values);
    }
    diary_free(&d);
    return status;
}

/* Of `count` columns of hits over all questions, the first that is best over the conversations other than `left_out`. */
static size_t best_without(const struct diary *d, const double *hits, size_t count, size_t stride, size_t left_out)
{
    size_t best = 0;
    double most = -1;
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (size_t q = 0; q < d->question_count; q++)
            if (d->questions[q].conversation != left_out) sum += hits[i * stride + q];
        if (sum > most) best = i, most = sum;
    }
    return best;
}

static const double k1s[] = { 0.4, 0.6, 0.8, 1, 1.2, 1.5, 1.8, 2.2, 2.6, 3 }, bs[] = { 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1 };
enum { K1S = sizeof k1s / sizeof *k1s, BS = sizeof bs / sizeof *bs, WAYS = 2 * K1S * BS };

/* The receipt prints a few of all. */
static int is_printed(const struct paper_run *r, const char *cell)
{
    for (size_t i = 0; i < r->judge->table->count; i++)
        if (strcmp(r->judge->table->lines[i].cell, cell) == 0) return 1;
    return 0;
}

static enum diary_bm25 kind_of(size_t way) { return way < WAYS / 2 ? DIARY_OKAPI : DIARY_BM25L; }
static double k1_of(size_t way) { return k1s[way / BS % K1S]; }
static double b_of(size_t way) { return bs[way % BS]; }
static int is_usual(size_t way) { return kind_of(way) == DIARY_OKAPI && k1_of(way) == k1 && b_of(way) == b; }

static int search_parameters(struct paper_run *r, const struct diary *d, double *hits, double *held_out, struct err *e)
{
    struct rival usual = { hits, "okapi k1 1.5 b 0.75" };
    struct split split = { 0 };
    for (size_t w = 0; w < WAYS; w++) {
        if (is_usual(w)) usual.values = hits + w * d->question_count;
        for (size_t q = 0; q < d->question_count; q++) {
            double scores[DIARY_SESSIONS_MOST], values[DIARY_MEASURES];
            diary_bm25(d, &d->questions[q], kind_of(w), k1_of(w), b_of(w), scores);
            diary_measure(d, &d->questions[q], scores, values);
            hits[w * d->question_count + q] = values[0];
        }
    }
    int status = diary_split(d, &split, e);
    for (size_t w = 0; status == ERR_OK && w < WAYS; w++) {
        const struct finding f = finding_of("formula=%s;k1=%g;b=%g", kind_of(w) == DIARY_OKAPI ? "okapi" : "bm25l", k1_of(w), b_of(w));
        if (is_printed(r, f.cell))
            status = found_mean(r, f, hits + w * d->question_count, d->question_count, 1, is_usual(w) ? none : usual, e);
    }
    for (size_t c = 0; status == ERR_OK && c < d->conversation_count; c++) {
        const size_t best = best_without(d, hits, WAYS, d->question_count, c);
        for (size_t q = 0; q < d->question_count; q++)
            if (d->questions[q].conversation == c) held_out[q] = hits[best * d->question_count + q];
    }
    struct finding chosen = finding_of("formula=chosen by the other conversations");
    split_say(&split, &chosen);
    if (status == ERR_OK) status = found_mean(r, chosen, held_out, d->question_count, 1, usual, e);
    split_free(&split);
    return status;
}

static int parameters(struct paper_run *r, struct err *e)
{
    struct diary d = { 0 };
    int has;
    int status = open_diary(r, &d, &has, e);
    if (status == ERR_OK && has) {
        double *hits = mem_alloc((WAYS + 1) * d.question_count, sizeof *hits);
        status = hits ? search_parameters(r, &d, hits, hits + WAYS * d.question_count, e) : no_memory(e);
        mem_free(hits);
    }
    diary_free(&d);
    return status;
}

/* --- vectors ------------------------------------------------------------------------------------------ */

struct encoded {
    const char *encoder; /* "lsa384", or as the user's file is called */
    int user;
    struct rows turns, questions; /* of unit length; questions: those of the diary */
    double *lengths;
};

static int encoded_room(struct encoded *v, const struct diary *d, size_t dim, struct err *e)
{
    v->turns = (struct rows){ mem_zero(d->turn_count * dim, sizeof(float)), d->turn_count, dim, dim };
    v->questions = (struct rows){ mem_zero(d->question_count * dim, sizeof(float)), d->question_count, dim, dim };
    return v->turns.at && v->questions.at ? ERR_OK : no_memory(e);
}

static float *row_of(struct rows rows, size_t i) { return (float *)(uintptr_t)rows_at(rows, i); }

static void encoded_free(struct encoded *v)
{
    mem_free((void *)(uintptr_t)v->turns.at);
    mem_free((void *)(uintptr_t)v->questions.at);
    mem_free(v->lengths);
    *v = (struct encoded){ 0 };
}

static int make_features(struct encoded *v, const struct diary *d, int threads, struct err *e)
{
    struct lexicon *words = NULL;
    struct lsa lsa = { 0 };
    int status = lexicon_create(&words, e);
    for (size_t t = 0; status == ERR_OK && t < d->turn_count; t++) status = lexicon_add(words, d->turns[t], e);
    if (status == ERR_OK) status = lsa_fit(&lsa, words, (const char *const *)d->turns, d->turn_count, LSA_DIM, 1, threads, e);
    if (status == ERR_OK) status = encoded_room(v, d, lsa.dim, e);
    for (size_t t = 0; status == ERR_OK && t < d->turn_count; t++) lsa_embed(&lsa, d->turns[t], row_of(v->turns, t));
    for (size_t q = 0; status == ERR_OK && q < d->question_count; q++) lsa_embed(&lsa, d->questions[q].text, row_of(v->questions, q));
    v->encoder = "lsa384";
    lsa_free(&lsa);
    lexicon_destroy(words);
    return status;
}

/* A row for every turn of the file, and one for every question of it, those without evidence too. */
static int take_vectors(struct encoded *v, const struct diary *d, const struct paper_asked *asked, struct err *e)
{
    static const char *const known[] = { "e5-large-v2", "bge-base" };
    struct dataset turns = { 0 }, questions = { 0 };
    int status = dataset_open(&turns, asked->base, e);
    if (status == ERR_OK) status = dataset_open(&questions, asked->query, e);
    if (status == ERR_OK && (!turns.rows.at || turns.rows.count != d->turn_count))
        status = FAIL(e, ERR_ARG, "%s: %zu vectors where LoCoMo has %zu turns", asked->base, turns.rows.count, d->turn_count);
    if (status == ERR_OK && (!questions.rows.at || questions.rows.count != d->asked || questions.rows.dim != turns.rows.dim))
        status = FAIL(e, ERR_ARG, "%s: %zu x %zu where LoCoMo has %zu questions and turns have %zu", asked->query,
                      questions.rows.count, questions.rows.dim, d->asked, turns.rows.dim);
    if (status == ERR_OK) status = encoded_room(v, d, turns.rows.dim, e);
    for (size_t t = 0; status == ERR_OK && t < d->turn_count; t++) {
        memcpy(row_of(v->turns, t), rows_at(turns.rows, t), turns.rows.dim * sizeof(float));
        unit_make(row_of(v->turns, t), turns.rows.dim);
    }
    for (size_t q = 0; status == ERR_OK && q < d->question_count; q++) {
        memcpy(row_of(v->questions, q), rows_at(questions.rows, d->questions[q].number), turns.rows.dim * sizeof(float));
        unit_make(row_of(v->questions, q), turns.rows.dim);
    }
    v->user = 1;
    v->encoder = "unknown";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(asked->base, known[i])) v->encoder = known[i];
    dataset_close(&turns);
    dataset_close(&questions);
    return status;
}

/* Runs each(r, diary, vectors) over features of ours, and over what the user brings. */
static int over_vectors(struct paper_run *r, int (*each)(struct paper_run *, const struct diary *, const struct encoded *, struct err *),
                        struct err *e)
{
    struct diary d = { 0 };
    int has;
    int status = open_diary(r, &d, &has, e);
    for (int user = 0; status == ERR_OK && has && user < 2; user++) {
        struct encoded v = { 0 };
        if (user && !(r->asked.base && r->asked.query)) {
            status = paper_skip(r, "data=user", e, "needs --base e5-large-v2.turns.npy --query FILE: vectors of all %zu turns and %zu questions",
                                d.turn_count, d.asked);
            break;
        }
        status = user ? take_vectors(&v, &d, &r->asked, e) : make_features(&v, &d, r->asked.threads, e);
        if (status == ERR_OK) status = diary_lengths(&d, v.turns, &v.lengths, e);
        if (status == ERR_OK) status = each(r, &d, &v, e);
        encoded_free(&v);
    }
    diary_free(&d);
    return status;
}

static const char *whose(const struct encoded *v) { return v->user ? "user" : "locomo"; }

/* split: where something was chosen; or NULL. */
static int contrast(struct paper_run *r, const struct encoded *v, const char *what, const double *x, const double *y, size_t count,
                    const struct split *split, struct err *e)
{
    struct finding f = finding_of("contrast=%s;measure=hit@1;encoder=%s;data=%s", what, v->encoder, whose(v));
    finding_of_pairs(&f, x, y, count);
    if (split) split_say(split, &f);
    return paper_found(r, &f, e);
}

/* --- dense alone -------------------------------------------------------------------------------------- */

enum { NEAREST, MEAN, BM25, ARMS };
static const char *const arms[ARMS] = { "nearest turn", "mean of turns", "bm25" };

static int by_category(struct paper_run *r, const struct diary *d, const struct encoded *v, const double *dense, const double *words,
                       double *scratch, struct err *e)
{
    int status = ERR_OK;
    for (int c = 1; status == ERR_OK && c < CATEGORIES; c++) {
        struct finding f = finding_of("contrast=nearest turn-bm25;category=%s;encoder=%s;data=%s", categories[c], v->encoder, whose(v));
        const size_t count = of_category(d, c, dense, scratch);
        (void)of_category(d, c, words, scratch + count);
        finding_of_pairs(&f, scratch, scratch + count, count);
        status = paper_found(r, &f, e);
    }
    return status;
}

static int dense_over(struct paper_run *r, const struct diary *d, const struct encoded *v, struct err *e)
{
    const size_t count = d->question_count, all = DIARY_MEASURES * count, most = DIARY_SESSIONS_MOST * count;
    double *values = mem_alloc(ARMS * all, sizeof *values), *scratch = mem_alloc(2 * count, sizeof *scratch);
    double *scores = mem_alloc(ARMS * most, sizeof *scores);
    int status = values && scratch && scores ? ERR_OK : no_memory(e);
    for (size_t q = 0; status == ERR_OK && q < count; q++) {
        double *const at[ARMS] = { scores + q * DIARY_SESSIONS_MOST, scores + most + q * DIARY_SESSIONS_MOST,
                                   scores + 2 * most + q * DIARY_SESSIONS_MOST };
        diary_dense(d, &d->questions[q], v->turns, v->lengths, rows_at(v->questions, q), at[NEAREST], at[MEAN]);
        diary_bm25(d, &d->questions[q], DIARY_OKAPI, k1, b, at[BM25]);
        for (size_t a = 0; a < ARMS; a++) mark(d, q, at[a], (struct marks){ values + a * all });
    }
    for (size_t a = 0; status == ERR_OK && a < ARMS; a++) status = diary_keep(d, r, v->encoder, arms[a], scores + a * most, e);
    for (size_t a = 0; status == ERR_OK && a < BM25; a++)
        for (size_t m = 0; status == ERR_OK && m < DIARY_MEASURES; m++)
            status = found_mean(r, finding_of("retriever=%s;measure=%s;encoder=%s;data=%s", arms[a], diary_measures[m], v->encoder, whose(v)),
                                values + a * all + m * count, count, v->user,
                                (struct rival){ values + BM25 * all + m * count, arms[BM25] }, e);
    if (status == ERR_OK) status = contrast(r, v, "nearest turn-mean of turns", values, values + MEAN * all, count, NULL, e);
    if (status == ERR_OK) status = by_category(r, d, v, values, values + BM25 * all, scratch, e);
    mem_free(values);
    mem_free(scratch);
    mem_free(scores);
    return status;
}

/* --- fused -------------------------------------------------------------------------------------------- */

/* Alone, by each weight, by ranks, and with the weight that the other conversations chose. */
enum { BY_RANKS = ALPHAS, CHOSEN, FUSIONS };
static double alpha_of(size_t i) { return (double)i / (ALPHAS - 1); }

static void fuse_all(const struct diary *d, const struct encoded *v, double *values)
{
    const size_t count = d->question_count, all = DIARY_MEASURES * count;
    for (size_t q = 0; q < count; q++) {
        double words[DIARY_SESSIONS_MOST], nearest[DIARY_SESSIONS_MOST], mean[DIARY_SESSIONS_MOST], fused[DIARY_SESSIONS_MOST];
        const size_t candidates = d->conversations[d->questions[q].conversation].session_count;
        diary_bm25(d, &d->questions[q], DIARY_OKAPI, k1, b, words);
        diary_dense(d, &d->questions[q], v->turns, v->lengths, rows_at(v->questions, q), nearest, mean);
        for (size_t a = 0; a < ALPHAS; a++) {
            diary_fuse(words, nearest, candidates, alpha_of(a), fused);
            mark(d, q, fused, (struct marks){ values + a * all });
        }
        diary_ranks(words, nearest, candidates, fused);
        mark(d, q, fused, (struct marks){ values + BY_RANKS * all });
    }
    for (size_t c = 0; c < d->conversation_count; c++) {
        const size_t best = best_without(d, values, ALPHAS, all, c);
        for (size_t q = 0; q < count; q++)
            for (size_t m = 0; d->questions[q].conversation == c && m < DIARY_MEASURES; m++)
                values[CHOSEN * all + m * count + q] = values[best * all + m * count + q];
    }
}

/* The rankings with the weight that the other conversations chose. */
static int keep_chosen(struct paper_run *r, const struct diary *d, const struct encoded *v, const double *values, struct err *e)
{
    const size_t count = d->question_count, all = DIARY_MEASURES * count;
    double *scores = mem_alloc(count * DIARY_SESSIONS_MOST, sizeof *scores);
    if (!scores) return no_memory(e);
    for (size_t c = 0; c < d->conversation_count; c++) {
        const double alpha = alpha_of(best_without(d, values, ALPHAS, all, c));
        for (size_t q = 0; q < count; q++) {
            double words[DIARY_SESSIONS_MOST], nearest[DIARY_SESSIONS_MOST], mean[DIARY_SESSIONS_MOST];
            if (d->questions[q].conversation != c) continue;
            diary_bm25(d, &d->questions[q], DIARY_OKAPI, k1, b, words);
            diary_dense(d, &d->questions[q], v->turns, v->lengths, rows_at(v->questions, q), nearest, mean);
            diary_fuse(words, nearest, d->conversations[c].session_count, alpha, scores + q * DIARY_SESSIONS_MOST);
        }
    }
    const int status = diary_keep(d, r, v->encoder, "fused", scores, e);
    mem_free(scores);
    return status;
}

static int fusion_over(struct paper_run *r, const struct diary *d, const struct encoded *v, struct err *e)
{
    const size_t count = d->question_count, all = DIARY_MEASURES * count;
    double *values = mem_alloc(FUSIONS * all, sizeof *values);
    struct split split = { 0 };
    int status = values ? diary_split(d, &split, e) : no_memory(e);
    const double *fused = values + CHOSEN * all, *words = values + (ALPHAS - 1) * all;
    if (status == ERR_OK) fuse_all(d, v, values);
    if (status == ERR_OK) status = keep_chosen(r, d, v, values, e);
    for (size_t a = 0; status == ERR_OK && a < ALPHAS; a++)
        status = found_mean(r, finding_of("alpha=%g;measure=hit@1;encoder=%s;data=%s", alpha_of(a), v->encoder, whose(v)), values + a * all,
                            count, v->user, a + 1 < ALPHAS ? (struct rival){ words, "bm25" } : none, e);
    for (size_t m = 0; status == ERR_OK && m < DIARY_MEASURES; m++) {
        struct finding f = finding_of("retriever=fused;measure=%s;encoder=%s;data=%s", diary_measures[m], v->encoder, whose(v));
        split_say(&split, &f);
        status = found_mean(r, f, fused + m * count, count, v->user, (struct rival){ words + m * count, "bm25" }, e);
    }
    if (status == ERR_OK)
        status = found_mean(r, finding_of("retriever=by ranks;measure=hit@1;encoder=%s;data=%s", v->encoder, whose(v)),
                            values + BY_RANKS * all, count, v->user, (struct rival){ words, "bm25" }, e);
    if (status == ERR_OK) status = contrast(r, v, "fused-nearest turn", fused, values, count, &split, e);
    if (status == ERR_OK) status = contrast(r, v, "fused-bm25", fused, words, count, &split, e);
    if (status == ERR_OK) status = contrast(r, v, "fused-by ranks", fused, values + BY_RANKS * all, count, &split, e);
    mem_free(values);
    split_free(&split);
    return status;
}

static int dense(struct paper_run *r, struct err *e) { return over_vectors(r, dense_over, e); }
static int fusion(struct paper_run *r, struct err *e) { return over_vectors(r, fusion_over, e); }

static const struct paper_item items[] = {
    { .name = "sessions", .summary = "BM25 over each conversation's sessions, words cut as the paper's code cuts them", .run = sessions },
    { .name = "parameters", .summary = "k1 and b of BM25 and BM25L, and those that nine conversations choose for the tenth", .run = parameters },
    { .name = "dense", .summary = "a session by its nearest turn, and by the mean of its turns", .run = dense },
    { .name = "fusion", .summary = "BM25 and the nearest turn, z-scored and weighted", .run = fusion,
      .figure = { .x = "alpha", .panel = "encoder", .x_label = "weight of BM25", .y_label = "Hit@1", .y = PAPER_SHARE } },
    { 0 },
};

const struct paper_ops paper_locomo = {
    .name = "locomo",
    .reference = "Lysenstoen, Training-Free Lexical-Dense Fusion for Conversational-Memory Retrieval (arXiv 2606.04194); data: "
                 "Maharana et al., ACL 2024",
    .summary = "which session of a long conversation answers a question",
    .table = table,
    .items = items,
};
