/* SPDX-License-Identifier: MIT
 * count_out.c - counted instructions by class, as lines of CSV, and as the loop that most of them were executed in. */
#include "bench/micro/count.h"
#include "bench/micro/code.h"
#include <stdlib.h>
#include <string.h>

static const char *const class_names[] = { "load", "store", "fma", "shuffle", "dot", "branch" };

const char *count_class_name(enum count_class c) { return class_names[c]; }

static int starts(const char *text, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (strncmp(text, words[i], strlen(words[i])) == 0) return 1;
    return 0;
}

/* Where the last operand begins: behind the last comma outside brackets. */
static const char *last_operand(const char *text)
{
    const char *last = text + strcspn(text, " ");
    int depth = 0;
    for (const char *c = last; *c; c++) {
        depth += (*c == '(') - (*c == ')');
        if (*c == ',' && depth == 0) last = c + 1;
    }
    return last;
}

unsigned count_classes_of(const char *text)
{
    static const char *const branches[] = { "j", "call", "ret", "loop", NULL };
    static const char *const fmas[] = { "vfmadd", "vfnmadd", "vfmsub", "vfnmsub", NULL };
    static const char *const dots[] = { "vpdp", "vpmaddubsw", "vpmaddwd", "vdpbf16ps", "vdpphps", "tdp", NULL };
    static const char *const shuffles[] = { "vperm", "vpshuf", "vshuf", "vunpck", "vpunpck", "vpalignr", "valign", "vinsert",
                                            "vpinsr", "vextract", "vpextr", "vpbroadcast", "vbroadcast", "vpcompress",
                                            "vcompress", "vpexpand", "vexpand", "vpmovzx", "vpmovsx", "vpmultishift", NULL };
    static const char *const reads[] = { "cmp", "test", "bt", "vptest", "vucomis", "vcomis", "vtest", NULL };
    static const char *const moves[] = { "mov", "vmov", "vextract", "vpextr", "set", "vpcompress", "vcompress", "vpmov",
                                         "vcvtps2ph", "vpscatter", "vscatter", "tilestored", "push", NULL };
    static const char *const neither[] = { "lea", "prefetch", "nop", NULL };
    unsigned classes = starts(text, branches) << COUNT_BRANCH | starts(text, fmas) << COUNT_FMA |
                       starts(text, dots) << COUNT_DOT | starts(text, shuffles) << COUNT_SHUFFLE;
    if (strncmp(text, "push", 4) == 0 || strncmp(text, "call", 4) == 0) return classes | 1u << COUNT_STORE;
    if (strncmp(text, "pop ", 4) == 0 || strncmp(text, "ret", 3) == 0) return classes | 1u << COUNT_LOAD;
    if (!strchr(text, '(') || starts(text, neither)) return classes;
    const int writes = strchr(last_operand(text), '(') && !starts(text, reads);
    if (writes) classes |= 1u << COUNT_STORE;
    if (!writes || !starts(text, moves)) classes |= 1u << COUNT_LOAD;
    return classes;
}

/* Lines from..to of the innermost loop with most instructions; 0 when there is none. */
static int hottest_loop(const struct count *c, size_t *from, size_t *to)
{
    uint64_t most = 0;
    size_t inner = 0; /* behind the last loop seen: a loop that begins before it holds it */
    for (size_t i = 0; i < c->line_count; i++) {
        const uint64_t target = code_target(c->lines[i].text, "j");
        if (!target || target > c->lines[i].at) continue;
        size_t start = i;
        while (start > 0 && c->lines[start - 1].at >= target) start--;
        if (c->lines[start].at != target || start < inner) continue;
        inner = i + 1;
        uint64_t sum = 0;
        for (size_t j = start; j <= i; j++) sum += c->lines[j].times;
        if (sum <= most) continue;
        most = sum;
        *from = start, *to = i;
    }
    return most > 0;
}

void count_asm(const struct count *c, struct text *out)
{
    size_t from, to;
    uint64_t sum = 0;
    if (!hottest_loop(c, &from, &to)) {
        text_add(out, c->line_count && c->lines[0].text[0] ? "no loop: its instructions stand in a row\n"
                                                           : "objdump (binutils) is not installed: no text\n");
        return;
    }
    for (size_t i = from; i <= to; i++) sum += c->lines[i].times;
    text_add(out, "the loop with most of them: %llu of %llu instructions\n%12s  %s\n", (unsigned long long)sum,
             (unsigned long long)c->instructions, "times", "instruction");
    for (size_t i = from; i <= to; i++) {
        text_add(out, "%12llu  %s\n", (unsigned long long)c->lines[i].times, c->lines[i].text);
    }
}

const char *count_compiler(void)
{
#ifdef __clang__
#define COUNT_TEXT_(x) #x
#define COUNT_TEXT(x) COUNT_TEXT_(x)
    return "clang-" COUNT_TEXT(__clang_major__) "." COUNT_TEXT(__clang_minor__) "." COUNT_TEXT(__clang_patchlevel__);
#else
    return "gcc-" __VERSION__;
#endif
}

void count_csv_head(struct text *out)
{
    text_add(out, "op,kernel,dim,bits,batch,rows,instructions,library");
    for (int i = 0; i < COUNT_CLASSES; i++) text_add(out, ",%s", class_names[i]);
    text_add(out, "\n");
}

static void add_key(const struct kernel *k, const struct count *c, struct text *out)
{
    const struct workload_shape *s = &c->facts.shape;
    text_add(out, "%s,%s/%s,%zu,%d,%zu,%zu,", kernel_op_name(k->op), isa_name(k->isa), k->variant, s->dim, s->bits, s->batch,
             s->rows);
}

void count_csv(const struct kernel *k, const struct count *c, struct text *out)
{
    add_key(k, c, out);
    text_add(out, "%llu,%llu", (unsigned long long)c->instructions, (unsigned long long)c->library);
    for (int i = 0; i < COUNT_CLASSES; i++) text_add(out, ",%llu", (unsigned long long)c->of[i]);
    text_add(out, "\n");
}

uint64_t count_committed(const char *csv, const struct kernel *k, const struct count *c)
{
    struct text key = { 0 };
    text_add(&key, "\n");
    add_key(k, c, &key);
    const char *line = strstr(csv, text_of(&key));
    const uint64_t found = line ? strtoull(line + key.size, NULL, 10) : 0;
    text_free(&key);
    return found;
}
