/* SPDX-License-Identifier: MIT
 * test_scan_lut.c - the quantised scan against an oracle that unpacks by the words of codes.h,
 * plane by plane, and sums in 64 bits.  Every variant must give the same integers. */
#include "kernels/codes/check_codes.h"
#include "kernels/check_kernel.h"

/* The kernel of AMX with a model of its tile instructions and levels in plain C (int8_plain.h): on every machine. */
#pragma GCC diagnostic ignored "-Wpsabi"
#define AMX_MODEL
#undef KERNEL_OP
#define KERNEL_OP scan_lut
#define KERNEL_ISA scalar /* its needs */
#define KERNEL_TABLE amx_model
#define QUERIES scan_queries
#define bytes amx_bytes
#include "kernels/scans/scan_lut_amxint8.c"
#undef QUERIES
#undef bytes

enum { BLOCKS = 5, QUERIES = 17, ROWS = BLOCKS * CODES_ROWS, GROUPS_MAX = 128 };

struct sample {
    int bits;
    size_t groups;
    uint8_t *codes;                   /* BLOCKS blocks */
    int8_t levels[256], *queries;     /* QUERIES rows */
    int32_t sums[QUERIES][ROWS];      /* the oracle's */
};

static const size_t block_counts[] = { 0, 1, 2, 3, 5 }, query_counts[] = { 0, 1, 2, 3, 4, 9, 17 };
enum { BLOCK_COUNTS = 5, QUERY_COUNTS = 7 };
enum fill { RANDOM, TOP, BOTTOM, IDENTITY, FILLS };

/* Row-major codes of one block: walks planes, registers and bytes in the order they are stored. */
static void unpack(const uint8_t *block, int bits, size_t groups, uint8_t *codes)
{
    const size_t dims = groups * 32;
    memset(codes, 0, 16 * dims);
    for (size_t g = 0; g < groups; g++) {
        int low = 0;
        for (int width = 8; width >= 1; width /= 2) {
            if ((bits / width) % 2 == 0) continue;
            for (int reg = 0; reg < width; reg++)
                for (int byte = 0; byte < 64; byte++, block++)
                    for (int part = 0; part < 8 / width; part++) {
                        const size_t step = (size_t)(reg * (8 / width) + part);
                        const size_t dim = 32 * g + 4 * step + (size_t)(byte % 4);
                        const int code = (*block >> (part * width)) % (1 << width);
                        codes[(size_t)(byte / 4) * dims + dim] |= (uint8_t)(code << low);
                    }
            low += width;
        }
    }
}

static void fill_sample(struct sample *s, enum fill fill)
{
    static const int8_t edge[] = { 127, -128, -127, 0, 1, -1 };
    const size_t dims = s->groups * 32, bytes = BLOCKS * codes_block_bytes(s->groups, s->bits);
    for (size_t i = 0; i < bytes; i++) s->codes[i] = (uint8_t)test_rand();
    for (int i = 0; i < 256; i++) {
        const int8_t any = test_rand() % 4 ? (int8_t)test_rand() : edge[test_rand() % 6];
        s->levels[i] = (int8_t)(fill == TOP ? 127 : fill == BOTTOM ? -128 : fill == IDENTITY ? i - 128 : any);
    }
    for (size_t i = 0; i < QUERIES * dims; i++) {
        const int8_t any = (int8_t)((int)(test_rand() % 255) - 127);
        s->queries[i] = fill == TOP ? 127 : fill == BOTTOM ? (i / dims % 2 ? 127 : -127) : any;
    }
}

static struct sample *sample_make(int bits, size_t groups, enum fill fill)
{
    struct sample *s = calloc(1, sizeof *s);
    const size_t dims = groups * 32, block_bytes = codes_block_bytes(groups, bits);
    s->bits = bits, s->groups = groups;
    s->codes = malloc(BLOCKS * block_bytes + 1);
    s->queries = malloc(QUERIES * dims + 1);
    fill_sample(s, fill);
    uint8_t *codes = malloc(16 * dims + 1);
    for (size_t b = 0; b < BLOCKS; b++) {
        unpack(s->codes + b * block_bytes, bits, groups, codes);
        for (size_t q = 0; q < QUERIES; q++)
            for (size_t r = 0; r < 16; r++) {
                int64_t sum = 0;
                for (size_t i = 0; i < dims; i++)
                    sum += (int64_t)s->queries[q * dims + i] * s->levels[codes[r * dims + i]];
                s->sums[q][b * 16 + r] = (int32_t)sum;
            }
    }
    free(codes);
    return s;
}

