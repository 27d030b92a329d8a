/* SPDX-License-Identifier: MIT
 * test_paper.c - is what a paper says read strictly, are verdicts those of intervals, does what is planted turn them, and
 * does the page say what the rows say? */
#include "bench/papers/item.h"
#include "bench/papers/judge.h"
#include "bench/papers/quant.h"
#include "bench/papers/show.h"
#include "index/codebook.h"
#include "kernels/base/test.h"
#include <dirent.h>
#include <math.h>

#define HEADER "item\tclass\tcell\tvalue\tdigit\tunit\thow\twhere\trule\ttolerance\twhy\n"

/* --- the table --------------------------------------------------------------------------------------- */

static void refuses(const char *lines, const char *message)
{
    struct paper_table t;
    struct err e = { 0 };
    const int status = paper_table_read(&t, "x.tsv", lines, &e);
    CHECK(status == ERR_FORMAT, "%s: taken", lines);
    CHECK(strstr(e.text, message), "'%s' does not say '%s'", e.text, message);
    if (status == ERR_OK) paper_table_free(&t);
}

static void test_malformed(void)
{
    refuses("", "x.tsv: empty");
    refuses("item\tclass\n", "x.tsv:1: 2 fields where the header has 11");
    refuses("items\tclass\tcell\tvalue\tdigit\tunit\thow\twhere\trule\ttolerance\twhy\n", "column 'items' where 'item'");
    refuses(HEADER "a\tR\tb=1\t1\t1\n", "x.tsv:2: 5 fields");
    refuses(HEADER "a\tR\tb=1\t1.x\t.1\t\tprinted\tt\twithin\t0\t\n", "x.tsv:2: value '1.x': no number");
    refuses(HEADER "a\tR\tb=1\t1\t-1\t\tprinted\tt\twithin\t0\t\n", "x.tsv:2: digit '-1': less than 0");
    refuses(HEADER "a\tQ\tb=1\t1\t.1\t\tprinted\tt\twithin\t0\t\n", "x.tsv:2: class 'Q'");
    refuses(HEADER "a\tR\tb\t1\t.1\t\tprinted\tt\twithin\t0\t\n", "x.tsv:2: cell 'b'");
    refuses(HEADER "a\tR\tb=1\t1\t.1\t\tguessed\tt\twithin\t0\t\n", "x.tsv:2: how 'guessed'");
    refuses(HEADER "a\tR\tb=1\t1\t.1\t\tprinted\t\twithin\t0\t\n", "x.tsv:2: where ''");
    refuses(HEADER "a\tR\tb=1\t1\t.1\t\tprinted\tt\twithing\t0\t\n", "rule 'withing': unknown; nearest is 'within'");
    refuses(HEADER "a\tT\tb=1\t1\t.1\t\tprinted\tt\twithin\t0\t\n", "rule 'within': numbers of other data");
    refuses(HEADER "a\tT\tb=1\t0\t.1\t\tprinted\tt\tdirection\t0\t\n", "value '0': 0 is no direction");
    refuses(HEADER "a\tX\tb=1\t\t\t\t\tt\t\t\twhy\n", "cell 'b=1': class X has none");
    refuses(HEADER "a\tX\t\t\t\t\t\tt\t\t\t\n", "why '': class X gives its reason");
}

static void test_cells(void)
{
    char out[64];
    const char *const keys[] = { "b", NULL };
    CHECK(cell_in("b=1", "a=2;b=1;c=3") && cell_in("c=3;a=2", "a=2;b=1;c=3") && cell_in("", "a=2"), "a part is in the whole");
    CHECK(!cell_in("b=1", "a=2;b=10") && !cell_in("b=1", "bb=1") && !cell_in("a=2;d=4", "a=2;b=1"), "others are not");
    CHECK(cell_get("a=2;b=x y", "b", out, sizeof out) && strcmp(out, "x y") == 0, "%s", out);
    CHECK(!cell_get("ab=2", "b", out, sizeof out), "%s", out);
    cell_without("a=2;b=1;c=3", keys, 2, out, sizeof out);
    CHECK(strcmp(out, "a=2;c=3") == 0, "%s", out);
    cell_beside("a=2;b=1;c=3;bb=4", "b=7;c", out, sizeof out);
    CHECK(strcmp(out, "a=2;c=3;bb=4") == 0, "%s", out);
}

