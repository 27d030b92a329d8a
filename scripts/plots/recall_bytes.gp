# SPDX-License-Identifier: MIT
# x all bytes that a vector takes (log2), y recall.  Foreign points have no line.
load plots.'/open.gp'
set logscale x 2
set ylabel y_label[1] noenhanced
set yrange [*:1]
plot for [i = 1:ours] dat index (i - 1) using 1:2 with linespoints lc i dt dash_of(i) pt point_of(i) title label[i], \
    for [i = ours + 1:n] dat index (i - 1) using 1:2 with points lc i pt point_of(i) title label[i]
