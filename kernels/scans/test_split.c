/* SPDX-License-Identifier: MIT
 * test_split.c - the operations of split codes against oracles in wide arithmetic that read signs
 * and ranks through the words of codes.h, bit by bit. */
#include "kernels/codes/check_codes.h"
#include "kernels/check_kernel.h"
#include <math.h>

enum { BLOCKS = 9, QUERIES = 9, ROWS = BLOCKS * 16, GROUPS_MAX = 140 };

/* Bit of dimension d in a word of 32 signs or ranks that starts at `word`. */
static int bit_of(const uint8_t *word, size_t d)
{
    const size_t at = 8 * (d % 4) + d % 32 / 4;
    return word[at / 8] >> at % 8 & 1;
}
static int sign_of(const uint8_t *signs, size_t groups, size_t row, size_t d)
{
    return bit_of(signs + row / 16 * groups * 64 + d / 32 * 64 + row % 16 * 4, d);
}

/* --- lut_sign and scan_sign -------------------------------------------------------------------- */

struct sample {
    size_t groups;
    uint8_t *signs;                /* BLOCKS blocks */
    int8_t *queries;               /* QUERIES rows */
    uint8_t *luts;                 /* by the definition, not by a kernel */
    int32_t starts[QUERIES];
    int32_t sums[QUERIES][ROWS];
};
static struct sample samples[64];
static size_t sample_count;
enum fill { RANDOM, TOP, BOTTOM };

static void make_lut(struct sample *s, size_t q)
{
    int32_t least = 0, all = 0;
    for (size_t t = 0; t < s->groups * 8; t++) {
        int sums[16] = { 0 }, low = 0;
        for (int n = 0; n < 16; n++) {
            for (size_t k = 0; k < 4; k++)
                if (n >> k & 1) sums[n] += s->queries[q * s->groups * 32 + t / 8 * 32 + t % 8 / 4 * 16 + 4 * k + t % 4];
            if (sums[n] < low) low = sums[n];
        }
        for (int n = 0; n < 16; n++) s->luts[(q * s->groups * 8 + t) * 16 + (size_t)n] = (uint8_t)(sums[n] - low);
        least += low, all += sums[15];
    }
    s->starts[q] = 2 * least - all;
}

static void make_sample(size_t groups, enum fill fill)
{
    struct sample *s = &samples[sample_count++];
    const size_t dims = groups * 32;
    *s = (struct sample){ .groups = groups, .signs = malloc(BLOCKS * groups * 64 + 1),
                          .queries = malloc(QUERIES * dims + 1), .luts = malloc(QUERIES * groups * 128 + 1) };
    for (size_t i = 0; i < BLOCKS * groups * 64; i++)
        s->signs[i] = (uint8_t)(fill == RANDOM ? test_rand() : i % 4 < 2 ? 255 : 0);
    for (size_t i = 0; i < QUERIES * dims; i++)
        s->queries[i] = (int8_t)(fill == TOP ? 63 : fill == BOTTOM ? -63 : (int)(test_rand() % 127) - 63);
    for (size_t q = 0; q < QUERIES; q++) {
        make_lut(s, q);
        for (size_t r = 0; r < ROWS; r++)
            for (size_t d = 0; d < dims; d++)
                s->sums[q][r] += sign_of(s->signs, groups, r, d) ? s->queries[q * dims + d] : -s->queries[q * dims + d];
    }
}

struct stage { struct fence in, tables, starts, out, scale, error, more; };

static void check_lut(const void *kernel, void *stage, void *unused)
{
    const struct kernel *k = kernel;
    const struct stage *f = stage;
    (void)unused;
    for (size_t i = 0; i < sample_count; i++)
        for (int end = 0; end < 2; end++) {
            const struct sample *s = &samples[i];
            const size_t dims = s->groups * 32, bytes = s->groups * 128;
            int8_t *query = fence_at(f->in, dims, end);
            uint8_t *lut = fence_at(f->out, bytes, end);
            memcpy(query, s->queries + dims, dims);
            fence_paint(f->out);
            const int32_t start = k->fn.lut_sign(query, s->groups, lut);
            CHECK(start == s->starts[1], "groups=%zu: start %d want %d", s->groups, start, s->starts[1]);
            CHECK(memcmp(lut, s->luts + bytes, bytes) == 0, "groups=%zu: entries differ", s->groups);
            CHECK(untouched(f->out, lut, bytes), "groups=%zu: wrote outside", s->groups);
        }
}

