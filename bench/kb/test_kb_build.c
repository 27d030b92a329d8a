/* SPDX-License-Identifier: MIT
 * test_kb_build.c - what a source delivers arrives: in the base, in the query files; embedded texts find
 * themselves; nothing is left behind by a source that fails. */
#include "bench/kb/kb_build.h"
#include "bench/quality/queries.h"
#include "kernels/base/faults.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"
#include "pipeline/pipeline.h"
#include "pipeline/store.h"
#include <errno.h>
#include <math.h>

static char folder[] = "/tmp/assay-test-XXXXXX";
static const char *path_of(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ & 3];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static const char *const texts[] = {
    "a small domesticated feline", "a large dog that guards houses", "the sea at low tide", "a house by the sea",
};
enum { TEXTS = 4 };

static int open_in(struct kb_build **b, const char *sub, struct err *e)
{
    const struct kb_build_options options = { .folder = path_of(sub), .what = "test", .dim = 64, .seed = 5, .threads = 2 };
    return kb_build_open(b, &options, e);
}

static int send_texts(const struct kb_sink *s, struct err *e)
{
    int status = ERR_OK;
    for (int i = 0; status == ERR_OK && i < TEXTS; i++)
        status = s->entity(s->context, 10 + i, "thing", i == 1 ? "quo\"te" : "plain", i ? NULL : "{\"a\":1}", texts[i], e);
    if (status == ERR_OK) status = s->relation(s->context, 10, 13, "near", 0.5, NULL, e);
    for (int i = 0; status == ERR_OK && i < TEXTS; i++) {
        const struct kb_label relevant[2] = { { .id = 10 + i, .grade = 1 }, { .id = 10, .grade = 3 } };
        status = s->query(s->context, 100 + i, i % 2 ? "tune" : "report", texts[i], NULL, 0, relevant, i ? 2 : 1, e);
    }
    return status;
}

static void texts_arrive(void)
{
    struct kb_build *b = NULL;
    struct kb_build_counts n = { 0 };
    struct err e = { 0 };
    CHECK(open_in(&b, "texts/deeper", &e) == ERR_OK, "%s", e.text);
    const struct kb_sink sink = kb_build_sink(b);
    CHECK(send_texts(&sink, &e) == ERR_OK, "%s", e.text);
    CHECK(access(path_of("texts/deeper/kb.sqlite"), F_OK) != 0, "nothing appears before the end");
    CHECK(access(path_of("texts/deeper/queries.tune.jsonl"), F_OK) != 0, "nothing appears before the end");
    CHECK(kb_build_commit(b, &n, &e) == ERR_OK, "%s", e.text);
    kb_build_close(b);
    CHECK(n.entities == 4 && n.vectors == 4 && n.relations == 1 && n.queries == 4 && n.words == 15, "%llu words",
          (unsigned long long)n.words);
    struct queries q = { 0 };
    CHECK(queries_open(&q, path_of("texts/deeper/queries.tune.jsonl"), &e) == ERR_OK, "%s", e.text);
    CHECK(queries_label(&q, path_of("texts/deeper/qrels.tune.txt"), NULL, 0, &e) == ERR_OK, "%s", e.text);
    size_t labels = 0;
    CHECK(q.count == 2 && q.ids[0] == 101 && strcmp(q.texts[1], texts[3]) == 0, "queries");
    const struct label *l = queries_labels(&q, 0, &labels);
    CHECK(l && labels == 2 && l[0].id == 10 && l[0].grade == 3, "labels, highest grade first");
    queries_close(&q);
}

