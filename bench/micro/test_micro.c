/* SPDX-License-Identifier: MIT
 * test_micro.c - wrong kernels are caught before they are timed; what is written can be read again.
 * Nothing here looks at how long anything took. */
#include "bench/micro/micro.h"
#include "bench/rows/output.h"
#include "kernels/base/mem.h"
#include "kernels/base/test.h"
#include "kernels/half.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static void one_lane_short(const float *query, const float *rows, size_t stride, const uint32_t *pick, size_t count,
                           size_t dim, float *scores)
{
    for (size_t r = 0; r < count; r++) {
        const float *row = rows + (pick ? pick[r] : r) * stride;
        scores[r] = 0;
        for (size_t i = 0; i + 1 < dim; i++) scores[r] += query[i] * row[i];
    }
}

static void ignores_pick(const float *query, const float *rows, size_t stride, const uint32_t *pick, size_t count,
                         size_t dim, float *scores)
{
    (void)pick;
    for (size_t r = 0; r < count; r++) {
        scores[r] = 0;
        for (size_t i = 0; i < dim; i++) scores[r] += query[i] * rows[r * stride + i];
    }
}

static void idle(float *x, size_t n) { (void)x, (void)n; }

static void wrong_kernels_are_caught(void)
{
    struct workload_shape shape = { .op = OP_dot_f32, .dim = 100, .rows = 50, .batch = 1, .seed = 1 };
    const struct kernel dot = { .op = OP_dot_f32, .variant = "short", .fn = { .dot_f32 = one_lane_short } };
    const struct kernel gather = { .op = OP_dot_f32, .variant = "pick", .fn = { .dot_f32 = ignores_pick } };
    const struct kernel fht = { .op = OP_fht_f32, .variant = "idle", .fn = { .fht_f32 = idle } };
    struct err e = { 0 };
    CHECK(workload_verify(&shape, &dot, &e) == ERR_FORMAT && strstr(e.text, "scalar gives"), "%s", e.text);
    CHECK(workload_verify(&shape, &gather, &e) == ERR_OK, "in order it is right: %s", e.text);
    shape.gather = 1;
    CHECK(workload_verify(&shape, &gather, &e) == ERR_FORMAT, "gathered it is wrong");
    shape = (struct workload_shape){ .op = OP_fht_f32, .dim = 100, .rows = 3, .batch = 1, .seed = 1 };
    CHECK(workload_verify(&shape, &fht, &e) == ERR_FORMAT, "a transform that does nothing");
}

/* Sums that are off by `grain` times the sum of |products|, as sums in f16 are. */
static float grain;

static void coarse(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick, size_t count,
                   size_t dim, float *scores)
{
    for (size_t r = 0; r < count; r++) {
        const uint16_t *row = rows + (pick ? pick[r] : r) * stride;
        double size = 0, sum = 0;
        for (size_t i = 0; i < dim; i++) {
            const double product = (double)query[i] * f32_of_f16(row[i]);
            size += fabs(product), sum += product;
        }
        scores[r] = (float)(sum + grain * size);
    }
}

/* A row is held to the bound that it states, not to that of others: what is too coarse for the usual one passes with
 * its own, and what exceeds its own is caught. */
static void rows_are_held_to_their_own_bound(void)
{
    const struct workload_shape shape = { .op = OP_dot_f16, .dim = 384, .rows = 50, .batch = 1, .seed = 1 };
    struct kernel k = { .op = OP_dot_f16, .kind = KERNEL_FREE, .variant = "coarse", .fn = { .dot_f16 = coarse } };
    const struct kernel_own of_f16 = { .products = 6 * 0x1p-11, .coarse = 0x1p-21 };
    struct err e = { 0 };
    grain = 5 * 0x1p-11f;
    CHECK(workload_verify(&shape, &k, &e) == ERR_FORMAT && strstr(e.text, "bound"), "f16 sums within the bound of f32");
    k.own = of_f16;
    CHECK(workload_verify(&shape, &k, &e) == ERR_OK, "f16 sums within their own bound: %s", e.text);
    grain = 7 * 0x1p-11f;
    CHECK(workload_verify(&shape, &k, &e) == ERR_FORMAT, "f16 sums beyond their own bound");
    grain = 0;
    k.own = (struct kernel_own){ 0 };
    CHECK(workload_verify(&shape, &k, &e) == ERR_OK, "exact sums: %s", e.text);
    for (const struct kernel *at = kernel_next(OP_dot_f16, NULL); at; at = kernel_next(OP_dot_f16, at))
        if (at->isa == ISA_avx512fp16 && at->kind == KERNEL_FREE)
            CHECK(at->own.products >= of_f16.products && at->own.coarse >= of_f16.coarse, "%s states no bound of its own",
                  at->variant);
}

