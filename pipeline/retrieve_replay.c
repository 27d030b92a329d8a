/* SPDX-License-Identifier: MIT
 * retrieve_replay.c - candidates that another program found, from a file: one line a candidate, best
 * first, "query_id <tab> entity_id <tab> score" by the ids that the user knows; '#' starts a comment, and a line
 * "#numbers" says that what follows are the base's own numbers. */
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include "kernels/base/names.h"
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
    size_t query; /* of names */
    struct hit hit;
};
struct self {
    struct names queries; /* ids, as the file has them */
    struct line *lines;   /* in the order of the file */
    size_t count, room, candidates;
};

static void destroy(void *self_)
{
    struct self *self = self_;
    names_free(&self->queries);
    mem_free(self->lines);
    mem_free(self);
}

/* The next field: up to a tab, or, where the line has none, to a blank. */
static char *next_field(char **at, int tabs)
{
    char *field = *at + (tabs ? 0 : strspn(*at, " "));
    char *stop = field + strcspn(field, tabs ? "\t\n" : " \n");
    *at = stop + (*stop != 0);
    *stop = 0;
    return field;
}

static int add_line(struct self *self, struct store *store, char *text, int numbers, const char **why, struct err *e)
{
    const int tabs = strchr(text, '\t') != NULL;
    char *at = text, *query = next_field(&at, tabs), *id = next_field(&at, tabs), *number = next_field(&at, tabs);
    int64_t entity;
    double score;
    *why = "is not 'query entity score'";
    number[strcspn(number, "\r")] = 0;
    if (!*query || !*id || !text_to_f64(number, &score)) return ERR_FORMAT;
    if (numbers && !text_to_i64(id, &entity)) return ERR_FORMAT;
    const int status = numbers ? ERR_OK : store_find_id(store, id, &entity, e);
    *why = "names an entity that the base has not";
    if (status != ERR_OK) return status;
    const int64_t place = names_add(&self->queries, query, strlen(query));
    if (place == NAMES_NONE || !mem_one_more(&self->lines, self->count, &self->room, sizeof *self->lines)) return ERR_MEM;
    self->lines[self->count++] = (struct line){ (size_t)place, { entity, (float)score } };
    return ERR_OK;
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    const char *path = params_text(env->params, "replay_file");
    FILE *f = file_open_text(path);
    if (!f) return FAIL(e, ERR_NOT_FOUND, "retrieve=replay: replay_file=%s: %s", path, strerror(errno));
    struct self *self = mem_zero(1, sizeof *self);
    int status = self ? ERR_OK : FAIL(e, ERR_MEM, "retrieve=replay: no memory");
    char text[1024], shown[81];
    int numbers = 0;
    for (size_t number = 1; status == ERR_OK && fgets(text, sizeof text, f); number++) {
        const char *why = "";
        numbers |= strcmp(text, "#numbers\n") == 0;
        if (text[0] == '#' || text[0] == '\n') continue;
        const size_t size = strcspn(text, "\r\n"), shown_size = size < sizeof shown - 1 ? size : sizeof shown - 1;
        memcpy(shown, text, shown_size); /* add_line cuts the line up */
        shown[shown_size] = 0;
        status = add_line(self, env->store, text, numbers, &why, e);
        if (status == ERR_NOT_FOUND || status == ERR_FORMAT)
            status = FAIL(e, ERR_FORMAT, "retrieve=replay: %s: line %zu %s: %s", path, number, why, shown);
    }
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
    for (size_t i = 0; i < self->count && q->candidate_count < most; i++)
        if ((int64_t)self->lines[i].query == asked) q->candidates[q->candidate_count++] = self->lines[i].hit;
    return ERR_OK;
}

const struct stage_ops retrieve_replay = {
    .name = "replay", .slot = SLOT_RETRIEVE, .by_ids = 1, .summary = "candidate lists of another program, from a file",
    .params = params, .create = create, .run = run, .destroy = destroy,
};
