/* SPDX-License-Identifier: MIT
 * test_ann.c - an index point measured: quality against a hand-made truth, and what a row says. */
#include "bench/points/ann.h"
#include "bench/points/ann_row.h"
#include "datasets/intake.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { BASE = 300, QUERIES = 7, DIM = 8 };

static float base[BASE * DIM], query[QUERIES * DIM], offset; /* of every value */

static float uniform(void) { return (float)(test_rand() >> 40) / (float)(1 << 24) - 0.5f; }

/* A set in memory whose truth comes from a double loop in float64. */
static struct ann_set make_set(enum metric metric, size_t k)
{
    struct ann_set s = { .metric = metric, .truth_k = k, .name = "made" };
    for (int i = 0; i < BASE * DIM; i++) base[i] = uniform() + offset;
    for (int i = 0; i < QUERIES * DIM; i++) query[i] = uniform() + offset;
    s.base.rows = (struct rows){ base, BASE, DIM, DIM };
    s.query.rows = (struct rows){ query, QUERIES, DIM, DIM };
    s.truth = mem_alloc(QUERIES * k, sizeof *s.truth);
    for (size_t q = 0; q < QUERIES; q++) {
        double apart[BASE];
        for (size_t r = 0; r < BASE; r++) {
            double dot = 0, xx = 0, d = 0;
            for (size_t i = 0; i < DIM; i++) {
                const double a = query[q * DIM + i], b = base[r * DIM + i];
                dot += a * b;
                xx += b * b;
                d += (a - b) * (a - b);
            }
            apart[r] = metric == METRIC_L2 ? d : metric == METRIC_DOT ? -dot : -dot / sqrt(xx);
        }
        for (size_t i = 0; i < k; i++) {
            size_t best = 0;
            for (size_t r = 1; r < BASE; r++)
                if (apart[r] < apart[best]) best = r;
            s.truth[q * k + i] = (int32_t)best;
            apart[best] = INFINITY;
        }
    }
    return s;
}

static void drop_set(struct ann_set *s)
{
    mem_free(s->truth);
    mem_free(s->side);
}

static double folded(const struct ann_arm *a, const char *name)
{
    double scratch[QUERIES];
    for (size_t m = 0; metric_at(m); m++)
        if (strcmp(metric_at(m)->name, name) == 0)
            return metric_folded(metric_at(m), a->quality.values + m * QUERIES, QUERIES, scratch);
    return NAN;
}

static void measure(struct ann_set *s, struct ann_point p, size_t calls, void (*then)(const struct ann_arm *))
{
    struct ann_index built;
    struct err e = { 0 };
    const struct ann_plan plan = { .least_calls = calls, .ceiling = 1 };
    CHECK(ann_build(&built, s, &p, &e) == ERR_OK, "%s", e.text);
    struct ann_arm a = { .point = p, .built = &built };
    CHECK(ann_measure(s, &a, 1, &plan, &e) == ERR_OK, "%s", e.text);
    then(&a);
    ann_arm_fini(&a);
    ann_index_fini(&built);
}

static void is_exact(const struct ann_arm *a)
{
    CHECK(folded(a, "recall_strict") == 1, "%s: recall %g", a->point.spec, folded(a, "recall_strict"));
    CHECK(folded(a, "recall_tie") == 1, "%g", folded(a, "recall_tie"));
    CHECK(folded(a, "code_ceiling") == 1, "%g", folded(a, "code_ceiling"));
    CHECK(isnan(folded(a, "candidate_recall")) == !a->point.rerank, "candidates");
    for (size_t c = 0; c < a->calls.count; c++) CHECK(a->calls.us[c] > 0, "call %zu took %g", c, a->calls.us[c]);
    CHECK(a->calls.wall_s > 0, "no wall time");
}

/* Whatever the batch, the threads and the metric, exact search finds the truth. */
static void exact(void)
{
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        struct ann_set s = make_set(m, 10);
        const size_t batches[] = { 1, 3, 7, 20 };
        for (size_t b = 0; b < 4; b++)
            for (int threads = 1; threads <= 3; threads += 2) {
                measure(&s, (struct ann_point){ "flat", "", 10, 0, batches[b], threads, 1 }, 30, is_exact);
                measure(&s, (struct ann_point){ "flat", "", 10, 25, batches[b], threads, 1 }, 30, is_exact);
            }
        drop_set(&s);
    }
}