static void every_row_verifies(void)
{
    for (int op = 0; op < OP_COUNT; op++)
        for (const struct kernel *k = kernel_next((enum kernel_op)op, NULL); k;
             k = kernel_next((enum kernel_op)op, k)) {
            if (workload_uses(k->op) < 0 || !kernel_runnable(k)) continue;
            for (int gather = 0; gather < 2; gather++) {
                const struct workload_shape shape = {
                    .op = k->op, .dim = 101, .rows = 37, .bits = 3, .batch = 3, .gather = gather, .seed = 5
                };
                struct err e = { 0 };
                CHECK(workload_verify(&shape, k, &e) == ERR_OK, "%s %s/%s: %s", kernel_op_name(k->op),
                      isa_name(k->isa), k->variant, e.text);
            }
        }
}

/* Other libraries' rows, where this build has any, are right at every short length and gathered too; they are called
 * peers, and are nobody's default. */
static void peers_verify(void)
{
    for (size_t i = 0; micro_rival(i); i++) {
        const struct kernel *k = micro_rival(i);
        struct err e = { 0 };
        CHECK(k->kind == KERNEL_BASELINE && strcmp(micro_isa(k), "peer") == 0, "%s", k->variant);
        for (size_t dim = 1; dim < 200; dim += dim < 70 ? 1 : 31)
            for (int gather = 0; gather < 2; gather++) {
                const struct workload_shape shape = { .op = k->op, .dim = dim, .rows = 7, .batch = 3, .gather = gather, .seed = dim };
                CHECK(workload_verify(&shape, k, &e) == ERR_OK, "%s %s: %s", kernel_op_name(k->op), k->variant, e.text);
            }
    }
    CHECK(strcmp(micro_isa(kernel_next(OP_dot_f32, NULL)), "scalar") == 0, "ours are no peers");
}

static void shapes(void)
{
    struct workload *w;
    struct err e = { 0 };
    struct workload_shape shape = { .op = OP_fht_f32, .dim = 384, .bytes = 1 << 20, .batch = 1 };
    CHECK(workload_create(&w, &shape, &e) == ERR_OK, "%s", e.text);
    const struct workload_facts *f = workload_facts(w);
    CHECK(f->shape.dim == 512 && f->set_bytes == 1 << 20 && f->shape.rows == 512, "dim %zu rows %zu", f->shape.dim,
          f->shape.rows);
    CHECK(f->demand[CEILING_FMA] == 512.0 * 512 * 9, "%g additions", f->demand[CEILING_FMA]);
    workload_destroy(w);
    shape = (struct workload_shape){ .op = OP_scan_lut, .dim = 100, .rows = 17, .bits = 3, .batch = 2 };
    CHECK(workload_create(&w, &shape, &e) == ERR_OK, "%s", e.text);
    f = workload_facts(w);
    CHECK(f->shape.dim == 128 && f->shape.rows == 32 && f->vectors == 64, "dim %zu rows %zu", f->shape.dim,
          f->shape.rows);
    CHECK(f->demand[CEILING_READ] == 32 * 128 * 3 / 8.0, "%g bytes", f->demand[CEILING_READ]);
    workload_destroy(w);
    shape.bits = 9;
    CHECK(workload_create(&w, &shape, &e) == ERR_ARG && strstr(e.text, "bits=9 outside 1..8"), "%s", e.text);
    shape = (struct workload_shape){ .op = OP_peak, .dim = 1, .batch = 1 };
    CHECK(workload_create(&w, &shape, &e) == ERR_UNSUPPORTED, "%s", e.text);
}

