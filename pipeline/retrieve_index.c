/* SPDX-License-Identifier: MIT
 * retrieve_index.c - stage one: the nearest vectors by an index, which cache.c keeps. */
#include "kernels/base/mem.h"
#include "pipeline/retrieve.h"
#include <string.h>

static const struct param params[] = {
    RETRIEVE_INDEX_PARAMS,
    { 0 },
};

struct self {
    struct index_cache cache;
    struct cache_request want;
    struct text spec;
    size_t candidates, k; /* asked for; given, which is no more than there are */
    void *scratch;
    const struct index_cache *adopted; /* of an equal stage, until the first refresh */
};

static void destroy(void *self_)
{
    struct self *self = self_;
    index_cache_free(&self->cache);
    text_free(&self->spec);
    mem_free(self->scratch);
    mem_free(self);
}

/* The spec with bits=bit_width where that means something, for an index inside it too; what the spec says itself
 * comes later, and so wins.  Canonical. */
static int complete_spec(struct text *out, const char *spec, long long bits, struct err *e)
{
    const struct index_ops *ops;
    const struct param *inside;
    struct params *values = NULL;
    struct text whole = { 0 };
    char name[64], inner[64];
    const char *args, *unused;
    int status = spec_split(spec, name, sizeof name, &args, e);
    if (status != ERR_OK) return status;
    const char *const comma = args && *args ? "," : "";
    ops = index_find(name);
    inside = ops ? param_find(ops->params, "inner") : NULL;
    if (ops && param_find(ops->params, "bits"))
        text_add(&whole, "%s:bits=%lld%s%s", name, bits, comma, args ? args : "");
    else if (inside && spec_split(inside->usual, inner, sizeof inner, &unused, e) == ERR_OK)
        text_add(&whole, "%s:inner=(%s)%s%s", name, inner, comma, args ? args : "");
    else text_add(&whole, "%s", spec);
    status = whole.failed ? FAIL(e, ERR_MEM, "retrieve=index: no memory") : index_parse(text_of(&whole), &ops, &values, e);
    if (status == ERR_OK && inside) {
        text_clear(&whole);
        status = complete_spec(&whole, params_text(values, "inner"), bits, e);
        if (status == ERR_OK) status = params_set(values, "inner", text_of(&whole), e);
    }
    if (status == ERR_OK) params_canonical(values, out);
    if (status == ERR_OK && out->failed) status = FAIL(e, ERR_MEM, "retrieve=index: no memory");
    params_destroy(values);
    text_free(&whole);
    return status;
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "retrieve=index: no memory");
    const int status = complete_spec(&self->spec, params_text(env->params, "index"), params_int(env->params, "bit_width"), e);
    if (status != ERR_OK) return destroy(self), status;
    self->want = (struct cache_request){ .db_path = store_path(env->store), .spec = text_of(&self->spec),
                                         .seed = (uint64_t)params_int(env->params, "seed"),
                                         .threads = env->threads, .kernels = env->kernels };
    self->candidates = (size_t)params_int(env->params, "top_k_candidates");
    self->adopted = env->adopted;
    *self_ = self;
    return ERR_OK;
}

static int refresh(void *self_, const struct kb *kb, struct err *e)
{
    struct self *self = self_;
    const size_t n = kb->vectors.rows.count;
    if (self->adopted) index_cache_share(&self->cache, self->adopted); /* then it fits, and is kept */
    self->adopted = NULL;
    const int status = index_cache_refresh(&self->cache, kb, &self->want, e);
    if (status != ERR_OK || n == 0) return status;
    const struct index *index = self->cache.index;
    self->k = self->candidates < n ? self->candidates : n;
    mem_free(self->scratch);
    self->scratch = mem_alloc(1, index->ops->scratch_bytes(index, 1, self->k));
    return self->scratch ? ERR_OK : FAIL(e, ERR_MEM, "retrieve=index: no memory for scratch");
}

static int run(void *self_, struct query *q, struct err *e)
{
    (void)e; /* the pipeline checked the query */
    const struct self *self = self_;
    const size_t dim = q->kb->vectors.rows.dim;
    const struct index *index = self->cache.index;
    index->ops->search(index, (struct rows){ q->vector, 1, dim, dim }, self->k, self->scratch, q->candidates,
                       &q->candidate_count);
    return ERR_OK;
}

static void kernels(const void *self_, struct text *out)
{
    const struct self *self = self_;
    if (self->cache.index) self->cache.index->ops->kernels(self->cache.index, out);
}

static const struct index_cache *cache(const void *self) { return &((const struct self *)self)->cache; }

static int work(const void *self_, struct index_work *out)
{
    const struct self *self = self_;
    const struct index *index = self->cache.index;
    if (!index || !index->ops->work) return 0;
    index->ops->work(index, self->scratch, 1, out);
    return 1;
}

const struct stage_ops retrieve_index = {
    .name = "index", .slot = SLOT_RETRIEVE, .by_ids = 1, .summary = "nearest vectors by an index",
    .params = params, .create = create, .refresh = refresh, .run = run, .kernels = kernels, .cache = cache,
    .work = work, .destroy = destroy, .exact_twin = "exact",
};
