/* SPDX-License-Identifier: MIT
 * extension.c - SQL functions over a knowledge base, as a loadable extension of SQLite (build/assay.so):
 *
 *     .load build/assay
 *     SELECT kg_version(), kg_stats(), kg_cosine_similarity(a.vector, b.vector) FROM ...;
 *     SELECT * FROM kg_search((SELECT vector FROM kg_vectors WHERE entity_id = 7), 10);
 *     SELECT * FROM kg_neighbors(7, 2);          entity_id, relation_id, in the engine's order
 *     SELECT * FROM kg_bfs(7, 3);                entity_id, depth
 *     SELECT * FROM kg_shortest_path(7, 99);     position, entity_id; relations in both directions
 *     SELECT * FROM kg_connected_components();   entity_id, component (its lowest id)
 *     SELECT * FROM kg_pagerank(0.85);           entity_id, score; relations as they point
 *
 * The tables open the connection's main database a second time, read-only, and so see what is committed.
 * (sqlite-knowledge-graph has scalar stubs by most of these names that echo their arguments.) */
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1
#include "gen/version.h"
#include "kernels/base/mem.h"
#include "pipeline/kb.h"
#include "pipeline/pipeline.h"
#include <math.h>
#include <string.h>

enum { ARGS_MAX = 2 };

/* What all functions of one SQLite connection share. */
struct connection {
    sqlite3 *db;
    struct pipeline *pipeline; /* opened when first needed */
    int users;
};

static void release(void *connection)
{
    struct connection *c = connection;
    if (--c->users > 0) return;
    pipeline_close(c->pipeline);
    mem_free(c);
}

/* The connection's pipeline, opened when it is first asked for, over the base as it is now. */
static int pipeline_of(struct connection *c, struct pipeline **out, struct err *e)
{
    const char *path = sqlite3_db_filename(c->db, "main");
    if (!path || !*path) return FAIL(e, ERR_UNSUPPORTED, "the main database is in memory; assay opens files");
    int status = ERR_OK;
    if (!c->pipeline) status = pipeline_open(&c->pipeline, path, NULL, 0, NULL, e);
    else status = pipeline_refresh(c->pipeline, e);
    if (status == ERR_OK) *out = c->pipeline;
    return status;
}

/* --- scalar functions ------------------------------------------------------------------------------ */

static void version(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc, (void)argv;
    sqlite3_result_text(context, "assay " ASSAY_VERSION, -1, SQLITE_STATIC);
}

/* The engine's rules: another length or a zero vector is 0; a value that is no blob is an error.  Sums are float64, where
 * the engine's are float32: within 1e-6 of it, but for vectors shorter than 1e-19, whose square is 0 there, and longer than
 * 1.8e19, where it says NaN.  A cosine is at most 1 here, there up to an ulp more. */
static void cosine(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    if (sqlite3_value_type(argv[0]) != SQLITE_BLOB || sqlite3_value_type(argv[1]) != SQLITE_BLOB) {
        sqlite3_result_error(context, "kg_cosine_similarity: both arguments must be blobs of float32", -1);
        return;
    }
    const char *a = sqlite3_value_blob(argv[0]), *b = sqlite3_value_blob(argv[1]);
    const int n = sqlite3_value_bytes(argv[0]) / 4;
    double dot = 0, aa = 0, bb = 0;
    for (int i = 0; n == sqlite3_value_bytes(argv[1]) / 4 && i < n; i++) {
        float x, y;
        memcpy(&x, a + 4 * (size_t)i, 4);
        memcpy(&y, b + 4 * (size_t)i, 4);
        dot += (double)x * (double)y;
        aa += (double)x * (double)x;
        bb += (double)y * (double)y;
    }
    const double cosine = aa > 0 && bb > 0 ? dot / (sqrt(aa) * sqrt(bb)) : 0;
    sqlite3_result_double(context, cosine > 1 ? 1 : cosine < -1 ? -1 : cosine);
}

