/* SPDX-License-Identifier: MIT
 * rotated_search.c - queries are rotated and quantised, codes scanned plane by plane, the best rows kept. */
#include "index/rotated_inside.h"
#include <string.h>
#include "index/least.h"
#include "kernels/base/topk.h"

/* Rows scanned, and queries asked, in one call of the kernel: 512 rows of 4 bits x 384 are 96 KiB and their sums
 * 128 KiB, which stay in L2 while all tiles of a batch pass.  Zen 4, d = 384, 2 or 4 bits, 8 / 16 / 32 / 64 / 128
 * queries a tile: 1.94 / 2.01 / 1.89 / 1.82 / 1.79 ns a query and row; 1 bit 0.74 / 0.73 / 0.73 / 0.73 / 0.73; the
 * same with 1,024 rows. */
enum { SCAN_ROWS = 512, FIRST_ROWS = 32, TILE = 64, FACTORS = 4 };

/* What scratch holds; every part starts at a multiple of 64 bytes. */
struct scratch {
    struct topk *best; /* a query; only rotated_search's */
    float *factors;    /* FACTORS a query: of the sums over each plane, its term, of the offsets */
    float *turned;     /* query=f32: the rotated queries of every plane */
    int8_t *queries;   /* query=int8: the same, quantised; query=u8: of planes of 1 bit */
    int32_t *sums;     /* up to TILE queries x SCAN_ROWS */
    float *scores;     /* the same */
    float *spare;      /* 2 dim floats; query=f32: CODES_ROWS x dim */
    uint8_t *codes;    /* CODES_ROWS x padded */
    struct split_query *split;
    int32_t *most;     /* split: groups + 1 a query */
    uint8_t *luts;     /* tables of the planes that are looked up in bytes: tables_of */
    int32_t *starts;
    void *work;        /* split */
    struct index_work *read; /* since the queries were prepared */
};

/* Bytes of a plane's tables of one query: of lut_sign or of lut_u8; of binary, a word a group. */
static size_t table_bytes(const struct rotated *t, const struct plane *p)
{
    if (t->query == QUERY_SIGN) return t->groups * sizeof(uint32_t);
    return t->groups * codec_table_bytes(t->query == QUERY_U8 ? p->bits : 1);
}

/* Tables of query `at` of `queries` for a plane. */
static uint8_t *tables_of(const struct rotated *t, uint8_t *luts, size_t plane, size_t queries, size_t at)
{
    if (plane > 0) luts += queries * table_bytes(t, &t->planes[0]);
    return luts + at * table_bytes(t, &t->planes[plane]);
}

/* scratch may be NULL; returns the bytes that it takes. */
static size_t lay_out(const struct rotated *t, size_t queries, void *scratch, struct scratch *s)
{
    struct mem_parts parts = { .at = scratch };
    const size_t dim = t->base.config.dim, slots = t->plane_count * queries,
                 scanned = t->is_split ? 0 : (queries < TILE ? queries : TILE) * SCAN_ROWS;
    s->best = mem_part(&parts, queries * sizeof *s->best);
    s->factors = mem_part(&parts, FACTORS * queries * sizeof *s->factors);
    s->turned = mem_part(&parts, t->query == QUERY_F32 ? slots * dim * sizeof *s->turned : 0);
    s->queries = mem_part(&parts, t->query == QUERY_F32 ? 0 : slots * t->groups * CODES_DIMS);
    s->sums = mem_part(&parts, scanned * sizeof *s->sums);
    s->scores = mem_part(&parts, scanned * sizeof *s->scores);
    s->spare = mem_part(&parts, (t->query == QUERY_F32 ? CODES_ROWS : 2) * dim * sizeof *s->spare);
    s->codes = mem_part(&parts, CODES_ROWS * t->groups * CODES_DIMS);
    s->split = mem_part(&parts, t->is_split ? queries * sizeof *s->split : 0);
    s->most = mem_part(&parts, t->is_split ? queries * (t->groups + 1) * sizeof *s->most : 0);
    s->luts = mem_part(&parts, queries * (table_bytes(t, &t->planes[0]) +
                                   (t->plane_count > 1 ? table_bytes(t, &t->planes[1]) : 0)));
    s->starts = mem_part(&parts, slots * sizeof *s->starts);
    s->work = mem_part(&parts, t->is_split ? split_work_bytes(&t->split) : 0);
    s->read = mem_part(&parts, sizeof *s->read);
    return parts.bytes;
}