static void test_registered(void)
{
    size_t here = 0, all = 0;
    for (size_t i = 0; paper_at(i); i++) {
        struct paper_plan p;
        struct err e = { 0 };
        CHECK(paper_plan_init(&p, paper_at(i), &e) == ERR_OK, "%s", e.text);
        for (size_t k = 0; k < p.count; k++) {
            char classes[4];
            paper_plan_classes(&p, p.items[k], classes);
            CHECK(*classes, "%s/%s: no line says its class", paper_at(i)->name, p.items[k]);
        }
        for (size_t l = 0; l < p.table.count; l++) {
            all += p.table.lines[l].class == PAPER_R;
            here += p.table.lines[l].class == PAPER_R && !strstr(p.table.lines[l].cell, "data=user");
        }
        paper_plan_fini(&p);
    }
    CHECK(10 * here >= 9 * all, "only %zu of %zu numbers of class R need no file of the user's", here, all);
}

/* --- verdicts ------------------------------------------------------------------------------------------ */

static enum verdict verdict_for(const char *class, const char *numbers_to_rule, double lo, double hi, double theory)
{
    char lines[512];
    struct paper_table t;
    struct judge j;
    struct finding f = finding_of("b=1;dim=8");
    struct err e = { 0 };
    snprintf(lines, sizeof lines, HEADER "a\t%s\tb=1\t%s\tbecause\n", class, numbers_to_rule);
    CHECK(paper_table_read(&t, "x.tsv", lines, &e) == ERR_OK, "%s", e.text);
    judge_init(&j, &t, NULL, "a");
    f.ours = (lo + hi) / 2, f.lo = lo, f.hi = hi, f.theory = theory;
    CHECK(judge_add(&j, &f, &e) == ERR_OK && judge_close(&j, &e) == ERR_OK && j.count == 1, "%s", e.text);
    const enum verdict v = j.rows[0].verdict;
    judge_free(&j);
    paper_table_free(&t);
    return v;
}

#define VERDICT_IS(want, ...) do { const enum verdict v_ = verdict_for(__VA_ARGS__); \
    CHECK(v_ == (want), "'%s' where '%s' is due", verdict_name(v_), verdict_name(want)); } while (0)
#define WITHIN "1.00\t0.01\t\tprinted\tt\twithin\t0"

