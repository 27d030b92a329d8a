/* SPDX-License-Identifier: MIT
 * test_apart.c - names of points: beside them where there is room, and never upon each other while there is any. */
#include <math.h>
#include "bench/rows/apart.h"
#include "kernels/base/rng.h"
#include "kernels/base/test.h"

enum { NAMES = 30 };

static int upon(const struct apart_name *a, const struct apart_name *b)
{
    return a->left < b->left + b->width && b->left < a->left + a->width &&
           a->middle - a->height / 2 < b->middle + b->height / 2 && b->middle - b->height / 2 < a->middle + a->height / 2;
}

static void alone(void)
{
    struct apart_name one = { .x = 0.5, .y = 0.5, .width = 0.1, .height = 0.02 }, rim = one;
    const struct apart_point point = { 0.5, 0.5 }, at_rim = { 0.99, 0.999 };
    apart_place(&one, 1, &point, 1);
    CHECK(one.left > 0.5 && one.left < 0.52 && one.middle == 0.5, "beside its point: %g, %g", one.left, one.middle);
    rim.x = at_rim.x, rim.y = at_rim.y;
    apart_place(&rim, 1, &at_rim, 1);
    CHECK(rim.left + rim.width < 0.99 && rim.middle <= 0.99, "within the plot: %g, %g", rim.left, rim.middle);
}

/* Points in a heap, and thirty on one place. */
static void crowded(void)
{
    struct apart_name names[NAMES];
    struct apart_point points[NAMES];
    struct rng r;
    for (uint64_t seed = 0; seed < 20; seed++) {
        rng_seed(&r, seed, 0);
        const double spread = seed ? 0.2 : 0;
        for (size_t i = 0; i < NAMES; i++) {
            points[i] = (struct apart_point){ 0.4 + spread * rng_uniform(&r), 0.4 + spread * rng_uniform(&r) };
            names[i] = (struct apart_name){ points[i].x, points[i].y, 0.05 + 0.1 * rng_uniform(&r), 0.02, 0, 0 };
        }
        apart_place(names, NAMES, points, NAMES);
        for (size_t i = 0; i < NAMES; i++) {
            for (size_t j = 0; j < i; j++) CHECK(!upon(&names[i], &names[j]), "seed %d: %zu upon %zu", (int)seed, i, j);
            for (size_t j = 0; j < NAMES; j++)
                CHECK(!(fabs(points[j].y - names[i].middle) < 0.01 && points[j].x > names[i].left &&
                        points[j].x < names[i].left + names[i].width), "seed %d: %zu upon point %zu", (int)seed, i, j);
        }
    }
}

int main(void)
{
    test_case("a name stands beside its point, within the plot", alone);
    test_case("names in a crowd stand apart", crowded);
    return test_end();
}
