/* SPDX-License-Identifier: MIT
 * diary.c - reads LoCoMo's conversations, cuts their words, and ranks sessions. */
#include "bench/papers/diary.h"
#include "bench/quality/metric.h"
#include "datasets/unit.h"
#include "kernels/base/mem.h"
#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const diary_measures[DIARY_MEASURES] = { "hit@1", "recall@3", "recall@5", "mrr", "ndcg@5" };

static int no_memory(struct err *e) { return FAIL(e, ERR_MEM, "locomo: no memory"); }

/* --- words ---------------------------------------------------------------------------------------- */

static int is_inner(char c) { return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '\''; }

size_t diary_word(const char **text, char word[DIARY_WORD_ROOM])
{
    for (const char *at = *text; *at; at++) {
        size_t size = 0;
        if (!isascii(*at) || !isalnum((unsigned char)*at) || !isascii(at[1]) || !is_inner(at[1])) continue;
        for (; size < DIARY_WORD_ROOM - 1 && isascii(*at) && is_inner(*at); at++) word[size++] = (char)tolower((unsigned char)*at);
        word[size] = 0;
        *text = at;
        return size;
    }
    return 0;
}

static int means_little(const char *word)
{
    static const char *const all[] = {
        "all", "and", "any", "are", "been", "but", "did", "does", "for", "from", "has", "have", "how", "not", "our",
        "that", "the", "this", "was", "what", "when", "where", "who", "why", "with", "yes", "you", "your", "yours",
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(word, all[i]) == 0) return 1;
    return 0;
}

/* With `question` each word once, and words that no session has are passed over. */
static int cut(struct diary *d, const char *text, int question, struct diary_words *out)
{
    char word[DIARY_WORD_ROOM];
    for (size_t size; (size = diary_word(&text, word)) > 0;) {
        int known = 0;
        if (size < 3 || means_little(word)) continue;
        const int64_t at = question ? names_find(&d->vocabulary, word, size) : names_add(&d->vocabulary, word, size);
        if (at == NAMES_NONE && !question) return 0;
        for (size_t i = 0; question && i < out->count; i++) known |= out->at[i] == at;
        if (at == NAMES_NONE || known) continue;
        if (!mem_one_more(&out->at, out->count, &out->room, sizeof *out->at)) return 0;
        out->at[out->count++] = (uint32_t)at;
    }
    return 1;
}

/* --- the file -------------------------------------------------------------------------------------- */

