/* SPDX-License-Identifier: MIT
 * cpu.h - the instruction sets we compile for, and what this CPU can do. */
#ifndef ASSAY_CPU_H
#define ASSAY_CPU_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
#define X86(name, leaf, sub, reg, bit, state) CPU_BIT_##name,
#define ARM(name, word, bit) CPU_BIT_##name,
#include "kernels/cpu.def"
#undef X86
#undef ARM
    CPU_BIT_COUNT
};
enum {
#define X86(name, leaf, sub, reg, bit, state) CPU_##name = 1 << CPU_BIT_##name,
#define ARM(name, word, bit) CPU_##name = 1 << CPU_BIT_##name,
#include "kernels/cpu.def"
#undef X86
#undef ARM
    CPU_ALL = (1 << CPU_BIT_COUNT) - 1
};

enum isa {
#define ISA(name, arch, flags) ISA_##name,
#include "kernels/isa.def"
#undef ISA
    ISA_COUNT
};

/* What the CPU has and the operating system saves, as CPU_* bits.  Read once per process. */
uint32_t cpu_features(void);
/* This CPU has AMX, but the system grants this process no state for tiles: cpu_features() is without it. */
int cpu_amx_refused(void);
/* `found` without AMX where the system does not grant it, and *refused set: ask(code, argument) is arch_prctl, asked once
 * a process, and what it then answers of the permission counts, not that it took the request. */
uint32_t cpu_grant(uint32_t found, long (*ask)(int code, uintptr_t argument), int *refused);
const char *cpu_feature_name(int bit); /* "AVX512VNNI"; bit < CPU_BIT_COUNT */
const char *isa_name(enum isa isa);
/* ISA by name; ISA_COUNT when there is none. */
enum isa isa_find(const char *name);
/* The line of CPUs that this one belongs to (line.def), "" for none. */
const char *cpu_line(void);
/* Brand string of the CPU into out, "unknown" when the machine does not say. */
void cpu_model(char *out, int size);

#ifdef __cplusplus
}
#endif
#endif
