/* SPDX-License-Identifier: MIT
 * registry.c - gathers one table per kernel file; the list of files is made by the build. */
#include "kernels/kernel.h"
#include "kernels/base/mem.h"
#include <assert.h>
#include <ctype.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PLUGIN(file) extern const struct kernel kernels_##file[];
#include "gen/kernels.inc"
#undef PLUGIN

static const struct kernel *const tables[] = {
#define PLUGIN(file) kernels_##file,
#include "gen/kernels.inc"
#undef PLUGIN
    NULL
};
static const char *const files[] = {
#define PLUGIN(file) #file,
#include "gen/kernels.inc"
#undef PLUGIN
    NULL
};

static const char *const op_names[] = {
#define OP(name, ret, params, bound, meaning) #name,
#include "kernels/ops.def"
#undef OP
};
static const char *const op_meanings[] = {
#define OP(name, ret, params, bound, meaning) meaning,
#include "kernels/ops.def"
#undef OP
};

const char *kernel_op_name(enum kernel_op op) { return op_names[op]; }
const char *kernel_op_meaning(enum kernel_op op) { return op_meanings[op]; }

const char *kernel_kind_name(enum kernel_kind kind)
{
    static const char *const names[] = { "default", "same", "free", "baseline" };
    return names[kind];
}

enum kernel_op kernel_op_find(const char *name)
{
    int i = 0;
    while (i < OP_COUNT && strcmp(op_names[i], name) != 0) i++;
    return (enum kernel_op)i;
}

/* The ISA that ASSAY_ISA pretends this CPU stops at; read once. */
static enum isa pretended_isa(void)
{
    static _Atomic int kept; /* 1 + the ISA */
    int isa = atomic_load_explicit(&kept, memory_order_relaxed);
    if (!isa) {
        const char *name = getenv("ASSAY_ISA");
        const enum isa asked = name && *name ? isa_find(name) : ISA_COUNT;
        isa = 1 + (asked < ISA_COUNT ? (int)asked : ISA_COUNT - 1);
        atomic_store_explicit(&kept, isa, memory_order_relaxed);
    }
    return (enum isa)(isa - 1);
}

int kernel_runnable(const struct kernel *k) { return k->isa <= pretended_isa() && (k->needs & ~cpu_features()) == 0; }

/* The rows of one table share their ISA, so a walk in ISA order is a walk over the tables. */
const struct kernel *kernel_next(enum kernel_op op, const struct kernel *prev)
{
    int seen = prev == NULL;
    for (int isa = prev ? (int)prev->isa : 0; isa < ISA_COUNT; isa++)
        for (size_t t = 0; tables[t]; t++) {
            if (tables[t]->op != op || (int)tables[t]->isa != isa) continue;
            for (const struct kernel *k = tables[t]; k->op != OP_COUNT; k++) {
                if (seen) return k;
                seen = k == prev;
            }
        }
    return NULL;
}

int kernel_is_canonical(const struct kernel *k) { return k->kind == KERNEL_DEFAULT || k->kind == KERNEL_SAME; }

const struct kernel *const *kernel_tables(const char *const **names)
{
    *names = files;
    return tables;
}

int kernel_names_line(const struct kernel *k, const char *line)
{
    const size_t n = strlen(line);
    for (const char *at = k->lines; n && at && *at; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == n && strncmp(at, line, n) == 0) return 1;
    return 0;
}

/* Rows of one operation that name one line. */
static int lines_check(const struct kernel *const *at, const char *const *names, struct err *e)
{
    static const char *const lines[] = {
#define LINE(name, vendor, family, first, last) #name,
#include "kernels/line.def"
#undef LINE
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const struct kernel *seen[OP_COUNT] = { NULL };
        size_t from[OP_COUNT];
        for (size_t t = 0; at[t]; t++)
            for (const struct kernel *k = at[t]; k->op != OP_COUNT; k++) {
                if (!kernel_names_line(k, lines[i])) continue;
                if (seen[k->op])
                    return FAIL(e, ERR_FORMAT, "%s has two defaults for %s: %s of %s.c and %s of %s.c", kernel_op_name(k->op),
                                lines[i], seen[k->op]->variant, names[from[k->op]], k->variant, names[t]);
                seen[k->op] = k, from[k->op] = t;
            }
    }
    return ERR_OK;
}

