/* SPDX-License-Identifier: MIT
 * run.c - provenance of one start of the program. */
#include "bench/rows/run.h"
#include "bench/time/machine.h"
#include "kernels/base/file.h"
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* "--base=/home/me/x.fvecs" -> "--base=x.fvecs": results are published, home folders need not be. */
static const char *without_folder(const char *arg, char *out, size_t size)
{
    const char *value = strchr(arg, '=');
    value = arg[0] == '-' && value ? value + 1 : arg;
    const char *slash = strrchr(value, '/');
    if (!slash || strpbrk(value, "(,")) return arg;
    snprintf(out, size, "%.*s%s", (int)(value - arg), arg, slash[1] ? slash + 1 : "DIR");
    return out;
}

int run_init(struct run *r, int argc, char *const *argv, struct err *e)
{
    struct machine machine;
    uint64_t binary = 0;
    *r = (struct run){ 0 };
    const int status = file_hash("/proc/self/exe", &binary, e);
    if (status != ERR_OK) return status;
    machine_read(&machine);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const uint64_t unique[] = { machine.id, (uint64_t)now.tv_sec, (uint64_t)now.tv_nsec, (uint64_t)getpid() };
    snprintf(r->id, sizeof r->id, "%016llx", (unsigned long long)hash64(0, unique, sizeof unique));
    snprintf(r->machine, sizeof r->machine, "%016llx", (unsigned long long)machine.id);
    snprintf(r->binary, sizeof r->binary, "%016llx", (unsigned long long)binary);
    machine_provenance(&machine, &r->notes);
    text_add(&r->notes, "# command: assay");
    for (int i = 0; i < argc; i++) {
        char buffer[512];
        text_add(&r->notes, " %s", without_folder(argv[i], buffer, sizeof buffer));
    }
    text_add(&r->notes, "\n");
    run_note(r, "schema", "%d", ROW_SCHEMA);
    run_note(r, "run_id", "%s", r->id);
    run_note(r, "binary", "%s", r->binary);
    return r->notes.failed ? FAIL(e, ERR_MEM, "no memory for provenance") : ERR_OK;
}

void run_fini(struct run *r) { text_free(&r->notes); }

void run_note(struct run *r, const char *key, const char *fmt, ...)
{
    char value[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    for (char *c = value; *c; c++)
        if (*c == '\n') *c = ' ';
    text_add(&r->notes, "# %s: ", key);
    text_add_plain(&r->notes, value);
    text_add(&r->notes, "\n");
}

void run_note_kernels(struct run *r, const char *asked, const struct kernel_set *set)
{
    struct text used = { 0 };
    for (int op = 0; op < OP_COUNT; op++) kernel_set_describe(set, (enum kernel_op)op, &used);
    run_note(r, "kernels", "%s -> %s", asked && *asked ? asked : "auto", text_of(&used));
    text_free(&used);
}

void run_row(const struct run *r, struct row *row)
{
    row_int(row, "schema", ROW_SCHEMA);
    row_text(row, "run_id", r->id);
    row_text(row, "machine", r->machine);
    row_text(row, "binary", r->binary);
}
