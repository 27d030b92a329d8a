/* SPDX-License-Identifier: MIT
 * figures.c - places the figures of a folder on a page, says what each shows and how to read it. */
#include "bench/report/figures.h"
#include "bench/report/html.h"
#include "bench/rows/svg.h"
#include "kernels/base/mem.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const figure_sections[SECTIONS] = {
    "Recall, time and bytes of indexes", "Pipelines: what each setting does", "The graph", "Where the time goes",
    "Against the papers", "Other figures"
};

/* By the start of the file's name; the longest that fits counts. */
static const struct kind { const char *name; enum figure_section section; int rank; const char *caption, *reading; } kinds[] = {
    { "qps_recall", SECTION_RECALL, 1, "Recall against queries a second",
      "Up and to the right is better. A point that has none above and to the right of it is on the front." },
    { "recall_latency", SECTION_RECALL, 2, "Recall against time of a query",
      "Down and to the right is better. Staircase: the least time at which that recall is reached." },
    { "recall_bytes", SECTION_RECALL, 0, "Recall by the bytes that a vector takes",
      "Up and to the left is better. Bytes count all that is held for a vector; nothing is re-scored exactly." },
    { "recall_bits", SECTION_RECALL, 3, "Recall by bits of a code",
      "What lies between a line and its ceiling is lost by the search, what lies above the ceiling by the codes." },
    { "qps_at_recall", SECTION_RECALL, 4, "Queries a second at a level of recall",
      "One line a method, the fastest on top: what each level of recall costs." },
    { "recall_1_at_k", SECTION_RECALL, 5, "The true nearest among the first k", "How far down one must read to find it." },
    { "forest", SECTION_RECALL, 6, "Differences, question by question",
      "An interval that crosses zero is not resolved: those two may be as good as each other." },
    { "critical_difference", SECTION_RECALL, 7, "Ranks over data sets", "Methods whose bars meet are not told apart." },
    { "before_after", SECTION_RECALL, 8, "Before and after", "" },
    { "churn", SECTION_RECALL, 9, "While rows come and go", "" },
    { "quality_latency", SECTION_PIPELINE, 0, "Agreement with exact search against time",
      "Down and to the right is better: answers as of an exact first stage, in less time." },
    { "bits_candidates", SECTION_PIPELINE, 2, "Bits against candidates",
      "Fewer bits want more candidates. Cells of one colour are as good as each other." },
    { "candidates", SECTION_PIPELINE, 1, "Candidates of the first stage",
      "Where a line meets its ceiling, more candidates bring nothing." },
    { "top_k_candidates", SECTION_PIPELINE, 4, "Candidates of the first stage", "Where a line flattens, more bring only time." },
    { "top_k_rerank", SECTION_PIPELINE, 5, "Candidates that are re-scored exactly", "" },
    { "bit_width", SECTION_PIPELINE, 3, "Bits of a code", "Bands are 95 % intervals over queries." },
    { "graph_depth", SECTION_GRAPH, 0, "Depth of expansion along the graph",
      "What the graph adds to the answers, and what it takes. Bands are 95 % intervals over queries." },
    { "graph_weight", SECTION_GRAPH, 1, "Weight of the graph in a score", "" },
    { "context_depth", SECTION_GRAPH, 2, "Depth of the context", "" },
    { "hop_edges", SECTION_GRAPH, 3, "Gain by edges visited", "" },
    { "strata_lid", SECTION_OTHER, 0, "Easy and hard queries, by local dimension",
      "Fifths of the queries, the hardest to the right: what a mean hides." },
    { "strata_contrast", SECTION_OTHER, 1, "Easy and hard queries, by contrast", "Fifths of the queries, the easiest to the right." },
    { "stages", SECTION_SPEED, 1, "Time of a query, stage by stage", "A bar is a configuration, the first the usual one." },
    { "ccdf", SECTION_SPEED, 2, "Share of calls that took longer", "The further right a line ends, the longer its tail." },
    { "density", SECTION_SPEED, 4, "Where the samples lie", "A second bulge is a second mode." },
    { "latency", SECTION_SPEED, 2, "Share of calls that took longer", "The further right a line ends, the longer its tail." },
    { "threads", SECTION_SPEED, 3, "Threads", "" },
    { "batch", SECTION_SPEED, 4, "Queries in one call", "" },
    { "n", SECTION_SPEED, 5, "Size of the base", "" },
    { "compare", SECTION_SPEED, 0, "Time of the base over time of each arm",
      "Right of 1 is faster. Full: resolved; hollow: an interval that holds 1." },
    { "gains", SECTION_SPEED, 0, "Kernels over the faster of the compilers",
      "Right of 1 is faster than what gcc or clang made of the scalar source." },
    { "roofline", SECTION_SPEED, 0, "Roofline of this machine", "Near a roof is near the limit; below it there is room." },
    { "distortion", SECTION_PAPER, 0, "Distortion by bits", "Measured between the theorem's bounds, beside what the paper prints." },
};
static const struct kind a_density = { "", SECTION_SPEED, 2, "Where the samples lie",
                                       "How far single samples stray from their median; a second bulge is a second mode." };
