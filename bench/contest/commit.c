/* SPDX-License-Identifier: MIT
 * commit.c - checks out a commit beside the source tree and builds it. */
#include "bench/contest/commit.h"
#include "kernels/base/parallel.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs a program; what it says, on both channels, into *said.  Its exit status, or -1. */
static int run(const char *const argv[], struct text *said)
{
    int ends[2], status;
    if (pipe(ends) != 0) return -1;
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        unsetenv("MAKEFLAGS"); /* of a make that runs us */
        unsetenv("MAKELEVEL");
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(ends[1]);
    char piece[4096];
    for (ssize_t n; pid > 0 && (n = read(ends[0], piece, sizeof piece)) > 0;)
        text_add_bytes(said, piece, (size_t)n);
    close(ends[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

/* One line of what git says, without its end. */
static int git_line(const char *const argv[], struct text *out)
{
    struct text said = { 0 };
    const int status = run(argv, &said);
    if (status == 0) text_add_bytes(out, text_of(&said), strcspn(text_of(&said), "\n"));
    text_free(&said);
    return status;
}

static int step(const char *const argv[], const char *commit, struct err *e)
{
    struct text said = { 0 };
    const int status = run(argv, &said);
    const size_t tail = said.size > 300 ? said.size - 300 : 0;
    const int result = status == 0 ? ERR_OK
                                   : FAIL(e, ERR_IO, "commit %s: %s failed (%d): %s", commit,
                                          argv[0], status, text_of(&said) + tail);
    text_free(&said);
    return result;
}

static int build(const char *top, const char *hash, const char *folder, const char *commit,
                 struct err *e)
{
    char jobs[16];
    snprintf(jobs, sizeof jobs, "-j%d", parallel_cpus());
    const char *const clone[] = { "git",           "clone", "-q",   "--shared",
                                  "--no-checkout", top,     folder, NULL };
    const char *const checkout[] = {
        "git", "-C", folder, "checkout", "-q", "--detach", hash, NULL
    };
    const char *const make[] = { "make", "-s", jobs, "-C", folder, "all", NULL };
    int status = access(folder, F_OK) == 0 ? ERR_OK : step(clone, commit, e);
    if (status == ERR_OK) status = step(checkout, commit, e);
    return status == ERR_OK ? step(make, commit, e) : status;
}

int commit_build(const char *commit, struct text *program, struct err *e)
{
    struct text wanted = { 0 }, top = { 0 }, hash = { 0 }, folder = { 0 }, path = { 0 };
    text_add(&wanted, "%s^{commit}", commit);
    const char *const find_top[] = { "git", "rev-parse", "--show-toplevel", NULL };
    const char *const find_hash[] = { "git", "rev-parse",        "--verify",
                                      "-q",  "--end-of-options", text_of(&wanted),
                                      NULL };
    int status = ERR_OK;
    if (git_line(find_top, &top) != 0)
        status = FAIL(e, ERR_NOT_FOUND, "commit %s: not in a source tree under git", commit);
    else if (git_line(find_hash, &hash) != 0)
        status = FAIL(e, ERR_NOT_FOUND, "commit %s: git knows no such", commit);
    text_add(&folder, "%s/build/commits/%.16s", text_of(&top), text_of(&hash));
    text_add(&path, "%s/build/assay", text_of(&folder));
    if (status == ERR_OK && access(text_of(&path), X_OK) != 0)
        status = build(text_of(&top), text_of(&hash), text_of(&folder), commit, e);
    if (status == ERR_OK && access(text_of(&path), X_OK) != 0)
        status = FAIL(e, ERR_IO, "commit %s: its make leaves no build/assay", commit);
    if (status == ERR_OK) text_add(program, "%s", text_of(&path));
    text_free(&wanted);
    text_free(&top);
    text_free(&hash);
    text_free(&folder);
    text_free(&path);
    return status;
}
