/* SPDX-License-Identifier: MIT
 * lut_sign_body.h - the tables of 4 bytes x 4 dimensions at a time: the sums of 64 entries are four
 * masked adds to minus the least.  The including file defines
 *     VEC                  bytes of a register: 64, 32 or 16
 *     spread(word, part)   byte j of the word in 16 bytes each: the part's VEC of the 64 */
#include <stdint.h>
#include <string.h>
#include "kernels/kernel.h"

typedef int8_t sbytes __attribute__((vector_size(VEC)));
typedef uint8_t ubytes __attribute__((vector_size(VEC)));

static int32_t tables(const int8_t *query, size_t groups, uint8_t *lut)
{
    int32_t least = 0, total = 0;
    sbytes entry = { 0 };
    for (int i = 0; i < VEC; i++) entry[i] = (int8_t)(i % 16);
    for (size_t t = 0; t < groups * 2; t++, query += 16, lut += 64) {
        for (int i = 0; i < 16; i++) {
            total += query[i];
            least += query[i] < 0 ? query[i] : 0;
        }
#pragma GCC unroll 4
        for (int part = 0; part < 64 / VEC; part++) {
            ubytes sum = { 0 };
#pragma GCC unroll 4
            for (int k = 0; k < 4; k++) {
                const sbytes value = (sbytes)spread(query + 4 * k, part), bit = (entry & (int8_t)(1 << k)) != 0;
                sum += (ubytes)(value & bit) - (ubytes)(value & (value < 0));
            }
            memcpy(lut + part * VEC, &sum, VEC);
        }
    }
    return 2 * least - total;
}
