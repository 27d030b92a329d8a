/* SPDX-License-Identifier: MIT */
#include "bench/workload.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/codes/codes.h"
#include "kernels/half.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum { SETS = 2, CHECKED_ROWS = 67, ROTATE_ROUNDS = 2 };

struct operands {
    void *rows; /* what the working set counts; shared */
    void *side; /* per row, or a small table; shared */
    void *query;
    uint32_t *pick;
    void *out;
};

struct workload {
    struct workload_facts facts;
    const struct driver *driver;
    struct operands set[SETS];
    int verifying;         /* operands that show errors rather than operands that can be repeated */
};

/* One operation.  Everything it needs to know is in w->facts.shape and set[]. */
struct driver {
    int uses;
    size_t (*row_bytes)(const struct workload_shape *s);
    /* Bytes of query, side and out; rows are facts.set_bytes. */
    void (*sizes)(const struct workload_shape *s, size_t *query, size_t *side, size_t *out);
    void (*fill)(struct workload *w, struct operands *o, struct rng *r);
    void (*call)(const struct workload_shape *s, const struct kernel *k, struct operands *o);
    void (*demand)(const struct workload_shape *s, double *demand); /* beyond reading the rows */
    /* Largest difference between two right float outputs; NULL: outputs are compared bit by bit. */
    double (*tolerance)(const struct workload_shape *s);
    void (*round_up)(struct workload_shape *s); /* NULL: any shape will do */
    int changes_rows; /* writes into rows: they, not out, are the result */
    void (*tidy)(const struct workload_shape *s, struct operands *o); /* before a comparison; NULL */
    int least_bits, most_bits; /* with USES_BITS; 0 is 1, and 8 */
    size_t every;     /* visits one row in so many; 0 is 1 */
};

static void fill_floats(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = (float)(rng_uniform(r) * 2 - 1);
}

static void fill_bytes(struct rng *r, void *at, size_t n)
{
    uint8_t *x = at;
    for (size_t i = 0; i < n; i++) x[i] = (uint8_t)(rng_next(r) >> 56);
}

static void fill_range(struct rng *r, int8_t *x, size_t n, int most)
{
    for (size_t i = 0; i < n; i++) x[i] = (int8_t)((int)rng_below(r, 2 * (uint64_t)most + 1) - most);
}

/* --- one query, many rows ------------------------------------------------------------------------ */

static size_t row_of_4(const struct workload_shape *s) { return s->dim * 4; }
static size_t row_of_2(const struct workload_shape *s) { return s->dim * 2; }
static size_t row_of_1(const struct workload_shape *s) { return s->dim; }

static void rows_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->dim * sizeof(float);
    *side = s->rows * sizeof(float);
    *out = s->rows * sizeof(float); /* or int32_t */
}

/* Stores x in [-1, 1) as element i and returns what it then stands for. */
static float store_f32(void *at, size_t i, float x) { return ((float *)at)[i] = x; }
static float store_f16(void *at, size_t i, float x) { return f32_of_f16(((uint16_t *)at)[i] = f16_of_f32(x)); }
static float store_bf16(void *at, size_t i, float x) { return f32_of_bf16(((uint16_t *)at)[i] = bf16_of_f32(x)); }
static float store_i8(void *at, size_t i, float x) { return ((int8_t *)at)[i] = (int8_t)(x * 127); }
typedef float store_fn(void *at, size_t i, float x);

static void fill_rows(struct workload *w, struct operands *o, struct rng *r, store_fn *store_query, store_fn *store)
{
    const struct workload_shape *s = &w->facts.shape;
    for (size_t i = 0; i < s->dim; i++) store_query(o->query, i, (float)(rng_uniform(r) * 2 - 1));
    for (size_t i = 0; i < s->rows; i++) {
        double square = 0;
        for (size_t j = 0; j < s->dim; j++) {
            const double x = store(o->rows, i * s->dim + j, (float)(rng_uniform(r) * 2 - 1));
            square += x * x;
        }
        ((float *)o->side)[i] = square > 0 ? (float)(1 / sqrt(square)) : 0;
    }
}

static void fill_f32(struct workload *w, struct operands *o, struct rng *r)
{
    fill_rows(w, o, r, store_f32, store_f32);
}
static void fill_f16(struct workload *w, struct operands *o, struct rng *r)
{
    fill_rows(w, o, r, store_f32, store_f16);
}
static void fill_bf16(struct workload *w, struct operands *o, struct rng *r)
{
    fill_rows(w, o, r, store_f32, store_bf16);
}
static void fill_i8(struct workload *w, struct operands *o, struct rng *r) { fill_rows(w, o, r, store_i8, store_i8); }

/* Of l2 the multiply-adds alone: some CPUs subtract on other ports, and a ceiling must not be passed. */
static void products(const struct workload_shape *s, double *demand)
{
    demand[CEILING_FMA] = (double)(s->rows * s->dim);
}
static void products_i8(const struct workload_shape *s, double *demand)
{
    demand[CEILING_INT8] = (double)(s->rows * s->dim);
}
/* Both sides of a comparison may be off by their own forward error; terms are within [-1, 1], of l2
 * within [0, 4]. */
