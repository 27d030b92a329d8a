/* SPDX-License-Identifier: MIT
 * peak_scalar.c - reading memory a word at a time. */
#include "kernels/kernel.h"
#include <string.h>

static uint64_t read_words(const uint8_t *at, size_t size, size_t passes)
{
    uint64_t sum = 0;
    for (size_t pass = 0; pass < passes; pass++) {
        for (size_t i = 0; i < size; i += 8) {
            uint64_t word;
            memcpy(&word, at + i, 8);
            sum += word;
        }
        __asm__ volatile("" ::: "memory"); /* the next pass reads again */
    }
    return sum;
}

KERNELS = {
    KERNEL("read", read_words, KERNEL_DEFAULT, "64-bit loads", "1 load and add a word"),
    KERNEL_END
};
