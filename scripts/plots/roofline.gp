# SPDX-License-Identifier: MIT
# Roofline (Williams, Waterman & Patterson 2009): read bandwidth as slopes, instruction peaks as flats.
# Wants roofs, roof[], roof_name[] (GB/s), flats, flat[], flat_name[] (G/s), the ends of the axes, label[1..n] with their left
# ends at wide_x[], wide_y[], of the narrow figure at slim_x[], slim_y[], and their points at of_x[], of_y[], shares of the plot;
# columns:
# work per byte, work per ns, lo, hi, level.
width = 9.0
height = 5.6
n_points = n
n = 4
load plots.'/open.gp'
n = n_points
set logscale xy
set logscale x 2
level_name(i) = word("L1 L2 L3 DRAM", i + 1)
set xrange [x_low : x_high]
set yrange [y_low : y_high]
set ylabel 'multiply-adds, products or bytes a second (10^9/s)' noenhanced
eval ticks_of
# What is behind a label shows through it faintly: whiskers and slopes cross where the labels are.
set style textbox opaque fillcolor rgb '#40ffffff' noborder margins 0.3, 0.1
set sample 400
do for [i = 1:flats] {
    set label sprintf('%s %.0f', flat_name[i], flat[i]) at graph 0.99, first flat[i] * 1.08 right font ',8' noenhanced
}
letters = narrow ? 65.0 : 200.0
at_x(i) = narrow ? slim_x[i] : wide_x[i]
at_y(i) = narrow ? slim_y[i] : wide_y[i]
do for [i = 1:n] {
    set label label[i] at graph at_x(i), graph at_y(i) left font ',8' noenhanced front boxed
    if (abs(at_y(i) - of_y[i]) > 0.03) {
        end = at_x(i) > of_x[i] ? at_x(i) : at_x(i) + strlen(label[i]) / letters
        set arrow from graph of_x[i], graph of_y[i] to graph end, graph at_y(i) nohead lc rgb '#b0b0b0' lw 0.6
    }
}
plot for [i = 1:roofs] (roof[i] * x <= y_high / 1.6 ? roof[i] * x : NaN) with lines lt i \
         title sprintf('%s reads, %.0f GB/s', roof_name[i], roof[i]), \
     for [i = 1:flats] flat[i] with lines lc rgb '#808080' dt i + 1 lw 1 notitle, \
     for [l = 0:3] dat using ($5 == l ? $1 : NaN):2:3:4 with yerrorbars lt l + 1 dt 1 pt point_of(l + 1) \
         title level_name(l).', kernels'
