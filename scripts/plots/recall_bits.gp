# SPDX-License-Identifier: MIT
# x bits, y recall; dashed in the same colour what the codes allow: exact search over decoded vectors.
load plots.'/open.gp'
set ylabel y_label[1] noenhanced
set xtics 1
set autoscale xfix
set offsets 0.3, 0.3
set key inside bottom right Left reverse
set yrange [*:1.005]
ceiling = panels > 1
plot for [i = 1:ours] dat index (i - 1) using 1:(column(y_lo(1))):(column(y_hi(1))) with filledcurves lc i \
        fs transparent solid 0.18 noborder notitle, \
    for [i = 1:ours] dat index (i - 1) using 1:2 with linespoints lc i dt 1 pt point_of(i) title label[i], \
    for [i = 1:(ceiling ? ours : 0)] dat index (i - 1) using 1:3 with lines lc i dt 2 notitle, \
    for [i = ours + 1:n] dat index (i - 1) using 1:2 with points lc i pt point_of(i) title label[i], \
    for [i = 1:hover * n] dat index (i - 1) using 1:2:(strcol(tip)) @hidden, \
    for [i = 1:ceiling] NaN with lines lc rgb '#606060' dt 2 title 'ceiling of the codes'
