/* SPDX-License-Identifier: MIT
 * test_pack.c - codes into blocks, out of them, and into split codes, against codes_get and codes_set, which
 * place one code at a time. */
#include "kernels/codes/check_codes.h"
#include "kernels/check_kernel.h"

enum { GROUPS_MAX = 128, DIMS_MAX = GROUPS_MAX * 32, GAP = 5 };
static uint8_t numbers[16 * (DIMS_MAX + GAP)], before[GROUPS_MAX * 8 * 64];

struct stage { struct fence in, out, more; };

static void fill(uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++) at[i] = (uint8_t)test_rand();
}

/* Bytes from the first to the last of `count` rows. */
static size_t span(size_t count, size_t stride, size_t bytes) { return count ? (count - 1) * stride + bytes : 0; }

static void pack_shape(const struct kernel *k, const struct stage *f, int bits, size_t groups, size_t first,
                       size_t count, size_t gap, int end)
{
    const size_t dims = groups * 32, stride = dims + gap, bytes = codes_block_bytes(groups, bits);
    uint8_t *codes = fence_at(f->in, span(count, stride, dims), end), *block = fence_at(f->out, bytes, end);
    static uint8_t want[GROUPS_MAX * 8 * 64];
    memcpy(codes, numbers, span(count, stride, dims));
    fence_paint(f->out);
    memcpy(block, before, bytes);
    memcpy(want, before, bytes);
    for (size_t r = 0; r < count; r++)
        for (size_t d = 0; d < dims; d++) codes_set(want, bits, first + r, d, numbers[r * stride + d]);
    k->fn.pack(codes, stride, first, count, groups, bits, block);
    CHECK(memcmp(block, want, bytes) == 0, "bits=%d groups=%zu rows %zu + %zu", bits, groups, first, count);
    CHECK(untouched(f->out, block, bytes), "bits=%d groups=%zu: wrote outside", bits, groups);
}

static void unpack_shape(const struct kernel *k, const struct stage *f, int bits, size_t groups, size_t first,
                         size_t count, size_t gap, int end)
{
    const size_t dims = groups * 32, stride = dims + gap, bytes = codes_block_bytes(groups, bits);
    uint8_t *block = fence_at(f->in, bytes, end), *codes = fence_at(f->out, span(count, stride, dims), end);
    memcpy(block, before, bytes);
    fence_paint(f->out);
    k->fn.unpack(block, first, count, groups, bits, codes, stride);
    for (size_t r = 0; r < count; r++) {
        size_t wrong = 0;
        for (size_t d = 0; d < dims; d++) wrong += codes[r * stride + d] != codes_get(before, bits, first + r, d);
        CHECK(wrong == 0, "bits=%d groups=%zu row=%zu: %zu codes differ", bits, groups, first + r, wrong);
        for (size_t d = dims; d < stride && r + 1 < count; d++) wrong += codes[r * stride + d] != 0x5a;
        CHECK(wrong == 0, "bits=%d groups=%zu: wrote between rows", bits, groups);
    }
    CHECK(untouched(f->out, codes, span(count, stride, dims)), "bits=%d groups=%zu: wrote outside", bits, groups);
}

typedef void shape_fn(const struct kernel *k, const struct stage *f, int bits, size_t groups, size_t first,
                      size_t count, size_t gap, int end);

/* Every length in a part of a block, and whole blocks of every length at some widths. */
static void every_shape(const struct kernel *k, const struct stage *f, shape_fn *shape)
{
    for (int bits = 1; bits <= 8; bits++)
        for (int end = 0; end < 2; end++) {
            for (size_t groups = 0; groups <= 40; groups++) {
                if (groups <= 4 || (groups + (size_t)bits) % 4 == 0)
                    shape(k, f, bits, groups, 0, 16, groups % 2 * GAP, end);
                shape(k, f, bits, groups, groups % 16, groups % 5 % (17 - groups % 16), 0, end);
            }
            for (size_t first = 0; first < 16; first++)
                for (size_t count = 0; first + count <= 16; count += 1 + first % 3)
                    shape(k, f, bits, 2, first, count, GAP, end);
            if (end == bits % 2) shape(k, f, bits, bits % 3 ? GROUPS_MAX : 48, 0, 16, 0, end);
        }
}

static void check_pack(const void *k, void *stage, void *unused) { (void)unused, every_shape(k, stage, pack_shape); }
static void check_unpack(const void *k, void *stage, void *unused)
{
    (void)unused, every_shape(k, stage, unpack_shape);
}

/* Bit of dimension d in a word of 32 signs or ranks. */
static unsigned bit_of(const uint8_t *word, size_t d)
{
    const size_t at = 8 * (d % 4) + d % 32 / 4;
    return word[at / 8] >> at % 8 & 1u;
}

