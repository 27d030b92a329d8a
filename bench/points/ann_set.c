/* SPDX-License-Identifier: MIT
 * ann_set.c - base, queries and truth of index points. */
#include "bench/points/ann_set.h"
#include "bench/points/given_truth.h"
#include "bench/quality/truth.h"
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include <stdio.h>
#include <string.h>

/* What is said, else what the file says, else cosine; that the two differ is noted. */
static int choose_metric(struct ann_set *s, const char *base, const char *said, struct err *e)
{
    const char *file = s->base.metric, *own = metric_of_distance(file);
    char note[96];
    if (!said && *file && !own)
        return FAIL(e, ERR_ARG, "%s: its distance is '%s', which is none of cosine, dot and l2: say --metric", base, file);
    int status = metric_parse(said ? said : own ? own : "cosine", &s->metric, e);
    if (status != ERR_OK || !said || !*file || (own && strcmp(own, said) == 0)) return status;
    snprintf(note, sizeof note, "metric %s, where the file's own distance is %s", said, file);
    return tally_add(&s->notes, note, 1, NULL, e);
}

/* By cosine, rows of zeros are similar to nothing. */
static int note_zeros(struct ann_set *s, struct err *e)
{
    const struct { struct rows rows; const char *what; } sides[] = {
        { s->base.rows, "base vectors of zeros, similar to nothing" }, { s->query.rows, "queries of zeros, similar to nothing" } };
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && s->metric == METRIC_COSINE && i < 2; i++) {
        size_t first = 0;
        char called[32];
        const size_t count = rows_zeros(sides[i].rows, &first);
        snprintf(called, sizeof called, "row %zu", first);
        status = tally_add(&s->notes, sides[i].what, count, called, e);
    }
    return status;
}

int ann_set_open(struct ann_set *s, const char *base, const char *query, const char *metric, struct err *e)
{
    *s = (struct ann_set){ 0 };
    int status = dataset_open(&s->base, base, e);
    if (status == ERR_OK) status = dataset_open(&s->query, query, e);
    if (status != ERR_OK) goto failed;
    const struct rows b = s->base.rows, q = s->query.rows;
    if (!b.at || b.count == 0) status = FAIL(e, ERR_ARG, "%s: no vectors", base);
    else if (!q.at || q.count == 0) status = FAIL(e, ERR_ARG, "%s: no vectors", query);
    else if (b.dim != q.dim)
        status = FAIL(e, ERR_ARG, "%s has %zu dimensions, %s has %zu", query, q.dim, base, b.dim);
    else if (b.count > ANN_ROWS_MAX)
        status = FAIL(e, ERR_ARG, "%s: %zu vectors, at most %d", base, b.count, ANN_ROWS_MAX);
    if (status != ERR_OK) goto failed;
    status = choose_metric(s, base, metric, e);
    if (status != ERR_OK) goto failed;
    status = note_zeros(s, e);
    if (status != ERR_OK) goto failed;
    const uint64_t parts[] = { s->base.content_hash, s->query.content_hash, (uint64_t)s->metric };
    s->hash = hash64(0, parts, sizeof parts);
    path_short(base, s->name, sizeof s->name);
    return ERR_OK;
failed:
    ann_set_close(s);
    return status;
}

void ann_set_close(struct ann_set *s)
{
    dataset_close(&s->base);
    dataset_close(&s->query);
    mem_free(s->truth);
    difficulties_free(&s->hard);
    mem_free(s->side);
    tally_free(&s->notes);
    *s = (struct ann_set){ 0 };
}

static int take_difficulty(struct ann_set *s, int threads, struct err *e)
{
    char first[32];
    const int status = difficulties_make(&s->hard, s->base.rows, s->query.rows, s->truth, s->truth_k, s->metric, threads, e);
    if (status != ERR_OK || !s->hard.in_base) return status;
    snprintf(first, sizeof first, "%zu", s->hard.first_in_base);
    return tally_add(&s->notes, "queries that are base rows, bit for bit: each finds itself", s->hard.in_base, first, e);
}

int ann_set_truth(struct ann_set *s, const char *path, size_t k, int threads, struct err *e)
{
    const size_t n = s->base.rows.count, wanted = k < n ? k : n;
    if (n > ANN_ROWS_MAX) return FAIL(e, ERR_ARG, "%s: %zu vectors, at most %d", s->name, n, ANN_ROWS_MAX);
    if (path) {
        struct dataset d;
        int status = dataset_open(&d, path, e);
        if (status != ERR_OK) return status;
        const struct given_truth t = { path, s->base.rows, s->query.rows, s->metric, wanted };
        status = given_truth_take(&t, &d, &s->truth, &s->truth_k, &s->notes, e);
        dataset_close(&d);
        return status == ERR_OK ? take_difficulty(s, threads, e) : status;
    }
    struct truth t = { 0 };
    const int status = truth_cached(&t, &s->base, &s->query, wanted, s->metric, threads, NULL, e);
    if (status != ERR_OK) return status;
    s->truth = t.ids;
    s->truth_k = t.k;
    t.ids = NULL;
    truth_free(&t);
    return take_difficulty(s, threads, e);
}