static void stats(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc, (void)argv;
    struct pipeline *p = NULL;
    struct err e;
    if (pipeline_of(sqlite3_user_data(context), &p, &e) != ERR_OK) {
        sqlite3_result_error(context, e.text, -1);
        return;
    }
    const struct kb *kb = pipeline_kb(p);
    const size_t relations = kb->graph.relation_count + kb->graph.loops + kb->graph.dangling;
    struct text out = { 0 };
    text_add(&out, "{\"entities\":%zu,\"relations\":%zu,\"vectors\":%zu,\"dimension\":%zu,\"dangling_relations\":%zu,"
                   "\"orphan_vectors\":%zu,\"other_dimension\":%zu,\"non_finite\":%zu}",
             kb->graph.count - kb->graph.absent_count, relations, kb->vectors.rows.count - kb->graph.absent_count,
             kb->vectors.rows.dim, kb->graph.dangling, kb->orphans, kb->vectors.other_dimension, kb->vectors.non_finite);
    if (out.failed) sqlite3_result_error_nomem(context);
    else sqlite3_result_text(context, text_of(&out), -1, SQLITE_TRANSIENT);
    text_free(&out);
}

/* --- table-valued functions: all rows are made when the scan begins ---------------------------------- */

struct cell {
    char kind; /* 'i' 'r' 't' */
    int64_t integer;
    double real;
    char *text;
};

struct cursor {
    sqlite3_vtab_cursor base;
    struct cell *cells; /* rows x columns */
    size_t count, room, columns, row;
};

struct function {
    const char *name, *schema; /* hidden columns, one an argument, come last */
    size_t columns;
    int args, needed;
    int (*fill)(struct cursor *out, struct connection *c, int argc, sqlite3_value **argv, struct err *e);
};

struct table {
    sqlite3_vtab base;
    const struct function *function;
    struct connection *connection;
};

static int add_cell(struct cursor *out, struct cell cell)
{
    if (!mem_one_more(&out->cells, out->count, &out->room, sizeof *out->cells)) return sqlite3_free(cell.text), ERR_MEM;
    out->cells[out->count++] = cell;
    return ERR_OK;
}

static int add_integer(struct cursor *out, int64_t value) { return add_cell(out, (struct cell){ 'i', value, 0,
                                                                                                NULL }); }
static int add_real(struct cursor *out, double value) { return add_cell(out, (struct cell){ 'r', 0, value, NULL }); }
static int add_text(struct cursor *out, const char *value)
{
    char *copy = sqlite3_mprintf("%s", value);
    return copy ? add_cell(out, (struct cell){ 't', 0, 0, copy }) : ERR_MEM;
}

/* add_* gives ERR_OK (0) or ERR_MEM: or'ed, 0 means all went well. */
static int memory(int failed, struct err *e) { return failed ? FAIL(e, ERR_MEM, "no memory for the rows") : ERR_OK; }

/* SQLite would make 0 of 'ten' and of NULL; here they are mistakes. */
static int number_of(sqlite3_value *v, const char *name, double *out, struct err *e)
{
    const int type = sqlite3_value_numeric_type(v);
    if (type != SQLITE_INTEGER && type != SQLITE_FLOAT) {
        const char *text = (const char *)sqlite3_value_text(v);
        return text ? FAIL(e, ERR_ARG, "%s='%.40s' is not a number", name, text) : FAIL(e, ERR_ARG, "%s is NULL", name);
    }
    *out = sqlite3_value_double(v);
    return ERR_OK;
}

static int whole_of(sqlite3_value *v, const char *name, int64_t *out, struct err *e)
{
    double value = 0;
    const int status = number_of(v, name, &value, e);
    if (status != ERR_OK) return status;
    if (sqlite3_value_numeric_type(v) == SQLITE_FLOAT && !(fabs(value) < 9e18 && value == floor(value)))
        return FAIL(e, ERR_ARG, "%s=%g is not a whole number", name, value);
    *out = sqlite3_value_int64(v);
    return ERR_OK;
}

/* An entity: its number, or, as text, what the user calls it. */
static int entity_of(struct pipeline *p, sqlite3_value *v, const char *name, int64_t *out, struct err *e)
{
    if (sqlite3_value_type(v) != SQLITE_TEXT) return whole_of(v, name, out, e);
    const char *id = (const char *)sqlite3_value_text(v);
    struct store *s = NULL;
    int status = id ? store_open(&s, store_path(pipeline_store(p)), STORE_READ, e) : FAIL(e, ERR_MEM, "no memory");
    if (status == ERR_OK) status = store_find_id(s, id, out, e);
    store_close(s);
    return status == ERR_NOT_FOUND ? FAIL(e, status, "%s='%.40s': no entity has this id", name, id) : status;
}