static void test_verdicts(void)
{
    VERDICT_IS(VERDICT_AGREES, "R", WITHIN, 1.001, 1.003, NAN);
    VERDICT_IS(VERDICT_AGREES, "R", WITHIN, 1.004, 1.006, 1.0051);
    VERDICT_IS(VERDICT_DEVIATES, "R", WITHIN, 1.006, 1.008, NAN);
    VERDICT_IS(VERDICT_THEORY, "R", WITHIN, 1.006, 1.008, 1.007);
    VERDICT_IS(VERDICT_DEVIATES, "R", WITHIN, 1.001, 1.003, 1.01); /* meets the paper, and the theory speaks against it */
    VERDICT_IS(VERDICT_UNRESOLVED, "R", WITHIN, 0.95, 1.05, NAN);
    VERDICT_IS(VERDICT_UNRESOLVED, "R", WITHIN, NAN, NAN, NAN);
    VERDICT_IS(VERDICT_AGREES, "R", "1\t0\t\tprinted\tt\tat_most\t0", 0.9, 1, NAN);
    VERDICT_IS(VERDICT_DEVIATES, "R", "1\t0\t\tprinted\tt\tat_most\t0", 1.1, 1.2, NAN);
    VERDICT_IS(VERDICT_UNRESOLVED, "R", "1\t0\t\tprinted\tt\tat_most\t0", 0.9, 1.2, NAN);
    VERDICT_IS(VERDICT_AGREES, "R", "1\t0\t\tprinted\tt\tat_least\t0.1", 0.9, 1.2, NAN);
    VERDICT_IS(VERDICT_SHAPE, "T", "0.03\t0.01\t\tfigure\tt\tdirection\t0", 0.001, 0.2, NAN);
    VERDICT_IS(VERDICT_NO_SHAPE, "T", "0.03\t0.01\t\tfigure\tt\tdirection\t0", -0.2, -0.001, NAN);
    VERDICT_IS(VERDICT_UNRESOLVED, "T", "0.03\t0.01\t\tfigure\tt\tdirection\t0", -0.2, 0.1, NAN);
    VERDICT_IS(VERDICT_UNRESOLVED, "T", "0.03\t0.01\t\tfigure\tt\tdirection\t0", 0, 0, NAN);
    VERDICT_IS(VERDICT_UNRESOLVED, "T", "0.03\t0.01\t\tfigure\tt\tdirection\t0", 0, 0.1, NAN);
    VERDICT_IS(VERDICT_NO_SHAPE, "T", "-0.03\t0.01\t\tfigure\tt\tdirection\t0", 0.1, 0.2, NAN);
}

/* Five cells of a concave line, and ours. */
static enum verdict shape_of(const double *ours)
{
    static const struct paper_figure along = { .x = "x" };
    const struct paper_item item = { .name = "a", .figure = along };
    struct paper_table t;
    struct judge j;
    struct err e = { 0 };
    CHECK(paper_table_read(&t, "x.tsv",
                           HEADER "a\tT\tx=1\t.2\t.01\t\tfigure\tt\tshape\t0\t\na\tT\tx=2\t.4\t.01\t\tfigure\tt\tshape\t0\t\n"
                                  "a\tT\tx=3\t.6\t.01\t\tfigure\tt\tshape\t0\t\na\tT\tx=4\t.5\t.01\t\tfigure\tt\tshape\t0\t\n"
                                  "a\tT\tx=5\t.3\t.01\t\tfigure\tt\tshape\t0\t\n", &e) == ERR_OK, "%s", e.text);
    judge_init(&j, &t, &item, "a");
    for (int i = 0; i < 5; i++) {
        struct finding f = finding_of("x=%d", i + 1);
        f.ours = f.lo = f.hi = ours[i];
        CHECK(judge_add(&j, &f, &e) == ERR_OK, "%s", e.text);
    }
    CHECK(judge_close(&j, &e) == ERR_OK && j.count == 5, "%s", e.text);
    const enum verdict v = j.rows[0].verdict;
    for (size_t i = 0; i < j.count; i++) CHECK(j.rows[i].verdict == v && j.rows[i].shape_p == j.rows[0].shape_p, "one line, one verdict");
    judge_free(&j);
    paper_table_free(&t);
    return v;
}

static void test_shapes(void)
{
    CHECK(shape_of((const double[]){ 1, 4, 7, 6, 3 }) == VERDICT_SHAPE, "the same order");
    CHECK(shape_of((const double[]){ 7, 4, 1, 2, 5 }) == VERDICT_NO_SHAPE, "the other way round");
    CHECK(shape_of((const double[]){ 3, 6, 1, 2, 5 }) == VERDICT_UNRESOLVED, "neither");
}