/* One small measured run, shared by the cases below. */
static struct micro measured;
static const struct micro_plan plan = { .rounds = 6, .budget_ns = 1e9, .seed = 1, .filter = "" };

static void measure(void)
{
    micro_init(&measured);
    const struct workload_shape a = { .op = OP_dot_f32, .dim = 33, .rows = 20, .batch = 1, .seed = 1 };
    const struct workload_shape b = { .op = OP_scan_lut, .dim = 64, .rows = 16, .bits = 2, .batch = 2, .seed = 1 };
    struct err e = { 0 };
    CHECK(micro_ceilings(&measured, &plan, &e) == ERR_OK, "%s", e.text);
    CHECK(micro_shape(&measured, &plan, &a, "", &e) == ERR_OK, "%s", e.text);
    CHECK(micro_shape(&measured, &plan, &b, "l1", &e) == ERR_OK, "%s", e.text);
    CHECK(measured.count >= 2 && measured.null_count == 2, "%zu rows, %zu A/A arms", measured.count,
          measured.null_count);
    for (size_t i = 0; i < measured.count; i++) {
        const struct micro_row *r = &measured.rows[i];
        CHECK(!r->wrong[0] && r->call_ns.n >= 6 && r->call_ns.median > 0, "%s", r->wrong);
        CHECK(r->call_ns.interval.lo <= r->call_ns.median && r->call_ns.median <= r->call_ns.interval.hi, "interval");
        if (r->kernel->isa == ISA_scalar && !micro_is_rival(r->kernel)) CHECK(r->over_scalar.at == 1, "scalar over itself: %g", r->over_scalar.at);
    }
}

static int is_key(const json_t *o, const char *key, json_type type)
{
    const json_t *v = json_object_get(o, key);
    const int number = type == JSON_REAL && json_is_number(v);
    if (v && (json_typeof(v) == type || number)) return 1;
    fprintf(stderr, "key %s: %s\n", key, v ? "of another type" : "missing");
    return 0;
}

static void check_context(const json_t *c)
{
    static const char *const texts[] = { "date", "host_name", "executable", "library_version", "library_build_type" };
    for (size_t i = 0; i < 5; i++) CHECK(is_key(c, texts[i], JSON_STRING), "context");
    static const char *const whole[] = { "num_cpus", "mhz_per_cpu", "json_schema_version" };
    for (size_t i = 0; i < 3; i++) CHECK(is_key(c, whole[i], JSON_INTEGER), "context");
    CHECK(is_key(c, "caches", JSON_ARRAY) && is_key(c, "load_avg", JSON_ARRAY), "context");
    const json_t *cache;
    size_t i;
    json_array_foreach(json_object_get(c, "caches"), i, cache)
        CHECK(is_key(cache, "type", JSON_STRING) && is_key(cache, "level", JSON_INTEGER) &&
                  is_key(cache, "size", JSON_INTEGER) && is_key(cache, "num_sharing", JSON_INTEGER),
              "cache %zu", i);
    int year, month, day, hour, minute, second, zone_hour, zone_minute;
    char sign;
    CHECK(sscanf(json_string_value(json_object_get(c, "date")), "%4d-%2d-%2dT%2d:%2d:%2d%c%2d:%2d", &year, &month,
                 &day, &hour, &minute, &second, &sign, &zone_hour, &zone_minute) == 9,
          "date");
}

static size_t lines_with(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) count++;
    return count;
}

