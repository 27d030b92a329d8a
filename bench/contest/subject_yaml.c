/* SPDX-License-Identifier: MIT
 * subject_yaml.c - reads the one point of a sweep's YAML file as the spec and the data of a subject. */
#include "bench/contest/subject_yaml.h"
#include "bench/sweep/sweep.h"
#include <string.h>

#ifdef ASSAY_WORKER
int subject_from_yaml(const char *path, struct subject_data *d, struct text *spec,
                      struct text kept[SUBJECT_YAML_TEXTS], struct err *e)
{
    (void)d, (void)spec, (void)kept;
    return FAIL(e, ERR_UNSUPPORTED, "%s: a WORKER build reads no YAML", path);
}
#else
/* Takes over one path of the data, or finds it different from an earlier arm's. */
static int same_data(const char **mine, const char *theirs, struct text *kept, const char *path, struct err *e)
{
    if (*mine && strcmp(*mine, theirs) != 0)
        return FAIL(e, ERR_ARG, "%s: works on %s, another arm on %s: arms must share their data", path, theirs, *mine);
    if (*mine) return ERR_OK;
    text_add(kept, "%s", theirs);
    *mine = text_of(kept);
    return kept->failed ? FAIL(e, ERR_MEM, "%s: no memory", path) : ERR_OK;
}

static int from_index(const struct sweep *s, const struct plan *p, struct subject_data *d, struct text *spec,
                      struct text kept[SUBJECT_YAML_TEXTS], struct err *e)
{
    const struct ann_point a = plan_ann(p, &p->points[0]);
    if (a.rerank || a.batch > 1 || a.threads > 1)
        return FAIL(e, ERR_ARG, "%s: rerank, batch and threads are not compared here", s->path);
    int status = same_data(&d->base, s->base, &kept[0], s->path, e);
    if (status == ERR_OK) status = same_data(&d->query, s->query, &kept[1], s->path, e);
    if (status != ERR_OK) return status;
    if (s->metric) d->metric = s->metric;
    d->k = (int64_t)a.k;
    text_add(spec, "index:%s", a.spec);
    if (a.kernel && a.kernel[0]) text_add(spec, "@%s", a.kernel);
    return ERR_OK;
}

static int from_pipeline(const struct sweep *s, const struct plan *p, struct subject_data *d, struct text *spec,
                         struct text kept[SUBJECT_YAML_TEXTS], struct err *e)
{
    const struct rag_point r = plan_rag(p, &p->points[0]);
    if (r.threads > 1) return FAIL(e, ERR_ARG, "%s: threads are not compared here", s->path);
    int status = same_data(&d->questions, s->questions, &kept[2], s->path, e);
    if (status == ERR_OK && s->qrels) status = same_data(&d->qrels, s->qrels, &kept[3], s->path, e);
    if (status != ERR_OK) return status;
    d->k = (int64_t)r.k;
    text_add(spec, "rag:%s", s->kb);
    for (size_t i = 0; i < r.setting_count; i++) text_add(spec, ",%s", r.settings[i]);
    if (r.kernel && r.kernel[0]) text_add(spec, "@%s", r.kernel);
    return ERR_OK;
}

int subject_from_yaml(const char *path, struct subject_data *d, struct text *spec,
                      struct text kept[SUBJECT_YAML_TEXTS], struct err *e)
{
    struct sweep s;
    struct plan p;
    int status = sweep_load(&s, path, e);
    if (status != ERR_OK) return status;
    status = plan_make(&p, &s, e);
    if (status == ERR_OK) {
        if (p.count != 1)
            status = FAIL(e, ERR_ARG, "%s: a plan of %zu points; an arm is a plan of one", path, p.count);
        else status = s.is_pipeline ? from_pipeline(&s, &p, d, spec, kept, e) : from_index(&s, &p, d, spec, kept, e);
        plan_free(&p);
    }
    sweep_free(&s);
    return status == ERR_OK && spec->failed ? FAIL(e, ERR_MEM, "%s: no memory", path) : status;
}
#endif
