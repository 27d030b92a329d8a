/* SPDX-License-Identifier: MIT
 * cmd_rag.c - a pipeline over a file of questions. */
#include "bench/command.h"
#include "bench/points/rag.h"
#include "bench/points/rag_judge.h"
#include "bench/points/rag_learn.h"
#include "bench/points/rag_row.h"
#include "bench/points/rag_trec.h"
#include "bench/rows/sink.h"
#include "bench/rows/strata.h"
#include "kernels/base/option.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* TRUTH_DEPTH: exact neighbours of each question that stage one is held to, at least. */
enum { TRUTH_DEPTH = 100, CUTS_MOST = 32 };

struct request {
    const char *kb, *query, *query_ids, *qrels, *kernel, *out;
    int drop;
    struct option_list settings;
    int64_t k, threads, least_calls, reps;
    const char *run_file, *qrels_out, *utility;
    int64_t epochs;
    double held_out; /* 0: nothing */
    const char *cuts;
    size_t cut[CUTS_MOST], cut_count;
    int json, ceiling;
};

/* "2,5,10" */
static int parse_cuts(struct request *r, struct err *e)
{
    if (!r->qrels) return FAIL(e, ERR_ARG, "--cuts needs --qrels: without labels nothing is known of them");
    for (const char *at = r->cuts; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        char one[16];
        int64_t cut;
        snprintf(one, sizeof one, "%.*s", (int)strcspn(at, ","), at);
        if (!text_to_i64(one, &cut) || cut < 1) return FAIL(e, ERR_ARG, "--cuts %s: '%s' is not a number of results", r->cuts, one);
        if (cut > r->k) return FAIL(e, ERR_ARG, "--cuts %s: beyond the %lld results of -k", one, (long long)r->k);
        if (r->cut_count == CUTS_MOST) return FAIL(e, ERR_ARG, "--cuts: more than %d", CUTS_MOST);
        r->cut[r->cut_count++] = (size_t)cut;
    }
    return ERR_OK;
}

static int parse(int argc, char **argv, struct request *r, struct err *e)
{
    int trust = 0;
    const struct option options[] = {
        { "--kb", OPTION_TEXT, &r->kb, 0, 0 },
        { "--query", OPTION_TEXT, &r->query, 0, 0 },
        { "--query-ids", OPTION_TEXT, &r->query_ids, 0, 0 },
        { "--qrels", OPTION_TEXT, &r->qrels, 0, 0 },
        { "--drop-unjudgeable", OPTION_FLAG, &r->drop, 0, 0 },
        { "--set", OPTION_LIST, &r->settings, 0, 0 },
        { "--kernel", OPTION_TEXT, &r->kernel, 0, 0 },
        { "-k", OPTION_INT, &r->k, 1, 1e6 },
        { "--threads", OPTION_INT, &r->threads, 1, 256 },
        { "--min-calls", OPTION_INT, &r->least_calls, 1, 1e8 },
        { "--reps", OPTION_INT, &r->reps, 1, 1000 },
        { "--json", OPTION_FLAG, &r->json, 0, 0 },
        { "--out", OPTION_TEXT, &r->out, 0, 0 },
        { "--run", OPTION_TEXT, &r->run_file, 0, 0 },
        { "--qrels-out", OPTION_TEXT, &r->qrels_out, 0, 0 },
        { "--cuts", OPTION_TEXT, &r->cuts, 0, 0 },
        { "--learn", OPTION_INT, &r->epochs, 1, 1e6 },
        { "--held-out", OPTION_REAL, &r->held_out, 0.01, 0.99 },
        { "--utility", OPTION_TEXT, &r->utility, 0, 0 },
        { "--ceiling", OPTION_FLAG, &r->ceiling, 0, 0 },
        { "--trust", OPTION_FLAG, &trust, 0, 0 },
        { 0 },
    };
    const int status = options_parse(argc, argv, options, NULL, e);
    if (status != ERR_OK) return status;
    trust_base(&r->settings, trust);
    if (!r->kb) return FAIL(e, ERR_ARG, "--kb DB is missing");
    if (!r->query) return FAIL(e, ERR_ARG, "--query FILE is missing");
    if (r->qrels_out && !r->qrels) return FAIL(e, ERR_ARG, "--qrels-out needs --qrels: there are no labels to write");
    if (!r->epochs != !r->utility)
        return FAIL(e, ERR_ARG, "--learn N and --utility FILE go together: what is learnt is written there");
    if (r->held_out > 0 && !r->epochs)
        return FAIL(e, ERR_ARG, "--held-out X goes with --learn: what is measured only is not learnt from");
    return r->cuts ? parse_cuts(r, e) : ERR_OK;
}

