/* SPDX-License-Identifier: MIT
 * test_wordnet.c - the importer on a small WordNet written here, on the real one where it is
 * installed, and on damaged ones. */
#include "datasets/dataset.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"
#include <sys/stat.h>

static char folder[] = "/tmp/assay-test-XXXXXX";
static struct text log_of; /* what the sink saw, a line each */
static size_t entities, relations, queries, tunes, stop_after;

static int see_entity(void *context, int64_t id, const char *type, const char *name, const char *properties,
                      const char *text, struct err *e)
{
    if (context) text_add(&log_of, "E %lld|%s|%s|%s|%s\n", (long long)id, type, name, properties, text);
    return ++entities == stop_after ? FAIL(e, ERR_IO, "the sink is full") : ERR_OK;
}

static int see_relation(void *context, int64_t source, int64_t target, const char *type, double weight,
                        const char *properties, struct err *e)
{
    (void)e;
    relations++;
    if (context)
        text_add(&log_of, "R %lld %s %lld %g %s\n", (long long)source, type, (long long)target, weight,
                 properties ? properties : "-");
    return ERR_OK;
}

static int see_query(void *context, int64_t id, const char *split, const char *text, const float *x, size_t dim,
                     const struct kb_label *relevant, size_t relevant_count, struct err *e)
{
    (void)e;
    queries++;
    tunes += strcmp(split, "tune") == 0;
    CHECK(!x && dim == 0 && relevant_count == 1, "one relevant synset");
    if (context) text_add(&log_of, "Q %lld %lld %s\n", (long long)id, (long long)relevant[0].id, text);
    return ERR_OK;
}

static int import(const char *from, int *logging, struct err *e)
{
    const struct kb_sink sink = { .context = logging, .entity = see_entity, .relation = see_relation, .query = see_query };
    entities = relations = queries = tunes = 0;
    text_clear(&log_of);
    return importer_find("wordnet")->run(from, &sink, e);
}

/* `lines` of a data file; "@N@" in a line is replaced by where line N (from 0) starts. */
static void put_part(const char *name, const char *const *lines)
{
    char path[128];
    size_t starts[16], at = strlen("  1 licence\n");
    for (int i = 0; lines[i]; i++) {
        starts[i] = at;
        /* "@N@" is three bytes and becomes eight */
        size_t marks = 0;
        for (const char *c = lines[i]; *c; c++) marks += *c == '@' && c[1] >= '0' && c[1] <= '9' && c[2] == '@';
        at += strlen(lines[i]) + 5 * marks + 1;
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f) abort();
    fputs("  1 licence\n", f);
    for (int i = 0; lines[i]; i++) {
        for (const char *c = lines[i]; *c; c++) {
            if (*c == '@' && c[1] >= '0' && c[1] <= '9' && c[2] == '@') {
                fprintf(f, "%08zu", starts[c[1] - '0']);
                c += 2;
            } else {
                fputc(*c, f);
            }
        }
        fputc('\n', f);
    }
    fclose(f);
}

static void put_small(void)
{
    static const char *const nouns[] = {
        "@0@ 05 n 02 dog 0 domestic_dog 0 002 @ @1@ n 0000 ~ @1@ n 0000 | a pet; barks; \"the dog barked\"; \"a dog's life\"- Anon  ",
        "@1@ 03 n 01 animal 0 000 | a living thing \"unclosed  ", NULL,
    };
    static const char *const verbs[] = { "@0@ 38 v 01 bark 0 001 + @0@ n 0102 01 + 02 00 | make a \\sound  ", NULL };
    static const char *const adjectives[] = { "@0@ 00 s 01 doggy(p) 0 001 \\ @0@ n 0101 | like a dog:\"doggy breath\"  ", NULL };
    static const char *const adverbs[] = { "@0@ 02 r 01 doggily 0 001 \\ @0@ a 0101 | in a doggy way  ", NULL };
    put_part("data.noun", nouns);
    put_part("data.verb", verbs);
    put_part("data.adj", adjectives);
    put_part("data.adv", adverbs);
}

static void small_one_is_read(void)
{
    static const char *const wanted[] = {
        ("E 1|noun|dog|{\"lemmas\":[\"dog\",\"domestic dog\"],\"pos\":\"n\",\"lexfile\":\"noun.animal\",\"offset\":12,"
        "\"definition\":\"a pet; barks\"}|dog, domestic dog, a pet; barks\n"),
        "E 2|noun|animal|", "|animal, a living thing\n",
        "E 3|verb|bark|", "\"definition\":\"make a \\\\sound\"",
        "E 4|adjective|doggy|{\"lemmas\":[\"doggy\"],\"pos\":\"s\",", "|doggy, like a dog\n",
        "E 5|adverb|doggily|",
        "R 1 hypernym 2 1 -\n", "R 1 hyponym 2 1 -\n",
        "R 3 derivation 1 1 {\"source_word\":1,\"target_word\":2}\n",
        "R 4 pertainym 1 1 {\"source_word\":1,\"target_word\":1}\n",
        "R 5 derived_from_adjective 4 1 {\"source_word\":1,\"target_word\":1}\n",
        " 1 the dog barked\n", " 1 a dog's life\n", " 2 unclosed\n", " 4 doggy breath\n",
    };
    struct err e = { 0 };
    int logging = 1;
    put_small();
    CHECK(import(folder, &logging, &e) == ERR_OK, "%s", e.text);
    CHECK(entities == 5 && relations == 5 && queries == 4, "%zu %zu %zu", entities, relations, queries);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        CHECK(strstr(text_of(&log_of), wanted[i]), "'%s' is not in\n%s", wanted[i], text_of(&log_of));
}

