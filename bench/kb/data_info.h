/* SPDX-License-Identifier: MIT
 * data_info.h - `assay data info`: one file described on stdout. */
#ifndef ASSAY_DATA_INFO_H
#define ASSAY_DATA_INFO_H
#include "index/index.h"
#include "kernels/base/err.h"
#include "kernels/base/rows.h"

struct info_wishes {
    const char *metric; /* as said; NULL: the file's own, else cosine */
    int json, threads;
    const char *plot;       /* folder of the page; NULL: none */
    const char *query_path; /* NULL: no queries */
    struct rows query;
};

/* The page is named after the file and the folder it lies in: siftsmall/base.fvecs becomes siftsmall_base. */
int data_info_print(const char *path, const struct info_wishes *wishes, struct err *e);
#endif
