/* SPDX-License-Identifier: MIT
 * test_killed.c - a run that is killed again and again goes on where it was, and leaves what an unbroken one leaves: rows,
 * runs, labels, and the page, and no folder; and a table fits the terminal that it is shown on. */
#include "bench/papers/scratch.h"
#include "bench/papers/screen.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Runs the paper into a folder; after `us` microseconds it is killed (0: never).  1 when it came to its end. */
static int run_for(const char *out, unsigned us)
{
    const char *program = getenv("ASSAY");
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        const int null = open("/dev/null", O_WRONLY);
        dup2(null, 1), dup2(null, 2);
        execl(program, program, "paper", "smartvector", "--quick", "--seeds", "2", "--data", "nowhere", "--out", out, (char *)NULL);
        _exit(127);
    }
    if (us) {
        const struct timespec wait = { us / 1000000, us % 1000000 * 1000l };
        nanosleep(&wait, NULL);
        kill(pid, SIGKILL);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int shell(const char *fmt, const char *a, const char *b)
{
    char command[1024];
    snprintf(command, sizeof command, fmt, a, b);
    return system(command);
}

/* Scratch folders that no process holds.  One that is being made has no lock for a moment: looked at again. */
static size_t left_behind(void)
{
    size_t count = 1;
    for (int again = 0; count && again < 20; again++) {
        glob_t all = { 0 };
        count = 0;
        (void)glob(P_tmpdir "/assay-scratch-*", 0, NULL, &all); /* none: gl_pathc is 0 */
        for (size_t i = 0; i < all.gl_pathc; i++) {
            const int fd = open(all.gl_pathv[i], O_RDONLY | O_DIRECTORY);
            count += fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
            if (fd >= 0) close(fd);
        }
        globfree(&all);
        if (count) usleep(50000);
    }
    return count;
}

/* A sweep leaves what a process holds, and takes what is a killed one's. */
static void is_swept(void)
{
    struct scratch s = { 0 };
    struct err e = { 0 };
    int ends[2], status;
    char path[96];
    CHECK(pipe(ends) == 0 && scratch_open(&s, &e) == ERR_OK, "%s", e.text);
    scratch_sweep();
    CHECK(access(s.folder, F_OK) == 0, "%s: swept from under its owner", s.folder);
    snprintf(path, sizeof path, "%s", s.folder);
    scratch_close(&s);
    CHECK(access(path, F_OK) != 0 && !*s.folder, "%s: still there", path);
    const pid_t pid = fork();
    if (pid == 0) {
        char file[128];
        if (scratch_open(&s, &e) != ERR_OK) _exit(1);
        snprintf(file, sizeof file, "%s/.hidden", s.folder);
        close(open(file, O_WRONLY | O_CREAT, 0600));
        if (write(ends[1], s.folder, sizeof s.folder) != sizeof s.folder) _exit(1);
        for (;;) pause();
    }
    CHECK(read(ends[0], s.folder, sizeof s.folder) == sizeof s.folder, "a child made no folder");
    scratch_sweep();
    CHECK(access(s.folder, F_OK) == 0, "%s: swept from under another process", s.folder);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    scratch_sweep();
    CHECK(access(s.folder, F_OK) != 0, "%s: its owner is dead", s.folder);
    close(ends[0]), close(ends[1]);
}

/* What has such a name and is a person's, or a stranger's: a link to a folder, a folder with another mode or a longer
 * name, and, where root may make one, another user's. */
static void spares_what_is_not_ours(void)
{
    static const char *const names[] = { "scratch-XXXXXX", "assay-scratch-XXXXXX", "assay-scratch-notes-XXXXXX", "assay-scratch-XXXXXX" };
    enum { TARGET, OPEN_TO_OTHERS, LONGER, ANOTHERS, FOLDERS };
    char folders[FOLDERS][64], files[FOLDERS][96], name[64];
    for (int i = 0; i < FOLDERS; i++) {
        snprintf(folders[i], sizeof folders[i], "%s/%s", P_tmpdir, names[i]);
        CHECK(mkdtemp(folders[i]) != NULL, "%s", folders[i]);
        snprintf(files[i], sizeof files[i], "%s/file", folders[i]);
        close(open(files[i], O_WRONLY | O_CREAT, 0600));
        if (i == OPEN_TO_OTHERS) CHECK(chmod(folders[i], 0755) == 0, "%s", folders[i]);
        if (i == ANOTHERS && geteuid() == 0) CHECK(chown(folders[i], 65534, 65534) == 0, "%s", folders[i]);
    }
    snprintf(name, sizeof name, "%s/assay-scratch-%s", P_tmpdir, folders[TARGET] + strlen(folders[TARGET]) - 6);
    CHECK(symlink(folders[TARGET], name) == 0, "%s", name);
    scratch_sweep();
    CHECK(unlink(name) == 0, "%s: a link was taken", name);
    for (int i = 0; i < FOLDERS; i++) {
        const int stays = i != ANOTHERS || geteuid() == 0;
        CHECK((access(files[i], F_OK) == 0) == stays, "%s: %s", files[i], stays ? "gone" : "left");
        (void)unlink(files[i]), (void)rmdir(folders[i]);
    }
}

static void goes_on(void)
{
    char whole[] = "/tmp/assay-whole-XXXXXX", killed[] = "/tmp/assay-killed-XXXXXX";
    struct rng r;
    unsigned kills = 0;
    if (!getenv("ASSAY")) SKIP("ASSAY is not set");
    CHECK(mkdtemp(whole) && mkdtemp(killed) && run_for(whole, 0), "%s", whole);
    rng_seed(&r, 20261129, 0);
    /* Later and later, so that it comes to its end on any machine. */
    while (!run_for(killed, 1000 + (unsigned)rng_below(&r, 20000 + 15000 * kills * kills))) kills++;
    CHECK(kills >= 3, "killed %u times", kills);
    CHECK(left_behind() == 0, "%zu folders are left behind", left_behind());
    CHECK(shell("cd %1$s && for f in *.csv *.tex; do grep -v '^#' $f >%2$s/x && grep -v '^#' %2$s/$f | cmp %2$s/x - || exit 1; done; rm %2$s/x",
                whole, killed) == 0, "other rows");
    CHECK(shell("diff -r %1$s/trec %2$s/trec", whole, killed) == 0, "other runs or labels");
    CHECK(shell("cd %1$s && ls >/tmp/assay-names.$$ && cd %2$s && ls | diff /tmp/assay-names.$$ - ; s=$?; rm /tmp/assay-names.$$; exit $s", whole,
                killed) == 0, "other files, after %u kills", kills);
    CHECK(shell("$ASSAY paper draw %1$s >/dev/null && $ASSAY paper draw %2$s >/dev/null && sed '/^Written by/d' %1$s/README.md >%1$s/x && "
                "sed '/^Written by/d' %2$s/README.md | cmp - %1$s/x", whole, killed) == 0, "another page");
    CHECK(shell("rm -r %1$s %2$s", whole, killed) == 0, "%s", whole);
}

static const char rows_text[] =
    "paper,item,class,cell,published,rule,theory,ours,ours_lo,ours_hi,wins,ties,losses,p,verdict,why\n"
    "p,a,T,contrast=one of a long name-another of a long name;data=planted;measure=recall@5,0.02,direction,,0.01,-0.01,0.03,10,80,10,0.41,"
    "not resolved,a reason that is as long as reasons are where papers measured something else than what is measured here\n"
    "p,a,T,contrast=one of a long name-another of a long name;data=other;measure=recall@5,0.02,direction,,0.09,0.05,0.13,20,75,5,0.0001,"
    "shape agrees,\n"
    "p,a,T,contrast=one of a long name-a third;data=other;measure=recall@5,0.02,direction,,-0.01,-0.03,0.01,5,90,5,1,"
    "not resolved,a reason that is as long as reasons are where papers measured something else than what is measured here\n";

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, what)); at++) count++;
    return count;
}

