/* SPDX-License-Identifier: MIT
 * diary.h - LoCoMo's conversations as arXiv 2606.04194 searches them, by the definition that its code gives
 * (github.com/Chrislysen/opsem at b504b69: locomo.py, tune7_bm25.py, tune13_interaction.py).
 *
 * A session is the texts "speaker: text" of its turns, without captions; it competes with the sessions of its own
 * conversation alone, whose words are counted apart.  A word is a letter or digit of ASCII, in lower case, and then 1 to 30
 * of letters, digits, "-", "_" and "'"; it counts with three characters or more, and where it is none of 29 that mean
 * little.  A question is the set of its words.  Relevant is a session that evidence of the exact form "D3:7" names; a
 * question without such evidence is left out. */
#ifndef ASSAY_PAPERS_DIARY_H
#define ASSAY_PAPERS_DIARY_H
#include "kernels/base/err.h"
#include "kernels/base/names.h"
#include "kernels/base/rows.h"

enum { DIARY_SESSIONS_MOST = 64, DIARY_WORD_ROOM = 32 }; /* sessions of a conversation; bytes of a word and its 0 */

struct diary_words { uint32_t *at; size_t count, room; };
struct diary_session {
    size_t conversation, first_turn, turn_count; /* turns: numbered through all conversations, in the file's order */
    struct diary_words words;
    uint16_t *counts;                            /* by number of the word */
};
struct diary_conversation { size_t first_session, session_count; };
struct diary_question {
    size_t conversation, number; /* number: among all of the file */
    int category;                /* 1 multi-hop, 2 temporal, 3 open-domain, 4 single-hop, 5 adversarial */
    const char *text;
    struct diary_words words;    /* each once */
    uint64_t gold;               /* bit s: session s of its conversation is relevant */
};
/* Zero-initialise; diary_free. */
struct diary {
    struct names vocabulary;
    struct diary_conversation *conversations;
    struct diary_session *sessions;
    struct diary_question *questions;
    char **turns;                                /* "speaker: text" */
    size_t conversation_count, session_count, question_count, turn_count, asked; /* asked: with questions left out */
    size_t rooms[4];
    void *json;                                  /* what questions' texts point into */
};
/* ERR_NOT_FOUND, ERR_FORMAT, ERR_UNSUPPORTED (more than 64 sessions in a conversation), ERR_MEM. */
int diary_read(struct diary *d, const char *path, struct err *e);
void diary_free(struct diary *d);
/* The next word of *text, which moves past it; 0 at the end. */
size_t diary_word(const char **text, char word[DIARY_WORD_ROOM]);

/* Scores of the sessions of a question's conversation, in order. */
enum diary_bm25 { DIARY_OKAPI, DIARY_BM25L }; /* idf ln(1 + (N - n + .5) / (n + .5)); Lv & Zhai 2011, delta .5 */
void diary_bm25(const struct diary *d, const struct diary_question *q, enum diary_bm25 kind, double k1, double b, double *scores);
/* By products of a question's vector with those of turns, all of unit length: the nearest turn's, and the cosine with the sum
 * of the turns, whose lengths diary_lengths gives (mem_free them). */
int diary_lengths(const struct diary *d, struct rows turns, double **out, struct err *e);
void diary_dense(const struct diary *d, const struct diary_question *q, struct rows turns, const double *lengths, const float *vector,
                 double *nearest, double *mean);
/* alpha z(a) + (1 - alpha) z(b), z over the conversation's sessions; and 1 / (61 + rank in a) + 1 / (61 + rank in b). */
void diary_fuse(const double *a, const double *b, size_t count, double alpha, double *out);
void diary_ranks(const double *a, const double *b, size_t count, double *out);

/* Of a ranking by scores, ties to the earlier session: hit@1, recall@3, recall@5, mrr, ndcg@5. */
enum { DIARY_MEASURES = 5 };
extern const char *const diary_measures[DIARY_MEASURES];
void diary_measure(const struct diary *d, const struct diary_question *q, const double *scores, double out[DIARY_MEASURES]);
#endif
