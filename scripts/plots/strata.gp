# SPDX-License-Identifier: MIT
# Quintiles of difficulty on x, 1 the easiest; a panel a measurement, with the interval over queries of that quintile.
height = 0.9 + 2.3 * panels
load plots.'/open.gp'
set multiplot
# A key is never higher than its plot: an empty one of full height carries it.
set lmargin at screen 0.1
unset border
unset tics
unset xlabel
set xrange [0:1]
set yrange [0:1]
plot for [i = 1:n] NaN with linespoints lc i dt dash_of(i) pt point_of(i) title label[i]
unset key
unset title
set border 3
set xtics 1 nomirror out scale 0.6
set ytics nomirror out scale 0.6
set xrange [0.6:5.4]
set rmargin at screen 0.98 - (4.5 + longest) * 0.0095
bottom = 0.65 / height
step = (1 - 0.4 / height - bottom) / panels
# Methods side by side, so that their intervals can be told apart.
aside(i) = n > 1 ? 0.24 * ((i - 1.0) / (n - 1) - 0.5) : 0
do for [p = 1:panels] {
    set bmargin at screen bottom + (panels - p) * step
    set tmargin at screen bottom + (panels - p + 1) * step - (p > 1 ? 0.3 : 0.05) / height
    if (p == panels) { set xlabel x_label noenhanced }
    set ylabel y_label[p] noenhanced
    set yrange [*:*]
    stats dat using (column(y_lo(p)) == column(y_lo(p)) ? column(y_lo(p)) : column(p + 1)) nooutput
    low = STATS_min
    stats dat using (column(y_hi(p)) == column(y_hi(p)) ? column(y_hi(p)) : column(p + 1)) nooutput
    high = STATS_max
    # A share that hardly moves must look flat: at least 0.05 from bottom to top.
    if (high <= 1 && high - low < 0.05) { low = high - 0.05 }
    slack = high > low ? 0.08 * (high - low) : 0.05 * abs(high)
    set yrange [low - slack:high + slack]
    plot for [i = 1:n] dat index (i - 1) using ($1 + aside(i)):(column(p + 1)):(column(y_lo(p))):(column(y_hi(p))) \
        with yerrorbars lc i pt 0 notitle, \
        for [i = 1:n] dat index (i - 1) using ($1 + aside(i)):(column(p + 1)) with linespoints lc i dt dash_of(i) \
        pt point_of(i) notitle, \
        for [i = 1:hover * n] dat index (i - 1) using ($1 + aside(i)):(column(p + 1)):(strcol(tip)) @hidden
}
unset multiplot
