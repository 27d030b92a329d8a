/* SPDX-License-Identifier: MIT
 * test_scan_u8.c - byte tables of a float query, and the scans that look codes up in them: lut_u8, scan_pair
 * (3 bits) and scan_sign as it scans 2 and 4 bits.  The oracle reads one code at a time (codes_get) and sums in 64
 * bits; tables go to 255 everywhere and to more than 4,096 dimensions, where 16-bit sums that are not emptied
 * overflow. */
#include <math.h>
#include "kernels/check_kernel.h"
#include "kernels/codes/codes.h"

enum { BLOCKS = 9, QUERIES = 5, ROWS = BLOCKS * 16, GROUPS_MAX = 130, TABLES_MAX = GROUPS_MAX * 1024 };

static size_t table_bytes(int bits) { return bits == 4 ? 512 : bits == 2 ? 256 : 1024; } /* a group */

struct sample {
    int bits;
    size_t groups;
    uint8_t *codes, *luts;
    int32_t starts[QUERIES], sums[QUERIES][ROWS];
};
static struct sample samples[256];
static size_t sample_count;
enum fill { RANDOM, TOP };

/* The entry of dimension d's table that holds a share of it; -1 for the second of a pair. */
static int64_t entry_of(int bits, const uint8_t *codes, size_t d)
{
    const size_t pair = d / 8 * 4 + d % 4;
    const unsigned a = codes[d], b = bits == 4 ? 0 : codes[d + 4];
    if (bits == 4) return (int64_t)(d * 16 + a);
    if (bits == 2) return (int64_t)(pair * 16 + a + 4 * b);
    return (int64_t)(pair * 64 + (a & 3) + 4 * (b & 3) + 16 * (a >> 2) + 32 * (b >> 2));
}

static void make_sample(int bits, size_t groups, enum fill fill)
{
    struct sample *s = &samples[sample_count++];
    const size_t dims = groups * 32, bytes = codes_block_bytes(groups, bits), lut = groups * table_bytes(bits);
    *s = (struct sample){ .bits = bits, .groups = groups, .codes = malloc(BLOCKS * bytes + 1),
                          .luts = malloc(QUERIES * lut + 1) };
    for (size_t i = 0; i < BLOCKS * bytes; i++) s->codes[i] = (uint8_t)test_rand();
    for (size_t i = 0; i < QUERIES * lut; i++) s->luts[i] = fill == TOP ? 255 : (uint8_t)test_rand();
    uint8_t *codes = malloc(dims + 1);
    for (size_t q = 0; q < QUERIES; q++) s->starts[q] = (int32_t)(test_rand() % 2000001) - 1000000;
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t d = 0; d < dims; d++) codes[d] = (uint8_t)codes_get(s->codes + r / 16 * bytes, bits, r % 16, d);
        for (size_t q = 0; q < QUERIES; q++) {
            int64_t sum = 0;
            for (size_t d = 0; d < dims; d++)
                if (bits == 4 || d % 8 < 4) sum += s->luts[q * lut + (size_t)entry_of(bits, codes, d)];
            s->sums[q][r] = (int32_t)(2 * sum + s->starts[q]);
        }
    }
    free(codes);
}

struct stage { struct fence codes, tables, starts, out; };

static void run_scan(const struct kernel *k, const struct stage *f, const struct sample *s, size_t blocks, size_t count)
{
    const size_t bytes = blocks * codes_block_bytes(s->groups, s->bits), lut = count * s->groups * table_bytes(s->bits);
    const size_t sums = count * blocks * 16;
    for (int end = 0; end < 2; end++) {
        uint8_t *codes = fence_at(f->codes, bytes, end), *luts = fence_at(f->tables, lut, end);
        int32_t *starts = fence_at(f->starts, count * 4, end), *got = fence_at(f->out, sums * 4, end);
        memcpy(codes, s->codes, bytes);
        memcpy(luts, s->luts, lut);
        memcpy(starts, s->starts, count * 4);
        fence_paint(f->out);
        if (k->op == OP_scan_pair) k->fn.scan_pair(codes, blocks, s->groups, luts, starts, count, got);
        else k->fn.scan_sign(codes, blocks, s->groups * (size_t)s->bits, luts, starts, count, got);
        size_t wrong = 0;
        for (size_t q = 0; q < count; q++) wrong += memcmp(got + q * blocks * 16, s->sums[q], blocks * 64) != 0;
        CHECK(wrong == 0, "bits=%d groups=%zu blocks=%zu queries=%zu: %zu rows of sums differ, first %d want %d",
              s->bits, s->groups, blocks, count, wrong, got[0], s->sums[0][0]);
        CHECK(untouched(f->out, got, sums * 4), "bits=%d groups=%zu: wrote outside sums", s->bits, s->groups);
    }
}

