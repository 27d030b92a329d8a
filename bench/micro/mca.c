/* SPDX-License-Identifier: MIT
 * mca.c - finds the inner loop of a kernel in this program's own code, and asks llvm-mca what it costs. */
#include "bench/micro/mca.h"
#include "bench/micro/code.h"
#include "kernels/base/clock.h"
#include "kernels/base/mem.h"
#include "kernels/base/text.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INSTRUCTIONS_MOST = 20000, FUNCTIONS_MOST = 12, WINDOW_BYTES = 1 << 16, TURNS = 1000 };

double mca_ghz(void)
{
    enum { STEPS = 1 << 20 };
    double best = 0;
    for (int i = 0; i < 8; i++) { /* whatever interrupts only makes it slower */
        uint64_t x = 1;
        const uint64_t start = clock_ns();
        for (int s = 0; s < STEPS / 8; s++)
#if defined(__x86_64__)
            __asm__ volatile(
                "rol $7,%0\n rol $7,%0\n rol $7,%0\n rol $7,%0\n rol $7,%0\n rol $7,%0\n rol $7,%0\n rol $7,%0"
                : "+r"(x));
#elif defined(__aarch64__)
            __asm__ volatile("ror %0,%0,#7\n ror %0,%0,#7\n ror %0,%0,#7\n ror %0,%0,#7\n ror %0,%0,#7\n ror %0,%0,#7\n"
                             " ror %0,%0,#7\n ror %0,%0,#7" : "+r"(x));
#endif
        const double rate = (double)STEPS / (double)(clock_ns() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

struct instruction { uint64_t at; char text[112]; };
struct code {
    struct code_place place;
    struct instruction *list;
    size_t count;
    uint64_t functions[FUNCTIONS_MOST]; /* start addresses, in the file's terms */
    size_t function_count, from[FUNCTIONS_MOST + 1]; /* instructions of each */
    size_t symbols; /* seen while a function is read: one, until the next begins */
};

static void want_function(struct code *c, uint64_t at)
{
    for (size_t i = 0; i < c->function_count; i++)
        if (c->functions[i] == at) return;
    if (c->function_count < FUNCTIONS_MOST) c->functions[c->function_count++] = at;
}

/* One function: from its address to the next symbol. */
static void take_line(void *code, uint64_t at, const char *text)
{
    struct code *c = code;
    if (!text) c->symbols++;
    if (!text || c->symbols > 1 || c->count == INSTRUCTIONS_MOST || strncmp(text, "nop", 3) == 0 || strstr(text, "nopw")) return;
    struct instruction *in = &c->list[c->count++];
    in->at = at;
    snprintf(in->text, sizeof in->text, "%.111s", text);
    const uint64_t callee = code_target(text, "call");
    if (callee) want_function(c, callee);
}

static int read_function(struct code *c, uint64_t at, struct err *e)
{
    c->symbols = 0;
    return code_read(&c->place, at, at + WINDOW_BYTES, take_line, c, e);
}

/* Work of one instruction in the units of a ceiling; register width from the operand names. */
static double work_of(const char *text, enum ceiling kind)
{
    const double bytes = strstr(text, "%zmm") ? 64 : strstr(text, "%ymm") ? 32 : strstr(text, "%xmm") ? 16 : 0;
    static const struct { const char *word; enum ceiling kind; double per_byte; } words[] = {
        { "vfmadd", CEILING_FMA, 0.25 },    { "vfnmadd", CEILING_FMA, 0.25 },  { "vaddps", CEILING_FMA, 0.25 },
        { "vsubps", CEILING_FMA, 0.25 },    { "vpdpbusd", CEILING_INT8, 1 },   { "vpmaddubsw", CEILING_INT8, 1 },
        { "vpshufb", CEILING_SHUFFLE, 1 },  { "vpermb", CEILING_SHUFFLE, 1 },  { "vpopcnt", CEILING_POPCOUNT, 1 },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].kind == kind && strncmp(text, words[i].word, strlen(words[i].word)) == 0)
            return bytes * words[i].per_byte;
    return 0;
}

struct loop { size_t from, to; double work; };

/* Loops end in a jump back; innermost ones hold no other. */
static struct loop heaviest_loop(const struct code *c, enum ceiling kind)
{
    struct loop best = { 0 };
    for (size_t f = 0; f < c->function_count; f++) {
        size_t inner_end = c->from[f]; /* behind the last loop seen: a loop that begins before it holds it */
        for (size_t i = c->from[f]; i < c->from[f + 1]; i++) {
            const uint64_t to = code_target(c->list[i].text, "j");
            if (!to || to > c->list[i].at) continue;
            size_t start = i;
            while (start > c->from[f] && c->list[start - 1].at >= to) start--;
            if (c->list[start].at != to || start < inner_end) continue;
            inner_end = i + 1;
            struct loop l = { start, i, 0 };
            for (size_t j = start; j <= i; j++) l.work += work_of(c->list[j].text, kind);
            if (l.work > best.work) best = l;
        }
    }
    return best;
}

static int read_code(struct code *c, const struct kernel *k, struct err *e)
{
    const int found = code_find(k, &c->place, e);
    if (found != ERR_OK) return found;
    want_function(c, c->place.at);
    for (size_t f = 0; f < c->function_count; f++) { /* callees join the list while we walk it */
        c->from[f] = c->count;
        const int status = read_function(c, c->functions[f], e);
        if (status != ERR_OK) return status;
        c->from[f + 1] = c->count;
    }
    return ERR_OK;
}

/* Cycles of one turn into m, by ports alone and by the whole simulation; 0: refused. */
static int simulate(const char *path, const char *cpu, struct mca *m)
{
    char command[512], line[256];
    snprintf(command, sizeof command, "llvm-mca -mcpu=%s -iterations=%d '%s' 2>/dev/null", cpu, TURNS, path);
    FILE *f = popen(command, "r");
    if (!f) return 0;
    *m = (struct mca){ 0 };
    while (fgets(line, sizeof line, f)) {
        if (m->chained == 0) sscanf(line, "Total Cycles: %lf", &m->chained);
        if (m->ports == 0) sscanf(line, "Block RThroughput: %lf", &m->ports);
    }
    pclose(f);
    m->chained /= TURNS;
    return m->chained > 0 && m->ports > 0;
}

static int tool_version(char *out, size_t size)
{
    FILE *f = popen("llvm-mca --version 2>/dev/null", "r");
    char line[256];
    int found = 0;
    while (f && fgets(line, sizeof line, f)) {
        const char *version = strstr(line, "LLVM version ");
        if (version && !found) found = snprintf(out, size, "%.*s", (int)strcspn(version + 13, " \n"), version + 13);
    }
    if (f) pclose(f);
    return found > 0;
}

static int write_loop(const struct code *c, struct loop l, char *path, struct err *e)
{
    const int fd = mkstemp(path);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) return FAIL(e, ERR_IO, "%s: cannot be written", path);
    fputs(".Lturn:\n", f);
    for (size_t i = l.from; i <= l.to; i++) {
        const char *text = c->list[i].text;
        if (text[0] != 'j') fprintf(f, "%s\n", text);
        else fprintf(f, "%.*s .Lturn\n", (int)strcspn(text, " "), text);
    }
    return fclose(f) == 0 ? ERR_OK : FAIL(e, ERR_IO, "%s: cannot be written", path);
}

static int run_model(const struct code *c, struct loop l, struct mca *m, struct err *e)
{
    char version[32], path[] = "/tmp/assay-model-XXXXXX";
    if (!tool_version(version, sizeof version))
        return FAIL(e, ERR_UNSUPPORTED, "llvm-mca (Debian: llvm) is not installed");
    int status = write_loop(c, l, path, e);
    /* This CPU if the tool knows it; else the nearest model with AVX-512. */
    static const char *const cpus[] = { "native", "icelake-server", "skylake-avx512" };
    size_t i = 0;
    const size_t count = sizeof cpus / sizeof *cpus;
    while (status == ERR_OK && i < count && !simulate(path, cpus[i], m)) i++;
    unlink(path);
    if (status == ERR_OK && i == count)
        status = FAIL(e, ERR_UNSUPPORTED, "llvm-mca %s does not know these instructions", version);
    if (status == ERR_OK) snprintf(m->tool, sizeof m->tool, "llvm-mca %s %s", version, cpus[i]);
    return status;
}

int mca_predict(const struct kernel *k, const struct workload_facts *f, struct mca *out, struct err *e)
{
    enum ceiling kind = CEILING_FMA;
    for (int i = CEILING_FMA; i < CEILING_COUNT; i++)
        if (f->demand[i] > f->demand[kind]) kind = (enum ceiling)i;
    struct code c = { .list = mem_alloc(INSTRUCTIONS_MOST, sizeof *c.list) };
    if (!c.list) return FAIL(e, ERR_MEM, "no memory for a disassembly");
    struct mca m = { 0 };
    int status = read_code(&c, k, e);
    const struct loop l = status == ERR_OK ? heaviest_loop(&c, kind) : (struct loop){ 0 };
    if (status == ERR_OK && l.work == 0)
        status = FAIL(e, ERR_UNSUPPORTED, "direct calls reach no loop with %s work", ceiling_name(kind));
    if (status == ERR_OK) status = run_model(&c, l, &m, e);
    mem_free(c.list);
    if (status != ERR_OK) return status;
    const double turns = f->demand[kind] / l.work / f->vectors;
    m.ports *= turns;
    m.chained *= turns;
    *out = m;
    return ERR_OK;
}
