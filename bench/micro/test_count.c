/* SPDX-License-Identifier: MIT
 * test_count.c - functions of known length are counted to the instruction, the same each time; one instruction more in a
 * loop is found; the classes of instructions as objdump writes them. */
#include "bench/micro/count.h"
#include "kernels/base/test.h"
#include <signal.h>

#if defined(__x86_64__)
/* 1 + 10 turns of 2 + ret; and a turn of 3. */
void count_planted(float *x, size_t n);
void count_grown(float *x, size_t n);
__asm__(".text\n.globl count_planted\n.type count_planted, @function\n"
        "count_planted: mov $10, %ecx\n1: dec %ecx\njnz 1b\nret\n.size count_planted, .-count_planted\n"
        ".globl count_grown\n.type count_grown, @function\n"
        "count_grown: mov $10, %ecx\n1: nop\ndec %ecx\njnz 1b\nret\n.size count_grown, .-count_grown\n");
static const struct kernel planted = { .op = OP_fht_f32, .variant = "planted", .fn.fht_f32 = count_planted };
static const struct kernel grown = { .op = OP_fht_f32, .variant = "planted", .fn.fht_f32 = count_grown };
#else
static const struct kernel planted, grown;
#endif
static const struct workload_shape shape = { .op = OP_fht_f32, .dim = 64, .rows = 3, .batch = 1, .seed = 1 };

static void known_lengths(void)
{
    struct count c, again, more;
    struct err e = { 0 };
    const int status = count_kernel(&planted, &shape, &c, &e);
    if (status == ERR_UNSUPPORTED) SKIP("no program can be stepped here");
    CHECK(status == ERR_OK && c.instructions == 3 * 22 && c.library == 0, "%llu instructions: %s",
          (unsigned long long)c.instructions, e.text);
    CHECK(count_kernel(&planted, &shape, &again, &e) == ERR_OK && again.instructions == c.instructions, "%s", e.text);
    CHECK(count_kernel(&grown, &shape, &more, &e) == ERR_OK && more.instructions == 3 * 32, "%llu: %s",
          (unsigned long long)more.instructions, e.text);
    struct text csv = { 0 }, loop = { 0 };
    count_csv_head(&csv);
    count_csv(&planted, &c, &csv);
    CHECK(count_committed(text_of(&csv), &grown, &more) == c.instructions, "%s", text_of(&csv));
    count_asm(&more, &loop);
    if (more.lines[0].text[0]) { /* objdump is installed */
        CHECK(c.of[COUNT_BRANCH] == 3 * 11, "%llu branches", (unsigned long long)c.of[COUNT_BRANCH]);
        CHECK(strstr(text_of(&loop), "90 of 96") && strstr(text_of(&loop), "30  nop"), "%s", text_of(&loop));
    }
    text_free(&csv);
    text_free(&loop);
    count_free(&c), count_free(&again), count_free(&more);
}

static void count_again(size_t rows)
{
    const struct workload_shape long_one = { .op = OP_fht_f32, .dim = 64, .rows = rows, .batch = 1, .seed = 1 };
    struct count c = { 0 };
    struct err e = { 0 };
    setpgid(0, 0);
    _exit(!(count_kernel(&planted, &long_one, &c, &e) == ERR_OK && c.instructions == long_one.rows * 22));
}

/* All of it suspended and resumed again and again, as a shell or a batch system may: the count is the same. */
static void stops_change_nothing(void)
{
    enum { ROWS = 3000 };
    struct count c;
    struct err e = { 0 };
    if (count_kernel(&planted, &shape, &c, &e) == ERR_UNSUPPORTED) SKIP("no program can be stepped here");
    count_free(&c);
    int status;
    fflush(NULL);
    const pid_t group = fork();
    if (group == 0) count_again(ROWS);
    CHECK(group > 0, "no child");
    while (waitpid(group, &status, WNOHANG) == 0) {
        kill(-group, SIGSTOP), kill(-group, SIGCONT);
        usleep(500);
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "stopped meanwhile: status %#x", status);
}

