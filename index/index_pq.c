/* SPDX-License-Identifier: MIT
 * index_pq.c - product quantisation (Jegou et al. 2011): the dimensions are cut into m parts, each with a k-means
 * codebook of its own; a score is m table lookups.  nbits=8,train=base is the baseline of arXiv 2504.19874
 * ("LUT256", trained on the base itself).
 *
 * A score is the sum of f32 tables, always; bytes find the few rows that need one.  A byte for every part is added by
 * scan_sign (nbits=4, codes as its nibbles) or scan_byte (nbits=8, codes as its blocks), and that sum bounds the score
 * from above (table_of_bytes); where the bound reaches the k-th best so far the row is summed in floats.  So nothing is
 * lost by the bytes.  Of few rows, as lists have them, nbits=8 sums all in floats: byte tables are 256 entries a part.
 *
 * nbits=8, m=96, 100,000 x 384 on a Zen 4, ns a vector: all rows in floats, eight chains 39.8; bytes first 3.7.
 *
 * opq=1 turns rows and queries first by an orthogonal map that serves the parts (Ge et al. 2013, non-parametric): from
 * the identity, OPQ_ROUNDS times a round of k-means for the turned rows, then the map for the codebooks (opq.h). */
#include <math.h>
#include <string.h>
#include "index/codec.h"
#include "index/idset.h"
#include "index/index.h"
#include "index/kmeans.h"
#include "index/opq.h"
#include "index/persist.h"
#include "index/rotation.h"
#include "kernels/base/mem.h"

static const struct param table[] = {
    { "m", PARAM_INT, 0, 65536, "0", "parts", NULL, "parts of a row, 0: one for 4 dimensions" },
    { "nbits", PARAM_CHOICE, 0, 0, "8", "bits", "8|4", "code width of a part" },
    { "opq", PARAM_FLAG, 0, 0, "false", "", NULL, "turn rows by a map that is learnt for the parts" },
    { "train", PARAM_CHOICE, 0, 0, "sample", "", "sample|base", "learn from a sample, or from every row first seen" },
    { 0 }
};

enum { KMEANS_ROUNDS = 12, ROWS_PER_CENTRE = 128, SCAN_ROWS = 1024, OPQ_ROUNDS = 12, OPQ_ROWS = 8192, LUT_BYTES = 128,
       FEW_ROWS = 1024 };

struct pq {
    struct index base;
    struct idset ids;
    size_t parts, centres, row_bytes, room; /* centres: 256 or 16 */
    size_t groups;                          /* nbits=4: of 8 parts, as scan_sign has them; 0: nbits=8 */
    int is_trained, is_like; /* is_like: book, turn and halves are the model's */
    float *book;    /* part p: centres x width(p) floats from centres * first(p); short of rows, the last is repeated */
    float *turn;    /* opq: dim x dim, rows are the new axes; NULL otherwise */
    float *halves;  /* parts x centres: |centre|^2 / 2 */
    uint8_t *codes; /* blocks of scan_byte; nbits=4: of 1-bit codes (kernels/codes/codes.h), four bits being a part */
};

static size_t first_of(const struct pq *x, size_t part) { return part * x->base.config.dim / x->parts; }
static size_t width_of(const struct pq *x, size_t part) { return first_of(x, part + 1) - first_of(x, part); }
static float *book_of(const struct pq *x, size_t part) { return x->book + x->centres * first_of(x, part); }

static void destroy(struct index *ix)
{
    struct pq *x = (struct pq *)ix;
    if (!x) return;
    idset_fini(&x->ids);
    if (!x->is_like) {
        mem_free(x->book);
        mem_free(x->turn);
        mem_free(x->halves);
    }
    mem_free(x->codes);
    mem_free(x);
}

static int like(struct index **out, const struct index *model, struct err *e)
{
    struct pq *x = mem_alloc(1, sizeof *x);
    if (!x) return FAIL(e, ERR_MEM, "pq: no memory");
    *x = *(const struct pq *)model;
    x->base.config.kernels = &x->base.kernels;
    x->is_like = 1;
    x->ids = (struct idset){ 0 };
    x->codes = NULL;
    x->room = 0;
    *out = &x->base;
    return ERR_OK;
}

