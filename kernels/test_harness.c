/* SPDX-License-Identifier: MIT
 * test_harness.c - does the net hold?  Wrong kernels, each with one of the mistakes that SIMD code
 * makes, go through the very checkers of the kernel tests, and every one must be caught. */
#include "kernels/check_rows.h"

typedef const float *in;

/* What the correct kernel does, in the canonical order; every plant departs from it in one thing. */
static float sum_of(in q, in x, size_t dim)
{
    float lane[32] = { 0 };
    for (size_t i = 0; i < dim; i++) lane[i % 32] = fmaf(q[i], x[i], lane[i % 32]);
    for (size_t i = dim; i % 32; i++) lane[i % 32] = fmaf(0, 0, lane[i % 32]);
    return canonical_sum(lane);
}

#define UNUSED __attribute__((unused))
#define PLANT(name)                                                                                \
    static void name(in q, in rows, UNUSED size_t stride, UNUSED const uint32_t *pick, size_t count, \
                     size_t dim, float *scores)
#define EACH_ROW for (size_t r = 0, at; r < count && (at = pick ? pick[r] : r, 1); r++)

PLANT(correct) { EACH_ROW scores[r] = sum_of(q, rows + at * stride, dim); }

PLANT(reads_behind)
{
    EACH_ROW {
        const volatile float *x = rows + at * stride;
        scores[r] = sum_of(q, rows + at * stride, dim) + 0 * x[dim];
    }
}

PLANT(reads_before)
{
    EACH_ROW {
        const volatile float *before = q - 1;
        (void)*before;
        scores[r] = sum_of(q, rows + at * stride, dim);
    }
}

PLANT(drops_tail) { EACH_ROW scores[r] = sum_of(q, rows + at * stride, dim / 16 * 16); }
PLANT(drops_last) { EACH_ROW scores[r] = sum_of(q, rows + at * stride, dim % 32 == 31 ? dim - 1 : dim); }

/* Within the bound, but in an order of its own: not "the same bits everywhere". */
PLANT(other_order)
{
    EACH_ROW {
        float lane[16] = { 0 }, sum = 0;
        for (size_t i = 0; i < dim; i++) lane[i % 16] = fmaf(q[i], rows[at * stride + i], lane[i % 16]);
        for (int i = 0; i < 16; i++) sum += lane[i];
        scores[r] = sum;
    }
}

PLANT(no_fma)
{
    EACH_ROW {
        float lane[32] = { 0 };
        for (size_t i = 0; i < dim; i++) lane[i % 32] += q[i] * rows[at * stride + i];
        scores[r] = canonical_sum(lane);
    }
}

PLANT(writes_behind)
{
    correct(q, rows, stride, pick, count, dim, scores);
    if (count == 3) scores[count] = 0;
}

PLANT(writes_before)
{
    correct(q, rows, stride, pick, count, dim, scores);
    if (count == 7) scores[-1] = 0;
}

/* cast in place of zext: the lanes above the tail keep what the last full step left there. */
PLANT(stale_lanes)
{
    EACH_ROW {
        in x = rows + at * stride;
        float lane[32] = { 0 };
        for (size_t i = 0; i < (dim + 31) / 32 * 32; i++) {
            const size_t from = i < dim ? i : i >= 32 ? i - 32 : dim;
            if (from < dim) lane[i % 32] = fmaf(q[from], x[from], lane[i % 32]);
        }
        scores[r] = canonical_sum(lane);
    }
}

PLANT(saturates)
{
    EACH_ROW {
        const float sum = sum_of(q, rows + at * stride, dim);
        scores[r] = fminf(fmaxf(sum, -0x1p112f), 0x1p112f);
    }
}

PLANT(ignores_stride) { EACH_ROW scores[r] = sum_of(q, rows + at * dim, dim); }
PLANT(ignores_pick) { correct(q, rows, stride, NULL, count, dim, scores); }
PLANT(forgets_last_row) { correct(q, rows, stride, pick, count > 5 ? count - 1 : count, dim, scores); }
PLANT(crashes)
{
    float *volatile nowhere = NULL;
    correct(q, rows, stride, pick, count, dim, count ? nowhere : scores);
}

/* Any ISA that promises the canonical order. */
static const enum isa VECTOR = (enum isa)(ISA_scalar + 1);
static struct rows_check inputs;