static void run_scan(const struct kernel *k, const struct stage *f, const struct sample *s, size_t blocks, size_t count)
{
    const size_t sign_bytes = blocks * s->groups * 64, lut_bytes = count * s->groups * 128, sums = count * blocks * 16;
    for (int end = 0; end < 2; end++) {
        uint8_t *signs = fence_at(f->in, sign_bytes, end), *luts = fence_at(f->tables, lut_bytes, end);
        int32_t *starts = fence_at(f->starts, count * 4, end), *got = fence_at(f->out, sums * 4, end);
        memcpy(signs, s->signs, sign_bytes);
        memcpy(luts, s->luts, lut_bytes);
        memcpy(starts, s->starts, count * 4);
        fence_paint(f->out);
        k->fn.scan_sign(signs, blocks, s->groups, luts, starts, count, got);
        size_t wrong = 0;
        for (size_t q = 0; q < count; q++) wrong += memcmp(got + q * blocks * 16, s->sums[q], blocks * 64) != 0;
        CHECK(wrong == 0, "groups=%zu blocks=%zu queries=%zu: %zu rows of sums differ, first %d want %d", s->groups,
              blocks, count, wrong, got[0], s->sums[0][0]);
        CHECK(untouched(f->out, got, sums * 4), "groups=%zu: wrote outside sums", s->groups);
    }
}

static void check_scan(const void *kernel, void *stage, void *unused)
{
    (void)unused;
    for (size_t i = 0; i < sample_count; i++) {
        if (samples[i].groups <= 3)
            for (size_t blocks = 0; blocks <= BLOCKS; blocks++)
                for (size_t count = 0; count <= QUERIES; count++) run_scan(kernel, stage, &samples[i], blocks, count);
        else
            run_scan(kernel, stage, &samples[i], 1 + i % BLOCKS, 1 + i % QUERIES);
    }
}

static void signs_are_scan_lut(void)
{
    struct kernel_set set;
    struct err e = { 0 };
    CHECK(kernel_set_resolve(&set, NULL, &e) == ERR_OK, "%s", e.text);
    const struct sample *s = &samples[12];
    int32_t got[QUERIES * ROWS];
    set.of[OP_scan_lut]->fn.scan_lut(s->signs, BLOCKS, s->groups, 1, (const int8_t[]){ -1, 1 }, s->queries, QUERIES, got);
    CHECK(memcmp(got, s->sums, sizeof got) == 0, "scan_lut of signs");
}

/* --- survive ----------------------------------------------------------------------------------- */

enum { SURVIVE_MAX = 400 };
struct survive_rows {
    int32_t sums[SURVIVE_MAX];
    float scale[SURVIVE_MAX], error[SURVIVE_MAX], most[SURVIVE_MAX];
};
static struct survive_rows mixed;
static const float alpha = 0.0371f, beta = 1.913f;

/* Every operation rounds once to float; double holds the exact product or sum of two floats well
 * enough to round rightly (Figueroa 1995: 53 >= 2 * 24 + 2). */
static float most_of(int32_t sum, float scale, float error)
{
    const float first = (float)((double)(float)sum * alpha);
    const float estimate = (float)((double)first * scale), wrong = (float)((double)error * beta);
    return (float)((double)estimate + wrong);
}

