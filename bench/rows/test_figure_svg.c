/* SPDX-License-Identifier: MIT
 * test_figure_svg.c - figures of committed rows, read back from their SVG: texts lie neither over each other nor off the
 * page, marks are not cut by the frame, ticks are plain numbers, a legend is short, and no two lines look alike. */
#define _GNU_SOURCE /* memmem */
#include "bench/rows/axis.h"
#include "bench/rows/figure_draw.h"
#include "bench/rows/figure_kinds.h"
#include "bench/rows/strata.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include <ctype.h>
#include <ftw.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64] = "/tmp/assay-test-svg-XXXXXX";

/* --- what is in an SVG ------------------------------------------------------------------------------------------------- */
enum { TEXTS_MOST = 600, MARKS_MOST = 4000 };
struct text_box { char text[200]; double x, y, left, right, bottom, top; };
struct page {
    double width, height;
    struct text_box texts[TEXTS_MOST];
    struct mark { double x, y, scale; } marks[MARKS_MOST];
    size_t text_count, mark_count;
};

static double number_behind(const char *at, const char *key)
{
    at = strstr(at, key);
    return at ? text_strtod(at + strlen(key), NULL) : (double)NAN;
}

static void add_text(struct page *p, const char *group, const char *text)
{
    struct text_box *b = &p->texts[p->text_count];
    const char *const end = strstr(text, "</text>");
    if (!end || p->text_count == TEXTS_MOST) abort();
    text += strspn(text, " ");
    size_t size = 0;
    for (; text < end && size + 1 < sizeof b->text; text++) {
        if (*text == '&') text = strchr(text, ';'), b->text[size++] = '?';
        else b->text[size++] = *text;
    }
    b->text[size] = 0;
    if (!size) return;
    const double font = number_behind(group, "font-size=\"");
    char *after;
    b->x = text_strtod(strstr(group, "translate(") + 10, &after);
    b->y = text_strtod(after + 1, NULL);
    const char *const anchor = strstr(group, "text-anchor=\"");
    /* A narrow face: what is sure to overlap. */
    const double width = 0.5 * font * (double)size;
    const double shift = !anchor ? 0 : anchor[13] == 'e' ? 1 : anchor[13] == 'm' ? 0.5 : 0;
    b->left = b->x - shift * width, b->right = b->left + width;
    b->top = b->y - 0.72 * font, b->bottom = b->y + 0.05 * font; /* y grows downwards */
    p->text_count++;
}

static void read_page(struct page *p, const char *path)
{
    unsigned char *bytes;
    size_t size;
    struct err e = { 0 };
    *p = (struct page){ 0 };
    if (mem_read_file(&bytes, &size, path, &e) != ERR_OK) {
        CHECK(0, "%s", e.text);
        return;
    }
    char *svg = mem_alloc(size + 1, 1);
    memcpy(svg, bytes, size), svg[size] = 0;
    mem_free(bytes);
    char *after;
    const char *at = strstr(svg, "viewBox=\"0 0 ");
    p->width = text_strtod(at + 13, &after);
    p->height = text_strtod(after, NULL);
    const char *group = svg;
    for (at = strstr(svg, "</defs>"); (at = strchr(at, '<')); at++) {
        if (strncmp(at, "<g transform=", 13) == 0) group = at;
        if (strncmp(at, "<text>", 6) == 0) add_text(p, group, at + 6);
        if (strncmp(at, "<use ", 5) == 0 && strncmp(at + 5, "xlink:href='#gpPt", 17) == 0 && p->mark_count < MARKS_MOST) {
            struct mark *m = &p->marks[p->mark_count++];
            m->x = text_strtod(strstr(at, "translate(") + 10, &after);
            m->y = text_strtod(after + 1, &after);
            m->scale = number_behind(at, "scale(");
        }
    }
    mem_free(svg);
}

static int is_number(const char *text)
{
    size_t digits = 0, points = 0;
    for (text += *text == '-'; *text; text++) {
        digits += isdigit((unsigned char)*text) != 0;
        points += *text == '.';
        if (!isdigit((unsigned char)*text) && *text != '.') return 0;
    }
    return digits && points <= 1;
}

