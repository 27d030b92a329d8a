/* SPDX-License-Identifier: MIT
 * gnuplot.c - finds the committed gnuplot files and runs gnuplot on them. */
#define _GNU_SOURCE /* memmem */
#include "bench/rows/gnuplot.h"
#include "bench/rows/output.h"
#include "kernels/base/file.h"
#include "kernels/base/mem.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int gnuplot_folder(char *path, size_t size, struct err *e)
{
    const char *tried[3] = { getenv("ASSAY_PLOTS"), "/../share/assay/plots",
                             "/../../scripts/plots" };
    char self[400];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    if (strrchr(self, '/')) *strrchr(self, '/') = 0;
    for (int i = 0; i < 3; i++) {
        struct stat st;
        if (!tried[i]) continue;
        snprintf(path, size, "%s%s/render.gp", i ? self : "", tried[i]);
        if (stat(path, &st) != 0) continue;
        *strrchr(path, '/') = 0;
        return ERR_OK;
    }
    return FAIL(e, ERR_NOT_FOUND,
                "gnuplot files (render.gp) not found beside %s; set ASSAY_PLOTS to their folder",
                self);
}

void gnuplot_set(struct text *script, const char *name, size_t at, const char *value)
{
    text_add(script, at ? "%s[%zu] = '" : "%s = '", name, at);
    for (; *value; value++) text_add(script, *value == '\'' ? "''" : "%c", *value);
    text_add(script, "'; ");
}

/* gnuplot warns about much that is none (a series without points in one panel): what it says is
 * shown only when it fails. */
int gnuplot_run(const char *script, struct err *e)
{
    enum { SAID_MOST = 1 << 20 };
    int ends[2], status = 0;
    if (pipe(ends) != 0) return FAIL(e, ERR_IO, "gnuplot: %s", strerror(errno));
    const pid_t self = getpid(), pid = fork();
    if (pid == 0) {
        /* Killed, this program leaves nobody who makes a partial file again after it was swept away. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != self) _exit(126);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp("gnuplot", "gnuplot", "-e", script, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    struct text said = { 0 };
    char piece[512];
    for (ssize_t n; pid > 0 && (n = read(ends[0], piece, sizeof piece)) > 0;) {
        if (said.size > SAID_MOST) text_clear(&said); /* the end of it is shown */
        text_add_bytes(&said, piece, (size_t)n);
    }
    close(ends[0]);
    int result = ERR_OK;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        result = FAIL(e, ERR_IO, "gnuplot: %s", strerror(errno));
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        result = FAIL(e, ERR_NOT_FOUND, "gnuplot is not installed (Debian: gnuplot-nox)");
    else if (status != 0)
        result = FAIL(e, ERR_IO, "gnuplot: %s",
                      text_of(&said) + (said.size > 400 ? said.size - 400 : 0));
    text_free(&said);
    return result;
}

int gnuplot_figure(struct text *script, const char *figure, const char *dir, const char *name, const char *title,
                   const char *x_label, struct err *e)
{
    char folder[512];
    const int status = gnuplot_folder(folder, sizeof folder, e);
    if (status != ERR_OK) return status;
    struct text base = { 0 }, data = { 0 };
    text_add(&base, "%s/%s", dir, name);
    text_add(&data, "%s.dat", text_of(&base));
    gnuplot_set(script, "plots", 0, folder);
    gnuplot_set(script, "figure", 0, figure);
    gnuplot_set(script, "dat", 0, text_of(&data));
    gnuplot_set(script, "name_", 0, name);
    gnuplot_set(script, "title", 0, title);
    gnuplot_set(script, "x_label", 0, x_label);
    text_free(&base);
    text_free(&data);
    return ERR_OK;
}

enum { TERMS_MOST = 4 };

static size_t split_terms(const char *terms, char names[TERMS_MOST][8])
{
    size_t count = 0;
    for (; *terms && count < TERMS_MOST; terms += strspn(terms, " ")) {
        const size_t size = strcspn(terms, " ");
        snprintf(names[count++], sizeof names[0], "%.*s", (int)size, terms);
        terms += size;
    }
    return count;
}

