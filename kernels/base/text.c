/* SPDX-License-Identifier: MIT
 * text.c - strings that grow, hashes and checksums, numbers that must parse whole, and the nearest of some names. */
#include "kernels/base/text.h"
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int reserve(struct text *t, size_t more)
{
    if (t->failed) return 0;
    if (t->room - t->size > more) return 1;
    size_t room = (t->size + more + 1) * 2;
    char *at = realloc(t->at, room);
    if (!at) return t->failed = 1, 0;
    t->at = at;
    t->room = room;
    return 1;
}

void text_add(struct text *t, const char *fmt, ...)
{
    const locale_t host = text_c_locale();
    va_list ap;
    va_start(ap, fmt);
    const int need = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (need >= 0 && reserve(t, (size_t)need)) {
        va_start(ap, fmt);
        vsnprintf(t->at + t->size, (size_t)need + 1, fmt, ap);
        va_end(ap);
        t->size += (size_t)need;
    }
    text_host_locale(host);
}

void text_add_bytes(struct text *t, const void *bytes, size_t size)
{
    if (!reserve(t, size)) return;
    if (size) memcpy(t->at + t->size, bytes, size);
    t->size += size;
    t->at[t->size] = 0;
}

void text_clear(struct text *t)
{
    t->size = 0;
    if (t->at) t->at[0] = 0;
}

void text_free(struct text *t)
{
    free(t->at);
    *t = (struct text){ 0 };
}

/* Bytes of the character that a text begins with, its number in *code; 0: these bytes are no UTF-8 (RFC 3629, which has
 * no longer spelling than needed, no surrogates, nothing above U+10FFFF). */
static size_t next_character(const unsigned char *at, uint32_t *code)
{
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    const size_t size = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : at[0] >> 3 == 30 ? 4 : 0;
    *code = size == 1 ? at[0] : at[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (at[i] >> 6 != 2) return 0;
        *code = *code << 6 | (at[i] & 0x3f);
    }
    return size && *code >= least[size] && *code <= 0x10ffff && *code >> 11 != 0x1b ? size : 0;
}

static int is_control(uint32_t code) { return code < 0x20 || (code >= 0x7f && code <= 0x9f); }

/* Appends the letters that a text begins with and that need no look at all; how many. */
static size_t add_letters(struct text *t, const unsigned char *at)
{
    size_t size = 0;
    while (at[size] >= 0x20 && at[size] < 0x7f && at[size] != '"' && at[size] != '\\') size++;
    if (size) text_add_bytes(t, at, size);
    return size;
}

static void add_plain(struct text *t, const char *value, uint32_t spared)
{
    uint32_t code;
    for (const unsigned char *at = (const unsigned char *)value; *(at += add_letters(t, at));) {
        const size_t size = next_character(at, &code);
        if (size == 0 || (is_control(code) && code != spared)) text_add_bytes(t, "?", 1);
        else text_add_bytes(t, at, size);
        at += size ? size : 1;
    }
}

void text_add_plain(struct text *t, const char *value) { add_plain(t, value, 0); }
void text_add_plain_lines(struct text *t, const char *value) { add_plain(t, value, '\n'); }

const char *text_plain(struct text *t, const char *value)
{
    text_clear(t);
    text_add_plain(t, value);
    return text_of(t);
}

void text_add_json(struct text *t, const char *value)
{
    uint32_t code;
    text_add_bytes(t, "\"", 1);
    for (const unsigned char *c = (const unsigned char *)value; *(c += add_letters(t, c));) {
        const size_t size = next_character(c, &code);
        if (size == 0) text_add_bytes(t, "\\ufffd", 6);
        else if (code == '"' || code == '\\') text_add(t, "\\%c", (int)code);
        else if (code == '\n') text_add_bytes(t, "\\n", 2);
        else if (code == '\t') text_add_bytes(t, "\\t", 2);
        else if (is_control(code)) text_add(t, "\\u%04x", code);
        else text_add_bytes(t, c, size);
        c += size ? size : 1;
    }
    text_add_bytes(t, "\"", 1);
}

static locale_t c_locale;
static void make_c_locale(void) { c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

locale_t text_c_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_c_locale);
    return c_locale ? uselocale(c_locale) : uselocale((locale_t)0);
}

void text_host_locale(locale_t before) { uselocale(before); }

double text_strtod(const char *s, char **end)
{
    const locale_t before = text_c_locale();
    const int why = errno;
    errno = 0;
    const double value = strtod(s, end);
    const int range = errno;
    text_host_locale(before);
    errno = range ? range : why;
    return value;
}

int text_to_i64(const char *s, int64_t *out)
{
    char *end;
    errno = 0;
    const long long value = strtoll(s, &end, 10);
    if (end == s || *end || errno || s[0] == ' ') return 0;
    *out = value;
    return 1;
}