static void test_skipped_and_impossible(void)
{
    struct paper_table t;
    struct judge j;
    struct err e = { 0 };
    CHECK(paper_table_read(&t, "x.tsv", HEADER "a\tR\tb=1;data=mine\t1\t0\t\tprinted\tt\twithin\t0\tbecause\n"
                                               "a\tX\t\t\t\t\t\tt\t\t\tneeds a language model\n", &e) == ERR_OK, "%s", e.text);
    judge_init(&j, &t, NULL, "a");
    CHECK(judge_skip(&j, "data=mine", "needs --base mine.npy", &e) == ERR_OK && judge_close(&j, &e) == ERR_OK, "%s", e.text);
    CHECK(j.count == 2 && j.rows[0].verdict == VERDICT_SKIPPED && strcmp(j.rows[0].why, "needs --base mine.npy") == 0, "%s", j.rows[0].why);
    CHECK(j.rows[1].verdict == VERDICT_X && strcmp(j.rows[1].why, "needs a language model") == 0, "%s", j.rows[1].why);
    judge_free(&j);
    paper_table_free(&t);
}

/* --- what is planted ------------------------------------------------------------------------------------ */

enum { DIM = 384, ROWS = 2000, SEEDS = 10 };

/* Of theorem 1 at 1 to 4 bits, measured once: ours are the paper's. */
static struct finding findings[4];

static void measure(void)
{
    for (int bits = 1; bits <= 4 && findings[bits - 1].seeds == 0; bits++) {
        const struct paper_asked asked = { .seeds = SEEDS, .threads = 1 };
        struct quant_errors draws[SEEDS];
        double values[SEEDS];
        struct codebook book;
        char spec[96];
        struct err e = { 0 };
        snprintf(spec, sizeof spec, "turboquant:bits=%d,rotation=dense,estimator=mse,query=f32", bits);
        CHECK(quant_draws(spec, ROWS, DIM, &asked, draws, &e) == ERR_OK, "%s", e.text);
        for (int s = 0; s < SEEDS; s++) values[s] = draws[s].distortion;
        findings[bits - 1] = finding_of("bits=%d;dim=%d;method=dense", bits, DIM);
        finding_of_seeds(&findings[bits - 1], values, SEEDS);
        codebook_design(&book, DIM, bits);
        findings[bits - 1].theory = book.distortion;
    }
}

/* Verdict on a finding by a table's own line for it. */
static enum verdict said_of(const struct finding *f, const char *text)
{
    struct paper_table t;
    struct judge j;
    struct err e = { 0 };
    enum verdict v = VERDICT_NONE;
    CHECK(paper_table_read(&t, "turboquant.tsv", text, &e) == ERR_OK, "%s", e.text);
    judge_init(&j, &t, NULL, "distortion");
    CHECK(judge_add(&j, f, &e) == ERR_OK, "%s", e.text);
    for (size_t i = 0; i < j.count; i++)
        if (j.rows[i].line && j.rows[i].line->rule == PAPER_WITHIN) v = j.rows[i].verdict;
    judge_free(&j);
    paper_table_free(&t);
    return v;
}

static const char *turboquant_table(void)
{
    for (size_t i = 0; paper_at(i); i++)
        if (strcmp(paper_at(i)->name, "turboquant") == 0) return paper_at(i)->table;
    return "";
}

static void test_wrong_estimator(void)
{
    measure();
    for (int b = 0; b < 4; b++) {
        struct finding f = findings[b];
        const enum verdict right = said_of(&f, turboquant_table());
        f.ours *= 1.02, f.lo *= 1.02, f.hi *= 1.02;
        const enum verdict wrong = said_of(&f, turboquant_table());
        CHECK(right == VERDICT_AGREES || right == VERDICT_THEORY, "%d bits: %s", b + 1, verdict_name(right));
        CHECK(wrong == VERDICT_DEVIATES, "%d bits, 2 %% too large: %s", b + 1, verdict_name(wrong));
    }
}