static void sample_free(struct sample *s)
{
    free(s->codes);
    free(s->queries);
    free(s);
}

/* The fenced copies that a kernel sees. */
struct stage { struct fence codes, levels, queries, sums; };

static void run(const struct kernel *k, const struct stage *f, const struct sample *s, size_t blocks, size_t count)
{
    const size_t dims = s->groups * 32, code_bytes = blocks * codes_block_bytes(s->groups, s->bits);
    const size_t level_bytes = (size_t)1 << s->bits, sums = count * blocks * 16;
    for (int end = 0; end < 2; end++) {
        uint8_t *codes = fence_at(f->codes, code_bytes, end);
        int8_t *levels = fence_at(f->levels, level_bytes, end), *queries = fence_at(f->queries, count * dims, end);
        int32_t *got = fence_at(f->sums, sums * sizeof *got, end);
        memcpy(codes, s->codes, code_bytes);
        memcpy(levels, s->levels, level_bytes);
        memcpy(queries, s->queries, count * dims);
        memset(f->sums.head, 0x5a, f->sums.size);
        k->fn.scan_lut(codes, blocks, s->groups, s->bits, levels, queries, count, got);
        size_t wrong = 0;
        for (size_t q = 0; q < count; q++)
            wrong += memcmp(got + q * blocks * 16, s->sums[q], blocks * 16 * sizeof *got) != 0;
        CHECK(wrong == 0, "bits=%d groups=%zu blocks=%zu queries=%zu: %zu rows of sums differ, first %d want %d",
              s->bits, s->groups, blocks, count, wrong, got[0], s->sums[0][0]);
        const char *out = (char *)got, *edge = f->sums.head;
        for (size_t i = 0; i < f->sums.size; i++)
            if (edge + i < out || edge + i >= out + sums * sizeof *got) wrong += edge[i] != 0x5a;
        CHECK(wrong == 0, "bits=%d groups=%zu: wrote outside sums", s->bits, s->groups);
    }
}

/* Small shapes of every kind; then every length, one shape each. */
static void every_shape(const struct kernel *k, const struct stage *f, struct sample *const *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct sample *s = all[i];
        if (s->groups <= 3)
            for (int b = 0; b < BLOCK_COUNTS; b++)
                for (int q = 0; q < QUERY_COUNTS; q++) run(k, f, s, block_counts[b], query_counts[q]);
        else
            run(k, f, s, block_counts[1 + i % 4], query_counts[1 + i % 6]);
    }
}

enum { SAMPLES_MAX = 512 };
static struct sample *samples[SAMPLES_MAX];
static size_t sample_count;

/* Recorded on x86-64; what any kernel on any machine must give for the samples. */
static const uint64_t recorded_hash = 0x5b44f71cf99238e9;

static void check(const void *kernel, void *stage, void *unused)
{
    (void)unused;
    every_shape(kernel, stage, samples, sample_count);
}

static void make_samples(void)
{
    static const size_t long_groups[] = { 48, 96, GROUPS_MAX };
    for (int bits = 1; bits <= 8; bits++) {
        for (size_t groups = 0; groups <= 40; groups++) samples[sample_count++] = sample_make(bits, groups, RANDOM);
        for (size_t i = 0; i < 3; i++) samples[sample_count++] = sample_make(bits, long_groups[i], RANDOM);
        for (int fill = TOP; fill < FILLS; fill++) {
            samples[sample_count++] = sample_make(bits, 33, (enum fill)fill);
            samples[sample_count++] = sample_make(bits, GROUPS_MAX, (enum fill)fill);
        }
    }
}

