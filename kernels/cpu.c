/* SPDX-License-Identifier: MIT
 * cpu.c - run-time detection, straight from CPUID: compilers disagree on builtin names.
 *
 * In a virtual machine every CPUID traps (11 us each was seen), so the answer is kept: the
 * race of two first callers is harmless, both store the same word. */
#include "kernels/cpu.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
enum { EAX, EBX, ECX, EDX };

static int has(unsigned leaf, unsigned sub, int reg, int bit, unsigned state, unsigned saved)
{
    unsigned r[4] = { 0 };
    if (!__get_cpuid_count(leaf, sub, &r[EAX], &r[EBX], &r[ECX], &r[EDX])) return 0;
    return (r[reg] >> bit & 1) && (saved & state) == state;
}

/* XCR0: which register files the OS saves.  0 without OSXSAVE, where xgetbv would fault. */
static unsigned saved_state(void)
{
    unsigned r[4] = { 0 }, lo = 0, hi = 0;
    if (!__get_cpuid(1, &r[EAX], &r[EBX], &r[ECX], &r[EDX]) || !(r[ECX] >> 27 & 1)) return 0;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return lo;
}

static long ask_system(int code, uintptr_t argument) { return syscall(SYS_arch_prctl, code, argument); }

static _Atomic int tiles_refused;

static uint32_t detect(void)
{
    uint32_t f = 0;
    const unsigned saved = saved_state();
#define X86(name, leaf, sub, reg, bit, state)                                                      \
    if (has(leaf, sub, reg, bit, state, saved)) f |= CPU_##name;
#define ARM(name, word, bit)
#include "kernels/cpu.def"
#undef X86
#undef ARM
    int refused;
    f = cpu_grant(f, ask_system, &refused);
    tiles_refused = refused;
    return f;
}

int cpu_amx_refused(void)
{
    cpu_features();
    return tiles_refused;
}

void cpu_model(char *out, int size)
{
    unsigned r[12] = { 0 };
    for (unsigned i = 0; i < 3; i++)
        if (!__get_cpuid(0x80000002u + i, &r[4 * i], &r[4 * i + 1], &r[4 * i + 2], &r[4 * i + 3])) {
            snprintf(out, (size_t)size, "unknown");
            return;
        }
    char text[sizeof r + 1] = { 0 };
    memcpy(text, r, sizeof r);
    snprintf(out, (size_t)size, "%s", text + strspn(text, " "));
    for (size_t n = strlen(out); n > 0 && out[n - 1] == ' '; n--) out[n - 1] = 0;
}

static const char *find_line(void)
{
    static const struct { const char *name, *vendor; unsigned family, first, last; } lines[] = {
#define LINE(name, vendor, family, first, last) { #name, vendor, family, first, last },
#include "kernels/line.def"
#undef LINE
    };
    unsigned v[4] = { 0 }, r[4] = { 0 };
    if (!__get_cpuid(0, &r[0], &v[0], &v[2], &v[1]) || !__get_cpuid(1, &r[0], &r[1], &r[2], &r[3])) return "";
    const unsigned base = r[0] >> 8 & 15, family = base == 15 ? base + (r[0] >> 20 & 255) : base;
    const unsigned model = (r[0] >> 4 & 15) | (base == 6 || base == 15 ? r[0] >> 12 & 0xf0 : 0);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (memcmp(v, lines[i].vendor, 12) == 0 && family == lines[i].family && model >= lines[i].first && model <= lines[i].last)
            return lines[i].name;
    return "";
}
#elif defined(__aarch64__)
#include <sys/auxv.h>

static const char *find_line(void) { return ""; }

static uint32_t detect(void)
{
    uint32_t f = 0;
    const unsigned long words[3] = { 0, getauxval(AT_HWCAP), getauxval(AT_HWCAP2) };
#define X86(name, leaf, sub, reg, bit, state)
#define ARM(name, word, bit)                                                                       \
    if (words[word] >> bit & 1) f |= CPU_##name;
#include "kernels/cpu.def"
#undef X86
#undef ARM
    return f;
}

int cpu_amx_refused(void) { return 0; }
void cpu_model(char *out, int size) { snprintf(out, (size_t)size, "aarch64"); }
#else
static uint32_t detect(void) { return 0; }
static const char *find_line(void) { return ""; }
int cpu_amx_refused(void) { return 0; }
void cpu_model(char *out, int size) { snprintf(out, (size_t)size, "unknown"); }
#endif

/* Linux grants the 8 KiB of tiles on request, to the whole process and its later threads; what it then says of the
 * permission counts (Documentation/arch/x86/xstate.rst). */
uint32_t cpu_grant(uint32_t found, long (*ask)(int code, uintptr_t argument), int *refused)
{
    enum { GET_PERMISSION = 0x1022, ASK_PERMISSION = 0x1023, TILE_DATA = 18 };
    const uint32_t amx = CPU_AMXTILE | CPU_AMXINT8 | CPU_AMXBF16;
    uint64_t granted = 0;
    *refused = 0;
    if (!(found & CPU_AMXTILE)) return found & ~amx;
    if (ask(ASK_PERMISSION, TILE_DATA) == 0 && ask(GET_PERMISSION, (uintptr_t)&granted) == 0 && granted >> TILE_DATA & 1)
        return found;
    *refused = 1;
    return found & ~amx;
}

uint32_t cpu_features(void)
{
    enum { KNOWN = 1u << 31 };
    static _Atomic uint32_t kept;
    uint32_t f = atomic_load_explicit(&kept, memory_order_relaxed);
    if (!f) {
        f = detect() | (uint32_t)KNOWN;
        atomic_store_explicit(&kept, f, memory_order_relaxed);
    }
    return f & CPU_ALL;
}

const char *cpu_line(void)
{
    static const char *_Atomic kept;
    const char *line = atomic_load_explicit(&kept, memory_order_relaxed);
    if (!line) {
        line = find_line();
        atomic_store_explicit(&kept, line, memory_order_relaxed);
    }
    return line;
}

const char *cpu_feature_name(int bit)
{
    static const char *const names[] = {
#define X86(name, leaf, sub, reg, bit, state) #name,
#define ARM(name, word, bit) #name,
#include "kernels/cpu.def"
#undef X86
#undef ARM
    };
    return names[bit];
}

static const char *const isa_names[] = {
#define ISA(name, arch, flags) #name,
#include "kernels/isa.def"
#undef ISA
};

const char *isa_name(enum isa isa) { return isa_names[isa]; }

enum isa isa_find(const char *name)
{
    int i = 0;
    while (i < ISA_COUNT && strcmp(isa_names[i], name) != 0) i++;
    return (enum isa)i;
}