/* "96.5", or "-" for an empty cell. */
static const char *cell(const struct row *row, const char *name, int digits, char out[32])
{
    double value;
    if (text_to_f64(row_get(row, name), &value)) snprintf(out, 32, "%.*f", digits, value);
    else snprintf(out, 32, "-");
    return out;
}

static void print_stages(const struct rag_arm *a, const struct row *row)
{
    double sum = 0;
    printf("\n  %-9s %-14s %10s %12s\n", "stage", "by", "us", "hands on");
    for (int s = 0; s < SLOT_COUNT; s++) {
        const char *slot = slot_name((enum slot)s);
        printf("  %-9s %-14s %10.1f %12.1f\n", slot, row_get(row, slot), a->stage_us[s], a->out[s]);
        sum += a->stage_us[s];
    }
    const double mean = atof(row_get(row, "lat_mean_us"));
    printf("  %-9s %-14s %10.1f\n", "fetch", "text", a->fetch_us);
    printf("  %-9s %-14s %10.1f\n", "the rest", "transaction", mean - sum - a->fetch_us);
    printf("  %-9s %-14s %10.1f\n", "mean", "", mean);
}

/* How much of what is relevant each stage leaves to the next, and what each hop of the graph adds. */
static void print_labels(const struct rag_set *s, const struct rag_arm *a, const struct row *row)
{
    char c[8][32];
    if (!s->queries.label_start) return;
    printf("  labels     recall@10 %s (all of it for %s), MRR %s, nDCG@10 %s, P@10 %s, MAP %s, first is relevant %s\n",
           cell(row, "label_recall_at_10", 4, c[0]), cell(row, "label_all_recall_at_10", 4, c[1]),
           cell(row, "label_mrr", 4, c[2]), cell(row, "label_ndcg_at_10", 4, c[3]), cell(row, "label_p_at_10", 4, c[4]),
           cell(row, "label_map", 4, c[5]), cell(row, "label_success_at_1", 4, c[6]));
    printf("  ceilings   of the relevant, %s are candidates, %s after rerank, %s in the pool; the filter costs %s\n",
           cell(row, "label_candidate_recall", 4, c[0]), cell(row, "label_rerank_recall", 4, c[1]),
           cell(row, "label_pool_recall", 4, c[2]), cell(row, "label_filter_loss", 4, c[3]));
    if (a->depth)
        printf("\n  %-9s %10s %10s %12s %14s %12s\n", "graph", "edges", "new", "relevant new", "per 1000 edges", "per ms");
    for (int d = 1; d <= a->depth; d++) {
        const struct rag_hop *h = &a->hops[d], *before = h - 1;
        const double edges = h->edges - before->edges, us = h->us - before->us, found = h->relevant - before->relevant;
        printf("  hop %-5d %10.1f %10.1f %12.4f", d, edges, h->entities - before->entities, found);
        if (edges > 0) printf(" %14.3f", 1e3 * found / edges);
        else printf(" %14s", "-");
        if (us > 0) printf(" %12.3f\n", 1e3 * found / us);
        else printf(" %12s\n", "-");
    }
}

