# SPDX-License-Identifier: MIT
# Share of calls that took longer than x.  Wants label[1..n]; a block a measurement of us, share and the ends of its 95 %
# interval.
load plots.'/open.gp'
set logscale xy
set ylabel 'share of calls that took longer' noenhanced
set format y '%g'
plot for [i = 1:n] dat index (i - 1) using 1:3:4 with filledcurves lt style_of(i) fs transparent solid 0.18 noborder notitle, \
    for [i = 1:n] dat index (i - 1) using 1:2 with steps lt style_of(i) title label[i]