/* A text asked again is its own nearest: what the builder embeds and what embed_rp does are one. */
static void texts_find_themselves(void)
{
    struct pipeline *p = NULL;
    struct err e = { 0 };
    struct answer a;
    const char *const settings[] = { "embed=rp" };
    CHECK(pipeline_open(&p, path_of("texts/deeper/kb.sqlite"), settings, 1, NULL, &e) == ERR_OK, "%s", e.text);
    for (int i = 0; p && i < TEXTS; i++) {
        const struct question q = { .text = texts[i] };
        CHECK(pipeline_query(p, &q, 1, &a, &e) == ERR_OK, "%s", e.text);
        CHECK(a.count == 1 && a.results[0].id == 10 + i && fabs(a.results[0].vector_score - 1) < 1e-6, "'%s' finds %lld",
              texts[i], (long long)a.results[0].id);
    }
    pipeline_close(p);
}

static void vectors_arrive(void)
{
    const float x[3][2] = { { 1, 0 }, { 0, 1 }, { 0.5f, -0.25f } };
    struct kb_build *b = NULL;
    struct kb_build_counts n = { 0 };
    struct err e = { 0 };
    CHECK(open_in(&b, "vectors", &e) == ERR_OK, "%s", e.text);
    const struct kb_sink s = kb_build_sink(b);
    int status = ERR_OK;
    for (int i = 0; i < 3; i++) status |= s.entity(s.context, i + 1, "thing", "plain", "{}", NULL, &e);
    for (int i = 0; i < 3; i++) status |= s.vector(s.context, i + 1, x[i], 2, &e);
    for (int i = 0; i < 3; i++) status |= s.query(s.context, i, NULL, NULL, x[2 - i], 2, NULL, 0, &e);
    CHECK(status == ERR_OK && kb_build_commit(b, &n, &e) == ERR_OK, "%s", e.text);
    kb_build_close(b);
    struct dataset d = { 0 };
    CHECK(dataset_open(&d, path_of("vectors/query.fvecs"), &e) == ERR_OK && d.rows.count == 3, "%s", e.text);
    CHECK(memcmp(rows_at(d.rows, 0), x[2], sizeof x[2]) == 0, "query 0");
    dataset_close(&d);
    CHECK(access(path_of("vectors/qrels.txt"), F_OK) != 0, "no labels, no qrels");
    struct store *store = NULL;
    struct vectors v = { 0 };
    CHECK(store_open(&store, path_of("vectors/kb.sqlite"), STORE_READ, &e) == ERR_OK, "%s", e.text);
    CHECK(store_vectors(store, &v, &e) == ERR_OK && v.rows.count == 3, "%s", e.text);
    CHECK(memcmp(rows_at(v.rows, 2), x[2], sizeof x[2]) == 0, "vector 3");
    vectors_free(&v);
    store_close(store);
    struct pipeline *p = NULL;
    const char *const settings[] = { "embed=rp" };
    const struct question text = { .text = "what" };
    struct answer a;
    status = pipeline_open(&p, path_of("vectors/kb.sqlite"), settings, 1, NULL, &e);
    if (status == ERR_OK) status = pipeline_query(p, &text, 1, &a, &e);
    CHECK(status == ERR_NOT_FOUND && strstr(e.text, "was not embedded by rp"), "%d %s", status, e.text);
    pipeline_close(p);
}