static void print_cuts(const struct request *r, const struct rag_set *s, const struct rag_arm *a)
{
    double means[RAG_CUTS];
    printf("\n  %-9s", "at");
    for (size_t m = 0; metric_cut_at(m); m++) printf(" %10s", metric_cut_at(m)->name);
    for (size_t c = 0; c < r->cut_count; c++) {
        rag_cut(s, a, r->cut[c], means);
        printf("\n  %-9zu", r->cut[c]);
        for (size_t m = 0; metric_cut_at(m); m++) printf(" %10.4f", means[m]);
    }
    printf("\n");
}

/* An object of its own: a row has the columns of every other row. */
static void print_cuts_json(const struct request *r, const struct rag_set *s, const struct rag_arm *a, const char *id)
{
    double means[RAG_CUTS];
    printf("{\"point_id\":\"%s\"", id);
    for (size_t c = 0; c < r->cut_count; c++) {
        rag_cut(s, a, r->cut[c], means);
        for (size_t m = 0; metric_cut_at(m); m++) {
            printf(",\"label_%s_at_%zu\":", metric_cut_at(m)->name, r->cut[c]);
            if (isnan(means[m])) printf("null");
            else printf("%.9g", means[m]);
        }
    }
    printf("}\n");
}

/* Of the labels where there are any, else of stage one. */
static void print_strata(const struct rag_arm *a, const struct row *row)
{
    struct text out = { 0 };
    const char *metric = *row_get(row, "label_recall_at_10") ? "label_recall_at_10" : "recall_strict";
    if (a->quality.query_count >= STRATA_QUERIES) strata_lines(&out, &a->quality, metric);
    if (out.size) printf("\n  a fifth of the questions each, by how hard they are, the easiest first; [95 %% over those]\n%s", text_of(&out));
    if (a->quality.hard && a->quality.hard->in_base)
        printf("  %zu of the questions are vectors of the base themselves, bit for bit: each finds itself\n", a->quality.hard->in_base);
    text_free(&out);
}

static void print_point(const struct rag_set *s, const struct rag_arm *a, const struct row *row)
{
    char c[8][32];
    printf("%s: %zu vectors x %zu, %zu questions, k=%zu, threads %d\n\n", s->name, s->base_count,
           s->dim, s->queries.count, a->point.k, a->point.threads);
    printf("  index      %s, %s bytes a vector\n", *row_get(row, "index") ? row_get(row, "index") : "none",
           cell(row, "bytes_per_vector", 0, c[0]));
    printf("  latency    p50 %s us, p95 %s us, p99 %s us [%s, %s], %s questions/s, %s calls\n",
           cell(row, "lat_p50_us", 1, c[0]), cell(row, "lat_p95_us", 1, c[1]),
           cell(row, "lat_p99_us", 1, c[2]), cell(row, "lat_p99_lo_us", 1, c[3]),
           cell(row, "lat_p99_hi_us", 1, c[4]), cell(row, "qps", 0, c[5]), row_get(row, "lat_n"));
    printf("  stage one  recall %s (tie-aware %s, p5 %s); %s of the exact %zu among all candidates",
           cell(row, "recall_strict", 4, c[0]), cell(row, "recall_tie", 4, c[1]), cell(row, "recall_p5", 2, c[2]),
           cell(row, "candidate_recall", 4, c[3]), a->point.k);
    if (*row_get(row, "code_ceiling")) printf("; exact over the codes %s", cell(row, "code_ceiling", 4, c[4]));
    printf("\n");
    printf("  answer     agree_at_10 %s with an exact stage one, churn_at_10 %s against no expansion\n",
           cell(row, "agree_at_10", 4, c[0]), cell(row, "churn_at_10", 4, c[1]));
    print_labels(s, a, row);
    print_strata(a, row);
    print_stages(a, row);
}

/* The questions, and where some are held out from what is learnt: all, those learnt from, those not. */
struct parts {
    struct rag_set all, taught, held_out;
};