static const struct kind by_dim = { "", SECTION_SPEED, 3, "Time by dimension", "Steps at multiples of the lanes are tails." };
static const struct kind by_where = { "", SECTION_SPEED, 3, "Time by working set", "Steps are where a cache ends." };

static int ends_with(const char *name, const char *suffix)
{
    const size_t size = strlen(name), tail = strlen(suffix);
    return size >= tail && strcmp(name + size - tail, suffix) == 0;
}

/* OP_dim_2: the second such figure of assay bench. */
static int is_of_axis(const char *name, const char *axis)
{
    const char *at = strstr(name, axis);
    return at && at[strlen(axis)] && !at[strlen(axis) + strspn(at + strlen(axis), "0123456789")];
}

static struct kind kind_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *const base = slash ? slash + 1 : name;
    struct kind found = { "", SECTION_OTHER, 9, NULL, "" };
    if (ends_with(name, "_density")) return a_density;
    if (is_of_axis(base, "_dim_")) return by_dim;
    if (is_of_axis(base, "_where_")) return by_where;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const size_t size = strlen(kinds[i].name);
        const int fits = strncmp(base, kinds[i].name, size) == 0 && (base[size] == 0 || base[size] == '_');
        if (fits && size > strlen(found.name)) found = kinds[i];
    }
    return found;
}

/* --- what there is ------------------------------------------------------------------------------ */

int figures_add(struct report_figures *f, const char *dir, const char *name, struct err *e)
{
    if (!mem_extend(&f->at, f->count, f->count + 1, sizeof *f->at)) return FAIL(e, ERR_MEM, "%s: no memory", name);
    struct report_figure *one = &f->at[f->count++];
    const int size = (int)(strlen(name) - strlen(".svg"));
    struct stat st;
    *one = (struct report_figure){ 0 };
    text_add(&one->name, "%.*s", size, name);
    text_add(&one->path, "%s/%s", dir, name);
    text_add(&one->narrow, "%s/%.*s.narrow.svg", dir, size, name);
    if (one->narrow.failed || one->path.failed || one->name.failed) return FAIL(e, ERR_MEM, "%s: no memory", name);
    if (stat(text_of(&one->narrow), &st) != 0) text_clear(&one->narrow), one->narrow.at[0] = 0;
    const struct kind kind = kind_of(text_of(&one->name));
    one->section = kind.section;
    one->rank = kind.rank;
    return ERR_OK;
}

void figures_free(struct report_figures *f)
{
    for (size_t i = 0; i < f->count; i++) {
        text_free(&f->at[i].path);
        text_free(&f->at[i].narrow);
        text_free(&f->at[i].name);
    }
    mem_free(f->at);
    *f = (struct report_figures){ 0 };
}

static const struct result_point *point_of(const struct report_figures *f, uint64_t id, const struct result_group **group,
                                           size_t *position, int *is_parts)
{
    size_t at = 0;
    for (size_t r = 0; r < f->result_count; r++)
        for (size_t g = 0; g < f->results[r].count; g++, at++) {
            const struct result_group *one = &f->results[r].groups[g];
            for (size_t p = 0; p < one->count; p++)
                if (one->points[p].id == id) {
                    *is_parts = f->results[r].is_parts;
                    *group = one;
                    *position = at;
                    return &one->points[p];
                }
        }
    return NULL;
}

static int read_id(const char *text, uint64_t *id)
{
    char *end;
    if (strlen(text) != 16 || text[strspn(text, "0123456789abcdef")]) return 0;
    *id = strtoull(text, &end, 16);
    return *id != 0;
}

/* The group of the first mark that is a point of ours, unless it is of parts of the queries. */
struct owner { const struct report_figures *f; size_t group, marks; int is_found; };

