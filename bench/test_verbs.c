/* SPDX-License-Identifier: MIT
 * test_verbs.c - ann, rag, query, index, sweep and info as a user types them: what they print, and that
 * every bad input gets one line that names it, the right exit status, and leaves what was there. */
#define _GNU_SOURCE
#include "bench/rows/row.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"
#include "kernels/kernel.h"
#include <math.h>
#include <sqlite3.h>

static char folder[] = P_tmpdir "/assay_verbs.XXXXXX";
static struct text said, erred;

static void slurp(const char *name, struct text *out)
{
    char path[200], buffer[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    text_clear(out);
    FILE *f = fopen(path, "r");
    if (!f) return;
    for (size_t size; (size = fread(buffer, 1, sizeof buffer, f)) > 0;) text_add_bytes(out, buffer, size);
    fclose(f);
}

/* Runs the program in the test's folder; its exit status, 128 + signal for a fault. */
static int assay(const char *arguments)
{
    struct text command = { 0 };
    text_add(&command, "cd %s && ASSAY_CACHE=%s '%s' %s >out 2>err", folder, folder, getenv("ASSAY"), arguments);
    const int status = system(text_of(&command));
    text_free(&command);
    slurp("out", &said);
    slurp("err", &erred);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void works(const char *arguments, const char *words)
{
    const int got = assay(arguments);
    CHECK(got == 0 && strstr(text_of(&said), words), "assay %s: exit %d, wanted '%s' in:\n%s%s",
          arguments, got, words, text_of(&said), text_of(&erred));
}

static size_t lines(const char *s)
{
    size_t n = 0;
    for (; *s; s++) n += *s == '\n';
    return n;
}

static void refuses(const char *arguments, int status, const char *words)
{
    const int got = assay(arguments);
    CHECK(got == status, "assay %s: exit %d, wanted %d: %s", arguments, got, status, text_of(&erred));
    CHECK(strstr(text_of(&erred), words), "assay %s: wanted '%s' in: %s", arguments, words, text_of(&erred));
    CHECK(lines(text_of(&erred)) == 1 && said.size == 0, "assay %s: one line is wanted, not\n%s%s", arguments,
          text_of(&said), text_of(&erred));
}

static void put(const char *name, const void *bytes, size_t size)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(bytes, 1, size, f) == size && fclose(f) == 0, "%s", name);
}

static void put_text(const char *name, const char *text) { put(name, text, strlen(text)); }

static void make_data(void)
{
    works("data gen --kind clustered --n 400 --dim 16 --queries 20 --seed 1 --out d", "");
    works("data gen --kind twohop --n 300 --dim 16 --queries 30 --seed 1 --out t", "");
    works("data gen --kind kg --n 300 --dim 16 --relations 900 --queries 10 --seed 1 --out kg", "");
}

/* The value after "key": in the n-th line of the last output. */
static double json_number(const char *key, size_t line)
{
    const char *at = text_of(&said);
    while (line-- && (at = strchr(at, '\n'))) at++;
    char quoted[80];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *end = at ? strchrnul(at, '\n') : NULL, *found = at ? strstr(at, quoted) : NULL;
    return found && found < end ? atof(found + strlen(quoted)) : NAN;
}

/* --- what they do ------------------------------------------------------------------------------------ */
static void ann_measures(void)
{
    works("ann --base d/base.fvecs --query d/query.fvecs --index flat --min-calls 20", "recall");
    works("ann --base d/base.fvecs --query d/query.fvecs --index turboquant:bits=7..8 --index flat "
          "--min-calls 20 --json "
          "--out a --rerank 50 --batch 3",
          "\"index\":\"flat\"");
    CHECK(lines(text_of(&said)) == 3, "a line an index");
    CHECK(json_number("bits", 0) == 7 && json_number("bits", 1) == 8, "bits=7..8");
    for (size_t i = 0; i < 3; i++)
        CHECK(json_number("recall_strict", i) == 1, "re-scored, recall is %g", json_number("recall_strict", i));
    struct text csv = { 0 };
    slurp("a/ann.csv", &csv);
    CHECK(strncmp(text_of(&csv), "# ", 2) == 0, "provenance on top");
    CHECK(!strstr(text_of(&csv), folder), "the folder of this machine shows in the CSV");
    text_free(&csv);
    works("ann --base d/base.fvecs --query d/query.fvecs --index flat --min-calls 20 --kernel "
          "scalar --json",
          "scalar/");
    works("ann --base d/base.fvecs --query d/query.fvecs --index turboquant:bits=2 --ceiling --min-calls 20 --json",
          "\"code_ceiling\":0.");
}