static int fill_search(struct cursor *out, struct connection *c, int argc, sqlite3_value **argv, struct err *e)
{
    struct pipeline *p = NULL;
    struct answer a;
    int status = pipeline_of(c, &p, e), failed = 0;
    if (status != ERR_OK) return status;
    if (sqlite3_value_type(argv[0]) != SQLITE_BLOB) return FAIL(e, ERR_ARG, "the query must be a blob of float32");
    int64_t k = 10;
    if (argc > 1) status = whole_of(argv[1], "k", &k, e);
    if (status != ERR_OK) return status;
    if (k < 1) return FAIL(e, ERR_ARG, "k=%lld, at least 1", (long long)k);
    const size_t dim = (size_t)sqlite3_value_bytes(argv[0]) / sizeof(float);
    float *x = mem_alloc(dim, sizeof *x); /* a blob need not be aligned */
    if (!x) return FAIL(e, ERR_MEM, "no memory for the query");
    if (dim) memcpy(x, sqlite3_value_blob(argv[0]), dim * sizeof *x);
    const struct question q = { .vector = x, .dim = dim };
    status = pipeline_query(p, &q, (size_t)k, &a, e);
    mem_free(x);
    struct text context = { 0 }, id = { 0 };
    struct store *names = NULL;
    if (status == ERR_OK) status = store_open(&names, store_path(pipeline_store(p)), STORE_READ, e);
    for (size_t r = 0; status == ERR_OK && !failed && r < a.count; r++) {
        const struct result *have = &a.results[r];
        text_clear(&context);
        for (size_t i = 0; i < have->context_count; i++)
            text_add(&context, "%c%lld", i ? ',' : '[', (long long)have->context[i]);
        text_add(&context, have->context_count ? "]" : "[]");
        text_clear(&id);
        status = store_id_of(names, have->id, &id, e);
        failed = status != ERR_OK || context.failed || add_integer(out, have->id) || add_text(out, have->entity.type) ||
                 add_text(out, have->entity.name) || add_real(out, have->vector_score) ||
                 add_real(out, have->graph_score) || add_real(out, have->combined_score) ||
                 add_text(out, text_of(&context)) || add_text(out, text_of(&id));
    }
    store_close(names);
    text_free(&context);
    text_free(&id);
    return status == ERR_OK ? memory(failed, e) : status;
}

/* Walks from argv[0] to the depth in argv[1] (usual: 1); the caller frees the walk.  *from: the number of argv[0]. */
static int walk_from(struct connection *c, int argc, sqlite3_value **argv, const struct graph **g, struct walk *w,
                     uint32_t *from, size_t *count, struct err *e)
{
    struct pipeline *p = NULL;
    int64_t start, depth = 1;
    int status = pipeline_of(c, &p, e);
    if (status == ERR_OK) status = entity_of(p, argv[0], "start", &start, e);
    if (status == ERR_OK && argc > 1) status = whole_of(argv[1], "depth", &depth, e);
    if (status != ERR_OK) return status;
    *g = &pipeline_kb(p)->graph;
    const uint32_t x = *from = graph_entity(*g, start);
    if (depth < 0 || depth > GRAPH_DEPTH_MAX)
        return FAIL(e, ERR_ARG, "depth=%lld outside 0..%d", (long long)depth, GRAPH_DEPTH_MAX);
    if (x == GRAPH_NONE) return FAIL(e, ERR_NOT_FOUND, "no entity %lld", (long long)start);
    if (walk_init(w, *g, e) != ERR_OK) return ERR_MEM;
    *count = graph_neighbors(*g, w, &x, 1, (int)depth, (*g)->count, NULL);
    return ERR_OK;
}