static void note_learning(struct run *run, const struct request *r, const struct parts *p)
{
    if (!r->epochs) return;
    if (r->held_out > 0)
        run_note(run, "learnt", "from the %zu questions of data %016llx, %lld times each; held out: the %zu of data %016llx",
                 p->taught.queries.count, (unsigned long long)p->taught.hash, (long long)r->epochs,
                 p->held_out.queries.count, (unsigned long long)p->held_out.hash);
    else
        run_note(run, "learnt", "from the measured questions themselves, %lld times each: label_* say how well they were "
                                "learnt, not what to expect of others", (long long)r->epochs);
}

/* The last value that is given to a slot; NULL: none. */
static const char *given(const struct request *r, const char *slot)
{
    const char *last = NULL;
    const size_t size = strlen(slot);
    for (int i = 0; i < r->settings.count; i++)
        if (strncmp(r->settings.at[i], slot, size) == 0 && r->settings.at[i][size] == '=') last = r->settings.at[i] + size + 1;
    return last;
}

/* Whose scores order the answers, where it is not the retriever's that was asked for. */
static void note_order(struct run *run, const struct request *r)
{
    const char *retrieve = given(r, "retrieve"), *rerank = given(r, "rerank");
    if (!retrieve || strcmp(retrieve, "index") == 0 || (rerank && strcmp(rerank, "none") == 0)) return;
    run_note(run, "order", "rerank=%s replaces the order of retrieve=%s, which rerank=none would keep%s", rerank ? rerank : "cosine",
             retrieve, !rerank && strcmp(retrieve, "bm25") == 0
                 ? "; of a base without an embedder for words it is kept, and the row says rerank none" : "");
}

static int open_sink(struct sink *o, const struct request *r, const struct parts *p, int argc, char **argv,
                     struct err *e)
{
    const struct rag_set *s = &p->all;
    int status = sink_init(o, argc, argv, r->json, r->out, e);
    if (status == ERR_OK) status = rag_layout(&o->layout, e);
    if (status != ERR_OK) return status;
    run_note(&o->run, "dataset", "%s, with questions and labels %016llx", s->name, (unsigned long long)s->hash);
    note_learning(&o->run, r, p);
    rag_set_note(s, &o->run);
    note_order(&o->run, r);
    struct text doubt = { 0 };
    if (given(r, "index")) index_doubt(given(r, "index"), s->base_count, &doubt);
    if (doubt.size) run_note(&o->run, "doubt", "%s", text_of(&doubt));
    text_free(&doubt);
    return sink_create(o, "rag.csv", r->kernel, e);
}

static int emit(struct sink *o, const struct request *r, const struct rag_set *s, const struct rag_arm *a, int rep,
                struct err *e)
{
    struct row row;
    int status = row_init(&row, &o->layout, e);
    if (status != ERR_OK) return status;
    status = rag_row(&row, &o->run, s, a, rep, e);
    if (status == ERR_OK && !o->json) print_point(s, a, &row);
    if (status == ERR_OK && !o->json && r->cut_count) print_cuts(r, s, a);
    if (status == ERR_OK) status = sink_emit(o, &row, s->queries.names, &a->quality, &a->calls, 1, e);
    if (status == ERR_OK && o->json && r->cut_count) print_cuts_json(r, s, a, row_get(&row, "point_id"));
    row_fini(&row);
    return status;
}