static void fits_terminals(void)
{
    static const size_t widths[] = { 0, 80, 120, 200 };
    char path[] = "/tmp/assay-rows-XXXXXX";
    struct table rows = { 0 };
    struct err e = { 0 };
    const int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, rows_text, sizeof rows_text - 1) == (ssize_t)sizeof rows_text - 1, "%s", path);
    close(fd);
    CHECK(table_append(&rows, path, &e) == ERR_OK && rows.count == 3, "%s", e.text);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        struct text out = { 0 };
        paper_screen(&rows, widths[i], &out);
        for (const char *at = text_of(&out); widths[i] && *at; at += strcspn(at, "\n") + 1)
            CHECK(strcspn(at, "\n") <= widths[i], "%zu columns: %s", widths[i], at);
        CHECK(count_of(text_of(&out), "of all: measure=recall@5\n") == 1, "%s", text_of(&out));
        CHECK(count_of(text_of(&out), "not resolved [1]") == 2 && count_of(text_of(&out), "a reason that is") == 1, "%s", text_of(&out));
        CHECK(count_of(text_of(&out), "data=other") == 2 && count_of(text_of(&out), "10/80/10") == 1 && !count_of(text_of(&out), "theory"),
              "%s", text_of(&out));
        text_free(&out);
    }
    table_free(&rows);
    (void)unlink(path);
}

int main(void)
{
    test_case("killed at random times, a run goes on and leaves the same", goes_on);
    test_case("a killed owner's folder is swept, a living one's is not", is_swept);
    test_case("a sweep spares what is not ours", spares_what_is_not_ours);
    test_case("a table fits 80, 120 and 200 columns", fits_terminals);
    return test_end();
}