static double relative(const struct workload_shape *s) { return 2 * ((double)s->dim + 32) * 0x1p-24; }
static double dot_tolerance(const struct workload_shape *s) { return relative(s) * (double)s->dim; }
static double l2_tolerance(const struct workload_shape *s) { return relative(s) * 4 * (double)s->dim; }
static double cosine_tolerance(const struct workload_shape *s) { return 2 * relative(s); }

#define CALL_ROWS(op)                                                                                                  \
    static void call_##op(const struct workload_shape *s, const struct kernel *k, struct operands *o)                  \
    {                                                                                                                  \
        k->fn.op(o->query, o->rows, s->dim, o->pick, s->rows, s->dim, o->out);                                         \
    }
#define CALL_COSINE(op)                                                                                                \
    static void call_##op(const struct workload_shape *s, const struct kernel *k, struct operands *o)                  \
    {                                                                                                                  \
        k->fn.op(o->query, o->rows, s->dim, o->pick, s->rows, s->dim, o->side, o->out);                                \
    }
CALL_ROWS(dot_f32)
CALL_ROWS(dot_f16)
CALL_ROWS(dot_bf16)
CALL_ROWS(dot_i8)
CALL_ROWS(l2_f32)
CALL_ROWS(l2_f16)
CALL_ROWS(l2_bf16)
CALL_ROWS(l2_i8)
CALL_COSINE(cosine_f32)
CALL_COSINE(cosine_f16)
CALL_COSINE(cosine_bf16)
CALL_COSINE(cosine_i8)

/* --- many queries, norms, bounds ----------------------------------------------------------------- */

static void tile_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->batch * s->dim * sizeof(float);
    *side = s->rows * sizeof(float);
    *out = s->batch * s->rows * sizeof(float); /* or int32_t */
}

static void fill_tile(struct workload *w, struct operands *o, struct rng *r, store_fn *store)
{
    const size_t n = w->facts.shape.batch * w->facts.shape.dim;
    fill_rows(w, o, r, store, store);
    for (size_t i = 0; i < n; i++) store(o->query, i, (float)(rng_uniform(r) * 2 - 1));
}

static void fill_tile_f32(struct workload *w, struct operands *o, struct rng *r) { fill_tile(w, o, r, store_f32); }
static void fill_tile_i8(struct workload *w, struct operands *o, struct rng *r) { fill_tile(w, o, r, store_i8); }

static void tile_products(const struct workload_shape *s, double *demand)
{
    demand[CEILING_FMA] = (double)(s->rows * s->dim * s->batch);
}
static void tile_products_i8(const struct workload_shape *s, double *demand)
{
    demand[CEILING_INT8] = (double)(s->rows * s->dim * s->batch);
}

#define CALL_TILE(op)                                                                                                  \
    static void call_##op(const struct workload_shape *s, const struct kernel *k, struct operands *o)                  \
    {                                                                                                                  \
        k->fn.op(o->query, s->dim, s->batch, o->rows, s->dim, s->rows, s->dim, o->out);                                \
    }
CALL_TILE(tile_f32)
CALL_TILE(tile_i8)

static void call_norms_f32(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    k->fn.norms_f32(o->rows, s->dim, s->rows, s->dim, o->out);
}

static size_t score_row(const struct workload_shape *s) { (void)s; return sizeof(float); }

static void above_fill(struct workload *w, struct operands *o, struct rng *r)
{
    fill_floats(r, o->rows, w->facts.shape.rows);
}

/* One score in twenty is kept. */
static void call_above_f32(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    uint32_t *kept = o->out;
    kept[s->rows] = (uint32_t)k->fn.above_f32(o->rows, s->rows, 0.9f, kept);
}

/* One place of the output stays as it was: it is sized for survivors and their number. */
static void call_angle_f32(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    k->fn.angle_f32(o->rows, s->rows, o->out);
}

/* --- rotation --------------------------------------------------------------------------------- */

static void power_of_two(struct workload_shape *s)
{
    size_t n = 1;
    while (n < s->dim) n *= 2;
    s->dim = n;
}

static void no_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    (void)s;
    *query = *side = *out = 0;
}

/* In place and not normalised, so anything but zero overflows after a few dozen calls.  Additions
 * of zeros take the same time as of any normal numbers. */
static void fht_fill(struct workload *w, struct operands *o, struct rng *r)
{
    const size_t n = w->facts.shape.rows * w->facts.shape.dim;
    if (w->verifying) fill_floats(r, o->rows, n);
    else memset(o->rows, 0, n * sizeof(float));
}

static void call_fht_f32(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    for (size_t i = 0; i < s->rows; i++) k->fn.fht_f32((float *)o->rows + i * s->dim, s->dim);
}

static double fht_tolerance(const struct workload_shape *s)
{
    return 2 * log2((double)s->dim + 1) * 0x1p-24 * (double)s->dim;
}

/* An addition takes the place of a multiply-add. */
static void fht_demand(const struct workload_shape *s, double *demand)
{
    demand[CEILING_FMA] = (double)(s->rows * s->dim) * log2((double)s->dim);
}

