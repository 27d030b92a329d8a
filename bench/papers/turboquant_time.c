/* SPDX-License-Identifier: MIT
 * turboquant_time.c - time of TurboQuant: to encode (table 2 of arXiv 2504.19874), and to scan.  Of another machine than the
 * paper's, so ratios and their direction are compared; arms take turns, and the interval is over rounds.  A scan stands beside
 * the rate at which one thread reads as many bytes here (bench/micro/roofline.h). */
#include "bench/micro/roofline.h"
#include "bench/papers/quant.h"
#include "bench/papers/turboquant.h"
#include "kernels/base/clock.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS_MAX = 20 };

/* --- encoding --------------------------------------------------------------------------------------------- */

static int make(struct index **out, const char *spec, size_t dim, int threads, struct err *e)
{
    const struct index_config config = { .dim = dim, .metric = METRIC_COSINE, .seed = 1, .threads = threads };
    return index_create(out, spec, &config, e);
}

/* Microseconds a row.  What an index draws, a rotation, is the model's and no part of it; what pq learns is, as the paper counts
 * it, and model is then NULL. */
static int encode_once(const char *spec, const struct index *model, struct rows rows, int threads, double *us, struct err *e)
{
    struct index *ix = NULL;
    int status = model ? model->ops->like(&ix, model, e) : make(&ix, spec, rows.dim, threads, e);
    if (status != ERR_OK) return status;
    const uint64_t start = clock_ns();
    status = index_train(ix, rows, e);
    if (status == ERR_OK) status = index_add(ix, rows, NULL, e);
    *us = (double)(clock_ns() - start) / 1e3 / (double)rows.count;
    if (model) ix->ops->destroy(ix);
    else index_destroy(ix);
    return status;
}

static int add_ratio(struct paper_run *r, const char *cell, const double *a, const double *b, size_t rounds, size_t n, struct err *e)
{
    double logs[ROUNDS_MAX];
    struct finding f = finding_of("%s", cell);
    for (size_t i = 0; i < rounds; i++) logs[i] = log(a[i] / b[i]);
    finding_of_rounds(&f, logs, rounds);
    f.n = n;
    return paper_found(r, &f, e);
}

enum { ARMS = 5, ENCODE_ROUNDS = 15, ENCODE_COORDINATES = 3000000 };
static const char *const arm_names[ARMS] = { "turboquant fht", "turboquant dense", "rabitq", "rabitq sweep", "pq" };

/* All arms in turn, round by round: us[arm][round]. */
static int encode_rounds(char specs[ARMS][96], size_t arms, struct rows rows, int threads, size_t rounds, double us[ARMS][ROUNDS_MAX],
                         struct err *e)
{
    struct index *models[ARMS] = { NULL };
    int status = ERR_OK;
    for (size_t a = 0; status == ERR_OK && a < arms && a < 4; a++) status = make(&models[a], specs[a], rows.dim, threads, e);
    for (size_t i = 0; i < rounds; i++)
        for (size_t a = 0; status == ERR_OK && a < arms; a++) status = encode_once(specs[a], models[a], rows, threads, &us[a][i], e);
    for (size_t a = 0; a < ARMS; a++) index_destroy(models[a]);
    return status;
}

static int encode_dim(struct paper_run *r, size_t dim, struct err *e)
{
    const size_t rows_count = r->asked.quick ? 1000 : ENCODE_COORDINATES / dim, rounds = r->asked.quick ? 11 : ENCODE_ROUNDS;
    double us[ARMS][ROUNDS_MAX];
    struct rows rows = { 0 };
    double sorted[ROUNDS_MAX];
    char cell[128], specs[ARMS][96];
    int status = sphere_draw(&rows, rows_count, dim, 1, e);
    const char *const made[] = { "turboquant:bits=4", "turboquant:bits=4,rotation=dense", "rabitq:bits=4", "rabitq:bits=4,fit=sweep" };
    for (size_t a = 0; a < 4; a++) snprintf(specs[a], sizeof specs[a], "%s", made[a]);
    snprintf(specs[4], sizeof specs[4], "pq:m=%zu,train=base", dim / 2);
    const int most = r->asked.threads;
    for (int threads = 1; status == ERR_OK && threads <= most; threads = threads < most ? most : most + 1) {
        const size_t arms = threads == 1 && dim < 1000 ? ARMS : 4; /* pq: minutes at 1536 */
        status = encode_rounds(specs, arms, rows, threads, rounds, us, e);
        for (size_t a = 0; status == ERR_OK && a < arms; a++) {
            struct finding f = finding_of("threads=%d;method=%s;dim=%zu", threads, arm_names[a], dim);
            memcpy(sorted, us[a], sizeof sorted);
            finding_of_rounds(&f, sorted, rounds);
            f.index = specs[a];
            f.n = rows_count;
            status = paper_found(r, &f, e);
        }
        for (size_t a = 1; status == ERR_OK && a < arms; a++) {
            snprintf(cell, sizeof cell, "threads=%d;dim=%zu;ln time=%s over turboquant fht", threads, dim, arm_names[a]);
            status = add_ratio(r, cell, us[a], us[0], rounds, rows_count, e);
        }
    }
    mem_free((void *)rows.at);
    return status;
}

int turboquant_encoding(struct paper_run *r, struct err *e)
{
    static const size_t dims[] = { 200, 1536, 3072 };
    int status = ERR_OK;
    const size_t count = r->asked.quick ? 2 : 3;
    for (size_t d = 0; status == ERR_OK && d < count; d++) status = encode_dim(r, dims[d], e);
    if (status == ERR_OK) status = paper_skip(r, "ln time=pq over turboquant fht", e, "k-means of so many parts takes minutes: d = 200 alone");
    if (status == ERR_OK && count < 3) status = paper_skip(r, "dim=3072", e, "left out by --quick");
    return status;
}

