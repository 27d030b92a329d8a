/* SPDX-License-Identifier: MIT
 * machine.h - what this machine is, and what disturbed it while we measured. */
#ifndef ASSAY_MACHINE_H
#define ASSAY_MACHINE_H
#include <stddef.h>
#include <stdint.h>
#include "kernels/base/text.h"

enum { MACHINE_CACHES = 3 };

struct machine {
    char cpu[64], host[64], kernel[64];
    char governor[32]; /* "performance"; "unknown" where the system does not say (most clouds) */
    char hypervisor[16]; /* vendor string of CPUID leaf 0x40000000; "" on bare metal */
    char huge_pages[16], aslr[8];
    char counters[128]; /* "" when perf counters work, otherwise why not */
    int mhz;            /* as the system states it; 0: it does not */
    int cpus;           /* that this process may use */
    size_t cache_bytes[MACHINE_CACHES]; /* L1d, L2, L3 of one core; 0: no such level */
    int cache_sharing[MACHINE_CACHES];  /* CPUs that share it */
    uint64_t id; /* hash of model, host, caches: results of different ids are never joined */
};
void machine_read(struct machine *m);

/* Working set for a level: most of "l1", half of "l2" and "l3" (others want some), several times L3
 * for "dram".  0: no such level. */
size_t machine_level_bytes(const struct machine *m, const char *level);
/* Of this program: "v1.0-3-gabcdef"; "-dirty" behind it where something that was compiled is not in that commit. */
const char *machine_version(void);
/* Hash of every source that was compiled, by name and content: 16 hexadecimal digits.  Two programs with the same one
 * differ in their compilers at most. */
const char *machine_sources(void);
int machine_is_release(void);      /* built with MODE=release: the only mode whose times mean anything */

/* Running totals of what others took from us; subtract two of them. */
struct machine_load {
    double load1;          /* load average of the last minute, not a total */
    uint64_t steal_ms;     /* taken by the hypervisor, all CPUs */
    uint64_t throttled_ms; /* taken by the cgroup's CPU quota */
    uint64_t preempted;    /* times this thread lost its CPU against its will */
};
struct machine_load machine_load(void);

/* Appends "# key: value" lines: machine, build, time. */
void machine_provenance(const struct machine *m, struct text *out);
/* Appends "load 0.31, steal 0 ms, throttled 0 ms, preempted 3 times" between two readings. */
void machine_describe_load(struct machine_load before, struct machine_load after, struct text *out);

/* Core cycles and instructions of the calling thread, user mode.  Opening fails where the kernel or
 * the virtual machine grants no counters: why_not says so in one line. */
struct counters { int cycles, instructions; };
int counters_open(struct counters *c, char *why_not, size_t size); /* 1 when open */
void counters_close(struct counters *c);
struct counts { uint64_t cycles, instructions; };
struct counts counters_read(const struct counters *c);
#endif
