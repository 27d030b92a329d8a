# SPDX-License-Identifier: MIT
# A row a series: its points along the axis with their 95 % intervals.  Wants of_y_ (the axis is of y), hollow_ (1: hollow
# where y is 0; otherwise where the series is foreign), marks_.
load plots.'/canvas.gp'
row_of(i) = 1 - (i - 0.5 + row_shift_) / n
at_ = of_y_ ? 2 : 1
low_ = of_y_ ? y_lo(1) : x_lo
high_ = low_ + 1
is_hollow(i, y) = hollow_ ? y == 0 : is_foreign[i]
full(m) = int(word('7 5 9', m))
open(m) = int(word('6 4 8', m))
ink(m) = colour_of(int(word('3 6 4', m)))
kinds = hollow_ ? 1 : marks_
p = 1
eval panel
unset ytics
if (has_line_) { set arrow from x_of(line_), graph 0 to x_of(line_), graph 1 nohead lt 1 lc rgb '#404040' dt (3, 3) lw 0.8 }
plot for [i = 1:n] dat index (i - 1) using (x_of(column(at_))):(row_of(i)) with lines lc rgb '#c8c8c8' dt 1 lw 2, \
    for [i = 1:n] dat index (i - 1) using (x_of(column(at_))):(row_of(i)):(x_of(column(low_))):(x_of(column(high_))) \
        with xerrorbars lc rgb '#606060' dt 1 pt 0 lw 0.9, \
    for [m = 1:kinds] for [i = 1:n] dat index (i - 1) every ::(m - 1)::(m - 1) using (is_hollow(i, $2) ? NaN : x_of(column(at_))):(row_of(i)) \
        with points pt full(m) ps 1 lc rgb ink(m), \
    for [m = 1:kinds] for [i = 1:n] dat index (i - 1) every ::(m - 1)::(m - 1) using (is_hollow(i, $2) ? x_of(column(at_)) : NaN):(row_of(i)) \
        with points pt full(m) ps 1 lc rgb '#ffffff', \
    for [m = 1:kinds] for [i = 1:n] dat index (i - 1) every ::(m - 1)::(m - 1) using (is_hollow(i, $2) ? x_of(column(at_)) : NaN):(row_of(i)) \
        with points pt open(m) ps 1 lc rgb ink(m), \
    for [i = 1:hover * n] dat index (i - 1) using (x_of(column(at_))):(row_of(i)):(strcol(tip)) @hidden
