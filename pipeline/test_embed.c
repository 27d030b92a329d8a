/* SPDX-License-Identifier: MIT
 * test_embed.c - the subprocess embedder against programs that behave, dawdle, lie and die. */
#include "pipeline/check_kb.h"
#include <signal.h>

static struct pipeline *with_command(const char *command, const char *timeout)
{
    char line[600], wait[64];
    snprintf(line, sizeof line, "embed_command=%s", command);
    snprintf(wait, sizeof wait, "embed_timeout=%s", timeout);
    const char *settings[] = { "embed=subprocess", "index=flat", line, wait };
    struct pipeline *p = NULL;
    CHECK(pipeline_open(&p, kb_path("embed.db"), settings, 4, NULL, &kb_err) == ERR_OK, "%s", kb_err.text);
    return p;
}

static int ask(struct pipeline *p, const char *text, struct answer *a)
{
    const struct question q = { .text = text };
    kb_err.text[0] = 0;
    return pipeline_query(p, &q, 1, a, &kb_err);
}

/* A program that answers "a" with the first axis and anything else with the second. */
static const char HONEST[] =
    "while read -r line; do if [ \"$line\" = a ]; then echo 1 0; else echo ' 0.0\t1e0 '; fi; done";

static void honest(void)
{
    struct answer a;
    struct pipeline *p = with_command(HONEST, "20");
    for (int i = 0; p && i < 5; i++) {
        CHECK(ask(p, "a", &a) == ERR_OK && a.results[0].id == 1, "%s", kb_err.text);
        CHECK(ask(p, "b", &a) == ERR_OK && a.results[0].id == 2, "%s", kb_err.text);
        CHECK(strcmp(a.trace[SLOT_EMBED].stage, "subprocess") == 0 && a.trace[SLOT_EMBED].ns > 0, "the trace");
    }
    CHECK(p && ask(p, "a\nb\n", &a) == ERR_OK && a.results[0].id == 2, "line feeds are blanks: %s", kb_err.text);
    CHECK(p && ask(p, "a", &a) == ERR_OK && a.results[0].id == 1, "still in step: %s", kb_err.text);
    pipeline_close(p);
}

/* Each command fails its first life and is honest in its second: a file remembers. */
static void fails_once(const char *failure, const char *timeout, int code, const char *says)
{
    struct answer a;
    char command[500];
    (void)unlink(kb_path("alive"));
    snprintf(command, sizeof command, "if [ ! -e %s ]; then touch %s; %s; else %s; fi", kb_path("alive"),
             kb_path("alive"), failure,
             HONEST);
    struct pipeline *p = with_command(command, timeout);
    if (!p) return;
    const int status = ask(p, "a", &a);
    CHECK(status == code && strstr(kb_err.text, says), "%s: %d %s", failure, status, kb_err.text);
    CHECK(ask(p, "a", &a) == ERR_OK && a.results[0].id == 1, "%s: started again: %s", failure, kb_err.text);
    CHECK(ask(p, "b", &a) == ERR_OK && a.results[0].id == 2, "%s: in step: %s", failure, kb_err.text);
    pipeline_close(p);
}

static void misbehaves(void)
{
    fails_once("read l; sleep 60", "0.2", ERR_BUSY, "within 0.2 s");
    fails_once("read l; printf '1 '; sleep 60", "0.2", ERR_BUSY, "within 0.2 s");
    fails_once("exit 3", "20", ERR_IO, "ended early");
    fails_once("read l; printf '1 0'; exit", "20", ERR_IO, "ended early");
    fails_once("read l; echo 1 zero", "20", ERR_FORMAT, "'zero'");
    fails_once("read l; echo 1 0x; cat", "20", ERR_FORMAT, "'0x'");
    fails_once("read l; echo 1 nan", "20", ERR_FORMAT, "'nan'");
    fails_once("read l; echo 1 1e99", "20", ERR_FORMAT, "1e99");
    fails_once("read l; echo 1 0 0", "20", ERR_FORMAT, "3 numbers");
    fails_once("read l; echo; cat", "20", ERR_FORMAT, "0 numbers");
}

