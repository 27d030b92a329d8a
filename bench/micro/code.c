/* SPDX-License-Identifier: MIT
 * code.c - finds a kernel's machine code in this program or its library, and reads it with objdump. */
#define _GNU_SOURCE
#include "bench/micro/code.h"
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* Segments that hold code, of the file that is loaded at `base`. */
struct search { const void *base; struct code_place *place; };

static int widen(struct dl_phdr_info *info, size_t size, void *search)
{
    const struct search *s = search;
    const ElfW(Phdr) *first = info->dlpi_phdr;
    (void)size;
    if ((const char *)first - sizeof(Elf64_Ehdr) != (const char *)s->base) return 0; /* the table stands behind the header */
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (first[i].p_type != PT_LOAD || !(first[i].p_flags & PF_X)) continue;
        const uint64_t from = info->dlpi_addr + first[i].p_vaddr, to = from + first[i].p_memsz;
        if (!s->place->to || from < s->place->from) s->place->from = from;
        if (to > s->place->to) s->place->to = to;
    }
    return 1;
}

int code_find(const struct kernel *k, struct code_place *out, struct err *e)
{
    void *fn;
    memcpy(&fn, &k->fn, sizeof fn);
    Dl_info found;
    Elf64_Ehdr header;
    struct code_place place = { 0 };
    if (!dladdr(fn, &found)) return FAIL(e, ERR_UNSUPPORTED, "no loaded file holds the kernel's code");
    memcpy(&header, found.dli_fbase, sizeof header);
    const ssize_t size = readlink("/proc/self/exe", place.file, sizeof place.file - 1);
    place.file[size > 0 ? size : 0] = 0;
    /* Of the program itself dli_fname is what it was called by, which need not be a path. */
    if ((const char *)found.dli_fbase + sizeof header != (const char *)getauxval(AT_PHDR))
        snprintf(place.file, sizeof place.file, "%s", found.dli_fname);
    place.shift = header.e_type == ET_DYN ? (uint64_t)(uintptr_t)found.dli_fbase : 0;
    place.at = (uint64_t)(uintptr_t)fn - place.shift;
    dl_iterate_phdr(widen, &(struct search){ found.dli_fbase, &place });
    *out = place;
    return ERR_OK;
}

int code_read(const struct code_place *place, uint64_t from, uint64_t to, code_line *line, void *context, struct err *e)
{
    char command[320], text[512];
    snprintf(command, sizeof command,
             "objdump -d --no-show-raw-insn --start-address=0x%llx --stop-address=0x%llx '%s' 2>/dev/null",
             (unsigned long long)from, (unsigned long long)to, place->file);
    FILE *f = popen(command, "r");
    if (!f) return FAIL(e, ERR_IO, "objdump cannot be started");
    size_t symbols = 0;
    while (fgets(text, sizeof text, f)) {
        text[strcspn(text, "\n#")] = 0;
        const char *colon = strchr(text, ':');
        if (strstr(text, ">:")) {
            symbols++;
            line(context, strtoull(text, NULL, 16), NULL);
        } else if (symbols && colon && text[0] == ' ') {
            const char *words = colon + 1 + strspn(colon + 1, " \t");
            if (*words) line(context, strtoull(text, NULL, 16), words);
        }
    }
    pclose(f);
    return symbols ? ERR_OK
                   : FAIL(e, ERR_UNSUPPORTED, "objdump (binutils) is not installed, or this program is stripped");
}

uint64_t code_target(const char *text, const char *word)
{
    if (strncmp(text, word, strlen(word)) != 0) return 0;
    return strtoull(text + strcspn(text, " "), NULL, 16);
}
