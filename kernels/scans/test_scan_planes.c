/* SPDX-License-Identifier: MIT
 * test_scan_planes.c - queries in bit planes against even levels: the oracle multiplies what codes and numbers stand
 * for, one dimension at a time, in 64 bits. */
#include "kernels/codes/check_codes.h"
#include "kernels/check_kernel.h"

enum { BLOCKS = 5, QUERIES = 3, ROWS = BLOCKS * 16 };

struct sample {
    int bits, query_bits;
    size_t dim, plane_words; /* words: a plane */
    uint8_t *codes;
    uint32_t *planes;
    int32_t sums[QUERIES][ROWS];
};
static struct sample samples[2048];
static size_t sample_count;
enum fill { RANDOM, TOP, OPPOSED };

static void make_sample(int bits, int query_bits, size_t dim, enum fill fill)
{
    struct sample *s = &samples[sample_count++];
    const size_t groups = codes_groups(dim), bytes = codes_block_bytes(groups, bits), words = groups * (size_t)bits;
    const unsigned most = (1u << bits) - 1, query_most = (1u << query_bits) - 1;
    *s = (struct sample){ .bits = bits, .query_bits = query_bits, .dim = dim, .plane_words = words,
                          .codes = calloc(BLOCKS * bytes + 1, 1),
                          .planes = calloc(QUERIES * (size_t)query_bits * words + 1, sizeof *s->planes) };
    uint8_t *number = malloc(QUERIES * dim + 1), *plane = malloc(bytes + 1), *code = malloc(ROWS * dim + 1);
    for (size_t i = 0; i < QUERIES * dim; i++)
        number[i] = (uint8_t)(fill == TOP ? query_most : fill == OPPOSED ? 0 : test_rand() & query_most);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t d = 0; d < dim; d++) {
            code[r * dim + d] = (uint8_t)(fill == RANDOM ? (unsigned)test_rand() & most : most);
            codes_set(s->codes + r / 16 * bytes, bits, r % 16, d, code[r * dim + d]);
        }
    for (size_t q = 0; q < QUERIES; q++) {
        for (int p = 0; p < query_bits; p++) {
            memset(plane, 0, bytes);
            for (size_t d = 0; d < dim; d++) codes_set(plane, bits, 0, d, number[q * dim + d] >> p & 1 ? most : 0);
            for (size_t w = 0; w < words; w++)
                memcpy(s->planes + (q * (size_t)query_bits + (size_t)p) * words + w, plane + w * 64, 4);
        }
        for (size_t r = 0; r < ROWS; r++) {
            int64_t sum = 0;
            for (size_t d = 0; d < dim; d++)
                sum += (2 * (int64_t)code[r * dim + d] - most) * (2 * (int64_t)number[q * dim + d] - query_most);
            s->sums[q][r] = (int32_t)sum;
        }
    }
    free(number);
    free(plane);
    free(code);
}

struct stage { struct fence codes, planes, out; };

static void run(const struct kernel *k, const struct stage *f, const struct sample *s, size_t blocks, size_t count)
{
    const size_t bytes = blocks * codes_block_bytes(codes_groups(s->dim), s->bits), sums = count * blocks * 16;
    const size_t plane_bytes = count * (size_t)s->query_bits * s->plane_words * 4;
    for (int end = 0; end < 2; end++) {
        uint8_t *codes = fence_at(f->codes, bytes, end);
        uint32_t *planes = fence_at(f->planes, plane_bytes, end);
        int32_t *got = fence_at(f->out, sums * 4, end);
        memcpy(codes, s->codes, bytes);
        memcpy(planes, s->planes, plane_bytes);
        fence_paint(f->out);
        k->fn.scan_planes(codes, blocks, s->dim, s->bits, planes, s->query_bits, count, got);
        size_t wrong = 0;
        for (size_t q = 0; q < count; q++) wrong += memcmp(got + q * blocks * 16, s->sums[q], blocks * 64) != 0;
        CHECK(wrong == 0, "bits=%d query bits=%d dim=%zu blocks=%zu: %zu rows of sums differ, first %d want %d",
              s->bits, s->query_bits, s->dim, blocks, wrong, got[0], s->sums[0][0]);
        CHECK(untouched(f->out, got, sums * 4), "bits=%d dim=%zu: wrote outside sums", s->bits, s->dim);
    }
}

static void check(const void *kernel, void *stage, void *unused)
{
    (void)unused;
    for (size_t i = 0; i < sample_count; i++) {
        run(kernel, stage, &samples[i], 1 + i % BLOCKS, 1 + i % QUERIES);
        if (samples[i].dim > 70 || i % 7) continue;
        for (size_t blocks = 0; blocks <= BLOCKS; blocks++)
            for (size_t count = 0; count <= QUERIES; count++) run(kernel, stage, &samples[i], blocks, count);
    }
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
    CHECK(hash == 0xd67a5b35e5195cab, "0x%016llx", (unsigned long long)hash);
}

/* One bit against one bit is scan_sign's sum of a query of signs. */
static void planes_are_signs(void)
{
    struct kernel_set set;
    struct err e = { 0 };
    CHECK(kernel_set_resolve(&set, NULL, &e) == ERR_OK, "%s", e.text);
    const struct sample *s = &samples[64];
    CHECK(s->bits == 1 && s->query_bits == 1 && s->dim == 64, "the sample is another");
    int8_t query[64];
    uint8_t lut[2 * 128];
    int32_t got[ROWS];
    for (size_t d = 0; d < 64; d++) query[d] = s->planes[d / 32] >> (8 * (d % 4) + d % 32 / 4) & 1 ? 1 : -1;
    const int32_t start = set.of[OP_lut_sign]->fn.lut_sign(query, 2, lut);
    set.of[OP_scan_sign]->fn.scan_sign(s->codes, BLOCKS, 2, lut, &start, 1, got);
    CHECK(memcmp(got, s->sums[0], sizeof got) == 0, "first %d, by planes %d", got[0], s->sums[0][0]);
}

int main(void)
{
    static const size_t longer[5] = { 384, 768, 1024, 1536, 3072 };
    for (size_t dim = 0; dim <= 1031; dim++) make_sample(1, 1, dim, RANDOM);
    for (int bits = 1; bits <= 8; bits++)
        for (int query_bits = 1; query_bits <= 8; query_bits++) {
            make_sample(bits, query_bits, 1 + (size_t)(bits * 8 + query_bits), RANDOM);
            for (size_t i = 0; i < 5; i++) make_sample(bits, query_bits, longer[i], RANDOM);
        }
    for (int fill = RANDOM; fill <= OPPOSED; fill++) {
        make_sample(1, 4, CHECK_LONGEST, (enum fill)fill);
        make_sample(8, 8, 1536, (enum fill)fill);
        make_sample(3, 1, CHECK_LONGEST, (enum fill)fill);
    }
    const struct stage stage = { fence_make(BLOCKS * 16 * CHECK_LONGEST), fence_make(QUERIES * 8 * CHECK_LONGEST),
                                 fence_make(QUERIES * ROWS * 4) };
    test_case("hash of the sums", oracle_hash);
    test_case("planes of signs are scan_sign of signs", planes_are_signs);
    check_every(OP_scan_planes, check, (void *)(uintptr_t)&stage, NULL);
    for (size_t i = 0; i < sample_count; i++) free(samples[i].codes), free(samples[i].planes);
    return test_end();
}
