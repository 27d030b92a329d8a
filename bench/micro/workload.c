/* SPDX-License-Identifier: MIT
 * workload.c - operands for the driver of an operation, calls of a kernel over them, and the gate before timing. */
#include "bench/micro/workload.h"
#include "kernels/base/mem.h"
#include "kernels/base/rng.h"
#include "kernels/codes/codes.h"
#include <math.h>
#include <string.h>

enum { SETS = 2, CHECKED_ROWS = 67 };

struct workload {
    struct workload_facts facts;
    const struct driver *driver;
    struct operands set[SETS];
};

#define PLUGIN(f) extern const struct driver f[];
#include "gen/works.inc"
#undef PLUGIN
static const struct driver *const families[] = {
#define PLUGIN(f) f,
#include "gen/works.inc"
#undef PLUGIN
};

/* NULL: no file times the operation. */
static const struct driver *driver_of(enum kernel_op op)
{
    for (size_t f = 0; f < sizeof families / sizeof *families; f++)
        for (const struct driver *d = families[f]; d->call; d++)
            if (d->op == op) return d;
    return NULL;
}

int workload_uses(enum kernel_op op)
{
    const struct driver *d = driver_of(op);
    return d ? d->uses : -1;
}

int workload_least_bits(enum kernel_op op)
{
    const struct driver *d = driver_of(op);
    return d && d->least_bits ? d->least_bits : 1;
}

int workload_most_bits(enum kernel_op op)
{
    const struct driver *d = driver_of(op);
    return d && d->most_bits ? d->most_bits : CODES_BITS_MAX;
}

static size_t padded(size_t bytes) { return (bytes + PEAK_STEP - 1) / PEAK_STEP * PEAK_STEP; }

static int make_operands(struct workload *w, int verifying, struct rng *r)
{
    const struct workload_shape *s = &w->facts.shape;
    size_t query = 0, side = 0, out = 0;
    w->driver->sizes(s, &query, &side, &out);
    w->set[0].rows = mem_zero(padded(w->facts.set_bytes), 1);
    w->set[0].side = mem_zero(side, 1);
    for (int i = 0; i < SETS; i++) {
        struct operands *o = &w->set[i];
        o->rows = w->set[0].rows;
        o->side = w->set[0].side;
        o->verifying = verifying;
        o->query = mem_zero(query, 1);
        o->out = mem_zero(out, 1);
        o->pick = s->gather ? mem_alloc(s->rows, sizeof *o->pick) : NULL;
        if (!o->rows || !o->query || !o->side || !o->out || (s->gather && !o->pick)) return 0;
        if (o->pick) rng_shuffle(r, o->pick, s->rows);
        w->driver->fill(&w->facts, o, r); /* the shared ones twice: harmless */
    }
    return 1;
}

static int create(struct workload **out, const struct workload_shape *shape, int verifying, struct err *e)
{
    const struct driver *d = driver_of(shape->op);
    const char *name = kernel_op_name(shape->op);
    if (!d) return FAIL(e, ERR_UNSUPPORTED, "%s has no entry in any bench/micro/work_*.c", name);
    if (shape->dim == 0 || shape->batch == 0) return FAIL(e, ERR_ARG, "%s: dim and batch must not be 0", name);
    const int least = workload_least_bits(shape->op), most = workload_most_bits(shape->op);
    if ((d->uses & USES_BITS) && (shape->bits < least || shape->bits > most))
        return FAIL(e, ERR_ARG, "%s: bits=%d outside %d..%d", name, shape->bits, least, most);
    struct workload *w = mem_zero(1, sizeof *w);
    if (!w) return FAIL(e, ERR_MEM, "no memory for a workload");
    w->driver = d;
    struct workload_shape *s = &w->facts.shape;
    *s = *shape;
    if (!(d->uses & USES_BITS)) s->bits = 0;
    if (!(d->uses & USES_BATCH)) s->batch = 1;
    if (!(d->uses & USES_GATHER)) s->gather = 0;
    if (d->round_up) d->round_up(s);
    if (s->rows == 0) s->rows = s->bytes / d->row_bytes(s);
    if (s->rows == 0) s->rows = 1;
    if (d->round_up) d->round_up(s);
    w->facts.set_bytes = s->rows * d->row_bytes(s);
    const double visited = d->every ? (double)(s->rows / d->every) / (double)s->rows : 1;
    w->facts.vectors = visited * (double)(s->rows * s->batch);
    w->facts.demand[CEILING_READ] = visited * (double)w->facts.set_bytes;
    d->demand(s, w->facts.demand);
    struct rng r;
    rng_seed(&r, s->seed, 0);
    if (!make_operands(w, verifying, &r)) {
        const struct workload_shape wanted = *s;
        workload_destroy(w);
        return FAIL(e, ERR_MEM, "%s: no memory for %zu rows of %zu dimensions", name, wanted.rows, wanted.dim);
    }
    *out = w;
    return ERR_OK;
}

