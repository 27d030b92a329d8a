/* SPDX-License-Identifier: MIT
 * text.h - a growing string, hashes, strict number parsing, and the nearest of some names. */
#ifndef ASSAY_TEXT_H
#define ASSAY_TEXT_H
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialise; owns `at`.  After an allocation fails, `failed` stays 1 and nothing is added:
 * check it once at the end. */
struct text {
    char *at;
    size_t size, room;
    int failed;
};
void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *t, const void *bytes, size_t size);
static inline const char *text_of(const struct text *t) { return t->at ? t->at : ""; }
void text_clear(struct text *t); /* size 0, keeps the room */
void text_free(struct text *t);
/* Appends the text as a JSON string, quotes and escapes included: every control character is an escape, and every byte
 * that is no part of UTF-8 is U+FFFD, so that any text is valid JSON. */
void text_add_json(struct text *t, const char *value);

/* Appends the text without what a terminal would obey: '?' for every control character (U+0000..001F, 007F..009F) and
 * every byte that is no part of UTF-8. */
void text_add_plain(struct text *t, const char *value);
const char *text_plain(struct text *t, const char *value); /* makes t that, and nothing else; text_of(t) */
void text_add_plain_lines(struct text *t, const char *value); /* the same of every line */

/* Numbers are read and written with a point, whatever the program that we are loaded into has set: between these two the
 * thread is in the C locale.  text_add, err_set and what reads numbers here do so by themselves. */
locale_t text_c_locale(void);
void text_host_locale(locale_t before);
double text_strtod(const char *s, char **end); /* strtod in the C locale */

/* The whole of `s` as a number: 1, or 0 when it is not one (empty, trailing bytes, overflow). */
int text_to_i64(const char *s, int64_t *out);
/* The same, and 0 unless it is spelt as it would be printed: neither "007" nor "+7". */
int text_is_i64(const char *s, int64_t *out);
int text_to_f64(const char *s, double *out); /* accepts inf and -inf, refuses nan */

/* What a message about an unknown name ends with: "; nearest is 'x'", or, when no name is within a few letters
 * of it, "; there are a, b, c" as far as they fit.  NEAREST(...) brings its own storage, of the calling block. */
struct hint { char text[192]; };
const char *text_hint(struct hint *out, const char *wanted, const char *const *names, size_t count);
#define NEAREST(wanted, names, count) text_hint(&(struct hint){ { 0 } }, (wanted), (names), (count))

/* 64-bit content hash, the same on every machine; chain by passing the last result as seed.
 * For identity and staleness, not for security. */
uint64_t hash64(uint64_t seed, const void *bytes, size_t size);
/* CRC-32 (IEEE 802.3, reflected 0xedb88320); start with 0. */
uint32_t crc32_of(uint32_t crc, const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif
#endif