/* Every digit that the paper prints for theorem 1, one up and one down. */
static void test_wrong_digit(void)
{
    static const char *const printed[] = { "0.36", "0.117", "0.03", "0.009" };
    measure();
    for (int b = 0; b < 4; b++)
        for (int by = -1; by <= 1; by += 2) {
            char line[128], planted[128];
            const char *text = turboquant_table();
            char *changed = malloc(strlen(text) + 64);
            const int places = (int)strlen(printed[b]) - 2;
            snprintf(line, sizeof line, "bits=%d;method=dense\t%s\t", b + 1, printed[b]);
            snprintf(planted, sizeof planted, "bits=%d;method=dense\t%.*f\t", b + 1, places, atof(printed[b]) + by * pow(10, -places));
            const char *at = strstr(text, line);
            CHECK(at, "no line '%s'", line);
            if (at && changed) {
                sprintf(changed, "%.*s%s%s", (int)(at - text), text, planted, at + strlen(line));
                const enum verdict before = said_of(&findings[b], text), after = said_of(&findings[b], changed);
                CHECK(before == VERDICT_AGREES && after != VERDICT_AGREES, "%d bits: %s, %+d digit: %s", b + 1, verdict_name(before), by,
                      verdict_name(after));
            }
            free(changed);
        }
}

static void test_leak(void)
{
    const uint8_t tuned[] = { 1, 1, 0, 0 }, apart[] = { 0, 0, 1, 1 }, leaky[] = { 0, 1, 1, 1 };
    measure();
    struct finding f = findings[0];
    f.tuned = tuned, f.reported = apart, f.questions = 4;
    CHECK(said_of(&f, turboquant_table()) == VERDICT_AGREES, "held-out questions");
    f.reported = leaky;
    CHECK(said_of(&f, turboquant_table()) == VERDICT_VOID, "a question both tuned and was reported on");
}

static void test_student(void)
{
    const struct { size_t degrees; double p, t; } known[] = {
        { 1, .975, 12.7062 }, { 2, .975, 4.30265 }, { 4, .975, 2.77645 }, { 9, .9995, 4.78091 }, { 30, .975, 2.04227 }
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const double t = student_quantile(known[i].degrees, known[i].p);
        CHECK(fabs(t - known[i].t) < 1e-4, "%zu degrees: %g", known[i].degrees, t);
    }
}

/* --- the page -------------------------------------------------------------------------------------------- */

/* Cells of a Markdown line: 0 when it is none. */
static size_t cut_line(char *line, char **cells, size_t room)
{
    size_t count = 0;
    if (strncmp(line, "| ", 2) != 0) return 0;
    for (char *at = line + 2, *end; count < room && (end = strstr(at, " |")); at = end + 2 + (end[2] == ' ')) {
        *end = 0;
        cells[count++] = at;
    }
    return count;
}

/* Every row of the page's table is the next row of the CSV that the page shows; returns how many there were. */
static size_t compare_item(FILE *page, const struct table *t, const char *name)
{
    char line[4096], *cells[16], ours[32];
    size_t row = 0, compared = 0;
    while (fgets(line, sizeof line, page) && strncmp(line, "###", 3) != 0) {
        if (cut_line(line, cells, 16) != 10 || strcmp(cells[0], "cell") == 0 || cells[0][0] == ':') continue;
        for (; row < t->count; row++) {
            snprintf(ours, sizeof ours, "%.4g", table_number(t, row, table_column(t, "ours")));
            if (strcmp(ours, "nan") == 0 || strcmp(ours, "-nan") == 0) strcpy(ours, "-");
            if (strcmp(table_text(t, row, table_column(t, "cell")), cells[0]) == 0 && strcmp(ours, cells[3]) == 0 &&
                strcmp(*table_text(t, row, table_column(t, "verdict")) ? table_text(t, row, table_column(t, "verdict")) : "-", cells[8]) == 0)
                break;
        }
        CHECK(row < t->count, "%s: the page's %s, ours %s, %s is no row of the CSV", name, cells[0], cells[3], cells[8]);
        row++;
        compared++;
    }
    return compared;
}