/* Points that differ in nprobe are a line over recall; what was kept is not built again, and damaged it is. */
static void ann_compares_at_recall(void)
{
    const char *const lists = "ann --base d/base.fvecs --query d/query.fvecs --index 'ivf:nlist=8,nprobe=1..8,inner=(flat)' "
                              "--index flat --min-calls 20 --reps 2 --keep kept --at-recall .9 --at-recall 1 --json --out l";
    works(lists, "\"index\":\"ivf:nlist=8,nprobe=1..8,inner=(flat)\",\"recall\":0.9");
    CHECK(lines(text_of(&said)) == 2 * 9 + 2 * 3, "%zu lines", lines(text_of(&said)));
    CHECK(json_number("us", 18) > 0 && json_number("ratio", 18) == 1, "the base is as fast as itself");
    CHECK(strstr(text_of(&said), "\"index\":\"A/A\"") && json_number("at_most", 19) == 1, "flat is exact");
    CHECK(json_number("recall_strict", 7) == 1, "all lists: %g", json_number("recall_strict", 7));
    struct text csv = { 0 };
    slurp("l/at_recall.csv", &csv);
    CHECK(strstr(text_of(&csv), "\nindex,recall,us,") && strstr(text_of(&csv), "\nA/A,0.9,"), "%s", text_of(&csv));
    text_free(&csv);
    const double took = json_number("build_s", 0), flat_took = json_number("build_s", 8);
    works(lists, "A/A");
    CHECK(json_number("build_s", 0) == took && json_number("build_s", 8) == flat_took, "built again");
    char command[200];
    snprintf(command, sizeof command, "for f in %s/kept/*.assay; do printf x | dd of=$f bs=1 seek=100 conv=notrunc 2>/dev/null; done",
             folder);
    CHECK(system(command) == 0, "%s", command);
    works(lists, "A/A");
    CHECK(json_number("build_s", 0) != took && json_number("recall_strict", 7) == 1, "a damaged file was believed");
    works("ann --base d/base.fvecs --query d/query.fvecs --index symqg:ef=16 --index symqg:ef=160 --min-calls 20 "
          "--at-recall .5", "symqg:ef=16..160 ");
    works("ann --base d/base.fvecs --query d/query.fvecs --index symqg:degree=32 --index symqg:degree=32,ef=320 "
          "--min-calls 20 --at-recall .5", "symqg:degree=32 .. symqg:degree=32,ef=320 ");
    refuses("ann --base d/base.fvecs --query d/query.fvecs --index flat --at-recall 1.5", 2, "1.5");
}

static void tunes_kernels(void)
{
    works("tune --kernels --seconds 0.2 --dim 40 --out here.kernels", "dot_f32");
    works("info --kernel @here.kernels", "dot_f32");
    works("ann --base d/base.fvecs --query d/query.fvecs --index flat --min-calls 5 --kernel @here.kernels --json",
          "\"kernel_asked\":\"@here.kernels\"");
    refuses("info --kernel @no.kernels", 1, "no.kernels");
    refuses("tune --kernels kg/kb.sqlite", 2, "kg/kb.sqlite");
}

static void roofline_ends(void)
{
    works("roofline --quick --seconds 0.1", "not measured in 0.1 s (--seconds): ");
    CHECK(strstr(text_of(&said), "GB/s") && strstr(text_of(&said), "ns/load"), "no ceilings: %s", text_of(&said));
}

#define LEARN "rag --kb t/kb.sqlite --query t/query.fvecs --qrels t/qrels.txt --set rerank=memrl --min-calls 20 " \
              "--learn 2 --utility t/utility.tsv "

