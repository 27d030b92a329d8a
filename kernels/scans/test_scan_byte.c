/* SPDX-License-Identifier: MIT
 * test_scan_byte.c - scan_byte against sums of 64 bits over one code at a time: any number of parts, blocks and
 * queries, flush against unreadable pages, tables of 255 where 16-bit sums that are not emptied overflow, and wrong kernels. */
#include "kernels/check_kernel.h"
#include "kernels/codes/codes.h"

enum { BLOCKS = 9, QUERIES = 3, MOST = 1031, ROWS = BLOCKS * CODES_BYTE_ROWS };
static uint8_t codes_of[BLOCKS * CODES_BYTE_ROWS * MOST], luts_of[QUERIES * MOST * 256];
static struct fence fenced[3]; /* codes, luts, sums */

static void run(const struct kernel *k, size_t blocks, size_t parts, size_t queries, int end)
{
    static int32_t want[QUERIES * ROWS];
    const size_t rows = blocks * CODES_BYTE_ROWS, size = queries * rows * sizeof *want;
    for (size_t i = 0; i < queries * rows; i++) {
        const size_t q = i / rows, r = i % rows;
        int64_t sum = 0;
        for (size_t p = 0; p < parts; p++)
            sum += luts_of[(q * parts + p) * 256 +
                           codes_of[(r / CODES_BYTE_ROWS * parts + p) * CODES_BYTE_ROWS + r % CODES_BYTE_ROWS]];
        want[i] = (int32_t)sum;
    }
    uint8_t *codes = fence_at(fenced[0], rows * parts, end), *luts = fence_at(fenced[1], queries * parts * 256, end);
    int32_t *got = fence_at(fenced[2], size, end);
    memcpy(codes, codes_of, rows * parts);
    memcpy(luts, luts_of, queries * parts * 256);
    fence_paint(fenced[2]);
    k->fn.scan_byte(codes, blocks, parts, luts, queries, got);
    CHECK(!memcmp(got, want, size), "%zu blocks, %zu parts, %zu queries: a wrong sum", blocks, parts, queries);
    CHECK(untouched(fenced[2], got, size), "%zu blocks, %zu parts, %zu queries: wrote outside", blocks, parts, queries);
}

static void check(const void *kernel, void *unused, void *unused2)
{
    (void)unused, (void)unused2;
    test_seed = 20261129;
    for (size_t i = 0; i < sizeof codes_of; i++) codes_of[i] = (uint8_t)(test_rand() >> 17);
    for (size_t i = 0; i < sizeof luts_of; i++) luts_of[i] = (uint8_t)(test_rand() >> 23);
    for (size_t parts = 0; parts <= MOST && !test_enough(); parts++)
        run(kernel, parts > 300 ? 1 : 1 + parts % 5, parts, parts > 300 ? 1 : 1 + parts % 2, (int)(parts % 2));
    for (size_t blocks = 0; blocks <= BLOCKS; blocks++)
        for (size_t queries = 0; queries <= QUERIES; queries++)
            for (int end = 0; end < 2; end++) run(kernel, blocks, 7, queries, end);
    memset(luts_of, 255, sizeof luts_of);
    for (size_t parts = 250; parts < MOST; parts += 130) run(kernel, 5, parts, 2, 1);
}

#define PLANT(name)                                                                                                    \
    static void name(const uint8_t *codes, size_t blocks, size_t parts, const uint8_t *luts, size_t query_count,       \
                     int32_t *sums)
#define RIGHT kernel_next(OP_scan_byte, NULL)->fn.scan_byte(codes, blocks, parts, luts, query_count, sums)
PLANT(never_empties)
{
    RIGHT;
    for (size_t i = 0; i < query_count * blocks * CODES_BYTE_ROWS; i++) sums[i] = (uint16_t)sums[i];
}
PLANT(drops_the_last_part)
{
    RIGHT;
    for (size_t i = 0; parts == 7 && i < query_count * blocks; i++) sums[i * CODES_BYTE_ROWS + 63] -= 1;
}
PLANT(reads_a_block_more)
{
    RIGHT;
    (void)*(const volatile uint8_t *)(codes + blocks * parts * CODES_BYTE_ROWS);
}
PLANT(writes_a_row_more)
{
    RIGHT;
    sums[query_count * blocks * CODES_BYTE_ROWS] = 0;
}

static void wrong_ones_are_caught(void)
{
    static const struct { const char *name; scan_byte_fn *fn; } plants[] = {
        { "sums in 16 bits", never_empties }, { "drops what a part adds", drops_the_last_part },
        { "reads behind the codes", reads_a_block_more }, { "writes behind the sums", writes_a_row_more },
    };
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        const struct kernel k = { .op = OP_scan_byte, .variant = "planted", .fn.scan_byte = plants[i].fn };
        if (plants[i].fn == reads_a_block_more && fence_slack()) continue;
        CHECK(check_quietly(check, &k, NULL, NULL) != TEST_SAID_OK, "a kernel that %s passed", plants[i].name);
    }
}

int main(void)
{
    fenced[0] = fence_make(sizeof codes_of), fenced[1] = fence_make(sizeof luts_of);
    fenced[2] = fence_make(QUERIES * ROWS * sizeof(int32_t));
    check_every(OP_scan_byte, check, NULL, NULL);
    test_case("scan_byte: wrong kernels are caught", wrong_ones_are_caught);
    return test_end();
}
