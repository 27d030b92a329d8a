/* SPDX-License-Identifier: MIT
 * test_retrieval.c - a base for an item is made, asked and gone; its questions are dealt out, and none to both sides; what
 * is learnt from users' ids is read back; the files that an item leaves say what its rows say. */
#include "bench/papers/item.h"
#include "bench/papers/judge.h"
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
    char file[640], name[32], command[640];
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

/* --- what an item leaves behind --------------------------------------------------------------------------- */

static void run_item(const char *paper, const char *item, const char *data, const char *out, struct table *rows)
{
    const struct paper_asked asked = { .seeds = 2, .quick = 1, .threads = 1, .data = data, .out = out };
    struct run run;
    struct paper_plan plan = { 0 };
    struct err e = { 0 };
    size_t known = 0;
    int kept;
    char name[] = "paper", *const argv[] = { name };
    CHECK(run_init(&run, 1, argv, &e) == ERR_OK, "%s", e.text);
    while (paper_at(known) && strcmp(paper_at(known)->name, paper) != 0) known++;
    CHECK(paper_plan_init(&plan, paper_at(known), &e) == ERR_OK, "%s", e.text);
    CHECK(paper_item_run(&plan, item, &asked, &run, rows, &kept, &e) == ERR_OK && rows->count > 0, "%s", e.text);
    paper_plan_fini(&plan);
    run_fini(&run);
}

static char *text_at(const char *folder, const char *name)
{
    char path[256];
    unsigned char *bytes = NULL;
    size_t size = 0;
    struct err e = { 0 };
    snprintf(path, sizeof path, "%s/trec/%s", folder, name);
    CHECK(mem_read_file(&bytes, &size, path, &e) == ERR_OK, "%s", e.text);
    char *text = calloc(size + 1, 1);
    CHECK(text && bytes, "%s", path);
    if (text && bytes) memcpy(text, bytes, size);
    mem_free(bytes);
    return text;
}

/* Mean over the judged questions of the share of relevant documents that a run has at rank `cut` or above, of the lines
 * alone. */
static double recall_of(const char *qrels, const char *run, int cut)
{
    char question[64], document[64], before[64] = "", line[192];
    double sum = 0, questions = 0, relevant = 0, found = 0;
    for (const char *at = qrels; *at; at = strchr(at, '\n') + 1) {
        int grade, rank;
        CHECK(sscanf(at, "%63s 0 %63s %d\n", question, document, &grade) == 3 && grade == 1, "%.40s", at);
        if (strcmp(question, before) != 0) {
            sum += relevant > 0 ? found / relevant : 0;
            questions++;
            relevant = found = 0;
            snprintf(before, sizeof before, "%s", question);
        }
        snprintf(line, sizeof line, "\n%s\tQ0\t%s\t", question, document);
        const char *hit = strstr(run, line);
        if (!hit && strncmp(run, line + 1, strlen(line + 1)) == 0) hit = run - 1;
        found += hit && sscanf(hit + strlen(line), "%d", &rank) == 1 && rank <= cut;
        relevant++;
    }
    return (sum + (relevant > 0 ? found / relevant : 0)) / questions;
}

/* The rows of lightrag/weak_encoder, from the files that it leaves: R@10 with one hop less R@10 without. */
static void leaves_runs(void)
{
    static const char *const encoders[][2] = { { "encoder=1 bit;measure=recall@10;data=twohop", "1_bit" },
                                             { "encoder=exact;measure=recall@10;data=twohop", "exact" } };
    char folder[] = "/tmp/assay-runs-XXXXXX", name[128], command[128];
    struct table rows = { 0 };
    CHECK(mkdtemp(folder), "%s", folder);
    run_item("lightrag", "weak_encoder", "nowhere", folder, &rows);
    char *const qrels = text_at(folder, "lightrag_weak_encoder_twohop.qrels");
    for (size_t i = 0; i < 2; i++) {
        size_t row = 0, at = 0;
        double recall[2];
        for (int hop = 0; hop < 2; hop++) {
            snprintf(name, sizeof name, "lightrag_weak_encoder_twohop_%s_%s.run", encoders[i][1], hop ? "one_hop" : "vectors");
            char *const run = text_at(folder, name);
            recall[hop] = recall_of(qrels, run, 10);
            free(run);
        }
        for (; row < rows.count; row++)
            if (strcmp(table_text(&rows, row, table_column(&rows, "cell")), encoders[i][0]) == 0) at = row;
        const double ours = table_number(&rows, at, table_column(&rows, "ours"));
        CHECK(recall[1] > 0.1 && fabs(recall[1] - recall[0] - ours) < 1e-9, "%s: %.12g - %.12g of the files, %.12g of the row",
              encoders[i][0], recall[1], recall[0], ours);
    }
    free(qrels);
    table_free(&rows);
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0, "%s", command);
}