static int create(struct index **out, const struct index *base, struct err *e)
{
    const size_t dim = base->config.dim, asked = (size_t)params_int(base->params, "m");
    if (asked > dim) return FAIL(e, ERR_ARG, "pq: m=%zu parts of %zu dimensions", asked, dim);
    const int turns = (int)params_int(base->params, "opq");
#ifdef ASSAY_WORKER
    if (turns) return FAIL(e, ERR_UNSUPPORTED, "pq: opq=true: this build has no LAPACK (WORKER=1)");
#endif
    struct pq *x = mem_zero(1, sizeof *x);
    if (!x) return FAIL(e, ERR_MEM, "pq: no memory");
    x->base = *base;
    x->parts = asked ? asked : (dim + 3) / 4;
    x->centres = params_int(base->params, "nbits") == 0 ? 256 : 16;
    x->groups = x->centres == 256 ? 0 : (x->parts + 7) / 8;
    x->row_bytes = x->groups ? 4 * x->groups : x->parts;
    x->book = mem_zero(x->centres * dim, sizeof(float));
    x->halves = mem_zero(x->centres * x->parts, sizeof(float));
    x->turn = turns ? mem_zero(dim, dim * sizeof(float)) : NULL;
    if (!x->book || !x->halves || (turns && !x->turn)) {
        destroy(&x->base);
        return FAIL(e, ERR_MEM, "pq: no memory for its codebook");
    }
    *out = &x->base;
    return ERR_OK;
}

/* The rows as they are quantised: of unit length by cosine. */
static float *prepared(const struct pq *x, struct rows rows, struct err *e)
{
    const size_t dim = rows.dim;
    float *out = mem_alloc(rows.count * dim, sizeof *out);
    if (!out) err_set(e, ERR_MEM, "pq: no memory for %zu rows", rows.count);
    for (size_t r = 0; out && r < rows.count; r++) {
        float square = 1;
        const float *from = rows_at(rows, r);
        if (x->base.config.metric == METRIC_COSINE)
            x->base.kernels.of[OP_dot_f32]->fn.dot_f32(from, from, 0, NULL, 1, dim, &square);
        const float scale = square > 0 ? 1 / sqrtf(square) : 0;
        for (size_t i = 0; i < dim; i++) out[r * dim + i] = from[i] * scale;
    }
    return out;
}

static struct rows part_of(const struct pq *x, const float *rows, size_t count, size_t part)
{
    return (struct rows){ rows + first_of(x, part), count, width_of(x, part), x->base.config.dim };
}

static int train_prepared(struct pq *x, const float *rows, size_t count, struct err *e)
{
    const struct index_config *c = &x->base.config;
    const size_t most = params_int(x->base.params, "train") == 1 ? count : ROWS_PER_CENTRE * x->centres;
    int status = ERR_OK;
    for (size_t p = 0; p < x->parts && status == ERR_OK; p++) {
        struct kmeans m;
        status = kmeans_train(&m, part_of(x, rows, count, p), most, x->centres, 0, KMEANS_ROUNDS,
                              c->seed + p, c->threads, &x->base.kernels, e);
        if (status != ERR_OK) break;
        for (size_t i = 0; i < x->centres; i++) {
            const size_t from = i < m.count ? i : m.count - 1;
            memcpy(book_of(x, p) + i * m.dim, m.centres + from * m.dim, m.dim * sizeof(float));
            x->halves[p * x->centres + i] = m.halves[from];
        }
        kmeans_fini(&m);
    }
    return status;
}

#ifndef ASSAY_WORKER
static void decode_part(const struct pq *x, size_t part, const uint32_t *codes, size_t count, float *out)
{
    const size_t width = width_of(x, part);
    for (size_t r = 0; r < count; r++)
        memcpy(out + r * x->base.config.dim + first_of(x, part), book_of(x, part) + codes[r] * width,
               width * sizeof *out);
}

