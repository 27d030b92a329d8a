/* SPDX-License-Identifier: MIT */
#include "index/walk.h"
#include <math.h>
#include <string.h>

#define VISITED 0x80000000u
#define NOTHING UINT32_MAX
enum {
    SHARES = 4,   /* in which a node is fetched */
    ENTERED = 64, /* entries estimated at a time */
    STARTS = 16,  /* of them that a walk starts from */
};


size_t walk_lay_out(struct walk *w, const struct nodes *n, size_t ef, void *scratch)
{
    const size_t edges = n->degree > ENTERED ? n->degree : ENTERED, room = (ef > STARTS ? ef : STARTS) + 1;
    struct mem_parts parts = { .at = scratch };
    *w = (struct walk){ .nodes = n, .ef = ef };
    w->counts = mem_part(&parts, sizeof *w->counts); /* first: found whatever ef is */
    w->row = mem_part(&parts, n->dim * sizeof *w->row);
    w->turned = mem_part(&parts, n->dim * sizeof *w->turned);
    w->steps = mem_part(&parts, n->padded);
    w->tables = mem_part(&parts, n->groups * codec_table_bytes(n->bits));
    w->sums = mem_part(&parts, edges * sizeof *w->sums);
    w->scores = mem_part(&parts, edges * sizeof *w->scores);
    w->kept = mem_part(&parts, edges * sizeof *w->kept);
    w->pool = mem_part(&parts, room * sizeof *w->pool);
    w->pool_scores = mem_part(&parts, room * sizeof *w->pool_scores);
    w->seen = mem_part(&parts, (n->count + 63) / 64 * sizeof *w->seen);
    w->rest = mem_part(&parts, 0);
    return parts.bytes;
}

/* What the scans of codes and rows look up. */
static void prepare(struct walk *w, const float *x)
{
    const struct nodes *n = w->nodes;
    nodes_prepare(n, x, w->row, w->turned);
    n->rotation.dot(w->turned, w->turned, 0, NULL, 1, n->dim, &w->square);
    if (n->bits == 1) {
        w->table_step = codec_query(w->turned, n->dim, n->padded, 63, w->steps) * n->codec.levels[1];
        w->start = n->kernels->of[OP_lut_sign]->fn.lut_sign(w->steps, n->groups, w->tables);
    } else {
        w->table_step = codec_tables(n->kernels, w->turned, n->dim, n->codec.levels, n->bits, w->tables, &w->start);
    }
    w->step = codec_query(w->turned, n->dim, n->padded, 127, w->steps);
}

static float row_score(const struct walk *w, size_t node, int32_t sum)
{
    const float *side = (const float *)(const void *)nodes_at(w->nodes, node);
    const float product = (float)sum * w->step * side[0];
    return w->nodes->metric == METRIC_L2 ? 2 * product - side[1] - w->square : product;
}

float walk_score(const struct walk *w, size_t node)
{
    const struct nodes *n = w->nodes;
    const uint8_t *at = nodes_at(n, node);
    const float *row = (const float *)(const void *)at;
    float score;
    int32_t sum;
    if (n->rescore != RESCORE_F32) {
        n->kernels->of[OP_dot_i8]->fn.dot_i8(w->steps, (const int8_t *)at + NODE_SIDE, n->padded, NULL, 1, n->padded,
                                             &sum);
        return row_score(w, node, sum);
    }
    if (n->metric == METRIC_L2) n->kernels->of[OP_l2_f32]->fn.l2_f32(w->row, row, 0, NULL, 1, n->dim, &score);
    else n->rotation.dot(w->row, row, 0, NULL, 1, n->dim, &score);
    return n->metric == METRIC_L2 ? -score : score;
}

/* Lines of a node that are wanted next, a share at a time: more than some dozen at once only wait for each other.  Into
 * L2, which takes them at 17 GB/s where L1 takes 10 (Zen 4, random nodes of 3,456 bytes).  always_inline: gcc takes a
 * function that only prefetches for one that does nothing, and drops its calls. */
static inline __attribute__((always_inline)) void fetch(const struct walk *w, uint32_t node, size_t share)
{
    const struct nodes *n = w->nodes;
    const size_t from = !n->has_codes                  ? n->at_edges
                        : n->rescore == RESCORE_NONE ? n->at_codes
                                                     : 0,
                 first = from / 64, lines = n->stride / 64 - first;
    const uint8_t *at = nodes_at(n, node) + 64 * first;
    if (node == NOTHING) return;
    for (size_t i = lines * share / SHARES; i < lines * (share + 1) / SHARES; i++)
        __builtin_prefetch(at + 64 * i, 0, 2);
}