/* --- scans --------------------------------------------------------------------------------------------------- */

struct scan { const char *name; char spec[96]; struct index *ix; double ns[ROUNDS_MAX]; };

/* A query alone: nanoseconds a row. */
static int scan_once(const struct index *ix, struct rows queries, double *ns, struct err *e)
{
    enum { K = 10 };
    struct hit *hits = mem_alloc(queries.count * K, sizeof *hits);
    size_t *counts = mem_alloc(queries.count, sizeof *counts);
    struct index_stats stats;
    int status = hits && counts ? ERR_OK : FAIL(e, ERR_MEM, "no memory for answers");
    const uint64_t start = clock_ns();
    if (status == ERR_OK) status = index_search(ix, queries, K, 1, 1, hits, counts, e);
    const double spent = (double)(clock_ns() - start);
    ix->ops->stats(ix, &stats);
    *ns = spent / (double)queries.count / (double)stats.rows;
    mem_free(hits);
    mem_free(counts);
    return status;
}

/* What a search reads of the index: codes, and what is kept beside each. */
static double bytes_read(const struct index *ix)
{
    struct index_stats stats;
    ix->ops->stats(ix, &stats);
    return (double)(stats.code_bytes + stats.side_bytes);
}

/* The share of this machine's read rate, over as many bytes, that a scan reaches; the interval is of both. */
static int share_of_read(struct paper_run *r, const struct scan *s, struct rows rows, int bits, size_t rounds, struct err *e)
{
    const double bytes = bytes_read(s->ix);
    double shares[ROUNDS_MAX];
    struct rate read;
    const int status = roofline_read((size_t)bytes, 1, rounds, 1, &read, e);
    if (status != ERR_OK) return status;
    struct finding f = finding_of("quantity=share of read rate;dim=%zu;method=%s;bits=%d", rows.dim, s->name, bits);
    struct finding rate = finding_of("read rate of=%s;unit=GB per s;dim=%zu;width=%d", s->name, rows.dim, bits);
    for (size_t i = 0; i < rounds; i++) shares[i] = bytes / (double)rows.count / s->ns[i] / read.median;
    finding_of_rounds(&f, shares, rounds);
    f.lo *= read.median / read.interval.hi;
    f.hi *= read.median / read.interval.lo;
    f.index = s->spec;
    f.n = rate.n = rows.count;
    rate.ours = read.median, rate.lo = read.interval.lo, rate.hi = read.interval.hi, rate.seeds = rounds;
    const int found = paper_found(r, &f, e);
    return found == ERR_OK ? paper_found(r, &rate, e) : found;
}

static int scan_bits(struct paper_run *r, struct rows rows, struct rows queries, int bits, struct err *e)
{
    static const char *const names[] = { "dot", "lut", "popcount" };
    struct scan arms[] = { { .name = names[0] }, { .name = names[1] }, { .name = names[2] } };
    const size_t count = bits == 1 ? 3 : bits <= 4 ? 2 : 1, rounds = 20;
    double logs[ROUNDS_MAX];
    char cell[128];
    int status = ERR_OK;
    snprintf(arms[0].spec, sizeof arms[0].spec, "turboquant:bits=%d,query=int8,layout=blocked", bits);
    snprintf(arms[1].spec, sizeof arms[1].spec, "turboquant:bits=%d,query=u8,layout=blocked", bits);
    snprintf(arms[2].spec, sizeof arms[2].spec, "binary");
    for (size_t a = 0; status == ERR_OK && a < count; a++)
        status = quant_build(&arms[a].ix, arms[a].spec, rows, METRIC_COSINE, 1, r->asked.threads, e);
    for (size_t i = 0; i < rounds; i++)
        for (size_t a = 0; status == ERR_OK && a < count; a++) status = scan_once(arms[a].ix, queries, &arms[a].ns[i], e);
    for (size_t a = 0; status == ERR_OK && a < count; a++) {
        struct finding f = finding_of("quantity=ns per row;dim=%zu;method=%s;bits=%d", rows.dim, arms[a].name, bits);
        memcpy(logs, arms[a].ns, sizeof logs);
        finding_of_rounds(&f, logs, rounds);
        f.index = arms[a].spec;
        f.n = rows.count;
        status = paper_found(r, &f, e);
        if (status == ERR_OK) status = share_of_read(r, &arms[a], rows, bits, rounds, e);
    }
    for (size_t a = 1; status == ERR_OK && a < count; a++) {
        snprintf(cell, sizeof cell, "dim=%zu;bits=%d;ln time=dot over %s", rows.dim, bits, arms[a].name);
        status = add_ratio(r, cell, arms[0].ns, arms[a].ns, rounds, rows.count, e);
    }
    for (size_t a = 0; a < count; a++) index_destroy(arms[a].ix);
    return status;
}

int turboquant_scans(struct paper_run *r, struct err *e)
{
    struct rows rows = { 0 }, queries = { 0 };
    int status = sphere_draw(&rows, r->asked.quick ? 5000 : 50000, 768, 1, e);
    if (status == ERR_OK) status = sphere_draw(&queries, 20, 768, 2, e);
    for (int bits = 1; status == ERR_OK && bits <= 8; bits += bits < 4 ? 1 : 4) status = scan_bits(r, rows, queries, bits, e);
    mem_free((void *)rows.at);
    mem_free((void *)queries.at);
    return status;
}
