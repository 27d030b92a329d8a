/* SPDX-License-Identifier: MIT
 * test_diary.c - words, sessions and evidence of LoCoMo are those of the paper's definition; scores are those of the
 * formulas, worked out by hand. */
#include "bench/papers/diary.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include <jansson.h> /* not used here: a bare worker leaves this test out with the reader */
#include <math.h>
#include <unistd.h>

static const char file[] =
    "[{\"conversation\": {\"speaker_a\": \"Ann\", \"speaker_b\": \"Bob\", \"session_1_date_time\": \"noon\","
    " \"session_1\": [{\"speaker\": \"Ann\", \"dia_id\": \"D1:1\", \"text\": \"A blue-green kite, isn't it?\", \"blip_caption\": \"zebra\"},"
    "                 {\"speaker\": \"Bob\", \"dia_id\": \"D1:2\", \"text\": \"The kite was new\"}],"
    " \"session_3\": [{\"speaker\": \"Bob\", \"dia_id\": \"D3:1\", \"text\": \"My dog ran\"}]},"
    " \"qa\": [{\"question\": \"What kite, which KITE?\", \"category\": 4, \"evidence\": [\"D1:1\", \" D1:2 \"]},"
    "          {\"question\": \"two at once\", \"category\": 1, \"evidence\": [\"D1:1; D3:1\"]},"
    "          {\"question\": \"not there\", \"category\": 1, \"evidence\": [\"D2:1\"]},"
    "          {\"question\": \"Bob's dog?\", \"category\": 2, \"evidence\": [\"D:11:26\", \"D3:09\"]},"
    "          {\"question\": \"none\", \"category\": 5}]},"
    " {\"conversation\": {\"session_1\": [{\"speaker\": \"Eve\", \"text\": \"dog dog\"}]}, \"qa\": []}]";

static void read_file(struct diary *d)
{
    char path[] = "/tmp/assay-diary-XXXXXX";
    struct err e = { 0 };
    const int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, file, sizeof file - 1) == (ssize_t)sizeof file - 1, "%s", path);
    close(fd);
    CHECK(diary_read(d, path, &e) == ERR_OK, "%s", e.text);
    (void)unlink(path);
}

static void cuts_words(void)
{
    static const char *const expected[] = { "blue-green", "it's", "abcdefghijklmnopqrstuvwxyz01234", "56", "caf", "x_1" };
    const char *text = "-Blue-GREEN! it's a abcdefghijklmnopqrstuvwxyz0123456 caf\xc3\xa9 'x_1";
    char word[DIARY_WORD_ROOM];
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const size_t size = diary_word(&text, word);
        CHECK(size == strlen(expected[i]) && strcmp(word, expected[i]) == 0, "'%s' where '%s' belongs", word, expected[i]);
    }
    CHECK(diary_word(&text, word) == 0, "'%s' at the end", word);
}

static void reads(void)
{
    struct diary d = { 0 };
    read_file(&d);
    CHECK(d.conversation_count == 2 && d.session_count == 3 && d.turn_count == 4 && d.asked == 5 && d.question_count == 3,
          "%zu conversations, %zu sessions, %zu turns, %zu of %zu questions", d.conversation_count, d.session_count, d.turn_count,
          d.question_count, d.asked);
    CHECK(strcmp(d.turns[0], "Ann: A blue-green kite, isn't it?") == 0, "%s", d.turns[0]);
    CHECK(names_find(&d.vocabulary, "zebra", 5) == NAMES_NONE && names_find(&d.vocabulary, "was", 3) == NAMES_NONE, "captions, small words");
    CHECK(d.sessions[0].words.count == 7, "ann blue-green kite isn't bob kite new: %zu", d.sessions[0].words.count);
    CHECK(d.questions[0].words.count == 1 && d.questions[0].gold == 1 && d.questions[0].category == 4, "a question is a set of known words");
    CHECK(d.questions[1].gold == 0 && d.questions[1].number == 2, "evidence that is not there is named all the same");
    CHECK(d.questions[2].gold == 2 && d.questions[2].number == 3 && d.questions[2].words.count == 1, "D3 is the second session");
    diary_free(&d);
}

static void near(const char *what, double got, double want) { CHECK(fabs(got - want) < 1e-12, "%s: %.15g, not %.15g", what, got, want); }

/* kite stands twice in the first of two sessions, of 7 and 3 words (bob dog ran). */
static void scores(void)
{
    struct diary d = { 0 };
    double got[DIARY_SESSIONS_MOST], m[DIARY_MEASURES];
    read_file(&d);
    const double norm = 0.25 + 0.75 * 7 / 5;
    diary_bm25(&d, &d.questions[0], DIARY_OKAPI, 1.5, 0.75, got);
    near("okapi", got[0], log(1 + 1.5 / 1.5) * 2 * 2.5 / (2 + 1.5 * norm));
    near("no word", got[1], 0);
    diary_bm25(&d, &d.questions[0], DIARY_BM25L, 1.2, 0.75, got);
    near("bm25l", got[0], log(3 / 1.5) * 2.2 * (2 / norm + 0.5) / (1.2 + 2 / norm + 0.5));
    const double tie[2] = { 1, 1 }, second[2] = { 0, 1 };
    diary_measure(&d, &d.questions[0], tie, m);
    CHECK(m[0] == 1 && m[3] == 1, "ties go to the earlier session");
    diary_measure(&d, &d.questions[0], second, m);
    CHECK(m[0] == 0 && m[1] == 1 && m[3] == 0.5, "hit@1 %g, recall@3 %g, mrr %g", m[0], m[1], m[3]);
    diary_measure(&d, &d.questions[1], second, m);
    CHECK(m[0] == 0 && m[2] == 0 && m[3] == 0, "nothing of it is there");
    diary_free(&d);
}

static void fuses(void)
{
    struct diary d = { 0 };
    const float turns[4 * 2] = { 1, 0, 0, 1, 0.6f, 0.8f, 1, 0 }, question[2] = { 0.6f, 0.8f };
    const struct rows rows = { turns, 4, 2, 2 };
    const double a[3] = { 1, 2, 3 }, b[3] = { 5, 5, 5 }, c[3] = { 9, 1, 1 };
    double *lengths = NULL, nearest[DIARY_SESSIONS_MOST], mean[DIARY_SESSIONS_MOST], got[3];
    struct err e = { 0 };
    read_file(&d);
    CHECK(diary_lengths(&d, rows, &lengths, &e) == ERR_OK, "%s", e.text);
    diary_dense(&d, &d.questions[0], rows, lengths, question, nearest, mean);
    CHECK(fabs(nearest[0] - 0.8) < 1e-6 && fabs(mean[0] - 1.4 / sqrt(2)) < 1e-6 && fabs(nearest[1] - 1) < 1e-6, "%g %g %g", nearest[0], mean[0],
          nearest[1]);
    diary_fuse(a, b, 3, 0.5, got);
    near("all alike count for nothing", got[2], 0.5 * sqrt(1.5));
    diary_fuse(a, c, 3, 0.25, got);
    near("weights", got[0], 0.25 * -sqrt(1.5) + 0.75 * sqrt(2));
    diary_ranks(a, c, 3, got);
    near("ranks", got[0], 1 / 63. + 1 / 61.);
    near("ranks, a tie", got[2], 1 / 61. + 1 / 63.);
    mem_free(lengths);
    diary_free(&d);
}

int main(void)
{
    test_case("words", cuts_words);
    test_case("sessions, questions, evidence", reads);
    test_case("BM25 and BM25L by hand; ties; what is named and not there", scores);
    test_case("turns, means, weights and ranks", fuses);
    return test_end();
}