/* |x|^2 dwarfs the distances. */
static void exact_far_away(void)
{
    offset = 1000;
    struct ann_set s = make_set(METRIC_L2, 10);
    offset = 0;
    for (size_t batch = 1; batch <= QUERIES; batch += QUERIES - 1)
        for (size_t rerank = 0; rerank <= 25; rerank += 25)
            measure(&s, (struct ann_point){ "flat", "", 10, rerank, batch, 1, 1 }, 1, is_exact);
    drop_set(&s);
}

/* Scores of float queries are exact for the codes: whatever factor a row has, no order of the decoded rows is better. */
static void is_its_ceiling(const struct ann_arm *a)
{
    CHECK(folded(a, "recall_strict") < 1, "%s: nothing is lost", a->point.spec);
    CHECK(folded(a, "code_ceiling") == folded(a, "recall_strict"), "%s: recall %g, ceiling %g", a->point.spec,
          folded(a, "recall_strict"), folded(a, "code_ceiling"));
}

static void ceilings(void)
{
    static const char *const specs[] = { "turboquant:bits=2,query=f32", "turboquant:bits=1,query=f32",
                                         "turboquant:bits=3,estimator=prod_orth,query=f32", "pq:m=3,nbits=4",
                                         "ivf:nlist=4,nprobe=4,inner=(pq:m=3,nbits=4)" };
    for (enum metric m = METRIC_COSINE; m <= METRIC_DOT; m++) {
        struct ann_set s = make_set(m, 10);
        for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
            measure(&s, (struct ann_point){ specs[i], "", 10, 0, 1, 1, 1 }, 1, is_its_ceiling);
        drop_set(&s);
    }
}

static void every_query_once(const struct ann_arm *a)
{
    CHECK(a->calls.count == QUERIES, "%zu calls, wanted every query once", a->calls.count);
    is_exact(a);
}

static void few_calls(void)
{
    struct ann_set s = make_set(METRIC_COSINE, 10);
    measure(&s, (struct ann_point){ "flat", "", 10, 0, 1, 1, 1 }, 1, every_query_once);
    drop_set(&s);
}

/* Truth that is wrong on purpose must show: one neighbour of ten replaced in every query. */
static void nine_of_ten(const struct ann_arm *a)
{
    CHECK(fabs(folded(a, "recall_strict") - 0.9) < 1e-9, "recall %g", folded(a, "recall_strict"));
}

static void wrong_truth(void)
{
    struct ann_set s = make_set(METRIC_L2, 20);
    for (size_t q = 0; q < QUERIES; q++) s.truth[q * 20 + 3] = s.truth[q * 20 + 19];
    measure(&s, (struct ann_point){ "flat", "", 10, 0, 2, 1, 1 }, 10, nine_of_ten);
    drop_set(&s);
}

static void all_of_it(const struct ann_arm *a)
{
    CHECK(a->read.bytes == BASE * (DIM + 1) * sizeof(float), "flat reads %g bytes a query", a->read.bytes);
    CHECK(isnan(a->read.survivors), "one pass has no survivors");
}

static void some_of_it(const struct ann_arm *a)
{
    struct index_stats all;
    const struct index *ix = a->built->index;
    ix->ops->stats(ix, &all);
    CHECK(a->read.survivors >= 10 && a->read.survivors <= BASE, "%g survivors of %d", a->read.survivors, BASE);
    CHECK(a->read.bytes < (double)(all.code_bytes + all.side_bytes), "%g of all bytes", a->read.bytes);
}

static void work(void)
{
    struct ann_set s = make_set(METRIC_COSINE, 10);
    measure(&s, (struct ann_point){ "flat", "", 10, 0, 3, 2, 1 }, 20, all_of_it);
    measure(&s, (struct ann_point){ "turboquant:bits=4,layout=split", "", 10, 0, 3, 1, 1 }, 20, some_of_it);
    drop_set(&s);
}