static const char *text_in(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

static int read_turn(struct diary *d, struct diary_session *s, const json_t *turn, struct err *e)
{
    struct text said = { 0 };
    if (!mem_one_more(&d->turns, d->turn_count, &d->rooms[3], sizeof *d->turns)) return no_memory(e);
    text_add(&said, "%s: %s", text_in(turn, "speaker"), text_in(turn, "text"));
    if (said.failed) return no_memory(e);
    d->turns[d->turn_count++] = said.at;
    s->turn_count++;
    return cut(d, said.at, 0, &s->words) ? ERR_OK : no_memory(e);
}

static int read_sessions(struct diary *d, const json_t *conversation, int number[DIARY_SESSIONS_MOST], struct err *e)
{
    struct diary_conversation *c = &d->conversations[d->conversation_count];
    int status = ERR_OK;
    *c = (struct diary_conversation){ d->session_count, 0 };
    for (int n = 1; status == ERR_OK && n < 1000; n++) {
        char key[32];
        snprintf(key, sizeof key, "session_%d", n);
        const json_t *turns = json_object_get(conversation, key);
        if (!json_is_array(turns)) continue;
        if (c->session_count == DIARY_SESSIONS_MOST)
            return FAIL(e, ERR_UNSUPPORTED, "locomo: more than %d sessions in a conversation", DIARY_SESSIONS_MOST);
        if (!mem_one_more(&d->sessions, d->session_count, &d->rooms[1], sizeof *d->sessions)) return no_memory(e);
        struct diary_session *s = &d->sessions[d->session_count++];
        *s = (struct diary_session){ .conversation = d->conversation_count, .first_turn = d->turn_count };
        number[c->session_count++] = n;
        for (size_t i = 0; status == ERR_OK && i < json_array_size(turns); i++) status = read_turn(d, s, json_array_get(turns, i), e);
    }
    d->conversation_count++;
    return status;
}

/* "D3:7" and no more: 3; else 0. */
static int session_named(const char *evidence)
{
    char *end;
    while (isspace((unsigned char)*evidence)) evidence++;
    if (*evidence != 'D' || !isdigit((unsigned char)evidence[1])) return 0;
    const long session = strtol(evidence + 1, &end, 10);
    if (*end != ':' || !isdigit((unsigned char)end[1])) return 0;
    for (end++; isdigit((unsigned char)*end);) end++;
    while (isspace((unsigned char)*end)) end++;
    return *end || session > 100000 ? 0 : (int)session;
}

static int read_question(struct diary *d, const json_t *qa, const int *number, struct err *e)
{
    const struct diary_conversation *c = &d->conversations[d->conversation_count - 1];
    const json_t *evidence = json_object_get(qa, "evidence");
    struct diary_question q = { .conversation = d->conversation_count - 1, .number = d->asked++, .text = text_in(qa, "question"),
                                .category = (int)json_integer_value(json_object_get(qa, "category")) };
    int named = 0;
    for (size_t i = 0; i < json_array_size(evidence); i++) {
        const char *id = json_string_value(json_array_get(evidence, i));
        const int session = id ? session_named(id) : 0;
        named |= session > 0;
        for (size_t s = 0; s < c->session_count; s++)
            if (number[s] == session) q.gold |= 1ull << s;
    }
    if (!named) return ERR_OK;
    if (!mem_one_more(&d->questions, d->question_count, &d->rooms[2], sizeof *d->questions)) return no_memory(e);
    d->questions[d->question_count++] = q;
    return ERR_OK;
}

static int count_words(struct diary *d, struct err *e)
{
    for (size_t s = 0; s < d->session_count; s++) {
        struct diary_session *session = &d->sessions[s];
        session->counts = mem_zero(d->vocabulary.count + 1, sizeof *session->counts);
        if (!session->counts) return no_memory(e);
        for (size_t i = 0; i < session->words.count; i++) session->counts[session->words.at[i]]++;
    }
    for (size_t q = 0; q < d->question_count; q++)
        if (!cut(d, d->questions[q].text, 1, &d->questions[q].words)) return no_memory(e);
    return ERR_OK;
}

int diary_read(struct diary *d, const char *path, struct err *e)
{
    json_error_t bad;
    json_t *all = json_load_file(path, 0, &bad);
    if (!all) return FAIL(e, ERR_FORMAT, "%s:%d: %s", path, bad.line, bad.text);
    d->json = all;
    int status = json_is_array(all) ? ERR_OK : FAIL(e, ERR_FORMAT, "%s: not a list of conversations", path);
    for (size_t c = 0; status == ERR_OK && c < json_array_size(all); c++) {
        const json_t *one = json_array_get(all, c), *qa = json_object_get(one, "qa");
        int number[DIARY_SESSIONS_MOST];
        if (!mem_one_more(&d->conversations, d->conversation_count, &d->rooms[0], sizeof *d->conversations)) return no_memory(e);
        status = read_sessions(d, json_object_get(one, "conversation"), number, e);
        for (size_t q = 0; status == ERR_OK && q < json_array_size(qa); q++) status = read_question(d, json_array_get(qa, q), number, e);
    }
    return status == ERR_OK ? count_words(d, e) : status;
}

void diary_free(struct diary *d)
{
    for (size_t s = 0; s < d->session_count; s++) {
        mem_free(d->sessions[s].words.at);
        mem_free(d->sessions[s].counts);
    }
    for (size_t q = 0; q < d->question_count; q++) mem_free(d->questions[q].words.at);
    for (size_t t = 0; t < d->turn_count; t++) text_free(&(struct text){ .at = d->turns[t] });
    names_free(&d->vocabulary);
    mem_free(d->conversations);
    mem_free(d->sessions);
    mem_free(d->questions);
    mem_free(d->turns);
    json_decref(d->json);
    *d = (struct diary){ 0 };
}

/* --- scores ---------------------------------------------------------------------------------------- */

void diary_bm25(const struct diary *d, const struct diary_question *q, enum diary_bm25 kind, double k1, double b, double *scores)
{
    const struct diary_conversation *c = &d->conversations[q->conversation];
    const struct diary_session *sessions = &d->sessions[c->first_session];
    double length = 0;
    for (size_t s = 0; s < c->session_count; s++) {
        length += (double)sessions[s].words.count / (double)c->session_count;
        scores[s] = 0;
    }
    for (size_t i = 0; i < q->words.count; i++) {
        const uint32_t word = q->words.at[i];
        double with = 0;
        for (size_t s = 0; s < c->session_count; s++) with += sessions[s].counts[word] > 0;
        const double all = (double)c->session_count,
                     idf = kind == DIARY_BM25L ? log((all + 1) / (with + 0.5)) : log(1 + (all - with + 0.5) / (with + 0.5));
        for (size_t s = 0; s < c->session_count; s++) {
            const double tf = sessions[s].counts[word], norm = 1 - b + b * (double)sessions[s].words.count / length;
            if (tf == 0) continue;
            if (kind == DIARY_BM25L) scores[s] += idf * (k1 + 1) * (tf / norm + 0.5) / (k1 + tf / norm + 0.5);
            else scores[s] += idf * tf * (k1 + 1) / (tf + k1 * norm);
        }
    }
}

int diary_lengths(const struct diary *d, struct rows turns, double **out, struct err *e)
{
    double *sum = mem_alloc(turns.dim, sizeof *sum);
    *out = mem_alloc(d->session_count, sizeof **out);
    if (!sum || !*out) return mem_free(sum), no_memory(e);
    for (size_t s = 0; s < d->session_count; s++) {
        double square = 0;
        for (size_t i = 0; i < turns.dim; i++) sum[i] = 0;
        for (size_t t = 0; t < d->sessions[s].turn_count; t++)
            for (size_t i = 0; i < turns.dim; i++) sum[i] += (double)rows_at(turns, d->sessions[s].first_turn + t)[i];
        for (size_t i = 0; i < turns.dim; i++) square += sum[i] * sum[i];
        (*out)[s] = sqrt(square);
    }
    mem_free(sum);
    return ERR_OK;
}

void diary_dense(const struct diary *d, const struct diary_question *q, struct rows turns, const double *lengths, const float *vector,
                 double *nearest, double *mean)
{
    const struct diary_conversation *c = &d->conversations[q->conversation];
    for (size_t s = 0; s < c->session_count; s++) {
        const struct diary_session *session = &d->sessions[c->first_session + s];
        double sum = 0;
        nearest[s] = mean[s] = -9;
        for (size_t t = 0; t < session->turn_count; t++) {
            const double along = fixed_dot(rows_at(turns, session->first_turn + t), vector, turns.dim);
            nearest[s] = fmax(nearest[s], along);
            sum += along;
        }
        if (lengths[c->first_session + s] > 1e-9) mean[s] = sum / lengths[c->first_session + s];
    }
}

/* Mean 0 and variance 1; all 0 where they are the same. */
static void standardise(const double *x, size_t count, double *out)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++) mean += x[i] / (double)count;
    for (size_t i = 0; i < count; i++) squares += (x[i] - mean) * (x[i] - mean);
    const double deviation = sqrt(squares / (double)count);
    for (size_t i = 0; i < count; i++) out[i] = deviation < 1e-9 ? 0 : (x[i] - mean) / deviation;
}

