/* SPDX-License-Identifier: MIT
 * code.h - where a kernel's machine code stands, and how objdump writes it. */
#ifndef ASSAY_CODE_H
#define ASSAY_CODE_H
#include "kernels/kernel.h"

/* The file that holds a kernel, this program or a library.  Addresses in memory are those of the file plus shift;
 * from .. to is the file's code in memory. */
struct code_place {
    char file[160];
    uint64_t at, shift, from, to; /* at: the kernel, in the file's terms */
};
int code_find(const struct kernel *k, struct code_place *out, struct err *e);

/* Calls line(context, address, text) for each instruction of from .. to - 1 (the file's terms), "vaddps %zmm0,..."; a
 * symbol on the way has text NULL.  ERR_UNSUPPORTED without objdump or in a stripped file. */
typedef void code_line(void *context, uint64_t at, const char *text);
int code_read(const struct code_place *place, uint64_t from, uint64_t to, code_line *line, void *context, struct err *e);

/* Where a direct jump or call goes, by the first letters of its name ("j", "call"); 0: not such a one. */
uint64_t code_target(const char *text, const char *word);
#endif
