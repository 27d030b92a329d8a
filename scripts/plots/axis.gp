# SPDX-License-Identifier: MIT
# One setting on x, a panel a measurement, one under the other.
height = panels == 1 ? 4.6 : 1.0 + 2.0 * panels
load plots.'/open.gp'
stats dat using 1 nooutput
# One range for all panels, also where a panel has no value at its ends.
x_least = STATS_min
x_most = STATS_max
if (STATS_min > 0 && STATS_max / STATS_min >= 16) {
    set logscale x 2
    x_slack = (x_most / x_least) ** 0.03
    x_least = x_least / x_slack
    x_most = x_most * x_slack
} else {
    x_slack = x_most > x_least ? 0.03 * (x_most - x_least) : 1
    x_least = x_least - x_slack
    x_most = x_most + x_slack
}
if (STATS_max - STATS_min <= 10 && STATS_min == int(STATS_min) && STATS_max == int(STATS_max)) { ticks = 1 } else { ticks = 0 }
set offsets graph 0.02, graph 0.02
set multiplot
# A key is never higher than its plot: an empty one of full height carries it.
set lmargin at screen 0.1
unset border
unset tics
unset xlabel
set xrange [0:1]
set yrange [0:1]
plot for [i = 1:ours] NaN with linespoints lc i dt dash_of(i) pt point_of(i) title label[i], \
    for [i = ours + 1:n] NaN with points lc i pt point_of(i) title label[i]
unset key
unset title
set border 3
set xtics nomirror out scale 0.6
set ytics nomirror out scale 0.6
if (ticks) { set xtics 1 }
set xrange [x_least:x_most]
set rmargin at screen 0.98 - (4.5 + longest) * 0.0095
bottom = 0.65 / height
step = (1 - 0.4 / height - bottom) / panels
do for [p = 1:panels] {
    set bmargin at screen bottom + (panels - p) * step
    set tmargin at screen bottom + (panels - p + 1) * step - (p > 1 ? 0.3 : 0.05) / height
    if (p == panels) { set xlabel x_label noenhanced }
    set ylabel y_label[p] noenhanced
    set yrange [*:*]
    # With the bands, where there are any.
    stats dat using (column(y_lo(p)) == column(y_lo(p)) ? column(y_lo(p)) : column(p + 1)) nooutput
    low = STATS_min
    stats dat using (column(y_hi(p)) == column(y_hi(p)) ? column(y_hi(p)) : column(p + 1)) nooutput
    high = STATS_max
    # A share that hardly moves must look flat: at least 0.05 from bottom to top.
    if (high <= 1 && high - low < 0.05) { low = high - 0.05 }
    slack = high > low ? 0.08 * (high - low) : 0.05 * abs(high)
    set yrange [low - slack:high + slack]
    plot for [i = 1:ours] dat index (i - 1) using 1:(column(y_lo(p))):(column(y_hi(p))) with filledcurves lc i \
        fs transparent solid 0.18 noborder notitle, \
        for [i = 1:ours] dat index (i - 1) using 1:(column(p + 1)) with linespoints lc i dt dash_of(i) \
        pt point_of(i) title label[i], \
        for [i = ours + 1:n] dat index (i - 1) using 1:(column(p + 1)) with points lc i pt point_of(i) title label[i], \
        for [i = 1:hover * n] dat index (i - 1) using 1:(column(p + 1)):(strcol(tip)) @hidden
}
unset multiplot