static void check_scan(const void *kernel, void *stage, void *unused)
{
    const struct kernel *k = kernel;
    (void)unused;
    for (size_t i = 0; i < sample_count; i++) {
        if ((samples[i].bits == 3) != (k->op == OP_scan_pair)) continue;
        if (samples[i].groups <= 3)
            for (size_t blocks = 0; blocks <= BLOCKS; blocks++)
                for (size_t count = 0; count <= QUERIES; count++) run_scan(kernel, stage, &samples[i], blocks, count);
        else
            run_scan(kernel, stage, &samples[i], 1 + i % BLOCKS, 1 + i % QUERIES);
    }
}

/* --- lut_u8 ---------------------------------------------------------------------------------- */

static float query[CHECK_LONGEST], levels_of[5][16]; /* by bits */
static uint8_t tables[5][CHECK_LONGEST / 32 * 1024]; /* of the whole query */

/* Each operation rounded to float: double holds a product or a sum of two floats well enough for that. */
static float share(float q, unsigned code, const float *levels, int bits)
{
    const double last = levels[(1 << bits) - 1], level = levels[code];
    const double w = q < 0 ? last - level : level - (double)levels[0];
    return (float)((double)fabsf(q) * (double)(float)w);
}

static unsigned entry(float a, float b, unsigned c_a, unsigned c_b, const float *levels, int bits, float inverse)
{
    const float sum = (float)((double)share(a, c_a, levels, bits) + (double)share(b, c_b, levels, bits));
    return (unsigned)(float)((double)(float)((double)sum * (double)inverse) + 0.5);
}

static float inverse_of(int bits) { return 255 / (2 * (levels_of[bits][(1 << bits) - 1] - levels_of[bits][0])); }

/* The tables of one group, from 32 coordinates. */
static void make_tables(const float *q, int bits, uint8_t *lut)
{
    const unsigned count = 1u << bits;
    for (size_t d = 0; d < 32; d++)
        for (unsigned c_a = 0; c_a < count && (bits == 4 || d % 8 < 4); c_a++)
            for (unsigned c_b = 0; c_b < (bits == 4 ? 1 : count); c_b++) {
                const uint8_t codes[5] = { (uint8_t)c_a, 0, 0, 0, (uint8_t)c_b };
                const size_t table = bits == 4 ? d * 16 : (d / 8 * 4 + d % 4) * (bits == 2 ? 16 : 64);
                lut[table + (size_t)entry_of(bits, codes, 0)] =
                    (uint8_t)entry(q[d], bits == 4 ? 0 : q[d + 4], c_a, c_b, levels_of[bits], bits, inverse_of(bits));
            }
}

static void make_query(void)
{
    for (size_t i = 0; i < CHECK_LONGEST; i++) query[i] = i % 29 == 7 ? 0 : (float)(int64_t)test_rand() * 0x1p-63f;
    for (int bits = 2; bits <= 4; bits++) {
        for (int i = 0; i < 1 << bits; i++)
            levels_of[bits][i] = (float)(i - (1 << bits) / 2) * 0.31f + (float)(i * i) * 0.01f;
        for (size_t g = 0; g < CHECK_LONGEST / 32; g++)
            make_tables(query + g * 32, bits, tables[bits] + g * table_bytes(bits));
    }
}

static void check_lut_shape(const struct kernel *k, const struct stage *f, size_t dim, int bits, int end)
{
    const size_t count = (size_t)1 << bits, group = table_bytes(bits), bytes = codes_groups(dim) * group;
    const size_t whole = dim / 32 * group;
    const int slack = k->kind == KERNEL_BASELINE; /* a compiler may contract: one more or less */
    float last[32] = { 0 };
    uint8_t last_tables[1024];
    memcpy(last, query + dim / 32 * 32, dim % 32 * sizeof *last);
    make_tables(last, bits, last_tables);
    float *q = fence_at(f->codes, dim * sizeof *q, end);
    float *level = fence_at(f->starts, count * sizeof *level, end);
    uint8_t *lut = fence_at(f->out, bytes, end);
    memcpy(q, query, dim * sizeof *q);
    memcpy(level, levels_of[bits], count * sizeof *level);
    fence_paint(f->out);
    k->fn.lut_u8(q, dim, level, bits, inverse_of(bits), lut);
    for (size_t i = 0; i < bytes; i++) {
        const int want = i < whole ? tables[bits][i] : last_tables[i - whole];
        CHECK(abs(lut[i] - want) <= slack, "bits=%d dim=%zu: entry %zu is %d, not %d", bits, dim, i, lut[i], want);
    }
    CHECK(untouched(f->out, lut, bytes), "bits=%d dim=%zu: wrote outside", bits, dim);
}

static void check_lut(const void *kernel, void *stage, void *unused)
{
    (void)unused;
    for (int bits = 2; bits <= 4; bits++)
        for (size_t i = 0; i < CHECK_DIMS && !test_enough(); i++)
            for (int end = 0; end < 2; end++) check_lut_shape(kernel, stage, check_dim(i), bits, end);
}

/* --- wrong ones ------------------------------------------------------------------------------ */