/* A round of k-means for every part of the turned rows, from the books that are there; decoded: what they give. */
static int refine_books(struct pq *x, const float *turned, size_t count, int is_first, uint32_t *nearest,
                        float *decoded, struct err *e)
{
    const struct index_config *c = &x->base.config;
    int status = is_first ? train_prepared(x, turned, count, e) : ERR_OK;
    for (size_t p = 0; p < x->parts && status == ERR_OK; p++) {
        struct kmeans m = { x->centres, width_of(x, p), 0, book_of(x, p), x->halves + p * x->centres,
                            x->base.kernels.of[OP_dot_f32]->fn.dot_f32, &x->base.kernels };
        status = kmeans_refine(&m, part_of(x, turned, count, p), nearest, c->seed + p, c->threads, e);
        if (status == ERR_OK) decode_part(x, p, nearest, count, decoded);
    }
    return status;
}

static int learn_turn(struct pq *x, const float *rows, size_t count, struct err *e)
{
    const size_t dim = x->base.config.dim, step = (count + OPQ_ROWS - 1) / OPQ_ROWS, used = (count + step - 1) / step;
    float *sample = mem_alloc(3 * used * dim, sizeof *sample), *turned = sample + used * dim,
          *decoded = turned + used * dim;
    uint32_t *nearest = mem_alloc(used, sizeof *nearest);
    int status = sample && nearest ? ERR_OK : FAIL(e, ERR_MEM, "pq: no memory for %zu rows", used);
    for (size_t r = 0; r < used && status == ERR_OK; r++)
        memcpy(sample + r * dim, rows + r * step * dim, dim * sizeof *sample);
    for (int round = 0; round < OPQ_ROUNDS && status == ERR_OK; round++) {
        rotation_dense_rows(x->turn, sample, used, dim, turned);
        status = refine_books(x, turned, used, round == 0, nearest, decoded, e);
        if (status == ERR_OK) status = opq_fit(sample, decoded, used, dim, x->turn, e);
    }
    mem_free(sample), mem_free(nearest);
    return status;
}

/* Chunks of one shape, the last one filled with zeros: a row's bits do not depend on its company. */
static int turn_rows(const struct pq *x, float **rows, size_t count, struct err *e)
{
    const size_t dim = x->base.config.dim;
    float *out = mem_alloc(count, dim * sizeof *out), *room = mem_alloc(2 * ROTATION_ROWS, dim * sizeof *room);
    for (size_t from = 0; out && room && from < count; from += ROTATION_ROWS) {
        const size_t some = count - from < ROTATION_ROWS ? count - from : ROTATION_ROWS;
        memset(room, 0, ROTATION_ROWS * dim * sizeof *room);
        memcpy(room, *rows + from * dim, some * dim * sizeof *room);
        rotation_dense_rows(x->turn, room, ROTATION_ROWS, dim, room + ROTATION_ROWS * dim);
        memcpy(out + from * dim, room + ROTATION_ROWS * dim, some * dim * sizeof *room);
    }
    mem_free(room);
    if (!out || !room) {
        mem_free(out);
        return FAIL(e, ERR_MEM, "pq: no memory to turn %zu rows", count);
    }
    mem_free(*rows);
    *rows = out;
    return ERR_OK;
}
#else
static int learn_turn(struct pq *x, const float *rows, size_t count, struct err *e)
{
    (void)x, (void)rows, (void)count;
    return FAIL(e, ERR_UNSUPPORTED, "pq: no opq in this build");
}
static int turn_rows(const struct pq *x, float **rows, size_t count, struct err *e)
{
    (void)rows;
    return learn_turn((struct pq *)(uintptr_t)x, NULL, count, e);
}
#endif

/* Learns from prepared rows, and turns them; whatever was learnt before. */
static int learn(struct pq *x, float **rows, size_t count, struct err *e)
{
    const size_t dim = x->base.config.dim;
    int status = ERR_OK;
    x->is_trained = 0;
    if (x->turn) {
        memset(x->turn, 0, dim * dim * sizeof *x->turn);
        for (size_t i = 0; i < dim; i++) x->turn[i * dim + i] = 1;
        status = learn_turn(x, *rows, count, e);
        if (status == ERR_OK) status = turn_rows(x, rows, count, e);
    }
    if (status == ERR_OK) status = train_prepared(x, *rows, count, e);
    x->is_trained = status == ERR_OK;
    return status;
}

