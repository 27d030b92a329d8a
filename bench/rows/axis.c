/* SPDX-License-Identifier: MIT
 * axis.c - scales, ranges and ticks of the axes of figures. */
#include "bench/rows/axis.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Ends that no value reaches stand this far, in units of ln(odds), beyond the last one that does. */
static const double logit_step = 0.9;

static double logit(double share) { return log(share / (1 - share)); }

static double scaled(const struct axis *a, double value)
{
    switch (a->scale) {
    case AXIS_LOG: return value > 0 ? log(value) : (double)NAN;
    case AXIS_LOG2: return value > 0 ? log(value) : (double)NAN;
    case AXIS_LOGIT: return value >= 1 ? a->one : value <= 0 ? a->zero : logit(value);
    case AXIS_LINEAR:
    case AXIS_WHOLE: break;
    }
    return value;
}

double axis_at(const struct axis *a, double value) { return (scaled(a, value) - a->low) / (a->high - a->low); }

void axis_number(char *out, size_t size, double value, int digits)
{
    if (!isfinite(value)) {
        snprintf(out, size, "-");
        return;
    }
    char exponent[32];
    if (value == 0) value = 0; /* not -0 */
    snprintf(exponent, sizeof exponent, "%.*e", digits - 1, value);
    const char *const e = strchr(exponent, 'e');
    const int power = e ? atoi(e + 1) : 0, decimals = digits - 1 - power;
    snprintf(out, size, "%.*f", decimals > 0 ? decimals : 0, value);
    if (!strchr(out, '.')) return;
    size_t end = strlen(out);
    while (out[end - 1] == '0') out[--end] = 0;
    if (out[end - 1] == '.') out[end - 1] = 0;
}

/* --- ticks ------------------------------------------------------------------------------------------------------ */
static double tick_reach(const struct axis_room *room, const char *text)
{
    return fmax(room->tick, room->digit * ((double)strlen(text) - (strchr(text, '.') ? 0.5 : 0)) + room->tick / 2);
}

/* Adds a tick unless it is off the axis or too near to one that is there. */
static int add_tick(struct axis *a, double value, const struct axis_room *room)
{
    struct tick made = { .value = value };
    axis_number(made.text, sizeof made.text, value, 12);
    const double at = axis_at(a, value);
    if (!(at >= -1e-9 && at <= 1 + 1e-9) || a->count == AXIS_TICKS) return 0;
    size_t place = 0;
    for (size_t i = 0; i < a->count; i++) {
        const double apart = fabs(axis_at(a, a->ticks[i].value) - at) * room->length;
        const double wanted = (tick_reach(room, a->ticks[i].text) + tick_reach(room, made.text)) / 2;
        if (apart < wanted) return 0;
        if (a->ticks[i].value < value) place = i + 1;
    }
    memmove(a->ticks + place + 1, a->ticks + place, (a->count - place) * sizeof made);
    a->ticks[place] = made;
    a->count++;
    return 1;
}

/* Multiples of 1, 2 or 5 x 10^k: the finest that fits whole. */
static void linear_ticks(struct axis *a, double least, double most, const struct axis_room *room)
{
    static const double steps[] = { 1, 2, 5 };
    const double from = fmin(least, most), to = fmax(least, most);
    const double span = to > from ? to - from : 1;
    for (int power = (int)floor(log10(span)) - 2;; power++)
        for (size_t s = 0; s < 3; s++) {
            const double step = steps[s] * pow(10, power);
            if (a->scale == AXIS_WHOLE && step < 1) continue;
            const double first = ceil(from / step - 1e-9), last = floor(to / step + 1e-9);
            a->count = 0;
            if (last - first + 1 > AXIS_TICKS) continue;
            int fits = 1;
            for (double i = first; fits && i <= last; i++) fits = add_tick(a, i * step, room);
            if (fits) return;
            if (step > 10 * span) return;
        }
}

static void log_ticks(struct axis *a, double least, double most, const struct axis_room *room)
{
    static const char *const sets[] = { "1 2 3 4 5 6 7 8 9 1.5", "1 1.5 2 3 5 7", "1 2 5", "1 3", "1" };
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        int fits = 1;
        a->count = 0;
        for (int power = (int)floor(log10(least)) - 1; power <= (int)ceil(log10(most)); power++)
            for (const char *at = sets[s]; *at;) {
                char *end;
                const double value = text_strtod(at, &end) * pow(10, power), place = axis_at(a, value);
                at = *end ? end + 1 : end;
                if (place >= 0 && place <= 1 && !add_tick(a, value, room)) fits = 0;
            }
        if (fits && a->count >= 2) return;
        if (s == 0 && a->count < 3) break; /* not even the densest set has enough: less than a decade */
    }
    if (a->count < 3) linear_ticks(a, least, most, room);
}

static void log2_ticks(struct axis *a, double least, double most, const struct axis_room *room)
{
    const int first = (int)floor(log2(least)) - 1, last = (int)ceil(log2(most)) + 1;
    for (int stride = 1; stride < 32; stride++) {
        int fits = 1;
        a->count = 0;
        for (int power = first; power <= last; power++) {
            const double value = pow(2, power), place = axis_at(a, value);
            if (power % stride == 0 && place >= 0 && place <= 1) fits &= add_tick(a, value, room);
        }
        if (fits) break;
    }
    if (a->count < 2) log_ticks(a, least, most, room);
}

