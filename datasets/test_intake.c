/* SPDX-License-Identifier: MIT
 * test_intake.c - the rule for files that people bring: lines, slips of a field's name, ids, counts. */
#include "datasets/intake.h"
#include "kernels/base/test.h"
#include <unistd.h>

static char path[] = "/tmp/assay-test-XXXXXX";

static int read_all(const char *bytes, size_t size, struct text *out, struct err *e)
{
    struct lines l = { 0 };
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) abort();
    int status = lines_open(&l, path, e);
    text_clear(out);
    for (char *at; status == ERR_OK && (at = lines_next(&l, &status, e)) != NULL;) text_add(out, "%zu:%s|", l.number, at);
    lines_close(&l);
    return status;
}

static void lines_are_cut(void)
{
    static const struct { const char *bytes; size_t size; const char *wanted; } cases[] = {
        { "\xef\xbb\xbf" "a\r\n\r\n  \nb", 12, "1:a|4:b|" }, { "", 0, "" }, { "a\rb\n", 4, "1:a\rb|" },
        { "\xef\xbb\xbf", 3, "" }, { "x\n\xef\xbb\xbfy\n", 7, "1:x|2:\xef\xbb\xbfy|" },
    };
    static const struct { const char *bytes; size_t size; const char *wanted; } bad[] = {
        { "a\nb\0c\n", 6, "line 2: holds a zero byte" }, { "\xff\xfe" "a\0", 4, "UTF-16" },
    };
    struct text got = { 0 };
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(read_all(cases[i].bytes, cases[i].size, &got, &e) == ERR_OK, "%s", e.text);
        CHECK(strcmp(text_of(&got), cases[i].wanted) == 0, "case %zu: %s", i, text_of(&got));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(read_all(bad[i].bytes, bad[i].size, &got, &e) == ERR_FORMAT && strstr(e.text, bad[i].wanted), "%s", e.text);
    text_free(&got);
}

static void slips_are_known(void)
{
    static const char known[] = "id|_id|type|entity_type|name|title|text|properties|weight|source|target|relevant";
    static const struct { const char *field, *meant; } cases[] = {
        { "weigth", "weight" }, { "wieght", "weight" }, { "Weight", "weight" }, { "weights", "weight" },
        { "entityType", "entity_type" }, { "entity-type", "entity_type" }, { "nmae", "name" }, { "names", "name" },
        { "txt", "text" }, { "ID", "id" }, { "sorce", "source" }, { "proprties", "properties" }, { "relevent", "relevant" },
        { "tiltle", "title" }, { "typ", "type" },
        { "weight", NULL }, { "test", NULL }, { "next", NULL }, { "game", NULL }, { "time", NULL }, { "observations", NULL },
        { "x", NULL }, { "date", NULL }, { "author", NULL }, { "is", NULL }, { "lang", NULL }, { "", NULL }, { "url", NULL },
    };
    char out[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = field_meant(cases[i].field, known, out);
        CHECK((!got && !cases[i].meant) || (got && cases[i].meant && strcmp(got, cases[i].meant) == 0), "%s: %s",
              cases[i].field, got ? got : "none");
    }
    const char *longest = "a_name_that_is_much_longer_than_any_field_that_we_know_of";
    CHECK(!field_meant(longest, known, out), "a long name");
}

static void ids_are_numbers_or_words(void)
{
    struct ids s = { .first = 10 };
    struct err e = { 0 };
    size_t place;
    int known;
    CHECK(ids_add(&s, "300", 3, &place, &known, &e) == ERR_OK && place == 0 && !known, "%s", e.text);
    CHECK(ids_add(&s, "-2", 2, &place, &known, &e) == ERR_OK && place == 1, "%s", e.text);
    CHECK(ids_add(&s, "300", 3, &place, &known, &e) == ERR_OK && place == 0 && known, "%s", e.text);
    CHECK(ids_number(&s, 0) == 300 && ids_number(&s, 1) == -2 && ids_place(&s, "3", 1) == NAMES_NONE, "numbers");
    CHECK(ids_add(&s, "007", 3, &place, &known, &e) == ERR_OK && s.words, "007 is no 7");
    CHECK(ids_number(&s, 0) == 10 && ids_number(&s, 2) == 12, "counted");
    ids_free(&s);
    int64_t number;
    CHECK(!text_is_i64("+1", &number) && !text_is_i64("-0", &number) && !text_is_i64("99999999999999999999", &number) &&
          text_is_i64("-9223372036854775808", &number), "as they are printed");
    CHECK(id_fault("", 0) && id_fault("a\tb", 3) && !id_fault("Pump 4", 6), "faults");
}

static void counts_add_up(void)
{
    struct tally t = { 0 };
    struct text out = { 0 };
    struct err e = { 0 };
    char what[16];
    CHECK(tally_add(&t, "a", 0, "x", &e) == ERR_OK && t.what.count == 0, "nothing is nothing");
    for (int i = 0; i < 60; i++) {
        snprintf(what, sizeof what, "k%d", i % 30);
        CHECK(tally_add(&t, what, 2, i < 30 ? "one" : "two", &e) == ERR_OK, "%s", e.text);
    }
    CHECK(tally_of(&t, "k29") == 4 && tally_of(&t, "none") == 0, "counts");
    tally_text(&t, ", ", &out);
    CHECK(strncmp(text_of(&out), "4 k0 (the first: one), 4 k1", 27) == 0, "%s", text_of(&out));
    text_free(&out);
    tally_free(&t);
}

int main(void)
{
    const int fd = mkstemp(path);
    if (fd < 0) return TEST_FAIL;
    close(fd);
    test_case("lines: byte order mark, CRLF, zero bytes", lines_are_cut);
    test_case("a slip of a field's name is told from another name", slips_are_known);
    test_case("ids: whole numbers stay, words are counted", ids_are_numbers_or_words);
    test_case("what is left out is counted", counts_add_up);
    unlink(path);
    return test_end();
}