/* Learns utilities, writes them to a file, and sets the point to start from that file, as any other run may. */
static int learn(const struct request *r, const struct rag_set *s, struct rag_point *point, struct text *setting,
                 const char **settings, struct err *e)
{
    struct rag_lesson lesson;
    const int status = rag_learn(s, point, (size_t)r->epochs, r->utility, &lesson, e);
    if (status != ERR_OK) return status;
    if (!r->json)
        printf("learnt from %zu questions, %lld times each: something relevant for %.4f of them at first, %.4f in the end;\n"
               "%s holds %zu entities (--set utility_file=%s)\n\n", lesson.questions, (long long)r->epochs, lesson.first,
               lesson.last, r->utility, lesson.entities, r->utility);
    text_add(setting, "utility_file=%s", r->utility);
    for (size_t i = 0; i < point->setting_count; i++) settings[i] = point->settings[i];
    settings[point->setting_count++] = text_of(setting);
    point->settings = settings;
    return setting->failed ? FAIL(e, ERR_MEM, "no memory for settings") : ERR_OK;
}

static int measure(const struct request *r, const struct rag_set *s, const struct rag_point *point, struct sink *o,
                   struct err *e)
{
    struct rag_arm arm = { 0 };
    int status = rag_open(&arm, s, point, RAG_USUAL | (r->ceiling ? RAG_CEILING : 0), e);
    if (status == ERR_OK) rag_warn(r->kb, arm.pipeline);
    for (int rep = 0; status == ERR_OK && rep < r->reps; rep++) {
        status = rag_time(&arm, s, (size_t)r->least_calls, 0, e);
        if (status == ERR_OK) status = emit(o, r, s, &arm, rep, e);
    }
    size_t nudged = 0;
    if (status == ERR_OK && r->run_file) status = rag_write_run(r->run_file, s, &arm, &nudged, e);
    if (status == ERR_OK && nudged)
        fprintf(stderr, "%s: %zu scores equal the one before: each is lowered by the least step of float32, so that "
                        "trec_eval, which would order them by document, keeps this order\n", r->run_file, nudged);
    if (status == ERR_OK && r->qrels_out) status = rag_write_qrels(r->qrels_out, s, e);
    rag_close(&arm);
    return status;
}

static void say(const struct request *r, const char *what)
{
    if (!r->json) printf("%s\n", what);
}

/* Learns, if asked to, and measures; both parts where questions are held out, those last. */
static int measure_all(const struct request *r, struct parts *p, struct sink *o, struct err *e)
{
    struct rag_point point = { r->settings.at, (size_t)r->settings.count, r->kernel, (size_t)r->k, (int)r->threads };
    const size_t depth = (size_t)r->k > TRUTH_DEPTH ? (size_t)r->k : TRUTH_DEPTH;
    const int apart = r->held_out > 0;
    struct rag_set *first = apart ? &p->taught : &p->all;
    const char *settings[sizeof r->settings.at / sizeof *r->settings.at + 1];
    struct text learnt = { 0 };
    int status = rag_prepare(first, &point, depth, (int)r->threads, e);
    if (status == ERR_OK && apart) status = rag_prepare(&p->held_out, &point, depth, (int)r->threads, e);
    if (status == ERR_OK && r->epochs) status = learn(r, first, &point, &learnt, settings, e);
    if (status == ERR_OK && apart) say(r, "Over the questions that it learnt from:\n");
    if (status == ERR_OK) status = measure(r, first, &point, o, e);
    if (status == ERR_OK && apart) say(r, "\nOver the questions held out, which say what to expect:\n");
    if (status == ERR_OK && apart) status = measure(r, &p->held_out, &point, o, e);
    text_free(&learnt);
    if (status != ERR_OK) return status;
    if (!p->all.queries.label_start)
        fprintf(stderr, "no --qrels: agree_at_10 and churn_at_10 say how much the results differ, "
                        "not which are better;"
                        " only label_* can say which graph_depth is\n");
    if (r->epochs && !apart)
        fprintf(stderr, "label_* are over the questions that it learnt from, no estimate for others: --held-out 0.5 "
                        "keeps some apart\n");
    return ERR_OK;
}