static void oracle_hash(void)
{
    uint64_t hash = CHECK_HASH_START;
    for (size_t i = 0; i < sample_count; i++)
        for (size_t q = 0; q < QUERIES; q++)
            for (size_t r = 0; r < ROWS; r++) {
                const uint32_t sum = (uint32_t)samples[i]->sums[q][r];
                for (int shift = 0; shift < 32; shift += 8)
                    hash = check_hash(hash, &(uint8_t){ (uint8_t)(sum >> shift) }, 1);
            }
    CHECK(hash == recorded_hash, "0x%016llx", (unsigned long long)hash);
}

/* codes_set, codes_get and the words above them agree; no other code changes. */
static void round_trip(void)
{
    enum { GROUPS = 2, DIMS = GROUPS * 32 };
    for (int bits = 1; bits <= 8; bits++) {
        uint8_t block[GROUPS * 8 * 64] = { 0 }, want[16 * DIMS] = { 0 }, got[16 * DIMS];
        for (int i = 0; i < 5000; i++) {
            const size_t row = test_rand() % 16, dim = test_rand() % DIMS;
            const unsigned code = (unsigned)(test_rand() % (1u << bits));
            codes_set(block, bits, row, dim, code);
            want[row * DIMS + dim] = (uint8_t)code;
            CHECK(codes_get(block, bits, row, dim) == code, "bits=%d row=%zu dim=%zu", bits, row, dim);
        }
        unpack(block, bits, GROUPS, got);
        CHECK(memcmp(got, want, sizeof got) == 0, "bits=%d", bits);
    }
}

/* The longest scan that the contract allows, every product at its largest. */
static void check_longest(const void *kernel, void *unused, void *unused2)
{
    (void)unused, (void)unused2;
    const struct kernel *k = kernel;
    const size_t groups = 65536 / 32, bytes = codes_block_bytes(groups, 1);
    uint8_t *codes = malloc(bytes);
    int8_t *queries = malloc(65536);
    int32_t sums[16];
    for (int sign = 0; sign < 2; sign++) {
        const int8_t levels[2] = { -128, 127 };
        memset(codes, sign ? 255 : 0, bytes);
        memset(queries, 127, 65536);
        k->fn.scan_lut(codes, 1, groups, 1, levels, queries, 1, sums);
        const int32_t want = levels[sign] * 127 * 65536;
        for (int r = 0; r < 16; r++) CHECK(sums[r] == want, "row %d: %d want %d", r, sums[r], want);
    }
    free(codes);
    free(queries);
}

/* Wrong kernels, each with one mistake, built on the scalar row. */
#define PLANT(name)                                                                                \
    static void name(const uint8_t *codes, size_t blocks, size_t groups, int bits, const int8_t *levels, \
                     const int8_t *queries, size_t count, int32_t *sums)
#define RIGHT kernel_next(OP_scan_lut, NULL)->fn.scan_lut(codes, blocks, groups, bits, levels, queries, count, sums)

PLANT(reads_behind)
{
    const volatile uint8_t *behind = codes + blocks * codes_block_bytes(groups, bits);
    RIGHT;
    (void)*behind;
}
PLANT(reads_before)
{
    const volatile int8_t *before = queries - 1;
    RIGHT;
    (void)*before;
}
PLANT(writes_behind)
{
    RIGHT;
    sums[count * blocks * 16] = 0;
}
PLANT(forgets_last_query)
{
    RIGHT;
    if (count == QUERIES && blocks) sums[(count - 1) * blocks * 16] ^= 1;
}
PLANT(wraps_at_16_bits)
{
    RIGHT;
    for (size_t i = 0; i < count * blocks * 16; i++) sums[i] = (int16_t)sums[i];
}
/* vpmaddubsw of levels raised by 128: pairs above 32767 are cut. */
PLANT(saturates)
{
    RIGHT;
    for (size_t r = 0; groups < 4 && count && r < blocks * 16; r++) {
        const uint8_t *block = codes + r / 16 * codes_block_bytes(groups, bits);
        sums[r] = 0;
        for (size_t d = 0; d < groups * 32; d += 2) {
            const int a = queries[d] * (levels[codes_get(block, bits, r % 16, d)] + 128);
            const int pair = a + queries[d + 1] * (levels[codes_get(block, bits, r % 16, d + 1)] + 128);
            sums[r] += (pair > 32767 ? 32767 : pair < -32768 ? -32768 : pair) - 128 * (queries[d] + queries[d + 1]);
        }
    }
}