void diary_fuse(const double *a, const double *b, size_t count, double alpha, double *out)
{
    double x[DIARY_SESSIONS_MOST], y[DIARY_SESSIONS_MOST];
    standardise(a, count, x);
    standardise(b, count, y);
    for (size_t i = 0; i < count; i++) out[i] = alpha * x[i] + (1 - alpha) * y[i];
}

/* How many come before i. */
static double rank(const double *x, size_t count, size_t i)
{
    double before = 0;
    for (size_t j = 0; j < count; j++) before += x[j] > x[i] || (x[j] == x[i] && j < i);
    return before;
}

void diary_ranks(const double *a, const double *b, size_t count, double *out)
{
    for (size_t i = 0; i < count; i++) out[i] = 1 / (61 + rank(a, count, i)) + 1 / (61 + rank(b, count, i));
}

void diary_measure(const struct diary *d, const struct diary_question *q, const double *scores, double out[DIARY_MEASURES])
{
    const size_t count = d->conversations[q->conversation].session_count;
    int64_t answers[DIARY_SESSIONS_MOST];
    struct label labels[DIARY_SESSIONS_MOST];
    size_t relevant = 0;
    for (size_t s = 0; s < count; s++) {
        answers[(size_t)rank(scores, count, s)] = (int64_t)s;
        if (q->gold >> s & 1) labels[relevant++] = (struct label){ (int64_t)s, 1 };
    }
    const struct evidence v = { .k = DIARY_SESSIONS_MOST, .answers = { answers, count }, .labels = labels, .label_count = relevant };
    const double values[DIARY_MEASURES] = { metric_success_at(&v, 1), metric_recall_at(&v, 3), metric_recall_at(&v, 5),
                                            metric_find("label_mrr")->of(&v), metric_ndcg_at(&v, 5) };
    for (size_t m = 0; m < DIARY_MEASURES; m++) out[m] = isnan(values[m]) ? 0 : values[m]; /* named sessions that are not there */
}