static void rag_measures(void)
{
    works("rag --kb kg/kb.sqlite --query kg/query.fvecs --min-calls 20 --set graph_depth=2 --set "
          "bit_width=8 --json --out a",
          "\"graph_depth\":2");
    CHECK(json_number("agree_at_10", 0) >= 0.9, "8 bits agree to %g", json_number("agree_at_10", 0));
    CHECK(json_number("t_retrieve_us", 0) > 0 && json_number("lat_n", 0) == 20, "%s", text_of(&said));
    static const char *const times[] = { "embed",  "retrieve", "rerank", "expand", "score",
                                         "filter", "context",  "fetch",  "other" };
    double sum = 0;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char column[32];
        snprintf(column, sizeof column, "t_%s_us", times[i]);
        sum += json_number(column, 0);
    }
    CHECK(fabs(sum / json_number("lat_mean_us", 0) - 1) < 1e-6, "times add up to %g, not %g", sum,
          json_number("lat_mean_us", 0));
    CHECK(json_number("t_fetch_us", 0) > 0 && json_number("t_other_us", 0) >= 0,
          "fetch and other: %s", text_of(&said));
    CHECK(strstr(text_of(&erred), "label_*"), "without labels it says what is not known: %s", text_of(&erred));
    works("tune t/kb.sqlite --query t/query.fvecs --qrels t/qrels.txt --max-p99-ms 1e6 --axis bit_width=1,8 "
          "--axis top_k_candidates=20 --axis graph_depth=1 --min-calls 500 --out t/tuned", "measured again over the held-out");
    works("sweep plan t/tuned/winner.yaml", "1 points");
    works("sweep best t/tuned/held_out.csv --max label_ndcg_at_10", "largest label_ndcg_at_10");
    works("tune t/kb.sqlite --query t/query.fvecs --max-p99-ms 1e6 --axis bit_width=8 --axis top_k_candidates=50",
          "There are no labels");
    works("tune t/kb.sqlite --query t/query.fvecs --max-p99-ms 1e6 --axis bit_width=8 --axis top_k_candidates=50 --json",
          "\"role\":\"winner\"");
    works("rag --kb t/kb.sqlite --query t/query.fvecs --qrels t/qrels.txt --min-calls 20 --cuts 2,5", "all_recall");
    works("rag --kb t/kb.sqlite --query t/query.fvecs --qrels t/qrels.txt --min-calls 20 --cuts 2,10 --json",
          "\"label_ndcg_at_2\":");
    works(LEARN "--json", "\"rerank\":\"memrl\"");
    CHECK(lines(text_of(&erred)) == 1 && strstr(text_of(&erred), "no estimate for others"), "%s", text_of(&erred));
    works(LEARN "--held-out 0.25 --out t/learnt", "Over the questions held out");
    CHECK(erred.size == 0, "%s", text_of(&erred));
    slurp("t/learnt/rag.csv", &said);
    CHECK(strstr(text_of(&said), "# learnt: from the ") && strstr(text_of(&said), "held out: the "), "%s", text_of(&said));
    works("rag --kb t/kb.sqlite --query t/query.fvecs --qrels t/qrels.txt --set graph_depth=2 --min-calls 20 --ceiling "
          "--run t/run --qrels-out t/qrels", "hop 2");
    works("rag --kb kg/kb.sqlite --query kg/query.fvecs --min-calls 20 --set index=flat --json",
          "\"index\":\"flat\"");
    CHECK(json_number("recall_strict", 0) == 1 && json_number("agree_at_10", 0) == 1, "%s", text_of(&said));
    put_text("qrels.txt", "0 0 1 1\n1 0 2 1\n");
    works("rag --kb kg/kb.sqlite --query kg/query.fvecs --qrels qrels.txt --min-calls 20 --threads 2", "MRR");
    CHECK(erred.size == 0, "%s", text_of(&erred));
}

/* A setting that means nothing at a point is not part of it. */
static void points_hold_what_matters(void)
{
    put_text("some.yaml", "kb: kg/kb.sqlite\nqueries: kg/query.fvecs\nmin_calls: 20\n"
                          "axes:\n  expand: [none, bfs]\n  graph_depth: [1, 2]\n");
    works("sweep plan some.yaml", "3 points");
    CHECK(strstr(text_of(&said), "expand=none\n"), "%s", text_of(&said));
    works("sweep run some.yaml --out some", "3 points: 3 measured");
    works("sweep best some/sweep.csv --where 'expand=none' --min lat_p50_us --json", "\"graph_depth\":null");
}