/* Beside the rows of a shape its A/A arm and its read loop are kept, sample by sample, so that pairs can be made of them. */
static void samples_hold_controls(void)
{
    struct text out = { 0 };
    micro_raw_csv(&measured, "", &out);
    for (size_t i = 0; i < measured.count; i++) {
        const struct micro_row *r = &measured.rows[i];
        struct text name = { 0 };
        CHECK(!r->again_ns == !r->read_ns, "one without the other");
        if (r->again_ns) {
            micro_name(r, &name);
            const size_t of_row = lines_with(text_of(&out), text_of(&name));
            const char *shape = strstr(text_of(&name), "/dim:");
            struct text again = { 0 };
            text_add(&again, "%s/again/%s:%s%s,0,", kernel_op_name(r->kernel->op), isa_name(r->kernel->isa), r->kernel->variant, shape);
            CHECK(of_row == r->call_ns.n && lines_with(text_of(&out), text_of(&again)) == of_row, "%s: %zu", text_of(&again), of_row);
            text_free(&again);
        }
        text_free(&name);
    }
    CHECK(lines_with(text_of(&out), "/again/") > 0 && lines_with(text_of(&out), "/again/") == lines_with(text_of(&out), "/read/"), "none");
    text_free(&out);
}

/* What Google Benchmark writes, key by key, and what its compare.py reads. */
static void google_json(void)
{
    struct text out = { 0 };
    micro_google_json(&measured, "assay \"bench\"", &out);
    json_error_t error;
    json_t *root = json_loads(text_of(&out), JSON_REJECT_DUPLICATES, &error);
    CHECK(root != NULL, "line %d: %s", error.line, error.text);
    if (!root) return;
    check_context(json_object_get(root, "context"));
    size_t i, iterations = 0, aggregates = 0;
    const json_t *b;
    json_array_foreach(json_object_get(root, "benchmarks"), i, b) {
        static const char *const texts[] = { "name", "run_name", "run_type", "time_unit" };
        for (size_t t = 0; t < 4; t++) CHECK(is_key(b, texts[t], JSON_STRING), "benchmark %zu", i);
        static const char *const whole[] = { "family_index", "per_family_instance_index", "repetitions", "threads",
                                             "iterations" };
        for (size_t t = 0; t < 5; t++) CHECK(is_key(b, whole[t], JSON_INTEGER), "benchmark %zu", i);
        CHECK(is_key(b, "real_time", JSON_REAL) && is_key(b, "cpu_time", JSON_REAL), "benchmark %zu", i);
        CHECK(strcmp(json_string_value(json_object_get(b, "time_unit")), "ns") == 0, "unit");
        const int is_iteration = strcmp(json_string_value(json_object_get(b, "run_type")), "iteration") == 0;
        iterations += is_iteration;
        aggregates += !is_iteration;
        if (is_iteration)
            CHECK(is_key(b, "repetition_index", JSON_INTEGER) && is_key(b, "items_per_second", JSON_REAL),
                  "benchmark %zu", i);
        else
            CHECK(is_key(b, "aggregate_name", JSON_STRING) && is_key(b, "aggregate_unit", JSON_STRING),
                  "benchmark %zu", i);
    }
    size_t samples = 0;
    for (size_t r = 0; r < measured.count; r++) samples += measured.rows[r].call_ns.n;
    CHECK(iterations == samples && aggregates == 4 * measured.count, "%zu iterations, %zu aggregates", iterations,
          aggregates);
    const json_t *first = json_array_get(json_object_get(root, "benchmarks"), 0);
    CHECK(fabs(json_number_value(json_object_get(first, "real_time")) - measured.rows[0].raw_ns[0]) < 1e-9,
          "a time changed on the way");
    json_decref(root);
    text_free(&out);
}