static int run(int argc, char **argv, struct err *e)
{
    struct request r = { .kernel = "", .k = 10, .threads = 1, .least_calls = 2000, .reps = 1 };
    struct parts p = { { .replay_fd = -1 }, { .replay_fd = -1 }, { .replay_fd = -1 } };
    struct sink o = { .fd = -1 };
    int status = parse(argc, argv, &r, e);
    if (status == ERR_OK) status = rag_set_open(&p.all, r.kb, &(struct question_files){ r.query, r.query_ids, r.qrels, r.drop }, e);
    if (status == ERR_OK) rag_notes(&p.all, "rag");
    if (status == ERR_OK && r.held_out > 0)
        status = rag_set_split(&p.held_out, &p.taught, &p.all, r.held_out, 1, 1, 1, e);
    if (status == ERR_OK) status = open_sink(&o, &r, &p, argc, argv, e);
    if (status == ERR_OK) status = measure_all(&r, &p, &o, e);
    sink_close(&o);
    rag_set_close(&p.held_out);
    rag_set_close(&p.taught);
    rag_set_close(&p.all);
    return status;
}

const struct command cmd_rag = {
    .name = "rag",
    .summary = "the retrieval pipeline over a file of questions: time of every stage, quality",
    .help =
        "usage: assay rag --kb DB --query FILE [--qrels FILE] [--set KEY=VALUE ...]\n\n"
        "  --kb DB           knowledge base (SQLite, made by assay or by sqlite-knowledge-graph)\n"
        "  --query FILE      questions: fvecs or npy (vectors), .txt (one a line), .jsonl (_id, text)\n"
        "  --query-ids FILE  for questions that are vectors: whose row i is, line by line (.jsonl with _id, or an id a\n"
        "                    line); rows: they are known by their rows, from 0\n"
        "  --drop-unjudgeable  leaves out labels of entities that the base has not; else they are kept, as trec_eval\n"
        "                    does: relevant and never found\n"
        "  --qrels FILE      what is relevant: 'qid 0 entity grade', or tab-separated as in BEIR;\n"
        "                    without it only agree_at_10 and churn_at_10 are known, not which is better\n"
        "  --set KEY=VALUE   a setting of the pipeline, may be given often (assay query --settings lists them)\n"
        "  --trust           a service that the base names (embed_url) may be asked; else only one that --set repeats\n"
        "  -k N              results a question; default 10\n"
        "  --threads N       pipelines that answer at a time; default 1\n"
        "  --kernel K        as in assay ann; default: the best that this CPU runs\n"
        "  --min-calls N     least number of timed questions; the file is asked again; default 2000\n"
        "  --reps N          repeat the measurement, one row each; default 1\n"
        "  --ceiling         also search the decoded vectors exactly (code_ceiling); slow\n"
        "  --run FILE        write the answers as trec_eval reads them: qid Q0 entity rank score tag\n"
        "  --qrels-out FILE  write the labels as trec_eval reads them; ask it with -c\n"
        "  --cuts N,N,...    with --qrels, -k or less each: also recall, all-recall, P, success and nDCG of the first N,\n"
        "                    as trec_eval -c has them; with --json in an object of its own (label_recall_at_2 ...)\n"
        "  --learn N         with --set rerank=memrl: first ask all labelled questions N times, reward what came back\n"
        "                    when something relevant was among it, and measure with what was learnt\n"
        "  --utility FILE    where that is written, for --set utility_file=FILE over other questions\n"
        "  --held-out X      share of the labelled questions to learn nothing from: both parts are measured, one row each\n"
        "                    (--run and --qrels-out: those held out)\n"
        "  --json            one object a line instead of a page\n"
        "  --out DIR         append a row to DIR/rag.csv, write DIR/<point_id>.pq.tsv (one line a question)\n\n"
        "example:\n"
        "  assay data gen --kind kg --n 20000 --dim 384 --relations 100000 --queries 200 --seed 1 --out DIR\n"
        "  assay rag --kb DIR/kb.sqlite --query DIR/query.fvecs -k 10 --set bit_width=3 --json\n",
    .run = run,
};
