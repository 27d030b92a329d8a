/* SPDX-License-Identifier: MIT
 * diary_trec.c - a diary's rankings and labels as trec_eval reads them. */
#include "bench/papers/diary_trec.h"
#include "bench/rows/output.h"
#include "kernels/base/topk.h"
#include <math.h>
#include <string.h>

static void add_question(const struct diary *d, size_t q, const double *scores, struct text *run)
{
    const size_t conversation = d->questions[q].conversation, count = d->conversations[conversation].session_count;
    struct hit hits[DIARY_SESSIONS_MOST];
    float before = INFINITY;
    for (size_t s = 0; s < count; s++) {
        size_t at = s; /* into its place: best first, ties to the earlier session */
        for (; at > 0 && scores[hits[at - 1].id] < scores[s]; at--) hits[at] = hits[at - 1];
        hits[at] = (struct hit){ (int64_t)s, (float)scores[s] };
    }
    for (size_t s = 0; s < count; s++) {
        /* trec_eval orders what float32 cannot tell apart by name: lowered by the least step that keeps our order. */
        const float score = hits[s].score < before ? hits[s].score : nextafterf(before, -INFINITY);
        before = score;
        text_add(run, "q%zu\tQ0\tc%zu.s%d\t%zu\t%.9g\tassay\n", d->questions[q].number, conversation, (int)hits[s].id, s + 1, (double)score);
    }
}

static void add_labels(const struct diary *d, size_t q, struct text *qrels)
{
    for (int s = 0; s < DIARY_SESSIONS_MOST; s++)
        if (d->questions[q].gold >> s & 1)
            text_add(qrels, "q%zu\t0\tc%zu.s%d\t1\n", d->questions[q].number, d->questions[q].conversation, s);
}

int diary_keep(const struct diary *d, const struct paper_run *run, const char *data, const char *arm, const double *scores,
               struct err *e)
{
    struct text path = { 0 }, lines = { 0 }, labels = { 0 };
    if (!run->asked.out) return ERR_OK;
    for (size_t q = 0; q < d->question_count; q++) {
        add_question(d, q, scores + q * DIARY_SESSIONS_MOST, &lines);
        add_labels(d, q, &labels);
    }
    paper_trec_path(run, data, NULL, &path);
    int status = path.failed ? FAIL(e, ERR_MEM, "no memory for a name") : output_write(text_of(&path), &labels, e);
    paper_trec_path(run, data, arm, &path);
    if (status == ERR_OK) status = path.failed ? FAIL(e, ERR_MEM, "no memory for a name") : output_write(text_of(&path), &lines, e);
    text_free(&path);
    text_free(&lines);
    text_free(&labels);
    return status;
}

int diary_split(const struct diary *d, struct split *out, struct err *e)
{
    int status = ERR_OK;
    for (size_t c = 0; status == ERR_OK && c < d->conversation_count; c++)
        for (size_t q = 0; status == ERR_OK && q < d->question_count; q++) {
            const struct diary_question *question = &d->questions[q];
            uint64_t key = hash64(c, question->text, strlen(question->text));
            key = hash64(key, &question->gold, sizeof question->gold);
            status = split_add(out, question->conversation == c ? SPLIT_REPORTED : SPLIT_TUNED, key, e);
        }
    return status;
}