static int see_note(void *context, const char *what, uint64_t count, const char *first, struct err *e)
{
    (void)context;
    (void)first;
    (void)e;
    text_add(&log_of, "N %llu %s\n", (unsigned long long)count, what);
    return ERR_OK;
}

/* As 3.1 has some. */
static void unknown_signs_are_kept(void)
{
    const char *const lines[] = { "@0@ 05 n 01 dog 0 002 ?x @0@ n 0000 ?x @0@ n 0000 | a  ", NULL };
    struct err e = { 0 };
    put_small();
    put_part("data.noun", lines);
    text_clear(&log_of);
    int logging = 1;
    const struct kb_sink sink = { .context = &logging, .entity = see_entity, .relation = see_relation, .query = see_query,
                                  .note = see_note };
    (void)importer_find("wordnet")->run(folder, &sink, &e);
    CHECK(strstr(text_of(&log_of), "R 1 ?x 1 1 -\nR 1 ?x 1 1 -\n") && strstr(text_of(&log_of), "N 2 pointers of the unknown sign ?x"),
          "%s %s", text_of(&log_of), e.text);
}

static void bad_ones_are_refused(void)
{
    static const struct { const char *part, *line, *words; } cases[] = {
        { "data.noun", "@0@ 05 n 01 dog 0 001 @ 00000099 n 0000 | a  ", "pointer to no synset" },
        { "data.noun", "@0@ 05 n 01 dog 0 001 ???????????????? @0@ n 0000 | a  ", "no sign of a pointer" },
        { "data.noun", "@0@ 05 n 01 dog 0 002 @ @0@ n 0000 | a  ", "cut short" },
        { "data.noun", "@0@ 05 n 01 dog 0 001 @ @0@ q 0000 | a  ", "cut short" },
        { "data.noun", "@0@ 05 n 01 dog 0 xx1 @ @0@ n 0000 | a  ", "no count of pointers" },
        { "data.noun", "@0@ 05 n 03 dog 0 001 @ @0@ n 0000 | a  ", "too few words" },
        { "data.noun", "@0@ 05 v 01 dog 0 000 | a  ", "another part of speech" },
        { "data.noun", "@0@ 77 n 01 dog 0 000 | a  ", "unknown lexical file" },
        { "data.noun", "@0@ 05 n 00 dog 0 000 | a  ", "no words" },
        { "data.noun", "@0@ 05 n 01 dog 0 000  ", "no gloss" },
        { "data.noun", "00000011 05 n 01 dog 0 000 | a  ", "its own offset" },
        { "data.verb", "", "no synsets" },
    };
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const lines[] = { cases[i].line, NULL };
        put_small();
        put_part(cases[i].part, lines);
        const int status = import(folder, NULL, &e);
        CHECK(status == ERR_FORMAT && strstr(e.text, cases[i].part) && strstr(e.text, cases[i].words),
              "case %zu: %d '%s' should say '%s'", i, status, e.text, cases[i].words);
    }
    put_small();
    stop_after = 3;
    CHECK(import(folder, NULL, &e) == ERR_IO && entities == 3 && relations == 0, "an error of the sink stops it");
    stop_after = 0;
    CHECK(import("/nonexistent", NULL, &e) == ERR_NOT_FOUND && strstr(e.text, "/nonexistent/data.noun"), "%s", e.text);
}

static void damage_never_faults(void)
{
    struct err e = { 0 };
    char path[128], file[1024];
    put_small();
    snprintf(path, sizeof path, "%s/data.noun", folder);
    FILE *f = fopen(path, "rb");
    if (!f) abort();
    const size_t size = fread(file, 1, sizeof file, f);
    fclose(f);
    size_t refused = 0;
    for (int trial = 0; trial < 500; trial++) {
        char copy[1024];
        memcpy(copy, file, size);
        copy[test_rand() % size] = (char)test_rand();
        const size_t kept = trial % 2 ? size : test_rand() % size;
        f = fopen(path, "wb");
        if (!f || fwrite(copy, 1, kept, f) != kept || fclose(f) != 0) abort();
        const int status = import(folder, NULL, &e);
        CHECK(status == ERR_OK || status == ERR_FORMAT, "%d %s", status, e.text);
        refused += status != ERR_OK;
    }
    CHECK(refused > 100, "only %zu of 500 damaged files were refused", refused);
}

static void the_real_one_is_whole(void)
{
    struct err e = { 0 };
    const char *from = importer_find("wordnet")->from;
    if (access(from, R_OK) != 0) SKIP("wordnet-base is not installed");
    CHECK(import(from, NULL, &e) == ERR_OK, "%s", e.text);
    CHECK(entities == 117659, "%zu synsets", entities);
    CHECK(relations == 377592, "%zu pointers", relations);
    CHECK(queries == 48345, "%zu examples", queries);
    CHECK(tunes > queries * 48 / 100 && tunes < queries * 52 / 100, "%zu of %zu in tune", tunes, queries);
}

int main(void)
{
    if (!mkdtemp(folder)) return TEST_FAIL;
    test_case("a small WordNet is read to the letter", small_one_is_read);
    test_case("pointers of unknown signs are kept and counted", unknown_signs_are_kept);
    test_case("bad files are refused by name, place and reason", bad_ones_are_refused);
    test_case("damaged files never fault", damage_never_faults);
    test_case("the real one: 117,659 synsets, 377,592 pointers, 48,345 examples", the_real_one_is_whole);
    text_free(&log_of);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
