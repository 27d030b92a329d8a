/* SPDX-License-Identifier: MIT */
#include "bench/kb/data_info.h"
#include "bench/rows/portrait_out.h"
#include "datasets/dataset.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void id_range(struct text *out, const struct dataset *d, int json)
{
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (size_t i = 0; i < d->rows.count * d->rows.dim; i++) {
        if (d->ids[i] < least) least = d->ids[i];
        if (d->ids[i] > most) most = d->ids[i];
    }
    text_add(out, json ? ",\"least_id\":%lld,\"most_id\":%lld" : "ids       %lld..%lld\n", (long long)least,
             (long long)most);
}

static void head(struct text *out, const char *path, const struct dataset *d, int json)
{
    if (json) {
        text_add(out, "{\"file\":");
        text_add_json(out, path);
        text_add(out, ",\"n\":%zu,\"dim\":%zu,\"element\":\"%s\",\"bytes\":%zu,\"hash\":\"%016llx\"", d->rows.count,
                 d->rows.dim,
                 element_name(d->element), d->map.size, (unsigned long long)d->content_hash);
        if (*d->metric) text_add(out, ",\"distance\":"), text_add_json(out, d->metric);
        if (*d->type) text_add(out, ",\"type\":"), text_add_json(out, d->type);
    } else {
        text_add(out, "file      %s\nshape     %zu x %zu %s\nbytes     %zu\nhash      %016llx\n", path, d->rows.count,
                 d->rows.dim, element_name(d->element), d->map.size, (unsigned long long)d->content_hash);
        const char *metric = metric_of_distance(d->metric);
        if (*d->metric)
            text_add(out, "distance  %s, %s%s\n", d->metric, metric ? "--metric " : "none of cosine, dot and l2", metric ? metric : "");
        if (*d->type || d->said_dimension) text_add(out, "says      ");
        if (*d->type) text_add(out, "type %s%s", d->type, d->said_dimension ? ", " : "\n");
        if (d->said_dimension) text_add(out, "dimension %d\n", d->said_dimension);
    }
}

/* folder/file.suffix as folder_file; ':' of a part too. */
static void page_name(struct text *out, const char *path)
{
    const char *file = strrchr(path, '/'), *from = file;
    while (from && from > path && from[-1] != '/') from--;
    from = from ? from : path;
    const char *dot = strrchr(file ? file : path, '.');
    for (const char *c = from; *c; c++)
        if (c != dot) text_add(out, "%c", isalnum((unsigned char)*c) || *c == '-' ? *c : '_');
        else c += strcspn(c, ":") - 1;
}

/* What is said, else what the file says, else cosine; that the two differ is said. */
static int choose_metric(const char *path, const struct dataset *d, const char *said, enum metric *out, struct err *e)
{
    const char *own = metric_of_distance(d->metric);
    const int status = metric_parse(said ? said : own ? own : "cosine", out, e);
    if (status == ERR_OK && *d->metric && (!own || strcmp(metric_name(*out), own) != 0))
        fprintf(stderr, "%s: contrast and local dimension by %s, where the file's own distance is %s\n", path, metric_name(*out),
                d->metric);
    return status;
}

static int describe(struct text *out, const char *path, const struct dataset *d, const struct info_wishes *w,
                    struct err *e)
{
    struct portrait base = { 0 }, query = { 0 };
    struct match match = { 0 };
    struct text name = { 0 };
    const size_t queries = w->query.count;
    enum metric metric;
    int status = choose_metric(path, d, w->metric, &metric, e);
    if (status == ERR_OK) status = portrait_make(&base, d->rows, metric, w->threads, e);
    if (status == ERR_OK && queries) status = match_make(&match, &base, d->rows, w->query, w->threads, e);
    if (status == ERR_OK && queries) status = portrait_make(&query, w->query, metric, w->threads, e);
    if (status == ERR_OK && w->json) {
        portrait_members(out, &base);
        if (queries) match_members(out, &match, queries);
    } else if (status == ERR_OK) {
        portrait_lines(out, &base);
        if (queries) {
            text_add(out, "queries   %s: %zu, %s\n", w->query_path, queries,
                     query.normalised ? "normalised" : "not normalised");
            match_lines(out, &base, &query, &match);
        }
    }
    page_name(&name, path);
    if (status == ERR_OK && w->plot && name.failed) status = FAIL(e, ERR_MEM, "no memory for a figure");
    if (status == ERR_OK && w->plot)
        status = portrait_plot(&base, queries ? &match : NULL, queries, w->plot, text_of(&name), e);
    if (status == ERR_OK && w->plot && !w->json) text_add(out, "page      %s/%s.png\n", w->plot, text_of(&name));
    text_free(&name);
    portrait_free(&base);
    portrait_free(&query);
    match_free(&match);
    return status;
}

int data_info_print(const char *path, const struct info_wishes *w, struct err *e)
{
    struct dataset d = { 0 };
    struct text out = { 0 };
    int status = dataset_open(&d, path, e);
    if (status != ERR_OK) return status;
    head(&out, path, &d, w->json);
    if (d.ids) id_range(&out, &d, w->json);
    else status = describe(&out, path, &d, w, e);
    if (w->json) text_add(&out, "}\n");
    if (status == ERR_OK && out.failed) status = FAIL(e, ERR_MEM, "%s: no memory to describe it", path);
    if (status == ERR_OK) fputs(text_of(&out), stdout);
    text_free(&out);
    dataset_close(&d);
    return status;
}
