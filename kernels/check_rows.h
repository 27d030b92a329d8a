/* SPDX-License-Identifier: MIT
 * check_rows.h - the checker of every operation "one query, many rows": dot, cosine and l2 of any
 * element type.  Every length 0..1031 and some long ones; contiguous, strided and picked rows;
 * arrays flush against an unreadable page at either end; canaries around the scores; fills chosen
 * to hit limits.  The oracle sums in two doubles; the canonical order is written down once more
 * here with fmaf(), so that default rows of vector ISAs are held to it bit by bit. */
#ifndef ASSAY_CHECK_ROWS_H
#define ASSAY_CHECK_ROWS_H
#include "kernels/base/mem.h"
#include "kernels/bound.h"
#include "kernels/check_kernel.h"
#include "kernels/half.h"
#include <float.h>
#include <math.h>

/* A type of element: how to store a float as one, and what is then stored. */
struct element {
    size_t size;
    void (*put)(void *at, float value);
    float (*get)(const void *at);
    float unit;      /* random values lie in -unit .. unit */
    float big, tiny; /* powers of two; sums of 4,096 products of big ones stay finite */
    int spread;      /* "many magnitudes" are 2^-spread .. 2^spread */
};

/* The arguments of an operation, for the test to hand to the kernel in its own type. */
struct rows_args {
    const void *query, *rows;
    size_t stride, count, dim;
    const uint32_t *pick;
    const float *norms; /* NULL: to be computed */
    void *scores;       /* float, or int32_t where sums are exact */
};

enum rows_kind { ROWS_DOT, ROWS_L2, ROWS_COSINE };
struct rows_op {
    enum kernel_op op; /* whose bound the scores keep */
    enum rows_kind kind;
    const struct element *query, *row;
    int exact; /* int8: sums without error, the same on every ISA, scalar too */
    void (*call)(const struct kernel *k, const struct rows_args *a);
};

enum { CHECK_ROWS = 17, CHECK_GUARD = 16, CHECK_PAD = 5 };
enum fill {
    FILL_ZEROS, FILL_ONES, FILL_BIG, FILL_ALTERNATING, FILL_ONE_HOT, FILL_SPREAD, FILL_CANCEL,
    FILL_TINY, FILLS
};
enum layout { CONTIGUOUS, STRIDED, PICKED, LAYOUTS };

static void put_f32(void *at, float v) { memcpy(at, &v, sizeof v); }
static void put_u16(void *at, uint16_t v) { memcpy(at, &v, sizeof v); }
static void put_f16(void *at, float v) { put_u16(at, f16_of_f32(v)); }
static void put_bf16(void *at, float v) { put_u16(at, bf16_of_f32(v)); }
static void put_i8(void *at, float v) { *(int8_t *)at = (int8_t)rintf(fminf(fmaxf(v, -128), 127)); }
static float get_f32(const void *at)
{
    float v;
    memcpy(&v, at, sizeof v);
    return v;
}
static uint16_t get_u16(const void *at)
{
    uint16_t v;
    memcpy(&v, at, sizeof v);
    return v;
}
static float get_f16(const void *at) { return f32_of_f16(get_u16(at)); }
static float get_bf16(const void *at) { return f32_of_bf16(get_u16(at)); }
static float get_i8(const void *at) { return *(const int8_t *)at; }
static const struct element element_of_f32 = { 4, put_f32, get_f32, 1, 0x1p57f, 0x1p-70f, 20 };
static const struct element element_of_f16 = { 2, put_f16, get_f16, 1, 0x1p15f, 0x1p-20f, 12 };
static const struct element element_of_bf16 = { 2, put_bf16, get_bf16, 1, 0x1p57f, 0x1p-70f, 20 };
static const struct element element_of_i8 = { 1, put_i8, get_i8, 127, 128, 0, 7 };

static const size_t check_counts[] = { 0, 1, 2, 3, 4, 5, 7, 8, CHECK_ROWS };
enum { CHECK_COUNTS = sizeof check_counts / sizeof *check_counts };

/* What row r of a (dim, fill) must score, and how exactly. */
struct expected {
    double exact, magnitude; /* magnitude: what the bound is a multiple of */
    float canonical, inverse_norm;
    double coarse;  /* largest |q_i| * sum (1 + |x_i|), of bound.h */
    double rounded; /* tile_f32: exact, of both sides rounded to bf16 */
};