int kernel_tables_check(const struct kernel *const *at, const char *const *names, struct err *e)
{
    const struct kernel *seen[OP_COUNT][ISA_COUNT] = { { NULL } };
    size_t from[OP_COUNT][ISA_COUNT];
    for (size_t t = 0; at[t]; t++)
        for (const struct kernel *k = at[t]; k->op != OP_COUNT; k++) {
            if (k->kind != KERNEL_DEFAULT) continue;
            const struct kernel *before = seen[k->op][k->isa];
            if (before)
                return FAIL(e, ERR_FORMAT, "%s=%s has two default rows: %s of %s.c and %s of %s.c", kernel_op_name(k->op),
                            isa_name(k->isa), before->variant, names[from[k->op][k->isa]], k->variant, names[t]);
            seen[k->op][k->isa] = k;
            from[k->op][k->isa] = t;
        }
    return lines_check(at, names, e);
}

const struct kernel *kernel_default(enum kernel_op op, enum isa cap, const char *line)
{
    const struct kernel *best = NULL;
    for (const struct kernel *k = kernel_next(op, NULL); k; k = kernel_next(op, k)) {
        if (k->isa > cap || !kernel_runnable(k)) continue;
        if (kernel_names_line(k, line)) return k;
        if (k->kind == KERNEL_DEFAULT && (!best || k->isa > best->isa)) best = k;
    }
    return best;
}

/* "AVX512F AVX512BW": the features in `needs` that this CPU lacks. */
static void missing_features(uint32_t needs, struct text *out)
{
    const uint32_t lacks = needs & ~cpu_features();
    for (int bit = 0; bit < CPU_BIT_COUNT; bit++)
        if (lacks >> bit & 1) text_add(out, "%s%s", out->size ? " " : "", cpu_feature_name(bit));
}

static int refuse(const char *asked, uint32_t needs, struct err *e)
{
    struct text lacks = { 0 };
    missing_features(needs, &lacks);
    if (needs & CPU_AMXTILE && cpu_amx_refused()) text_add(&lacks, ": the system grants no state for tiles (arch_prctl)");
    const int code = FAIL(e, ERR_UNSUPPORTED, "kernel %s: this CPU lacks %s", asked,
                          lacks.size ? text_of(&lacks) : "it, says ASSAY_ISA");
    text_free(&lacks);
    return code;
}

static int unknown_isa(const char *name, struct err *e)
{
    const char *names[ISA_COUNT];
    for (int i = 0; i < ISA_COUNT; i++) names[i] = isa_name((enum isa)i);
    return FAIL(e, ERR_ARG, "no instruction set '%s'%s", name, NEAREST(name, names, ISA_COUNT));
}

/* Every operation at or below `cap`, which must be runnable: some row of it shows its needs. */
static int apply_cap(struct kernel_set *set, const char *name, struct err *e)
{
    const enum isa cap = isa_find(name);
    if (cap == ISA_COUNT) return unknown_isa(name, e);
    int rows = 0, runnable = 0;
    uint32_t needs = 0;
    for (int op = 0; op < OP_COUNT; op++)
        for (const struct kernel *k = kernel_next((enum kernel_op)op, NULL); k;
             k = kernel_next((enum kernel_op)op, k)) {
            if (k->isa != cap) continue;
            rows++;
            runnable += kernel_runnable(k);
            needs |= k->needs;
        }
    if (rows == 0) return FAIL(e, ERR_UNSUPPORTED, "kernel %s: no kernels of it in this build", name);
    if (!runnable) return refuse(name, needs, e);
    for (int op = 0; op < OP_COUNT; op++) set->of[op] = kernel_default((enum kernel_op)op, cap, cpu_line());
    return ERR_OK;
}