static void failures_leave_nothing(void)
{
    struct kb_build *b = NULL;
    struct kb_build_counts n;
    struct err e = { 0 };
    CHECK(open_in(&b, "vectors", &e) == ERR_ARG && strstr(e.text, "kb.sqlite"), "what exists is refused: %s", e.text);
    CHECK(open_in(&b, "bad", &e) == ERR_OK, "%s", e.text);
    struct kb_sink s = kb_build_sink(b);
    CHECK(send_texts(&s, &e) == ERR_OK, "%s", e.text);
    CHECK(s.relation(s.context, 10, 99, "near", 1, NULL, &e) == ERR_ARG && strstr(e.text, "99"), "%s", e.text);
    kb_build_close(b);
    CHECK(rmdir(path_of("bad")) == 0, "a source that fails leaves an empty folder");
    CHECK(open_in(&b, "bad", &e) == ERR_OK, "%s", e.text);
    s = kb_build_sink(b);
    CHECK(send_texts(&s, &e) == ERR_OK, "%s", e.text);
    /* A split too many, and no memory to embed. */
    int status = ERR_OK;
    for (int i = 0; i < 3; i++) {
        const char name[2] = { (char)('a' + i), 0 };
        status = s.query(s.context, 200 + i, name, "text", NULL, 0, NULL, 0, &e);
    }
    CHECK(status == ERR_FORMAT && strstr(e.text, "splits"), "%s", e.text);
    fault_after(FAULT_MEMORY, 1, ENOMEM);
    CHECK(kb_build_commit(b, &n, &e) == ERR_MEM, "%s", e.text);
    fault_after(FAULT_NONE, 0, 0);
    kb_build_close(b);
    CHECK(rmdir(path_of("bad")) == 0, "nothing is left");
    const struct kb_build_options file = { .folder = path_of("vectors/kb.sqlite"), .what = "test", .threads = 1 };
    CHECK(kb_build_open(&b, &file, &e) == ERR_IO && strstr(e.text, "kb.sqlite"), "%s", e.text);
    kb_build_close(NULL);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s", path);
}

static int holds(const char *path, const char *text)
{
    char got[64] = { 0 };
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    const size_t size = fread(got, 1, sizeof got - 1, f);
    fclose(f);
    return size == strlen(text) && strcmp(got, text) == 0;
}

/* Query files that are there, by whoever, stay as they are; those of a base that cannot be made do not. */
static void nothing_is_overwritten(void)
{
    struct kb_build *b = NULL;
    struct kb_build_counts n;
    struct err e = { 0 };
    CHECK(make_folder(path_of("full"), &e) == ERR_OK, "%s", e.text);
    write_file(path_of("full/queries.tune.jsonl"), "mine");
    CHECK(open_in(&b, "full", &e) == ERR_OK, "%s", e.text);
    struct kb_sink s = kb_build_sink(b);
    CHECK(send_texts(&s, &e) == ERR_ARG && strstr(e.text, "queries.tune.jsonl: exists already"), "%s", e.text);
    kb_build_close(b);
    CHECK(unlink(path_of("full/queries.tune.jsonl")) == 0, "it was there");

    CHECK(open_in(&b, "full", &e) == ERR_OK, "%s", e.text); /* what appears in the meantime */
    s = kb_build_sink(b);
    CHECK(send_texts(&s, &e) == ERR_OK, "%s", e.text);
    write_file(path_of("full/qrels.tune.txt"), "mine");
    CHECK(kb_build_commit(b, &n, &e) == ERR_ARG && strstr(e.text, "qrels.tune.txt: exists already"), "%s", e.text);
    kb_build_close(b);
    CHECK(holds(path_of("full/qrels.tune.txt"), "mine") && unlink(path_of("full/qrels.tune.txt")) == 0, "as it was");
    CHECK(rmdir(path_of("full")) == 0, "and nothing else");

    CHECK(open_in(&b, "full", &e) == ERR_OK, "%s", e.text);
    s = kb_build_sink(b);
    CHECK(send_texts(&s, &e) == ERR_OK, "%s", e.text);
    write_file(path_of("full/kb.sqlite"), "mine");
    CHECK(kb_build_commit(b, &n, &e) == ERR_ARG && strstr(e.text, "kb.sqlite: exists already"), "%s", e.text);
    kb_build_close(b);
    CHECK(holds(path_of("full/kb.sqlite"), "mine") && unlink(path_of("full/kb.sqlite")) == 0, "as it was");
    CHECK(rmdir(path_of("full")) == 0, "the query files are gone with the base that they were for");
}

int main(void)
{
    if (!mkdtemp(folder)) return TEST_FAIL;
    test_case("texts arrive: entities, words, queries by split", texts_arrive);
    test_case("a text asked again finds itself", texts_find_themselves);
    test_case("vectors arrive; a base without words says so", vectors_arrive);
    test_case("failures leave nothing behind", failures_leave_nothing);
    test_case("nothing is overwritten", nothing_is_overwritten);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