static void split_shape(const struct kernel *k, const struct stage *f, int bits, size_t groups, int end)
{
    const size_t dims = groups * 32, sign_bytes = span(groups, 64, 4), rank_bytes = codes_rank_bytes(groups, bits);
    uint8_t *codes = fence_at(f->in, dims, end), *signs = fence_at(f->out, sign_bytes, end);
    uint8_t *ranks = fence_at(f->more, rank_bytes, end);
    for (size_t d = 0; d < dims; d++) codes[d] = (uint8_t)(numbers[d] & ((1u << bits) - 1));
    fence_paint(f->out);
    fence_paint(f->more);
    k->fn.pack_split(codes, groups, bits, signs, ranks);
    for (size_t d = 0; d < dims; d++) {
        const unsigned want = codes_split(numbers[d] & ((1u << bits) - 1), bits);
        unsigned got = bit_of(signs + d / 32 * 64, d) << (bits - 1);
        for (int plane = 0; plane + 1 < bits; plane++)
            got |= bit_of(ranks + (d / 32 * (size_t)(bits - 1) + (size_t)plane) * 4, d) << plane;
        CHECK(got == want, "bits=%d groups=%zu dim=%zu: %u want %u", bits, groups, d, got, want);
    }
    for (size_t i = 0; i < sign_bytes; i++)
        if (i % 64 >= 4) CHECK(signs[i] == 0x5a, "bits=%d groups=%zu: wrote between signs", bits, groups);
    CHECK(untouched(f->out, signs, sign_bytes), "bits=%d groups=%zu: wrote outside signs", bits, groups);
    CHECK(untouched(f->more, ranks, rank_bytes), "bits=%d groups=%zu: wrote outside ranks", bits, groups);
}

static void check_split(const void *k, void *stage, void *unused)
{
    (void)unused;
    for (int bits = 2; bits <= 8; bits++)
        for (int end = 0; end < 2; end++)
            for (size_t groups = 0; groups <= GROUPS_MAX; groups += groups < 40 ? 1 : 22)
                split_shape(k, stage, bits, groups, end);
}

/* Wrong kernels, each with one mistake, built on the scalar row. */
#define PLANT(name)                                                                                            \
    static void name(const uint8_t *codes, size_t stride, size_t first, size_t count, size_t groups, int bits, \
                     uint8_t *block)
#define RIGHT kernel_next(OP_pack, NULL)->fn.pack(codes, stride, first, count, groups, bits, block)
PLANT(clears_others)
{
    memset(block, 0, codes_block_bytes(groups, bits));
    RIGHT;
}
PLANT(keeps_junk)
{
    RIGHT;
    for (size_t d = 0; d < groups * 32 && bits < 8 && count; d++) block[d % 64] |= (uint8_t)(codes[d] >> bits & 1);
}
PLANT(ignores_stride)
{
    stride = groups * 32;
    RIGHT;
}
PLANT(reads_a_row_more)
{
    const volatile uint8_t *behind = codes + span(count, stride, groups * 32);
    RIGHT;
    (void)*behind;
}

static struct stage stage;
static void plants_are_caught(void)
{
    static const struct { const char *name; pack_fn *fn; } plants[] = {
        { "clears the other rows", clears_others },
        { "keeps bits above", keeps_junk },
        { "ignores the stride", ignores_stride },
        { "reads behind the codes", reads_a_row_more },
    };
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        if (plants[i].fn == reads_a_row_more && fence_slack()) continue;
        const struct kernel k = { .op = OP_pack, .variant = "planted", .fn.pack = plants[i].fn };
        CHECK(check_quietly(check_pack, &k, &stage, NULL) != TEST_SAID_OK, "a kernel that %s passed", plants[i].name);
    }
}

/* Recorded on x86-64: a block of each width packed of the same numbers. */
static void recorded(void)
{
    uint64_t hash = CHECK_HASH_START;
    uint8_t block[7 * 8 * 64] = { 0 };
    for (int bits = 1; bits <= 8; bits++) {
        for (size_t r = 0; r < 16; r++)
            for (size_t d = 0; d < 7 * 32; d++) codes_set(block, bits, r, d, numbers[r * 7 * 32 + d]);
        hash = check_hash(hash, block, codes_block_bytes(7, bits));
    }
    CHECK(hash == 0xa7cf87f7d85773cf, "0x%016llx", (unsigned long long)hash);
}

int main(void)
{
    fill(numbers, sizeof numbers);
    fill(before, sizeof before);
    stage = (struct stage){ fence_make(sizeof numbers), fence_make(sizeof numbers), fence_make(GROUPS_MAX * 7 * 4) };
    test_case("hash of the blocks", recorded);
    test_case("planted wrong kernels are caught", plants_are_caught);
    check_every(OP_pack, check_pack, &stage, NULL);
    check_every(OP_unpack, check_unpack, &stage, NULL);
    check_every(OP_pack_split, check_split, &stage, NULL);
    return test_end();
}