static void call(const struct kernel *k, const struct rows_args *a)
{
    k->fn.dot_f32(a->query, a->rows, a->stride, a->pick, a->count, a->dim, a->scores);
}

static const char *outcome(dot_f32_fn *fn, enum kernel_kind kind, enum isa isa)
{
    const struct kernel k = { .op = OP_dot_f32, .isa = isa, .kind = kind, .variant = "planted", .fn.dot_f32 = fn };
    return check_quietly(rows_check_run, &k, &inputs, NULL);
}

static void plants_are_caught(void)
{
    static const struct { const char *name; dot_f32_fn *fn; } plants[] = {
        { "reads behind a row", reads_behind },   { "reads before the query", reads_before },
        { "drops the tail", drops_tail },         { "drops the last element at some lengths", drops_last },
        { "another order", other_order },         { "no fused multiply-add", no_fma },
        { "writes behind", writes_behind },       { "writes before", writes_before },
        { "stale lanes in the tail", stale_lanes }, { "saturates", saturates },
        { "ignores the stride", ignores_stride }, { "ignores the picks", ignores_pick },
        { "forgets the last row", forgets_last_row }, { "crashes", crashes },
    };
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++)
        CHECK(outcome(plants[i].fn, KERNEL_DEFAULT, VECTOR) != TEST_SAID_OK, "a kernel that %s passed", plants[i].name);
}

/* int8: what VPMADDUBSW and a 16-bit accumulator do. */
static int32_t clip16(int32_t x) { return x > 32767 ? 32767 : x < -32768 ? -32768 : x; }

static void saturating_pairs(const int8_t *q, const int8_t *rows, size_t stride, const uint32_t *pick, size_t count,
                             size_t dim, int32_t *scores)
{
    EACH_ROW {
        const int8_t *x = rows + at * stride;
        scores[r] = 0;
        for (size_t i = 0; i < dim; i += 2)
            scores[r] += clip16(q[i] * x[i] + (i + 1 < dim ? q[i + 1] * x[i + 1] : 0));
    }
}

static void wrapping_sums(const int8_t *q, const int8_t *rows, size_t stride, const uint32_t *pick, size_t count,
                          size_t dim, int32_t *scores)
{
    EACH_ROW {
        int16_t lane[64] = { 0 };
        scores[r] = 0;
        for (size_t i = 0; i < dim; i++) lane[i % 64] = (int16_t)(lane[i % 64] + q[i] * rows[at * stride + i]);
        for (int i = 0; i < 64; i++) scores[r] += lane[i];
    }
}

static void call_i8(const struct kernel *k, const struct rows_args *a)
{
    k->fn.dot_i8(a->query, a->rows, a->stride, a->pick, a->count, a->dim, a->scores);
}

static void int8_plants_are_caught(void)
{
    static const struct rows_op op = { OP_dot_i8, ROWS_DOT, &element_of_i8, &element_of_i8, 1, call_i8 };
    static struct rows_check c;
    rows_check_init(&c, &op, 5, 0);
    const struct kernel pairs = { .op = OP_dot_i8, .isa = VECTOR, .fn.dot_i8 = saturating_pairs };
    const struct kernel wraps = { .op = OP_dot_i8, .isa = VECTOR, .fn.dot_i8 = wrapping_sums };
    CHECK(check_quietly(rows_check_run, &pairs, &c, NULL) != TEST_SAID_OK, "pairs that saturate at 16 bits passed");
    CHECK(check_quietly(rows_check_run, &wraps, &c, NULL) != TEST_SAID_OK, "16-bit sums that wrap passed");
}

/* Rows in free order keep wider bounds, those of f16 sums by far: what is left out must show all the same. */
enum lack { NOTHING, LAST, A_STEP, A_LANE, A_LANE_OF_A_STEP };
static enum lack lack;

static float lacking(const float *q, const void *row, size_t at, const struct element *t, size_t dim)
{
    float lane[16] = { 0 }, sum = 0;
    for (size_t i = 0; i < dim; i++) {
        const int is_left_out = (lack == LAST && i + 1 == dim && dim % 32 == 1) || (lack == A_STEP && i / 32 == 2) ||
                                (lack == A_LANE && i % 16 == 15) || (lack == A_LANE_OF_A_STEP && i == 2 * 32 + 7);
        if (!is_left_out) lane[i % 16] = fmaf(q[i], t->get((const char *)row + (at + i) * t->size), lane[i % 16]);
    }
    for (int i = 0; i < 16; i++) sum += lane[i];
    return sum;
}