/* All inputs of an operation, made once in the parent and read by every child. */
struct rows_check {
    const struct rows_op *op;
    unsigned char *base; /* FILLS x (CHECK_ROWS + 1) x CHECK_LONGEST stored elements; the last row
                            is the query */
    struct expected *expected; /* CHECK_DIMS x FILLS x CHECK_ROWS */
    unsigned char *rows, *query; /* one (dim, fill), dense */
    struct fence fenced_rows, fenced_query, fenced_scores;
    size_t every;      /* every how many lengths: 1, but the test of the tests can do with less */
    uint64_t recorded; /* hash of the scores of every default row of a vector ISA, 0: none */
};

static float fill_value(enum fill fill, const struct element *t, size_t row, size_t i)
{
    const uint64_t z = test_rand();
    const float random = (float)((int)(z >> 40) - (1 << 23)) * 0x1p-23f;
    const float sign = z & 1 ? -1.0f : 1.0f;
    switch (fill) {
    case FILL_ZEROS: return row == CHECK_ROWS ? t->unit * random : 0.0f;
    case FILL_ONES: return 1;
    case FILL_BIG: return (z & 2 ? t->big : 1 / t->big) * sign;
    case FILL_ALTERNATING: return (i + row) % 2 ? -1.0f : 1.0f;
    case FILL_SPREAD: return ldexpf(random, (int)(z >> 8 & 0xff) % (2 * t->spread + 1) - t->spread);
    case FILL_TINY: return t->tiny > 0 ? t->tiny * random : -128;
    default: return t->unit * random;
    }
}

static unsigned char *base_row(const struct rows_check *c, enum fill fill, size_t row)
{
    const size_t size = c->op->row->size > c->op->query->size ? c->op->row->size : c->op->query->size;
    return c->base + ((size_t)fill * (CHECK_ROWS + 1) + row) * CHECK_LONGEST * size;
}

/* The rows and the query of a (dim, fill), dense, as they are stored. */
static void make_rows(struct rows_check *c, size_t dim, enum fill fill, size_t count)
{
    const struct element *t = c->op->row;
    const size_t query_size = c->op->query->size;
    memcpy(c->query, base_row(c, fill, CHECK_ROWS), dim * query_size);
    for (size_t i = 0; fill == FILL_CANCEL && i < dim / 2; i++)
        memcpy(c->query + (dim - 1 - i) * query_size, c->query + i * query_size, query_size);
    for (size_t r = 0; r < count; r++) {
        unsigned char *row = c->rows + r * dim * t->size;
        memcpy(row, base_row(c, fill, r), dim * t->size);
        /* One-hot in each of the last places; halves that nearly cancel. */
        for (size_t i = 0; fill == FILL_ONE_HOT && i < dim; i++)
            if (i + 1 + r != dim) t->put(row + i * t->size, 0);
        for (size_t i = 0; fill == FILL_CANCEL && i < dim / 2; i++)
            t->put(row + (dim - 1 - i) * t->size, -t->get(row + i * t->size) * (1 + (float)r * FLT_EPSILON));
    }
}

/* sum += x, exactly but for 2^-106: Knuth's two-sum. */
static void add_exactly(double sum[2], double x)
{
    const double s = sum[0] + x, t = s - sum[0];
    sum[1] += (sum[0] - (s - t)) + (x - t);
    sum[0] = s;
}

static float canonical_sum(const float lanes[32])
{
    float l[32];
    memcpy(l, lanes, sizeof l);
    for (int half = 16; half > 0; half /= 2)
        for (int i = 0; i < half; i++) l[i] += l[i + half];
    return l[0];
}

static float canonical_inverse(float square) { return square > 0 ? 1.0f / sqrtf(square) : 0.0f; }

/* The square of a vector: exactly, and in the canonical order. */
struct square { double exact; float canonical; };

