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

static void add_value(struct text *out, struct slice value)
{
    for (size_t i = 0; i < value.size; i++) {
        if (value.at[i] == '"') text_add(out, "&quot;");
        else if (value.at[i] == '<') text_add(out, "&lt;");
        else if (value.at[i] == '>') text_add(out, "&gt;");
        else if (value.at[i]) text_add_bytes(out, value.at + i, 1);
    }
}

/* Attributes from `at` up to the tag's end, those that are allowed; returns that end: '>' or "/>". */
static const char *add_attributes(struct text *out, const char *at, const char *end)
{
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
        if (is_allowed(key, value)) {
            text_add(out, " %.*s=\"", (int)key.size, key.at);
            add_value(out, value);
            text_add(out, "\"");
        }
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

/* One tag, at its '<'; behind it.  *depth counts open elements. */
static const char *add_tag(struct text *out, const char *at, const char *end, int *depth)
{
    const int closes = at + 1 < end && at[1] == '/';
    const char *const name = at + 1 + closes;
    const char *after = name;
    while (after < end && is_name(*after)) after++;
    const struct slice element = { name, (size_t)(after - name) };
    const char *tail = memchr(at, '>', (size_t)(end - at));
    if (element.size == 0) { /* a comment, a declaration, text of CDATA */
        const int is_comment = end - at > 4 && memcmp(at, "<!--", 4) == 0;
        if (is_comment) tail = memmem(at, (size_t)(end - at), "-->", 3), tail = tail ? tail + 2 : NULL;
        return tail ? tail + 1 : end;
    }
    if (closes) {
        if (!tail || !is_one_of(element, elements)) return tail ? tail + 1 : end;
        text_add(out, "</%.*s>", (int)element.size, element.at);
        --*depth;
        return tail + 1;
    }
    struct text copy = { 0 };
    after = add_attributes(&copy, after, end);
    const int is_whole = after < end && *after == '/';
    tail = after < end ? memchr(after, '>', (size_t)(end - after)) : NULL;
    const int is_known = is_one_of(element, elements);
    if (is_known && tail) {
        text_add(out, "<%.*s", (int)element.size, element.at);
        text_add_bytes(out, text_of(&copy), copy.size);
        text_add(out, is_whole ? "/>" : ">");
        *depth += !is_whole;
    }
    text_free(&copy);
    if (!tail) return end;
    return is_known || is_whole ? tail + 1 : skip_element(element, tail + 1, end);
}

int svg_add(struct text *out, const char *bytes, size_t size)
{
    const char *const end = bytes + size;
    const char *at = size ? memmem(bytes, size, "<svg", 4) : NULL;
    const size_t before = out->size;
    int depth = 0, opened = 0;
    while (at && at < end && (depth > 0 || !opened)) {
        if (*at == '<') {
            at = add_tag(out, at, end, &depth);
            opened = 1;
        } else {
            if (*at) text_add_bytes(out, at, 1);
            at++;
        }
    }
    if (opened && depth == 0 && out->size > before) return 1;
    out->size = before;
    if (out->at) out->at[before] = 0;
    return 0;
}
