/* SPDX-License-Identifier: MIT
 * paper_memrl.c - MemRL (arXiv 2601.03192): memories ranked by similarity and by a utility that is learnt from rewards.
 *
 * Its tables are of language-model agents.  Here a question is a task, an entity a memory, and the reward whether what came
 * back held something relevant: planted Bernoulli rewards (memories alike in vector, unlike in worth), and the evidence
 * labels of LoCoMo.  "train" is what the paper reports, success over the tasks that were learnt from; "held out" is over
 * others, which the paper does not report. */
#include "bench/papers/retrieval.h"
#include "bench/points/rag_learn.h"
#include "bench/time/stats.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char table[] =
#include "gen/memrl.tsv.inc"
    ;

/* --- equation 8: the variance that utilities keep ------------------------------------------------------------- */

/* Q after enough rewards to have forgotten where it began, over many memories: their variance over alpha / (2 - alpha)
 * times that of the reward. */
static double variance_ratio(double alpha, size_t memories, uint64_t seed)
{
    const size_t steps = (size_t)(12 / alpha) + 10; /* (1 - alpha)^steps < e^-12 */
    const double chance = 0.4;
    double sum = 0, squares = 0;
    struct rng r;
    rng_seed(&r, seed, 8);
    for (size_t m = 0; m < memories; m++) {
        double q = 0;
        for (size_t s = 0; s < steps; s++) {
            const double reward = (double)(rng_next(&r) >> 11) * 0x1p-53 < chance;
            q += alpha * (reward - q);
        }
        sum += q;
        squares += q * q;
    }
    const double n = (double)memories, variance = (squares - sum * sum / n) / (n - 1);
    return variance / (alpha / (2 - alpha) * chance * (1 - chance));
}

static int var_q(struct paper_run *r, struct err *e)
{
    static const double alphas[] = { 0.05, 0.1, 0.3, 0.5, 0.9 };
    const size_t memories = r->asked.quick ? 20000 : 100000;
    double draws[PAPER_SEEDS_MAX];
    int status = ERR_OK;
    for (size_t a = 0; status == ERR_OK && a < sizeof alphas / sizeof *alphas; a++) {
        struct finding f = finding_of("alpha=%g", alphas[a]);
        for (size_t s = 0; s < r->asked.seeds; s++) draws[s] = variance_ratio(alphas[a], memories, s + 1);
        finding_of_seeds(&f, draws, r->asked.seeds);
        f.n = memories;
        f.theory = 1;
        status = paper_found(r, &f, e);
    }
    return status;
}

/* --- figure 5, section 5.4.2: learning, and what is learnt for others ------------------------------------------ */

static const double lambdas[] = { 0, 0.25, 0.5, 0.75, 1 };
enum { LAMBDAS = sizeof lambdas / sizeof *lambdas };
/* What is learnt: from which questions, for which, how many results a question, and how often all are asked. */
struct school { const char *data; struct retrieval base; size_t k, epochs; int splits; struct split split; };

static int open_school(struct school *s, const struct paper_run *r, int planted, struct err *e)
{
    char path[512];
    s->data = planted ? "rewards" : "locomo";
    s->k = planted ? 1 : 5;
    s->epochs = planted ? 5 : r->asked.quick ? 3 : 10;
    s->splits = planted;
    if (planted) {
        const struct retrieval_source from = { .generator = "rewards", .split = "tune",
                                               .params = "n=4000,situations=60,queries=2000,worst=0.1,best=0.9,dim=64" };
        return retrieval_open(&s->base, &from, e);
    }
    if (!paper_data(r, "locomo/locomo10.json", path, sizeof path)) return FAIL(e, ERR_NOT_FOUND, "%s", path);
    const struct retrieval_source from = { .importer = "locomo", .from = path };
    return retrieval_open(&s->base, &from, e);
}

static int take_part(struct school *s, int train, struct err *e)
{
    if (s->splits) return retrieval_questions(&s->base, train ? "tune" : "report", e);
    return retrieval_part(&s->base, train ? 0.5 : -0.5, 1, e);
}