static struct square square_of(const struct rows_op *op, const float *x, size_t dim, int canonical)
{
    double sum[2] = { 0 };
    float lane[32] = { 0 };
    for (size_t i = 0; i < dim; i++) add_exactly(sum, (double)x[i] * x[i]);
    for (size_t i = 0; canonical && i < (dim + 31) / 32 * 32; i++)
        lane[i % 32] = fmaf(i < dim ? x[i] : 0, i < dim ? x[i] : 0, lane[i % 32]);
    return (struct square){ sum[0] + sum[1], op->exact ? (float)sum[0] : canonical_sum(lane) };
}

/* What a row of own.bf16 multiplies in place of x; below 2^-126 the bound has room for either. */
static float near_bf16(float x) { return f32_of_bf16(bf16_of_f32(x)); }

static struct expected expect(const struct rows_op *op, const float *q, const float *x, size_t dim,
                              struct square qq, int canonical)
{
    double sum[2] = { 0 }, rounded[2] = { 0 }, magnitude = 0, largest = 0, sizes = 0;
    float lane[32] = { 0 };
    for (size_t i = 0; i < dim; i++) {
        const double d = (double)q[i] - x[i], p = op->kind == ROWS_L2 ? d * d : (double)q[i] * x[i];
        add_exactly(sum, p);
        if (op->op == OP_tile_f32) add_exactly(rounded, (double)near_bf16(q[i]) * (double)near_bf16(x[i]));
        magnitude += fabs(p);
        largest = fmax(largest, fabs((double)q[i]));
        sizes += 1 + fabs((double)x[i]);
    }
    for (size_t i = 0; canonical && i < (dim + 31) / 32 * 32; i++) {
        const float a = i < dim ? q[i] : 0, b = i < dim ? x[i] : 0, d = a - b;
        lane[i % 32] = op->kind == ROWS_L2 ? fmaf(d, d, lane[i % 32]) : fmaf(a, b, lane[i % 32]);
    }
    struct expected e = { sum[0] + sum[1], magnitude, op->exact ? (float)sum[0] : canonical_sum(lane), 0, largest * sizes,
                          rounded[0] + rounded[1] };
    if (op->kind != ROWS_COSINE) return e;
    const struct square xx = square_of(op, x, dim, canonical);
    const double norms = sqrt(qq.exact) * sqrt(xx.exact);
    e.exact = norms > 0 ? e.exact / norms : 0;
    e.magnitude = norms > 0 ? magnitude / norms : 0;
    e.inverse_norm = canonical ? canonical_inverse(xx.canonical) : xx.exact > 0 ? (float)(1 / sqrt(xx.exact)) : 0;
    e.canonical = e.canonical * canonical_inverse(qq.canonical) * e.inverse_norm;
    return e;
}

/* The rows whose bits are promised: vector ISAs in the canonical order, and all exact ones. */
static int wants_canonical(const struct rows_op *op, const struct kernel *k)
{
    return kernel_is_canonical(k) && (k->isa != ISA_scalar || op->exact);
}

/* Every length goes through all counts and layouts with one fill, and with 8 rows through the rest. */
static size_t rows_of(size_t d, int fill) { return d % FILLS == (size_t)fill ? CHECK_ROWS : 8; }

static void rows_check_expect(struct rows_check *c)
{
    static float q[CHECK_LONGEST], x[CHECK_LONGEST];
    int canonical = c->every > 1;
    for (const struct kernel *k = kernel_next(c->op->op, NULL); k; k = kernel_next(c->op->op, k))
        canonical |= kernel_runnable(k) && wants_canonical(c->op, k);
    for (size_t d = 0; d < CHECK_DIMS; d += c->every)
        for (int f = 0; f < FILLS; f++) {
            const size_t dim = check_dim(d);
            make_rows(c, dim, (enum fill)f, rows_of(d, f));
            for (size_t i = 0; i < dim; i++) q[i] = c->op->query->get(c->query + i * c->op->query->size);
            const struct square qq = square_of(c->op, q, c->op->kind == ROWS_COSINE ? dim : 0, canonical);
            for (size_t r = 0; r < rows_of(d, f); r++) {
                for (size_t i = 0; i < dim; i++) x[i] = c->op->row->get(c->rows + (r * dim + i) * c->op->row->size);
                c->expected[(d * FILLS + (size_t)f) * CHECK_ROWS + r] = expect(c->op, q, x, dim, qq, canonical);
            }
        }
}