static void make_rows(struct survive_rows *x)
{
    for (int r = 0; r < SURVIVE_MAX; r++) {
        x->sums[r] = r % 17 == 0 ? INT32_MAX - r : r % 19 == 0 ? INT32_MIN + r : (int32_t)(test_rand() % 40001) - 20000;
        x->scale[r] = (float)(test_rand() >> 40) * 0x1p-24f;
        x->error[r] = (float)(test_rand() >> 40) * 0x1p-22f;
        x->most[r] = most_of(x->sums[r], x->scale[r], x->error[r]);
    }
}

/* Row `at` alone has the greatest sum, scale and error: where pieces of rows are left out, no other keeps its piece. */
static void make_one(struct survive_rows *x, size_t at)
{
    make_rows(x);
    for (size_t r = 0; r < SURVIVE_MAX; r++) {
        x->sums[r] = r == at ? 20001 : x->sums[r] % 20001;
        if (r == at) x->scale[r] = 1, x->error[r] = 4;
        x->most[r] = most_of(x->sums[r], x->scale[r], x->error[r]);
    }
}

/* A compiler baseline may contract and round once less: rows within 1e-5 of the threshold are left to it. */
static int is_near(const struct kernel *k, float most, float threshold)
{
    const float gap = most > threshold ? most - threshold : threshold - most;
    return k->kind == KERNEL_BASELINE && gap <= 1e-5f * (most < 0 ? 1 - most : 1 + most);
}

/* how: of the least sum 0: nothing is known; 1: a survivor has it; 2: it is 1000 less. */
static void run_survive(const struct kernel *k, const struct stage *f, const struct survive_rows *x, size_t count,
                        float threshold, int end, int how)
{
    int32_t least = INT32_MAX;
    for (size_t r = 0; r < count; r++)
        if (x->most[r] >= threshold && x->sums[r] < least) least = x->sums[r];
    if (how == 0) least = INT32_MIN;
    if (how == 2 && least > INT32_MIN + 1000) least -= 1000;
    /* qemu 7.2 reads 16 bytes for the 4-byte operand of vfmadd231ss, which only compilers write here. */
    const size_t room = count * 4 + (k->kind == KERNEL_BASELINE ? 12 : 0);
    int32_t *sums = fence_at(f->in, count * 4, end);
    float *scale = fence_at(f->tables, room, end), *error = fence_at(f->starts, room, end);
    uint32_t *kept = fence_at(f->out, count * 4, end);
    memcpy(sums, x->sums, count * 4);
    memcpy(scale, x->scale, count * 4);
    memcpy(error, x->error, count * 4);
    fence_paint(f->out);
    const size_t n = k->fn.survive(sums, scale, error, count, alpha, beta, threshold, least, 1000, kept);
    CHECK(n <= count && untouched(f->out, kept, count * 4), "count=%zu: wrote outside", count);
    size_t at = 0;
    for (size_t r = 0; r < count; r++) {
        const int there = at < n && kept[at] == 1000 + r;
        if (there != (x->most[r] >= threshold))
            CHECK(is_near(k, x->most[r], threshold), "count=%zu row=%zu bound %.9g threshold %.9g", count, r,
                  (double)x->most[r], (double)threshold);
        at += (size_t)there;
    }
    CHECK(at == n, "count=%zu: %zu kept, %zu expected in order", count, n, at);
}

static void check_survive(const void *kernel, void *stage, void *unused)
{
    (void)unused;
    for (size_t count = 0; count <= SURVIVE_MAX; count++)
        for (int end = 0; end < 2; end++)
            for (int how = 0; how < 3; how++) {
                /* a threshold that one row meets exactly, and some that keep none, few and all */
                run_survive(kernel, stage, &mixed, count, mixed.most[count % SURVIVE_MAX], end, how);
                run_survive(kernel, stage, &mixed, count, mixed.most[0], end, how);
                run_survive(kernel, stage, &mixed, count, 1e30f, end, how);
                run_survive(kernel, stage, &mixed, count, -1e30f, end, how);
                run_survive(kernel, stage, &mixed, count, 200, end, how);
            }
    static struct survive_rows one;
    for (size_t at = 0; at < SURVIVE_MAX; at++) {
        make_one(&one, at);
        const size_t count = SURVIVE_MAX - (SURVIVE_MAX - 1 - at) % 67; /* above `at` */
        for (int how = 0; how < 3; how++) run_survive(kernel, stage, &one, count, one.most[at], how == 1, how);
    }
}

