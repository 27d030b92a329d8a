/* SPDX-License-Identifier: MIT
 * retrieve_replay.c - candidates that another program found, from a file of lines as ranked.h has them, by the ids that
 * the user knows: best first, or, of a run as trec_eval reads it, in the order of scores, equals as the file has them.
 * '#' starts a comment, and a line "#numbers" says that what follows are the base's own numbers. */
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "kernels/base/names.h"
#include "kernels/base/ranked.h"
#include "pipeline/retrieve.h"
#include <stdlib.h>
#include <string.h>

static const struct param params[] = {
    { "replay_file", PARAM_TEXT, 0, 0, "", "", NULL, "lines of query id, entity id and score, best first, or a run of TREC" },
    TOP_K_CANDIDATES,
    { 0 },
};

struct line {
    size_t query, number; /* of names; in the file */
    struct hit hit;
};
struct self {
    struct names queries; /* ids, as the file has them */
    struct line *lines;   /* by query, best first */
    size_t count, room, candidates;
    int is_run; /* some line is of a run */
};

static void destroy(void *self_)
{
    struct self *self = self_;
    names_free(&self->queries);
    mem_free(self->lines);
    mem_free(self);
}

static int add_line(struct self *self, struct store *store, char *text, size_t number, int numbers, const char **why, struct err *e)
{
    struct ranked r;
    int64_t entity;
    *why = "is neither 'query entity score' nor 'query Q0 entity rank score tag'";
    if (!ranked_read(text, &r) || (numbers && !text_to_i64(r.entity, &entity))) return ERR_FORMAT;
    const int status = numbers ? ERR_OK : store_find_id(store, r.entity, &entity, e);
    *why = "names an entity that the base has not";
    if (status != ERR_OK) return status;
    const int64_t place = names_add(&self->queries, r.query, strlen(r.query));
    if (place == NAMES_NONE || !mem_one_more(&self->lines, self->count, &self->room, sizeof *self->lines)) return ERR_MEM;
    self->lines[self->count++] = (struct line){ (size_t)place, number, { entity, (float)r.score } };
    self->is_run |= r.is_run;
    return ERR_OK;
}

static int by_entity(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    if (x->hit.id != y->hit.id) return x->hit.id < y->hit.id ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static int by_place(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->query != y->query) return x->query < y->query ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static int by_score(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->query == y->query && x->hit.score != y->hit.score) return x->hit.score > y->hit.score ? -1 : 1;
    return by_place(a, b);
}

/* Refuses an entity that comes twice for a question, as trec_eval does. */
static int sort_lines(struct self *self, const char *path, struct err *e)
{
    if (self->count) qsort(self->lines, self->count, sizeof *self->lines, by_entity);
    for (size_t i = 1; i < self->count; i++) {
        const struct line *x = &self->lines[i - 1], *y = &self->lines[i];
        if (x->query == y->query && x->hit.id == y->hit.id)
            return FAIL(e, ERR_FORMAT, "retrieve=replay: %s: lines %zu and %zu name the same entity for question '%.80s'", path,
                        x->number, y->number, names_at(&self->queries, x->query));
    }
    if (self->count) qsort(self->lines, self->count, sizeof *self->lines, self->is_run ? by_score : by_place);
    return ERR_OK;
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    const char *path = params_text(env->params, "replay_file");
    FILE *f;
    struct err fault;
    int status = file_open_text(&f, path, &fault);
    if (status != ERR_OK) return FAIL(e, status, "retrieve=replay: replay_file=%s", fault.text);
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) status = FAIL(e, ERR_MEM, "retrieve=replay: no memory");
    char text[1024], shown[81];
    int numbers = 0;
    for (size_t number = 1; status == ERR_OK && fgets(text, sizeof text, f); number++) {
        const char *why = "";
        numbers |= strcmp(text, "#numbers\n") == 0;
        if (text[strspn(text, "\r")] == '\n' || text[0] == '#') continue;
        if (!strchr(text, '\n') && !feof(f)) {
            status = FAIL(e, ERR_FORMAT, "retrieve=replay: %s: line %zu is longer than %zu bytes", path, number, sizeof text - 2);
            break;
        }
        const size_t size = strcspn(text, "\r\n"), shown_size = size < sizeof shown - 1 ? size : sizeof shown - 1;
        memcpy(shown, text, shown_size); /* add_line cuts the line up */
        shown[shown_size] = 0;
        status = add_line(self, env->store, text, number, numbers, &why, e);
        if (status == ERR_NOT_FOUND || status == ERR_FORMAT)
            status = FAIL(e, ERR_FORMAT, "retrieve=replay: %s: line %zu %s: %s", path, number, why, shown);
    }
    if (status == ERR_OK) status = sort_lines(self, path, e);
    if (status == ERR_MEM) (void)FAIL(e, status, "retrieve=replay: no memory");
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
    char printed[32];
    snprintf(printed, sizeof printed, "%lld", (long long)q->id);
    const char *name = q->name ? q->name : printed;
    const int64_t asked = names_find(&self->queries, name, strlen(name));
    size_t at = 0, end = self->count;
    while (at < end) { /* the first line of the question */
        const size_t middle = at + (end - at) / 2;
        if ((int64_t)self->lines[middle].query < asked) at = middle + 1;
        else end = middle;
    }
    for (; at < self->count && (int64_t)self->lines[at].query == asked && q->candidate_count < most; at++)
        q->candidates[q->candidate_count++] = self->lines[at].hit;
    return ERR_OK;
}

const struct stage_ops retrieve_replay = {
    .name = "replay", .slot = SLOT_RETRIEVE, .by_ids = 1, .summary = "candidate lists of another program, from a file",
    .params = params, .create = create, .run = run, .destroy = destroy,
};