static void turn_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = 0;
    *side = s->dim * sizeof(float);
    *out = s->rows * s->dim * sizeof(float);
}

static void turn_fill(struct workload *w, struct operands *o, struct rng *r)
{
    fill_floats(r, o->rows, w->facts.shape.rows * w->facts.shape.dim);
    fill_floats(r, o->side, w->facts.shape.dim);
}

static void call_turn_f32(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    for (size_t i = 0; i < s->rows; i++)
        k->fn.turn_f32((const float *)o->rows + i * s->dim, o->side, s->dim, (s->dim + 1) / 2,
                       (float *)o->out + i * s->dim);
}

static double turn_tolerance(const struct workload_shape *s) { (void)s; return 4 * 0x1p-24; }

/* --- rotations: parts of the largest power of two that divides dim, or one of the next ---------------- */

static size_t rotate_parts(const struct workload_shape *s) { return s->dim / (s->dim & -s->dim); }

static void rotate_shape(struct workload_shape *s)
{
    if (rotate_parts(s) > 5) power_of_two(s);
}

static void rotate_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = 0;
    *side = ROTATE_ROUNDS * s->dim * sizeof(uint32_t);
    *out = s->rows * s->dim * sizeof(float);
}

static void rotate_fill(struct workload *w, struct operands *o, struct rng *r)
{
    const struct workload_shape *s = &w->facts.shape;
    fill_floats(r, o->rows, s->rows * s->dim);
    for (size_t i = 0; i < ROTATE_ROUNDS * s->dim; i++) ((uint32_t *)o->side)[i] = (uint32_t)(rng_next(r) >> 63) << 31;
}

static void call_rotate_f32(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    for (size_t i = 0; i < s->rows; i++)
        k->fn.rotate_f32((const float *)o->rows + i * s->dim, o->side, s->dim, rotate_parts(s), ROTATE_ROUNDS,
                         1 / (float)s->dim, (float *)o->out + i * s->dim);
}

/* Additions take the place of multiply-adds: of the transforms, and two for the mix. */
static void rotate_demand(const struct workload_shape *s, double *demand)
{
    const double mix = rotate_parts(s) > 1 ? 2 : 0, strides = log2((double)s->dim / (double)rotate_parts(s));
    demand[CEILING_FMA] = ROTATE_ROUNDS * (double)(s->rows * s->dim) * (strides + mix);
}

/* --- packed codes ------------------------------------------------------------------------------- */

static size_t code_row(const struct workload_shape *s) { return codes_groups(s->dim) * (size_t)s->bits * 4; }

static void whole_groups(struct workload_shape *s) { s->dim = codes_groups(s->dim) * CODES_DIMS; }

static void whole_blocks(struct workload_shape *s)
{
    whole_groups(s);
    s->rows = codes_blocks(s->rows) * CODES_ROWS;
}

static void lut_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->batch * s->dim;
    *side = (size_t)1 << CODES_BITS_MAX;
    *out = s->batch * s->rows * sizeof(int32_t);
}

static void lut_fill(struct workload *w, struct operands *o, struct rng *r)
{
    fill_bytes(r, o->rows, w->facts.set_bytes);
    fill_range(r, o->query, w->facts.shape.batch * w->facts.shape.dim, 127);
    fill_bytes(r, o->side, (size_t)1 << w->facts.shape.bits);
}

static void call_scan_lut(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    k->fn.scan_lut(o->rows, codes_blocks(s->rows), codes_groups(s->dim), s->bits, o->side, o->query, s->batch, o->out);
}

static void lut_demand(const struct workload_shape *s, double *demand)
{
    demand[CEILING_INT8] = (double)(s->rows * s->dim * s->batch);
    demand[CEILING_SHUFFLE] = (double)(s->rows * s->dim); /* a level a code, shared by the batch */
}

/* --- split codes -------------------------------------------------------------------------------- */

/* The tables, then what the kernel returned for each. */
static void tables_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = *side = 0;
    *out = s->rows * (s->dim * 4 + sizeof(int32_t));
}

static void tables_fill(struct workload *w, struct operands *o, struct rng *r)
{
    fill_range(r, o->rows, w->facts.shape.rows * w->facts.shape.dim, 63);
}

static void call_lut_sign(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    uint8_t *luts = o->out;
    int32_t *starts = (int32_t *)(luts + s->rows * s->dim * 4);
    for (size_t i = 0; i < s->rows; i++)
        starts[i] = k->fn.lut_sign((const int8_t *)o->rows + i * s->dim, codes_groups(s->dim), luts + i * s->dim * 4);
}

static size_t sign_row(const struct workload_shape *s) { return s->dim / 8; }

static void sign_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->batch * (s->dim * 4 + sizeof(int32_t)); /* tables, then starts */
    *side = s->batch * s->dim;
    *out = s->batch * s->rows * sizeof(int32_t);
}

static void sign_fill(struct workload *w, struct operands *o, struct rng *r)
{
    const struct workload_shape *s = &w->facts.shape;
    struct kernel_set best;
    kernel_set_resolve(&best, NULL, NULL); /* cannot fail: nothing was asked for */
    fill_bytes(r, o->rows, w->facts.set_bytes);
    fill_range(r, o->side, s->batch * s->dim, 63);
    struct workload_shape queries = *s;
    queries.rows = s->batch;
    struct operands tables = { .rows = o->side, .out = o->query };
    call_lut_sign(&queries, best.of[OP_lut_sign], &tables);
}