/* A second line would answer the next question wrongly for ever. */
static void extra_line(void)
{
    struct answer a;
    char command[400];
    snprintf(command, sizeof command,
             "if [ ! -e %s ]; then touch %s; read l; printf '1 0\\n1 0\\n'; sleep 60; else %s; fi",
             kb_path("extra"), kb_path("extra"), HONEST);
    struct pipeline *p = with_command(command, "20");
    CHECK(p && ask(p, "a", &a) == ERR_OK && a.results[0].id == 1, "%s", kb_err.text);
    CHECK(p && ask(p, "b", &a) == ERR_OK && a.results[0].id == 2, "not the line that was left over: %s", kb_err.text);
    pipeline_close(p);
}

/* A long text to a program that does not read: the pipe fills, and the deadline holds for that too. */
static void never_reads(void)
{
    struct answer a;
    char *text = malloc(1 << 20);
    memset(text, 'x', (1 << 20) - 1);
    text[(1 << 20) - 1] = 0;
    struct pipeline *p = with_command("sleep 60", "0.2");
    CHECK(p && ask(p, text, &a) == ERR_BUSY, "%s", kb_err.text);
    pipeline_close(p);
    p = with_command("read l; echo ${#l} 0", "20");
    CHECK(p && ask(p, text, &a) == ERR_OK, "a text of a megabyte: %s", kb_err.text);
    pipeline_close(p);
    free(text);
}

/* An embedder may take its time: meanwhile others write.  (This one does so itself, once.) */
static void writers_go_on(void)
{
    struct answer a;
    char command[600];
    snprintf(command, sizeof command,
             "read l; sqlite3 %s \"INSERT INTO kg_entities (entity_type, name) VALUES ('t', 'n')\" "
                                      "|| exit; echo 1 0; %s", kb_path("embed.db"), HONEST);
    struct pipeline *p = with_command(command, "20");
    CHECK(p && ask(p, "a", &a) == ERR_OK && a.results[0].id == 1, "%s", kb_err.text);
    CHECK(kb_number("embed.db", "SELECT count(*) FROM kg_entities") == 3, "it could write");
    pipeline_close(p);
}

static volatile sig_atomic_t pipes_broken;
static void on_pipe(int signal) { (void)signal, pipes_broken++; }

static void no_signal_no_zombie(void)
{
    struct answer a;
    signal(SIGPIPE, on_pipe);
    struct pipeline *p = with_command("exec <&-; sleep 60", "0.3");
    CHECK(p && ask(p, "a", &a) != ERR_OK, "nobody reads");
    usleep(50000);
    CHECK(p && ask(p, "a", &a) != ERR_OK, "nobody reads");
    pipeline_close(p);
    CHECK(pipes_broken == 0, "SIGPIPE reached the program");
    signal(SIGPIPE, SIG_DFL);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0, "a child is left");
}

static void fixed(void)
{
    struct answer a;
    const struct { const char *setting; int status; const char *says; } cases[] = {
        { "embed_vector=0,1", ERR_OK, "" }, { "embed_vector=0 1", ERR_OK, "" }, { "embed_vector=", ERR_ARG,
                                                                                  "embed_vector" },
        { "embed_vector=1", ERR_ARG, "1 numbers" }, { "embed_vector=1,x", ERR_ARG, "'x'" }, { "embed_vector=1,inf",
                                                                                              ERR_ARG, "inf" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pipeline *p = NULL;
        const char *settings[] = { "index=flat", "embed=fixed", cases[i].setting };
        CHECK(pipeline_open(&p, kb_path("embed.db"), settings, 3, NULL, &kb_err) == ERR_OK, "%s", kb_err.text);
        if (!p) continue;
        const int status = ask(p, "whatever", &a);
        CHECK(status == cases[i].status && strstr(kb_err.text, cases[i].says), "%s: %s", cases[i].setting, kb_err.text);
        if (status == ERR_OK) CHECK(a.results[0].id == 2, "%lld", (long long)a.results[0].id);
        pipeline_close(p);
    }
}

int main(void)
{
    if (!mkdtemp(kb_folder)) return TEST_FAIL;
    kb_make("embed.db", 2, 2, (const float[4]){ 1, 0, 0, 1 }, NULL);
    test_case("fixed", fixed);
    test_case("a program that behaves", honest);
    test_case("programs that do not, and come back", misbehaves);
    test_case("a line that nobody asked for", extra_line);
    test_case("a program that never reads", never_reads);
    test_case("writers go on while a text is embedded", writers_go_on);
    test_case("no SIGPIPE, no zombie", no_signal_no_zombie);
    return kb_end();
}
