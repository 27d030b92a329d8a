/* SPDX-License-Identifier: MIT
 * pipeline.h - retrieval over a knowledge base, stage by stage:
 *
 *   text -> embed -> retrieve -> rerank -> expand -> score -> filter -> context -> answer
 *
 * Every slot is filled by a plug-in (stage.h).  Settings are flat "key=value" pairs: a slot's name
 * chooses its plug-in (rerank=cosine, expand=bfs), any other key is a parameter of a chosen plug-in
 * or of the pipeline itself.  Names and defaults are the engine's (spec: RagConfig), but for
 * min_vector_score, which is off; compat=true gives the engine's 0.0, applied to approximate and exact
 * scores alike. */
#ifndef ASSAY_PIPELINE_H
#define ASSAY_PIPELINE_H
#include "index/index.h"
#include "kernels/base/err.h"
#include "kernels/base/param.h"
#include "kernels/base/text.h"
#include "pipeline/store.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SETTINGS_TRUST "trust_base=true" /* what --trust adds to the settings */
enum slot { SLOT_EMBED, SLOT_RETRIEVE, SLOT_RERANK, SLOT_EXPAND, SLOT_SCORE, SLOT_FILTER, SLOT_CONTEXT, SLOT_COUNT };
const char *slot_name(enum slot s); /* "embed" ... */

struct pipeline;
struct kb;
struct query;
struct index_cache;
struct stage_ops;
struct index_work;

/* What one stage did in the last query. */
struct stage_trace {
    const char *stage; /* "bfs"; the slot is the position */
    uint64_t in, out;  /* items that came in and went out */
    uint64_t ns;
};

struct result {
    int64_t id;
    double vector_score, graph_score, combined_score;
    struct entity entity;
    const int64_t *context; /* entity ids, best first */
    const struct entity *context_entities; /* the same, as text */
    size_t context_count;
};

/* Owned by the pipeline, valid until its next query or close. */
struct answer {
    const struct result *results;
    size_t count;
    struct stage_trace trace[SLOT_COUNT];
    uint64_t fetch_ns; /* reading the text of results and context from the database */
    uint64_t total_ns; /* all of the query, the transaction and the check for changes included */
    const struct hit *candidates; /* what retrieve gave, best first */
    size_t candidate_count;
    const float *vector; /* what was searched for: the base's dimensions; NULL: the base holds no vectors, or none was
                          * needed and none could be made of the text */
    size_t filtered;     /* members of the pool that the filter dropped */
    uint64_t sql_statements; /* run by this query */
};

/* One question: text, or a vector that takes the place of the embedder's (dim floats), or both;
 * id is the query's number, for embedders and replays that look answers up. */
struct question {
    int64_t id;
    const char *name; /* its id as the user has it; NULL: the number */
    const char *text;
    const float *vector;
    size_t dim;
};

/* Opens the knowledge base and prepares every stage.  settings: "key=value", later ones win; what the base
 * itself recommends (store_settings) comes before all of them; it may not name files or commands, and nothing is
 * sent to a service of its choice: embedding a text there is ERR_ARG unless the caller gives embed_url too, or
 * SETTINGS_TRUST among the settings.
 * ERR_ARG: unknown key (with the nearest), bad value, bit_width with an index that has no bits, a key of a plug-in that
 * is not chosen (of the base's own
 * such keys nothing is said: the caller chose another stage); ERR_NOT_FOUND, ERR_FORMAT (not a database, not
 * a knowledge base, newer schema), ERR_BUSY (locked; the message says what to do). */
int pipeline_open(struct pipeline **out, const char *db_path, const char *const *settings,
                  size_t setting_count, const struct kernel_set *kernels, struct err *e);
void pipeline_close(struct pipeline *p); /* NULL is allowed */
/* Another pipeline with the same settings over the same loaded base and index, for another thread: a connection
 * and scratch of its own, no copy of vectors, graph or codes.  p must not be in a call meanwhile; afterwards both
 * are independent, and when the database changes each loads it for itself. */
int pipeline_share(struct pipeline **out, struct pipeline *p, struct err *e);
/* Other settings on the base that is loaded: as pipeline_close and pipeline_open, without reading it
 * again.  After a failure only pipeline_close may follow. */
int pipeline_change(struct pipeline *p, const char *const *settings, size_t setting_count, struct err *e);

