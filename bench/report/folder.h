/* SPDX-License-Identifier: MIT
 * folder.h - what lies in a folder of results: its tables, figures and texts, one level down too. */
#ifndef ASSAY_FOLDER_H
#define ASSAY_FOLDER_H
#include "bench/report/figures.h"
#include "bench/report/results.h"

struct folder_table {
    struct text name, folder; /* "clustered/sweep.csv"; where it lies */
    struct table table;
};

struct folder {
    struct folder_table *tables; /* the folder's own first, each folder's rows of points before other files */
    struct results *results;     /* of each table */
    size_t count;
    struct report_figures figures;
    struct text summary; /* of summary.txt */
    struct text flat;    /* of flat.txt: lines "name\ttitle: what does not move", of figures that were not drawn */
    struct text saved;   /* lines: paths of the samples of assay bench (saved_is) */
    struct text left;    /* names of files of single samples, which a page leaves out */
};
/* ERR_NOT_FOUND: no such folder, or nothing in it that a page could show; ERR_FORMAT names a file that is no table; ERR_IO,
 * ERR_MEM.  Zero-initialised; folder_free either way. */
int folder_open(struct folder *f, const char *dir, struct err *e);
void folder_free(struct folder *f);
#endif
