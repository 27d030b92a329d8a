# SPDX-License-Identifier: MIT
# Roofline (Williams, Waterman & Patterson 2009): read bandwidth as slopes, instruction peaks as flats.
# Wants roofs, roof[], roof_name[] (GB/s), flats, flat[], flat_name[] (G/s), label[1..n] at
# at_x[], at_y[]; columns:
# work per byte, work per ns, lo, hi, level.
width = 9.0
height = 5.6
n_points = n
n = 4
load plots.'/open.gp'
n = n_points
set logscale xy
level_name(i) = word("L1 L2 L3 DRAM", i + 1)
stats dat using 1 nooutput
least = STATS_min
most = STATS_max
set xrange [least / 3 : most * 4]
top = 0
do for [i = 1:flats] { if (flat[i] > top) { top = flat[i] } }
bottom = roof[roofs] * least / 3
stats dat using 2 nooutput
if (STATS_min < bottom) { bottom = STATS_min }
set yrange [bottom / 1.5 : top * 1.6]
set ylabel 'work: multiply-adds, products, bytes (G/s)' noenhanced
set sample 400
do for [i = 1:flats] {
    set label sprintf('%s %.0f', flat_name[i], flat[i]) at graph 0.99, first flat[i] * 1.08 right font ',8' noenhanced
}
do for [i = 1:n] {
    set label label[i] at first at_x[i], first at_y[i] offset 0.9, -0.8 font ',8' noenhanced
}
plot for [i = 1:roofs] (roof[i] * x <= top ? roof[i] * x : NaN) with lines lc i lw 1.5 \
         title sprintf('%s reads, %.0f GB/s', roof_name[i], roof[i]), \
     for [i = 1:flats] flat[i] with lines lc rgb '#808080' dt i + 1 lw 1 notitle, \
     for [l = 0:3] dat using ($5 == l ? $1 : NaN):2:3:4 with yerrorbars lc l + 1 pt point_of(l + 1) \
         title level_name(l).', kernels'
