/* SPDX-License-Identifier: MIT
 * svg.c - copies a figure tag by tag, and leaves out what is not on its lists: what is not known cannot harm. */
#define _GNU_SOURCE /* memmem */
#include "bench/rows/svg.h"
#include <string.h>
#include <strings.h>

static const char *const elements[] = {
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "title", "desc", "defs",
    "use", "clipPath", "linearGradient", "radialGradient", "stop", "symbol", "marker", "pattern", "filter", "feFlood",
    "feComposite", "feGaussianBlur", "feOffset", "feMerge", "feMergeNode", NULL
};

struct slice { const char *at; size_t size; };

/* Where the copy goes.  starts: of the open elements' tags in `out`, and where those end; groups that hold nothing go. */
enum { DEEPEST = 64 };
struct copy {
    struct text *out;
    const struct svg_place *place; /* NULL: as it is */
    int depth;
    struct { size_t tag, content; } open[DEEPEST];
};

static int is_one_of(struct slice name, const char *const *list)
{
    for (; *list; list++)
        if (strlen(*list) == name.size && strncmp(*list, name.at, name.size) == 0) return 1;
    return 0;
}

static int is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == ':' || c == '_';
}

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static int is_word(struct slice s, const char *word) { return strlen(word) == s.size && memcmp(s.at, word, s.size) == 0; }

static int starts_with(struct slice s, const char *word)
{
    return s.size >= strlen(word) && strncasecmp(s.at, word, strlen(word)) == 0;
}

/* Handlers and style sheets are left out, and so is what refers to anything but a part of the figure. */
static int is_allowed(struct slice name, struct slice value)
{
    const int is_link = (name.size == 4 && starts_with(name, "href")) || (name.size == 10 && starts_with(name, "xlink:href"));
    if (starts_with(name, "on") || (name.size == 5 && starts_with(name, "style"))) return 0;
    if (is_link) return value.size && value.at[0] == '#';
    for (size_t i = 0; i < value.size; i++) {
        const struct slice rest = { value.at + i, value.size - i };
        if (rest.at[0] == '\\' || starts_with(rest, "&#") || starts_with(rest, "javascript")) return 0;
        if (starts_with(rest, "url(") && !starts_with(rest, "url(#")) return 0;
    }
    return 1;
}

/* The prefix of ids goes behind the '#' of a reference. */
static void add_value(struct text *out, struct slice value, const char *prefix)
{
    for (size_t i = 0; i < value.size; i++) {
        const struct slice rest = { value.at + i, value.size - i };
        if (starts_with(rest, "url(#")) {
            text_add(out, "url(#%s", prefix);
            i += strlen("url(#") - 1;
        } else if (value.at[i] == '"') text_add(out, "&quot;");
        else if (value.at[i] == '<') text_add(out, "&lt;");
        else if (value.at[i] == '>') text_add(out, "&gt;");
        else if (value.at[i]) text_add_bytes(out, value.at + i, 1);
    }
}

static void add_attribute(struct text *out, struct slice key, struct slice value, const char *prefix)
{
    const int is_link = starts_with(key, "href") || starts_with(key, "xlink:href");
    text_add(out, " %.*s=\"%s", (int)key.size, key.at, is_link ? "#" : "");
    if (is_link) value.at++, value.size--;
    if (is_link || is_word(key, "id")) text_add(out, "%s", prefix);
    add_value(out, value, prefix);
    text_add(out, "\"");
}

/* What gnuplot's hypertext says: showHypertext(evt,'TEXT'). */
static void add_hypertext(const struct copy *c, struct slice value, struct text *attributes, struct text *title)
{
    static const char call[] = "showHypertext(evt,'";
    const char *const from = memmem(value.at, value.size, call, sizeof call - 1);
    if (!from) return;
    const char *const start = from + sizeof call - 1;
    const char *const last = memrchr(start, '\'', (size_t)(value.at + value.size - start));
    struct text said = { 0 };
    if (last) text_add_bytes(&said, start, (size_t)(last - start));
    if (last) c->place->mark(c->place->context, text_of(&said), attributes, title);
    text_free(&said);
}

/* The width and height of a viewBox. */
static void add_size(struct text *out, struct slice view)
{
    double size[4];
    char copy[128];
    snprintf(copy, sizeof copy, "%.*s", (int)view.size, view.at);
    char *at = copy;
    for (int i = 0; i < 4; i++) size[i] = text_strtod(at, &at);
    if (size[2] > 0 && size[3] > 0) text_add(out, " width=\"%.0f\" height=\"%.0f\"", size[2], size[3]);
}