size_t rotated_scratch_bytes(const struct index *ix, size_t query_count, size_t k)
{
    struct scratch s;
    (void)k;
    return lay_out((const struct rotated *)ix, query_count, NULL, &s);
}

/* How a plane's rows are summed. */
enum scan { SCAN_FLOATS, SCAN_TABLES, SCAN_PAIRS, SCAN_PLANES, SCAN_LEVELS };

/* One bit a coordinate, +- one level: scan_sign's tables beat scan_lut, and 6 bits of query are plenty. */
static enum scan scan_of(const struct rotated *t, const struct plane *p)
{
    return t->query == QUERY_F32    ? SCAN_FLOATS
           : t->query == QUERY_SIGN ? SCAN_PLANES
           : t->query == QUERY_U8   ? p->bits == 3 ? SCAN_PAIRS : SCAN_TABLES
           : p->bits == 1 && !t->is_affine ? SCAN_TABLES : SCAN_LEVELS;
}

/* Puts a plane's query where the scan finds it; returns what one unit of the scan's sum is worth. */
static float place_query(const struct rotated *t, const struct scratch *s, size_t plane, size_t at, size_t count,
                         const float *q)
{
    const struct plane *p = &t->planes[plane];
    const size_t dim = t->base.config.dim, padded = t->groups * CODES_DIMS, slot = plane * count + at;
    int8_t *place = s->queries + slot * padded;
    uint8_t *tables = tables_of(t, s->luts, plane, count, at);
    if (t->query == QUERY_F32) {
        memcpy(s->turned + slot * dim, q, dim * sizeof *q);
        return 1;
    }
    if (t->query == QUERY_SIGN) {
        codec_signs(q, dim, (uint32_t *)tables);
        return p->levels[1];
    }
    if (t->query == QUERY_U8 && p->bits > 1)
        return codec_tables(&t->base.kernels, q, dim, p->levels, p->bits, tables, &s->starts[slot]);
    if (scan_of(t, p) == SCAN_LEVELS) return codec_query(q, dim, padded, 127, place) * p->step;
    const float step = codec_query(q, dim, padded, 63, place);
    s->starts[slot] = t->base.kernels.of[OP_lut_sign]->fn.lut_sign(place, t->groups, tables);
    return step * p->levels[1];
}

/* Rotates (and sketches) query number `at` of `count`, quantises it, and fills its factors. */
static void prepare(const struct rotated *t, const struct scratch *s, const float *query, size_t at, size_t count)
{
    const size_t dim = t->base.config.dim, padded = t->groups * CODES_DIMS;
    float *spare = s->spare, *turned = s->spare + dim, *factors = s->factors + FACTORS * at;
    const float norm = norm_of(t, query);
    float length = length_of(t, norm), term = -norm * norm;
    rotation_apply(&t->rotation, query, inverse_of(norm), turned);
    if (adapt_moves(&t->adapt)) {
        float along, square;
        length = rotated_move(t, length, turned, 1, &along, &square);
        term = t->base.config.metric == METRIC_L2 ? -square : along + dot(t, t->adapt.centre, t->adapt.centre);
    }
    if (t->is_split) {
        split_prepare(&t->split, &t->base.kernels, turned, dim, length, term, &s->split[at],
                      s->queries + at * padded, tables_of(t, s->luts, 0, count, at), s->most + at * (t->groups + 1));
        return;
    }
    for (size_t i = 0; i < t->plane_count; i++) {
        const struct plane *p = &t->planes[i];
        const float *q = turned;
        if (p->is_sketch) {
            rotated_sketch(t, turned, spare);
            q = spare;
        }
        factors[i] = length * place_query(t, s, i, at, count, q);
    }
    factors[2] = term;
    if (!t->is_affine) return;
    int32_t sum = 0;
    for (size_t i = 0; i < dim; i++) sum += s->queries[at * padded + i];
    factors[3] = factors[0] * (float)sum;
}

