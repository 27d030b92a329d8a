/* SPDX-License-Identifier: MIT
 * ranked.c - cuts a line of answers into its fields. */
#include "kernels/base/ranked.h"
#include "kernels/base/text.h"
#include <math.h>
#include <string.h>

enum { FIELDS_MOST = 7 }; /* one more than a run has */

int ranked_read(char *line, struct ranked *out)
{
    const char *const parts = strchr(line, '\t') ? "\t" : " ";
    char *fields[FIELDS_MOST], *at = line + (strncmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0); /* a byte order mark */
    int count = 0;
    int64_t rank;
    line[strcspn(line, "\r\n")] = 0;
    for (; count < FIELDS_MOST; count++) {
        if (*parts == ' ') at += strspn(at, " ");
        if (*parts == ' ' && !*at) break;
        fields[count] = at;
        at += strcspn(at, parts);
        if (!*at) {
            count++;
            break;
        }
        *at++ = 0;
    }
    const int is_run = count == 6 && text_is_i64(fields[3], &rank);
    if (count != 3 && !is_run) return 0;
    *out = (struct ranked){ .query = fields[0], .entity = fields[is_run ? 2 : 1], .is_run = is_run };
    return *out->query && *out->entity && text_to_f64(fields[is_run ? 4 : 2], &out->score) && isfinite(out->score);
}