/* What overlooks the flush interval does: sums in 16 bits, whatever the dimension. */
static void never_empties(const uint8_t *codes, size_t blocks, size_t groups, const uint8_t *luts,
                          const int32_t *starts, size_t count, int32_t *sums)
{
    kernel_next(OP_scan_sign, NULL)->fn.scan_sign(codes, blocks, groups, luts, starts, count, sums);
    for (size_t i = 0; i < count * blocks * 16; i++) {
        const int32_t start = starts[i / (blocks * 16)];
        sums[i] = 2 * (int32_t)(uint16_t)((sums[i] - start) / 2) + start;
    }
}
static void never_empties_pairs(const uint8_t *codes, size_t blocks, size_t groups, const uint8_t *luts,
                                const int32_t *starts, size_t count, int32_t *sums)
{
    kernel_next(OP_scan_pair, NULL)->fn.scan_pair(codes, blocks, groups, luts, starts, count, sums);
    for (size_t i = 0; i < count * blocks * 16; i++) {
        const int32_t start = starts[i / (blocks * 16)];
        sums[i] = 2 * (int32_t)(uint16_t)((sums[i] - start) / 2) + start;
    }
}

#define LUT_PLANT(name) \
    static void name(const float *q, size_t dim, const float *levels, int bits, float inverse, uint8_t *lut)
#define RIGHT_LUT kernel_next(OP_lut_u8, NULL)->fn.lut_u8

LUT_PLANT(scales_less) { RIGHT_LUT(q, dim, levels, bits, inverse * 0.998f, lut); }
LUT_PLANT(drops_tail)
{
    RIGHT_LUT(q, dim, levels, bits, inverse, lut);
    if (dim % 32 == 31) RIGHT_LUT(q + dim / 32 * 32, 30, levels, bits, inverse, lut + dim / 32 * table_bytes(bits));
}
LUT_PLANT(reads_a_register)
{
    RIGHT_LUT(q, dim, levels, bits, inverse, lut);
    if (dim % 8) (void)*(const volatile float *)(q + dim);
}
LUT_PLANT(writes_a_group_more)
{
    RIGHT_LUT(q, dim, levels, bits, inverse, lut);
    if (dim == 64) lut[2 * table_bytes(bits)] = 0;
}

static struct stage stage;
static void wrong_tables_are_caught(void)
{
    static const struct { const char *name; lut_u8_fn *fn; } plants[] = {
        { "scales a little less", scales_less }, { "drops the last of some", drops_tail },
        { "reads behind the query", reads_a_register }, { "writes a group more", writes_a_group_more },
    };
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        const struct kernel k = { .op = OP_lut_u8, .variant = "planted", .fn.lut_u8 = plants[i].fn };
        if (plants[i].fn == reads_a_register && fence_slack()) continue;
        CHECK(check_quietly(check_lut, &k, &stage, NULL) != TEST_SAID_OK, "a kernel that %s passed", plants[i].name);
    }
}

static void overflow_is_caught(void)
{
    const struct kernel sign = { .op = OP_scan_sign, .variant = "planted", .fn.scan_sign = never_empties };
    const struct kernel pair = { .op = OP_scan_pair, .variant = "planted", .fn.scan_pair = never_empties_pairs };
    CHECK(check_quietly(check_scan, &sign, &stage, NULL) != TEST_SAID_OK, "16-bit sums of nibbles passed");
    CHECK(check_quietly(check_scan, &pair, &stage, NULL) != TEST_SAID_OK, "16-bit sums of pairs passed");
}

/* Recorded on x86-64; what any kernel on any machine must give for the samples. */
static void oracle_hash(void)
{
    uint64_t hash = CHECK_HASH_START;
    for (size_t i = 0; i < sample_count; i++)
        for (size_t q = 0; q < QUERIES; q++)
            for (size_t r = 0; r < ROWS; r++)
                for (int shift = 0; shift < 32; shift += 8)
                    hash = check_hash(hash, &(uint8_t){ (uint8_t)((uint32_t)samples[i].sums[q][r] >> shift) }, 1);
    CHECK(hash == 0x6c3e041a039e97b3, "0x%016llx", (unsigned long long)hash);
}

int main(void)
{
    static const size_t long_groups[] = { 48, 64, 65, 96, 128, GROUPS_MAX };
    for (int bits = 2; bits <= 4; bits++) {
        for (size_t groups = 0; groups <= 40; groups++) make_sample(bits, groups, RANDOM);
        for (size_t i = 0; i < 6; i++) make_sample(bits, long_groups[i], TOP);
        make_sample(bits, GROUPS_MAX, RANDOM);
    }
    make_query();
    stage = (struct stage){ fence_make(BLOCKS * GROUPS_MAX * 256), fence_make(QUERIES * TABLES_MAX), fence_make(64),
                            fence_make(TABLES_MAX) };
    test_case("hash of the sums", oracle_hash);
    test_case("sums that overflow 16 bits are caught", overflow_is_caught);
    test_case("wrong tables are caught", wrong_tables_are_caught);
    check_every(OP_lut_u8, check_lut, &stage, NULL);
    check_every(OP_scan_pair, check_scan, &stage, NULL);
    check_every(OP_scan_sign, check_scan, &stage, NULL);
    for (size_t i = 0; i < sample_count; i++) free(samples[i].codes), free(samples[i].luts);
    return test_end();
}