static void ids(void)
{
    struct ann_set s = make_set(METRIC_COSINE, 10);
    const struct ann_point p = { "flat", "", 10, 0, 1, 1, 42 };
    struct ann_point other = p;
    char a[17], b[17];
    struct err e = { 0 };
    CHECK(ann_point_id(a, &s, &p, &e) == ERR_OK && ann_point_id(b, &s, &other, &e) == ERR_OK, "%s", e.text);
    CHECK(strcmp(a, b) == 0 && strlen(a) == 16, "%s %s", a, b);
    other.rerank = 50;
    CHECK(ann_point_id(b, &s, &other, &e) == ERR_OK && strcmp(a, b) != 0, "another rerank, the same id");
    s.hash++;
    CHECK(ann_point_id(b, &s, &p, &e) == ERR_OK && strcmp(a, b) != 0, "other data, the same id");
    other.spec = "flatt";
    CHECK(ann_point_id(b, &s, &other, &e) == ERR_ARG && strstr(e.text, "'flat'"), "%s", e.text);
    drop_set(&s);
}

/* Truth numbers base rows in 32 bits with a sign: more rows are refused, not wrapped around. */
static void too_many_rows(void)
{
    struct ann_set s = make_set(METRIC_COSINE, 10);
    struct err e = { 0 };
    drop_set(&s);
    s.truth = NULL;
    for (int from_file = 0; from_file < 2; from_file++) {
        s.base.rows.count = (size_t)ANN_ROWS_MAX + 1;
        CHECK(ann_set_truth(&s, from_file ? "truth.ivecs" : NULL, 10, 1, &e) == ERR_ARG && !s.truth, "%s", e.text);
        CHECK(strstr(e.text, "2147483648 vectors, at most 2147483647"), "%s", e.text);
    }
}

/* Writes `ids`, QUERIES x width, as an .ivecs file, and reads it as the truth of `s`. */
static int take_given(struct ann_set *s, const int32_t *ids, size_t width, const char *path, struct err *e)
{
    FILE *out = fopen(path, "wb");
    const int32_t head = (int32_t)width;
    for (size_t q = 0; out && q < QUERIES; q++) {
        fwrite(&head, sizeof head, 1, out);
        fwrite(ids + q * width, sizeof *ids, width, out);
    }
    CHECK(out && fclose(out) == 0, "%s", path);
    mem_free(s->truth);
    s->truth = NULL;
    difficulties_free(&s->hard);
    return ann_set_truth(s, path, width, 1, e);
}

/* A file that is wrong in one way says which: counted from 1 (whether or not the last row is named), unsigned, of other
 * rows.  One that is only out of order is put in order, for the reader, and counted. */
