/* SPDX-License-Identifier: MIT
 * machine.c - reads what this machine is from /proc, /sys and cpuid, and what took time from us. */
#define _GNU_SOURCE
#include "bench/time/machine.h"
#include "kernels/cpu.h"
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "gen/version.h"
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#ifndef ASSAY_WORKER
#  include <hwloc.h> /* indented: a bare worker keeps this file, without the library */
#endif

/* First line of a file without its newline; "" when it cannot be read. */
static void first_line(const char *path, char *out, size_t size)
{
    out[0] = 0;
    FILE *f = fopen(path, "r");
    if (!f) return;
    if (!fgets(out, (int)size, f)) out[0] = 0;
    out[strcspn(out, "\n")] = 0;
    fclose(f);
}

#ifndef ASSAY_WORKER
static void read_caches(struct machine *m)
{
    static const hwloc_obj_type_t type[MACHINE_CACHES] = { HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE };
    hwloc_topology_t topology;
    if (hwloc_topology_init(&topology) != 0) return;
    if (hwloc_topology_load(topology) == 0)
        for (int i = 0; i < MACHINE_CACHES; i++) {
            const struct hwloc_obj *cache = hwloc_get_obj_by_type(topology, type[i], 0);
            if (!cache) continue;
            m->cache_bytes[i] = cache->attr->cache.size;
            m->cache_sharing[i] = hwloc_bitmap_weight(cache->cpuset);
        }
    hwloc_topology_destroy(topology);
}
#else
/* As hwloc would: sysconf(3) says 320 MiB for the 32 MiB of an EPYC, and another size is another machine. */
static void read_caches(struct machine *m)
{
    for (int i = 0; i < 8; i++) {
        static const char *const file[] = { "level", "type", "size" };
        char value[3][32], path[80], *end;
        for (int f = 0; f < 3; f++) {
            snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", i, file[f]);
            first_line(path, value[f], sizeof value[f]);
        }
        const long level = strtol(value[0], NULL, 10), size = strtol(value[2], &end, 10);
        if (level < 1 || level > MACHINE_CACHES || size <= 0 || strcmp(value[1], "Instruction") == 0) continue;
        m->cache_bytes[level - 1] = (size_t)size << (*end == 'M' ? 20 : *end == 'K' ? 10 : 0);
    }
}
#endif

static void read_hypervisor(struct machine *m)
{
#if defined(__x86_64__)
    uint32_t a, b, c, d;
    __cpuid(1, a, b, c, d);
    if (!(c >> 31)) return;
    __cpuid(0x40000000, a, b, c, d);
    const uint32_t vendor[3] = { b, c, d };
    memcpy(m->hypervisor, vendor, sizeof vendor);
#else
    (void)m;
#endif
}

/* "always [madvise] never" -> "madvise" */
static void read_chosen(const char *path, char *out, size_t size)
{
    char line[128];
    first_line(path, line, sizeof line);
    char *from = strchr(line, '['), *to = from ? strchr(from, ']') : NULL;
    if (to) *to = 0;
    snprintf(out, size, "%s", to ? from + 1 : "unknown");
}

const char *machine_version(void) { return ASSAY_VERSION; }

const char *machine_sources(void) { return ASSAY_SOURCES; }
int machine_is_release(void) { return strcmp(ASSAY_MODE, "release") == 0; }

/* The first "cpu MHz" of /proc/cpuinfo. */
static int read_mhz(void)
{
    FILE *f = fopen("/proc/cpuinfo", "r");
    if (!f) return 0;
    char line[256];
    double mhz = 0;
    while (mhz == 0 && fgets(line, sizeof line, f))
        if (sscanf(line, "cpu MHz : %lf", &mhz) != 1) mhz = 0;
    fclose(f);
    return (int)mhz;
}

void machine_read(struct machine *m)
{
    *m = (struct machine){ 0 };
    cpu_model(m->cpu, sizeof m->cpu);
    struct utsname name;
    uname(&name);
    snprintf(m->host, sizeof m->host, "%.63s", name.nodename);
    snprintf(m->kernel, sizeof m->kernel, "%.63s", name.release);
    first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", m->governor, sizeof m->governor);
    if (!m->governor[0]) snprintf(m->governor, sizeof m->governor, "unknown");
    read_chosen("/sys/kernel/mm/transparent_hugepage/enabled", m->huge_pages, sizeof m->huge_pages);
    first_line("/proc/sys/kernel/randomize_va_space", m->aslr, sizeof m->aslr);
    cpu_set_t set;
    m->cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    m->mhz = read_mhz();
    read_hypervisor(m);
    read_caches(m);
    struct counters counters;
    if (counters_open(&counters, m->counters, sizeof m->counters)) counters_close(&counters);
    m->id = hash64(hash64(0, m->cpu, strlen(m->cpu)), m->host, strlen(m->host));
    m->id = hash64(m->id, m->cache_bytes, sizeof m->cache_bytes);
}

