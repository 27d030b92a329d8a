/* SPDX-License-Identifier: MIT
 * canvas.c - sizes of figures, widths of texts, and the statements that put them down. */
#include "bench/rows/canvas.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <string.h>

/* 84 and 174 mm are the columns of Springer, Elsevier and ACM within a millimetre; 8 pt is what they ask for at least. */
#define MM_PT 2.834645669
const struct canvas_size canvas_sizes[] = {
    { "screen", "760 wide, for a page", 760, 13, 0.58, 2, 0 },
    { "phone", "360 wide, for a page on a telephone", 360, 13, 0.85, 2, 0 },
    { "one-column", "84 mm, 8 pt, and a LaTeX picture", 84 * MM_PT, 8, 0.72, 4, 1 },
    { "two-column", "174 mm, 8 pt, and a LaTeX picture", 174 * MM_PT, 8, 0.5, 3, 1 },
    { 0 },
};

const struct canvas_size *canvas_size_find(const char *name, struct err *e)
{
    const char *names[sizeof canvas_sizes / sizeof *canvas_sizes];
    size_t count = 0;
    for (; canvas_sizes[count].name; count++) {
        names[count] = canvas_sizes[count].name;
        if (strcmp(name, names[count]) == 0) return &canvas_sizes[count];
    }
    FAIL(e, ERR_ARG, "--size %s: no such size (screen, phone, one-column, two-column)%s", name, NEAREST(name, names, count));
    return NULL;
}

void canvas_fini(struct canvas *c)
{
    text_free(&c->script);
    mem_free(c->boxes);
    *c = (struct canvas){ 0 };
}

double canvas_width(const struct canvas_size *s, const char *text)
{
    double ems = 0;
    for (; *text; text++) {
        if ((*text & 0xc0) == 0x80) continue; /* the rest of a character of UTF-8 */
        ems += strchr("iljI.,:;'|!()[] ft-", *text) ? 0.40 : strchr("mwMW@%+=<>~#", *text) ? 0.95
               : *text >= 'A' && *text <= 'Z' ? 0.74 : 0.64;
    }
    return ems * s->font;
}

double canvas_line(const struct canvas_size *s) { return 1.45 * s->font; }

void canvas_cut(const struct canvas_size *s, const char *text, double room, char *out, size_t size)
{
    size_t used = strlen(text);
    snprintf(out, size, "%s", text);
    while (used > 4 && canvas_width(s, out) > room) snprintf(out, size, "%.*s..", (int)--used, text);
}

struct canvas_box canvas_text_box(const struct canvas_size *s, const char *text, double x, double y, enum canvas_hold hold)
{
    const double width = canvas_width(s, text), half = 0.6 * s->font;
    const double left = hold == HOLD_LEFT ? x : hold == HOLD_RIGHT ? x - width : x - width / 2;
    return (struct canvas_box){ left, left + width, y - half, y + half };
}

void canvas_take(struct canvas *c, struct canvas_box box)
{
    if (!mem_extend(&c->boxes, c->box_count, c->box_count + 1, sizeof *c->boxes)) c->failed = 1;
    else c->boxes[c->box_count++] = box;
}

int canvas_is_free(const struct canvas *c, struct canvas_box b)
{
    if (b.left < 1 || b.bottom < 1 || b.right > c->size->width - 1 || b.top > c->height - 1) return 0;
    for (size_t i = 0; i < c->box_count; i++) {
        const struct canvas_box o = c->boxes[i];
        if (b.left < o.right && o.left < b.right && b.bottom < o.top && o.bottom < b.top) return 0;
    }
    return 1;
}

void canvas_quote(struct text *out, const char *text, int latex)
{
    text_add(out, "\"");
    for (; *text; text++) {
        if (latex && strchr("_&%#${}", *text)) text_add(out, "\\\\%c", *text);
        else if (latex && strchr("<>|", *text)) text_add(out, "$%c$", *text);
        else if (latex && strchr("~^\\", *text)) text_add(out, "\\\\char`\\\\%c{}", *text);
        else if (strchr("\"\\", *text)) text_add(out, "\\%c", *text);
        else text_add_bytes(out, text, 1);
    }
    text_add(out, "\"");
}

/* "screen X, screen Y" of a place in units. */
static void place(struct canvas *c, double x, double y)
{
    text_add(&c->script, "screen %.5f, screen %.5f", x / c->size->width, y / c->height);
}

void canvas_add(struct canvas *c, const char *text, double x, double y, enum canvas_hold hold, enum canvas_ink ink)
{
    static const char *const holds[] = { "left", "center", "right" };
    static const char *const inks[] = { "#202020", "#606060" };
    if (!*text) return;
    text_add(&c->script, "set label ");
    canvas_quote(&c->script, text, c->latex);
    text_add(&c->script, " at ");
    place(c, x, y);
    if (ink >= INK_STYLE) text_add(&c->script, " %s front tc rgb colour_of(%d); ", holds[hold], (int)ink - INK_STYLE + 1);
    else text_add(&c->script, " %s front tc rgb \"%s\"; ", holds[hold], inks[ink]);
    canvas_take(c, canvas_text_box(c->size, text, x, y, hold));
}

void canvas_rule(struct canvas *c, double x1, double y1, double x2, double y2, int style)
{
    text_add(&c->script, "set arrow from ");
    place(c, x1, y1);
    text_add(&c->script, " to ");
    place(c, x2, y2);
    if (style) text_add(&c->script, " nohead front lt %d; ", style);
    else text_add(&c->script, " nohead lt 1 lc rgb \"#b0b0b0\" lw 0.6; ");
}

void canvas_mark(struct canvas *c, double x, double y, int type, int style)
{
    text_add(&c->script, "set label \"\" at ");
    place(c, x, y);
    text_add(&c->script, " point lt %d pt %d ps 1; ", style, type);
}

void canvas_sample(struct canvas *c, double x, double y, int line, int point)
{
    const double half = 1.3 * c->size->font;
    if (line) canvas_rule(c, x - half, y, x + half, y, line);
    if (!point) return;
    text_add(&c->script, "set label \"\" at ");
    place(c, x, y);
    text_add(&c->script, " point lt %d ps 1; ", point);
}