int gnuplot_render_as(struct text *script, const char *terms, const char *dir, const char *name, struct err *e)
{
    char names[TERMS_MOST][8];
    struct text paths[TERMS_MOST] = { 0 };
    char *partial[TERMS_MOST] = { 0 };
    const size_t count = split_terms(terms, names);
    int fds[TERMS_MOST], status = ERR_OK;
    size_t opened = 0, published = 0;
    for (; status == ERR_OK && opened < count; opened += status == ERR_OK) {
        char variable[16];
        struct text *path = &paths[opened];
        snprintf(variable, sizeof variable, "out_%.7s", names[opened]);
        text_add(path, "%s/%s.%s%s", dir, name, names[opened], strcmp(names[opened], "narrow") == 0 ? ".svg" : "");
        if (path->failed) status = FAIL(e, ERR_MEM, "no memory for a figure");
        if (status == ERR_OK) status = file_replaceable(text_of(path), e);
        if (status == ERR_OK) status = file_partial(text_of(path), &partial[opened], &fds[opened], e);
        if (status == ERR_OK) gnuplot_set(script, variable, 0, partial[opened]);
    }
    gnuplot_set(script, "terms", 0, terms);
    text_add(script, "load plots.'/render.gp'");
    if (status == ERR_OK && script->failed) status = FAIL(e, ERR_MEM, "no memory for a figure");
    if (status == ERR_OK) status = gnuplot_run(text_of(script), e);
    for (; status == ERR_OK && published < count; published++)
        status = file_publish(partial[published], fds[published], text_of(&paths[published]), FILE_REPLACE, e);
    for (size_t i = 0; i < opened; i++) {
        if (i >= published) (void)unlink(partial[i]);
        close(fds[i]);
        free(partial[i]);
    }
    for (size_t i = 0; i < count; i++) text_free(&paths[i]);
    return status;
}

int gnuplot_render(struct text *script, const char *dir, const char *name, struct err *e)
{
    return gnuplot_render_as(script, "png svg narrow pdf", dir, name, e);
}

/* Takes every "before" out of a file, and sets its texts in `font` points. */
static int take_out(const char *path, const char *before, double font, struct err *e)
{
    unsigned char *bytes;
    size_t size;
    struct text kept = { 0 };
    int status = mem_read_file(&bytes, &size, path, e);
    if (status != ERR_OK) return status;
    text_add(&kept, "\\begingroup\\fontsize{%g}{%g}\\selectfont\n", font, 1.2 * font);
    for (const unsigned char *at = bytes, *const end = bytes + size, *found; at < end; at = found + strlen(before)) {
        found = memmem(at, (size_t)(end - at), before, strlen(before));
        text_add_bytes(&kept, at, (size_t)((found ? found : end) - at));
        if (!found) break;
    }
    mem_free(bytes);
    text_add(&kept, "\\endgroup\n");
    status = output_write(path, &kept, e);
    text_free(&kept);
    return status;
}

/* gnuplot names the picture as it named the text, and says in the text where it is: beside it. */
int gnuplot_render_latex(struct text *script, const char *dir, const char *name, double font, struct err *e)
{
    struct text folder = { 0 }, from = { 0 }, to = { 0 };
    static const char *const ends[] = { "tex", "pdf" };
    text_add(&folder, "%s/.%s.XXXXXX", dir, name);
    int status = folder.failed ? FAIL(e, ERR_MEM, "no memory for a figure") : ERR_OK;
    if (status == ERR_OK && !mkdtemp(folder.at)) status = FAIL(e, ERR_IO, "%s: %s", folder.at, strerror(errno));
    const int made = status == ERR_OK;
    text_add(&from, "%s/%s_tex.tex", text_of(&folder), name);
    gnuplot_set(script, "out_tex", 0, text_of(&from));
    gnuplot_set(script, "terms", 0, "tex");
    text_add(script, "load plots.'/render.gp'");
    if (status == ERR_OK && script->failed) status = FAIL(e, ERR_MEM, "no memory for a figure");
    if (status == ERR_OK) status = gnuplot_run(text_of(script), e);
    text_add(&folder, "/");
    if (status == ERR_OK) status = take_out(text_of(&from), text_of(&folder), font, e);
    if (made) folder.at[--folder.size] = 0;
    for (int i = 0; i < 2 && made; i++) {
        text_clear(&from), text_clear(&to);
        text_add(&from, "%s/%s_tex.%s", text_of(&folder), name, ends[i]);
        text_add(&to, "%s/%s_tex.%s", dir, name, ends[i]);
        if (status == ERR_OK && rename(text_of(&from), text_of(&to)) != 0)
            status = FAIL(e, ERR_IO, "%s: %s", text_of(&to), strerror(errno));
        (void)unlink(text_of(&from));
    }
    if (made) (void)rmdir(text_of(&folder));
    text_free(&folder);
    text_free(&from);
    text_free(&to);
    return status;
}
