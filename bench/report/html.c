/* SPDX-License-Identifier: MIT
 * html.c - writes pieces of a page; the style and the script that every page has are report.css and report.js. */
#include "bench/report/html.h"
#include "datasets/sha256.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
#include "gen/report.css.inc"
    ;
static const char script[] =
#include "gen/report.js.inc"
    ;

void html_add(struct text *out, const char *s)
{
    for (const char *at = s; *at;) {
        const size_t plain = strcspn(at, "<>&\"");
        text_add_bytes(out, at, plain);
        at += plain;
        if (!*at) break;
        text_add(out, "%s", *at == '<' ? "&lt;" : *at == '>' ? "&gt;" : *at == '&' ? "&amp;" : "&quot;");
        at++;
    }
}

void html_json(struct text *out, const char *s)
{
    if (!strchr(s, '<')) {
        text_add_json(out, s);
        return;
    }
    struct text quoted = { 0 };
    text_add_json(&quoted, s);
    for (const char *at = text_of(&quoted); *at;) {
        const size_t plain = strcspn(at, "<");
        text_add_bytes(out, at, plain);
        at += plain;
        if (*at) text_add(out, "\\u003c"), at++;
    }
    text_free(&quoted);
}

int html_is_number(const char *cell, double *value)
{
    return *cell && cell[strspn(cell, "0123456789+-.eE")] == 0 && text_to_f64(cell, value) && isfinite(*value);
}

/* Halves go away from zero: where printf and JavaScript would round them otherwise, neither meets one.  report.js does the
 * same, to the bit. */
static double nudged(double value) { return value * (1 + 4e-16); }

void html_number(struct text *out, double value)
{
    if (isnan(value)) return;
    text_add(out, fabs(value) >= 1000 ? "%.0f" : "%.4g", nudged(value));
}

void html_cell(struct text *out, const char *cell)
{
    double value;
    if (html_is_number(cell, &value) && value != floor(value)) html_number(out, value);
    else html_add(out, cell);
}

void html_value(struct text *out, struct value v, int digits)
{
    const double parts[] = { v.at, v.lo, v.hi };
    const char *const before[] = { "", " [", ", " };
    const int count = isfinite(v.lo) && isfinite(v.hi) ? 3 : 1;
    for (int i = 0; i < count; i++) {
        text_add(out, "%s", before[i]);
        if (digits) text_add(out, "%.*f", digits, parts[i]);
        else html_number(out, parts[i]);
    }
    if (count > 1) text_add(out, "]");
}

void html_count(struct text *out, const char *cell)
{
    const size_t size = strlen(cell);
    if (strspn(cell, "0123456789") < size) {
        html_add(out, cell);
        return;
    }
    for (size_t i = 0; i < size; i++) text_add(out, i && (size - i) % 3 == 0 ? ",%c" : "%c", cell[i]);
}

void html_phrase(struct text *out, const char *column, const char *k)
{
    static const char of_labels[] = "labels: ";
    const char *label = figure_label(column);
    const size_t size = strlen(label);
    if (strncmp(label, of_labels, strlen(of_labels)) == 0) html_add(out, label + strlen(of_labels));
    else if (size > 2 && strcmp(label + size - 2, "@k") == 0) {
        text_add(out, "%.*s", (int)size - 1, label);
        html_add(out, k);
    } else
        html_add(out, label);
}

void html_label(struct text *out, const char *column) { html_add(out, figure_label(column)); }

/* 'sha256-...' of a text, as a policy has it: the hash in base 64. */
static void add_hash(struct text *out, const char *what, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char hex[65];
    unsigned char hash[33] = { 0 };
    sha256_hex(what, size, hex);
    for (int i = 0; i < 32; i++) {
        const char pair[3] = { hex[2 * i], hex[2 * i + 1], 0 };
        hash[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    text_add(out, "'sha256-");
    for (int i = 0; i < 33; i += 3) {
        const unsigned bits = (unsigned)hash[i] << 16 | (unsigned)hash[i + 1] << 8 | hash[i + 2];
        const char four[4] = { digits[bits >> 18], digits[bits >> 12 & 63], digits[bits >> 6 & 63],
                               i == 30 ? '=' : digits[bits & 63] };
        text_add_bytes(out, four, 4);
    }
    text_add(out, "'");
}

void html_open(struct text *out, const char *title)
{
    text_add(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src ");
    add_hash(out, style, sizeof style - 1);
    text_add(out, "; script-src ");
    add_hash(out, script, sizeof script - 1);
    text_add(out, "; base-uri 'none'; form-action 'none'\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    html_add(out, title);
    text_add(out, "</title>\n<style>");
    text_add_bytes(out, style, sizeof style - 1);
    text_add(out, "</style>\n</head>\n<body>\n");
}

void html_close(struct text *out)
{
    text_add(out, "<script>");
    text_add_bytes(out, script, sizeof script - 1);
    text_add(out, "</script>\n</body></html>\n");
}
