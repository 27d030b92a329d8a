/* SPDX-License-Identifier: MIT
 * contrast_inside.h - what the files of contrast.h share; include that first. */
#ifndef ASSAY_CONTRAST_INSIDE_H
#define ASSAY_CONTRAST_INSIDE_H

enum { METRICS_MOST = 8, SEED = 1 }; /* of resampling */

struct contrast_subject {
    size_t *rows, count;          /* of the table; the first speaks for its settings */
    double *values[METRICS_MOST]; /* of every query: mean over seeds; NULL: no per-query file */
};

/* Points that may be compared. */
struct contrast_group {
    const struct contrast *c;
    struct contrast_subject *subjects;
    size_t count;
    const char *metrics[METRICS_MOST];
    size_t metric_count, query_count;
    int untested; /* some per-query file is missing or of other queries */
};

/* Storage of the tests of one column. */
struct contrast_tests {
    double *p;                      /* of every point, Holm-corrected; NaN: not tested */
    double *raw, *adjusted, *apart; /* of those tested; of every query */
    size_t *at;
    unsigned char *wanted; /* points that are of the family */
};

/* --- contrast.c --- */
const char *contrast_folder(const struct contrast *c, size_t row); /* where the per-query files of a row lie */
const char *contrast_cell(const struct contrast *c, size_t row, const char *column);

/* --- contrast_tests.c --- */
/* Fills values of every subject; sets untested where a per-query file is missing. */
void contrast_read_queries(struct contrast_group *g);
/* value of b - value of a, of the queries that both have; how many.  0 where a file is missing. */
size_t contrast_differences(const struct contrast_subject *a, const struct contrast_subject *b, size_t m,
                          size_t queries, double *out);
/* Every point is wanted.  0 without memory; free it either way. */
int contrast_tests_init(struct contrast_tests *t, const struct contrast_group *g);
void contrast_tests_free(struct contrast_tests *t);
/* Every wanted point against `base`, by metric m. */
void contrast_test_all(const struct contrast_group *g, size_t base, size_t m, struct contrast_tests *t);
#endif