/* Learns with these settings and asks both halves: successes of each question, into part[train]. */
static int study(const struct paper_run *r, struct school *s, const char *settings, double *const part[2], size_t count[2], struct err *e)
{
    char file[640], all[1400], copy[512];
    const char *list[16];
    size_t settings_count = 0;
    struct rag_lesson lesson;
    snprintf(file, sizeof file, "%s/utilities", s->base.folder);
    snprintf(copy, sizeof copy, "retrieve=exact rerank=memrl expand=none graph_weight=0 min_combined_score=-1e9 %s", settings);
    snprintf(all, sizeof all, "%s utility_file=%s", copy, file);
    for (char *at = copy, *save; (at = strtok_r(settings_count ? NULL : at, " ", &save)) && settings_count < 16;)
        list[settings_count++] = at;
    const struct rag_point point = { list, settings_count, "", s->k, 1 };
    int status = take_part(s, 1, e);
    if (status == ERR_OK) status = retrieval_mark(&s->base, &s->split, SPLIT_TUNED, e);
    if (status == ERR_OK) status = rag_learn(&s->base.set, &point, s->epochs, file, &lesson, e);
    for (int train = 1; status == ERR_OK && train >= 0; train--) {
        if (!train) status = take_part(s, 0, e);
        if (status == ERR_OK && !train) status = retrieval_mark(&s->base, &s->split, SPLIT_REPORTED, e);
        if (status == ERR_OK) status = retrieval_ask(&s->base, s->k, e, "%s", all);
        if (status == ERR_OK) count[train] = retrieval_at(&s->base, metric_success_at, s->k, part[train]);
        snprintf(copy, sizeof copy, "%s %s", s->data, train ? "train" : "held out");
        if (status == ERR_OK) status = retrieval_keep(&s->base, r, copy, settings, e);
    }
    return status;
}

/* What is held out is judged by what was learnt, and chosen, of the other half.  "train" is the paper's own quantity, over
 * the tasks that were learnt from, and says so by its name. */
static int report(struct paper_run *r, const struct school *s, const char *contrast, int train, const double *a, const double *b,
                  size_t count, struct err *e)
{
    struct finding f = finding_of("part=%s;contrast=%s;data=%s", train ? "train" : "held out", contrast, s->data);
    finding_of_pairs(&f, a, b, count);
    if (!train) split_say(&s->split, &f);
    return paper_found(r, &f, e);
}

static const double *at_lambda(const double *values, size_t l, int train, size_t room) { return values + (2 * l + !train) * room; }

static int curve(struct paper_run *r, const struct school *s, int train, const double *values, size_t room, size_t count, struct err *e)
{
    int status = ERR_OK;
    for (size_t l = 0; status == ERR_OK && l < LAMBDAS; l++) {
        struct finding f = finding_of("part=%s;lambda=%g;data=%s", train ? "train" : "held out", lambdas[l], s->data);
        retrieval_mean(&f, at_lambda(values, l, train, room), count, at_lambda(values, 0, train, room), l ? "lambda 0" : NULL);
        if (!train) split_say(&s->split, &f);
        status = paper_found(r, &f, e);
    }
    return status;
}

static size_t optimum(int train, const double *values, size_t room, size_t count)
{
    size_t best = 0;
    for (size_t l = 1; l < LAMBDAS; l++)
        if (stats_mean(at_lambda(values, l, train, room), count) > stats_mean(at_lambda(values, best, train, room), count)) best = l;
    return best;
}

/* The best lambda of each half, and what the one that the first half chose is worth to the other. */
static int optima(struct paper_run *r, const struct school *s, const double *values, size_t room, const size_t count[2], struct err *e)
{
    const size_t chosen = optimum(1, values, room, count[1]);
    char name[32];
    int status = ERR_OK;
    for (int train = 1; status == ERR_OK && train >= 0; train--) {
        struct finding f = finding_of("part=%s;quantity=best lambda;data=%s", train ? "train" : "held out", s->data);
        f.n = count[train];
        f.ours = f.lo = f.hi = lambdas[optimum(train, values, room, count[train])];
        status = paper_found(r, &f, e);
    }
    snprintf(name, sizeof name, "%g chosen-0", lambdas[chosen]);
    return status == ERR_OK ? report(r, s, name, 0, at_lambda(values, chosen, 0, room), at_lambda(values, 0, 0, room), count[0], e) : status;
}

