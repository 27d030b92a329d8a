/* SPDX-License-Identifier: MIT
 * test_retrieval.c - a base for an item is made, asked and gone; its questions are dealt out; what is learnt from users'
 * ids is read back. */
#include "bench/papers/retrieval.h"
#include "bench/points/rag_learn.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include "pipeline/store.h"
#include <math.h>

static const struct retrieval_source source = { .generator = "rewards", .split = "tune",
                                                .params = "n=300,dim=16,situations=20,queries=200,similarity=0.9" };
#define PLAIN "retrieve=exact expand=none graph_weight=0 min_combined_score=-1e9"

static void asks_and_cleans_up(void)
{
    struct retrieval r = { 0 };
    struct err e = { 0 };
    double values[256], rest[256];
    char folder[sizeof r.folder];
    CHECK(retrieval_open(&r, &source, &e) == ERR_OK, "%s", e.text);
    snprintf(folder, sizeof folder, "%s", r.folder);
    CHECK(r.set.queries.count == 100, "%zu questions of the half", r.set.queries.count);
    CHECK(retrieval_ask(&r, 5, &e, "%s", PLAIN) == ERR_OK, "%s", e.text);
    const size_t all = retrieval_at(&r, metric_success_at, 5, values), named = retrieval_metric(&r, "label_recall_at_5", rest);
    CHECK(all > 50 && named == all, "%zu and %zu have labels", all, named);
    for (size_t i = 0; i < all; i++) CHECK(rest[i] <= 1 && (rest[i] > 0) == (values[i] > 0), "question %zu", i);
    CHECK(retrieval_ask(&r, 5, &e, "%s nonsense=1", PLAIN) != ERR_OK && strstr(e.text, "nonsense"), "%s", e.text);
    CHECK(retrieval_part(&r, 0.5, 7, &e) == ERR_OK && retrieval_ask(&r, 5, &e, "%s", PLAIN) == ERR_OK, "%s", e.text);
    const size_t some = retrieval_at(&r, metric_success_at, 5, values);
    CHECK(retrieval_part(&r, -0.5, 7, &e) == ERR_OK && retrieval_ask(&r, 5, &e, "%s", PLAIN) == ERR_OK, "%s", e.text);
    const size_t others = retrieval_at(&r, metric_success_at, 5, values);
    CHECK(some + others == all && some > 0 && others > 0, "%zu and %zu of %zu", some, others, all);
    retrieval_close(&r);
    CHECK(access(folder, F_OK) != 0, "%s is left", folder);
    const struct retrieval_source wrong = { .generator = "rewards", .params = "n=-1" };
    CHECK(retrieval_open(&r, &wrong, &e) == ERR_ARG && strstr(e.text, "n="), "%s", e.text);
    snprintf(folder, sizeof folder, "%s", r.folder);
    retrieval_close(&r);
    CHECK(access(folder, F_OK) != 0, "%s is left", folder);
}

/* Utilities go by the ids that the user knows: they were written by numbers, which no base of text ids reads back. */
static void learns_by_own_ids(void)
{
    static const char *const settings[] = { "retrieve=exact", "rerank=memrl", "expand=none", "graph_weight=0", "min_combined_score=-1e9" };
    const struct rag_point point = { settings, 5, "", 1, 1 };
    struct retrieval r = { 0 };
    struct rag_lesson lesson;
    struct store *store = NULL;
    struct err e = { 0 };
    char file[160], name[32], command[256];
    unsigned char *bytes = NULL;
    size_t size = 0;
    CHECK(retrieval_open(&r, &source, &e) == ERR_OK, "%s", e.text);
    CHECK(store_open(&store, r.db, STORE_WRITE, &e) == ERR_OK, "%s", e.text);
    for (int64_t i = 1; i <= 100; i++) {
        snprintf(name, sizeof name, "memory-%d", (int)i);
        CHECK(store_set_id(store, i, name, &e) == ERR_OK, "%s", e.text);
    }
    CHECK(store_commit(store, &e) == ERR_OK, "%s", e.text);
    store_close(store);
    snprintf(command, sizeof command, "sed -i 's/\\t0\\t/\\t0\\tmemory-/' %s/qrels.tune.txt", r.folder);
    CHECK(system(command) == 0 && retrieval_questions(&r, "tune", &e) == ERR_OK, "%s", e.text);
    snprintf(file, sizeof file, "%s/utilities", r.folder);
    CHECK(rag_learn(&r.set, &point, 2, file, &lesson, &e) == ERR_OK && lesson.entities > 10, "%s", e.text);
    CHECK(mem_read_file(&bytes, &size, file, &e) == ERR_OK && size > 7 && memcmp(bytes, "memory-", 7) == 0, "%s", e.text);
    mem_free(bytes);
    CHECK(retrieval_ask(&r, 1, &e, "retrieve=exact rerank=memrl expand=none utility_file=%s", file) == ERR_OK, "%s", e.text);
    retrieval_close(&r);
}

int main(void)
{
    test_case("asked, dealt out, gone", asks_and_cleans_up);
    test_case("what is learnt goes by the user's ids", learns_by_own_ids);
    return test_end();
}
