/* SPDX-License-Identifier: MIT
 * intake.c - the one rule for files that people bring: lines, fields, ids, and what is left out of them. */
#include "datasets/intake.h"
#include <ctype.h>
#include <string.h>

/* --- lines ---------------------------------------------------------------------------------- */
int lines_open(struct lines *l, const char *path, struct err *e)
{
    struct lines made = { .path = path };
    const int status = mem_map_open(&made.map, path, e);
    if (status != ERR_OK) return status;
    made.at = (const char *)made.map.at;
    made.end = made.at + made.map.size;
    const size_t size = made.map.size;
    if (size >= 2 && (memcmp(made.at, "\xff\xfe", 2) == 0 || memcmp(made.at, "\xfe\xff", 2) == 0)) {
        mem_map_close(&made.map);
        return line_bad(e, path, 1, NULL, NULL, "UTF-16, where UTF-8 is read");
    }
    if (size >= 3 && memcmp(made.at, "\xef\xbb\xbf", 3) == 0) made.at += 3;
    *l = made;
    return ERR_OK;
}

static int is_blank(const char *at, size_t size)
{
    while (size && (*at == ' ' || *at == '\t')) at++, size--;
    return size == 0;
}

char *lines_next(struct lines *l, int *status, struct err *e)
{
    while (*status == ERR_OK && l->at < l->end) {
        const char *line = l->at, *stop = memchr(line, '\n', (size_t)(l->end - line));
        size_t size = (size_t)((stop ? stop : l->end) - line);
        l->at += size + (stop != NULL);
        l->number++;
        if (size && line[size - 1] == '\r') size--;
        if (memchr(line, 0, size)) {
            *status = line_bad(e, l->path, l->number, NULL, NULL, "holds a zero byte, so it is no text");
            return NULL;
        }
        if (is_blank(line, size)) continue;
        text_clear(&l->one);
        text_add_bytes(&l->one, line, size);
        text_add_bytes(&l->one, "", 1);
        if (!l->one.failed) return l->one.at;
        *status = FAIL(e, ERR_MEM, "%s: no memory for line %zu", l->path, l->number);
    }
    return NULL;
}

void lines_close(struct lines *l)
{
    mem_map_close(&l->map);
    text_free(&l->one);
    *l = (struct lines){ 0 };
}

int line_bad(struct err *e, const char *path, size_t line, const char *field, const char *value, const char *why)
{
    enum { SHOWN = 80 };
    if (!field) return FAIL(e, ERR_FORMAT, "%s: line %zu: %s", path, line, why);
    if (!value) return FAIL(e, ERR_FORMAT, "%s: line %zu: \"%s\" %s", path, line, field, why);
    const size_t size = strlen(value);
    return FAIL(e, ERR_FORMAT, "%s: line %zu: \"%s\" is '%.*s%s': %s", path, line, field,
                (int)(size < SHOWN ? size : SHOWN), value, size > SHOWN ? "..." : "", why);
}

/* --- fields --------------------------------------------------------------------------------- */
enum { FIELD_ROOM = 32 };

/* Small letters and digits alone, so that "entityType" and "entity_type" are one. */
static size_t bare(char out[FIELD_ROOM], const char *field, size_t size)
{
    size_t kept = 0;
    for (size_t i = 0; i < size && kept < FIELD_ROOM - 1; i++)
        if (isalnum((unsigned char)field[i])) out[kept++] = (char)tolower((unsigned char)field[i]);
    out[kept] = 0;
    return kept;
}

/* Letters to change, drop, add or swap with the next one (Damerau's distance, no letter edited twice). */
static size_t slips(const char *a, size_t n, const char *b, size_t m)
{
    size_t rows[3][FIELD_ROOM + 1];
    for (size_t j = 0; j <= m; j++) rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t least = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < least) least = last[j] + 1;
            if (now[j - 1] + 1 < least) least = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < least)
                least = before[j - 2] + 1;
            now[j] = least;
        }
    }
    return rows[n % 3][m];
}