/* --- rules ----------------------------------------------------------------------------------------------------------------- */
static void look_at(const char *path)
{
    static struct page p;
    read_page(&p, path);
    CHECK(p.text_count > 4, "%s: %zu texts", path, p.text_count);
    for (size_t i = 0; i < p.text_count; i++) {
        const struct text_box *a = &p.texts[i];
        CHECK(a->left >= 0 && a->right <= p.width && a->top >= 0 && a->bottom <= p.height, "%s: '%s' at %.0f, %.0f is off the page",
              path, a->text, a->x, a->y);
        for (size_t j = 0; j < i; j++) {
            const struct text_box *b = &p.texts[j];
            CHECK(a->left >= b->right || b->left >= a->right || a->top >= b->bottom || b->top >= a->bottom,
                  "%s: '%s' lies over '%s' at %.0f, %.0f", path, a->text, b->text, a->x, a->y);
        }
        CHECK(!strstr(a->text, ".fvecs") && !strstr(a->text, ".sqlite") && a->text[0] != '/', "%s: a path: %s", path, a->text);
        const char *e = strpbrk(a->text, "eE");
        CHECK(!e || !(e > a->text && isdigit((unsigned char)e[-1]) && (e[1] == '+' || e[1] == '-')), "%s: a tick that is not plain: %s", path, a->text);
        CHECK(strcmp(a->text, "-0") != 0 && strcmp(a->text, "-1") != 0, "%s: a tick where there is nothing: %s", path, a->text);
    }
    for (size_t i = 0; i < p.mark_count; i++) {
        const struct mark *m = &p.marks[i];
        CHECK(m->x - m->scale >= 0 && m->x + m->scale <= p.width && m->y - m->scale >= 0 && m->y + m->scale <= p.height,
              "%s: a mark at %.0f, %.0f is cut", path, m->x, m->y);
    }
}

/* --- data -------------------------------------------------------------------------------------------------------------------- */
static int same_word(const char *a, const char *b)
{
    double x, y;
    if (strcmp(a, b) == 0) return 1;
    return text_to_f64(a, &x) && text_to_f64(b, &y) && fabs(x - y) <= 1e-6 * fmax(fabs(x), fabs(y));
}

/* The data of a figure against what is committed, word by word, numbers to a millionth.  ASSAY_GOLDEN=write writes it. */
static void compare_with_golden(const char *name)
{
    struct text golden = { 0 }, made = { 0 };
    unsigned char *want, *got;
    size_t want_size, got_size;
    text_add(&golden, "bench/rows/golden/%s.dat", name);
    text_add(&made, "%s/%s.dat", dir, name);
    if (getenv("ASSAY_GOLDEN")) {
        struct text copy = { 0 };
        text_add(&copy, "cp '%s' '%s'", text_of(&made), text_of(&golden));
        CHECK(system(text_of(&copy)) == 0, "%s", text_of(&copy));
        text_free(&copy);
    }
    struct err e = { 0 };
    const int both = mem_read_file(&want, &want_size, text_of(&golden), &e) == ERR_OK && mem_read_file(&got, &got_size, text_of(&made), &e) == ERR_OK;
    CHECK(both, "%s", e.text);
    if (both) {
        char *x = mem_alloc(want_size + 1, 1), *y = mem_alloc(got_size + 1, 1), *in_x, *in_y;
        memcpy(x, want, want_size), x[want_size] = 0;
        memcpy(y, got, got_size), y[got_size] = 0;
        const char *u = strtok_r(x, " \n", &in_x), *v = strtok_r(y, " \n", &in_y);
        for (; u && v && same_word(u, v); u = strtok_r(NULL, " \n", &in_x)) v = strtok_r(NULL, " \n", &in_y);
        CHECK(!u && !v, "%s: '%s' where golden has '%s'", name, v ? v : "the end", u ? u : "the end");
        mem_free(x), mem_free(y), mem_free(want), mem_free(got);
    }
    text_free(&golden);
    text_free(&made);
}

/* --- every kind ---------------------------------------------------------------------------------------------------------------- */
static unsigned char is_drawn[64]; /* of each kind */