/* Every line has as many fields as the header, a wrong row included. */
static void csv_is_square(void)
{
    struct micro with_wrong = measured;
    struct micro_row rows[2] = { measured.rows[0], measured.rows[1] };
    snprintf(rows[1].wrong, sizeof rows[1].wrong, "output 3 is 1, scalar gives 2, \"really\"");
    with_wrong.rows = rows;
    with_wrong.count = 2;
    struct text out = { 0 };
    micro_csv(&with_wrong, "# a: b\n", &out);
    size_t want = 0, lines = 0;
    for (char *save = NULL, *line = strtok_r(out.at, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (line[0] == '#') continue;
        size_t fields = 1;
        int quoted = 0;
        for (const char *c = line; *c; c++) {
            quoted ^= *c == '"';
            fields += *c == ',' && !quoted;
        }
        if (!want) want = fields;
        CHECK(fields == want, "%zu fields, not %zu: %s", fields, want, line);
        lines++;
    }
    CHECK(lines == 3, "%zu lines", lines);
    text_free(&out);
}

static char saved_path[64];
static struct text saved_notes;

/* A share above its ceiling, an estimated clock and a row compared with itself are called what they are. */
static void says_what_it_is(void)
{
    struct text out = { 0 };
    struct micro_row *row = NULL;
    for (size_t i = 0; i < measured.count && !row; i++)
        if (measured.rows[i].over_self.at > 0 && !measured.rows[i].wrong[0]) row = &measured.rows[i];
    CHECK(row && row->over_self.interval.lo <= row->over_self.at, "no row has an A/A arm");
    const double share = row->share;
    const struct mca model = row->model;
    for (size_t i = 0; i < measured.count; i++) measured.rows[i].share = fmin(measured.rows[i].share, 1);
    micro_table(&measured, &out), micro_headline(&measured, &out), micro_footer(&measured, &out);
    CHECK(!strstr(text_of(&out), " !") && !strstr(text_of(&out), "estimated"), "%s", text_of(&out));
    CHECK(strstr(text_of(&out), "; A/A x"), "a headline without its A/A: %s", text_of(&out));
    text_clear(&out);
    row->share = 1.43, row->model.ports = 2, measured.ghz = 3;
    micro_table(&measured, &out), micro_footer(&measured, &out);
    CHECK(strstr(text_of(&out), "143 % ") && strstr(text_of(&out), " !") && strstr(text_of(&out), "! 1 rows read as faster"),
          "%s", text_of(&out));
    CHECK(strstr(text_of(&out), "if the clock is 3.00 GHz, as estimated") && strstr(text_of(&out), "not counted"), "%s",
          text_of(&out));
    row->share = share, row->model = model, measured.ghz = 0;
    text_free(&out);
}

/* One sample a hundred times as long as the others stretches no violin. */
static void densities_survive_an_outlier(void)
{
    char folder[] = "/tmp/assay_density.XXXXXX", path[96];
    struct err e = { 0 };
    struct mem_map map;
    CHECK(mkdtemp(folder) != NULL, "%s", folder);
    for (size_t i = 0; i < measured.count; i++) {
        struct micro_row *r = &measured.rows[i];
        for (size_t s = 0; r->raw_ns && s < r->call_ns.n; s++) r->raw_ns[s] = r->call_ns.median * (1 + 1e-3 * (double)(s % 5));
        if (r->raw_ns) r->raw_ns[0] = 100 * r->call_ns.median;
    }
    setenv("ASSAY_PLOTS", "scripts/plots", 0);
    const int status = micro_figures(&measured, folder, &e);
    snprintf(path, sizeof path, "%s/dot_f32_density.dat", folder);
    if (mem_map_open(&map, path, NULL) == ERR_OK) {
        struct text data = { 0 };
        text_add_bytes(&data, map.at, map.size);
        mem_map_close(&map);
        double position, percent, most = 0;
        for (char *at = data.at, *line; (line = strsep(&at, "\n"));)
            if (sscanf(line, "%lf %lf", &position, &percent) == 2) most = fmax(most, fabs(percent));
        CHECK(most > 0 && most < 1, "a violin reaches to %g %%", most);
        text_free(&data);
    } else CHECK(status != ERR_OK, "no %s", path);
    snprintf(path, sizeof path, "rm -r %s", folder);
    CHECK(system(path) == 0, "%s", path);
    if (status != ERR_OK) SKIP("gnuplot draws nothing here");
}

/* A file of a saved run of `processes`: of every row what was measured, made `apart` times dearer by turns from process to
 * process, and rows that are no control `slower` times dearer. */
static void save(size_t processes, double apart, double slower)
{
    struct text out = { 0 };
    struct err e = { 0 };
    text_add(&out, "%sname,process,sample,ns_per_vector\n", text_of(&saved_notes));
    for (size_t p = 0; p < processes; p++)
        for (size_t i = 0; i < measured.count; i++) {
            const struct micro_row *r = &measured.rows[i];
            struct text name = { 0 };
            micro_name(r, &name);
            const double ns = exp(r->process_logs[0]) * (1 + apart * ((double)p - (double)(processes - 1) / 2)) *
                              (micro_is_control(r) ? 1 : slower);
            for (size_t s = 0; s < 3; s++) text_add(&out, "%s,%zu,%zu,%.9g\n", text_of(&name), p, s, ns * (0.9 + 0.1 * (double)s));
            text_free(&name);
        }
    CHECK(output_write(saved_path, &out, &e) == ERR_OK, "%s", e.text);
    text_free(&out);
}

/* What was measured becomes seven processes, a tenth of a percent apart. */
static void seven_processes_now(void)
{
    for (size_t i = 0; i < measured.count; i++)
        for (size_t p = 1; p < 7; p++)
            measured.rows[i].process_logs[p] = measured.rows[i].process_logs[0] + 1e-3 * ((double)p - 3);
    for (size_t i = 0; i < measured.count; i++) measured.rows[i].process_count = 7;
}

static int against(const char *path)
{
    struct err e = { 0 };
    for (size_t i = 0; i < measured.count; i++) {
        measured.rows[i].over_saved = (struct ratio){ 0 };
        measured.rows[i].saved_verdict = MICRO_UNRESOLVED;
    }
    memset(measured.saved, 0, sizeof measured.saved);
    measured.saved_drift = 0;
    const int status = micro_baseline(&measured, path, 0, &e);
    CHECK(status == ERR_OK, "%s", e.text);
    return status;
}

/* A row whose processes were faster or slower, whether that is said, and what the exit status is made of. */
static void baseline(void)
{
    snprintf(saved_path, sizeof saved_path, "/tmp/assay_micro_%d.csv", (int)getpid());
    machine_provenance(&measured.machine, &saved_notes);
    seven_processes_now();
    struct err e = { 0 };
    save(7, 2e-3, 1);
    against(saved_path);
    CHECK(measured.saved[MICRO_FASTER] == 0 && measured.saved[MICRO_SLOWER] == 0, "the same is resolved: %zu, %zu",
          measured.saved[MICRO_FASTER], measured.saved[MICRO_SLOWER]);
    const size_t tested = measured.saved[MICRO_UNRESOLVED];
    CHECK(micro_fails(&measured, 1.05, &e) == ERR_OK, "%s", e.text);
    save(7, 2e-3, 1 / 1.08);
    against(saved_path);
    CHECK(measured.saved[MICRO_SLOWER] == tested, "8 %% slower: %zu of %zu rows", measured.saved[MICRO_SLOWER], tested);
    CHECK(micro_fails(&measured, 1.05, &e) == ERR_NOT_FOUND && strstr(e.text, "x1.08"), "%s", e.text);
    CHECK(micro_fails(&measured, 1.2, &e) == ERR_OK, "8 %% is not 20 %%: %s", e.text);
    save(7, 2e-3, 1.08);
    against(saved_path);
    CHECK(measured.saved[MICRO_FASTER] == tested && micro_fails(&measured, 1.05, &e) == ERR_OK, "faster: %s", e.text);
    save(7, 0.05, 1 / 1.05); /* processes as far apart as what is looked for */
    against(saved_path);
    CHECK(measured.saved[MICRO_SLOWER] == 0, "resolved within the spread of processes: %zu", measured.saved[MICRO_SLOWER]);
    save(2, 0, 1 / 1.5);
    against(saved_path);
    CHECK(measured.saved[MICRO_SLOWER] == 0, "two processes resolve nothing: %zu", measured.saved[MICRO_SLOWER]);
}

/* Every row is `of_controls`, or `of_others`, times as slow as when it was saved. */
static void moved(double of_controls, double of_others)
{
    save(7, 2e-3, 1);
    for (size_t i = 0; i < measured.count; i++)
        for (size_t p = 0; p < 7; p++)
            measured.rows[i].process_logs[p] += log(micro_is_control(&measured.rows[i]) ? of_controls : of_others);
    against(saved_path);
}

/* What the controls of a shape have moved by, other rows may have moved by, too. */
static void controls_widen(void)
{
    size_t controls = 0;
    for (size_t i = 0; i < measured.count; i++) controls += (size_t)micro_is_control(&measured.rows[i]);
    if (!controls) SKIP("no row of this build is a control");
    moved(1.04, 1.042);
    CHECK(measured.saved[MICRO_SLOWER] + measured.saved[MICRO_FASTER] == 0, "4.2 %% beside controls that moved by 4 %%: %zu",
          measured.saved[MICRO_SLOWER]);
    CHECK(fabs(measured.saved_drift - 0.04) < 5e-3, "drift %.4f", measured.saved_drift);
    const size_t tested = measured.saved[MICRO_UNRESOLVED];
    moved(1 / 1.02, 1.05);
    CHECK(measured.saved[MICRO_SLOWER] == tested, "5 %% beside controls that moved by -2 %%: %zu of %zu",
          measured.saved[MICRO_SLOWER], tested);
}

static void refuses_other_files(void)
{
    struct err e = { 0 };
    static const char *const parts[] = { "# machine: ", "# build: " }, *const said[] = { "another machine", "another compiler" };
    for (int i = 0; i < 2; i++) {
        struct text notes = { 0 };
        text_add(&notes, "%s", text_of(&saved_notes));
        char *at = strstr(saved_notes.at, parts[i]) + strlen(parts[i]);
        *at = *at == 'x' ? 'y' : 'x';
        save(7, 0, 1);
        CHECK(micro_baseline(&measured, saved_path, 0, &e) == ERR_ARG && strstr(e.text, said[i]), "%s", e.text);
        CHECK(micro_baseline(&measured, saved_path, 1, &e) == ERR_OK, "forced: %s", e.text);
        struct text footer = { 0 };
        micro_footer(&measured, &footer);
        CHECK(strstr(text_of(&footer), "NOT COMPARABLE"), "forced, but not marked: %s", text_of(&footer));
        text_free(&footer);
        text_free(&saved_notes);
        saved_notes = notes;
    }
    struct text out = { 0 };
    text_add(&out, "name,sample,ns_per_vector\na,1,2\n");
    CHECK(output_write(saved_path, &out, &e) == ERR_OK, "%s", e.text);
    CHECK(micro_baseline(&measured, saved_path, 0, &e) == ERR_FORMAT, "%s", e.text);
    text_clear(&out);
    text_add(&out, "%sname,process,sample,ns_per_vector\nother,0,0,2\n", text_of(&saved_notes));
    CHECK(output_write(saved_path, &out, &e) == ERR_OK, "%s", e.text);
    CHECK(micro_baseline(&measured, saved_path, 0, &e) == ERR_NOT_FOUND && strstr(e.text, "none of the rows"), "%s", e.text);
    CHECK(micro_add_process(&measured, saved_path, &e) == ERR_FORMAT && strstr(e.text, "did not time"), "%s", e.text);
    remove(saved_path);
    CHECK(micro_baseline(&measured, saved_path, 0, &e) == ERR_NOT_FOUND, "%s", e.text);
    text_free(&out);
    text_free(&saved_notes);
    micro_fini(&measured);
}

int main(void)
{
    test_case("wrong kernels are caught before timing", wrong_kernels_are_caught);
    test_case("rows are held to their own bound", rows_are_held_to_their_own_bound);
    test_case("every row that runs here passes the gate", every_row_verifies);
    test_case("peers verify", peers_verify);
    test_case("shapes, bytes and work of a call", shapes);
    test_case("a small run", measure);
    test_case("samples hold controls", samples_hold_controls);
    test_case("Google Benchmark's schema, key by key", google_json);
    test_case("CSV is square", csv_is_square);
    test_case("what was not measured well is marked", says_what_it_is);
    test_case("one long sample stretches no density", densities_survive_an_outlier);
    test_case("saved runs", baseline);
    test_case("what controls moved by widens intervals", controls_widen);
    test_case("other machines, builds and files are refused", refuses_other_files);
    return test_end();
}
