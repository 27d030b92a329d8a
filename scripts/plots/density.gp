# SPDX-License-Identifier: MIT
# A row a series: how densely its samples lie along the axis; the tick is its median.
load plots.'/canvas.gp'
row_of(i) = 1 - (i - 0.5 + row_shift_) / n
half = (row_shift_ > 0 ? 0.25 : 0.42) / n
p = 1
eval panel
unset ytics
set style fill solid 0.55 noborder
set arrow from x_of(0), graph 0 to x_of(0), graph 1 nohead lt 1 lc rgb '#404040' dt (3, 3) lw 0.8
plot for [i = 1:n] dat index (i - 1) using (x_of($1)):(row_of(i) - half * $2):(row_of(i) + half * $2) with filledcurves lc rgb '#0072b2', \
    for [i = 1:n] dat index (i - 1) using (x_of($1)):(row_of(i) + half * $2) with lines lc rgb '#004a75' dt 1 lw 0.8, \
    for [i = 1:n] dat index (i - 1) using (x_of($1)):(row_of(i) - half * $2) with lines lc rgb '#004a75' dt 1 lw 0.8