static struct stage stage;
static void plants_are_caught(void)
{
    static const struct { const char *name; scan_lut_fn *fn; } plants[] = {
        { "reads behind the codes", reads_behind },     { "reads before the queries", reads_before },
        { "writes behind the sums", writes_behind },    { "gets the last query wrong", forgets_last_query },
        { "sums in 16 bits", wraps_at_16_bits },        { "saturates", saturates },
    };
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        /* An emulator that reads too far itself keeps the fence at a distance: no one byte shows there. */
        if (plants[i].fn == reads_behind && fence_slack()) continue;
        const struct kernel k = { .op = OP_scan_lut, .variant = "planted", .fn.scan_lut = plants[i].fn };
        CHECK(check_quietly(check, &k, &stage, NULL) != TEST_SAID_OK, "a kernel that %s passed", plants[i].name);
    }
}

/* Some samples, and then more queries than they have, against the scalar row. */
static void check_tiles(const void *kernel, void *at, void *unused)
{
    static const size_t groups[] = { 1, 2, 3, 16, 17, 33 }, queries[] = { 31, 32, 33, 70 };
    enum { MOST = 70 * 33 * 32, MOST_SUMS = 70 * 4 * 16 };
    static uint8_t codes[4 * 33 * 8 * 64];
    static int8_t query[MOST], levels[256];
    static int32_t got[MOST_SUMS], want[MOST_SUMS];
    const struct kernel *k = kernel, *plain = kernel_next(OP_scan_lut, NULL);
    (void)unused;
    for (size_t i = 0; i < sample_count; i += 5)
        run(k, at, samples[i], block_counts[1 + i % 4], samples[i]->groups % 3 ? QUERIES : 16);
    for (int i = 0; i < 256; i++) levels[i] = (int8_t)test_rand();
    for (size_t i = 0; i < sizeof codes; i++) codes[i] = (uint8_t)test_rand();
    for (size_t i = 0; i < MOST; i++) query[i] = (int8_t)((int)(test_rand() % 255) - 127);
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (size_t q = 0; q < sizeof queries / sizeof *queries && !test_enough(); q++) {
            const size_t blocks = 1 + (g + q) % 4, sums = queries[q] * blocks * 16;
            const int bits = 1 + (int)(g * 4 + q) % 8;
            k->fn.scan_lut(codes, blocks, groups[g], bits, levels, query, queries[q], got);
            plain->fn.scan_lut(codes, blocks, groups[g], bits, levels, query, queries[q], want);
            CHECK(!memcmp(got, want, sums * sizeof *got), "bits=%d groups=%zu blocks=%zu queries=%zu", bits, groups[g],
                  blocks, queries[q]);
        }
}

/* The row of this machine, where it has tiles, and the model everywhere. */
static void check_amx(void)
{
    for (const struct kernel *k = kernel_next(OP_scan_lut, NULL); k; k = kernel_next(OP_scan_lut, k))
        if (k->isa == ISA_amxint8 && k->kind != KERNEL_BASELINE) check_one(k, check_tiles, &stage, NULL);
    check_one(amx_model, check_tiles, &stage, NULL);
}

int main(void)
{
    stage = (struct stage){
        fence_make(BLOCKS * codes_block_bytes(GROUPS_MAX, 8)), fence_make(256), fence_make(QUERIES * GROUPS_MAX * 32),
        fence_make(sizeof samples[0]->sums)
    };
    make_samples();
    test_case("codes_set and codes_get", round_trip);
    test_case("hash of the sums", oracle_hash);
    test_case("planted wrong kernels are caught", plants_are_caught);
    check_every(OP_scan_lut, check, &stage, NULL);
    check_every(OP_scan_lut, check_longest, NULL, NULL);
    check_amx();
    for (size_t i = 0; i < sample_count; i++) sample_free(samples[i]);
    return test_end();
}