static void call_scan_sign(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const uint8_t *luts = o->query;
    const int32_t *starts = (const int32_t *)(luts + s->batch * s->dim * 4);
    k->fn.scan_sign(o->rows, codes_blocks(s->rows), codes_groups(s->dim), luts, starts, s->batch, o->out);
}

/* One byte looked up for four dimensions. */
static void sign_demand(const struct workload_shape *s, double *demand)
{
    demand[CEILING_SHUFFLE] = (double)(s->rows * s->dim / 4 * s->batch);
}

/* --- byte tables and bit planes ------------------------------------------------------------------- */

/* Bytes of the tables of a group: none of 1 bit, which lut_sign makes. */
static size_t u8_bytes(int bits) { return bits == 4 ? 512 : bits == 2 ? 256 : 1024; }

static void u8_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = 0;
    *side = ((size_t)1 << s->bits) * sizeof(float);
    *out = s->rows * codes_groups(s->dim) * u8_bytes(s->bits);
}

/* Short fractions, so that no product is rounded and no contraction shows. */
static void u8_fill(struct workload *w, struct operands *o, struct rng *r)
{
    const struct workload_shape *s = &w->facts.shape;
    float *x = o->rows;
    for (size_t i = 0; i < s->rows * s->dim; i++) x[i] = (float)((int)rng_below(r, 128) - 64) / 64;
    for (int i = 0; i < 1 << s->bits; i++) ((float *)o->side)[i] = (float)(2 * i - (1 << s->bits) + 1) / 16;
}

static void call_lut_u8(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const size_t bytes = codes_groups(s->dim) * u8_bytes(s->bits);
    for (size_t i = 0; i < s->rows; i++)
        k->fn.lut_u8((const float *)o->rows + i * s->dim, s->dim, o->side, s->bits, 32, (uint8_t *)o->out + i * bytes);
}

static size_t pair_row(const struct workload_shape *s) { return s->dim * 3 / 8; }

static void pair_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->batch * (codes_groups(s->dim) * u8_bytes(3) + sizeof(int32_t)); /* tables, then starts */
    *side = 0;
    *out = s->batch * s->rows * sizeof(int32_t);
}

static void pair_fill(struct workload *w, struct operands *o, struct rng *r)
{
    const struct workload_shape *s = &w->facts.shape;
    fill_bytes(r, o->rows, w->facts.set_bytes);
    fill_bytes(r, o->query, s->batch * codes_groups(s->dim) * u8_bytes(3));
}

static void call_scan_pair(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const uint8_t *luts = o->query;
    const int32_t *starts = (const int32_t *)(luts + s->batch * codes_groups(s->dim) * u8_bytes(3));
    k->fn.scan_pair(o->rows, codes_blocks(s->rows), codes_groups(s->dim), luts, starts, s->batch, o->out);
}

/* One byte looked up for two dimensions. */
static void pair_demand(const struct workload_shape *s, double *demand)
{
    demand[CEILING_SHUFFLE] = (double)(s->rows * s->dim / 2 * s->batch);
}

enum { PLANES = 4 }; /* bits of the query */
static void planes_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->batch * PLANES * codes_groups(s->dim) * (size_t)s->bits * sizeof(uint32_t);
    *side = 0;
    *out = s->batch * s->rows * sizeof(int32_t);
}

static void planes_fill(struct workload *w, struct operands *o, struct rng *r)
{
    size_t query, side, out;
    planes_sizes(&w->facts.shape, &query, &side, &out);
    fill_bytes(r, o->rows, w->facts.set_bytes);
    fill_bytes(r, o->query, query);
}

static void call_scan_planes(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    k->fn.scan_planes(o->rows, codes_blocks(s->rows), s->dim, s->bits, o->query, PLANES, s->batch, o->out);
}

/* Bytes counted, of 1-bit codes; of more bits a register is counted once a bit. */
static void planes_demand(const struct workload_shape *s, double *demand)
{
    const int bits = s->bits, passes = (bits & 1) + 4 * (bits >> 1 & 1) + 16 * (bits >> 2 & 1) + 64 * (bits >> 3);
    demand[CEILING_POPCOUNT] = (double)(s->rows * s->dim / 8 * s->batch * PLANES * (size_t)passes);
}

/* A sum, a scale and an error a row, each an array of its own; dimensions play no part. */
static size_t survive_row(const struct workload_shape *s) { (void)s; return 12; }
static void one_dimension(struct workload_shape *s) { s->dim = 1; }

static void survive_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = *side = 0;
    *out = (s->rows + 1) * sizeof(uint32_t); /* the survivors, then how many */
}

static void survive_fill(struct workload *w, struct operands *o, struct rng *r)
{
    const size_t n = w->facts.shape.rows;
    int32_t *sums = o->rows;
    for (size_t i = 0; i < n; i++) sums[i] = (int32_t)rng_below(r, 20001) - 10000;
    fill_floats(r, (float *)o->rows + n, 2 * n);
}

