# SPDX-License-Identifier: MIT
# Time against dimension; a light line at every multiple of 32, the lanes of the canonical order.
# Wants label[1..n]; a block a kernel of dimension, ns, lo, hi.
load plots.'/open.gp'
set logscale y
set ylabel 'ns per vector' noenhanced
stats dat using 1 nooutput
stats dat using 3 prefix 'LOW' nooutput
stats dat using 4 prefix 'HIGH' nooutput
set yrange [LOW_min / 1.2 : HIGH_max * 1.2]
eval ticks_of
step = 32
while ((STATS_max - STATS_min) / step > 24) { step = step * 2 }
do for [i = ceil(STATS_min / step) : floor(STATS_max / step)] {
    set arrow from first i * step, graph 0 to first i * step, graph 1 nohead back lc rgb '#e0e0e0' lw 0.7
}
set label 'lines: multiples of '.step at graph 0.01, 0.97 font ',8' noenhanced
pad = 0.02 * (STATS_max - STATS_min)
set xrange [STATS_min - pad : STATS_max + pad]
plot for [i = 1:n] dat index (i - 1) using 1:2 with lines lt style_of(i) notitle, \
     for [i = 1:n] dat index (i - 1) using 1:2:3:4 with yerrorbars lt style_of(i) dt 1 pt point_of(i) title label[i]