static void query_explains(void)
{
    const char *const vector = "--set embed=fixed --set embed_vector=1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0.5 ";
    char arguments[300];
    snprintf(arguments, sizeof arguments, "query kg/kb.sqlite anything -k 3 --explain %s", vector);
    works(arguments, "context:");
    for (const char *const *s =
             (const char *const[]){ "embed", "retrieve", "rerank", "expand", "score", "filter",
                                    "context", "total", NULL };
         *s; s++)
        CHECK(strstr(text_of(&said), *s), "--explain without %s", *s);
    snprintf(arguments, sizeof arguments, "query kg/kb.sqlite anything -k 3 --json %s", vector);
    works(arguments, "\"rank\":3");
    CHECK(lines(text_of(&said)) == 3, "a line a result");
    works("query --settings", "top_k_candidates");
}

static void index_files(void)
{
    works("index build --base d/base.fvecs --index turboquant:bits=4 --out t.assay", "turboquant:bits=4");
    works("index info t.assay --json", "\"n\":400");
    works("index search t.assay --query d/query.fvecs -k 2 --json", "\"rank\":2");
    CHECK(lines(text_of(&said)) == 40, "%zu lines of 20 x 2 hits", lines(text_of(&said)));
    works("index search t.assay --query d/query.fvecs -k 10 --out found.ivecs", "");
    works("index search t.assay --query d/query.fvecs -k 2 --angle --json", "\"angle\":");
    CHECK(json_number("angle", 0) >= 0 && json_number("angle", 0) < 1.5708, "the nearest: %s", text_of(&said));
    works("index build --base d/base.fvecs --index symqg --out g.assay", "symqg");
    works("index info g.assay --json", "\"scanned\":400");
    works("index info g.assay --query d/query.fvecs", "rows beside the graph");
    works("index params turboquant", "estimator");
}

/* Rows come, go and change: an exact index stays exact, and what is updated is as one that is built
 * anew. */
static void churn_measures(void)
{
    works("churn --base d/base.fvecs --query d/query.fvecs --index flat --index turboquant:bits=4 "
          "--steps 2 --step 20 "
          "--min-calls 30 --json --out c",
          "\"churn_built\":\"updated\"");
    CHECK(lines(text_of(&said)) == 10,
          "two at the start, then two updated and two rebuilt a step: %zu", lines(text_of(&said)));
    for (size_t i = 0; i < 10; i++) {
        const double pct = i < 2 ? 0 : i < 6 ? 20 : 40;
        const int is_flat = i % 2 == 0;
        CHECK(json_number("churn_pct", i) == pct && json_number("n", i) == 320, "line %zu: %s", i,
              text_of(&said));
        CHECK(is_flat ? json_number("recall_strict", i) == 1
                      : json_number("recall_strict", i) > 0.5,
              "line %zu: recall %g", i, json_number("recall_strict", i));
        const int updated = i >= 2 && (i - 2) % 4 < 2;
        CHECK(updated ? json_number("t_add_us", i) > 0 && json_number("t_replace_us", i) > 0
                      : !(json_number("t_add_us", i) > 0),
              "line %zu: costs of changes", i);
    }
    for (size_t i = 2; i < 4; i++)
        CHECK(json_number("bytes_per_vector", i) <= json_number("bytes_per_vector", i + 2) * 1.2,
              "updated: %g bytes, rebuilt: %g", json_number("bytes_per_vector", i),
              json_number("bytes_per_vector", i + 2));
    works("churn --base d/base.fvecs --query d/query.fvecs --index flat --steps 1 --min-calls 30 "
          "--out c2",
          "rebuilt");
    works("table c2/churn.csv", "churn_built=rebuilt");
    refuses("churn --base d/base.fvecs --query d/query.fvecs --index flat --hold 0", 2, "not all");
    refuses("churn --base d/base.fvecs --query d/query.fvecs --index flat --step .01", 2,
            "of 320 rows none");
    refuses("churn --base d/base.fvecs --query d/query.fvecs --index flt", 2, "flat");
    refuses("churn --base d/base.fvecs --query d/query.fvecs --index ids:d/truth.ivecs", 1, "");
}