static void see_mark(void *context, const char *text, struct text *attributes, struct text *title)
{
    struct owner *o = context;
    const struct result_group *group;
    uint64_t id;
    size_t position;
    int is_parts = 0;
    (void)attributes;
    (void)title;
    o->marks++;
    if (o->is_found || !read_id(text, &id)) return;
    o->is_found = point_of(o->f, id, &group, &position, &is_parts) != NULL;
    if (o->is_found && !is_parts) o->group = position;
}

static int by_place(const void *a, const void *b)
{
    const struct report_figure *p = a, *q = b;
    if (p->section != q->section) return (int)p->section - (int)q->section;
    return p->rank != q->rank ? p->rank - q->rank : strcmp(text_of(&p->name), text_of(&q->name));
}

/* Three that carry the answer: the groups take turns, each with what says most of it and was not shown of another. */
static void choose_carrying(struct report_figures *f, size_t groups)
{
    for (size_t chosen = 0; chosen < 3 && chosen < f->count; chosen++) {
        struct report_figure *best = NULL;
        size_t best_taken = 0;
        int best_cost = 0;
        for (size_t i = 0; i < f->count; i++) {
            struct report_figure *one = &f->at[i];
            size_t taken = 0;
            int cost = one->rank;
            for (size_t j = 0; j < f->count; j++) {
                taken += f->at[j].carries && f->at[j].group == one->group;
                if (f->at[j].carries && f->at[j].section == one->section && f->at[j].rank == one->rank) cost += 5;
            }
            if (groups && one->group == groups) taken += 3; /* of no points: only where nothing else is left */
            if (one->carries || !one->narrow.size || (best && (taken > best_taken || (taken == best_taken && cost >= best_cost)))) continue;
            best = one;
            best_taken = taken;
            best_cost = cost;
        }
        if (best) best->carries = 1;
    }
}

int figures_arrange(struct report_figures *f, const struct results *results, size_t result_count, struct err *e)
{
    size_t groups = 0;
    f->results = results;
    f->result_count = result_count;
    for (size_t r = 0; r < result_count; r++) groups += results[r].count;
    for (size_t i = 0; i < f->count; i++) {
        struct mem_map map;
        struct owner owner = { f, groups, 0, 0 };
        struct text unused = { 0 };
        const struct svg_place place = { "", "", see_mark, &owner };
        const int status = mem_map_open(&map, text_of(&f->at[i].path), e);
        if (status != ERR_OK) return status;
        svg_place(&unused, (const char *)map.at, map.size, &place);
        f->at[i].group = owner.group;
        f->at[i].marks = owner.marks;
        text_free(&unused);
        mem_map_close(&map);
    }
    if (f->count) qsort(f->at, f->count, sizeof *f->at, by_place);
    choose_carrying(f, groups);
    return ERR_OK;
}

/* --- on the page -------------------------------------------------------------------------------- */

static void add_measured(struct text *title, const struct result_group *g, const struct result_point *p, const char *column)
{
    const struct value v = result_value(g, p, column);
    if (!(v.at == v.at)) return;
    text_add(title, "\n");
    html_label(title, column);
    text_add(title, " ");
    html_value(title, v, 0);
}

enum { TIPS_MOST = 2000 };
struct marking { const struct report_figures *f; int has_tips; };

/* A mark becomes a thing with a tooltip that knows its rows. */
static void add_mark(void *context, const char *said, struct text *attributes, struct text *title)
{
    const struct marking *m = context;
    const struct result_group *g;
    uint64_t id;
    size_t position;
    int is_parts;
    const struct result_point *p = read_id(said, &id) ? point_of(m->f, id, &g, &position, &is_parts) : NULL;
    if (!p) {
        if (strcmp(said, "-") != 0 && !read_id(said, &id)) html_add(title, said);
        return;
    }
    text_add(attributes, " class=\"mark\" data-p=\"%016" PRIx64 "\"", id);
    if (!m->has_tips) return;
    struct text name = { 0 };
    result_name(g, p, &name);
    html_add(title, text_of(&name));
    if (g->by) add_measured(title, g, p, g->by);
    add_measured(title, g, p, "lat_p50_us");
    add_measured(title, g, p, "bytes_per_vector");
    text_free(&name);
}