/* Into the pool, which is in order; returns the place, or ef where there is none.  All of the pool is compared: the
 * branches of a binary search are wrong half of the time. */
static size_t insert(struct walk *w, float score, uint32_t node)
{
    const size_t known = w->known;
    size_t place = 0;
    uint32_t before = 0;
    for (size_t i = 0; i < known; i++) before += w->pool_scores[i] >= score;
    place = before;
    if (place == w->ef) return place;
    const size_t moved = (known < w->ef ? known : w->ef - 1) - place;
    w->known = known < w->ef ? known + 1 : known;
    memmove(w->pool_scores + place + 1, w->pool_scores + place, moved * sizeof *w->pool_scores);
    memmove(w->pool + place + 1, w->pool + place, moved * sizeof *w->pool);
    w->pool_scores[place] = score;
    w->pool[place] = node;
    return place;
}

static float worst(const struct walk *w) { return w->known < w->ef ? -INFINITY : w->pool_scores[w->ef - 1]; }

static int is_seen(const struct walk *w, uint32_t node) { return w->seen[node / 64] >> node % 64 & 1; }
static void mark(struct walk *w, uint32_t node) { w->seen[node / 64] |= 1ull << node % 64; }

/* What scan does with scores in place of estimates. */
static size_t scan_exact(struct walk *w, const uint32_t *edges, size_t count, int marks)
{
    size_t first = w->ef;
    for (size_t i = 0; i < count; i++) {
        if (is_seen(w, edges[i])) continue;
        const size_t place = insert(w, walk_score(w, edges[i]), edges[i]);
        if (marks) mark(w, edges[i]);
        first = place < first ? place : first;
    }
    w->counts->scored += count;
    return first;
}

/* Estimates of `count` edges, and into the pool what is good enough; returns the first place that is new.  marks: all
 * of them have been seen. */
static size_t scan(struct walk *w, const uint8_t *codes, const float *scale, const float *error, const uint32_t *edges,
                   size_t count, float base, float beta, uint32_t ahead, int marks)
{
    const struct nodes *n = w->nodes;
    const size_t blocks = codes_blocks(count);
    if (w->is_exact) return scan_exact(w, edges, count, marks);
    size_t first = w->ef, fresh = 0;
    if (n->bits == 3)
        n->kernels->of[OP_scan_pair]->fn.scan_pair(codes, blocks, n->groups, w->tables, &w->start, 1, w->sums);
    else
        n->kernels->of[OP_scan_sign]->fn.scan_sign(codes, blocks, n->groups * (size_t)n->bits, w->tables, &w->start, 1,
                                                   w->sums);
    fetch(w, ahead, 2);
    const size_t found = n->kernels->of[OP_survive]->fn.survive(w->sums, scale, error, count, w->table_step, beta,
                                                                worst(w) - base, INT32_MIN, 0, w->kept);
    w->counts->scored += count;
    for (size_t i = 0; i < found; i++) {
        const uint32_t e = w->kept[i], node = edges[e];
        w->scores[fresh] = ((float)w->sums[e] * w->table_step) * scale[e] + error[e] * beta + base;
        w->kept[fresh] = node;
        fresh += !is_seen(w, node);
    }
    fetch(w, ahead, 3);
    for (size_t i = 0; i < fresh; i++) {
        if (is_seen(w, w->kept[i])) continue; /* an edge twice */
        const size_t place = insert(w, w->scores[i], w->kept[i]);
        if (place == w->ef) continue;
        if (marks) mark(w, w->kept[i]);
        first = place < first ? place : first;
    }
    for (size_t i = 0; i < count && marks; i++) mark(w, edges[i]);
    return first;
}

/* Scores all of a node's edges that were not seen before by their rows of 8 bits, fetched by number. */
static size_t score_rows(struct walk *w, const uint32_t *edges, size_t count, visit_fn *visit, void *context)
{
    const struct nodes *n = w->nodes;
    size_t first = w->ef, fresh = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t *word = &w->seen[edges[i] / 64];
        const uint64_t bit = 1ull << edges[i] % 64;
        w->kept[fresh] = edges[i];
        fresh += !(*word & bit);
        *word |= bit;
    }
    n->kernels->of[OP_dot_i8]->fn.dot_i8(w->steps, (const int8_t *)n->at + NODE_SIDE, n->stride, w->kept, fresh,
                                         n->padded, w->sums);
    for (size_t i = 0; i < fresh; i++) {
        const float score = row_score(w, w->kept[i], w->sums[i]);
        const size_t place = insert(w, score, w->kept[i]);
        if (visit) visit(context, w->kept[i], score);
        first = place < first ? place : first;
    }
    w->counts->scored += fresh, w->counts->rescored += fresh;
    w->counts->bytes += n->stride - n->at_edges + fresh * (n->padded + 2 * sizeof(float));
    return first;
}