/* Two slips in a long name, one in a shorter one; in four letters no changed one ("test" is no "text"), in two none. */
static int is_slip(const char *field, size_t n, const char *known, size_t m)
{
    const size_t found = slips(field, n, known, m);
    if (found == 0) return 1;
    if (m >= 8) return found <= 2;
    if (m >= 5) return found == 1;
    if (m < 3 || found > 1) return 0;
    size_t same = 0;
    while (same < n && same < m && field[same] == known[same]) same++;
    const int changed = n == m && memcmp(field + same + 1, known + same + 1, m - same - 1) == 0;
    return !changed;
}

int field_is(const char *field, const char *known)
{
    const size_t size = strlen(field);
    for (const char *k = known; *k;) {
        const size_t n = strcspn(k, "|");
        if (n == size && memcmp(k, field, n) == 0) return 1;
        k += n + (k[n] == '|');
    }
    return 0;
}

const char *field_meant(const char *field, const char *known, char out[32])
{
    char wanted[FIELD_ROOM], name[FIELD_ROOM];
    if (field_is(field, known)) return NULL;
    const size_t n = bare(wanted, field, strlen(field));
    for (const char *k = known; *k;) {
        const size_t size = strcspn(k, "|"), m = bare(name, k, size);
        if (n && is_slip(wanted, n, name, m)) {
            snprintf(out, FIELD_ROOM, "%.*s", (int)size, k);
            return out;
        }
        k += size + (k[size] == '|');
    }
    return NULL;
}

/* --- ids ------------------------------------------------------------------------------------ */
const char *id_fault(const char *id, size_t size)
{
    if (size == 0) return "an id is not empty";
    for (size_t i = 0; i < size; i++)
        if (id[i] == '\t' || id[i] == '\n' || id[i] == '\r') return "an id holds no tab and no line end";
    return NULL;
}

int ids_add(struct ids *s, const char *id, size_t size, size_t *place, int *known, struct err *e)
{
    const size_t before = s->names.count;
    int64_t ignored;
    const int64_t at = names_add(&s->names, id, size);
    if (at == NAMES_NONE) return FAIL(e, ERR_MEM, "no memory for %zu ids", before);
    *place = (size_t)at;
    *known = (size_t)at < before;
    if (!*known && !s->words) s->words = !text_is_i64(names_at(&s->names, *place), &ignored);
    return ERR_OK;
}

int64_t ids_place(const struct ids *s, const char *id, size_t size) { return names_find(&s->names, id, size); }

int64_t ids_number(const struct ids *s, size_t place)
{
    int64_t number = s->first + (int64_t)place;
    if (!s->words) (void)text_is_i64(names_at(&s->names, place), &number);
    return number;
}

void ids_free(struct ids *s)
{
    names_free(&s->names);
    *s = (struct ids){ 0 };
}

/* --- what is left out ----------------------------------------------------------------------- */
int tally_add(struct tally *t, const char *what, uint64_t count, const char *first, struct err *e)
{
    const size_t before = t->what.count;
    if (count == 0) return ERR_OK;
    const int64_t at = names_add(&t->what, what, strlen(what));
    if (at == NAMES_NONE || !mem_one_more(&t->at, before, &t->room, sizeof *t->at))
        return FAIL(e, ERR_MEM, "no memory to count what is left out");
    if ((size_t)at == before) {
        t->at[at].count = 0;
        snprintf(t->at[at].first, sizeof t->at[at].first, "%s", first ? first : "");
    }
    t->at[at].count += count;
    return ERR_OK;
}

uint64_t tally_of(const struct tally *t, const char *what)
{
    const int64_t at = names_find(&t->what, what, strlen(what));
    return at == NAMES_NONE ? 0 : t->at[at].count;
}

void tally_text(const struct tally *t, const char *between, struct text *out)
{
    for (size_t i = 0; i < t->what.count; i++) {
        text_add(out, "%s%llu ", i ? between : "", (unsigned long long)t->at[i].count);
        text_add_plain(out, names_at(&t->what, i));
        if (!*t->at[i].first) continue;
        text_add(out, " (the first: ");
        text_add_plain(out, t->at[i].first);
        text_add(out, ")");
    }
}

void tally_free(struct tally *t)
{
    names_free(&t->what);
    mem_free(t->at);
    *t = (struct tally){ 0 };
}