static int train(struct index *ix, struct rows sample, struct err *e)
{
    struct pq *x = (struct pq *)ix;
    if (x->ids.count) return FAIL(e, ERR_ARG, "pq: cannot train with %zu rows added", x->ids.count);
    float *rows = prepared(x, sample, e);
    if (!rows) return ERR_MEM;
    const int status = learn(x, &rows, sample.count, e);
    mem_free(rows);
    return status;
}

/* Part 8 g + 4 h + j stands in byte j of the row's word in group g, the upper half of the byte where h is 1: where
 * scan_sign looks up table [g][h][j]. */
static uint8_t *byte_of(const struct pq *x, size_t row, size_t part)
{
    return x->groups ? x->codes + row / CODES_ROWS * codes_block_bytes(x->groups, 1) + part / 8 * 64 +
                           4 * (row % CODES_ROWS) + part % 4
                     : x->codes + (row / CODES_BYTE_ROWS * x->parts + part) * CODES_BYTE_ROWS + row % CODES_BYTE_ROWS;
}

static size_t byte_blocks(size_t rows) { return (rows + CODES_BYTE_ROWS - 1) / CODES_BYTE_ROWS; }
static unsigned shift_of(size_t part) { return part / 4 % 2 * 4; }

static unsigned code_at(const struct pq *x, size_t row, size_t part)
{
    const uint8_t byte = *byte_of(x, row, part);
    return x->groups ? byte >> shift_of(part) & 15u : byte;
}

static void set_code(const struct pq *x, size_t row, size_t part, unsigned code)
{
    uint8_t *byte = byte_of(x, row, part);
    *byte = (uint8_t)(x->groups ? (*byte & ~(15u << shift_of(part))) | code << shift_of(part) : code);
}

static int encode(struct pq *x, const float *rows, size_t count, size_t first, struct err *e)
{
    const struct index_config *c = &x->base.config;
    uint32_t *nearest = mem_alloc(count, sizeof *nearest);
    int status = nearest ? ERR_OK : FAIL(e, ERR_MEM, "pq: no memory for %zu rows", count);
    for (size_t p = 0; p < x->parts && status == ERR_OK; p++) {
        const struct kmeans m = { x->centres, width_of(x, p), 0, book_of(x, p), x->halves + p * x->centres,
                                  x->base.kernels.of[OP_dot_f32]->fn.dot_f32, &x->base.kernels };
        status = kmeans_assign(&m, part_of(x, rows, count, p), nearest, c->threads, e);
        for (size_t r = 0; r < count && status == ERR_OK; r++) set_code(x, first + r, p, nearest[r]);
    }
    mem_free(nearest);
    return status;
}

static int reserve(struct pq *x, size_t rows, struct err *e)
{
    if (rows <= x->room) return ERR_OK;
    const size_t block = x->groups ? CODES_ROWS : CODES_BYTE_ROWS, least = rows < 2 * x->room ? 2 * x->room : rows;
    const size_t room = (least + block - 1) / block * block;
    if (!mem_extend(&x->codes, x->room, room, x->row_bytes)) return FAIL(e, ERR_MEM, "pq: no memory for %zu rows", room);
    x->room = room;
    return ERR_OK;
}

static int add(struct index *ix, struct rows rows, const int64_t *ids, struct err *e)
{
    struct pq *x = (struct pq *)ix;
    const int learns = !x->is_trained;
    float *unit = prepared(x, rows, e);
    int status = unit ? ERR_OK : ERR_MEM;
    if (status == ERR_OK && learns) status = learn(x, &unit, rows.count, e);
    else if (status == ERR_OK && x->turn) status = turn_rows(x, &unit, rows.count, e);
    if (status == ERR_OK) status = reserve(x, x->ids.count + rows.count, e);
    if (status == ERR_OK) status = encode(x, unit, rows.count, x->ids.count, e);
    if (status == ERR_OK) status = idset_add(&x->ids, ids, rows.count, "pq", e);
    if (status != ERR_OK && learns) x->is_trained = 0;
    for (size_t r = x->ids.count; status != ERR_OK && r < x->room && r < x->ids.count + rows.count; r++)
        for (size_t p = 0; p < x->parts; p++) set_code(x, r, p, 0);
    mem_free(unit);
    return status;
}