static int lambda_over(struct paper_run *r, struct school *s, struct err *e)
{
    const size_t room = s->base.all.queries.count * 2 + 2;
    double *values = mem_alloc(2 * LAMBDAS * room, sizeof *values);
    size_t count[2] = { 0 };
    int status = values ? ERR_OK : FAIL(e, ERR_MEM, "memrl: no memory");
    for (size_t l = 0; status == ERR_OK && l < LAMBDAS; l++) {
        char setting[64];
        double *const part[2] = { values + (2 * l + 1) * room, values + 2 * l * room };
        snprintf(setting, sizeof setting, "memrl_lambda=%g", lambdas[l]);
        status = study(r, s, setting, part, count, e);
    }
    for (int train = 1; status == ERR_OK && train >= 0; train--) {
        const double *half = at_lambda(values, 2, train, room);
        status = curve(r, s, train, values, room, count[train], e);
        if (status == ERR_OK) status = report(r, s, "0.5-0", train, half, at_lambda(values, 0, train, room), count[train], e);
        if (status == ERR_OK) status = report(r, s, "0.5-1", train, half, at_lambda(values, 4, train, room), count[train], e);
    }
    if (status == ERR_OK) status = optima(r, s, values, room, count, e);
    mem_free(values);
    return status;
}

static int norm_over(struct paper_run *r, struct school *s, struct err *e)
{
    const size_t room = s->base.all.queries.count * 2 + 2;
    double *values = mem_alloc(4 * room, sizeof *values);
    double *const scaled[2] = { values, values + room }, *const raw[2] = { values + 2 * room, values + 3 * room };
    size_t count[2] = { 0 };
    int status = values ? study(r, s, "memrl_lambda=0.5", scaled, count, e) : FAIL(e, ERR_MEM, "memrl: no memory");
    if (status == ERR_OK) status = study(r, s, "memrl_lambda=0.5 memrl_scale=none", raw, count, e);
    for (int train = 1; status == ERR_OK && train >= 0; train--)
        status = report(r, s, "pool-none", train, scaled[train], raw[train], count[train], e);
    mem_free(values);
    return status;
}

/* Planted rewards, and LoCoMo where it is. */
static int over_schools(struct paper_run *r, int (*each)(struct paper_run *, struct school *, struct err *), struct err *e)
{
    int status = ERR_OK;
    for (int planted = 1; status == ERR_OK && planted >= 0; planted--) {
        struct school s = { 0 };
        status = open_school(&s, r, planted, e);
        if (status == ERR_NOT_FOUND && !planted) status = paper_skip(r, "data=locomo", e, "locomo/locomo10.json is missing");
        else if (status == ERR_OK) status = each(r, &s, e);
        retrieval_close(&s.base);
        split_free(&s.split);
    }
    return status;
}

static int lambda(struct paper_run *r, struct err *e) { return over_schools(r, lambda_over, e); }
static int norm(struct paper_run *r, struct err *e) { return over_schools(r, norm_over, e); }

/* --- table 6: two banks of memories in one --------------------------------------------------------------------- */

/* Of entity i, bytes of its text. */
struct lengths { uint32_t *at; size_t count, room; };

static int lengths_set(struct lengths *l, int64_t id, size_t length, struct err *e)
{
    while ((int64_t)l->count <= id) {
        if (!mem_one_more(&l->at, l->count, &l->room, sizeof *l->at)) return FAIL(e, ERR_MEM, "memrl: no memory");
        l->at[l->count++] = 0;
    }
    l->at[id] = (uint32_t)length;
    return ERR_OK;
}

