/* SPDX-License-Identifier: MIT
 * test_graph.c - the order of neighbours, by hand and against the engine's own answers. */
#include "pipeline/check_kb.h"
#include "pipeline/graph.h"
#include "kernels/base/mem.h"

static const struct graph_options *options;

static int load(const char *name, struct graph *g, struct walk *w)
{
    struct store *s = NULL;
    int status = store_open(&s, kb_path(name), STORE_READ, &kb_err);
    if (status == ERR_OK) status = graph_load(g, s, options, &kb_err);
    store_close(s);
    if (status == ERR_OK) status = walk_init(w, g, &kb_err);
    CHECK(status == ERR_OK, "%s", kb_err.text);
    return status == ERR_OK;
}

static size_t neighbours(const struct graph *g, struct walk *w, int64_t id, int depth, size_t most)
{
    const uint32_t x = graph_find(g, id);
    CHECK(x != GRAPH_NONE, "entity %lld", (long long)id);
    return graph_neighbors(g, w, &x, 1, depth, most, NULL);
}

static void by_hand(void)
{
    const float x[6] = { 0 };
    const struct kb_edge edges[] = { { 3, 1 }, { 1, 4 }, { 1, 1 }, { 1, 2 }, { 1, 4 }, { 2, 5 }, { 4, 1 }, { 6, 5 },
                                     { 0, 0 } };
    kb_make("hand.db", 6, 1, x, edges);
    struct graph g;
    struct walk w;
    if (!load("hand.db", &g, &w)) return;
    CHECK(neighbours(&g, &w, 1, 0, 99) == 0, "depth 0");
    const size_t one = neighbours(&g, &w, 1, 1, 99);
    CHECK(one == 3, "%zu", one); /* own: 4 2, then who points here: 3 (4 was seen) */
    CHECK(g.ids[w.found[0]] == 4 && g.ids[w.found[1]] == 2 && g.ids[w.found[2]] == 3, "order");
    CHECK(g.relation_ids[g.relation[w.edge[0]]] == 2, "by the first relation of two");
    CHECK(neighbours(&g, &w, 1, 2, 99) == 4 && g.ids[w.found[3]] == 5, "two steps");
    CHECK(neighbours(&g, &w, 1, 3, 99) == 5 && g.ids[w.found[4]] == 6, "three steps");
    CHECK(neighbours(&g, &w, 1, 5, 2) == 2, "stops at `most`");
    CHECK(neighbours(&g, &w, 1, 5, 0) == 0, "none asked for");
    CHECK(graph_find(&g, 0) == GRAPH_NONE && graph_find(&g, 7) == GRAPH_NONE && graph_find(&g,
                                                                                           INT64_MIN) == GRAPH_NONE,
                                                                                               "ids");
    CHECK(g.dangling == 0, "%zu", g.dangling);
    walk_free(&w);
    graph_free(&g);
    kb_sql("hand.db", "DELETE FROM kg_entities WHERE id = 4"); /* a foreign tool, without foreign keys */
    if (!load("hand.db", &g, &w)) return;
    CHECK(g.dangling == 3, "%zu relations of the lost entity", g.dangling);
    CHECK(neighbours(&g, &w, 1, 1, 99) == 2, "dangling edges disappear");
    walk_free(&w);
    graph_free(&g);
}