/* A real row against its own count, and against 2 % less. */
static void the_gate(void)
{
    const size_t dims[] = { 100, 384 };
    struct count_plan plan = { .filter = "dot_f32/scalar/plain", .dims = dims, .dim_count = 2, .batch = 1, .seed = 1 };
    struct count_run first = { 0 }, second = { 0 }, third = { 0 };
    struct err e = { 0 };
    const int status = count_run(&plan, &first, &e);
    if (status == ERR_UNSUPPORTED) SKIP("no program can be stepped here");
    CHECK(status == ERR_OK && first.done == 2 && first.compared == 0, "%s", e.text);
    plan.committed = text_of(&first.csv);
    CHECK(count_run(&plan, &second, &e) == ERR_OK && second.compared == 2 && second.grown == 0, "%zu compared, %zu grown: %s",
          second.compared, second.grown, text_of(&second.table));
    struct text less = { 0 };
    char *save = NULL, *copy = strdup(text_of(&first.csv));
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        unsigned long long n;
        char key[128];
        if (sscanf(line, "%127[^,],", key) == 1 && strcmp(key, "op") != 0) {
            char *at = line;
            for (int i = 0; i < 6; i++) at = strchr(at, ',') + 1;
            n = strtoull(at, NULL, 10);
            text_add(&less, "%.*s%llu,0\n", (int)(at - line), line, n * 98 / 100);
        } else {
            text_add(&less, "%s\n", line);
        }
    }
    plan.committed = text_of(&less);
    CHECK(count_run(&plan, &third, &e) == ERR_OK && third.compared == 2 && third.grown == 2 && strstr(third.first, "dot_f32=scalar/plain"),
          "%zu compared, %zu grown: %s", third.compared, third.grown, third.first);
    free(copy);
    text_free(&less);
    count_run_free(&first), count_run_free(&second), count_run_free(&third);
}

/* Without a filter what some CPU would choose is counted, whichever this one is: the committed table is of all of them. */
static void rows_of_other_lines(void)
{
    const size_t dims[] = { 8 };
    const struct count_plan plan = { .filter = "", .dims = dims, .dim_count = 1, .batch = 1, .seed = 1 };
    struct count_run r = { 0 };
    struct err e = { 0 };
    const int status = count_run(&plan, &r, &e);
    if (status == ERR_UNSUPPORTED) SKIP("no program can be stepped here");
    CHECK(status == ERR_OK && r.done > 0, "%s", e.text);
    for (int op = 0; op < OP_COUNT; op++)
        for (const struct kernel *k = kernel_next((enum kernel_op)op, NULL); k; k = kernel_next((enum kernel_op)op, k)) {
            char row[96];
            snprintf(row, sizeof row, "\n%s,%s/%s,", kernel_op_name(k->op), isa_name(k->isa), k->variant);
            const int is_chosen = k->lines || k == kernel_default(k->op, (enum isa)(ISA_COUNT - 1), "") ||
                                  k == kernel_default(k->op, (enum isa)(ISA_COUNT - 1), cpu_line());
            const int wants = workload_uses(k->op) >= 0 && kernel_runnable(k) && is_chosen;
            CHECK(wants == (strstr(text_of(&r.csv), row) != NULL), "%s: %s", row + 1, wants ? "not counted" : "counted");
        }
    count_run_free(&r);
}

static void classes(void)
{
    static const struct { const char *text; unsigned classes; } lines[] = {
        { "vmovups -0x80(%r14,%rcx,4),%zmm0", 1u << COUNT_LOAD },
        { "vmovups %zmm0,(%rdi)", 1u << COUNT_STORE },
        { "vfmadd231ps -0x80(%r11,%rcx,4),%zmm0,%zmm3", 1u << COUNT_LOAD | 1u << COUNT_FMA },
        { "add    %eax,0x8(%rdi)", 1u << COUNT_LOAD | 1u << COUNT_STORE },
        { "cmp    %rcx,(%rbx)", 1u << COUNT_LOAD },
        { "lea    (%rdi,%rsi,4),%rax", 0 },
        { "prefetcht0 0x40(%rdi)", 0 },
        { "vpermb %zmm1,%zmm2,%zmm3", 1u << COUNT_SHUFFLE },
        { "vpdpbusd (%rax),%zmm1,%zmm2", 1u << COUNT_LOAD | 1u << COUNT_DOT },
        { "tdpbssd %tmm0,%tmm1,%tmm2", 1u << COUNT_DOT },
        { "tileloadd (%rax,%rbx,1),%tmm0", 1u << COUNT_LOAD },
        { "tilestored %tmm4,(%rax,%rbx,1)", 1u << COUNT_STORE },
        { "jae    11efc0 <rows8+0x14a0>", 1u << COUNT_BRANCH },
        { "push   %rbx", 1u << COUNT_STORE },
        { "ret", 1u << COUNT_BRANCH | 1u << COUNT_LOAD },
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        CHECK(count_classes_of(lines[i].text) == lines[i].classes, "%s: %#x", lines[i].text, count_classes_of(lines[i].text));
}

int main(void)
{
    test_case("functions of known length", known_lengths);
    test_case("being suspended changes no count", stops_change_nothing);
    test_case("growth of 2 % is found", the_gate);
    test_case("rows of other lines of CPUs", rows_of_other_lines);
    test_case("classes of instructions", classes);
    return test_end();
}