static void call_survive(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const float *scale = (const float *)o->rows + s->rows;
    uint32_t *kept = o->out;
    kept[s->rows] = (uint32_t)k->fn.survive(o->rows, scale, scale + s->rows, s->rows, 1, 100, 6000, 0, kept);
}

/* Behind the survivors a kernel may leave what it likes. */
static void tidy_survive(const struct workload_shape *s, struct operands *o)
{
    uint32_t *kept = o->out;
    memset(kept + kept[s->rows], 0, (s->rows - kept[s->rows]) * sizeof *kept);
}

static void no_demand(const struct workload_shape *s, double *demand) { (void)s, (void)demand; }

/* Sign planes of all rows, then ranks row after row; one row in eight is picked, ascending. */
enum { PICK_EVERY = 8 };
static size_t pick_row(const struct workload_shape *s)
{
    return s->dim / 8 + codes_rank_bytes(codes_groups(s->dim), s->bits);
}

static void pick_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = s->batch * s->dim + (s->rows / PICK_EVERY + 1) * sizeof(uint32_t); /* the list comes first */
    *side = (size_t)1 << CODES_BITS_MAX;
    *out = s->batch * (s->rows / PICK_EVERY) * sizeof(int32_t);
}

static void pick_fill(struct workload *w, struct operands *o, struct rng *r)
{
    const struct workload_shape *s = &w->facts.shape;
    const size_t count = s->rows / PICK_EVERY;
    uint32_t *pick = o->query;
    for (size_t i = 0; i < count; i++) pick[i] = (uint32_t)(i * PICK_EVERY + rng_below(r, PICK_EVERY));
    fill_bytes(r, o->rows, w->facts.set_bytes);
    fill_range(r, (int8_t *)(pick + count + 1), s->batch * s->dim, 127);
    fill_bytes(r, o->side, (size_t)1 << s->bits);
}

static void call_scan_pick(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const size_t count = s->rows / PICK_EVERY, groups = codes_groups(s->dim);
    const uint8_t *signs = o->rows;
    const uint32_t *pick = o->query;
    k->fn.scan_pick(signs, signs + s->rows * s->dim / 8, codes_rank_bytes(groups, s->bits), groups, s->bits, o->side,
                    (const int8_t *)(pick + count + 1), s->batch, pick, count, o->out);
}

static void pick_demand(const struct workload_shape *s, double *demand)
{
    demand[CEILING_INT8] = (double)(s->rows / PICK_EVERY * s->dim * s->batch);
}

/* --- encoding ----------------------------------------------------------------------------------- */

static void encode_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = 0;
    *side = ((size_t)1 << s->bits) * sizeof(float);
    *out = (s->rows * s->dim + 3) / 4 * 4;
}

static void encode_fill(struct workload *w, struct operands *o, struct rng *r)
{
    const struct workload_shape *s = &w->facts.shape;
    const int bounds = (1 << s->bits) - 1;
    fill_floats(r, o->rows, s->rows * s->dim);
    for (int i = 0; i < bounds; i++) ((float *)o->side)[i] = 2.0f * (float)(i + 1) / (float)(bounds + 1) - 1.0f;
}

static void call_encode(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    for (size_t i = 0; i < s->rows; i++)
        k->fn.encode((const float *)o->rows + i * s->dim, s->dim, o->side, s->bits, (uint8_t *)o->out + i * s->dim);
}

static size_t packed_bytes(const struct workload_shape *s)
{
    return codes_blocks(s->rows) * codes_block_bytes(codes_groups(s->dim), s->bits);
}

static void pack_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = *side = 0;
    *out = packed_bytes(s);
}

static void unpack_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = *side = 0;
    *out = s->rows * s->dim;
}

/* Bytes of no more than the code's bits. */
static void codes_fill(struct workload *w, struct operands *o, struct rng *r)
{
    uint8_t *codes = o->rows;
    fill_bytes(r, codes, w->facts.set_bytes);
    for (size_t i = 0; i < w->facts.set_bytes; i++) codes[i] &= (uint8_t)((1u << w->facts.shape.bits) - 1);
}

static void blocks_fill(struct workload *w, struct operands *o, struct rng *r)
{
    fill_bytes(r, o->rows, w->facts.set_bytes);
}

static void call_pack(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const size_t groups = codes_groups(s->dim), bytes = codes_block_bytes(groups, s->bits);
    for (size_t r = 0; r < s->rows; r += CODES_ROWS)
        k->fn.pack((const uint8_t *)o->rows + r * s->dim, s->dim, 0, CODES_ROWS, groups, s->bits,
                   (uint8_t *)o->out + r / CODES_ROWS * bytes);
}

static void call_unpack(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const size_t groups = codes_groups(s->dim), bytes = codes_block_bytes(groups, s->bits);
    for (size_t r = 0; r < s->rows; r += CODES_ROWS)
        k->fn.unpack((const uint8_t *)o->rows + r / CODES_ROWS * bytes, 0, CODES_ROWS, groups, s->bits,
                     (uint8_t *)o->out + r * s->dim, s->dim);
}

