/* SPDX-License-Identifier: MIT
 * codebook.c - with t = sin(a) the density becomes cos(a)^(d-2) da, smooth for every d >= 2, and its
 * first moment has the closed form -cos(a)^(d-1) / (d-1).  Only the positive half is solved: K = 2^(b-1)
 * levels.  Lloyd's own iteration needs some 10^5 rounds to settle 8 bits; Newton's method on the
 * tridiagonal system, from the companding start (level density ~ f^(1/3), Panter & Dite), takes under ten. */
#include "index/codebook.h"
#include <assert.h>
#include <math.h>
#include <sleef.h>

enum { NODES = 32, GRID = 256, NEWTON_MOST = 60 };
static const double PI = 3.14159265358979323846;

struct problem {
    double dim;
    double end;     /* a where the density has vanished: sin(end) = 14 deviations, or pi / 2 */
    size_t count;   /* levels of the half */
    double x[NODES], w[NODES]; /* Gauss-Legendre on [-1, 1] */
};

/* cos(a)^p for a in [0, pi/2]. */
static double cos_power(double a, double p)
{
    const double c = Sleef_cinz_cosd1_u10purec(a);
    if (c <= 0) return p == 0;
    return Sleef_cinz_expd1_u10purec(p * Sleef_cinz_logd1_u10purec(c));
}

static void legendre(struct problem *p)
{
    for (int i = 0; i < NODES; i++) {
        double x = Sleef_cinz_cosd1_u10purec(PI * (i + 0.75) / (NODES + 0.5)), slope = 1;
        for (int round = 0; round < 12; round++) {
            double before = 1, value = x;
            for (int n = 2; n <= NODES; n++) {
                const double next = ((2 * n - 1) * x * value - (n - 1) * before) / n;
                before = value;
                value = next;
            }
            slope = NODES * (x * value - before) / (x * x - 1);
            x -= value / slope;
        }
        p->x[i] = x;
        p->w[i] = 2 / ((1 - x * x) * slope * slope);
    }
}

/* Mass between two angles, up to the constant of the density. */
static double mass(const struct problem *p, double from, double to)
{
    const double middle = (from + to) / 2, half = (to - from) / 2;
    double sum = 0;
    for (int i = 0; i < NODES; i++) sum += p->w[i] * cos_power(middle + half * p->x[i], p->dim - 2);
    return sum * half;
}

static double moment(const struct problem *p, double from, double to)
{
    return (cos_power(from, p->dim - 1) - cos_power(to, p->dim - 1)) / (p->dim - 1);
}

/* Levels where the companded scale is cut into equal parts. */
static void companding_start(const struct problem *p, double *levels)
{
    static const double third = 1.0 / 3;
    const double step = p->end / GRID;
    double density[GRID], total = 0, seen = 0;
    for (int i = 0; i < GRID; i++) total += density[i] = cos_power((i + 0.5) * step, p->dim * third);
    size_t next = 0;
    for (int i = 0; i < GRID; i++) {
        for (; next < p->count; next++) {
            const double wanted = total * ((double)next + 0.5) / (double)p->count;
            if (wanted > seen + density[i]) break;
            levels[next] = Sleef_cinz_sind1_u10purec((i + (wanted - seen) / density[i]) * step);
        }
        seen += density[i];
    }
    for (; next < p->count; next++) levels[next] = Sleef_cinz_sind1_u10purec(p->end);
}

static double border(const double *levels, size_t i)
{
    return Sleef_cinz_asind1_u10purec((levels[i] + levels[i + 1]) / 2);
}

