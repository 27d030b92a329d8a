/* SPDX-License-Identifier: MIT
 * scan_sign_avx2.c - vpshufb wants one table per 16 bytes, the codes have a row's four bytes side by
 * side: 2 vpshufb, 2 unpacks and 2 vpermq sort 16 words into four lanes of equal bytes.
 *
 * Sums in 16 bits: `both` adds entries of an even row and, 256-fold, of the odd row above it, modulo
 * 65536; `odd` the odd rows alone; the even ones are both - 256 odd.  Entries are at most 255, eight a
 * group and row: emptied every 32 groups (32 * 2040 < 65536), before which the lanes can be added in 16 bits too.
 *
 * Cost: 28 uops a group of 16 rows, 6 of them sort, and 22 a block to empty: 7.5 cycles on four pipes, 1.5 ns a row
 * at d = 384 (3.67 GHz).  Zen 4 gets through 3 of them a cycle, whichever pipes they ask for.  Measured in L2, before
 * and after in one run: d = 384 2.35 -> 2.07 ns, d = 1536 8.19 -> 7.7, by emptying with 22 uops in place of 50 and by
 * sorting a group ahead, as what waits for a vpermq fills the schedulers.  avx512vbmi took 0.88 and 3.3: 43 % of its
 * speed, which has 7 uops, of 2 pipe cycles, for the 28 here: 50 % where both fill the pipes.
 *
 * Tried and lost, d = 384: a vpermd and a blend in place of an unpack and a vpermq 2.15; odd rows by vpmaddubsw in
 * place of a shift (other pipes) 2.10, one of two 2.07; a pair of sums for either pair of lanes 2.05.  Entries of both
 * nibbles added in 8 bits, where the greatest of their tables allow it, would save 4 uops: 1.91, for a second loop
 * and a look at every table. */
#include "kernels/kernel.h"
#include "kernels/scans/sign_block_avx2.h"

static void shuffle(const uint8_t *signs, size_t blocks, size_t groups, const uint8_t *luts, const int32_t *starts,
                    size_t query_count, int32_t *sums)
{
    for (size_t b = 0; b < blocks; b++)
        for (size_t q = 0; q < query_count; q++)
            block_scan(signs + b * groups * 64, groups, luts + q * groups * 128, starts[q],
                       sums + (q * blocks + b) * CODES_ROWS);
}

KERNELS = {
    KERNEL("shuffle", shuffle, KERNEL_DEFAULT, "bytes sorted into lanes, vpshufb, 16-bit sums emptied every 32 groups",
           "28 uops per 16 rows x 32 dimensions, 6 of them to sort the bytes"),
    KERNEL_END
};