/* --- scan_keep --------------------------------------------------------------------------------- */

static float bound_of(int32_t sum, size_t r) { return most_of(sum, mixed.scale[r], mixed.error[r]); }

/* What the sum of a row is at most when groups from .. to - 1 become known, which were counted by their sizes before: by
 * the definition, from the numbers of the query. */
static int32_t learnt(const struct sample *s, size_t row, size_t from, size_t to)
{
    int32_t change = 0;
    for (size_t d = from * 32; d < to * 32; d++) {
        const int x = s->queries[d];
        change += (sign_of(s->signs, s->groups, row, d) ? x : -x) - abs(x);
    }
    return change;
}

/* Groups of a block that must be read. */
static size_t groups_needed(const struct sample *s, size_t block, size_t rows, size_t look, float threshold)
{
    int32_t sums[16];
    for (size_t r = 0; r < rows; r++) sums[r] = -s->starts[0] + learnt(s, block * 16 + r, 0, look);
    for (size_t end = look;;) {
        int hope = 0;
        for (size_t r = 0; r < rows && end < s->groups; r++) hope |= bound_of(sums[r], block * 16 + r) >= threshold;
        if (!hope) return end;
        const size_t next = s->groups - end < CODES_LOOK ? s->groups : end + CODES_LOOK;
        for (size_t r = 0; r < rows; r++) sums[r] += learnt(s, block * 16 + r, end, next);
        end = next;
    }
}

static void run_keep(const struct kernel *k, const struct stage *f, const struct sample *s, size_t count, size_t look,
                     float threshold, int end)
{
    const size_t blocks = (count + 15) / 16, sign_bytes = blocks * s->groups * 64, lut_bytes = s->groups * 128;
    const size_t room = count * 4 + (k->kind == KERNEL_BASELINE ? 12 : 0);
    uint8_t *signs = fence_at(f->in, sign_bytes, end), *lut = fence_at(f->tables, lut_bytes, end);
    int32_t *most = fence_at(f->starts, (s->groups + 1) * 4, end);
    float *scale = fence_at(f->scale, room, end), *error = fence_at(f->error, room, end);
    uint32_t *kept = fence_at(f->out, count * 4, end);
    int32_t *sums = fence_at(f->more, count * 4, end);
    size_t read[2], want[2] = { 0, 0 }, at = 0;
    memcpy(signs, s->signs, sign_bytes);
    memcpy(lut, s->luts, lut_bytes);
    for (size_t g = s->groups + 1; g-- > 0;) {
        most[g] = g == s->groups ? s->starts[0] : most[g + 1];
        for (size_t d = g * 32; g < s->groups && d < g * 32 + 32; d++) most[g] += 2 * abs(s->queries[d]);
    }
    memcpy(scale, mixed.scale, count * 4);
    memcpy(error, mixed.error, count * 4);
    fence_paint(f->out);
    fence_paint(f->more);
    const size_t n = k->fn.scan_keep(signs, s->groups, lut, most, look, scale, error, count, alpha, beta, threshold, 1000,
                                     kept, sums, read);
    CHECK(n <= count && untouched(f->out, kept, count * 4) && untouched(f->more, sums, count * 4),
          "groups=%zu count=%zu: wrote outside", s->groups, count);
    for (size_t r = 0; r < count; r++) {
        const float bound = bound_of(s->sums[0][r], r);
        const int there = at < n && kept[at] == 1000 + r;
        if (there != (bound >= threshold))
            CHECK(is_near(k, bound, threshold), "groups=%zu count=%zu look=%zu row=%zu: bound %.9g threshold %.9g", s->groups,
                  count, look, r, (double)bound, (double)threshold);
        if (there) CHECK(sums[at] == s->sums[0][r], "groups=%zu row=%zu: %d want %d", s->groups, r, sums[at], s->sums[0][r]);
        at += (size_t)there;
    }
    CHECK(at == n, "groups=%zu count=%zu: %zu kept, %zu expected in order", s->groups, count, n, at);
    for (size_t b = 0; b < blocks; b++) {
        const size_t groups = groups_needed(s, b, count - b * 16 < 16 ? count - b * 16 : 16, look, threshold);
        want[0] += groups, want[1] += groups > look;
    }
    CHECK(k->kind == KERNEL_BASELINE || (read[0] == want[0] && read[1] == want[1]),
          "groups=%zu count=%zu look=%zu: read %zu groups, %zu late, want %zu, %zu", s->groups, count, look, read[0], read[1],
          want[0], want[1]);
}

