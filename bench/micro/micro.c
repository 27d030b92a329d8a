/* SPDX-License-Identifier: MIT
 * micro.c - runs every row of an operation over each shape, interleaved, and collects what it took. */
#include "bench/micro/micro.h"
#include "kernels/base/mem.h"
#include <math.h>
#include <string.h>

enum { ARMS = 96, LEAST_ROUNDS = 12, RESAMPLES = 2000 };

void micro_init(struct micro *m)
{
    *m = (struct micro){ .processes = 1 };
    machine_read(&m->machine);
    char why_not[128];
    m->counted = counters_open(&m->counters, why_not, sizeof why_not);
    m->before = m->after = machine_load();
}

void micro_fini(struct micro *m)
{
    for (size_t i = 0; i < m->count; i++) {
        mem_free(m->rows[i].raw_ns);
        mem_free(m->rows[i].raw_cpu_ns);
        mem_free(m->rows[i].again_ns);
        mem_free(m->rows[i].read_ns);
    }
    mem_free(m->rows);
    mem_free(m->detectable);
    text_free(&m->others);
    if (m->counted) counters_close(&m->counters);
    *m = (struct micro){ 0 };
}

int micro_ceilings(struct micro *m, const struct micro_plan *plan, struct err *e)
{
    return roofline_instructions(m->rates, plan->rounds, plan->seed, e);
}

#define PLUGIN(f) extern const struct kernel f[];
#include "gen/rivals.inc"
#undef PLUGIN
static const struct kernel *const rivals[] = {
#define PLUGIN(f) f,
#include "gen/rivals.inc"
#undef PLUGIN
};

const struct kernel *micro_rival(size_t i)
{
    for (size_t f = 0; f < sizeof rivals / sizeof *rivals; f++)
        for (const struct kernel *k = rivals[f]; k->op != OP_COUNT; k++)
            if (i-- == 0) return k;
    return NULL;
}

int micro_is_rival(const struct kernel *k)
{
    size_t i = 0;
    while (micro_rival(i) && micro_rival(i) != k) i++;
    return micro_rival(i) != NULL;
}

const char *micro_isa(const struct kernel *k) { return micro_is_rival(k) ? "peer" : isa_name(k->isa); }

void micro_name(const struct micro_row *r, struct text *out)
{
    const struct workload_shape *s = &r->facts.shape;
    text_add(out, "%s/%s/%s/dim:%zu", kernel_op_name(r->kernel->op), micro_isa(r->kernel), r->kernel->variant,
             s->dim);
    if (s->bits) text_add(out, "/bits:%d", s->bits);
    if (workload_uses(s->op) & USES_BATCH) text_add(out, "/batch:%zu", s->batch);
    text_add(out, "/rows:%zu%s%s/%s", s->rows, r->where[0] ? "/" : "", r->where, s->gather ? "gather" : "scan");
}

static int is_compiler(const struct kernel *k) { return k->kind == KERNEL_BASELINE && !micro_is_rival(k); }
static int is_scalar(const struct kernel *k) { return k->isa == ISA_scalar && k->kind == KERNEL_DEFAULT; }

static int wanted(const struct kernel *k, const struct kernel *usual, const struct micro_plan *plan)
{
    if (!kernel_runnable(k)) return 0;
    if (is_compiler(k) || is_scalar(k)) return !plan->no_baselines || k == usual;
    if (plan->defaults_only) return k == usual;
    if (plan->canonical_only && !kernel_is_canonical(k)) return 0;
    char name[128];
    snprintf(name, sizeof name, "%s/%s/%s", kernel_op_name(k->op), isa_name(k->isa), k->variant);
    return strstr(name, plan->filter) != NULL;
}

struct shape_run {
    struct workload *workload;
    struct workload_arm work[ARMS];
    struct sample_arm arms[ARMS];
    size_t kernels;       /* arms 0..kernels-1 are rows of the operation, then A/A, then the read loop */
    size_t scalar, usual; /* which of them; ARMS: none */
    struct samples samples;
};