static int fill_neighbors(struct cursor *out, struct connection *c, int argc, sqlite3_value **argv, struct err *e)
{
    const struct graph *g;
    struct walk w = { 0 };
    uint32_t start;
    size_t count;
    /* As the engine: depth 0 is an empty list, whatever the start is. */
    if (argc > 1 && sqlite3_value_type(argv[1]) == SQLITE_INTEGER && sqlite3_value_int64(argv[1]) == 0) return ERR_OK;
    const int status = walk_from(c, argc, argv, &g, &w, &start, &count, e);
    int failed = 0;
    for (size_t i = 0; status == ERR_OK && !failed && i < count; i++)
        failed = add_integer(out, g->ids[w.found[i]]) || add_integer(out, g->relation_ids[g->relation[w.edge[i]]]);
    walk_free(&w);
    return status == ERR_OK ? memory(failed, e) : status;
}

/* The entity that an edge leaves. */
static uint32_t edge_from(const struct graph *g, size_t edge)
{
    size_t low = 0, high = g->count - 1;
    while (low < high) {
        const size_t middle = (low + high + 1) / 2;
        if (g->start[middle] <= edge) low = middle;
        else high = middle - 1;
    }
    return (uint32_t)low;
}

static int fill_bfs(struct cursor *out, struct connection *c, int argc, sqlite3_value **argv, struct err *e)
{
    const struct graph *g;
    struct walk w = { 0 };
    uint32_t start;
    size_t count;
    int status = walk_from(c, argc, argv, &g, &w, &start, &count, e), failed = 0;
    uint32_t *depth = status == ERR_OK ? mem_zero(g->count, sizeof *depth) : NULL;
    if (status == ERR_OK && !depth) status = FAIL(e, ERR_MEM, "no memory for the walk");
    if (status == ERR_OK) failed = add_integer(out, g->ids[start]) || add_integer(out, 0);
    for (size_t i = 0; status == ERR_OK && !failed && i < count; i++) {
        depth[w.found[i]] = depth[edge_from(g, w.edge[i])] + 1;
        failed = add_integer(out, g->ids[w.found[i]]) || add_integer(out, depth[w.found[i]]);
    }
    mem_free(depth);
    walk_free(&w);
    return status == ERR_OK ? memory(failed, e) : status;
}

/* Breadth first from one end, remembering where each entity was reached from. */
static int fill_path(struct cursor *out, struct connection *c, int argc, sqlite3_value **argv, struct err *e)
{
    (void)argc;
    struct pipeline *p = NULL;
    int64_t source, target;
    int status = pipeline_of(c, &p, e), failed = 0;
    if (status == ERR_OK) status = entity_of(p, argv[0], "source", &source, e);
    if (status == ERR_OK) status = entity_of(p, argv[1], "target", &target, e);
    if (status != ERR_OK) return status;
    const struct graph *g = &pipeline_kb(p)->graph;
    const uint32_t from = graph_entity(g, source), to = graph_entity(g, target);
    if (from == GRAPH_NONE || to == GRAPH_NONE)
        return FAIL(e, ERR_NOT_FOUND, "no entity %lld", (long long)(from == GRAPH_NONE ? source : target));
    uint32_t *next = mem_alloc(g->count, sizeof *next), *queue = mem_alloc(g->count, sizeof *queue);
    if (next && queue) {
        /* Backwards from `to`, so that following next[] from `from` gives the path in order. */
        memset(next, 0xff, g->count * sizeof *next);
        size_t head = 0, tail = 0;
        next[to] = to;
        queue[tail++] = to;
        while (head < tail && next[from] == GRAPH_NONE) {
            const uint32_t x = queue[head++];
            for (size_t i = g->start[x]; i < g->start[x + 1]; i++)
                if (next[g->other[i]] == GRAPH_NONE) next[g->other[i]] = x, queue[tail++] = g->other[i];
        }
        int64_t position = 0;
        for (uint32_t x = from; next[from] != GRAPH_NONE && !failed; x = next[x]) {
            failed = add_integer(out, position++) || add_integer(out, g->ids[x]);
            if (x == to) break;
        }
    } else {
        failed = 1;
    }
    mem_free(next);
    mem_free(queue);
    return memory(failed, e);
}