static int draw_and_look(struct figure *f, void *context, struct err *e)
{
    const size_t kind = *(const size_t *)context;
    struct text why = { 0 }, path = { 0 };
    int status = ERR_OK;
    if (is_drawn[kind]) return ERR_OK;
    figure_fold_stages(f);
    const int flat = figure_is_flat(f, &why);
    CHECK(!flat || strstr(text_of(&why), "["), "%s: flat without an interval: %s", text_of(&f->name), text_of(&why));
    text_free(&why);
    if (flat) return ERR_OK;
    is_drawn[kind] = 1;
    for (int s = 0; status == ERR_OK && s < 3; s += 2) { /* screen (and the narrow one with it), one column */
        status = figure_draw_as(f, &canvas_sizes[s], s ? "svg" : "svg narrow", dir, e);
        for (int narrow = 0; status == ERR_OK && narrow < 2 - (s > 0); narrow++) {
            text_clear(&path);
            text_add(&path, "%s/%s%s", dir, text_of(&f->name), narrow ? ".narrow.svg" : ".svg");
            look_at(text_of(&path));
        }
    }
    compare_with_golden(text_of(&f->name));
    text_free(&path);
    return status;
}

#define REFERENCE "results/reference/"
#define GALLERY   "results/gallery/"
static const char *const sources[][5] = {
    { REFERENCE "clustered.csv", REFERENCE "wordnet.csv", REFERENCE "twohop.csv", "results/recorded_peers.csv" },
    { GALLERY "rows.csv" }, { GALLERY "scale.csv" }, { GALLERY "n.csv" }, { GALLERY "churn.csv" },
    { GALLERY "compare.csv" }, { GALLERY "raw.csv" }, { GALLERY "rows.csv", GALLERY "after.csv" },
};

static void draw_source(const char *const *files)
{
    struct table t = { 0 };
    struct contrast points = { 0 };
    struct err e = { 0 };
    for (size_t i = 0; i < 5 && files[i]; i++) {
        CHECK(table_append(&t, files[i], &e) == ERR_OK, "%s", e.text);
        if (table_column(&t, "point_id") >= 0 && !strstr(files[i], "recorded")) CHECK(contrast_add(&points, files[i], &e) == ERR_OK, "%s", e.text);
    }
    struct text strata = { 0 };
    struct table folded = { 0 };
    size_t count = 0;
    text_add(&strata, "%s/strata.csv", dir);
    if (points.source_count) CHECK(strata_write(&points, text_of(&strata), NULL, &count, &e) == ERR_OK, "%s", e.text);
    if (count) CHECK(table_append(&folded, text_of(&strata), &e) == ERR_OK, "%s", e.text);
    for (size_t i = 0; figure_kinds[i].name; i++) {
        struct figure_kind kind = figure_kinds[i];
        const int is_strata = strncmp(kind.name, "strata_", 7) == 0;
        const struct figure_source from = { &t, points.source_count ? &points : NULL, draw_and_look, &i };
        if (is_drawn[i] || (is_strata && !count)) continue;
        if (kind.x && !*kind.x) kind.name = kind.x = "top_k_candidates";
        const int status = kind.make ? kind.make(&from, &kind, &e) : figures_each(is_strata ? &folded : &t, &kind, draw_and_look, &i, &e);
        CHECK(status == ERR_OK, "%s: %s", kind.name, e.text);
    }
    text_free(&strata);
    table_free(&folded);
    table_free(&t);
    contrast_free(&points);
}

static void every_kind_is_readable(void)
{
    if (system("gnuplot --version >/dev/null 2>&1") != 0) SKIP("gnuplot is not installed");
    if (access(sources[0][0], R_OK) != 0) SKIP("not run from the top of the source tree");
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) draw_source(sources[i]);
    for (size_t i = 0; figure_kinds[i].name; i++) CHECK(is_drawn[i], "no committed rows make a figure of kind %s", figure_kinds[i].name);
}

/* --- axes ----------------------------------------------------------------------------------------------------------------- */
static const struct axis_room room = { 400, 8, 20, 8 };