/* Never freed: the inputs of a test program live as long as it does. */
static void rows_check_init(struct rows_check *c, const struct rows_op *op, size_t every, uint64_t recorded)
{
    const size_t stored = op->row->size > op->query->size ? op->row->size : op->query->size;
    const size_t room = CHECK_ROWS * (CHECK_LONGEST + CHECK_PAD) * stored;
    *c = (struct rows_check){ .op = op, .every = every, .recorded = recorded };
    c->base = mem_alloc(FILLS * (CHECK_ROWS + 1) * CHECK_LONGEST, stored);
    c->expected = mem_alloc(CHECK_DIMS * FILLS * CHECK_ROWS, sizeof *c->expected);
    c->rows = mem_alloc(room, 1);
    c->query = mem_alloc(CHECK_LONGEST, stored);
    if (!c->base || !c->expected || !c->rows || !c->query) abort();
    c->fenced_rows = fence_make(room);
    c->fenced_query = fence_make(CHECK_LONGEST * stored);
    c->fenced_scores = fence_make((CHECK_ROWS + CHECK_GUARD) * sizeof(float));
    test_seed = 20260101;
    for (int f = 0; f < FILLS; f++)
        for (size_t r = 0; r <= CHECK_ROWS; r++) {
            const struct element *t = r == CHECK_ROWS ? op->query : op->row;
            for (size_t i = 0; i < CHECK_LONGEST; i++)
                t->put(base_row(c, (enum fill)f, r) + i * t->size, fill_value((enum fill)f, t, r, i));
        }
    rows_check_expect(c);
}

/* One call: where everything lies. */
struct rows_call {
    const struct rows_check *c;
    const struct kernel *k;
    size_t d, count;
    enum fill fill;
    enum layout layout;
    int at_end, norms; /* flush against the page behind; stored norms passed */
};

/* What the row's bound (bound.h) is for one score of this operation; `rounding` as there. */
static double bound_of(const struct rows_call *a, const struct expected *e, double rounding)
{
    struct kernel k = *a->k;
    k.op = a->c->op->op;
    return kernel_bound(&k, &(struct bound_terms){ .dim = check_dim(a->d), .magnitude = e->magnitude,
                                                     .coarse = e->coarse, .rounding = rounding });
}

/* A row that rounds both sides is held to the sum of what it rounds them to, too: within the bound of what rounding costs
 * one that cuts, or rounds one side alone, would pass. */
static void judge_rounded(const struct rows_call *a, const struct expected *e, double got)
{
    const double bound = bound_of(a, e, 0x1p-1000);
    CHECK(fabs(got - e->rounded) <= bound, "dim %zu fill %d: %a, of rounded numbers exactly %a +- %a", check_dim(a->d),
          a->fill, got, e->rounded, bound);
}

static void judge(const struct rows_call *a, const size_t *row_of, const void *scores, uint64_t *hash)
{
    const struct rows_op *op = a->c->op;
    const struct expected *of = a->c->expected + (a->d * FILLS + (size_t)a->fill) * CHECK_ROWS;
    const int promised = wants_canonical(op, a->k), integers = op->exact && op->kind != ROWS_COSINE;
    for (size_t r = 0; r < a->count; r++) {
        const struct expected *e = of + row_of[r];
        float score;
        int32_t integer;
        memcpy(&score, (const float *)scores + r, sizeof score);
        memcpy(&integer, &score, sizeof integer);
        const double got = integers ? integer : (double)score;
        const double error = fabs(got - e->exact), bound = bound_of(a, e, 0);
        check_error(error, bound);
        if (a->k->own.bf16) judge_rounded(a, e, got);
        const int same = integers || memcmp(&score, &e->canonical, sizeof score) == 0;
        if (promised && a->layout == CONTIGUOUS && !a->at_end && a->count == CHECK_ROWS)
            *hash = check_hash(*hash, &score, sizeof score);
        CHECK(error <= bound && (same || !promised),
              "dim %zu fill %d layout %d %s norms %d: row %zu of %zu scores %a, canonically %a, exactly %a +- %a",
              check_dim(a->d), a->fill, a->layout, a->at_end ? "end" : "begin", a->norms, r, a->count, got,
              (double)e->canonical, e->exact, bound);
    }
}