/* <query, levels> of rows as floats: the reference that int8 and u8 are measured against. */
static void exact_sums(const struct rotated *t, const struct scratch *s, const struct plane *p, const float *query,
                       size_t first, size_t rows, float *sums)
{
    const size_t dim = t->base.config.dim, padded = t->groups * CODES_DIMS;
    const struct kernel *const *of = t->base.kernels.of;
    for (size_t from = 0; from < rows; from += CODES_ROWS) {
        const size_t count = rows - from < CODES_ROWS ? rows - from : CODES_ROWS;
        of[OP_unpack]->fn.unpack(block_of(t, p, first + from), 0, count, t->groups, p->bits, s->codes, padded);
        for (size_t r = 0; r < count; r++)
            of[OP_decode]->fn.decode(s->codes + r * padded, dim, p->levels, p->bits, s->spare + r * dim);
        t->rotation.dot(query, s->spare, dim, NULL, count, dim, sums + from);
    }
}

/* The kernel's sums of one plane, TILE x rows: queries q .. q + tile - 1, rows first .. first + rows - 1. */
static void sum_plane(const struct rotated *t, const struct scratch *s, size_t plane,
                      size_t queries, size_t q, size_t tile, size_t first, size_t rows)
{
    const struct plane *p = &t->planes[plane];
    const size_t padded = t->groups * CODES_DIMS, blocks = codes_blocks(rows), slot = plane * queries + q;
    const uint8_t *codes = block_of(t, p, first), *tables = tables_of(t, s->luts, plane, queries, q);
    const struct kernel *const *of = t->base.kernels.of;
    switch (scan_of(t, p)) {
    case SCAN_FLOATS: break;
    case SCAN_TABLES:
        of[OP_scan_sign]->fn.scan_sign(codes, blocks, t->groups * (size_t)p->bits, tables, s->starts + slot, tile,
                                       s->sums);
        break;
    case SCAN_PAIRS:
        of[OP_scan_pair]->fn.scan_pair(codes, blocks, t->groups, tables, s->starts + slot, tile, s->sums);
        break;
    case SCAN_PLANES:
        of[OP_scan_planes]->fn.scan_planes(codes, blocks, t->base.config.dim, 1, (const uint32_t *)tables, 1, tile,
                                           s->sums);
        break;
    case SCAN_LEVELS:
        of[OP_scan_lut]->fn.scan_lut(codes, blocks, t->groups, p->bits, p->table, s->queries + slot * padded, tile,
                                     s->sums);
    }
}

/* Adds one plane's share to the scores of a tile: queries q .. q + tile - 1, rows first .. first + rows - 1. */
static void scan_plane(const struct rotated *t, const struct scratch *s, size_t plane, size_t queries, size_t q,
                       size_t tile, size_t first, size_t rows)
{
    const struct plane *p = &t->planes[plane];
    const size_t blocks = codes_blocks(rows), dim = t->base.config.dim;
    const float *weights = p->weights + first;
    if (t->query != QUERY_F32) sum_plane(t, s, plane, queries, q, tile, first, rows);
    for (size_t i = 0; i < tile; i++) {
        const float factor = s->factors[FACTORS * (q + i) + plane];
        const int32_t *sums = s->sums + i * blocks * CODES_ROWS;
        float *scores = s->scores + i * SCAN_ROWS, *exact = (float *)s->sums;
        if (t->query == QUERY_F32) {
            exact_sums(t, s, p, s->turned + (plane * queries + q + i) * dim, first, rows, exact);
            for (size_t r = 0; r < rows; r++) exact[r] *= factor * weights[r];
            for (size_t r = 0; r < rows; r++) scores[r] = plane == 0 ? exact[r] : scores[r] + exact[r];
        } else if (plane == 0) {
            for (size_t r = 0; r < rows; r++) scores[r] = (float)sums[r] * factor * weights[r];
        } else {
            for (size_t r = 0; r < rows; r++) scores[r] += (float)sums[r] * factor * weights[r];
        }
    }
}

/* Where a score is one product and at most one more number of the row, kernel `survive` finds what can enter the heap. */
static int is_plain(const struct rotated *t)
{
    return t->plane_count == 1 && t->query != QUERY_F32 && !(t->is_affine && t->terms);
}