/* One Newton step on level[i] - mean of its cell = 0; returns the largest move. */
static double newton(const struct problem *p, double *levels)
{
    const size_t n = p->count;
    double upper[CODEBOOK_LEVELS_MAX / 2], move[CODEBOOK_LEVELS_MAX / 2], from = 0;
    for (size_t i = 0; i < n; i++) {
        const double to = i + 1 < n ? border(levels, i) : p->end;
        const double inside = mass(p, from, to), mean = moment(p, from, to) / inside;
        /* d mean / d border, times the half by which a level moves its border */
        const double low = i == 0 ? 0
                                  : cos_power(from, p->dim - 3) *
                                        (mean - Sleef_cinz_sind1_u10purec(from)) / inside / 2;
        const double high = i + 1 == n ? 0
                                       : cos_power(to, p->dim - 3) *
                                             (Sleef_cinz_sind1_u10purec(to) - mean) / inside / 2;
        const double pivot = 1 - low - high + (i ? low * upper[i - 1] : 0);
        upper[i] = -high / pivot;
        move[i] = (mean - levels[i] + (i ? low * move[i - 1] : 0)) / pivot;
        from = to;
    }
    for (size_t i = n - 1; i-- > 0;) move[i] -= upper[i] * move[i + 1];
    double scale = 1, largest = 0;
    for (int halved = 0; halved < 40; halved++, scale /= 2) {
        int ordered = levels[0] + scale * move[0] > 0 && levels[n - 1] + scale * move[n - 1] < 1;
        for (size_t i = 1; i < n; i++) ordered &= levels[i] + scale * move[i] > levels[i - 1] + scale * move[i - 1];
        if (ordered) break;
    }
    for (size_t i = 0; i < n; i++) {
        levels[i] += scale * move[i];
        largest = fmax(largest, fabs(move[i]));
    }
    return largest;
}

/* A coordinate of dimension 1 is +-1: the outermost levels are exact, the rest never used. */
static void design_sign(struct codebook *c, size_t half)
{
    for (size_t i = 0; i < half; i++) {
        c->levels[half + i] = half == 1 ? 1 : ((double)i + 1) / (double)half;
        c->probabilities[half + i] = i + 1 == half ? 0.5 : 0;
    }
    c->distortion = 0;
}

static void design_half(struct codebook *c, size_t dim, size_t half)
{
    struct problem p = { .dim = (double)dim, .count = half };
    const double reach = 14 / sqrt((double)dim);
    p.end = reach < 1 ? Sleef_cinz_asind1_u10purec(reach) : PI / 2;
    legendre(&p);
    double *levels = c->levels + half, from = 0, total = 0, kept = 0;
    companding_start(&p, levels);
    for (int round = 0; round < NEWTON_MOST && newton(&p, levels) > 1e-10; round++) {
    } /* the next move would be its square */
    for (size_t i = 0; i < half; i++) {
        const double to = i + 1 < half ? border(levels, i) : p.end;
        total += c->probabilities[half + i] = mass(&p, from, to);
        from = to;
    }
    for (size_t i = 0; i < half; i++) {
        c->probabilities[half + i] /= 2 * total;
        kept += 2 * c->probabilities[half + i] * levels[i] * levels[i];
    }
    /* Levels are the means of their cells, so E (t - level)^2 = E t^2 - E level^2, and E t^2 = 1/d. */
    c->distortion = 1 - (double)dim * kept;
}

void codebook_design(struct codebook *c, size_t dim, int bits)
{
    assert(bits >= 1 && bits <= CODEBOOK_BITS_MAX && dim >= 1);
    const size_t count = (size_t)1 << bits, half = count / 2;
    *c = (struct codebook){ .bits = bits };
    if (dim == 1) design_sign(c, half);
    else design_half(c, dim, half);
    for (size_t i = 0; i < half; i++) {
        c->levels[half - 1 - i] = -c->levels[half + i];
        c->probabilities[half - 1 - i] = c->probabilities[half + i];
    }
    for (size_t i = 0; i + 1 < count; i++) c->thresholds[i] = (c->levels[i] + c->levels[i + 1]) / 2;
    for (size_t i = 0; i < count; i++)
        if (c->probabilities[i] > 0)
            c->entropy -= c->probabilities[i] * Sleef_cinz_log2d1_u10purec(c->probabilities[i]);
}