static int fill_components(struct cursor *out, struct connection *c, int argc, sqlite3_value **argv, struct err *e)
{
    (void)argc, (void)argv;
    struct pipeline *p = NULL;
    int status = pipeline_of(c, &p, e), failed = 0;
    if (status != ERR_OK) return status;
    const struct graph *g = &pipeline_kb(p)->graph;
    uint32_t *of = mem_alloc(g->count, sizeof *of), *queue = mem_alloc(g->count, sizeof *queue);
    if (of && queue) {
        memset(of, 0xff, g->count * sizeof *of);
        for (uint32_t root = 0; root < g->count; root++) {
            size_t head = 0, tail = 0;
            if (of[root] != GRAPH_NONE || (g->absent && g->absent[root])) continue;
            of[root] = root;
            queue[tail++] = root;
            while (head < tail) {
                const uint32_t x = queue[head++];
                for (size_t i = g->start[x]; i < g->start[x + 1]; i++)
                    if (of[g->other[i]] == GRAPH_NONE) of[g->other[i]] = root, queue[tail++] = g->other[i];
            }
        }
        for (size_t x = 0; x < g->count && !failed; x++)
            failed = of[x] != GRAPH_NONE && (add_integer(out, g->ids[x]) || add_integer(out, g->ids[of[x]]));
    } else {
        failed = 1;
    }
    mem_free(of);
    mem_free(queue);
    return memory(failed, e);
}

/* --- PageRank: entities that occur in relations, parallel relations counted, the mass of those that lead
 * nowhere spread evenly; until the ranks move by less than 1e-6 in sum, at most 100 rounds ------------- */

struct ranked {
    const struct graph *g;
    uint32_t *source, *target, *out_degree;
    size_t count, room;
    double *rank, *next;
    unsigned char *occurs;
};

static int collect(void *context, int64_t id, int64_t source, int64_t target, const char *type, double weight)
{
    (void)id, (void)type, (void)weight;
    struct ranked *r = context;
    const uint32_t from = graph_entity(r->g, source), to = graph_entity(r->g, target);
    if (from == GRAPH_NONE || to == GRAPH_NONE) return 0;
    if (r->count == r->room) {
        const size_t room = r->room * 2 + 1024;
        if (!mem_extend(&r->source, r->count, room, sizeof *r->source) ||
            !mem_extend(&r->target, r->count, room, sizeof *r->target))
            return ERR_MEM;
        r->room = room;
    }
    r->source[r->count] = from;
    r->target[r->count++] = to;
    r->out_degree[from]++;
    r->occurs[from] = r->occurs[to] = 1;
    return 0;
}

static void iterate(struct ranked *r, double damping)
{
    const size_t entities = r->g->count;
    size_t n = 0;
    for (size_t x = 0; x < entities; x++) n += r->occurs[x];
    for (size_t x = 0; x < entities; x++) r->rank[x] = r->occurs[x] ? 1 / (double)n : 0;
    double moved = 1;
    for (int round = 0; round < 100 && moved >= 1e-6; round++) {
        double lost = 0;
        for (size_t x = 0; x < entities; x++)
            if (r->occurs[x] && r->out_degree[x] == 0) lost += r->rank[x];
        for (size_t x = 0; x < entities; x++)
            r->next[x] = r->occurs[x] ? (1 - damping + damping * lost) / (double)n : 0;
        for (size_t i = 0; i < r->count; i++)
            r->next[r->target[i]] += damping * r->rank[r->source[i]] / (double)r->out_degree[r->source[i]];
        moved = 0;
        for (size_t x = 0; x < entities; x++) moved += fabs(r->next[x] - r->rank[x]);
        memcpy(r->rank, r->next, entities * sizeof *r->rank);
    }
}