static void rows_are_cited(void)
{
    char first[17] = "", arguments[100];
    works("ann --base d/base.fvecs --query d/query.fvecs --index flat --index turboquant:bits=2 "
          "--min-calls 20 --out e",
          "");
    slurp("e/ann.csv", &said);
    const char *run = strstr(text_of(&said), "# run_id: "), *row = strstr(text_of(&said), "\n3,");
    CHECK(run && row && sscanf(row, "\n3,%*[^,],%16[^,]", first) == 1, "%s", text_of(&said));
    snprintf(arguments, sizeof arguments, "cite e/ann.csv %.6s", first);
    works(arguments, "command   assay ann --base base.fvecs");
    static const char *const parts[] = { "\ndata      ", "\ncommit    ", "\nsources   ",
                                         "\nmachine   ", "\nbinary    ", "\nindex     flat\n" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        CHECK(strstr(text_of(&said), parts[i]), "no '%s' in %s", parts[i] + 1, text_of(&said));
    snprintf(arguments, sizeof arguments, "cite --json e/ann.csv %s", first);
    works(arguments, "\"command\":\"assay ann");
    refuses("cite e/ann.csv nosuch", 1, "no point nosuch");
    refuses("cite e/ann.csv ''", 2, "is the beginning of");
    refuses("cite e/ann.csv", 2, "point_id");
    works("table e/ann.csv", "* best of its column");
    works("table e/ann.csv --latex --columns recall_p5", "\\textbf{1.0000");
    works("table e/ann.csv --ablation", "baseline: ");
    refuses("table e/ann.csv --columns recal", 2, "no such metric");
    refuses("table d/nosuch.csv", 1, "nosuch.csv");
}

/* A saved run in several processes, and against it: of these few rounds nothing is claimed but that
 * it is said. */
static void bench_gates(void)
{
#define BENCH "bench dot_f32/scalar --dim 32 --rows 64 --rounds 12 "
    works(BENCH "--save then.csv --processes 3", "scalar/plain");
    slurp("then.csv", &said);
    CHECK(strstr(text_of(&said), "name,process,sample,ns_per_vector\n") &&
              strstr(text_of(&said), ",2,0,"),
          "three processes");
    works(BENCH "--baseline then.csv --processes 4 --fail-slower 0", "since saved");
    refuses(BENCH "--baseline nosuch.csv", 1, "nosuch.csv");
}

/* The table of a compiler: none, its own, with a row taken out, with a row of two instructions in place of its count. */
static void counts_gate(void)
{
#define COUNT "bench dot_f32/scalar/plain --dim 16,32 "
    char table[400], changed[400], path[64];
    works(COUNT "--counts nosuch", "counts: not checked: there is no nosuch/");
    works("info --compiler", "");
    snprintf(path, sizeof path, "%.*s.csv", (int)strcspn(text_of(&said), "\n"), text_of(&said));
    if (assay(COUNT "--count --csv") != 0) {
        put_text(path, "op\n");
        works(COUNT "--counts .", "counts: not checked: dot_f32: ");
        SKIP("no program can be stepped here");
    }
    snprintf(table, sizeof table, "%s", text_of(&said));
    put_text(path, table);
    works(COUNT "--counts .", "2 of 2 stand in");
    CHECK(strstr(text_of(&said), " 0 not checked, 0 grew"), "%s", text_of(&said));
    char *last = strstr(table, "\ndot_f32,scalar/plain,32,0,1,9,");
    CHECK(last != NULL, "%s", table);
    if (!last) return;
    put(path, table, (size_t)(last + 1 - table));
    works(COUNT "--counts .", "1 of 2 stand in");
    CHECK(strstr(text_of(&said), " 1 not checked, 0 grew"), "%s", text_of(&said));
    snprintf(changed, sizeof changed, "%.*s\ndot_f32,scalar/plain,32,0,1,9,2,0\n", (int)(last - table), table);
    put_text(path, changed);
    CHECK(assay(COUNT "--counts .") == 1 && strstr(text_of(&said), "GREW, was 2") && strstr(text_of(&said), "1 grew") &&
              strstr(text_of(&erred), "1 kernels execute more instructions: dot_f32=scalar/plain at dim 32"),
          "%s%s", text_of(&said), text_of(&erred));
}

/* Commits of a tree whose make makes this very program. */
static void commits_are_compared(void)
{
    if (system("command -v git >/dev/null && command -v make >/dev/null") != 0)
        SKIP("git or make is not installed");
    char command[1200];
    snprintf(command, sizeof command,
             "mkdir %s/tree && cd %s/tree && git init -q . && printf 'all:\\n\\tmkdir -p build; ln "
             "-sf \"%s\" build/assay\\n' >Makefile && "
             "echo build/ >.gitignore && git add . && git -c user.name=t -c "
             "user.email=t@example.org commit -q -m one && "
             "git tag one && echo broken: >Makefile && git -c user.name=t -c "
             "user.email=t@example.org commit -qam two",
             folder, folder, getenv("ASSAY"));
    CHECK(system(command) == 0, "%s", command);
    struct text here = { 0 };
    text_add(&here, "%s/tree", folder);
    snprintf(command, sizeof command,
             "cd %s && '%s' compare --commit one one --processes 1 --rounds 2 --where l1 -- "
             "kernel:dot_f32 "
             ">../out 2>../err",
             text_of(&here), getenv("ASSAY"));
    CHECK(system(command) == 0, "compare --commit");
    slurp("out", &said);
    slurp("err", &erred);
    CHECK(strstr(text_of(&said), "each binary in its own process") &&
              strstr(text_of(&said), "build/commits/"),
          "%s%s", text_of(&said), text_of(&erred));
    snprintf(command, sizeof command,
             "cd %s && '%s' compare --commit one HEAD -- kernel:dot_f32 >../out 2>../err",
             text_of(&here), getenv("ASSAY"));
    CHECK(WEXITSTATUS(system(command)) == 1, "a commit that cannot be built");
    slurp("err", &erred);
    CHECK(strstr(text_of(&erred), "commit HEAD: make failed"), "%s", text_of(&erred));
    snprintf(command, sizeof command,
             "cd %s && '%s' compare --commit one nosuch -- kernel:dot_f32 >../out 2>../err",
             text_of(&here), getenv("ASSAY"));
    CHECK(WEXITSTATUS(system(command)) == 1, "no such commit");
    slurp("err", &erred);
    CHECK(strstr(text_of(&erred), "commit nosuch: git knows no such"), "%s", text_of(&erred));
    text_free(&here);
    refuses("compare --commit a b", 2, "-- SUBJECT");
    refuses("compare a b -- kernel:dot_f32 more", 2, "one SUBJECT");
}

static void info_lists(void)
{
    works("info", "dot_f32");
    works("info --list", "metric    recall_strict");
    works("info --list --json", "{\"kind\":\"command\",\"name\":\"sweep\"");
    works("info --json --kernel scalar", "dot_f32=scalar/");
}

static void sweeps(void)
{
    put_text("s.yaml", "kb: kg/kb.sqlite\nqueries: kg/query.fvecs\nmin_calls: 20\naxes:\n  bit_width: [2, 8]\n"
                       "  graph_depth: 0..1\n  estimator: [rescaled, mse]\n");
    works("sweep plan s.yaml", "8 points");
    works("sweep run s.yaml --out sw", "8 measured");
    works("sweep run s.yaml --out sw", "8 were done before");
    works("sweep status s.yaml --out sw", "8 done, 0 failed, 0 missing");
    works("sweep best sw/sweep.csv --where 'bit_width<=2' --max agree_at_10 --json", "\"bit_width\":2");
    works("sweep merge sw --out merged.csv", "");
    works("sweep best merged.csv --min bytes_per_vector", "bit_width");
}

/* --- what they refuse ---------------------------------------------------------------------------------- */
#define ANN "ann --query d/query.fvecs --base d/base.fvecs "

static void refuses_arguments(void)
{
    refuses("anm", 2, "'ann'");
    refuses("ann --bse x", 2, "--base");
    refuses("ann --query d/query.fvecs --index flat", 2, "--base");
    refuses(ANN, 2, "--index");
    refuses(ANN "--index flat -k 0", 2, "-k 0");
    refuses(ANN "--index flat -k ten", 2, "ten");
    refuses(ANN "--index flat -k", 2, "-k needs a value");
    refuses(ANN "--index turboquant:bits=9", 2, "bits=9 outside 1..8");
    refuses(ANN "--index turboqant", 2, "'turboquant'");
    refuses(ANN "--index turboquant:bitz=3", 2, "'bits'");
    refuses(ANN "--index flat --metric cosin", 2, "cosine");
    refuses(ANN "--index flat --kernel avx3", 2, "avx2");
    refuses(ANN "--index flat --kernel dot_f32=scalar/none", 2, "dot_f32");
    refuses(ANN "--index flat --json=1", 2, "--json");
    refuses("rag --kb kg/kb.sqlite --query kg/query.fvecs --set bit_wdth=2", 2, "'bit_width'");
    refuses("rag --kb kg/kb.sqlite --query kg/query.fvecs --set bit_width=9", 2, "bit_width=9 outside 1..8");
    refuses("rag --kb kg/kb.sqlite --query kg/query.fvecs --set rerank=cosin", 2, "'cosine'");
    refuses("rag --kb kg/kb.sqlite --query kg/query.fvecs --set expand=none --set graph_depth=2", 2, "expand=none is chosen");
    refuses("rag --kb kg/kb.sqlite --query kg/query.fvecs --learn 2", 2, "go together");
    refuses("rag --kb kg/kb.sqlite --query kg/query.fvecs --cuts 2", 2, "needs --qrels");
    refuses("rag --kb t/kb.sqlite --query t/query.fvecs --qrels t/qrels.txt --cuts 2,11", 2, "beyond the 10");
    refuses("rag --kb t/kb.sqlite --query t/query.fvecs --qrels t/qrels.txt --cuts 2,,5", 2, "not a number");
    refuses("rag --kb kg/kb.sqlite --query kg/query.fvecs --held-out 0.5", 2, "goes with --learn");
    refuses("rag --kb kg/kb.sqlite --query kg/query.fvecs --qrels-out x", 2, "needs --qrels");
    refuses("tune kg/kb.sqlite", 2, "--query");
    refuses("tune kg/kb.sqlite --query kg/query.fvecs", 2, "at least 10");
    refuses("tune nowhere.sqlite --query kg/query.fvecs", 1, "nowhere.sqlite");
    refuses("query kg/kb.sqlite", 2, "question");
    refuses("index buid", 2, "'build'");
    refuses("sweep rn s.yaml", 2, "'run'");
    refuses("sweep run s.yaml", 2, "--out");
    refuses("sweep run s.yaml --out x --shard 3/3", 2, "3/3");
    put_text("idle.yaml", "kb: kg/kb.sqlite\nqueries: kg/query.fvecs\nbase: {expand: none}\naxes:\n  graph_depth: [1, 2]\n");
    refuses("sweep plan idle.yaml", 2, "idle.yaml:5: graph_depth has no effect: it is a setting of expand=bfs");
    put_text("bad.yaml", "kb: kg/kb.sqlite\nqueries: kg/query.fvecs\naxes:\n  graph_dept: [1]\n");
    refuses("sweep run bad.yaml --out x", 2, "bad.yaml:4: no axis 'graph_dept'; nearest is 'graph_depth'");
}

/* An instruction set that this CPU lacks, if there is one: asked for, it is refused. */
static void refuses_kernels(void)
{
    struct kernel_set set;
    struct err e = { 0 };
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        char arguments[200];
        if (kernel_set_resolve(&set, isa_name((enum isa)isa), &e) != ERR_UNSUPPORTED) continue;
        snprintf(arguments, sizeof arguments, ANN "--index flat --kernel %s", isa_name((enum isa)isa));
        refuses(arguments, 1, isa_name((enum isa)isa));
        return;
    }
    SKIP("this CPU runs every kernel of this build");
}

