/* SPDX-License-Identifier: MIT
 * data_get.h - the files of public data sets: where they live, and whether a copy is the right one.
 * Nothing is downloaded: `get` copies from a folder on this machine and checks what it copies. */
#ifndef ASSAY_DATA_GET_H
#define ASSAY_DATA_GET_H
#include "kernels/base/err.h"

/* Prints one line a known set (datasets/manifest.tsv). */
void data_sets_print(void);
/* from NULL: prints files, sizes, checksums and home of the set.  Otherwise copies its files from that
 * folder to `to`, checked against what the manifest knows.  ERR_ARG: no such set (with the nearest);
 * ERR_NOT_FOUND; ERR_FORMAT: another size or checksum (nothing of that file is kept); ERR_IO. */
int data_get_set(const char *set, const char *from, const char *to, struct err *e);
#endif