/* The same of sessions, which are no entities of a base; and weights that other conversations chose say so. */
static void leaves_sessions(void)
{
    char folder[] = "/tmp/assay-runs-XXXXXX", command[128];
    struct table rows = { 0 }, fused = { 0 };
    size_t said = 0;
    if (access("../shared/data/locomo/locomo10.json", R_OK) != 0) SKIP("needs ../shared/data/locomo");
    CHECK(mkdtemp(folder), "%s", folder);
    run_item("locomo", "sessions", "../shared/data", folder, &rows);
    char *const qrels = text_at(folder, "locomo_sessions_locomo.qrels"), *const run = text_at(folder, "locomo_sessions_locomo_bm25.run");
    const double recall = recall_of(qrels, run, 3);
    for (size_t i = 0; i < rows.count; i++)
        if (strcmp(table_text(&rows, i, table_column(&rows, "cell")), "retriever=bm25;measure=recall@3") == 0)
            CHECK(fabs(recall - table_number(&rows, i, table_column(&rows, "ours"))) < 1e-9, "%.12g of the files", recall);
    CHECK(recall > 0.5, "%g", recall);
    run_item("locomo", "parameters", "../shared/data", folder, &fused);
    for (size_t i = 0; i < fused.count; i++) {
        const int chosen = strstr(table_text(&fused, i, table_column(&fused, "cell")), "chosen by") != NULL;
        CHECK((table_number(&fused, i, table_column(&fused, "tuned")) > 0) == chosen, "row %zu: which questions chose?", i);
        said += (size_t)chosen;
    }
    CHECK(said == 1, "%zu rows of what was chosen", said);
    free(qrels);
    free(run);
    table_free(&rows);
    table_free(&fused);
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0, "%s", command);
}

/* --- what chose and what is reported ------------------------------------------------------------------------ */

/* A finding over the questions asked now, of which `share` chose something. */
static struct judged judged_over(struct retrieval *r, double share)
{
    static const char lines[] = "item\tclass\tcell\tvalue\tdigit\tunit\thow\twhere\trule\ttolerance\twhy\n"
                                "a\tR\tb=1\t1\t.1\t\tprinted\tt\twithin\t0\t\n";
    struct paper_table t;
    struct judge j;
    struct split split = { 0 };
    struct err e = { 0 };
    struct finding f = finding_of("b=1");
    f.ours = f.lo = f.hi = 1;
    CHECK(paper_table_read(&t, "x.tsv", lines, &e) == ERR_OK, "%s", e.text);
    judge_init(&j, &t, NULL, "a");
    CHECK(retrieval_part(r, share, 7, &e) == ERR_OK && retrieval_mark(r, &split, SPLIT_TUNED, &e) == ERR_OK, "%s", e.text);
    CHECK(retrieval_part(r, -0.5, 7, &e) == ERR_OK && retrieval_mark(r, &split, SPLIT_REPORTED, &e) == ERR_OK, "%s", e.text);
    split_say(&split, &f);
    CHECK(judge_add(&j, &f, &e) == ERR_OK && j.count == 1, "%s", e.text);
    const struct judged g = j.rows[0];
    judge_free(&j);
    paper_table_free(&t);
    split_free(&split);
    return g;
}

