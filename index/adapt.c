/* SPDX-License-Identifier: MIT
 * adapt.c - learns mean and spread of rotated rows, takes them off, and makes the probe that stands for queries. */
#include "index/adapt.h"
#include <math.h>
#include <string.h>
#include "index/persist.h"
#include "kernels/base/mem.h"

/* A coordinate that hardly varies in the sample may vary later: it is not blown up without end. */
static const double SPREAD_MOST = 4;

int adapt_init(struct adapt *a, size_t dim, int centres, int calibrates, struct err *e)
{
    *a = (struct adapt){ .centres = centres, .calibrates = calibrates, .dim = dim };
    if (!centres && !calibrates) return ERR_OK;
    a->centre = mem_zero(dim, sizeof *a->centre);
    a->spread = mem_alloc(dim, sizeof *a->spread);
    a->sums = mem_zero(2 * dim, sizeof *a->sums);
    for (size_t i = 0; a->spread && i < dim; i++) a->spread[i] = 1;
    if (a->centre && a->spread && a->sums) return ERR_OK;
    adapt_fini(a);
    return FAIL(e, ERR_MEM, "no memory to centre %zu dimensions", dim);
}

void adapt_fini(struct adapt *a)
{
    mem_free(a->centre);
    mem_free(a->spread);
    mem_free(a->sums);
    a->centre = a->spread = NULL;
    a->sums = NULL;
}

void adapt_see(struct adapt *a, const float *rows, size_t count)
{
    double *values = a->sums, *squares = a->sums + a->dim;
    for (size_t r = 0; r < count; r++, rows += a->dim)
        for (size_t i = 0; i < a->dim; i++) {
            values[i] += (double)rows[i];
            squares[i] += (double)rows[i] * (double)rows[i];
        }
}

void adapt_settle(struct adapt *a, size_t count)
{
    double *means = a->sums, *variances = a->sums + a->dim, total = 0;
    for (size_t i = 0; i < a->dim; i++) {
        means[i] = a->centres ? means[i] / (double)count : 0;
        variances[i] = fmax(variances[i] / (double)count - means[i] * means[i], 0);
        total += variances[i];
        a->centre[i] = (float)means[i];
    }
    for (size_t i = 0; i < a->dim; i++) {
        const double share = a->calibrates && total > 0 ? variances[i] * (double)a->dim / total : 1;
        a->spread[i] = (float)fmin(fmax(sqrt(share), 1 / SPREAD_MOST), SPREAD_MOST);
    }
    memset(a->sums, 0, 2 * a->dim * sizeof *a->sums);
    a->has_learnt = 1;
}

static float centre_it(const struct adapt *a, dot_f32_fn *dot, float *y, float *square)
{
    float along;
    for (size_t i = 0; i < a->dim; i++) y[i] -= a->centre[i];
    dot(y, y, 0, NULL, 1, a->dim, square);
    dot(y, a->centre, 0, NULL, 1, a->dim, &along);
    return along;
}

float adapt_row(const struct adapt *a, dot_f32_fn *dot, float *y, float *square)
{
    const float along = centre_it(a, dot, y, square);
    for (size_t i = 0; i < a->dim; i++) y[i] /= a->spread[i];
    return along;
}

float adapt_query(const struct adapt *a, dot_f32_fn *dot, float *y, float *square)
{
    const float along = centre_it(a, dot, y, square);
    for (size_t i = 0; i < a->dim; i++) y[i] *= a->spread[i];
    return along;
}

void adapt_probe(const struct adapt *a, const float *u, float *probe)
{
    for (size_t i = 0; i < a->dim; i++) probe[i] = u[i] * a->spread[i] * a->spread[i];
}

void adapt_invert(const struct adapt *a, float *y)
{
    for (size_t i = 0; i < a->dim; i++) y[i] = y[i] * a->spread[i] + a->centre[i];
}

int adapt_save(const struct adapt *a, struct index_writer *w, struct err *e)
{
    const uint8_t has_learnt = (uint8_t)a->has_learnt;
    if (!adapt_moves(a)) return ERR_OK;
    int status = index_write(w, "learnt", &has_learnt, 1, e);
    if (status == ERR_OK) status = index_write(w, "centre", a->centre, a->dim * sizeof *a->centre, e);
    return status == ERR_OK ? index_write(w, "spread", a->spread, a->dim * sizeof *a->spread, e) : status;
}

int adapt_load(struct adapt *a, struct index_reader *r, struct err *e)
{
    uint8_t has_learnt = 0;
    if (!adapt_moves(a)) return ERR_OK;
    int status = index_read_into(r, "learnt", &has_learnt, 1, e);
    if (status == ERR_OK) status = index_read_into(r, "centre", a->centre, a->dim * sizeof *a->centre, e);
    if (status == ERR_OK) status = index_read_into(r, "spread", a->spread, a->dim * sizeof *a->spread, e);
    for (size_t i = 0; i < a->dim && status == ERR_OK; i++)
        if (!(fabsf(a->centre[i]) <= 1e18f) ||
            !(a->spread[i] >= (float)(1 / SPREAD_MOST) && a->spread[i] <= (float)SPREAD_MOST) || has_learnt > 1)
            status = FAIL(e, ERR_FORMAT, "%s: centre and spread of coordinate %zu are %g and %g", r->path, i,
                          (double)a->centre[i], (double)a->spread[i]);
    a->has_learnt = has_learnt;
    return status;
}