static void refuses_files(void)
{
    struct text whole = { 0 };
    refuses("ann --base none.fvecs --query d/query.fvecs --index flat", 1, "none.fvecs");
    slurp("d/query.fvecs", &whole);
    put("short.fvecs", whole.at, whole.size - 3);
    refuses("ann --base d/base.fvecs --query short.fvecs --index flat", 1, "short.fvecs");
    const float nan_value = NAN;
    memcpy(whole.at + 4 + 8, &nan_value, sizeof nan_value);
    put("nan.fvecs", whole.at, whole.size);
    refuses("ann --base d/base.fvecs --query nan.fvecs --index flat", 1, "nan.fvecs");
    text_free(&whole);
    put("empty.fvecs", "", 0);
    refuses("ann --base empty.fvecs --query d/query.fvecs --index flat", 1, "empty.fvecs");
    works("data gen --kind clustered --n 50 --dim 8 --queries 5 --seed 1 --out other", "");
    refuses("ann --base d/base.fvecs --query other/query.fvecs --index flat", 2, "8 dimensions");
    works("data truth --base d/base.fvecs --query d/query.fvecs -k 5 --out t5.ivecs", "");
    refuses(ANN "--index flat --truth t5.ivecs -k 10", 2, "5 neighbours");
    refuses(ANN "--index flat --truth d/query.fvecs", 1, "no ids");
    refuses("index info d/base.fvecs", 1, "d/base.fvecs");
    refuses("rag --kb kg/kb.sqlite --query other/query.fvecs", 2, "8 dimensions");
    put_text("bad.jsonl", "{\"text\": 1\n");
    refuses("rag --kb kg/kb.sqlite --query bad.jsonl", 1, "bad.jsonl: line 1: ");
    put_text("bad.qrels", "0 0 cat 1\n1 0 dog 1\n");
    refuses("rag --kb kg/kb.sqlite --query kg/query.fvecs --qrels bad.qrels", 2, "bad.qrels: none of the documents");
    put_text("bad.qrels", "0 0 1 1\n1 0 2 1.0\n");
    refuses("rag --kb kg/kb.sqlite --query kg/query.fvecs --qrels bad.qrels", 1, "bad.qrels: line 2: \"grade\" is '1.0'");
    /* A file that is there and is not ours stays as it is. */
    works("ann --base d/base.fvecs --query d/query.fvecs --index flat --min-calls 5 --out keep", "");
    put_text("keep/ann.csv", "mine,and\nmine,alone\n");
    refuses(ANN "--index flat --min-calls 5 --out keep", 1, "keep/ann.csv");
    struct text kept = { 0 };
    slurp("keep/ann.csv", &kept);
    CHECK(strcmp(text_of(&kept), "mine,and\nmine,alone\n") == 0, "%s", text_of(&kept));
    text_free(&kept);
}