static void test_page(void)
{
    FILE *page = fopen("results/papers/README.md", "r");
    if (!page) SKIP("no results/papers yet");
    size_t items = 0, rows = 0;
    char line[4096], name[256];
    while (fgets(line, sizeof line, page)) {
        struct table t = { 0 };
        char path[512];
        struct err e = { 0 };
        if (sscanf(line, "### %255s", name) != 1) continue;
        snprintf(path, sizeof path, "results/papers/%s.csv", name);
        path[strlen("results/papers/") + strcspn(name, "/")] = '_';
        CHECK(table_append(&t, path, &e) == ERR_OK, "%s", e.text);
        const long here = ftell(page);
        if (t.count) rows += compare_item(page, &t, name);
        items++;
        table_free(&t);
        fseek(page, here, SEEK_SET);
    }
    CHECK(items > 0 && rows > items, "%zu items, %zu rows", items, rows);
    fclose(page);
}

/* --- figures ------------------------------------------------------------------------------------------------ */

/* Eight methods' recall at three numbers, the second with points of a paper, intervals beyond 1; and rows that are not drawn. */
static void write_rows(const char *path)
{
    FILE *f = fopen(path, "w");
    CHECK(f, "%s", path);
    fprintf(f, "# key: x\npaper,item,class,cell,published,digit,how,source,rule,tolerance,theory,ours,ours_lo,ours_hi,verdict,why\n");
    for (int m = 0; m < 8; m++)
        for (int k = 1; k <= 4; k *= 2)
            fprintf(f, "p,a,T,bits=2;dim=64;method=m%d;k=%d,%s,,,%g,%g,%g,,\n", m, k,
                    m != 1 ? ",,,," : k < 4 ? "0.9,0.1,secondary,\"table 2, GloVe\",shape" : "0.9,0.1,secondary,\"table 2, SIFT\",shape",
                    0.9 + 0.02 * k, 0.8 + 0.02 * k, 1.0 + 0.02 * k);
    fprintf(f, "p,a,T,bits=2;dim=64;method=m1;k=4,1,0,printed,theorem 1,at_most,,,0.98,0.88,1.08,,\n"
               "p,a,T,bits=2;dim=64;versus=m1 - m2,,,,,,,,0.5,0.4,0.6,,\n");
    fclose(f);
}

static size_t lines_with(const char *path, const char *what)
{
    char line[4096];
    size_t count = 0;
    FILE *f = fopen(path, "r");
    CHECK(f, "%s is not there", path);
    while (f && fgets(line, sizeof line, f)) count += strstr(line, what) != NULL;
    if (f) fclose(f);
    return count;
}

/* Ten draws of a question in another order are the same mean, whatever the last digit of their sum. */
static void test_ties(void)
{
    double a[4] = { 0 }, b[4] = { 0 };
    struct finding f = finding_of("versus=a - b"), g = finding_of("method=a");
    for (int q = 0; q < 4; q++)
        for (int draw = 0; draw < 10; draw++) a[q] += (double)(draw % 7 + q) / 10 / 10, b[q] += (double)((9 - draw) % 7 + q) / 10 / 10;
    CHECK(memcmp(a, b, sizeof a) != 0, "sums that are the same to the bit show nothing");
    finding_of_pairs(&f, a, b, 4);
    CHECK(f.wins == 0 && f.ties == 4 && f.losses == 0 && f.p == 1 && f.ours == 0, "%zu/%zu/%zu, p %g", f.wins, f.ties, f.losses, f.p);
    a[1] += 0.01, b[2] += 0.02, b[3] += 0.03;
    finding_against(&g, a, b, 4, "b");
    CHECK(g.wins == 1 && g.ties == 1 && g.losses == 2, "%zu/%zu/%zu", g.wins, g.ties, g.losses);
}

/* Nor is it a verdict of draws: an interval that is a point at -2e-16 lies below 0. */
static void test_draws_that_tie(void)
{
    double by_ten = 0, draws[3];
    for (int i = 0; i < 10; i++) by_ten += 0.1;
    CHECK(by_ten < 1, "a sum without rounding shows nothing");
    for (int i = 0; i < 3; i++) draws[i] = finding_difference(by_ten, 1);
    struct finding f = finding_of("versus=a - b");
    finding_of_seeds(&f, draws, 3);
    CHECK(f.ours == 0 && f.lo == 0 && f.hi == 0, "%g [%g, %g]", f.ours, f.lo, f.hi);
    CHECK(finding_difference(1e-12, 0) == 1e-12 && finding_difference(0, 0) == 0 && finding_difference(1, 1 + 1e-9) < 0, "real ones");
}

