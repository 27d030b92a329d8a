# SPDX-License-Identifier: MIT
# x all bytes that a vector takes (log2), y the best recall at that size.  Foreign points have no line.
load plots.'/open.gp'
if (n <= 12) { set key inside bottom right Left reverse }
set logscale x 2
set offsets graph 0.03, graph 0.03
set ylabel y_label[1] noenhanced
set yrange [*:1.005]
plot for [i = 1:n] dat index (i - 1) using 1:2:(column(y_lo(1))):(column(y_hi(1))) with yerrorbars lc i pt 0 notitle, \
    for [i = 1:ours] dat index (i - 1) using 1:2 with linespoints lc i dt dash_of(i) pt point_of(i) title label[i], \
    for [i = ours + 1:n] dat index (i - 1) using 1:2 with points lc i pt point_of(i) title label[i], \
    for [i = 1:hover * n] dat index (i - 1) using 1:2:(strcol(tip)) @hidden