static int fill_pagerank(struct cursor *out, struct connection *c, int argc, sqlite3_value **argv, struct err *e)
{
    struct pipeline *p = NULL;
    double damping = 0.85;
    int status = argc > 0 ? number_of(argv[0], "damping", &damping, e) : ERR_OK;
    if (status == ERR_OK && !(damping >= 0 && damping < 1))
        status = FAIL(e, ERR_ARG, "damping=%g: at least 0 and less than 1", damping);
    if (status == ERR_OK) status = pipeline_of(c, &p, e);
    if (status != ERR_OK) return status;
    struct store *s = NULL;
    struct ranked r = { .g = &pipeline_kb(p)->graph };
    const size_t n = r.g->count;
    r.out_degree = mem_zero(n, sizeof *r.out_degree);
    r.rank = mem_zero(n, sizeof *r.rank);
    r.next = mem_zero(n, sizeof *r.next);
    r.occurs = mem_zero(n, 1);
    if (!r.out_degree || !r.rank || !r.next || !r.occurs) status = memory(1, e);
    if (status == ERR_OK) status = store_open(&s, store_path(pipeline_store(p)), STORE_READ, e);
    if (status == ERR_OK) status = store_relations(s, 0, collect, &r, e);
    if (status == ERR_MEM) status = memory(1, e);
    if (status == ERR_OK) iterate(&r, damping);
    int failed = 0;
    for (size_t x = 0; status == ERR_OK && !failed && x < n; x++)
        if (r.occurs[x]) failed = add_integer(out, r.g->ids[x]) || add_real(out, r.rank[x]);
    store_close(s);
    mem_free(r.source);
    mem_free(r.target);
    mem_free(r.out_degree);
    mem_free(r.rank);
    mem_free(r.next);
    mem_free(r.occurs);
    return status == ERR_OK ? memory(failed, e) : status;
}

static const struct function functions[] = {
    { "kg_search", "CREATE TABLE x(entity_id, entity_type, name, vector_score, graph_score, combined_score, context, "
                   "external_id, query HIDDEN, k HIDDEN)", 8, 2, 1, fill_search },
    { "kg_neighbors", "CREATE TABLE x(entity_id, relation_id, start HIDDEN, depth HIDDEN)", 2, 2, 1, fill_neighbors },
    { "kg_bfs", "CREATE TABLE x(entity_id, depth, start HIDDEN, most HIDDEN)", 2, 2, 1, fill_bfs },
    { "kg_shortest_path", "CREATE TABLE x(position, entity_id, source HIDDEN, target HIDDEN)", 2, 2, 2, fill_path },
    { "kg_connected_components", "CREATE TABLE x(entity_id, component)", 2, 0, 0, fill_components },
    { "kg_pagerank", "CREATE TABLE x(entity_id, score, damping HIDDEN)", 2, 1, 0, fill_pagerank },
};

/* --- what SQLite asks of a virtual table ------------------------------------------------------------- */

static const struct function *function_named(const char *name)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].name, name) == 0) return &functions[i];
    return NULL;
}

static int t_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out, char **why)
{
    (void)argc, (void)why;
    const struct function *f = function_named(argv[0]);
    const int rc = f ? sqlite3_declare_vtab(db, f->schema) : SQLITE_ERROR;
    if (rc != SQLITE_OK) return rc;
    struct table *t = mem_zero(1, sizeof *t);
    if (!t) return SQLITE_NOMEM;
    t->function = f;
    t->connection = aux;
    *out = &t->base;
    return SQLITE_OK;
}

static int t_disconnect(sqlite3_vtab *vtab)
{
    mem_free(vtab);
    return SQLITE_OK;
}

/* Arguments arrive as equalities on the hidden columns; the first `needed` must be there. */
static int t_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    const struct function *f = ((struct table *)vtab)->function;
    int at[ARGS_MAX] = { -1, -1 }, given = 0;
    for (int i = 0; i < info->nConstraint; i++) {
        const int arg = info->aConstraint[i].iColumn - (int)f->columns;
        if (arg < 0 || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
        if (!info->aConstraint[i].usable) return SQLITE_CONSTRAINT;
        at[arg] = i;
    }
    while (given < f->args && at[given] >= 0) given++;
    if (given < f->needed) {
        vtab->zErrMsg = sqlite3_mprintf("%s needs %d argument%s", f->name, f->needed, f->needed == 1 ? "" : "s");
        return SQLITE_ERROR;
    }
    for (int i = 0; i < given; i++) {
        info->aConstraintUsage[at[i]].argvIndex = i + 1;
        info->aConstraintUsage[at[i]].omit = 1;
    }
    info->estimatedCost = 1000;
    return SQLITE_OK;
}