static int append_row(struct micro *m, const struct micro_row *row, struct err *e)
{
    struct micro_row *rows = mem_grow(m->rows, m->count, m->count + 1, sizeof *rows);
    if (!rows) return FAIL(e, ERR_MEM, "no memory for another row");
    m->rows = rows;
    m->rows[m->count++] = *row;
    return ERR_OK;
}

static void add_arm(struct shape_run *r, size_t at, const struct kernel *k, int reads)
{
    r->work[at] = (struct workload_arm){ r->workload, k };
    r->arms[at] = (struct sample_arm){ .name = k->variant,
                                       .run = reads ? workload_read : workload_run,
                                       .context = &r->work[at] };
}

/* A row whose outputs are wrong is reported and gets no arm. */
static int choose_arm(struct micro *m, const char *where, const struct kernel *k, struct shape_run *r, struct err *e)
{
    const struct workload_facts *facts = workload_facts(r->workload);
    struct err why = { 0 };
    if (r->kernels == ARMS - 2) return FAIL(e, ERR_ARG, "%s: more than %d rows", kernel_op_name(k->op), ARMS - 2);
    if (workload_verify(&facts->shape, k, &why) != ERR_OK) {
        struct micro_row row = { .kernel = k, .where = where, .facts = *facts };
        snprintf(row.wrong, sizeof row.wrong, "%.150s", why.text);
        return append_row(m, &row, e);
    }
    add_arm(r, r->kernels++, k, 0);
    return ERR_OK;
}

static int choose_arms(struct micro *m, const struct micro_plan *plan, const char *where, struct shape_run *r,
                       struct err *e)
{
    const struct workload_facts *facts = workload_facts(r->workload);
    const enum kernel_op op = facts->shape.op;
    struct kernel_set usual;
    kernel_set_resolve(&usual, NULL, NULL); /* cannot fail: nothing was asked for */
    r->scalar = r->usual = ARMS;
    int status = ERR_OK;
    for (const struct kernel *k = kernel_next(op, NULL); k && status == ERR_OK; k = kernel_next(op, k)) {
        const size_t arm = r->kernels;
        if (!wanted(k, usual.of[op], plan)) continue;
        status = choose_arm(m, where, k, r, e);
        if (arm == r->kernels) continue;
        if (is_scalar(k)) r->scalar = arm;
        if (k == usual.of[op]) r->usual = arm;
    }
    for (size_t i = 0; micro_rival(i) && status == ERR_OK; i++)
        if (micro_rival(i)->op == op && !plan->canonical_only && !plan->defaults_only)
            status = choose_arm(m, where, micro_rival(i), r, e);
    return status;
}

/* Ratio of times base / arm, paired by round. */
static struct ratio paired(const struct samples *s, size_t base, size_t arm, double *work)
{
    const size_t n = samples_log_ratios(s, base, arm, work, NULL);
    if (n == 0) return (struct ratio){ 0 };
    stats_sort(work, n);
    const struct interval i = stats_sign_interval(work, n, 0.05, 1);
    return (struct ratio){ exp(stats_median(work, n)), { exp(i.lo), exp(i.hi) } };
}

static double *copied(const double *x, size_t n)
{
    double *copy = mem_alloc(n, sizeof *copy);
    if (copy) memcpy(copy, x, n * sizeof *copy);
    return copy;
}

static int null_arm(struct micro *m, const struct shape_run *r, uint64_t seed, double *work, struct err *e)
{
    const size_t n = samples_log_ratios(&r->samples, r->usual, r->kernels, work, NULL);
    if (n == 0) return ERR_OK;
    double *all = mem_grow(m->detectable, m->null_count, m->null_count + 1, sizeof *all);
    if (!all) return FAIL(e, ERR_MEM, "no memory for another A/A arm");
    m->detectable = all;
    stats_sort(work, n);
    const struct interval i = stats_sign_interval(work, n, 0.05, 1);
    m->detectable[m->null_count++] = expm1(stats_detectable(work, n, 0.05, 1, 0.8, RESAMPLES, seed));
    m->null_resolved += i.lo > 0 || i.hi < 0;
    return ERR_OK;
}