static int apply_row(struct kernel_set *set, char *item, char *equals, struct err *e)
{
    char asked[128];
    snprintf(asked, sizeof asked, "%s", item);
    *equals = 0;
    char *isa_text = equals + 1, *variant = strchr(isa_text, '/');
    if (variant) *variant++ = 0;
    const enum kernel_op op = kernel_op_find(item);
    if (op == OP_COUNT)
        return FAIL(e, ERR_ARG, "no operation '%s'%s", item, NEAREST(item, op_names, OP_COUNT));
    const enum isa isa = isa_find(isa_text);
    if (isa == ISA_COUNT) return unknown_isa(isa_text, e);
    const char *names[64];
    size_t known = 0;
    for (const struct kernel *k = kernel_next(op, NULL); k; k = kernel_next(op, k)) {
        if (k->isa != isa) continue;
        if (known < sizeof names / sizeof *names) names[known++] = k->variant;
        if (variant ? strcmp(k->variant, variant) != 0 : k->kind != KERNEL_DEFAULT) continue;
        if (!kernel_runnable(k)) return refuse(asked, k->needs, e);
        set->of[op] = k;
        return ERR_OK;
    }
    if (known == 0)
        return FAIL(e, ERR_UNSUPPORTED, "kernel %s: %s has no %s kernels in this build", asked, item, isa_text);
    if (!variant) return FAIL(e, ERR_ARG, "kernel %s: no default row there; name a variant", asked);
    return FAIL(e, ERR_ARG, "kernel %s: no such variant%s", asked, NEAREST(variant, names, known));
}

enum { REQUEST_MOST = 4096 };

/* The requests in a file, a line each or several; what follows # on a line is for people. */
static int read_request(const char *path, char out[REQUEST_MOST], struct err *e)
{
    unsigned char *bytes = NULL;
    size_t size = 0, used = 0;
    const int status = mem_read_file(&bytes, &size, path, e);
    if (status != ERR_OK) return status;
    int remark = 0;
    for (size_t i = 0; i < size && used < REQUEST_MOST; i++) {
        const char c = (char)bytes[i];
        if (c == '#') remark = 1;
        if (c == '\n') remark = 0;
        if (remark || (isspace((unsigned char)c) && used && out[used - 1] == ',')) continue;
        out[used++] = isspace((unsigned char)c) ? ',' : c;
    }
    mem_free(bytes);
    if (used == REQUEST_MOST) return FAIL(e, ERR_ARG, "kernel @%s: more than %d characters", path, REQUEST_MOST - 1);
    out[used] = 0;
    return ERR_OK;
}

int kernel_set_resolve(struct kernel_set *set, const char *spec, struct err *e)
{
    struct kernel_set wanted;
    const char *pretended = getenv("ASSAY_ISA");
    if (pretended && *pretended && isa_find(pretended) == ISA_COUNT) return unknown_isa(pretended, e);
    for (int op = 0; op < OP_COUNT; op++) {
        wanted.of[op] = kernel_default((enum kernel_op)op, (enum isa)(ISA_COUNT - 1), cpu_line());
        assert(wanted.of[op] != NULL); /* every operation has a scalar default */
    }
    char buffer[REQUEST_MOST];
    if (spec && *spec == '@') {
        const int status = read_request(spec + 1, buffer, e);
        if (status != ERR_OK) return status;
    } else {
        if (spec && strlen(spec) >= sizeof buffer)
            return FAIL(e, ERR_ARG, "kernel: a request of %zu characters, at most %zu", strlen(spec), sizeof buffer - 1);
        snprintf(buffer, sizeof buffer, "%s", spec ? spec : "");
    }
    char *save = NULL;
    for (char *item = strtok_r(buffer, ",;", &save); item; item = strtok_r(NULL, ",;", &save)) {
        if (strcmp(item, "auto") == 0) continue;
        char *equals = strchr(item, '=');
        const int status = equals ? apply_row(&wanted, item, equals, e) : apply_cap(&wanted, item, e);
        if (status != ERR_OK) return status;
    }
    *set = wanted;
    return ERR_OK;
}

void kernel_set_describe(const struct kernel_set *set, enum kernel_op op, struct text *out)
{
    const struct kernel *k = set->of[op];
    text_add(out, "%s%s=%s/%s", out->size ? ";" : "", kernel_op_name(op), isa_name(k->isa), k->variant);
}