static float gain_of(const struct rotated *t) { return t->base.config.metric == METRIC_L2 ? 2 : 1; }

/* Rows first .. first + rows - 1 as `survive` sees them: sums * factor * weights + beside * beta. */
struct plain {
    size_t first, rows;
    const float *weights, *beside;
    struct extent extent;
};

/* Offers the rows to the heap of one query.  A score is gain * (the bound of `survive`) + the query's term + shift, of
 * which the gain is 1 or 2 and rounds nothing: what the bound must reach follows from what the score must. */
static void keep_plain(const struct rotated *t, const struct plain *p, const float *factors, float shift,
                       const int32_t *sums, struct topk *best, uint32_t *kept)
{
    const float factor = factors[0], gain = gain_of(t), beta = t->is_affine ? factors[3] : t->terms ? 1 / gain : 0;
    float bound = topk_bound_shifted(best, shift);
    if (t->terms) bound = score_before(bound, factors[2]) / gain - 0x1p-148f; /* half of a denormal term may be rounded */
    const size_t count = t->base.kernels.of[OP_survive]->fn.survive(
        sums, p->weights, p->beside, p->rows, factor, beta, bound, least_sum(p->extent, factor, beta, bound), 0, kept);
    for (size_t n = 0; n < count; n++) {
        const size_t r = kept[n];
        float score = (float)sums[r] * factor * p->weights[r];
        if (t->is_affine) score += p->beside[r] * beta;
        if (t->terms) score = gain * score + p->beside[r] + factors[2];
        topk_push(best, idset_id(&t->ids, p->first + r), score + shift);
    }
}

static void scan_plain(const struct rotated *t, const struct scratch *s, const float *shifts, size_t queries,
                       size_t first, size_t rows)
{
    static const float nothing[SCAN_ROWS];
    const float *weights = t->planes[0].weights + first, *numbers = t->is_affine ? t->offsets : t->terms,
                *beside = numbers ? numbers + first : nothing;
    const struct plain p = { first, rows, weights, beside, extent_of(weights, beside, rows, queries) };
    for (size_t q = 0; q < queries; q += TILE) {
        const size_t tile = queries - q < TILE ? queries - q : TILE;
        sum_plane(t, s, 0, queries, q, tile, first, rows);
        for (size_t i = 0; i < tile; i++)
            keep_plain(t, &p, s->factors + FACTORS * (q + i), shifts ? shifts[q + i] : 0,
                       s->sums + i * codes_blocks(rows) * CODES_ROWS, &s->best[q + i], (uint32_t *)s->scores);
    }
}

static void scan_block(const struct rotated *t, const struct scratch *s, const float *shifts, size_t queries,
                       size_t first, size_t rows)
{
    const float gain = gain_of(t);
    for (size_t q = 0; q < queries; q += TILE) {
        const size_t tile = queries - q < TILE ? queries - q : TILE;
        for (size_t plane = 0; plane < t->plane_count; plane++) scan_plane(t, s, plane, queries, q, tile, first, rows);
        for (size_t i = 0; i < tile; i++) {
            float *scores = s->scores + i * SCAN_ROWS;
            const float *factors = s->factors + FACTORS * (q + i);
            if (t->is_affine)
                for (size_t r = 0; r < rows; r++) scores[r] += t->offsets[first + r] * factors[3];
            if (t->terms)
                for (size_t r = 0; r < rows; r++) scores[r] = gain * scores[r] + t->terms[first + r] + factors[2];
            for (size_t r = 0; shifts && r < rows; r++) scores[r] += shifts[q + i];
            idset_offer(&t->ids, &s->best[q + i], first, scores, rows);
        }
    }
}

/* What a scan reads of all rows; of split ones, of whose signs it tells itself, their numbers but for the weight. */
static uint64_t scanned_bytes(const struct rotated *t)
{
    const size_t rows = t->ids.count;
    size_t codes, side;
    rotated_row_bytes(t, &codes, &side);
    if (t->is_split) {
        codes = 0;
        side -= sizeof *t->split.weights;
    }
    return codes_blocks(rows) * CODES_ROWS * codes + rows * side + idset_row_bytes(&t->ids);
}

