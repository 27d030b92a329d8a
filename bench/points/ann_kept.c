/* SPDX-License-Identifier: MIT
 * ann_kept.c - spares building: views of indexes in memory, and files of those of earlier runs. */
#include "bench/points/ann_kept.h"
#include "kernels/base/file.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

/* <folder>/<hash of all that the index depends on>.assay */
static int name_file(struct text *path, const struct ann_set *s, const struct ann_point *p, const char *folder, struct err *e)
{
    const struct index_ops *ops;
    struct params *params;
    struct text key = { 0 };
    int status = index_parse(p->spec, &ops, &params, e);
    if (status != ERR_OK) return status;
    params_canonical(params, &key);
    params_destroy(params);
    text_add(&key, ",seed=%llu,kernel=(%s),metric=%s", (unsigned long long)p->seed, p->kernel, metric_name(s->metric));
    text_add(path, "%s/%016llx.assay", folder,
             (unsigned long long)hash64(s->base.content_hash, text_of(&key), strlen(text_of(&key))));
    if (key.failed || path->failed) status = FAIL(e, ERR_MEM, "%s: no memory", p->spec);
    text_free(&key);
    return status;
}

/* 1 when the file had what was asked for.  Its note is how long building took. */
static int load(struct ann_index *out, const struct ann_set *s, const struct ann_point *p, const char *path)
{
    struct ann_index x = { .build_s = NAN };
    struct index_note note = { 0 };
    struct text spec = { 0 }, wanted = { 0 };
    const struct index_ops *ops;
    struct params *params = NULL;
    if (kernel_set_resolve(&x.kernels, p->kernel, NULL) != ERR_OK) return 0;
    const struct index_config config = { .threads = p->threads, .kernels = &x.kernels };
    if (index_load_noted(&x.index, path, &config, &note, NULL) != ERR_OK) return 0;
    index_spec(x.index, &spec);
    int fits = index_parse(p->spec, &ops, &params, NULL) == ERR_OK;
    if (fits) params_canonical(params, &wanted);
    fits = fits && strcmp(text_of(&spec), text_of(&wanted)) == 0 && note.fingerprint == s->base.content_hash &&
           x.index->config.metric == s->metric && x.index->config.dim == s->base.rows.dim &&
           x.index->config.seed == p->seed;
    if (fits && note.size == sizeof x.build_s) memcpy(&x.build_s, note.bytes, note.size);
    mem_free((void *)(uintptr_t)note.bytes);
    params_destroy(params);
    text_free(&spec), text_free(&wanted);
    if (fits) *out = x;
    else index_destroy(x.index);
    return fits;
}

static int keep(const struct ann_index *x, const struct ann_set *s, const char *folder, const char *path, struct err *e)
{
    const struct index_note note = { s->base.content_hash, &x->build_s, sizeof x->build_s };
    const int status = folder_make(folder, e);
    return status == ERR_OK ? index_save_noted(x->index, path, &note, e) : status;
}

int ann_obtain(struct ann_index *out, const struct ann_set *s, const struct ann_point *p, const struct ann_index *others,
               size_t count, const struct ann_store *store, struct err *e)
{
    struct ann_index x = { 0 };
    const char *folder = store ? store->folder : NULL;
    for (size_t i = 0; i < count; i++) {
        int status = kernel_set_resolve(&x.kernels, p->kernel, e);
        if (status == ERR_OK) status = index_view(&x.index, others[i].index, p->spec, NULL);
        x.build_s = others[i].build_s;
        if (status == ERR_OK) *out = x;
        if (status != ERR_UNSUPPORTED) return status;
    }
    struct text path = { 0 };
    int status = folder ? name_file(&path, s, p, folder, e) : ERR_OK;
    const int loaded = status == ERR_OK && folder && load(&x, s, p, text_of(&path));
    const int there = status == ERR_OK && folder && access(text_of(&path), F_OK) == 0;
    if (status == ERR_OK && !loaded) status = ann_build(&x, s, p, e);
    x.rebuilt = there && !loaded;
    if (status == ERR_OK && !loaded && folder && x.index->ops->save && (x.rebuilt || x.build_s >= store->least_s))
        status = keep(&x, s, folder, text_of(&path), e);
    text_free(&path);
    if (status == ERR_OK) *out = x;
    else index_destroy(x.index);
    return status;
}