/* Passes a source on as the bank `letter` of a larger one: entities first, then in a second pass questions. */
struct bank {
    const struct kb_sink *to;
    struct lengths *lengths;
    char letter;
    int64_t offset, most;  /* added to its entities' numbers; the largest of them */
    int64_t *questions;    /* of all banks so far */
    char id[256];          /* that the source gave what comes next; "": its number */
};

static int name_of(struct bank *b, int64_t id, char *out, size_t size)
{
    if (*b->id) snprintf(out, size, "%c/%s", b->letter, b->id);
    else snprintf(out, size, "%c/%lld", b->letter, (long long)id);
    b->id[0] = 0;
    return ERR_OK;
}

static int bank_id(void *context, int64_t id, const char *external, struct err *e)
{
    struct bank *b = context;
    (void)id, (void)e;
    snprintf(b->id, sizeof b->id, "%s", external);
    return ERR_OK;
}

static int bank_entity(void *context, int64_t id, const char *type, const char *name, const char *properties, const char *text,
                       struct err *e)
{
    struct bank *b = context;
    char own[300];
    int status = name_of(b, id, own, sizeof own);
    b->most = id > b->most ? id : b->most;
    if (status == ERR_OK) status = lengths_set(b->lengths, id + b->offset, text ? strlen(text) : 0, e);
    if (status == ERR_OK) status = sink_entity_id(b->to, id + b->offset, own, e);
    return status == ERR_OK ? b->to->entity(b->to->context, id + b->offset, type, name, properties, text, e) : status;
}

static int bank_query(void *context, int64_t id, const char *split, const char *text, const float *x, size_t dim,
                      const struct kb_label *relevant, size_t count, struct err *e)
{
    enum { MOST = 256 };
    struct bank *b = context;
    struct kb_label labels[MOST];
    char own[300];
    int status = name_of(b, id, own, sizeof own);
    (void)split, (void)x, (void)dim;
    if (count > MOST) return FAIL(e, ERR_UNSUPPORTED, "memrl: more than %d labels of a question", MOST);
    for (size_t i = 0; i < count; i++) {
        labels[i] = relevant[i];
        labels[i].id += b->offset;
    }
    if (status == ERR_OK) status = sink_query_id(b->to, *b->questions, own, e);
    return status == ERR_OK ? b->to->query(b->to->context, (*b->questions)++, NULL, text, NULL, 0, labels, count, e) : status;
}

struct merger {
    struct { const char *importer, *from, *name; } bank[2];
    int64_t boundary; /* the first bank's entities end here */
    struct lengths lengths; /* count 0: of no interest */
    size_t size[2];   /* entities with a text, and of their lengths */
    double median[2];
};

static int fill_both(void *context, const struct kb_sink *sink, struct err *e)
{
    struct merger *m = context;
    int64_t questions = 0;
    int status = ERR_OK;
    for (int pass = 0; status == ERR_OK && pass < 2; pass++)
        for (int i = 0; status == ERR_OK && i < 2; i++) {
            struct bank b = { .to = sink, .lengths = &m->lengths, .letter = (char)('a' + i),
                              .offset = i ? m->boundary + 1 : 0, .questions = &questions };
            const struct kb_sink one = { .context = &b, .entity = pass ? NULL : bank_entity, .entity_id = pass ? NULL : bank_id,
                                         .query = pass ? bank_query : NULL, .query_id = pass ? bank_id : NULL };
            status = importer_find(m->bank[i].importer)->run(m->bank[i].from, &one, e);
            if (!pass && i == 0) m->boundary = b.most;
        }
    return status;
}

static int measure_banks(struct merger *m, struct err *e)
{
    for (int bank = 0; bank < 2; bank++) {
        double *sorted = mem_alloc(m->lengths.count + 1, sizeof *sorted);
        if (!sorted) return FAIL(e, ERR_MEM, "memrl: no memory");
        m->size[bank] = 0;
        for (size_t i = 0; i < m->lengths.count; i++)
            if (m->lengths.at[i] && ((int64_t)i > m->boundary) == bank) sorted[m->size[bank]++] = m->lengths.at[i];
        if (m->size[bank]) stats_sort(sorted, m->size[bank]), m->median[bank] = stats_quantile(sorted, m->size[bank], 0.5);
        mem_free(sorted);
    }
    return ERR_OK;
}