double micro_resolves(const struct micro *m, double q)
{
    double *sorted = m->null_count ? copied(m->detectable, m->null_count) : NULL;
    if (!sorted) return INFINITY;
    stats_sort(sorted, m->null_count);
    const double at = stats_quantile(sorted, m->null_count, q);
    mem_free(sorted);
    return at;
}

/* The compiler row with the smallest median: the sternest baseline. */
static size_t best_compiler(const struct micro_row *rows, size_t count)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++)
        if (is_compiler(rows[i].kernel) && (best == count || rows[i].call_ns.median < rows[best].call_ns.median))
            best = i;
    return best;
}

/* Of what a ceiling counts, the share that this row needs instructions for: VDPBF16PS adds two products a lane, and tiles
 * have no ceiling among the vectors' at all. */
static double counted(const struct kernel *k)
{
    return k->isa == ISA_amxint8 || k->isa == ISA_amxbf16 ? 0 : k->own.bf16 ? 0.5 : 1;
}

static void find_ceiling(const struct micro *m, struct micro_row *row, double read_ns)
{
    double most = read_ns;
    row->binds = CEILING_READ;
    for (int c = CEILING_READ + 1; c < CEILING_COUNT; c++) {
        if (m->rates[c].median <= 0) continue;
        const double least_ns = counted(row->kernel) * row->facts.demand[c] / m->rates[c].median;
        if (least_ns > most) {
            most = least_ns;
            row->binds = (enum ceiling)c;
        }
    }
    row->share = most / row->call_ns.median;
}

static void count_cycles(const struct shape_run *r, size_t arm, struct micro_row *row)
{
    uint64_t cycles = 0, instructions = 0;
    for (size_t i = 0; i < r->samples.rounds; i++) {
        cycles += r->samples.counts[arm * r->samples.rounds + i].cycles;
        instructions += r->samples.counts[arm * r->samples.rounds + i].instructions;
    }
    const double vectors = row->facts.vectors * (double)r->samples.iterations[arm] * (double)r->samples.rounds;
    row->cycles = (double)cycles / vectors;
    row->instructions = (double)instructions / vectors;
}

static int make_row(struct micro *m, const struct shape_run *r, size_t arm, const char *where, uint64_t seed,
                    double *work, struct err *e)
{
    const struct samples *s = &r->samples;
    struct micro_row row = { .kernel = r->work[arm].kernel, .where = where, .facts = *workload_facts(r->workload),
                             .iterations = s->iterations[arm] };
    int status = stats_summarise(samples_of(s, arm), s->rounds, seed, &row.call_ns, e);
    if (status != ERR_OK) return status;
    for (size_t i = 0; i < s->rounds; i++) row.preempted += s->disturbed[arm * s->rounds + i];
    if (r->scalar < ARMS) row.over_scalar = paired(s, r->scalar, arm, work);
    row.over_read = paired(s, r->kernels + 1, arm, work);
    count_cycles(r, arm, &row);
    row.process_logs[row.process_count++] = log(row.call_ns.median / row.facts.vectors);
    row.raw_ns = copied(samples_of(s, arm), s->rounds);
    row.raw_cpu_ns = copied(s->cpu_ns + arm * s->rounds, s->rounds);
    status = row.raw_ns && row.raw_cpu_ns ? append_row(m, &row, e) : FAIL(e, ERR_MEM, "no memory for samples");
    if (status != ERR_OK) {
        mem_free(row.raw_ns);
        mem_free(row.raw_cpu_ns);
    }
    return status;
}