/* Halves share no question; a question that is let into both, if only under another name, makes the row void. */
static void a_leak_voids(void)
{
    struct retrieval r = { 0 };
    struct err e = { 0 };
    char command[1024];
    CHECK(retrieval_open(&r, &source, &e) == ERR_OK, "%s", e.text);
    struct judged g = judged_over(&r, 0.5);
    CHECK(g.verdict == VERDICT_AGREES && g.tuned > 0 && g.reported > 0, "%s, %zu chose, %zu reported", verdict_name(g.verdict), g.tuned,
          g.reported);
    g = judged_over(&r, 0.52); /* some of those that the other half has */
    CHECK(g.verdict == VERDICT_VOID && strstr(g.why, "both tuned and were reported on"), "%s: %s", verdict_name(g.verdict), g.why);
    /* The same question twice under two names is dealt to one half. */
    snprintf(command, sizeof command, "cd %s && cat query.tune.fvecs query.tune.fvecs > x && mv x query.tune.fvecs && sed 's/^/again-/' "
             "qrels.tune.txt | cat qrels.tune.txt - > x && mv x qrels.tune.txt && (seq 0 99; seq -f again-%%g 0 99) > query.tune.ids.txt",
             r.folder);
    CHECK(system(command) == 0 && retrieval_questions(&r, "tune", &e) == ERR_OK && r.set.queries.count == 200, "%s %zu", e.text,
          r.set.queries.count);
    g = judged_over(&r, 0.5);
    CHECK(g.verdict == VERDICT_AGREES && g.tuned > 0 && g.reported > 0, "twins: %s: %s", verdict_name(g.verdict), g.why);
    retrieval_close(&r);
}

/* What memrl learns and chooses from one half it reports over the other; and beside every mean is how it compares. */
static void memrl_is_split(void)
{
    char folder[] = "/tmp/assay-runs-XXXXXX", command[128];
    struct table rows = { 0 };
    size_t held_out = 0, chosen = 0, means = 0;
    CHECK(mkdtemp(folder), "%s", folder);
    run_item("memrl", "lambda", "nowhere", folder, &rows);
    for (size_t i = 0; i < rows.count; i++) {
        const char *cell = table_text(&rows, i, table_column(&rows, "cell"));
        const int says = table_number(&rows, i, table_column(&rows, "tuned")) > 0 && table_number(&rows, i, table_column(&rows, "reported")) > 0;
        const int is_counted = table_number(&rows, i, table_column(&rows, "wins")) > 0 && table_number(&rows, i, table_column(&rows, "p")) > 0;
        const int is_number = strstr(cell, "quantity=") != NULL || !isfinite(table_number(&rows, i, table_column(&rows, "ours")));
        if (is_number) continue;
        CHECK(says == (strstr(cell, "held out") != NULL), "%s: which questions chose?", cell);
        CHECK(is_counted == !strstr(cell, "lambda=0;"), "%s: wins, ties, losses and p", cell);
        held_out += (size_t)says, means += (size_t)is_counted, chosen += strstr(cell, "chosen-0") != NULL;
    }
    CHECK(held_out == 8 && means == 13 && chosen == 1, "%zu held out, %zu counted, %zu chosen", held_out, means, chosen);
    table_free(&rows);
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0, "%s", command);
}

/* Four facts of words of their own, and a question of each. */
static int four_facts(void *context, const struct kb_sink *sink, struct err *e)
{
    static const char *const texts[] = { "granite quarry", "violin sonata", "harbour lighthouse", "maple syrup" };
    int *asked = context, status = ERR_OK;
    for (int64_t i = 0; status == ERR_OK && i < 4; i++) status = sink->entity(sink->context, i + 1, "fact", texts[i], "{}", texts[i], e);
    for (int64_t i = 0; status == ERR_OK && i < 4; i++) {
        const struct kb_label label = { .id = i + 1, .grade = 1 };
        status = sink->query(sink->context, i, NULL, texts[i], NULL, 0, &label, 1, e);
        ++*asked;
    }
    return status;
}