int text_is_i64(const char *s, int64_t *out)
{
    char printed[32];
    int64_t value;
    if (!text_to_i64(s, &value)) return 0;
    snprintf(printed, sizeof printed, "%lld", (long long)value);
    if (strcmp(printed, s) != 0) return 0;
    *out = value;
    return 1;
}

int text_to_f64(const char *s, double *out)
{
    char *end;
    errno = 0;
    const double value = text_strtod(s, &end);
    if (end == s || *end || isnan(value) || s[0] == ' ') return 0;
    if (errno == ERANGE && isinf(value)) return 0;
    *out = value;
    return 1;
}

/* Levenshtein distance of the first 63 characters. */
static size_t edit_distance(const char *a, const char *b)
{
    enum { MAX = 63 };
    size_t row[MAX + 1];
    const size_t na = strnlen(a, MAX), nb = strnlen(b, MAX);
    for (size_t j = 0; j <= nb; j++) row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            const size_t up = row[j], replaced = diagonal + (a[i - 1] != b[j - 1]);
            size_t best = up + 1 < row[j - 1] + 1 ? up + 1 : row[j - 1] + 1;
            row[j] = best < replaced ? best : replaced;
            diagonal = up;
        }
    }
    return row[nb];
}

/* A beginning is nearest: 'turbo' means turboquant, however many letters are missing. */
static size_t distance(const char *wanted, const char *name)
{
    return *wanted && strncmp(name, wanted, strlen(wanted)) == 0 ? 1 : edit_distance(wanted, name);
}

/* One letter, and one more in every four: beyond that a name has nothing to do with the other. */
static int is_near(const char *wanted, const char *name)
{
    return distance(wanted, name) <= 1 + strlen(wanted) / 4 && distance(wanted, name) < strlen(wanted);
}

const char *text_hint(struct hint *out, const char *wanted, const char *const *names, size_t count)
{
    size_t best = 0, used = 0;
    out->text[0] = 0;
    for (size_t i = 1; i < count; i++)
        if (distance(wanted, names[i]) < distance(wanted, names[best])) best = i;
    if (count > 0 && is_near(wanted, names[best])) {
        snprintf(out->text, sizeof out->text, "; nearest is '%s'", names[best]);
        return out->text;
    }
    for (size_t i = 0; i < count; i++) {
        const char *before = i ? ", " : count == 1 ? "; there is " : "; there are ";
        if (used + strlen(before) + strlen(names[i]) + sizeof ", ..." > sizeof out->text) {
            snprintf(out->text + used, sizeof out->text - used, "%s", i ? ", ..." : "");
            break;
        }
        used += (size_t)snprintf(out->text + used, sizeof out->text - used, "%s%s", before, names[i]);
    }
    return out->text;
}

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9fb21c651e98df25u;
    return h ^ h >> 32;
}

uint64_t hash64(uint64_t seed, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    uint64_t h = mix(seed ^ 0x243f6a8885a308d3u, size);
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, p + i, 8); /* little endian, as all our targets are */
        h = mix(h, word);
    }
    uint64_t tail = 0;
    for (int shift = 0; i < size; i++, shift += 8) tail |= (uint64_t)p[i] << shift;
    return mix(mix(h, tail), 0x13198a2e03707344u);
}

/* Eight bytes a step (Kounavis & Berry 2008, "slicing"): five times as fast as by nibbles, once its 8 KiB of
 * tables are made, which costs a few microseconds. */
static uint32_t crc32_sliced(uint32_t crc, const unsigned char *p, size_t steps)
{
    uint32_t table[8][256];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++) c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
        table[0][i] = c;
    }
    for (int t = 1; t < 8; t++)
        for (int i = 0; i < 256; i++) table[t][i] = table[t - 1][i] >> 8 ^ table[0][table[t - 1][i] & 255];
    for (; steps > 0; steps--, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        word ^= crc;
        crc = 0;
        for (int t = 0; t < 8; t++) crc ^= table[7 - t][word >> 8 * t & 255];
    }
    return crc;
}

uint32_t crc32_of(uint32_t crc, const void *bytes, size_t size)
{
    static const uint32_t nibble[16] = { /* nibble[i] = i stepped four times through 0xedb88320 */
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    enum { SLICED_FROM = 1 << 14 };
    const unsigned char *p = bytes;
    size_t i = 0;
    crc = ~crc;
    if (size >= SLICED_FROM) {
        crc = crc32_sliced(crc, p, size / 8);
        i = size / 8 * 8;
    }
    for (; i < size; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ nibble[crc & 15];
        crc = crc >> 4 ^ nibble[crc & 15];
    }
    return ~crc;
}