/* The samples of the A/A arm and of the read loop behind it. */
static int keep_controls(const struct samples *s, size_t again, struct micro_row *usual, struct err *e)
{
    usual->again_ns = copied(samples_of(s, again), s->rounds);
    usual->read_ns = copied(samples_of(s, again + 1), s->rounds);
    return usual->again_ns && usual->read_ns ? ERR_OK : FAIL(e, ERR_MEM, "no memory for samples");
}

static int make_rows(struct micro *m, const struct shape_run *r, const char *where, uint64_t seed, struct err *e)
{
    const struct samples *s = &r->samples;
    double *work = mem_alloc(s->rounds, sizeof *work);
    if (!work) return FAIL(e, ERR_MEM, "no memory for %zu rounds", s->rounds);
    const size_t first = m->count;
    int status = ERR_OK;
    for (size_t arm = 0; arm < r->kernels && status == ERR_OK; arm++)
        status = make_row(m, r, arm, where, seed + arm, work, e);
    if (status == ERR_OK) {
        struct summary read;
        status = stats_summarise(samples_of(s, r->kernels + 1), s->rounds, seed, &read, e);
        const size_t best = best_compiler(m->rows + first, r->kernels);
        for (size_t arm = 0; arm < r->kernels && status == ERR_OK; arm++) {
            struct micro_row *row = &m->rows[first + arm];
            find_ceiling(m, row, read.median);
            if (best == r->kernels) continue;
            row->compiler = r->work[best].kernel;
            row->over_compiler = paired(s, best, arm, work);
        }
        if (status == ERR_OK && r->usual < ARMS) status = null_arm(m, r, seed, work, e);
        if (status == ERR_OK && r->usual < ARMS) status = keep_controls(s, r->kernels, &m->rows[first + r->usual], e);
        const double detectable = r->usual < ARMS && m->null_count ? m->detectable[m->null_count - 1] : INFINITY;
        const struct ratio self = r->usual < ARMS ? paired(s, r->usual, r->kernels, work) : (struct ratio){ 0 };
        for (size_t arm = first; arm < m->count; arm++) m->rows[arm].detectable = detectable, m->rows[arm].over_self = self;
    }
    mem_free(work);
    return status;
}

int micro_shape(struct micro *m, const struct micro_plan *plan, const struct workload_shape *shape, const char *where,
                struct err *e)
{
    struct shape_run r = { 0 };
    int status = workload_create(&r.workload, shape, e);
    if (status == ERR_OK) status = choose_arms(m, plan, where, &r, e);
    if (status == ERR_OK && r.kernels > 0) {
        /* Without a right default (all wrong, or filtered away) its place is taken by the first row. */
        add_arm(&r, r.kernels, r.work[r.usual < ARMS ? r.usual : 0].kernel, 0);
        add_arm(&r, r.kernels + 1, roofline_reader(), 1);
        const struct sample_plan sampling = { .rounds = plan->rounds, .budget_ns = plan->budget_ns,
                                              .least_rounds = LEAST_ROUNDS, .seed = plan->seed,
                                              .counters = m->counted ? &m->counters : NULL };
        status = sample_run(r.arms, r.kernels + 2, &sampling, &r.samples, e);
        if (status == ERR_OK) {
            m->overhead_ns = r.samples.overhead_ns;
            m->resolution_ns = r.samples.resolution_ns;
            status = make_rows(m, &r, where, plan->seed, e);
            samples_free(&r.samples);
        }
    }
    workload_destroy(r.workload);
    m->after = machine_load();
    return status;
}

void micro_models(struct micro *m)
{
    m->ghz = mca_ghz();
    for (size_t i = 0; i < m->count; i++) {
        struct err why;
        if (m->rows[i].wrong[0] ||
            mca_predict(m->rows[i].kernel, &m->rows[i].facts, &m->rows[i].model, &why) == ERR_OK)
            continue;
        snprintf(m->rows[i].model.tool, sizeof m->rows[i].model.tool, "%.63s", why.text);
    }
}