static int t_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out)
{
    struct cursor *c = mem_zero(1, sizeof *c);
    if (!c) return SQLITE_NOMEM;
    c->columns = ((struct table *)vtab)->function->columns;
    *out = &c->base;
    return SQLITE_OK;
}

static void empty(struct cursor *c)
{
    for (size_t i = 0; i < c->count; i++) sqlite3_free(c->cells[i].text);
    c->count = c->row = 0;
}

static int t_close(sqlite3_vtab_cursor *cursor)
{
    struct cursor *c = (struct cursor *)cursor;
    empty(c);
    mem_free(c->cells);
    mem_free(c);
    return SQLITE_OK;
}

static int t_filter(sqlite3_vtab_cursor *cursor, int number, const char *text, int argc, sqlite3_value **argv)
{
    (void)number, (void)text;
    struct cursor *c = (struct cursor *)cursor;
    struct table *t = (struct table *)cursor->pVtab;
    struct err e;
    empty(c);
    const locale_t host = text_c_locale(); /* whatever the program that loaded us has set */
    const int status = t->function->fill(c, t->connection, argc, argv, &e);
    text_host_locale(host);
    if (status == ERR_OK) return SQLITE_OK;
    sqlite3_free(t->base.zErrMsg);
    t->base.zErrMsg = sqlite3_mprintf("%s: %s", t->function->name, e.text);
    return status == ERR_MEM ? SQLITE_NOMEM : status == ERR_BUSY ? SQLITE_BUSY : SQLITE_ERROR;
}

static int t_next(sqlite3_vtab_cursor *cursor)
{
    ((struct cursor *)cursor)->row++;
    return SQLITE_OK;
}

static int t_eof(sqlite3_vtab_cursor *cursor)
{
    const struct cursor *c = (struct cursor *)cursor;
    return c->row * c->columns >= c->count;
}

static int t_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int column)
{
    const struct cursor *c = (struct cursor *)cursor;
    if ((size_t)column >= c->columns) return SQLITE_OK; /* a hidden one: NULL */
    const struct cell *cell = &c->cells[c->row * c->columns + (size_t)column];
    if (cell->kind == 'i') sqlite3_result_int64(context, cell->integer);
    else if (cell->kind == 'r') sqlite3_result_double(context, cell->real);
    else sqlite3_result_text(context, cell->text, -1, SQLITE_TRANSIENT);
    return SQLITE_OK;
}

static int t_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out)
{
    *out = (sqlite3_int64)((struct cursor *)cursor)->row;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = t_connect, .xBestIndex = t_best_index, .xDisconnect = t_disconnect, .xOpen = t_open, .xClose = t_close,
    .xFilter = t_filter, .xNext = t_next, .xEof = t_eof, .xColumn = t_column, .xRowid = t_rowid,
};

int sqlite3_assay_init(sqlite3 *db, char **why, const sqlite3_api_routines *api);

int sqlite3_assay_init(sqlite3 *db, char **why, const sqlite3_api_routines *api)
{
    (void)why;
    SQLITE_EXTENSION_INIT2(api);
    struct connection *c = mem_zero(1, sizeof *c);
    if (!c) return SQLITE_NOMEM;
    c->db = db;
    c->users = 1; /* this function, until it returns */
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof functions / sizeof *functions; i++) {
        c->users++; /* a registration that fails releases too */
        rc = sqlite3_create_module_v2(db, functions[i].name, &module, c, release);
    }
    const struct { const char *name; int args, flags; void (*run)(sqlite3_context *, int, sqlite3_value **);
                   } scalars[] = {
        { "kg_version", 0, SQLITE_DETERMINISTIC, version },
        { "kg_cosine_similarity", 2, SQLITE_DETERMINISTIC, cosine },
        { "kg_stats", 0, 0, stats },
    };
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof scalars / sizeof *scalars; i++) {
        c->users++;
        rc = sqlite3_create_function_v2(db, scalars[i].name, scalars[i].args, SQLITE_UTF8 | scalars[i].flags, c,
                                        scalars[i].run, NULL, NULL, release);
    }
    release(c);
    return rc;
}
