/* SPDX-License-Identifier: MIT
 * ranked.h - one line of another program's answers, in either of two forms:
 *
 *   query entity score                 best first
 *   query Q0 entity rank score tag     a run as trec_eval reads it: in the order of scores, whatever the ranks say
 *
 * Fields are parted by tabs, where the line has any, or else by blanks. */
#ifndef ASSAY_RANKED_H
#define ASSAY_RANKED_H

#ifdef __cplusplus
extern "C" {
#endif

struct ranked {
    const char *query, *entity; /* into the line, which is cut up */
    double score;
    int is_run; /* of the second form */
};

/* 0: neither form, or a score that is no finite number. */
int ranked_read(char *line, struct ranked *out);

#ifdef __cplusplus
}
#endif
#endif