static void lacking_f32(in q, in rows, size_t stride, const uint32_t *pick, size_t count, size_t dim, float *scores)
{
    EACH_ROW scores[r] = lacking(q, rows, at * stride, &element_of_f32, dim);
}

static void lacking_f16(in q, const uint16_t *rows, size_t stride, const uint32_t *pick, size_t count, size_t dim, float *scores)
{
    EACH_ROW scores[r] = lacking(q, rows, at * stride, &element_of_f16, dim);
}

static void call_f16(const struct kernel *k, const struct rows_args *a)
{
    k->fn.dot_f16(a->query, a->rows, a->stride, a->pick, a->count, a->dim, a->scores);
}

static void free_plants_are_caught(void)
{
    static const struct rows_op op = { OP_dot_f16, ROWS_DOT, &element_of_f32, &element_of_f16, 0, call_f16 };
    static const char *const names[] = { "nothing", "the last element", "a step", "a lane", "a lane of a step" };
    static struct rows_check c;
    rows_check_init(&c, &op, 5, 0);
    /* The bound of dot_f16=avx512fp16/chain4, the widest of all rows'. */
    const struct kernel f16 = { .op = OP_dot_f16, .isa = VECTOR, .kind = KERNEL_FREE, .fn.dot_f16 = lacking_f16,
                                .own = { .products = 6 * 0x1p-11 * (1 + 3e-3), .coarse = 0x1p-21 * (1 + 3e-3) } };
    for (lack = NOTHING; lack <= A_LANE_OF_A_STEP; lack++) {
        const int passed = check_quietly(rows_check_run, &f16, &c, NULL) == TEST_SAID_OK;
        CHECK(passed == (lack == NOTHING), "f16 sums: a kernel that leaves out %s %s", names[lack], passed ? "passed" : "failed");
        const int passed_f32 = outcome(lacking_f32, KERNEL_FREE, VECTOR) == TEST_SAID_OK;
        CHECK(passed_f32 == (lack == NOTHING), "a kernel that leaves out %s %s", names[lack], passed_f32 ? "passed" : "failed");
    }
}

static void right_ones_pass(void)
{
    const char *said = outcome(correct, KERNEL_DEFAULT, VECTOR);
    CHECK(said == TEST_SAID_OK, "the correct kernel: %s", said);
    said = outcome(other_order, KERNEL_FREE, VECTOR);
    CHECK(said == TEST_SAID_OK, "another order, marked free: %s", said);
    said = outcome(no_fma, KERNEL_DEFAULT, ISA_scalar);
    CHECK(said == TEST_SAID_OK, "scalar code without fma: %s", said);
}

/* All files of an ISA are compiled with the same flags, so their needs are equal; a row that claimed a
 * weaker ISA than its code has would be called where it faults.  needs: of each ISA, NONE before its first row. */
static const uint32_t NONE = UINT32_MAX;

static int claims_another(const struct kernel *k, uint32_t needs[ISA_COUNT])
{
    if (needs[k->isa] == NONE) needs[k->isa] = k->needs;
    return k->needs != needs[k->isa];
}

static void rows_need_what_their_isa_needs(void)
{
    uint32_t needs[ISA_COUNT];
    for (int isa = 0; isa < ISA_COUNT; isa++) needs[isa] = NONE;
    for (int op = 0; op < OP_COUNT; op++)
        for (const struct kernel *k = NULL; (k = kernel_next((enum kernel_op)op, k));)
            CHECK(!claims_another(k, needs), "%s %s/%s needs %#x, other rows of its ISA %#x", kernel_op_name(k->op),
                  isa_name(k->isa), k->variant, k->needs, needs[k->isa]);
    for (int a = ISA_scalar + 1; a < ISA_COUNT; a++)
        for (int b = ISA_scalar + 1; b < a; b++)
            CHECK(needs[a] == NONE || needs[a] != needs[b], "%s needs no more than %s", isa_name((enum isa)a),
                  isa_name((enum isa)b));
    for (int a = 0; a < ISA_COUNT; a++) /* planted: a row of every ISA that claims to be another's */
        for (int b = ISA_scalar + 1; b < ISA_COUNT; b++) {
            const struct kernel liar = { .isa = (enum isa)a, .needs = needs[b] };
            if (a == b || needs[a] == NONE || needs[b] == NONE || needs[a] == needs[b]) continue;
            CHECK(claims_another(&liar, needs), "%s code as a row of %s passed", isa_name((enum isa)b), isa_name((enum isa)a));
        }
}