/* Blocks of signs, then the ranks of every row. */
static void call_pack_split(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    const size_t groups = codes_groups(s->dim), rank_bytes = codes_rank_bytes(groups, s->bits);
    uint8_t *signs = o->out, *ranks = signs + s->rows * groups * 4;
    for (size_t r = 0; r < s->rows; r++)
        k->fn.pack_split((const uint8_t *)o->rows + r * s->dim, groups, s->bits,
                         signs + r / CODES_ROWS * groups * 64 + r % CODES_ROWS * 4, ranks + r * rank_bytes);
}

static void decode_sizes(const struct workload_shape *s, size_t *query, size_t *side, size_t *out)
{
    *query = 0;
    *side = ((size_t)1 << s->bits) * sizeof(float);
    *out = s->rows * s->dim * sizeof(float);
}

static void decode_fill(struct workload *w, struct operands *o, struct rng *r)
{
    codes_fill(w, o, r);
    fill_floats(r, o->side, (size_t)1 << w->facts.shape.bits);
}

static void call_decode(const struct workload_shape *s, const struct kernel *k, struct operands *o)
{
    for (size_t i = 0; i < s->rows; i++)
        k->fn.decode((const uint8_t *)o->rows + i * s->dim, s->dim, o->side, s->bits, (float *)o->out + i * s->dim);
}

/* --- the table ------------------------------------------------------------------------------------- */

#define ROWS(op, row_, fill_, demand_, tolerance_)                                                                     \
    [OP_##op] = { .uses = USES_GATHER, .row_bytes = row_, .sizes = rows_sizes, .fill = fill_, .call = call_##op,       \
                  .demand = demand_, .tolerance = tolerance_ }
static const struct driver drivers[OP_COUNT] = {
    ROWS(dot_f32, row_of_4, fill_f32, products, dot_tolerance),
    ROWS(dot_f16, row_of_2, fill_f16, products, dot_tolerance),
    ROWS(dot_bf16, row_of_2, fill_bf16, products, dot_tolerance),
    ROWS(dot_i8, row_of_1, fill_i8, products_i8, NULL),
    ROWS(cosine_f32, row_of_4, fill_f32, products, cosine_tolerance),
    ROWS(cosine_f16, row_of_2, fill_f16, products, cosine_tolerance),
    ROWS(cosine_bf16, row_of_2, fill_bf16, products, cosine_tolerance),
    ROWS(cosine_i8, row_of_1, fill_i8, products_i8, cosine_tolerance),
    ROWS(l2_f32, row_of_4, fill_f32, products, l2_tolerance),
    ROWS(l2_f16, row_of_2, fill_f16, products, l2_tolerance),
    ROWS(l2_bf16, row_of_2, fill_bf16, products, l2_tolerance),
    ROWS(l2_i8, row_of_1, fill_i8, products_i8, NULL),
    [OP_tile_f32] = { .uses = USES_BATCH, .row_bytes = row_of_4, .sizes = tile_sizes, .fill = fill_tile_f32,
                      .call = call_tile_f32, .demand = tile_products, .tolerance = dot_tolerance },
    [OP_tile_i8] = { .uses = USES_BATCH, .row_bytes = row_of_1, .sizes = tile_sizes, .fill = fill_tile_i8,
                     .call = call_tile_i8, .demand = tile_products_i8 },
    [OP_norms_f32] = { .row_bytes = row_of_4, .sizes = rows_sizes, .fill = fill_f32, .call = call_norms_f32,
                       .demand = products, .tolerance = relative },
    [OP_above_f32] = { .uses = IGNORES_DIM, .row_bytes = score_row, .sizes = survive_sizes, .fill = above_fill,
                       .call = call_above_f32, .demand = no_demand, .round_up = one_dimension, .tidy = tidy_survive },
    [OP_angle_f32] = { .uses = IGNORES_DIM, .row_bytes = score_row, .sizes = survive_sizes, .fill = above_fill,
                       .call = call_angle_f32, .demand = no_demand, .round_up = one_dimension, .tolerance = turn_tolerance },
    [OP_turn_f32] = { .row_bytes = row_of_4, .sizes = turn_sizes, .fill = turn_fill, .call = call_turn_f32,
                      .demand = no_demand, .tolerance = turn_tolerance },
    [OP_fht_f32] = { .row_bytes = row_of_4, .sizes = no_sizes, .fill = fht_fill, .call = call_fht_f32,
                     .demand = fht_demand, .tolerance = fht_tolerance, .round_up = power_of_two, .changes_rows = 1 },
    [OP_rotate_f32] = { .row_bytes = row_of_4, .sizes = rotate_sizes, .fill = rotate_fill, .call = call_rotate_f32,
                        .demand = rotate_demand, .tolerance = fht_tolerance, .round_up = rotate_shape },
    [OP_scan_lut] = { .uses = USES_BITS | USES_BATCH, .row_bytes = code_row, .sizes = lut_sizes, .fill = lut_fill,
                      .call = call_scan_lut, .demand = lut_demand, .round_up = whole_blocks },
    [OP_lut_sign] = { .row_bytes = row_of_1, .sizes = tables_sizes, .fill = tables_fill, .call = call_lut_sign,
                      .demand = no_demand, .round_up = whole_groups },
    [OP_scan_sign] = { .uses = USES_BATCH, .row_bytes = sign_row, .sizes = sign_sizes, .fill = sign_fill,
                       .call = call_scan_sign, .demand = sign_demand, .round_up = whole_blocks },
    [OP_survive] = { .uses = IGNORES_DIM, .row_bytes = survive_row, .sizes = survive_sizes, .fill = survive_fill,
                     .call = call_survive, .demand = no_demand, .round_up = one_dimension, .tidy = tidy_survive },
    [OP_scan_pick] = { .uses = USES_BITS | USES_BATCH, .row_bytes = pick_row, .sizes = pick_sizes, .fill = pick_fill,
                       .call = call_scan_pick, .demand = pick_demand, .round_up = whole_blocks, .least_bits = 2,
                       .every = PICK_EVERY },
    [OP_encode] = { .uses = USES_BITS, .row_bytes = row_of_4, .sizes = encode_sizes, .fill = encode_fill,
                    .call = call_encode, .demand = no_demand },
    [OP_decode] = { .uses = USES_BITS, .row_bytes = row_of_1, .sizes = decode_sizes, .fill = decode_fill,
                    .call = call_decode, .demand = no_demand },
    [OP_pack] = { .uses = USES_BITS, .row_bytes = row_of_1, .sizes = pack_sizes, .fill = codes_fill, .call = call_pack,
                  .demand = no_demand, .round_up = whole_blocks },
    [OP_unpack] = { .uses = USES_BITS, .row_bytes = code_row, .sizes = unpack_sizes, .fill = blocks_fill,
                    .call = call_unpack, .demand = no_demand, .round_up = whole_blocks },
    [OP_pack_split] = { .uses = USES_BITS, .row_bytes = row_of_1, .sizes = pack_sizes, .fill = codes_fill,
                        .call = call_pack_split, .demand = no_demand, .round_up = whole_blocks, .least_bits = 2 },
    [OP_lut_u8] = { .uses = USES_BITS, .row_bytes = row_of_4, .sizes = u8_sizes, .fill = u8_fill, .call = call_lut_u8,
                    .demand = no_demand, .round_up = whole_groups, .least_bits = 2, .most_bits = 4 },
    [OP_scan_pair] = { .uses = USES_BATCH, .row_bytes = pair_row, .sizes = pair_sizes, .fill = pair_fill,
                       .call = call_scan_pair, .demand = pair_demand, .round_up = whole_blocks },
    [OP_scan_planes] = { .uses = USES_BITS | USES_BATCH, .row_bytes = code_row, .sizes = planes_sizes,
                         .fill = planes_fill, .call = call_scan_planes, .demand = planes_demand,
                         .round_up = whole_blocks },
};