size_t machine_level_bytes(const struct machine *m, const char *level)
{
    if (strcmp(level, "l1") == 0) return m->cache_bytes[0] / 4 * 3;
    if (strcmp(level, "l2") == 0) return m->cache_bytes[1] / 2;
    if (strcmp(level, "l3") == 0) return m->cache_bytes[2] / 2;
    if (strcmp(level, "dram") != 0) return 0;
    const size_t least = (size_t)256 << 20, most = (size_t)1 << 30, wanted = 4 * m->cache_bytes[2];
    return wanted < least ? least : wanted > most ? most : wanted;
}

/* The number after `key` in a file of "key value" lines; 0 when there is none. */
static uint64_t keyed_number(const char *path, const char *key)
{
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    char name[64];
    unsigned long long value, found = 0;
    while (fscanf(f, "%63s %llu", name, &value) == 2)
        if (strcmp(name, key) == 0) found = value;
    fclose(f);
    return found;
}

struct machine_load machine_load(void)
{
    struct machine_load l = { 0 };
    char line[256];
    first_line("/proc/loadavg", line, sizeof line);
    sscanf(line, "%lf", &l.load1);
    first_line("/proc/stat", line, sizeof line);
    unsigned long long steal = 0;
    sscanf(line, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &steal);
    l.steal_ms = steal * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
    l.throttled_ms = keyed_number("/sys/fs/cgroup/cpu.stat", "throttled_usec") / 1000;
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    l.preempted = (uint64_t)usage.ru_nivcsw;
    return l;
}

void machine_describe_load(struct machine_load before, struct machine_load after, struct text *out)
{
    text_add(out, "load %.2f, steal %llu ms, throttled %llu ms, preempted %llu times", after.load1,
             (unsigned long long)(after.steal_ms - before.steal_ms),
             (unsigned long long)(after.throttled_ms - before.throttled_ms),
             (unsigned long long)(after.preempted - before.preempted));
}

void machine_provenance(const struct machine *m, struct text *out)
{
    char when[32];
    const time_t now = time(NULL);
    struct tm utc;
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    text_add(out, "# assay: %s\n# sources: %s\n# build: %s, %s %s\n# time: %s\n", ASSAY_VERSION, ASSAY_SOURCES, ASSAY_MODE,
#ifdef __clang__
             "clang " __clang_version__,
#else
             "gcc " __VERSION__,
#endif
             ASSAY_FLAGS, when);
    text_add(out, "# machine: %016llx\n# cpu: %s, %d usable\n# kernel: %s\n# hypervisor: %s\n",
             (unsigned long long)m->id, m->cpu, m->cpus, m->kernel, m->hypervisor[0] ? m->hypervisor : "none");
    text_add(out, "# caches: L1d %zu KiB, L2 %zu KiB, L3 %zu KiB shared by %d\n", m->cache_bytes[0] / 1024,
             m->cache_bytes[1] / 1024, m->cache_bytes[2] / 1024, m->cache_sharing[2]);
    text_add(out, "# governor: %s\n# huge pages: %s\n# aslr: %s\n# counters: %s\n", m->governor, m->huge_pages,
             m->aslr, m->counters[0] ? m->counters : "yes");
}

static int open_counter(uint64_t config)
{
    struct perf_event_attr a = { .type = PERF_TYPE_HARDWARE, .size = sizeof a, .config = config };
    a.exclude_kernel = 1;
    a.exclude_hv = 1;
    return (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

int counters_open(struct counters *c, char *why_not, size_t size)
{
    why_not[0] = 0;
    c->cycles = open_counter(PERF_COUNT_HW_CPU_CYCLES);
    c->instructions = c->cycles < 0 ? -1 : open_counter(PERF_COUNT_HW_INSTRUCTIONS);
    if (c->instructions >= 0) return 1;
    const int why = errno;
    char paranoid[16];
    first_line("/proc/sys/kernel/perf_event_paranoid", paranoid, sizeof paranoid);
    if (why == ENOENT || why == EOPNOTSUPP) snprintf(why_not, size, "none: this (virtual) CPU offers no cycle counter");
    else if (why == ENOSYS) snprintf(why_not, size, "none: the kernel has no perf_event_open");
    else
        snprintf(why_not, size, "none: perf_event_open: %s (perf_event_paranoid is %s, 2 or less is needed)",
                 strerror(why), paranoid[0] ? paranoid : "unknown");
    counters_close(c);
    return 0;
}

void counters_close(struct counters *c)
{
    if (c->cycles >= 0) close(c->cycles);
    if (c->instructions >= 0) close(c->instructions);
    c->cycles = c->instructions = -1;
}

struct counts counters_read(const struct counters *c)
{
    struct counts n = { 0 };
    if (read(c->cycles, &n.cycles, 8) != 8 || read(c->instructions, &n.instructions, 8) != 8) n = (struct counts){ 0 };
    return n;
}