/* No figure has more than six lines, the paper's is in each, a share ends at 1 whatever the interval, and the legend has whose the
 * hollow points are. */
static void test_figures(void)
{
    static const struct paper_item item = { .name = "a", .summary = "recall", .figure = { .x = "k", .panel = "bits+dim;method",
                                            .x_label = "k", .y_label = "recall", .log_x = 1, .y = PAPER_SHARE } };
    char folder[] = "/tmp/assay-figures-XXXXXX", path[96], command[128];
    struct table rows = { 0 };
    struct err e = { 0 };
    setenv("ASSAY_PLOTS", "scripts/plots", 0);
    CHECK(mkdtemp(folder), "%s", folder);
    snprintf(path, sizeof path, "%s/p_a.csv", folder);
    write_rows(path);
    CHECK(table_append(&rows, path, &e) == ERR_OK, "%s", e.text);
    const int status = paper_figures(&rows, &item, folder, "p_a", &e);
    if (status == ERR_NOT_FOUND && strstr(e.text, "not installed")) SKIP("gnuplot is not installed");
    CHECK(status == ERR_OK, "%s", e.text);
    for (int part = 0; part < 2; part++) {
        snprintf(path, sizeof path, "%s/p_a_2_64_%c.dat", folder, 'a' + part);
        const size_t lines = lines_with(path, "# method=");
        CHECK(lines >= 4 && lines <= 6, "%s: %zu lines", path, lines);
        CHECK(lines_with(path, "# method=m1") == 1, "%s: the paper's line is not there", path);
        snprintf(path, sizeof path, "%s/p_a_2_64_%c.svg", folder, 'a' + part);
        CHECK(lines_with(path, ">recall<") > 0 && lines_with(path, ">1.02<") == 0 && lines_with(path, ">1.05<") == 0 &&
              lines_with(path, ">1.1<") == 0, "%s: an axis of shares beyond 1", path);
        CHECK(lines_with(path, ">others (secondary): table 2<") == 1, "%s: it is not said whose the hollow points are", path);
    }
    table_free(&rows);
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0, "%s", command);
}

/* --- an item's run ---------------------------------------------------------------------------------------- */

/* What was measured with the same options is taken up; another number of seeds is another run. */
static void test_taken_up(void)
{
    char folder[] = "/tmp/assay-papers-XXXXXX", command[128];
    struct paper_asked asked = { .seeds = 2, .quick = 1, .threads = 1, .data = "nowhere", .out = mkdtemp(folder) };
    struct run run;
    struct paper_plan plan = { 0 };
    struct err e = { 0 };
    size_t known = 0;
    char name[] = "paper", *const argv[] = { name };
    CHECK(run_init(&run, 1, argv, &e) == ERR_OK, "%s", e.text);
    while (paper_at(known) && strcmp(paper_at(known)->name, "turboquant") != 0) known++;
    CHECK(paper_plan_init(&plan, paper_at(known), &e) == ERR_OK, "%s", e.text);
    for (int time = 0; time < 4; time++) {
        struct table rows = { 0 };
        int kept = -1;
        asked.seeds = time == 2 ? 3 : 2;
        CHECK(paper_item_run(&plan, "entropy", &asked, &run, &rows, &kept, &e) == ERR_OK, "%s", e.text);
        CHECK(kept == (time == 1), "time %d: kept %d", time, kept);
        CHECK(rows.count >= 16 && table_column(&rows, "verdict") >= 0, "%zu rows", rows.count);
        table_free(&rows);
    }
    paper_plan_fini(&plan);
    run_fini(&run);
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0, "%s", command);
}

