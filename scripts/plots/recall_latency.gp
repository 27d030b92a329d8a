# SPDX-License-Identifier: MIT
# x quality, y latency: down and to the right is better.  The front is a staircase: what the cheapest
# point of at least that quality costs.
load plots.'/open.gp'
load plots.'/log_y.gp'
set ylabel y_label[1] noenhanced
plot for [i = ours + foreign + 1:n] dat index (i - 1) using 1:2 with fsteps lc rgb '#b0b0b0' lw 4 title label[i], \
    for [i = 1:ours + foreign] dat index (i - 1) using 1:2:(column(x_lo)):(column(x_hi)):(column(y_lo(1))):(column(y_hi(1))) \
        with xyerrorbars lc i pt 0 lw 0.7 notitle, \
    for [i = 1:ours] dat index (i - 1) using 1:2 with linespoints lc i dt dash_of(i) pt point_of(i) title label[i], \
    for [i = ours + 1:ours + foreign] dat index (i - 1) using 1:2 with points lc i pt point_of(i) title label[i], \
    for [i = 1:hover * (ours + foreign)] dat index (i - 1) using 1:2:(strcol(tip)) @hidden
