/* SPDX-License-Identifier: MIT
 * retrieve_replay.c - candidates that another program found, from a file: one line a candidate, best
 * first, "query_id <tab> entity_id <tab> score"; '#' starts a comment. */
#include "kernels/base/mem.h"
#include "pipeline/retrieve.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct param params[] = {
    { "replay_file", PARAM_TEXT, 0, 0, "", "", NULL, "lines of query id, entity id and score, best first" },
    TOP_K_CANDIDATES,
    { 0 },
};

struct line {
    int64_t query;
    struct hit hit;
};
struct self {
    struct line *lines; /* in the order of the file */
    size_t count, room, candidates;
};

static void destroy(void *self_)
{
    struct self *self = self_;
    mem_free(self->lines);
    mem_free(self);
}

static int add_line(struct self *self, const char *text)
{
    long long query, entity;
    float score;
    if (sscanf(text, "%lld %lld %f", &query, &entity, &score) != 3) return ERR_FORMAT;
    if (!mem_one_more(&self->lines, self->count, &self->room, sizeof *self->lines)) return ERR_MEM;
    self->lines[self->count++] = (struct line){ query, { entity, score } };
    return ERR_OK;
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    const char *path = params_text(env->params, "replay_file");
    FILE *f = fopen(path, "r");
    if (!f) return FAIL(e, ERR_NOT_FOUND, "retrieve=replay: replay_file=%s: %s", path, strerror(errno));
    struct self *self = mem_zero(1, sizeof *self);
    int status = self ? ERR_OK : FAIL(e, ERR_MEM, "retrieve=replay: no memory");
    char text[256];
    for (size_t number = 1; status == ERR_OK && fgets(text, sizeof text, f); number++) {
        if (text[0] == '#' || text[0] == '\n') continue;
        status = add_line(self, text);
        if (status != ERR_OK)
            (void)FAIL(e, status, "retrieve=replay: %s: line %zu is not 'query entity score'", path, number);
    }
    fclose(f);
    if (status != ERR_OK) {
        if (self) destroy(self);
        return status;
    }
    self->candidates = (size_t)params_int(env->params, "top_k_candidates");
    *self_ = self;
    return ERR_OK;
}

static int run(void *self_, struct query *q, struct err *e)
{
    (void)e;
    const struct self *self = self_;
    const size_t most = self->candidates < q->kb->vectors.rows.count ? self->candidates : q->kb->vectors.rows.count;
    for (size_t i = 0; i < self->count && q->candidate_count < most; i++)
        if (self->lines[i].query == q->id) q->candidates[q->candidate_count++] = self->lines[i].hit;
    return ERR_OK;
}

const struct stage_ops retrieve_replay = {
    .name = "replay", .slot = SLOT_RETRIEVE, .summary = "candidate lists of another program, from a file",
    .params = params, .create = create, .run = run, .destroy = destroy,
};