static size_t visit_node(struct walk *w, uint32_t node, float estimate, uint32_t ahead, visit_fn *visit, void *context)
{
    const struct nodes *n = w->nodes;
    const uint8_t *at = nodes_at(n, node);
    w->counts->hops++;
    if (!n->has_codes) return score_rows(w, nodes_edges(n, node), n->degree, visit, context);
    const float score = n->rescore == RESCORE_NONE ? estimate : walk_score(w, node),
                base = n->projects ? 0 : score, beta = n->projects ? score : 1;
    fetch(w, ahead, 1);
    if (visit) visit(context, node, score);
    w->counts->rescored += n->rescore != RESCORE_NONE;
    w->counts->bytes += n->stride - (n->rescore == RESCORE_NONE ? n->at_codes : 0);
    return scan(w, at + n->at_codes, (const float *)(const void *)(at + n->at_scale),
                (const float *)(const void *)(at + n->at_error), nodes_edges(n, node), n->degree, base, beta, ahead, 1);
}

/* The best entries into the pool, at most `starts` of them, whatever ef is. */
static void enter(struct walk *w, size_t starts)
{
    const struct nodes *n = w->nodes;
    const float *scale = (const float *)(const void *)(n->root + nodes_blocks_bytes(n, n->entry_count)),
                *error = scale + root_room(n);
    const float base = n->metric == METRIC_L2 ? -w->square : 0, beta = n->projects ? 0 : 1;
    const size_t ef = w->ef, block = codes_block_bytes(n->groups, n->bits);
    w->ef = starts;
    for (size_t from = 0; from < n->entry_count; from += ENTERED) {
        const size_t count = n->entry_count - from < ENTERED ? n->entry_count - from : ENTERED;
        scan(w, n->root + from / CODES_ROWS * block, scale + from, error + from, n->entries + from, count, base, beta,
             NOTHING, 0);
    }
    w->ef = ef;
    for (size_t i = 0; i < w->known; i++) mark(w, walk_node(w, i)); /* not those that fell out again */
    w->counts->bytes += nodes_root_bytes(n) + n->entry_count * sizeof(uint32_t);
}

static void start(struct walk *w, visit_fn *visit, void *context)
{
    enter(w, STARTS);
    if (w->nodes->has_codes) {
        w->known = w->known < w->ef ? w->known : w->ef;
        return;
    }
    /* Their estimates are not to stand beside scores. */
    uint32_t chosen[STARTS];
    const size_t known = w->known;
    memcpy(chosen, w->pool, known * sizeof *chosen);
    for (size_t i = 0; i < known; i++) w->seen[chosen[i] / 64] = 0; /* as it was before */
    w->known = 0;
    score_rows(w, chosen, known, visit, context);
}

/* A pool that is not full takes all entries, from which all nodes are reached. */
static void start_everywhere(struct walk *w, visit_fn *visit, void *context)
{
    const struct nodes *n = w->nodes;
    if (n->has_codes) {
        enter(w, w->ef);
        return;
    }
    for (size_t from = 0; from < n->entry_count; from += n->degree)
        score_rows(w, n->entries + from, n->entry_count - from < n->degree ? n->entry_count - from : n->degree, visit,
                   context);
}

void walk(struct walk *w, const float *x, visit_fn *visit, void *context)
{
    size_t next = 0;
    uint32_t ahead = NOTHING;
    float estimate = 0;
    int is_everywhere = 0;
    w->known = 0;
    memset(w->seen, 0, (w->nodes->count + 63) / 64 * sizeof *w->seen);
    prepare(w, x);
    start(w, visit, context);
    for (;;) {
        const uint32_t node = ahead;
        const float estimated = estimate;
        while (next < w->known && w->pool[next] & VISITED) next++;
        ahead = NOTHING;
        if (next < w->known) {
            ahead = w->pool[next];
            estimate = w->pool_scores[next];
            w->pool[next] |= VISITED;
        } else if (node == NOTHING) {
            if (is_everywhere || w->known == w->ef) break;
            is_everywhere = 1;
            start_everywhere(w, visit, context);
            next = 0;
            continue;
        }
        fetch(w, ahead, 0);
        if (node != NOTHING) {
            const size_t first = visit_node(w, node, estimated, ahead, visit, context);
            if (first < next) next = first;
        } else {
            for (size_t i = 1; i < SHARES; i++) fetch(w, ahead, i);
        }
    }
}