/* Of WordNet 3.0, whose nouns are the importer's first entities. */
enum { WORDNET_NOUNS = 82115 };
enum { DEEP = 200, K1S = 3, SUCCESS = 10 };
static const size_t k1s[K1S] = { 5, 10, 20 };

/* Of the questions of a bank: what share of the nearest memories is of the other, at every k1; and whether something
 * relevant is among the first 10 of the merged bank, and of its own alone, whose vectors are the same. */
static size_t look(const struct retrieval *base, int64_t boundary, int bank, double *leaked[K1S], double *merged, double *alone)
{
    size_t count = 0;
    for (size_t q = 0; q < base->set.queries.count; q++) {
        const int64_t *ids = base->arm.answers + q * DEEP;
        int64_t own[DEEP];
        size_t own_count = 0, labelled;
        const struct label *labels = queries_labels(&base->set.queries, q, &labelled);
        if (!labelled || labels[0].id < 0 || (labels[0].id > boundary) != bank) continue;
        for (size_t k = 0; k < K1S; k++) leaked[k][count] = 0;
        for (size_t i = 0; i < base->arm.answer_count[q]; i++) {
            const int is_own = (ids[i] > boundary) == bank;
            if (is_own) own[own_count++] = ids[i];
            for (size_t k = 0; k < K1S; k++) leaked[k][count] += i < k1s[k] && !is_own ? 1.0 / (double)k1s[k] : 0;
        }
        const struct evidence all = { .k = DEEP, .answers = { ids, base->arm.answer_count[q] }, .labels = labels, .label_count = labelled };
        struct evidence some = all;
        some.answers = (struct id_list){ own, own_count };
        merged[count] = metric_success_at(&all, SUCCESS);
        alone[count++] = metric_success_at(&some, SUCCESS);
    }
    return count;
}

/* Why the other bank comes back: with banks of one size, the larger one thinned; with the shorter or the longer half of the
 * other; by words (BM25); by vectors of so many dimensions that a random projection adds little of its own. */
enum why_arm { ALL_OF_IT, SAME_SIZE, SHORTER, LONGER, WHY_ARMS };
static const char *const why_names[WHY_ARMS] = { "", "banks of one size", "shorter half of the other", "longer half of the other" };

static int stays(const struct merger *m, enum why_arm arm, int bank, int64_t id)
{
    const int of = id > m->boundary, larger = m->size[1] > m->size[0];
    if (arm == SAME_SIZE)
        return of != larger || (double)(hash64(1, &id, sizeof id) >> 11) * 0x1p-53 * (double)m->size[larger] < (double)m->size[!larger];
    if (of == bank || arm == ALL_OF_IT) return 1;
    return ((double)m->lengths.at[id] < m->median[of]) == (arm == SHORTER);
}

/* Of each question of a bank, the share of the other among the first k1s[1] that stay. */
static size_t leakage(const struct retrieval *base, const struct merger *m, int bank, enum why_arm arm, double *out)
{
    size_t count = 0, labelled;
    for (size_t q = 0; q < base->set.queries.count; q++) {
        const struct label *labels = queries_labels(&base->set.queries, q, &labelled);
        size_t seen = 0;
        if (!labelled || labels[0].id < 0 || (labels[0].id > m->boundary) != bank) continue;
        out[count] = 0;
        for (size_t i = 0; i < base->arm.answer_count[q] && seen < k1s[1]; i++) {
            const int64_t id = base->arm.answers[q * DEEP + i];
            if (!stays(m, arm, bank, id)) continue;
            out[count] += (id > m->boundary) != bank ? 1.0 / (double)k1s[1] : 0;
            seen++;
        }
        count++;
    }
    return count;
}