static void refuses_databases(void)
{
    char path[200];
    sqlite3 *db;
    refuses("query none.sqlite hello", 1, "none.sqlite");
    put_text("text.sqlite", "this is a long enough text that is no database at all, whatever its "
                            "name may say it is. ....");
    refuses("query text.sqlite hello", 1, "text.sqlite");
    snprintf(path, sizeof path, "%s/foreign.sqlite", folder);
    CHECK(sqlite3_open(path, &db) == SQLITE_OK &&
              sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL) == SQLITE_OK,
          "foreign");
    sqlite3_close(db);
    refuses("query foreign.sqlite hello", 1, "foreign.sqlite");
    CHECK(
        assay(
            "data gen --kind kg --n 50 --dim 8 --relations 50 --queries 5 --seed 1 --out newer") ==
            0,
        "%s", text_of(&erred));
    snprintf(path, sizeof path, "%s/newer/kb.sqlite", folder);
    CHECK(sqlite3_open(path, &db) == SQLITE_OK, "open");
    CHECK(sqlite3_exec(db, "UPDATE kg_schema_version SET version = 99", NULL, NULL, NULL) ==
              SQLITE_OK,
          "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    refuses("rag --kb newer/kb.sqlite --query kg/query.fvecs", 1, "99");
    snprintf(path, sizeof path, "%s/kg/kb.sqlite", folder);
    CHECK(sqlite3_open(path, &db) == SQLITE_OK, "open");
    CHECK(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    refuses("rag --kb kg/kb.sqlite --query kg/query.fvecs", 1, "locked");
    sqlite3_close(db);
}

int main(void)
{
    if (!getenv("ASSAY") || !mkdtemp(folder)) {
        test_line("verbs", 1, "needs the program: make check sets ASSAY");
        return test_end();
    }
    test_case("data to work on", make_data);
    test_case("ann measures", ann_measures);
    test_case("kernels are tuned into a file", tunes_kernels);
    test_case("roofline ends in the time it has", roofline_ends);
    test_case("ann compares at equal recall", ann_compares_at_recall);
    test_case("rag measures", rag_measures);
    test_case("a point holds what matters", points_hold_what_matters);
    test_case("query explains", query_explains);
    test_case("indexes in files", index_files);
    test_case("churn measures", churn_measures);
    test_case("rows are cited, and put in tables", rows_are_cited);
    test_case("bench keeps and gates", bench_gates);
    test_case("counts are compared with the compiler's table", counts_gate);
    test_case("commits are compared", commits_are_compared);
    test_case("info lists", info_lists);
    test_case("sweeps from plan to best", sweeps);
    test_case("bad arguments get one line", refuses_arguments);
    test_case("a kernel this CPU cannot run", refuses_kernels);
    test_case("bad files get one line, and nothing is lost", refuses_files);
    test_case("bad databases get one line", refuses_databases);
    text_free(&said);
    text_free(&erred);
    char command[200];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