static void move_row(struct pq *x, size_t to, size_t from)
{
    if (x->groups) codec_move_row(x->codes, 1, x->groups, to, from);
    else for (size_t p = 0; p < x->parts; p++) *byte_of(x, to, p) = *byte_of(x, from, p);
}

static int remove_id(struct index *ix, int64_t id, struct err *e)
{
    struct pq *x = (struct pq *)ix;
    size_t row;
    const int status = idset_remove(&x->ids, id, &row, "pq", e);
    if (status == ERR_OK) move_row(x, row, x->ids.count);
    return status;
}

/* Coded behind the last row first: a part that fails leaves the old row whole. */
static int replace(struct index *ix, int64_t id, const float *x, struct err *e)
{
    struct pq *p = (struct pq *)ix;
    const int64_t row = idset_row(&p->ids, id);
    if (row == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "pq: no id %lld", (long long)id);
    float *unit = prepared(p, (struct rows){ x, 1, ix->config.dim, ix->config.dim }, e);
    int status = unit ? ERR_OK : ERR_MEM;
    if (status == ERR_OK && p->turn) status = turn_rows(p, &unit, 1, e);
    if (status == ERR_OK) status = reserve(p, p->ids.count + 1, e);
    if (status == ERR_OK) status = encode(p, unit, 1, p->ids.count, e);
    if (status == ERR_OK) move_row(p, (size_t)row, p->ids.count);
    mem_free(unit);
    return status;
}

struct scratch {
    float *tables, *unit, *ones; /* parts x centres; 2 dim; SCAN_ROWS */
    int32_t *sums;               /* SCAN_ROWS */
    union {
        float *scores;
        uint32_t *kept;
    };
    uint8_t *luts; /* groups x LUT_BYTES; nbits=8: parts x 256 */
};

/* scratch may be NULL; returns the bytes that it takes. */
static size_t lay_out(const struct pq *x, void *scratch, struct scratch *s)
{
    struct mem_parts parts = { .at = scratch };
    s->tables = mem_part(&parts, x->parts * x->centres * sizeof *s->tables);
    s->unit = mem_part(&parts, 2 * x->base.config.dim * sizeof *s->unit);
    s->ones = mem_part(&parts, SCAN_ROWS * sizeof *s->ones);
    s->sums = mem_part(&parts, SCAN_ROWS * sizeof *s->sums);
    s->scores = mem_part(&parts, SCAN_ROWS * sizeof *s->scores);
    s->luts = mem_part(&parts, x->groups ? x->groups * LUT_BYTES : x->parts * 256);
    return parts.bytes;
}

static size_t scratch_bytes(const struct index *ix, size_t query_count, size_t k)
{
    struct scratch s;
    (void)query_count, (void)k;
    return lay_out((const struct pq *)ix, NULL, &s);
}

/* tables[part][centre]: what a part adds to the score. */
static void make_tables(const struct pq *x, const float *query, float *unit, float *tables)
{
    const size_t dim = x->base.config.dim;
    dot_f32_fn *dot = x->base.kernels.of[OP_dot_f32]->fn.dot_f32;
    float square;
    dot(query, query, 0, NULL, 1, dim, &square);
    const float scale = x->base.config.metric != METRIC_COSINE ? 1 : square > 0 ? 1 / sqrtf(square) : 0;
    for (size_t i = 0; i < dim; i++) unit[i] = query[i] * scale;
    if (x->turn) {
        dot(unit, x->turn, dim, NULL, dim, dim, unit + dim);
        unit += dim;
    }
    for (size_t p = 0; p < x->parts; p++) {
        const size_t width = width_of(x, p);
        const float *part = unit + first_of(x, p);
        float *to = tables + p * x->centres;
        dot(part, book_of(x, p), width, NULL, x->centres, width, to);
        if (x->base.config.metric != METRIC_L2) continue;
        dot(part, part, 0, NULL, 1, width, &square);
        for (size_t i = 0; i < x->centres; i++) to[i] = 2 * (to[i] - x->halves[p * x->centres + i]) - square;
    }
}