static void check_keep(const void *kernel, void *stage, void *unused)
{
    (void)unused;
    for (size_t i = 1; i < sample_count; i++) {
        const struct sample *s = &samples[i];
        const size_t counts[] = { 0, 1, 15 + i % 4, ROWS - i % 20, ROWS };
        for (size_t c = 0; c < 5; c++)
            for (int end = 0; end < 2; end++) {
                /* a threshold that one row meets exactly, one that few reach, one for none and one for all */
                const size_t row = (i * 7 + c) % ROWS, look = 1 + (i + c) % s->groups;
                float top = bound_of(s->sums[0][0], 0);
                for (size_t r = 1; r < ROWS; r++) top = bound_of(s->sums[0][r], r) > top ? bound_of(s->sums[0][r], r) : top;
                run_keep(kernel, stage, s, counts[c], look, bound_of(s->sums[0][row], row), end);
                run_keep(kernel, stage, s, counts[c], look, top, end);
                if (s->groups > 12 && c > 2) continue;
                run_keep(kernel, stage, s, counts[c], (s->groups + 1) / 2, 1e30f, end);
                run_keep(kernel, stage, s, counts[c], s->groups, -INFINITY, end);
            }
    }
}

/* More rows than a kernel lists at a time: all at once are as block by block, in what is kept and in what is read. */
static void check_keep_many(const void *kernel, void *unused, void *unused2)
{
    enum { MANY = 4 * 1031 };
    static uint8_t signs[(MANY / 16 + 1) * 5 * 64];
    static float scale[MANY], error[MANY];
    static uint32_t all[MANY], some[MANY];
    static int32_t all_sums[MANY], some_sums[MANY];
    const struct kernel *k = kernel;
    const struct sample *s = &samples[5];
    int32_t most[6];
    (void)unused, (void)unused2;
    for (size_t i = 0; i < sizeof signs; i++) signs[i] = (uint8_t)test_rand();
    for (size_t r = 0; r < MANY; r++) scale[r] = mixed.scale[r % SURVIVE_MAX], error[r] = mixed.error[r % 389];
    most[5] = s->starts[0];
    for (size_t g = 5; g-- > 0;) {
        most[g] = most[g + 1];
        for (size_t d = g * 32; d < g * 32 + 32; d++) most[g] += 2 * abs(s->queries[d]);
    }
    for (int t = 0; t < 4; t++) {
        const float threshold = 12 * (float)t;
        size_t read[2], part[2], sum[2] = { 0, 0 }, n = 0;
        const size_t count = k->fn.scan_keep(signs, 5, s->luts, most, 2, scale, error, MANY, alpha, beta, threshold, 7, all, all_sums, read);
        for (size_t r = 0; r < MANY; r += 16) {
            n += k->fn.scan_keep(signs + r / 16 * 5 * 64, 5, s->luts, most, 2, scale + r, error + r, MANY - r < 16 ? MANY - r : 16,
                                 alpha, beta, threshold, 7 + (uint32_t)r, some + n, some_sums + n, part);
            sum[0] += part[0], sum[1] += part[1];
        }
        CHECK(n == count && !memcmp(all, some, n * sizeof *all) && !memcmp(all_sums, some_sums, n * sizeof *all_sums),
              "threshold %g: %zu kept at once, %zu block by block, or others", (double)threshold, count, n);
        CHECK(read[0] == sum[0] && read[1] == sum[1], "threshold %g: read %zu, %zu at once, %zu, %zu block by block",
              (double)threshold, read[0], read[1], sum[0], sum[1]);
        CHECK(t == 0 || (count > 0 && count < MANY), "threshold %g: %zu kept show nothing", (double)threshold, count);
    }
}