static int add_svg(struct text *out, const struct report_figures *f, const struct report_figure *one, const char *path,
                   const char *prefix, const char *label, struct err *e)
{
    struct marking marking = { f, one->marks <= TIPS_MOST };
    struct mem_map map;
    int status = mem_map_open(&map, path, e);
    if (status != ERR_OK) return status;
    struct text attributes = { 0 };
    text_add(&attributes, "role=\"img\" aria-label=\"");
    html_add(&attributes, label);
    text_add(&attributes, "\"");
    const struct svg_place place = { prefix, text_of(&attributes), add_mark, &marking };
    if (!svg_place(out, (const char *)map.at, map.size, &place)) status = FAIL(e, ERR_FORMAT, "%s: not an SVG file", path);
    text_free(&attributes);
    mem_map_close(&map);
    return status;
}

/* "gain_by_edges" -> "gain by edges" */
static void add_plain_name(struct text *out, const char *name)
{
    for (; *name; name++) text_add(out, "%c", *name == '_' ? ' ' : *name);
}

static void add_caption(struct text *out, const struct report_figures *f, const struct report_figure *one, struct text *label)
{
    const struct kind kind = kind_of(text_of(&one->name));
    size_t at = one->group;
    if (kind.caption) text_add(label, "%s", kind.caption);
    else add_plain_name(label, text_of(&one->name));
    text_add(out, "<figcaption><b>");
    html_add(out, text_of(label));
    text_add(out, "</b>");
    for (size_t r = 0; r < f->result_count; at -= f->results[r++].count) {
        if (at >= f->results[r].count) continue;
        text_add(out, " <span class=\"data\">");
        struct text data = { 0 };
        result_data(&f->results[r].groups[at], &data);
        html_add(out, text_of(&data));
        text_add(label, ", %s", text_of(&data));
        text_free(&data);
        text_add(out, "</span>");
        break;
    }
    if (*kind.reading) text_add(out, "<p>%s</p>", kind.reading);
    text_add(out, "</figcaption>\n");
}

int figures_write_one(struct text *out, const struct report_figures *f, const struct report_figure *one, const char *prefix,
                      struct err *e)
{
    struct text label = { 0 }, ids = { 0 };
    const int has_narrow = one->narrow.size != 0;
    text_add(out, "<figure id=\"%sf\"%s>", prefix, one->carries ? " class=\"again\"" : "");
    add_caption(out, f, one, &label);
    text_add(out, has_narrow ? "<div class=\"wide\">" : "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
    if (!has_narrow) html_add(out, text_of(&label));
    if (!has_narrow) text_add(out, "\">");
    text_add(&ids, "%sw-", prefix);
    int status = add_svg(out, f, one, text_of(&one->path), text_of(&ids), text_of(&label), e);
    text_add(out, "</div>");
    if (status == ERR_OK && has_narrow && !one->carries) {
        text_add(out, "<div class=\"narrow\">");
        text_clear(&ids);
        text_add(&ids, "%sn-", prefix);
        status = add_svg(out, f, one, text_of(&one->narrow), text_of(&ids), text_of(&label), e);
        text_add(out, "</div>");
    }
    text_add(out, "</figure>\n");
    text_free(&ids);
    text_free(&label);
    return status;
}

int figures_write_carrying(struct text *out, const struct report_figures *f, struct err *e)
{
    int status = ERR_OK;
    size_t count = 0;
    for (size_t i = 0; status == ERR_OK && i < f->count; i++) {
        const struct report_figure *one = &f->at[i];
        if (!one->carries || !one->narrow.size) continue;
        struct text label = { 0 }, ids = { 0 };
        text_add(&ids, "top%zu-", i);
        text_add(out, count++ ? "<figure>" : "<div class=\"three\">\n<figure>");
        add_caption(out, f, one, &label);
        status = add_svg(out, f, one, text_of(&one->narrow), text_of(&ids), text_of(&label), e);
        text_add(out, "</figure>\n");
        text_free(&label);
        text_free(&ids);
    }
    if (count) text_add(out, "</div>\n");
    return status;
}

size_t figures_in(const struct report_figures *f, enum figure_section section)
{
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++) count += f->at[i].section == section;
    return count;
}

int figures_write_section(struct text *out, const struct report_figures *f, enum figure_section section, struct err *e)
{
    int status = ERR_OK;
    for (size_t i = 0; status == ERR_OK && i < f->count; i++) {
        char prefix[32];
        if (f->at[i].section != section) continue;
        snprintf(prefix, sizeof prefix, "g%zu", i);
        status = figures_write_one(out, f, &f->at[i], prefix, e);
    }
    return status;
}