int workload_create(struct workload **out, const struct workload_shape *shape, struct err *e)
{
    return create(out, shape, 0, e);
}

void workload_destroy(struct workload *w)
{
    if (!w) return;
    mem_free(w->set[0].rows);
    mem_free(w->set[0].side);
    for (int i = 0; i < SETS; i++) {
        mem_free(w->set[i].query);
        mem_free(w->set[i].pick);
        mem_free(w->set[i].out);
    }
    mem_free(w);
}

const struct workload_facts *workload_facts(const struct workload *w) { return &w->facts; }

double workload_run(void *arm, uint64_t iterations)
{
    const struct workload_arm *a = arm;
    struct workload *w = a->workload;
    for (uint64_t i = 0; i < iterations; i++) w->driver->call(&w->facts.shape, a->kernel, &w->set[i % SETS]);
    return -1;
}

double workload_read(void *arm, uint64_t iterations)
{
    const struct workload_arm *a = arm;
    const size_t size = padded(a->workload->facts.set_bytes);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < iterations; i++) sum += a->kernel->fn.peak(a->workload->set[i % SETS].rows, size, 1);
    __asm__ volatile("" : : "r"(sum)); /* used, as far as the compiler can tell */
    return -1;
}

/* The result of one call over set 0: where it stands and how long it is. */
static const void *result_of(const struct workload *w, size_t *size)
{
    size_t query, side, out;
    w->driver->sizes(&w->facts.shape, &query, &side, &out);
    *size = w->driver->changes_rows ? w->facts.set_bytes : out;
    return w->driver->changes_rows ? w->set[0].rows : w->set[0].out;
}

static const void *call_once(struct workload *w, const struct kernel *kernel, size_t *size)
{
    w->driver->call(&w->facts.shape, kernel, &w->set[0]);
    if (w->driver->tidy) w->driver->tidy(&w->facts.shape, &w->set[0]);
    return result_of(w, size);
}

uint64_t workload_result(struct workload *w, const struct kernel *kernel)
{
    size_t size;
    const void *result = call_once(w, kernel, &size);
    return hash64(0, result, size);
}

/* apart: the largest differences of float results; NULL: bit by bit. */
static int compare_results(const void *want, const void *got, size_t size, const double *apart, struct err *e)
{
    const size_t count = size / 4; /* float or int32 */
    for (size_t i = 0; i < count; i++) {
        float x, y;
        int32_t m, n;
        memcpy(&x, (const char *)want + 4 * i, 4);
        memcpy(&y, (const char *)got + 4 * i, 4);
        memcpy(&m, &x, 4);
        memcpy(&n, &y, 4);
        if (apart && !(fabs((double)x - y) <= apart[i]))
            return FAIL(e, ERR_FORMAT, "output %zu is %.9g, scalar gives %.9g, bound %.3g", i, y, x, apart[i]);
        if (!apart && m != n) return FAIL(e, ERR_FORMAT, "output %zu is %d, scalar gives %d", i, n, m);
    }
    return ERR_OK;
}

/* Calls both and compares; want and got hold the same operands. */
static int verify(struct workload *want, struct workload *got, const struct kernel *kernel, struct err *e)
{
    struct kernel_set set;
    int status = kernel_set_resolve(&set, "scalar", e);
    if (status != ERR_OK) return status;
    const struct kernel *scalar = set.of[kernel->op];
    size_t size;
    result_of(want, &size);
    double *apart = NULL;
    if (want->driver->terms) {
        apart = mem_alloc(size / 4, sizeof *apart);
        if (!apart) return FAIL(e, ERR_MEM, "no memory for the bounds of %zu outputs", size / 4);
        struct bound_terms terms = { 0 };
        for (size_t i = 0; i < size / 4; i++) {
            want->driver->terms(&want->facts.shape, &want->set[0], i, &terms);
            apart[i] = kernel_bound(kernel, &terms) + kernel_bound(scalar, &terms); /* each may be off by its own */
        }
    }
    const void *right = call_once(want, scalar, &size);
    status = compare_results(right, call_once(got, kernel, &size), size, apart, e);
    mem_free(apart);
    return status;
}

int workload_verify(const struct workload_shape *shape, const struct kernel *kernel, struct err *e)
{
    struct workload_shape small = *shape;
    if (small.rows == 0 || small.rows > CHECKED_ROWS) small.rows = CHECKED_ROWS;
    struct workload *want = NULL, *got = NULL;
    int status = create(&want, &small, 1, e);
    if (status == ERR_OK) status = create(&got, &small, 1, e);
    if (status == ERR_OK) status = verify(want, got, kernel, e);
    workload_destroy(want);
    workload_destroy(got);
    return status;
}