int workload_uses(enum kernel_op op) { return drivers[op].call ? drivers[op].uses : -1; }

int workload_least_bits(enum kernel_op op) { return drivers[op].least_bits ? drivers[op].least_bits : 1; }

int workload_most_bits(enum kernel_op op) { return drivers[op].most_bits ? drivers[op].most_bits : CODES_BITS_MAX; }

static size_t padded(size_t bytes) { return (bytes + PEAK_STEP - 1) / PEAK_STEP * PEAK_STEP; }

static int make_operands(struct workload *w, struct rng *r)
{
    const struct workload_shape *s = &w->facts.shape;
    size_t query = 0, side = 0, out = 0;
    w->driver->sizes(s, &query, &side, &out);
    w->set[0].rows = mem_zero(padded(w->facts.set_bytes), 1);
    w->set[0].side = mem_zero(side, 1);
    for (int i = 0; i < SETS; i++) {
        struct operands *o = &w->set[i];
        o->rows = w->set[0].rows;
        o->side = w->set[0].side;
        o->query = mem_zero(query, 1);
        o->out = mem_zero(out, 1);
        o->pick = s->gather ? mem_alloc(s->rows, sizeof *o->pick) : NULL;
        if (!o->rows || !o->query || !o->side || !o->out || (s->gather && !o->pick)) return 0;
        if (o->pick) rng_shuffle(r, o->pick, s->rows);
        w->driver->fill(w, o, r); /* the shared ones twice: harmless */
    }
    return 1;
}

