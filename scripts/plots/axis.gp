# SPDX-License-Identifier: MIT
# One setting on x, a panel a measurement, one under the other.
height = 1.0 + 2.0 * panels
load plots.'/open.gp'
stats dat using 1 nooutput
if (STATS_min > 0 && STATS_max / STATS_min >= 16) { set logscale x 2 }
set offsets graph 0.02, graph 0.02
set lmargin 12
set rmargin 8 + 0.9 * longest
set multiplot layout panels,1
do for [p = 1:panels] {
    if (p > 1) { unset title; unset key }
    if (p < panels) { unset xlabel } else { set xlabel x_label noenhanced }
    set ylabel y_label[p] noenhanced
    set yrange [*:*]
    stats dat using p + 1 nooutput
    # A share that hardly moves must look flat: at least 0.05 from bottom to top.
    slack = 0.08 * (STATS_max - STATS_min)
    if (STATS_max <= 1 && STATS_max - STATS_min < 0.05) { slack = 0.025 }
    if (slack == 0) { slack = 0.05 * abs(STATS_max) }
    set yrange [STATS_min - slack:STATS_max + slack]
    plot for [i = 1:n] dat index (i - 1) using 1:(column(p + 1)) with linespoints lc i dt dash_of(i) \
        pt point_of(i) title label[i]
}
unset multiplot