/* cosine: of every question what it is set against, a bank after another; filled when `by` is NULL. */
static int report_why(struct paper_run *r, const struct retrieval *base, const struct merger *m, const char *data, const char *by,
                      double *const cosine[2], struct err *e)
{
    const size_t room = base->set.queries.count;
    double *values = mem_alloc(room + 1, sizeof *values);
    int status = values ? ERR_OK : FAIL(e, ERR_MEM, "memrl: no memory");
    for (int bank = 0; status == ERR_OK && bank < 2; bank++) {
        if (!by) (void)leakage(base, m, bank, ALL_OF_IT, cosine[bank]);
        for (int arm = by ? ALL_OF_IT : SAME_SIZE; status == ERR_OK && arm < (by ? SAME_SIZE : WHY_ARMS); arm++) {
            const size_t count = leakage(base, m, bank, (enum why_arm)arm, values);
            struct finding f = finding_of("share of the other bank among=%zu;by=%s;of=%s;data=%s", k1s[1], by ? by : why_names[arm],
                                          m->bank[bank].name, data);
            retrieval_mean(&f, values, count, cosine[bank], "all by cosine");
            status = paper_found(r, &f, e);
        }
    }
    mem_free(values);
    return status;
}

static int report_banks(struct paper_run *r, const struct retrieval *base, const struct merger *m, const char *data, struct err *e)
{
    const size_t room = base->set.queries.count;
    double *values = mem_alloc((K1S + 2) * room + 1, sizeof *values), *leaked[K1S];
    int status = values ? ERR_OK : FAIL(e, ERR_MEM, "memrl: no memory");
    for (size_t k = 0; k < K1S; k++) leaked[k] = values + k * room;
    for (int bank = 0; status == ERR_OK && bank < 2; bank++) {
        double *const merged = values + K1S * room, *const alone = values + (K1S + 1) * room;
        const size_t count = look(base, m->boundary, bank, leaked, merged, alone);
        struct finding change = finding_of("contrast=merged-alone;of=%s;measure=success@%d;data=%s", m->bank[bank].name, SUCCESS, data);
        for (size_t k = 0; status == ERR_OK && k < K1S; k++) {
            struct finding f = finding_of("quantity=leakage;k1=%zu;of=%s;data=%s", k1s[k], m->bank[bank].name, data);
            retrieval_mean(&f, leaked[k], count, NULL, NULL);
            status = paper_found(r, &f, e);
        }
        finding_of_pairs(&change, merged, alone, count);
        if (status == ERR_OK) status = paper_found(r, &change, e);
    }
    mem_free(values);
    return status;
}

enum { WIDE = 2048 };
static const char all_of_them[] = "top_k_candidates=200 top_k_rerank=200 expand=none graph_weight=0 "
                                  "min_combined_score=-1e9 min_vector_score=-1"; /* DEEP of them */

static int ask_wide(struct paper_run *r, const struct retrieval_source *from, struct merger *m, const char *data, double *const cosine[2],
                    struct err *e)
{
    struct retrieval_source wide = *from;
    struct retrieval base = { 0 };
    char name[64];
    wide.dim = WIDE;
    int status = retrieval_open(&base, &wide, e);
    if (status == ERR_OK) status = retrieval_ask(&base, DEEP, e, "retrieve=exact %s", all_of_them);
    snprintf(name, sizeof name, "%d dimensions", WIDE);
    if (status == ERR_OK) status = report_why(r, &base, m, data, name, cosine, e);
    retrieval_close(&base);
    return status;
}