static void given_truths(void)
{
    enum { K = 10 };
    char path[] = "/tmp/assay_truth_XXXXXX.ivecs";
    int32_t right[QUERIES * K], ids[QUERIES * K];
    struct err e = { 0 };
    struct ann_set s = make_set(METRIC_L2, K);
    const int fd = mkstemps(path, 6);
    CHECK(fd >= 0 && close(fd) == 0, "%s", path);
    memcpy(right, s.truth, sizeof right);

    for (int i = 0; i < QUERIES * K; i++) ids[i] = right[i] == BASE - 1 ? 0 : right[i] + 1;
    CHECK(take_given(&s, ids, K, path, &e) == ERR_ARG && strstr(e.text, "ids counted from 1 fit"), "%s", e.text);
    ids[3] = BASE;
    for (int i = 0; i < QUERIES * K; i++) ids[i] += ids[i] == 0;
    CHECK(take_given(&s, ids, K, path, &e) == ERR_FORMAT && strstr(e.text, "query 0: neighbour 300 outside 0..299: are they "
          "counted from 1?"), "%s", e.text);
    memcpy(ids, right, sizeof ids);
    ids[K + 2] = (int32_t)3000000000u;
    CHECK(take_given(&s, ids, K, path, &e) == ERR_FORMAT && strstr(e.text, "query 1: neighbour 3000000000 outside 0..299: ids "
          "of uint32, of a base of more rows?"), "%s", e.text);
    for (int i = 0; i < QUERIES * K; i++) ids[i] = (right[i] + 100) % BASE;
    CHECK(take_given(&s, ids, K, path, &e) == ERR_ARG && strstr(e.text, "other base or query rows?"), "%s", e.text);

    memcpy(ids, right, sizeof ids);
    for (int i = 0; i < K; i++) ids[2 * K + i] = right[3 * K - 1 - i];
    CHECK(take_given(&s, ids, K, path, &e) == ERR_OK, "%s", e.text);
    CHECK(s.truth && memcmp(s.truth, right, sizeof right) == 0, "not put in order");
    CHECK(tally_of(&s.notes, "queries whose neighbours were out of order, sorted") == 1, "not counted");
    /* Some rows are padded, as of a range: what is there is in the order of its metric. */
    memcpy(ids, right, sizeof ids);
    for (int i = 5; i < K; i++) ids[4 * K + i] = -1;
    CHECK(take_given(&s, ids, K, path, &e) == ERR_OK, "%s", e.text);
    s.metric = METRIC_DOT;
    CHECK(take_given(&s, ids, K, path, &e) == ERR_ARG && strstr(e.text, "another metric than dot: --metric l2 fits"), "%s", e.text);
    s.metric = METRIC_L2;
    for (int i = 0; i < QUERIES * K; i++) ids[i] += ids[i] >= 0 && ids[i] < BASE - 1;
    CHECK(take_given(&s, ids, K, path, &e) != ERR_OK && strstr(e.text, "counted from 1"), "%s", e.text);
    unlink(path);
    tally_free(&s.notes);
    difficulties_free(&s.hard);
    drop_set(&s);
}

static void latency_columns(void)
{
    struct layout l;
    struct row row;
    double us[1000];
    CHECK(layout_init(&l, NULL) == ERR_OK && row_init(&row, &l, NULL) == ERR_OK, "row");
    for (int i = 0; i < 1000; i++) us[i] = 1000 - i;
    struct calls calls = { .us = us, .count = 499, .wall_s = 0.5 };
    CHECK(point_latency(&row, &calls, 4, 100, NULL) == ERR_OK, "latency");
    CHECK(*row_get(&row, "lat_p99_us") == 0, "p99 of 499 calls: %s", row_get(&row, "lat_p99_us"));
    CHECK(strcmp(row_get(&row, "lat_n"), "499") == 0, "%s", row_get(&row, "lat_n"));
    CHECK(strcmp(row_get(&row, "qps"), "3992") == 0, "%s", row_get(&row, "qps"));
    calls.count = 1000;
    CHECK(point_latency(&row, &calls, 4, 100, NULL) == ERR_OK, "latency");
    CHECK(strcmp(row_get(&row, "lat_p50_us"), "500.5") == 0, "%s", row_get(&row, "lat_p50_us"));
    CHECK(strcmp(row_get(&row, "ns_per_vector"), "1251.25") == 0, "%s", row_get(&row, "ns_per_vector"));
    CHECK(strcmp(row_get(&row, "lat_p99_us"), "990.01") == 0, "%s", row_get(&row, "lat_p99_us"));
    /* Ranks of a 95 % interval of the 99th percentile of 1000: 983 or 984 below, 996 or 997 above. */
    const double lo = atof(row_get(&row, "lat_p99_lo_us")), hi = atof(row_get(&row, "lat_p99_hi_us"));
    CHECK(lo >= 983 && lo <= 984 && hi >= 996 && hi <= 997, "%g..%g", lo, hi);
    row_fini(&row);
    layout_fini(&l);
}

int main(void)
{
    test_case("exact search finds the truth at any batch and thread count", exact);
    test_case("exact search far from the origin", exact_far_away);
    test_case("what float queries find is what the codes can give", ceilings);
    test_case("few calls still ask every query", few_calls);
    test_case("a wrong truth shows", wrong_truth);
    test_case("bytes and survivors are counted", work);
    test_case("point ids follow parameters and data", ids);
    test_case("more rows than truth can number are refused", too_many_rows);
    test_case("a given truth that is wrong in one way says which", given_truths);
    test_case("latency columns", latency_columns);
    return test_end();
}