/* --- scan_pick --------------------------------------------------------------------------------- */

enum { PICKS = 11, PICK_QUERIES = 5 };
struct picked {
    int bits;
    const struct sample *s;       /* its signs */
    size_t stride;
    uint8_t *ranks;               /* ROWS rows */
    int8_t levels[256], *queries; /* PICK_QUERIES rows */
    uint32_t pick[PICKS];
    int32_t sums[PICK_QUERIES][PICKS];
};
static struct picked picks[256];
static size_t pick_count;

static void make_picked(const struct sample *s, int bits, enum fill fill)
{
    struct picked *p = &picks[pick_count++];
    const size_t dims = s->groups * 32, bytes = codes_rank_bytes(s->groups, bits), stride = bytes + pick_count % 3 * 4;
    *p = (struct picked){ .bits = bits, .s = s, .stride = stride, .ranks = malloc(ROWS * stride + 1),
                          .queries = malloc(PICK_QUERIES * dims + 1) };
    for (size_t i = 0; i < ROWS * stride; i++) p->ranks[i] = (uint8_t)test_rand();
    for (int i = 0; i < 1 << bits; i++)
        p->levels[i] = (int8_t)(fill == TOP ? 127 : fill == BOTTOM ? -128 : (int)test_rand());
    for (size_t i = 0; i < PICK_QUERIES * dims; i++)
        p->queries[i] = (int8_t)(fill == RANDOM ? (int)(test_rand() % 255) - 127 : i / dims % 2 ? 127 : -127);
    for (size_t i = 0; i < PICKS; i++) {
        p->pick[i] = i == 0 ? ROWS - 1 : i == 1 ? 0 : (uint32_t)(test_rand() % ROWS);
        for (size_t d = 0; d < dims; d++) {
            int code = sign_of(s->signs, s->groups, p->pick[i], d) << (bits - 1);
            for (int plane = 0; plane + 1 < bits; plane++)
                code += bit_of(p->ranks + p->pick[i] * stride + (d / 32 * (size_t)(bits - 1) + (size_t)plane) * 4, d) << plane;
            for (size_t q = 0; q < PICK_QUERIES; q++) p->sums[q][i] += p->levels[code] * p->queries[q * dims + d];
        }
    }
}

static void run_pick(const struct kernel *k, const struct stage *f, const struct picked *p, size_t queries, size_t count)
{
    const size_t dims = p->s->groups * 32, sign_bytes = BLOCKS * p->s->groups * 64;
    const size_t rank_bytes = (ROWS - 1) * p->stride + codes_rank_bytes(p->s->groups, p->bits);
    for (int end = 0; end < 2; end++) {
        uint8_t *signs = fence_at(f->in, sign_bytes, end), *ranks = fence_at(f->tables, rank_bytes, end);
        int8_t *query = fence_at(f->starts, queries * dims, end);
        int32_t *got = fence_at(f->out, queries * count * 4, end);
        memcpy(signs, p->s->signs, sign_bytes);
        memcpy(ranks, p->ranks, rank_bytes);
        memcpy(query, p->queries, queries * dims);
        fence_paint(f->out);
        k->fn.scan_pick(signs, ranks, p->stride, p->s->groups, p->bits, p->levels, query, queries, p->pick, count, got);
        for (size_t q = 0; q < queries; q++)
            for (size_t i = 0; i < count; i++)
                CHECK(got[q * count + i] == p->sums[q][i], "bits=%d groups=%zu query=%zu/%zu pick=%zu: %d want %d", p->bits,
                      p->s->groups, q, queries, i, got[q * count + i], p->sums[q][i]);
        CHECK(untouched(f->out, got, queries * count * 4), "groups=%zu: wrote outside sums", p->s->groups);
    }
}

