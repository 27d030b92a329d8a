/* SPDX-License-Identifier: MIT
 * apart.h - where the names of points can stand in a figure without covering each other or the points. */
#ifndef ASSAY_APART_H
#define ASSAY_APART_H
#include <stddef.h>

/* Coordinates are shares of the plot: 0..1 from left to right and from bottom to top. */
struct apart_name {
    double x, y;          /* of the point that has the name */
    double width, height; /* of the text */
    double left, middle;  /* filled: where its left end and its middle stand */
};
struct apart_point { double x, y; };

/* Places names one after the other, each as near to its point as there is room: beside it, then above and below.  Points
 * are as large as half a line of text.  Where there is no room at all a name stands where it covers no other name, else
 * beside its point. */
void apart_place(struct apart_name *names, size_t count, const struct apart_point *points, size_t point_count);
#endif