/* The number of the row with that cell. */
static double ours_of(const struct table *t, const char *cell)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(table_text(t, i, table_column(t, "cell")), cell) == 0) return table_number(t, i, table_column(t, "ours"));
    CHECK(0, "no row %s", cell);
    return (double)NAN;
}

/* Whatever the machine: the share of its read rate, times that rate, times the time of a row, are the bytes of a row. */
static void test_roofline(void)
{
    const struct paper_asked asked = { .seeds = 2, .quick = 1, .threads = 1, .data = "nowhere" };
    struct run run;
    struct paper_plan plan = { 0 };
    struct table rows = { 0 };
    struct err e = { 0 };
    size_t known = 0;
    int kept;
    char name[] = "paper", *const argv[] = { name };
    CHECK(run_init(&run, 1, argv, &e) == ERR_OK, "%s", e.text);
    while (paper_at(known) && strcmp(paper_at(known)->name, "turboquant") != 0) known++;
    CHECK(paper_plan_init(&plan, paper_at(known), &e) == ERR_OK, "%s", e.text);
    CHECK(paper_item_run(&plan, "scans", &asked, &run, &rows, &kept, &e) == ERR_OK, "%s", e.text);
    for (int bits = 1; bits <= 8; bits *= 2) {
        char ns[96], share[96], rate[96];
        snprintf(ns, sizeof ns, "quantity=ns per row;dim=768;method=dot;bits=%d", bits);
        snprintf(share, sizeof share, "quantity=share of read rate;dim=768;method=dot;bits=%d", bits);
        snprintf(rate, sizeof rate, "read rate of=dot;unit=GB per s;dim=768;width=%d", bits);
        const double bytes = ours_of(&rows, ns) * ours_of(&rows, share) * ours_of(&rows, rate), codes = 768.0 * bits / 8;
        CHECK(bytes > codes && bytes < codes + 40, "%d bits: %g bytes a row", bits, bytes);
    }
    table_free(&rows);
    paper_plan_fini(&plan);
    run_fini(&run);
}

static const char citations[] =
#include "gen/citations.tsv.inc"
    ;

/* The README has every field of every citation. */
static void test_citations(void)
{
    FILE *f = fopen("README.md", "r");
    static char readme[1 << 16];
    CHECK(f && fread(readme, 1, sizeof readme - 1, f) > 0, "README.md cannot be read");
    if (f) fclose(f);
    for (const char *at = strchr(citations, '\n') + 1; *at; at += strcspn(at, "\t\n"), at += *at != 0) {
        char field[256];
        snprintf(field, sizeof field, " %.*s |", (int)strcspn(at, "\t\n"), at);
        CHECK(strstr(readme, field), "README.md lacks '%s'", field);
    }
}

int main(void)
{
    test_case("a malformed line is named: file, line, field, value", test_malformed);
    test_case("cells: parts, values, what is left", test_cells);
    test_case("papers: tables whole, classes said, nine of ten numbers without a user's file", test_registered);
    test_case("verdicts come of intervals", test_verdicts);
    test_case("shapes: order of a line, by permutation", test_shapes);
    test_case("skipped says what is missing, X why", test_skipped_and_impossible);
    test_case("planted: an estimator 2 % off deviates", test_wrong_estimator);
    test_case("planted: a paper's number off by one digit", test_wrong_digit);
    test_case("planted: a question that tunes and is reported on voids", test_leak);
    test_case("quantiles of Student's t", test_student);
    test_case("an item that is there is taken up, other options run it again", test_taken_up);
    test_case("a scan beside this machine's read rate: the product is the bytes of a row", test_roofline);
    test_case("a question's draws in another order are a tie", test_ties);
    test_case("what only rounding tells apart is no verdict", test_draws_that_tie);
    test_case("figures: six lines at most, a share ends at 1", test_figures);
    test_case("the engine's citations stand in README.md as in the list", test_citations);
    test_case("the page's numbers are those of the rows", test_page);
    return test_end();
}