static void check_pick(const void *kernel, void *stage, void *unused)
{
    (void)unused;
    for (size_t i = 0; i < pick_count; i++) {
        run_pick(kernel, stage, &picks[i], 1 + i % PICK_QUERIES, 1 + i % PICKS);
        if (picks[i].s->groups > 3) continue;
        for (size_t queries = 0; queries <= PICK_QUERIES; queries++) run_pick(kernel, stage, &picks[i], queries, PICKS);
        run_pick(kernel, stage, &picks[i], 1, 0);
    }
}

/* codes_set_ranks and codes_get_rank agree with the words, and codes_split with its definition. */
static void ranks_round_trip(void)
{
    enum { GROUPS = 3, DIMS = GROUPS * 32 };
    for (int bits = 2; bits <= 8; bits++) {
        uint8_t split[DIMS], row[DIMS];
        const unsigned half = 1u << (bits - 1);
        for (size_t d = 0; d < DIMS; d++) {
            const unsigned code = (unsigned)(test_rand() % (2 * half)), sign = code >= half;
            split[d] = (uint8_t)codes_split(code, bits);
            CHECK(split[d] == sign * half + (sign ? code - half : half - 1 - code), "bits=%d code=%u", bits, code);
            CHECK(codes_split(split[d], bits) == code, "bits=%d code=%u and back", bits, code);
        }
        codes_set_ranks(row, GROUPS, bits, split);
        for (size_t d = 0; d < DIMS; d++) {
            unsigned want = 0;
            for (int plane = 0; plane + 1 < bits; plane++)
                want += (unsigned)bit_of(row + (d / 32 * (size_t)(bits - 1) + (size_t)plane) * 4, d) << plane;
            CHECK(want == split[d] % half && codes_get_rank(row, bits, d) == want, "bits=%d dim=%zu", bits, d);
        }
    }
}

int main(void)
{
    for (size_t groups = 0; groups <= 40; groups++) make_sample(groups, RANDOM);
    for (int fill = RANDOM; fill <= BOTTOM; fill++) make_sample(48, (enum fill)fill), make_sample(GROUPS_MAX, (enum fill)fill);
    for (int bits = 2; bits <= 8; bits++) {
        for (size_t i = 0; i < 14; i++) make_picked(&samples[i < 9 ? i : 3 * i], bits, RANDOM);
        for (int fill = TOP; fill <= BOTTOM; fill++) make_picked(&samples[33], bits, (enum fill)fill);
        make_picked(&samples[sample_count - 1], bits, BOTTOM);
    }
    make_rows(&mixed);
    struct stage stage = { fence_make(BLOCKS * GROUPS_MAX * 64), fence_make(ROWS * (GROUPS_MAX * 28 + 8)),
                           fence_make(PICK_QUERIES * GROUPS_MAX * 32), fence_make(GROUPS_MAX * 128), fence_make(ROWS * 4 + 12),
                           fence_make(ROWS * 4 + 12), fence_make(ROWS * 4) };
    test_case("ranks round trip", ranks_round_trip);
    test_case("signs are scan_lut with bits=1", signs_are_scan_lut);
    check_every(OP_lut_sign, check_lut, &stage, NULL);
    check_every(OP_scan_sign, check_scan, &stage, NULL);
    check_every(OP_survive, check_survive, &stage, NULL);
    check_every(OP_scan_keep, check_keep, &stage, NULL);
    for (const struct kernel *k = kernel_next(OP_scan_keep, NULL); k; k = kernel_next(OP_scan_keep, k))
        if (k->kind != KERNEL_BASELINE) check_one(k, check_keep_many, NULL, NULL); /* those may contract, by place */
    check_every(OP_scan_pick, check_pick, &stage, NULL);
    return test_end();
}