static void expect_ticks(enum axis_scale scale, const double *values, size_t count, int settings, const char *want)
{
    struct axis a;
    struct text got = { 0 };
    axis_fit(&a, scale, values, count, settings, &room);
    for (size_t i = 0; i < a.count; i++) text_add(&got, "%s%s", i ? " " : "", a.ticks[i].text);
    CHECK(strcmp(text_of(&got), want) == 0, "\ngot  %s\nwant %s", text_of(&got), want);
    for (size_t i = 0; i < count; i++) {
        const double at = axis_at(&a, values[i]);
        CHECK(at >= 8.0 / 400 - 1e-9 && at <= 1 - 8.0 / 400 + 1e-9, "%g lies at %g: its mark is cut", values[i], at);
    }
    text_free(&got);
}

static void ticks_are_plain(void)
{
    expect_ticks(AXIS_LOGIT, (double[]){ .45, .7, .9995 }, 3, 0, "0.5 0.8 0.9 0.95 0.99 0.999");
    expect_ticks(AXIS_LOGIT, (double[]){ .5, .95, 1 }, 3, 0, "0.5 0.8 0.9 0.95 0.99 0.999 1");
    expect_ticks(AXIS_WHOLE, (double[]){ 1, 2, 3, 4, 8 }, 5, 1, "1 2 3 4 8");
    expect_ticks(AXIS_WHOLE, (double[]){ 0, 3 }, 2, 0, "0 1 2 3");
    expect_ticks(AXIS_LOG2, (double[]){ 50, 400 }, 2, 0, "64 128 256");
    expect_ticks(AXIS_LOG, (double[]){ 900, 1200000 }, 2, 0, "1000 3000 10000 30000 100000 300000 1000000");
    expect_ticks(AXIS_LINEAR, (double[]){ 0, 0 }, 2, 0, "0 0.01 0.02");
}

static void scales_fit_columns(void)
{
    static const double doubling[] = { 1, 2, 4, 8 }, wide[] = { 10, 400 }, bits[] = { 1, 2, 4, 8 };
    CHECK(axis_scale_of("recall_strict", wide, 2) == AXIS_LOGIT, "recall");
    CHECK(axis_scale_of("label_recall_at_10", (double[]){ .3, .4 }, 2) == AXIS_LINEAR, "labels");
    CHECK(axis_scale_of("threads", doubling, 4) == AXIS_LOG2, "threads");
    CHECK(axis_scale_of("bits", bits, 4) == AXIS_WHOLE, "bits");
    CHECK(axis_scale_of("lat_p50_us", wide, 2) == AXIS_LOG, "latency");
}

/* A path of one method through colour space is no good if two styles are alike in grey and in dashes. */
static void no_two_styles_are_alike(void)
{
    unsigned char *bytes;
    size_t size;
    struct err e = { 0 };
    if (mem_read_file(&bytes, &size, "scripts/plots/style.gp", &e) != ERR_OK) SKIP("not run from the top of the source tree");
    struct text copy = { 0 };
    text_add_bytes(&copy, bytes, size);
    mem_free(bytes);
    const char *at = strstr(text_of(&copy), "colours = \"");
    char colours[8][8];
    for (int i = 0; at && i < 8; i++) snprintf(colours[i], 8, "%s", strstr(at, "#") + 8 * (size_t)i);
    for (int i = 0; at && i < 8; i++)
        for (int j = 0; j < i; j++) CHECK(strcmp(colours[i], colours[j]) != 0, "styles %d and %d are both %s", j, i, colours[i]);
    CHECK(at != NULL, "style.gp names its colours");
    for (int i = 2; i <= 8; i++) {
        char dash[32];
        snprintf(dash, sizeof dash, "set linetype %d dt ", i);
        CHECK(strstr(text_of(&copy), dash) != NULL, "style %d has no dashes of its own", i);
    }
    text_free(&copy);
}

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(name);
}

int main(void)
{
    if (!mkdtemp(dir) || setenv("ASSAY_PLOTS", "scripts/plots", 0) != 0) abort();
    test_case("ticks are plain", ticks_are_plain);
    test_case("scales fit columns", scales_fit_columns);
    test_case("no two styles are alike", no_two_styles_are_alike);
    test_case("every kind is readable", every_kind_is_readable);
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return test_end();
}