/* A source of an item's own; the first questions alone; and a user's folder, which stays. */
static void takes_other_sources(void)
{
    struct retrieval own = { 0 }, user = { 0 };
    struct err e = { 0 };
    double values[8];
    int asked = 0;
    char folder[sizeof own.folder];
    const struct retrieval_source facts = { .fill = four_facts, .context = &asked, .questions = 3 };
    CHECK(retrieval_open(&own, &facts, &e) == ERR_OK, "%s", e.text);
    CHECK(asked == 4 && own.all.queries.count == 4 && own.set.queries.count == 3, "%zu of %zu questions", own.set.queries.count,
          own.all.queries.count);
    CHECK(retrieval_ask(&own, 1, &e, "%s", PLAIN) == ERR_OK, "%s", e.text);
    CHECK(retrieval_at(&own, metric_success_at, 1, values) == 3 && values[0] + values[1] + values[2] == 3, "%g %g %g", values[0], values[1],
          values[2]);
    const struct retrieval_source same = { .folder = own.folder };
    CHECK(retrieval_open(&user, &same, &e) == ERR_OK && user.set.queries.count == 4, "%s", e.text);
    CHECK(retrieval_ask(&user, 1, &e, "%s", PLAIN) == ERR_OK && retrieval_at(&user, metric_success_at, 1, values) == 4, "%s", e.text);
    snprintf(folder, sizeof folder, "%s", own.folder);
    retrieval_close(&user);
    CHECK(access(folder, F_OK) == 0, "%s is gone, a user's folder", folder);
    retrieval_close(&own);
    CHECK(access(folder, F_OK) != 0, "%s is left", folder);
}

/* What a cache that goes by count and sum misses, and what ours answers. */
static void cache_goes_unnoticed(void)
{
    char folder[] = "/tmp/assay-stale-XXXXXX", command[128];
    struct table rows = { 0 };
    CHECK(mkdtemp(folder), "%s", folder);
    run_item("engine", "staleness", "nowhere", folder, &rows);
    CHECK(rows.count == 6, "%zu rows", rows.count);
    for (size_t i = 0; i < rows.count; i++) {
        const char *cell = table_text(&rows, i, table_column(&rows, "cell"));
        const double ours = table_number(&rows, i, table_column(&rows, "ours"));
        const int notices = strstr(cell, "by ours") || strstr(cell, "taken away");
        CHECK(ours == notices, "%s: %g", cell, ours);
    }
    table_free(&rows);
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0, "%s", command);
}

/* What depends on the wrong memories loses trust, and answers are better for it. */
static void ripple_is_read(void)
{
    char folder[] = "/tmp/assay-ripple-XXXXXX", command[128];
    struct table rows = { 0 };
    double least = (double)NAN;
    CHECK(mkdtemp(folder), "%s", folder);
    run_item("smartvector", "ripple", "nowhere", folder, &rows);
    for (size_t i = 0; i < rows.count; i++)
        if (strncmp(table_text(&rows, i, table_column(&rows, "cell")), "contrast=", 9) == 0)
            least = table_number(&rows, i, table_column(&rows, "ours_lo"));
    CHECK(rows.count == 3 && least > 0.2, "%zu rows, at least %g", rows.count, least);
    table_free(&rows);
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0, "%s", command);
}

/* A base of which the first 40 questions are asked has no more in its two halves. */
static void halves_are_of_what_is_asked(void)
{
    const struct retrieval_source from = { .generator = "twohop", .params = "n=500,queries=200", .questions = 40 };
    struct retrieval base = { 0 };
    struct err e = { 0 };
    size_t dealt = 0;
    CHECK(retrieval_open(&base, &from, &e) == ERR_OK && base.set.queries.count == 40, "%s: %zu", e.text, base.set.queries.count);
    for (int half = -1; half <= 1; half += 2) {
        CHECK(retrieval_part(&base, half * 0.5, 1, &e) == ERR_OK, "%s", e.text);
        dealt += base.set.queries.count;
    }
    CHECK(dealt == 40, "%zu of 40", dealt);
    retrieval_close(&base);
}

int main(void)
{
    test_case("sources of an item's own, the first questions, a user's folder", takes_other_sources);
    test_case("changes that count and sum do not show, ours notices", cache_goes_unnoticed);
    test_case("ripple: written along dependencies, read by score=smart", ripple_is_read);
    test_case("memrl says which half chose; beside a mean are wins, ties, losses and p", memrl_is_split);
    test_case("an item leaves runs and labels, from which its numbers follow", leaves_runs);
    test_case("sessions: the same; what other conversations chose says so", leaves_sessions);
    test_case("a question that chose and is reported on voids a row", a_leak_voids);
    test_case("asked, dealt out, gone", asks_and_cleans_up);
    test_case("what is learnt goes by the user's ids", learns_by_own_ids);
    test_case("halves are of the questions that are asked", halves_are_of_what_is_asked);
    return test_end();
}
