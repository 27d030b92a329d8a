/* SPDX-License-Identifier: MIT
 * run.h - one start of the program: who measured, where, with what.  Goes into every row and on top
 * of every file of rows. */
#ifndef ASSAY_RUN_H
#define ASSAY_RUN_H
#include "bench/rows/row.h"
#include "kernels/base/err.h"
#include "kernels/base/text.h"
#include "kernels/kernel.h"

struct run {
    char id[17], machine[17], binary[17]; /* hexadecimal */
    struct text notes; /* "# key: value" lines: machine, build, time, command; add more with run_note */
};
/* argv is the verb's; folders are cut off its paths. */
int run_init(struct run *r, int argc, char *const *argv, struct err *e);
void run_fini(struct run *r);
void run_note(struct run *r, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Notes what each operation resolves to. */
void run_note_kernels(struct run *r, const char *asked, const struct kernel_set *set);
void run_row(const struct run *r, struct row *row); /* schema, run_id, machine, binary */
#endif