/* Lays the arrays against the fences, calls, looks at every score and at the canaries. */
static void one_call(const struct rows_call *a, uint64_t *hash)
{
    const struct rows_check *c = a->c;
    const size_t dim = check_dim(a->d), size = c->op->row->size, query_bytes = dim * c->op->query->size;
    const size_t stride = dim + (a->layout == STRIDED ? CHECK_PAD : 0);
    const size_t laid = a->layout == PICKED ? CHECK_ROWS : a->count;
    const size_t bytes = laid ? ((laid - 1) * stride + dim) * size : 0;
    unsigned char *rows = fence_at(c->fenced_rows, bytes, a->at_end);
    unsigned char *query = fence_at(c->fenced_query, query_bytes, a->at_end);
    float *scores = fence_at(c->fenced_scores, a->count * sizeof *scores, a->at_end);
    float *guard = a->at_end ? scores - CHECK_GUARD : scores + a->count, norms[CHECK_ROWS];
    uint32_t pick[CHECK_ROWS];
    size_t row_of[CHECK_ROWS];
    if (stride > dim) memset(rows, 0xff, bytes); /* NaN between the rows */
    for (size_t r = 0; r < laid; r++) memcpy(rows + r * stride * size, c->rows + r * dim * size, dim * size);
    memcpy(query, c->query, query_bytes);
    memset(scores, 0xa5, a->count * sizeof *scores);
    memset(guard, 0xa5, CHECK_GUARD * sizeof *guard);
    for (size_t r = 0; r < CHECK_ROWS; r++) {
        pick[r] = (uint32_t)(r * 7 + 3) % CHECK_ROWS;
        row_of[r] = a->layout == PICKED ? pick[r] : r;
        norms[r] = c->expected[(a->d * FILLS + (size_t)a->fill) * CHECK_ROWS + r].inverse_norm;
    }
    c->op->call(a->k, &(struct rows_args){ query, rows, stride, a->count, dim, a->layout == PICKED ? pick : NULL,
                                           a->norms ? norms : NULL, scores });
    judge(a, row_of, scores, hash);
    for (int i = 0; i < CHECK_GUARD; i++)
        CHECK(!memcmp((unsigned char *)&guard[i], "\xa5\xa5\xa5\xa5", 4), "dim %zu count %zu: wrote %s its scores",
              dim, a->count, a->at_end ? "before" : "behind");
}

/* Not the whole product: see rows_of.  The odd fills' 8 rows lie in order or strided by turns. */
static void rows_check_run(const void *kernel, void *check, void *unused)
{
    const struct kernel *k = kernel;
    struct rows_check c = *(struct rows_check *)check;
    uint64_t hash = CHECK_HASH_START;
    (void)unused;
    for (size_t d = 0; d < CHECK_DIMS; d += c.every)
        for (size_t f = 0; f < FILLS; f++) {
            if (f == FILL_TINY && c.op->kind == ROWS_COSINE && !c.op->exact) continue; /* outside its domain */
            make_rows(&c, check_dim(d), (enum fill)f, rows_of(d, (int)f));
            for (size_t n = 0; n < CHECK_COUNTS; n++)
                for (size_t layout = 0; layout < LAYOUTS; layout++) {
                    if (d % FILLS != f && !(check_counts[n] == 8 && layout == d / FILLS % 2)) continue;
                    struct rows_call call = { &c, k, d, check_counts[n], (enum fill)f, (enum layout)layout, 0, 0 };
                    for (int i = 0; i < (c.op->kind == ROWS_COSINE ? 4 : 2); i++) {
                        call.at_end = i & 1, call.norms = i >> 1;
                        one_call(&call, &hash);
                    }
                }
            if (test_enough()) return;
        }
    CHECK(!c.recorded || hash == c.recorded || !wants_canonical(c.op, k), "hash of the scores is %#llx, recorded %#llx",
          (unsigned long long)hash, (unsigned long long)c.recorded);
}

static void rows_check_every(const struct rows_op *op, uint64_t recorded)
{
    static struct rows_check c;
    rows_check_init(&c, op, 1, recorded);
    check_every(op->op, rows_check_run, &c, NULL);
}
#endif