static int create(struct workload **out, const struct workload_shape *shape, int verifying, struct err *e)
{
    const struct driver *d = &drivers[shape->op];
    const char *name = kernel_op_name(shape->op);
    if (!d->call) return FAIL(e, ERR_UNSUPPORTED, "%s has no entry in bench/workload.c", name);
    if (shape->dim == 0 || shape->batch == 0) return FAIL(e, ERR_ARG, "%s: dim and batch must not be 0", name);
    const int least = workload_least_bits(shape->op), most = workload_most_bits(shape->op);
    if ((d->uses & USES_BITS) && (shape->bits < least || shape->bits > most))
        return FAIL(e, ERR_ARG, "%s: bits=%d outside %d..%d", name, shape->bits, least, most);
    struct workload *w = mem_zero(1, sizeof *w);
    if (!w) return FAIL(e, ERR_MEM, "no memory for a workload");
    w->driver = d;
    w->verifying = verifying;
    struct workload_shape *s = &w->facts.shape;
    *s = *shape;
    if (!(d->uses & USES_BITS)) s->bits = 0;
    if (!(d->uses & USES_BATCH)) s->batch = 1;
    if (!(d->uses & USES_GATHER)) s->gather = 0;
    if (d->round_up) d->round_up(s);
    if (s->rows == 0) s->rows = s->bytes / d->row_bytes(s);
    if (s->rows == 0) s->rows = 1;
    if (d->round_up) d->round_up(s);
    w->facts.set_bytes = s->rows * d->row_bytes(s);
    const double visited = d->every ? (double)(s->rows / d->every) / (double)s->rows : 1;
    w->facts.vectors = visited * (double)(s->rows * s->batch);
    w->facts.demand[CEILING_READ] = visited * (double)w->facts.set_bytes;
    d->demand(s, w->facts.demand);
    struct rng r;
    rng_seed(&r, s->seed, 0);
    if (!make_operands(w, &r)) {
        const struct workload_shape wanted = *s;
        workload_destroy(w);
        return FAIL(e, ERR_MEM, "%s: no memory for %zu rows of %zu dimensions", name, wanted.rows, wanted.dim);
    }
    *out = w;
    return ERR_OK;
}

int workload_create(struct workload **out, const struct workload_shape *shape, struct err *e)
{
    return create(out, shape, 0, e);
}

void workload_destroy(struct workload *w)
{
    if (!w) return;
    mem_free(w->set[0].rows);
    mem_free(w->set[0].side);
    for (int i = 0; i < SETS; i++) {
        mem_free(w->set[i].query);
        mem_free(w->set[i].pick);
        mem_free(w->set[i].out);
    }
    mem_free(w);
}

const struct workload_facts *workload_facts(const struct workload *w) { return &w->facts; }

double workload_run(void *arm, uint64_t iterations)
{
    const struct workload_arm *a = arm;
    struct workload *w = a->workload;
    for (uint64_t i = 0; i < iterations; i++) w->driver->call(&w->facts.shape, a->kernel, &w->set[i % SETS]);
    return -1;
}

double workload_read(void *arm, uint64_t iterations)
{
    const struct workload_arm *a = arm;
    const size_t size = padded(a->workload->facts.set_bytes);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < iterations; i++) sum += a->kernel->fn.peak(a->workload->set[i % SETS].rows, size, 1);
    __asm__ volatile("" : : "r"(sum)); /* used, as far as the compiler can tell */
    return -1;
}

/* The result of one call over set 0: where it stands and how long it is. */
static const void *result_of(const struct workload *w, size_t *size)
{
    size_t query, side, out;
    w->driver->sizes(&w->facts.shape, &query, &side, &out);
    *size = w->driver->changes_rows ? w->facts.set_bytes : out;
    return w->driver->changes_rows ? w->set[0].rows : w->set[0].out;
}

static const void *call_once(struct workload *w, const struct kernel *kernel, size_t *size)
{
    w->driver->call(&w->facts.shape, kernel, &w->set[0]);
    if (w->driver->tidy) w->driver->tidy(&w->facts.shape, &w->set[0]);
    return result_of(w, size);
}

uint64_t workload_result(struct workload *w, const struct kernel *kernel)
{
    size_t size;
    const void *result = call_once(w, kernel, &size);
    return hash64(0, result, size);
}

static int compare_results(const struct workload *w, const void *want, const void *got, size_t size, struct err *e)
{
    const size_t count = size / 4; /* float or int32 */
    const double tolerance = w->driver->tolerance ? w->driver->tolerance(&w->facts.shape) : 0;
    for (size_t i = 0; i < count; i++) {
        float x, y;
        int32_t m, n;
        memcpy(&x, (const char *)want + 4 * i, 4);
        memcpy(&y, (const char *)got + 4 * i, 4);
        memcpy(&m, &x, 4);
        memcpy(&n, &y, 4);
        if (w->driver->tolerance && !(fabs((double)x - y) <= tolerance))
            return FAIL(e, ERR_FORMAT, "output %zu is %.9g, scalar gives %.9g", i, y, x);
        if (!w->driver->tolerance && m != n) return FAIL(e, ERR_FORMAT, "output %zu is %d, scalar gives %d", i, n, m);
    }
    return ERR_OK;
}

int workload_verify(const struct workload_shape *shape, const struct kernel *kernel, struct err *e)
{
    struct workload_shape small = *shape;
    if (small.rows == 0 || small.rows > CHECKED_ROWS) small.rows = CHECKED_ROWS;
    struct kernel_set scalar;
    int status = kernel_set_resolve(&scalar, "scalar", e);
    struct workload *want = NULL, *got = NULL;
    if (status == ERR_OK) status = create(&want, &small, 1, e);
    if (status == ERR_OK) status = create(&got, &small, 1, e);
    if (status == ERR_OK) {
        size_t size;
        const void *right = call_once(want, scalar.of[shape->op], &size);
        status = compare_results(got, right, call_once(got, kernel, &size), size, e);
    }
    workload_destroy(want);
    workload_destroy(got);
    return status;
}
