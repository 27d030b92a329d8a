/* SPDX-License-Identifier: MIT
 * index_peer.c - another library's index behind our contract: `peer:NAME:(ARGS)`.
 *
 * The adaptor is a shared object, peer_NAME.so, built from bench/peer_NAME.cpp with its own flags and opened by
 * name; it exports one `struct index_ops peer_NAME` and reads ARGS its own way.  It is looked for in $ASSAY_PEERS,
 * else beside the program, else in PREFIX/lib/assay. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "index/index.h"
#include "index/peer_layout.h"

static const struct param table[] = {
    { "lib", PARAM_TEXT, 0, 0, "", "", NULL, "NAME or NAME:(ARGS), what the adaptor understands" },
    { 0 }
};

static void *open_beside_program(const char *name)
{
    char folder[4096], path[4300];
    const ssize_t size = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (size <= 0) return NULL;
    folder[size] = 0;
    static const char *const places[] = { "", "/..", "/../lib/assay" }; /* tests stand one folder below */
    for (char *slash = strrchr(folder, '/'); slash; slash = NULL) *slash = 0;
    void *library = NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places && !library; i++) {
        snprintf(path, sizeof path, "%s%s/peer_%s.so", folder, places[i], name);
        if (access(path, R_OK) == 0) library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    return library;
}

/* 1 when the adaptor was compiled with the structs of this program's index.h. */
static int fits(void *library)
{
    static const size_t sizes[PEER_LAYOUT_SIZES] = PEER_LAYOUT;
    const size_t *its = dlsym(library, "peer_layout");
    return its && memcmp(its, sizes, sizeof sizes) == 0;
}

/* The library stays open: its code is in use until the process ends. */
static int create(struct index **out, const struct index *base, struct err *e)
{
    char name[64], symbol[80], path[4300];
    const char *args, *folder = getenv("ASSAY_PEERS");
    int status = spec_split(params_text(base->params, "lib"), name, sizeof name, &args, e);
    if (status != ERR_OK) return err_context(e, status, "peer");
    if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return FAIL(e, ERR_ARG, "peer: lib=%s is not the name of an adaptor", name);
    snprintf(path, sizeof path, "%s/peer_%s.so", folder ? folder : "", name);
    void *library = folder ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : open_beside_program(name);
    if (!library) {
        const char *why = dlerror();
        return FAIL(e, ERR_UNSUPPORTED, "peer %s: no adaptor peer_%s.so that opens: %s", name, name,
                    why ? why : "not built");
    }
    snprintf(symbol, sizeof symbol, "peer_%s", name);
    const struct index_ops *ops = dlsym(library, symbol);
    if (!ops) return FAIL(e, ERR_UNSUPPORTED, "peer %s: its adaptor exports no %s", name, symbol);
    if (!fits(library))
        return FAIL(e, ERR_UNSUPPORTED, "peer %s: peer_%s.so was built for another version of this program: build it anew",
                    name, name);
    struct index own = *base;
    own.ops = ops;
    return ops->create(out, &own, e);
}

/* create hands over to the adaptor's own operations, so only it is ever called here. */
const struct index_ops index_peer = {
    .name = "peer",
    .summary = "another library's index, through peer_NAME.so",
    .params = table,
    .create = create,
};