/* Does a row that no CPU can run fail as STRICT says?  Its line is not for the screen. */
static int is_failed(const struct kernel *k, const char *strict)
{
    const int cases = test_cases, bad = test_bad_cases;
    fflush(stdout);
    const int screen = dup(STDOUT_FILENO), hole = open("/dev/null", O_WRONLY);
    dup2(hole, STDOUT_FILENO);
    setenv("STRICT", strict, 1);
    check_one(k, rows_check_run, &inputs, NULL);
    dup2(screen, STDOUT_FILENO);
    close(screen), close(hole);
    const int failed = test_bad_cases > bad;
    test_cases = cases, test_bad_cases = bad;
    return failed;
}

static void strict_forbids_skipping(void)
{
    static const struct { const char *strict; int fails; } said[] = {
        { "", 0 }, { "neon", 1 }, { "avx2,neon", 1 }, { "neon,avx2", 1 }, { "neondot,neon", 1 }, { "neondot", 0 },
        { "neo", 0 }, { "avx2,neoni8mm", 0 },
    };
    const struct kernel k = { .op = OP_dot_f32, .isa = ISA_neon, .needs = UINT32_MAX, .variant = "planted" };
    const char *now = getenv("STRICT");
    char *kept = now ? strdup(now) : NULL;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        CHECK(is_failed(&k, said[i].strict) == said[i].fails, "STRICT=%s: a skipped row of neon %s", said[i].strict,
              said[i].fails ? "passed" : "failed");
    if (kept) setenv("STRICT", kept, 1);
    else unsetenv("STRICT");
    free(kept);
}

/* What check_one says of a row on stderr, into `said`; its TAP line is not for the screen. */
static void report_of(const struct kernel *k, char *said, size_t size)
{
    const int cases = test_cases, bad = test_bad_cases;
    FILE *file = tmpfile();
    if (!file) abort();
    fflush(NULL);
    const int screen = dup(STDOUT_FILENO), errors = dup(STDERR_FILENO), hole = open("/dev/null", O_WRONLY);
    dup2(hole, STDOUT_FILENO), dup2(fileno(file), STDERR_FILENO);
    check_one(k, rows_check_run, &inputs, NULL);
    fflush(NULL);
    dup2(screen, STDOUT_FILENO), dup2(errors, STDERR_FILENO);
    close(screen), close(errors), close(hole);
    test_cases = cases, test_bad_cases = bad;
    rewind(file);
    said[fread(said, 1, size - 1, file)] = 0;
    fclose(file);
}

/* The name, three cases, how many more. */
static void failures_are_named_first(void)
{
    const struct kernel k = { .op = OP_dot_f32, .isa = ISA_scalar, .variant = "planted", .fn.dot_f32 = drops_tail };
    static const char want[] = "dot_f32=scalar/planted:\n";
    char said[4096];
    report_of(&k, said, sizeof said);
    size_t cases = 0;
    for (const char *at = said; (at = strstr(at, "check_rows.h:")); at++) cases++;
    CHECK(strncmp(said, want, strlen(want)) == 0 && cases == TEST_SHOWN && strstr(said, "/planted: and "), "%zu cases: %s", cases, said);
}

int main(void)
{
    static const struct rows_op op = { OP_dot_f32, ROWS_DOT, &element_of_f32, &element_of_f32, 0, call };
    rows_check_init(&inputs, &op, 5, 0);
    check_start();
    test_case("planted wrong kernels are caught", plants_are_caught);
    test_case("planted int8 kernels that overflow are caught", int8_plants_are_caught);
    test_case("planted kernels in free order are caught within their wider bounds", free_plants_are_caught);
    test_case("right kernels pass", right_ones_pass);
    test_case("a failing row is named first, with three cases", failures_are_named_first);
    test_case("STRICT makes a failure of skipping", strict_forbids_skipping);
    test_case("a row needs what its ISA needs", rows_need_what_their_isa_needs);
    return test_end();
}