static int ask_banks(struct paper_run *r, const struct retrieval_source *from, struct merger *m, const char *data, struct err *e)
{
    struct retrieval base = { 0 };
    double *cosine[2] = { NULL, NULL };
    int status = retrieval_open(&base, from, e);
    if (status == ERR_OK) status = retrieval_ask(&base, DEEP, e, "retrieve=exact %s", all_of_them);
    if (status == ERR_OK) status = retrieval_keep(&base, r, data, "merged", e);
    if (status == ERR_OK) status = report_banks(r, &base, m, data, e);
    if (status == ERR_OK) status = measure_banks(m, e);
    const int ask_why = status == ERR_OK && m->size[0] && m->size[1];
    for (int bank = 0; ask_why && bank < 2; bank++) {
        cosine[bank] = mem_alloc(base.set.queries.count + 1, sizeof **cosine);
        if (!cosine[bank]) status = FAIL(e, ERR_MEM, "memrl: no memory");
    }
    if (ask_why && status == ERR_OK) status = report_why(r, &base, m, data, NULL, cosine, e);
    if (ask_why && status == ERR_OK) status = retrieval_ask(&base, DEEP, e, "retrieve=bm25 rerank=none %s", all_of_them);
    if (ask_why && status == ERR_OK) status = retrieval_keep(&base, r, data, "merged by words", e);
    if (ask_why && status == ERR_OK) status = report_why(r, &base, m, data, "words (BM25)", cosine, e);
    retrieval_close(&base);
    if (ask_why && status == ERR_OK && !r->asked.quick) status = ask_wide(r, from, m, data, cosine, e);
    mem_free(cosine[0]), mem_free(cosine[1]);
    mem_free(m->lengths.at);
    return status;
}

/* Banks of two kinds, banks of one kind, and WordNet's nouns beside its other words: no domains at all. */
static int banks(struct paper_run *r, struct err *e)
{
    static const struct { const char *data, *importer[2], *file[2], *name[2]; } pairs[] = {
        { "locomo and musique", { "locomo", "tsv" }, { "locomo/locomo10.json", "musique_train100" }, { "conversations", "passages" } },
        { "musique and hotpotqa", { "tsv", "tsv" }, { "musique_train100", "hotpotqa_train100" }, { "musique", "hotpotqa" } } };
    char path[2][512], cell[64];
    int status = ERR_OK;
    for (size_t p = 0; status == ERR_OK && p < sizeof pairs / sizeof *pairs; p++) {
        struct merger m = { .bank = { { pairs[p].importer[0], path[0], pairs[p].name[0] }, { pairs[p].importer[1], path[1], pairs[p].name[1] } } };
        const struct retrieval_source from = { .fill = fill_both, .context = &m };
        int missing = 0;
        for (int i = 0; i < 2 && !missing; i++) missing = paper_data(r, pairs[p].file[i], path[i], sizeof path[i]) ? 0 : i + 1;
        snprintf(cell, sizeof cell, "data=%s", pairs[p].data);
        status = missing ? paper_skip(r, cell, e, "%s", path[missing - 1]) : ask_banks(r, &from, &m, pairs[p].data, e);
    }
    struct retrieval_source from;
    struct merger m = { .bank = { { .name = "nouns" }, { .name = "other words" } }, .boundary = WORDNET_NOUNS };
    if (status != ERR_OK) return status;
    if (!retrieval_wordnet(&from, r->asked.quick ? 300 : 2000, path[0], sizeof path[0])) return paper_skip(r, "data=wordnet", e, "%s", path[0]);
    return ask_banks(r, &from, &m, "wordnet", e);
}

static const struct paper_item items[] = {
    { .name = "var_q", .summary = "variance of a utility under Bernoulli rewards, over what equation 8 says", .run = var_q,
      .figure = { .x = "alpha", .x_label = "alpha", .y_label = "Var Q over alpha / (2 - alpha) Var r", .log_x = 1 } },
    { .name = "lambda", .summary = "weight of utility against similarity: learnt from, and held out", .run = lambda,
      .figure = { .x = "lambda", .panel = "data", .x_label = "lambda", .y_label = "something relevant among the results", .y = PAPER_SHARE } },
    { .name = "banks", .summary = "two banks of memories merged: how much of the other comes back, and what it costs", .run = banks },
    { .name = "norm", .summary = "z-scores of similarity and utility over the pool, against none", .run = norm },
    { 0 },
};

const struct paper_ops paper_memrl = {
    .name = "memrl",
    .reference = "arXiv 2601.03192",
    .summary = "memories ranked by similarity and learnt utility",
    .table = table,
    .items = items,
};