static void logit_ticks(struct axis *a, double least, double most, const struct axis_room *room)
{
    static const double wanted[] = { .5, .9, .99, .999, .95, .1, .01, .8, .7, .6, .9999, .2, .3, .05, .001, .98, .85, .97, .75, .4,
                                     .65, .96, .995, .94, .92, .55, .88, .45, .86 };
    a->count = 0;
    if (most >= 1) add_tick(a, 1, room);
    if (least <= 0) add_tick(a, 0, room);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (a->count < 9) add_tick(a, wanted[i], room);
    if (a->count < 2) linear_ticks(a, least, most, room);
}

/* The values that were chosen; where two are too near, the later one goes. */
static void setting_ticks(struct axis *a, const double *values, size_t count, const struct axis_room *room)
{
    a->count = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i])) add_tick(a, values[i], room);
}

/* --- range ------------------------------------------------------------------------------------------------------ */
static void logit_ends(struct axis *a, const double *values, size_t count)
{
    double least = .01, most = .999;
    for (size_t i = 0; i < count; i++)
        if (values[i] > 0 && values[i] < 1) {
            least = fmin(least, values[i]);
            most = fmax(most, values[i]);
        }
    a->zero = logit(least) - logit_step;
    a->one = logit(most) + logit_step;
}

/* What is least told apart: less than that looks flat. */
static double least_span(const struct axis *a, double least, double most)
{
    if (a->scale == AXIS_LOGIT) return logit_step;
    if (a->scale == AXIS_LOG || a->scale == AXIS_LOG2) return log(1.25);
    if (a->scale == AXIS_WHOLE) return 1;
    if (least >= 0 && most <= 1) return 0.05;
    return 0.05 * fmax(fabs(least), fabs(most));
}

static int by_value(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

void axis_fit(struct axis *a, enum axis_scale scale, const double *values, size_t count, int settings,
              const struct axis_room *room)
{
    *a = (struct axis){ .scale = scale };
    double least = INFINITY, most = -INFINITY, few[AXIS_TICKS];
    size_t distinct = 0;
    if (scale == AXIS_LOGIT) logit_ends(a, values, count);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(scaled(a, values[i]))) continue;
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
        size_t known = 0;
        while (known < distinct && few[known] != values[i]) known++;
        if (known == distinct && distinct < AXIS_TICKS) few[distinct++] = values[i];
    }
    if (least > most) least = scale == AXIS_LINEAR || scale == AXIS_WHOLE ? 0 : .5, most = 1;
    a->low = scaled(a, least);
    a->high = scaled(a, most);
    const double span = fmax(a->high - a->low, least_span(a, least, most)), short_by = span - (a->high - a->low);
    /* A share stays within its bounds. */
    const int at_top = scale == AXIS_LINEAR && most <= 1 && most + short_by / 2 > 1;
    a->low -= at_top ? short_by - (1 - most) : short_by / 2;
    a->high += at_top ? 1 - most : short_by / 2;
    const double slack = room->slack / fmax(room->length - 2 * room->slack, 1) * (a->high - a->low);
    a->low -= slack;
    a->high += slack;
    qsort(few, distinct, sizeof *few, by_value);
    if (settings && distinct < 12) setting_ticks(a, few, distinct, room);
    else if (scale == AXIS_LOG) log_ticks(a, least, most, room);
    else if (scale == AXIS_LOG2) log2_ticks(a, least, most, room);
    else if (scale == AXIS_LOGIT) logit_ticks(a, least, most, room);
    else {
        const double past = short_by > 0 && scale == AXIS_LINEAR ? short_by / 2 : 0;
        linear_ticks(a, least >= 0 ? fmax(least - past, 0) : least - past, most <= 1 && least >= 0 ? fmin(most + past, 1) : most + past, room);
    }
}

/* --- for gnuplot ------------------------------------------------------------------------------------------------ */
void axis_function(const struct axis *a, const char *name, struct text *script)
{
    text_add(script, "%s(v) = (", name);
    if (a->scale == AXIS_LOG || a->scale == AXIS_LOG2) text_add(script, "(v > 0 ? log(v) : NaN)");
    else if (a->scale == AXIS_LOGIT) text_add(script, "(v >= 1 ? %.9g : v <= 0 ? %.9g : log(v / (1 - v)))", a->one, a->zero);
    else text_add(script, "v");
    text_add(script, " - (%.9g)) / %.9g; ", a->low, a->high - a->low);
}

void axis_ticks(const struct axis *a, struct text *script)
{
    for (size_t i = 0; i < a->count; i++)
        text_add(script, "%s\"\" %.6f", i ? ", " : "", axis_at(a, a->ticks[i].value));
}

/* --- which scale ------------------------------------------------------------------------------------------------ */
static int begins(const char *name, const char *with) { return strncmp(name, with, strlen(with)) == 0; }

enum axis_scale axis_scale_of(const char *column, const double *values, size_t count)
{
    double least = INFINITY, most = -INFINITY;
    int whole = 1, powers = 1;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        int power;
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
        whole &= values[i] == floor(values[i]);
        powers &= values[i] > 0 && frexp(values[i], &power) == 0.5;
    }
    if (begins(column, "recall_") || begins(column, "agree_at") || strcmp(column, "candidate_recall") == 0 ||
        strcmp(column, "code_ceiling") == 0)
        return AXIS_LOGIT;
    if (strstr(column, "bytes") && least > 0) return AXIS_LOG2;
    if (strcmp(column, "bits") == 0 || strcmp(column, "bit_width") == 0) return AXIS_WHOLE;
    if (powers && most >= 4 * least) return AXIS_LOG2;
    if (least > 0 && most >= 3 * least && (begins(column, "lat_") || begins(column, "t_") || strcmp(column, "qps") == 0))
        return AXIS_LOG;
    if (least > 0 && most >= 16 * least) return AXIS_LOG;
    return whole ? AXIS_WHOLE : AXIS_LINEAR;
}
