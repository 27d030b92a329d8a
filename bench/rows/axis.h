/* SPDX-License-Identifier: MIT
 * axis.h - one axis of a figure: how values lie along it, how far it reaches, and which ticks it has room for.
 *
 * gnuplot draws every axis from 0 to 1; what lies where is decided here, once for all terminals, so that texts can be
 * placed without one lying over another.  Ticks are in plain digits. */
#ifndef ASSAY_AXIS_H
#define ASSAY_AXIS_H
#include <stddef.h>
#include "kernels/base/text.h"

enum axis_scale {
    AXIS_LINEAR,
    AXIS_WHOLE, /* whole numbers: no tick between two of them */
    AXIS_LOG,   /* decades */
    AXIS_LOG2,  /* powers of two */
    AXIS_LOGIT  /* shares: ln(v / (1 - v)), which .9, .99 and .999 are about equally apart on; 0 and 1 at its ends */
};
enum { AXIS_TICKS = 24 };

struct axis {
    enum axis_scale scale;
    double low, high; /* scaled value at either end */
    double zero, one; /* AXIS_LOGIT: where 0 and 1 are drawn, scaled */
    struct tick { double value; char text[24]; } ticks[AXIS_TICKS]; /* ascending */
    size_t count;
};

struct axis_room {
    double length; /* of the axis, in the units of the canvas */
    double slack;  /* that many units at either end hold no value: half a marker */
    double tick;   /* units that a tick wants at least to the next one, where its text does not grow along the axis */
    double digit;  /* where it does, for each character of its text, and half of `tick` between two; 0: it does not */
};
/* Ticks stand at the values themselves where `settings` says that they were chosen, at round numbers otherwise.
 * Values that are not finite count for nothing. */
void axis_fit(struct axis *a, enum axis_scale scale, const double *values, size_t count, int settings,
              const struct axis_room *room);
/* Where a value lies: 0 is the low end, 1 the high one. */
double axis_at(const struct axis *a, double value);
/* "NAME(v) = ...": the same for gnuplot; NaN stays NaN. */
void axis_function(const struct axis *a, const char *name, struct text *script);
/* "\"\" 0.1, \"\" 0.7": as gnuplot's set xtics (...) takes them; their texts are the canvas'. */
void axis_ticks(const struct axis *a, struct text *script);
/* The scale of a column by its name and values: shares of what exact search finds on a logit axis, sizes on powers of two,
 * settings that double on powers of two, times that differ much on decades. */
enum axis_scale axis_scale_of(const char *column, const double *values, size_t count);
/* Plain digits with `digits` significant ones at most: 0.0012, 250, 1000000. */
void axis_number(char *out, size_t size, double value, int digits);
#endif