void rotated_prepare(const struct index *ix, struct rows queries, void *scratch)
{
    const struct rotated *t = (const struct rotated *)ix;
    struct scratch s;
    lay_out(t, queries.count, scratch, &s);
    *s.read = (struct index_work){ 0 };
    for (size_t q = 0; q < queries.count; q++) prepare(t, &s, rows_at(queries, q), q, queries.count);
}

void rotated_search_prepared(const struct index *ix, struct rows queries, const float *shifts, struct topk *best,
                             void *scratch)
{
    const struct rotated *t = (const struct rotated *)ix;
    struct scratch s;
    lay_out(t, queries.count, scratch, &s);
    s.best = best;
    s.read->bytes += queries.count * scanned_bytes(t);
    if (t->is_split) {
        for (size_t q = 0; shifts && q < queries.count; q++) s.split[q].shift = shifts[q];
        const struct split_read read = split_scan(&t->split, &ix->kernels, &t->ids, s.split, s.queries, s.luts, s.most,
                                                  queries.count, best, s.work);
        s.read->survivors += read.rows;
        s.read->bytes += read.groups * codes_block_bytes(1, 1);
        s.read->bytes += read.rows * (t->split.rank_bytes + sizeof *t->split.weights);
        return;
    }
    /* The first steps are small, because until k rows are held all of them enter the heap; lists of ivf are too short for
     * that to pay (155 rows: 2.36 -> 2.44 ns a row). */
    const int is_small = best->count < best->k && t->ids.count > SCAN_ROWS;
    for (size_t first = 0, step = is_small ? FIRST_ROWS : SCAN_ROWS; first < t->ids.count;
         first += step, step = step < SCAN_ROWS ? 2 * step : step) {
        const size_t left = t->ids.count - first;
        (is_plain(t) ? scan_plain : scan_block)(t, &s, shifts, queries.count, first, left < step ? left : step);
    }
}

void rotated_search_into(const struct index *ix, struct rows queries, struct topk *best, void *scratch)
{
    rotated_prepare(ix, queries, scratch);
    rotated_search_prepared(ix, queries, NULL, best, scratch);
}

void rotated_search(const struct index *ix, struct rows queries, size_t k, void *scratch,
                    struct hit *hits, size_t *counts)
{
    struct topk *best = scratch;
    for (size_t q = 0; q < queries.count; q++) topk_init(&best[q], hits + q * k, k);
    rotated_search_into(ix, queries, best, scratch);
    for (size_t q = 0; q < queries.count; q++) counts[q] = topk_finish(&best[q]);
}

void rotated_work(const struct index *ix, const void *scratch, size_t query_count, struct index_work *out)
{
    struct scratch s;
    lay_out((const struct rotated *)ix, query_count, (void *)(uintptr_t)scratch, &s);
    *out = *s.read;
}

void rotated_kernels(const struct index *ix, struct text *out)
{
    const struct rotated *t = (const struct rotated *)ix;
    if (t->is_split) {
        if (!t->terms) kernel_set_describe(&ix->kernels, OP_scan_keep, out);
        kernel_set_describe(&ix->kernels, OP_scan_sign, out);
        kernel_set_describe(&ix->kernels, OP_survive, out);
        kernel_set_describe(&ix->kernels, OP_scan_pick, out);
    }
    static const enum kernel_op ops[] = {
        [SCAN_FLOATS] = OP_dot_f32, [SCAN_TABLES] = OP_scan_sign, [SCAN_PAIRS] = OP_scan_pair,
        [SCAN_PLANES] = OP_scan_planes, [SCAN_LEVELS] = OP_scan_lut,
    };
    for (size_t i = 0; i < t->plane_count && !t->is_split; i++) {
        kernel_set_describe(&ix->kernels, ops[scan_of(t, &t->planes[i])], out);
        if (t->query == QUERY_F32) break;
    }
    if (is_plain(t) && !t->is_split) kernel_set_describe(&ix->kernels, OP_survive, out);
    if (t->rotation.kind == ROTATION_FHT)
        kernel_set_describe(&ix->kernels, t->rotation.parts ? OP_rotate_f32 : OP_fht_f32, out);
}