/* Attributes from `at` up to the tag's end, those that are allowed; returns that end: '>' or "/>".  title: that of a mark. */
static const char *add_attributes(const struct copy *c, struct text *out, struct text *title, int is_root, const char *at,
                                  const char *end)
{
    const struct svg_place *const place = c->place;
    if (place && is_root) text_add(out, " %s", place->attributes);
    for (;;) {
        while (at < end && is_blank(*at)) at++;
        const char *const name = at;
        while (at < end && is_name(*at)) at++;
        const struct slice key = { name, (size_t)(at - name) };
        while (at < end && is_blank(*at)) at++;
        if (key.size == 0 || at >= end || *at != '=') return at;
        for (at++; at < end && is_blank(*at);) at++;
        const char quote = at < end ? *at : 0;
        const char *const close = quote == '"' || quote == '\'' ? memchr(at + 1, quote, (size_t)(end - at - 1)) : NULL;
        if (!close) return end;
        const struct slice value = { at + 1, (size_t)(close - at - 1) };
        const int is_own = place && is_root && (is_word(key, "width") || is_word(key, "height") || is_word(key, "class"));
        if (place && place->mark && is_word(key, "onmousemove")) add_hypertext(c, value, out, title);
        if (place && is_root && is_word(key, "viewBox")) add_size(out, value);
        if (!is_own && is_allowed(key, value)) add_attribute(out, key, value, place ? place->prefix : "");
        at = close + 1;
    }
}

/* Where the element ends that may not be there, with all that is in it. */
static const char *skip_element(struct slice name, const char *at, const char *end)
{
    struct text close = { 0 };
    text_add(&close, "</%.*s", (int)name.size, name.at);
    const char *found = close.size ? memmem(at, (size_t)(end - at), text_of(&close), close.size) : NULL;
    text_free(&close);
    const char *const last = found ? memchr(found, '>', (size_t)(end - found)) : NULL;
    return last ? last + 1 : end;
}

/* A comment, a declaration, text of CDATA. */
static const char *skip_other(const char *at, const char *end)
{
    const int is_comment = end - at > 4 && memcmp(at, "<!--", 4) == 0;
    const char *tail = is_comment ? memmem(at, (size_t)(end - at), "-->", 3) : memchr(at, '>', (size_t)(end - at));
    return !tail ? end : tail + (is_comment ? 3 : 1);
}

static void close_tag(struct copy *c, struct slice element)
{
    struct text *const out = c->out;
    const int level = --c->depth;
    size_t at = level >= 0 && level < DEEPEST ? c->open[level].content : out->size;
    while (at < out->size && is_blank(out->at[at])) at++;
    if (c->place && at == out->size && level > 0 && level < DEEPEST && is_word(element, "g") && !out->failed) {
        out->size = c->open[level].tag;
        out->at[out->size] = 0;
        return;
    }
    text_add(out, "</%.*s>", (int)element.size, element.at);
}

static void open_tag(struct copy *c, struct slice element, const struct text *attributes, const struct text *title, int is_whole)
{
    const size_t tag = c->out->size;
    text_add(c->out, "<%.*s", (int)element.size, element.at);
    text_add_bytes(c->out, text_of(attributes), attributes->size);
    text_add(c->out, is_whole ? "/>" : ">");
    if (is_whole) return;
    if (c->depth >= 0 && c->depth < DEEPEST) {
        c->open[c->depth].tag = tag;
        c->open[c->depth].content = c->out->size;
    }
    c->depth++;
    if (title->size) text_add(c->out, "<title>%s</title>", text_of(title));
}

/* One tag, at its '<'; behind it. */
static const char *add_tag(struct copy *c, const char *at, const char *end)
{
    const int closes = at + 1 < end && at[1] == '/';
    const char *const name = at + 1 + closes;
    const char *after = name;
    while (after < end && is_name(*after)) after++;
    const struct slice element = { name, (size_t)(after - name) };
    if (element.size == 0) return skip_other(at, end);
    const int is_said = c->place && (is_word(element, "title") || is_word(element, "desc")); /* by us, or not */
    const int is_known = !is_said && is_one_of(element, elements);
    const char *tail = memchr(at, '>', (size_t)(end - at));
    if (closes) {
        if (tail && is_known) close_tag(c, element);
        return tail ? tail + 1 : end;
    }
    struct text attributes = { 0 }, title = { 0 };
    after = add_attributes(c, &attributes, &title, c->depth == 0, after, end);
    const int is_whole = after < end && *after == '/';
    tail = after < end ? memchr(after, '>', (size_t)(end - after)) : NULL;
    if (is_known && tail) open_tag(c, element, &attributes, &title, is_whole);
    text_free(&attributes);
    text_free(&title);
    if (!tail) return end;
    return is_known || is_whole ? tail + 1 : skip_element(element, tail + 1, end);
}

int svg_place(struct text *out, const char *bytes, size_t size, const struct svg_place *place)
{
    const char *const end = bytes + size;
    const char *at = size ? memmem(bytes, size, "<svg", 4) : NULL;
    const size_t before = out->size;
    struct copy c = { .out = out, .place = place };
    int opened = 0;
    while (at && at < end && (c.depth > 0 || !opened)) {
        if (*at == '<') {
            at = add_tag(&c, at, end);
            opened = 1;
        } else {
            if (*at) text_add_bytes(out, at, 1);
            at++;
        }
    }
    if (opened && c.depth == 0 && out->size > before) return 1;
    out->size = before;
    if (out->at) out->at[before] = 0;
    return 0;
}

int svg_add(struct text *out, const char *bytes, size_t size) { return svg_place(out, bytes, size, NULL); }