static void far_apart_ids(void)
{
    struct store *s = NULL;
    const int64_t ids[] = { INT64_MIN + 1, -5, 7, INT64_MAX - 1 };
    CHECK(store_open(&s, kb_path("far.db"), STORE_CREATE, &kb_err) == ERR_OK, "%s", kb_err.text);
    for (int i = 0; i < 4; i++)
        CHECK(store_add_entity(s, ids[i], "t", "n", NULL, &kb_err) == ERR_OK, "%s", kb_err.text);
    for (int i = 1; i < 4; i++)
        CHECK(store_add_relation(s, ids[i], ids[0], "t", 1, NULL, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(store_commit(s, &kb_err) == ERR_OK, "%s", kb_err.text);
    store_close(s);
    struct graph g;
    struct walk w;
    if (!load("far.db", &g, &w)) return;
    CHECK(g.window == NULL, "no table for ids so far apart");
    for (uint32_t i = 0; i < 4; i++) CHECK(graph_find(&g, ids[i]) == i, "%u", i);
    CHECK(graph_find(&g, 8) == GRAPH_NONE && graph_find(&g, INT64_MAX) == GRAPH_NONE, "absent");
    CHECK(neighbours(&g, &w, ids[0], 1, 9) == 3 && g.ids[w.found[2]] == ids[3], "all point to the first");
    walk_free(&w);
    graph_free(&g);
}

/* A walk must not trust the stamps of walks before it, even when the number of walks wraps. */
static void epochs_wrap(void)
{
    const float x[3] = { 0 };
    const struct kb_edge edges[] = { { 1, 2 }, { 2, 3 }, { 0, 0 } };
    kb_make("wrap.db", 3, 1, x, edges);
    struct graph g;
    struct walk w;
    if (!load("wrap.db", &g, &w)) return;
    CHECK(neighbours(&g, &w, 1, 2, 9) == 2, "first"); /* leaves stamps of epoch 1 */
    w.epoch = UINT32_MAX;
    CHECK(neighbours(&g, &w, 1, 2, 9) == 2, "after the wrap");
    CHECK(neighbours(&g, &w, 1, 2, 9) == 2, "epoch 2");
    walk_free(&w);
    graph_free(&g);
}

/* Neighbours of entity 1 under some options, as text. */
static const char *under(struct graph_options o)
{
    static char said[200];
    struct graph g;
    struct walk w;
    said[0] = 0;
    options = &o;
    if (load("options.db", &g, &w)) {
        const size_t count = neighbours(&g, &w, 1, 1, 99);
        for (size_t i = 0; i < count; i++) snprintf(said + strlen(said), 20, "%lld ", (long long)g.ids[w.found[i]]);
        walk_free(&w);
        graph_free(&g);
    }
    options = NULL;
    return said;
}

static void which_relations(void)
{
    const float x[9] = { 0 };
    kb_make("options.db", 9, 1, x, NULL);
    kb_sql("options.db", "INSERT INTO kg_relations (source_id, target_id, rel_type, weight) VALUES (1, 2, 'a', 0.1),"
                         "(1, 3, 'b', 0.5), (4, 1, 'a', 0.9), (5, 1, 'ab', NULL), (1, 6, 'c', 'no number'), (1, 2, 'b', 1)");
    const struct graph_options all = { 0 };
    struct graph_options o = all;
    CHECK(strcmp(under(all), "2 3 6 4 5 ") == 0, "%s", under(all));
    o.types = "a";
    CHECK(strcmp(under(o), "2 4 ") == 0, "%s", under(o));
    o.types = "b,ab";
    CHECK(strcmp(under(o), "3 2 5 ") == 0, "%s", under(o));
    o.types = "x";
    CHECK(strcmp(under(o), "") == 0, "%s", under(o));
    o = all, o.least_weight = 0.5;
    CHECK(strcmp(under(o), "3 2 4 5 ") == 0, "%s", under(o));
    o = all, o.direction = GRAPH_OUT;
    CHECK(strcmp(under(o), "2 3 6 ") == 0, "%s", under(o));
    o.direction = GRAPH_IN;
    CHECK(strcmp(under(o), "4 5 ") == 0, "%s", under(o));
    o = all, o.fanout = 2;
    CHECK(strcmp(under(o), "2 3 ") == 0, "%s", under(o));
    o = all, o.rewire = 1, o.seed = 3;
    char first[64];
    snprintf(first, sizeof first, "%s", under(o));
    CHECK(strcmp(under(o), first) == 0 && strcmp(first, "2 3 6 4 5 ") != 0, "%s, then %s", first, under(o));
}

static void hyperedges(void)
{
    const float x[9] = { 0 };
    const struct kb_edge edges[] = { { 1, 2 }, { 0, 0 } };
    const int64_t five[] = { 4, 1, 3, 2 }, twice[] = { 1, 2, 1 }, lost[] = { 1, 77 }, pair[] = { 5, 1 };
    int64_t many[GRAPH_ARITY_MAX + 1];
    struct store *s = NULL;
    kb_make("options.db", 9, 1, x, edges);
    CHECK(store_open(&s, kb_path("options.db"), STORE_WRITE, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(store_add_hyperedge(s, "h", five, 4, 1, NULL, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(store_add_hyperedge(s, "h", five, 1, 1, NULL, &kb_err) == ERR_ARG, "%s", kb_err.text);
    CHECK(store_add_hyperedge(s, "h", five, 4, 2, NULL, &kb_err) == ERR_ARG, "%s", kb_err.text);
    CHECK(store_add_hyperedge(s, "h", five, 4, 1, "x", &kb_err) == ERR_ARG, "%s", kb_err.text);
    CHECK(store_add_hyperedge(s, NULL, five, 4, 1, NULL, &kb_err) == ERR_ARG, "%s", kb_err.text);
    CHECK(store_add_hyperedge(s, "h", twice, 3, 1, NULL, &kb_err) == ERR_ARG && strstr(kb_err.text, "already"), "%s",
          kb_err.text);
    CHECK(store_add_hyperedge(s, "h", lost, 2, 1, NULL, &kb_err) == ERR_ARG && strstr(kb_err.text, "77"), "%s",
          kb_err.text);
    CHECK(store_add_hyperedge(s, "i", pair, 2, 0.2, NULL, &kb_err) == ERR_OK, "%s", kb_err.text);
    for (int64_t i = 0; i <= GRAPH_ARITY_MAX; i++) {
        many[i] = 100 + i;
        CHECK(store_add_entity(s, many[i], "t", "n", NULL, &kb_err) == ERR_OK, "%s", kb_err.text);
    }
    CHECK(store_add_hyperedge(s, "h", many, GRAPH_ARITY_MAX + 1, 1, NULL, &kb_err) == ERR_OK, "%s", kb_err.text);
    CHECK(store_commit(s, &kb_err) == ERR_OK, "%s", kb_err.text);
    store_close(s);
    CHECK(kb_number("options.db", "SELECT count(*) FROM kg_hyperedges") == 3, "what was refused is not there");
    CHECK(kb_number("options.db", "SELECT count(*) FROM kg_hyperedge_entities") == 4 + 2 + GRAPH_ARITY_MAX + 1, "members");
    CHECK(kb_number("options.db", "SELECT entity_ids = '[4,1,3,2]' AND arity = 4 FROM kg_hyperedges ORDER BY id") == 1,
          "as text");
    struct graph_options o = { 0 };
    CHECK(strcmp(under(o), "2 ") == 0, "not asked for: %s", under(o));
    o.hyperedges = 1;
    CHECK(strcmp(under(o), "2 3 4 5 ") == 0, "%s", under(o)); /* the relation first, then as pairs point */
    o.types = "i";
    CHECK(strcmp(under(o), "5 ") == 0, "%s", under(o));
    o.types = NULL, o.least_weight = 0.5;
    CHECK(strcmp(under(o), "2 3 4 ") == 0, "%s", under(o));
    struct graph g;
    struct walk w;
    o = (struct graph_options){ .hyperedges = 1 };
    options = &o;
    if (load("options.db", &g, &w)) {
        CHECK(g.oversize == 1 && neighbours(&g, &w, 4, 1, 9) == 3 && g.relation_ids[g.relation[w.edge[0]]] == -1,
              "a hyperedge's id");
        walk_free(&w);
        graph_free(&g);
    }
    options = NULL;
}

static void engine_order(void)
{
    FILE *f = fopen(kb_fixture_file("neighbors_expected.tsv"), "r");
    if (!f || !kb_fixture("fixture.db")) SKIP("needs the engine's fixture (ASSAY_SHARED)");
    struct graph g;
    struct walk w;
    if (!load("fixture.db", &g, &w)) return;
    long long start, want[6], last_start = -1;
    int depth, last_depth = -1;
    size_t count = 0, lines = 0;
    char line[256];
    while (fgets(line, sizeof line, f)) {
        int order = -1;
        if (sscanf(line, "%lld %d %d", &start, &depth, &order) < 2) continue;
        if (start != last_start || depth != last_depth) {
            CHECK(order <= 0, "the list before has ended");
            count = neighbours(&g, &w, start, depth, g.count);
        }
        last_start = start, last_depth = depth;
        if (order < 0) {
            CHECK(count == 0, "%lld depth %d", start, depth);
            continue;
        }
        CHECK(sscanf(line, "%*d %*d %*d %lld %lld", &want[0], &want[1]) == 2, "%s", line);
        CHECK((size_t)order < count && g.ids[w.found[order]] == want[0] &&
                  g.relation_ids[g.relation[w.edge[order]]] == want[1],
              "%lld depth %d order %d", start, depth, order);
        lines++;
    }
    fclose(f);
    CHECK(lines > 900, "%zu lines", lines);
    walk_free(&w);
    graph_free(&g);
}

int main(void)
{
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    test_case("neighbours by hand", by_hand);
    test_case("ids far apart", far_apart_ids);
    test_case("a wrapped walk number", epochs_wrap);
    test_case("which relations count", which_relations);
    test_case("hyperedges as neighbours", hyperedges);
    test_case("the engine's get_neighbors, order and relations", engine_order);
    return kb_end();
}