/* The score of a row: eight sums, or each addition waits for the last. */
static float sum_bytes(const struct pq *x, const float *tables, size_t row)
{
    const uint8_t *code = byte_of(x, row, 0);
    float sums[8] = { 0 };
    size_t p = 0;
    for (; p + 8 <= x->parts; p += 8, tables += 8 * 256, code += 8 * CODES_BYTE_ROWS)
        for (size_t i = 0; i < 8; i++) sums[i] += tables[256 * i + code[i * CODES_BYTE_ROWS]];
    for (; p < x->parts; p++, tables += 256, code += CODES_BYTE_ROWS) sums[0] += tables[*code];
    return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

static float sum_nibbles(const struct pq *x, const float *tables, size_t row)
{
    float even = 0, odd = 0;
    size_t p = 0;
    for (; p + 1 < x->parts; p += 2) {
        even += tables[16 * p + code_at(x, row, p)];
        odd += tables[16 * (p + 1) + code_at(x, row, p + 1)];
    }
    if (p < x->parts) even += tables[16 * p + code_at(x, row, p)];
    return even + odd;
}

/* Of a row whose sum is S, twice its bytes by scan_sign, its bytes by scan_byte, the score is at most
 * S alpha + beta. */
struct bound {
    float alpha, beta;
};

static void range_of(const float *entries, size_t count, float *low, float *high)
{
    *low = *high = entries[0];
    for (size_t c = 1; c < count; c++) {
        *low = entries[c] < *low ? entries[c] : *low;
        *high = entries[c] > *high ? entries[c] : *high;
    }
}

/* Tables in steps of a 252nd of the widest one, each less its least entry: an entry is off by half a step at most, a
 * float sum by (parts + 2) 2^-24 of what its terms may sum to.  (252, not 255, is what scan_sign allows.) */
static struct bound table_of_bytes(const struct pq *x, const float *tables, uint8_t *luts)
{
    float widest = 0, low, high;
    double sum = 0, size = 0;
    for (size_t p = 0; p < x->parts; p++) {
        range_of(tables + x->centres * p, x->centres, &low, &high);
        widest = high - low > widest ? high - low : widest;
        sum += (double)low;
        size += fabs((double)low) + fabs((double)high);
    }
    const int is_tiny = !(widest > 1e-30f); /* its reciprocal would overflow; entries are 0 then, and half a step off */
    const float scale = is_tiny ? 0 : 252 / widest, step = is_tiny ? 2e-30f : widest / 252;
    if (x->groups) memset(luts, 0, x->groups * LUT_BYTES);
    for (size_t p = 0; p < x->parts; p++) {
        const float *t = tables + x->centres * p;
        range_of(t, x->centres, &low, &high);
        uint8_t *lut = luts + (x->groups ? p / 8 * LUT_BYTES + p / 4 % 2 * 64 + p % 4 * 16 : p * 256);
        for (size_t c = 0; c < x->centres; c++) lut[c] = (uint8_t)(int32_t)((t[c] - low) * scale + 0.5f);
    }
    const double parts = (double)x->parts;
    return (struct bound){ x->groups ? step / 2 : step,
                           (float)(sum + parts * (double)step / 2 + (parts + 16) * 0x1p-22 * size) };
}

static void scan_bytes(const struct pq *x, const struct scratch *s, struct bound b, size_t first, size_t rows,
                       struct topk *best)
{
    const int32_t start = 0;
    if (x->groups)
        x->base.kernels.of[OP_scan_sign]->fn.scan_sign(byte_of(x, first, 0), codes_blocks(rows), x->groups, s->luts,
                                                       &start, 1, s->sums);
    else
        x->base.kernels.of[OP_scan_byte]->fn.scan_byte(byte_of(x, first, 0), byte_blocks(rows), x->parts, s->luts, 1,
                                                       s->sums);
    const size_t count = x->base.kernels.of[OP_survive]->fn.survive(
        s->sums, s->ones, s->ones, rows, b.alpha, b.beta, topk_bound(best), INT32_MIN, (uint32_t)first, s->kept);
    for (size_t i = 0; i < count; i++)
        topk_push(best, idset_id(&x->ids, s->kept[i]),
                  x->groups ? sum_nibbles(x, s->tables, s->kept[i]) : sum_bytes(x, s->tables, s->kept[i]));
}

static void search_into(const struct index *ix, struct rows queries, struct topk *best, void *scratch)
{
    const struct pq *x = (const struct pq *)ix;
    const int by_bytes = x->groups || x->ids.count >= FEW_ROWS;
    struct scratch s;
    struct bound b = { 0 };
    lay_out(x, scratch, &s);
    for (size_t r = 0; r < SCAN_ROWS; r++) s.ones[r] = 1;
    for (size_t q = 0; q < queries.count; q++) {
        make_tables(x, rows_at(queries, q), s.unit, s.tables);
        if (by_bytes) b = table_of_bytes(x, s.tables, s.luts);
        for (size_t first = 0; first < x->ids.count; first += SCAN_ROWS) {
            const size_t left = x->ids.count - first, rows = left < SCAN_ROWS ? left : SCAN_ROWS;
            if (by_bytes) {
                scan_bytes(x, &s, b, first, rows, &best[q]);
                continue;
            }
            for (size_t r = 0; r < rows; r++) s.scores[r] = sum_bytes(x, s.tables, first + r);
            idset_offer(&x->ids, &best[q], first, s.scores, rows);
        }
    }
}

static void search(const struct index *ix, struct rows queries, size_t k, void *scratch,
                   struct hit *hits, size_t *counts)
{
    for (size_t q = 0; q < queries.count; q++) {
        struct topk best;
        topk_init(&best, hits + q * k, k);
        search_into(ix, (struct rows){ rows_at(queries, q), 1, queries.dim, queries.stride }, &best, scratch);
        counts[q] = topk_finish(&best);
    }
}

static void describe(const struct index *ix, struct text *out)
{
    kernel_set_describe(&ix->kernels, OP_dot_f32, out);
    kernel_set_describe(&ix->kernels, ((const struct pq *)ix)->groups ? OP_scan_sign : OP_scan_byte, out);
    kernel_set_describe(&ix->kernels, OP_survive, out);
}

/* Rows that have codes in a file: whole blocks of nibbles; bytes row after row. */
static size_t coded_rows(const struct pq *x)
{
    return x->groups ? codes_blocks(x->ids.count) * CODES_ROWS : x->ids.count;
}

static int save_bytes(const struct pq *x, struct index_writer *w, struct err *e)
{
    uint8_t *rows = mem_alloc(x->ids.count, x->row_bytes);
    if (!rows) return FAIL(e, ERR_MEM, "pq: no memory to save %zu rows", x->ids.count);
    for (size_t r = 0; r < x->ids.count; r++)
        for (size_t p = 0; p < x->parts; p++) rows[r * x->parts + p] = *byte_of(x, r, p);
    const int status = index_write(w, "codes", rows, x->ids.count * x->row_bytes, e);
    mem_free(rows);
    return status;
}

static int save_learnt(const struct pq *x, struct index_writer *w, struct err *e)
{
    const size_t dim = x->base.config.dim;
    const uint8_t is_trained = (uint8_t)x->is_trained;
    int status = index_write(w, "trained", &is_trained, 1, e);
    if (status == ERR_OK) status = index_write(w, "book", x->book, x->centres * dim * sizeof(float), e);
    if (status == ERR_OK && x->turn) status = index_write(w, "turn", x->turn, dim * dim * sizeof(float), e);
    return status == ERR_OK ? index_write(w, "halves", x->halves, x->centres * x->parts * sizeof(float), e) : status;
}

static int save(const struct index *ix, struct index_writer *w, struct err *e)
{
    const struct pq *x = (const struct pq *)ix;
    int status = idset_save(&x->ids, w, e);
    if (status == ERR_OK && !x->is_like) status = save_learnt(x, w, e);
    if (status != ERR_OK) return status;
    return x->groups ? index_write(w, "nibbles", x->codes, coded_rows(x) * x->row_bytes, e) : save_bytes(x, w, e);
}

static int load_learnt(struct pq *x, struct index_reader *r, struct err *e)
{
    const size_t dim = x->base.config.dim;
    uint8_t is_trained = 0;
    int status = index_read_into(r, "trained", &is_trained, 1, e);
    if (status == ERR_OK) status = index_read_into(r, "book", x->book, x->centres * dim * sizeof(float), e);
    if (status == ERR_OK && x->turn) status = index_read_into(r, "turn", x->turn, dim * dim * sizeof(float), e);
    if (status == ERR_OK) status = index_read_into(r, "halves", x->halves, x->centres * x->parts * sizeof(float), e);
    if (status == ERR_OK && (is_trained > 1 || (x->ids.count && !is_trained)))
        status = FAIL(e, ERR_FORMAT, "%s: %zu rows of a codebook that is trained: %u", r->path, x->ids.count, is_trained);
    x->is_trained = is_trained;
    return status;
}

static int load(struct index *ix, struct index_reader *r, struct err *e)
{
    struct pq *x = (struct pq *)ix;
    struct idset ids = { 0 };
    const void *codes = NULL;
    int status = idset_load(&ids, r, e);
    x->ids = ids;
    if (status == ERR_OK && !x->is_like) status = load_learnt(x, r, e);
    const size_t bytes = coded_rows(x) * x->row_bytes;
    if (status == ERR_OK) status = index_read(r, x->groups ? "nibbles" : "codes", bytes, &codes, e);
    if (status == ERR_OK) status = reserve(x, ids.count, e);
    if (status == ERR_OK && bytes && x->groups) memcpy(x->codes, codes, bytes);
    for (size_t i = 0; status == ERR_OK && !x->groups && i < bytes; i++)
        *byte_of(x, i / x->parts, i % x->parts) = ((const uint8_t *)codes)[i];
    return status;
}

static void stats(const struct index *ix, struct index_stats *out)
{
    const struct pq *x = (const struct pq *)ix;
    *out = (struct index_stats){
        .rows = x->ids.count,
        .code_bytes = coded_rows(x) * x->row_bytes,
        .side_bytes = idset_row_bytes(&x->ids),
        .other_bytes = sizeof *x + idset_other_bytes(&x->ids) + (x->room - coded_rows(x)) * x->row_bytes,
    };
    if (x->is_like) return;
    out->shared_bytes = x->centres * (ix->config.dim + x->parts) * sizeof(float) +
                        (x->turn ? ix->config.dim * ix->config.dim * sizeof(float) : 0);
    out->other_bytes += out->shared_bytes;
}

static void work(const struct index *ix, const void *scratch, size_t query_count, struct index_work *out)
{
    struct index_stats all;
    (void)scratch;
    stats(ix, &all);
    *out = (struct index_work){ .bytes = (all.code_bytes + all.side_bytes) * query_count };
}

static int has(const struct index *ix, int64_t id)
{
    return idset_row(&((const struct pq *)ix)->ids, id) != IDSET_NONE;
}

static int decode(const struct index *ix, int64_t id, float *out, struct err *e)
{
    const struct pq *x = (const struct pq *)ix;
    const size_t dim = ix->config.dim;
    const int64_t row = idset_row(&x->ids, id);
    if (row == IDSET_NONE) return FAIL(e, ERR_NOT_FOUND, "pq: no id %lld", (long long)id);
    float *turned = x->turn ? mem_alloc(dim, sizeof *turned) : NULL;
    if (x->turn && !turned) return FAIL(e, ERR_MEM, "pq: no memory to decode");
    for (size_t p = 0; p < x->parts; p++) {
        const size_t width = width_of(x, p);
        memcpy((x->turn ? turned : out) + first_of(x, p), book_of(x, p) + code_at(x, (size_t)row, p) * width,
               width * sizeof *out);
    }
    for (size_t i = 0; x->turn && i < dim; i++) {
        out[i] = 0;
        for (size_t j = 0; j < dim; j++) out[i] += turned[j] * x->turn[j * dim + i];
    }
    mem_free(turned);
    return ERR_OK;
}

static size_t entries(const struct params *params) { return params_int(params, "nbits") == 0 ? 256 : 16; }

const struct index_ops index_pq = {
    .name = "pq",
    .summary = "a k-means codebook for each part of the dimensions, scored by tables",
    .params = table,
    .create = create,
    .train = train,
    .entries = entries,
    .like = like,
    .add = add,
    .remove = remove_id,
    .replace = replace,
    .scratch_bytes = scratch_bytes,
    .search = search,
    .search_into = search_into,
    .work = work,
    .kernels = describe,
    .save = save,
    .load = load,
    .stats = stats,
    .has = has,
    .decode = decode,
    .destroy = destroy,
};