/* From now on answers are those of the base as it is loaded: once it has changed, whatever would load it again is
 * ERR_BUSY, "the base changed while it was measured".  Of pipelines shared from p too. */
void pipeline_hold(struct pipeline *p);

/* Loads the base again if it has changed; pipeline_query does so by itself.  All of it or nothing: after a failure p is
 * as it was, and the next call tries again. */
int pipeline_refresh(struct pipeline *p, struct err *e);
/* A base that has changed since the last query is loaded again first.  A base without vectors has no
 * results, nor has an empty text.  ERR_ARG: wrong dimension, non-finite vector, k == 0, neither text nor vector; ERR_IO, ERR_BUSY,
 * ERR_MEM: nothing is lost, the next query starts afresh. */
int pipeline_query(struct pipeline *p, const struct question *q, size_t k, struct answer *out, struct err *e);

/* How many different words of a text the embedder knows; -1: it does not go by words, or cannot say. */
long pipeline_known_words(struct pipeline *p, const char *text);

/* Embeds texts as questions of these ids (and names, unless NULL): count x the base's dimensions, in batches where the embedder has them.
 * As pipeline_query; the error names the question where only one is asked at a time. */
int pipeline_embed(struct pipeline *p, const char *const *texts, const int64_t *ids, const char *const *names,
                   size_t count, float *out, struct err *e);

/* Tells the stages that learn (rerank=memrl) that these entities, used together, earned `reward`.
 * ERR_UNSUPPORTED: no stage learns.  ERR_NOT_FOUND: no such entity; nothing was learnt. */
int pipeline_feedback(struct pipeline *p, const int64_t *ids, size_t count, double reward, struct err *e);
/* What has been learnt of an entity.  ERR_UNSUPPORTED, ERR_NOT_FOUND. */
int pipeline_utility(const struct pipeline *p, int64_t id, double *out, struct err *e);

/* The stages that hold where the caller chooses none: the usual ones, or those that the base recommends. */
struct stage_choice { const struct stage_ops *at[SLOT_COUNT]; };
int pipeline_usual(struct stage_choice *out, struct store *s, struct err *e);
/* Appends the stages that have a setting, "retrieve=hybrid or retrieve=index"; the slot of the last, SLOT_COUNT
 * when no stage has it. */
int pipeline_owners(const char *key, struct text *out);
/* 1 when an index, or one inside it, has the `bits` that bit_width sets; also of a spec that is none. */
int pipeline_takes_bits(const char *spec);
/* Moves the settings of stages that neither `usual` nor the settings choose, and bit_width where the index that they choose
 * has no bits, behind all others, which keep their order; returns how many those are.  For whoever changes a stage under settings that were written for another. */
size_t pipeline_in_force(const struct stage_choice *usual, const char **settings, size_t count);

/* Every setting with its value, in a fixed order: for rows, --json and provenance. */
size_t pipeline_setting_count(const struct pipeline *p);
void pipeline_setting(const struct pipeline *p, size_t i, const char **key, const char **value);
/* The parameters that may be set, slot choices included: a table that ends at a NULL name, in one block that
 * the caller frees with mem_free.  NULL: no memory. */
struct param *pipeline_params(void);

const struct index *pipeline_index(const struct pipeline *p); /* stage one's index; NULL: none */
/* What stage one read for the last query; 0: its index does not count, or there is none. */
int pipeline_work(const struct pipeline *p, struct index_work *out);
const struct index_cache *pipeline_cache(const struct pipeline *p); /* NULL: the retrieve stage has no index */
/* The state that the last query left (stage.h), for --explain: its pool starts with what rerank kept,
 * then what expand brought in.  Valid until the next query. */
const struct query *pipeline_last(const struct pipeline *p);
const struct kb *pipeline_kb(const struct pipeline *p);       /* what is in memory; valid until the next query */
const struct store *pipeline_store(const struct pipeline *p);
/* Seconds that opening (or the last query that met a changed base) spent building the index; 0 when the
 * file beside the database was good. */
double pipeline_build_s(const struct pipeline *p);
/* Appends "op=isa/variant;..." of all that a query runs. */
void pipeline_kernels(const struct pipeline *p, struct text *out);

#ifdef __cplusplus
}
#endif
#endif
