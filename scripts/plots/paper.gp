# SPDX-License-Identifier: MIT
# A paper's figure: ours with its interval, theory as a thin line, the paper's points hollow over ours, bounds grey.  Below,
# where numbers are compared, how far ours lies from the paper's, in halves of its last digit (and what is allowed
# beyond): between the grey lines it agrees.  Columns: x ours lo hi theory published residual lo hi at_least at_most
height = residuals ? 6.2 : 4.6
load plots.'/open.gp'
if (log_y) { set logscale y; eval ticks_of }
if (log_x) { set logscale x 2 }
stats dat using 1 nooutput
span = STATS_max - STATS_min
if (!log_x && span >= 2 && span <= 12) { set xtics 1 }
if (log_x) { set xrange [STATS_min / 1.1:STATS_max * 1.1] }
if (!log_x) { set xrange [STATS_min - 0.05 * span - 0.01:STATS_max + 0.05 * span + 0.01] }
if (residuals) { set multiplot; set lmargin 12; set rmargin at screen 0.68; set tmargin at screen 0.93; set bmargin at screen 0.42; set xlabel '' }
# Bands of more than four lines hide each other: bars then, side by side.
crowded = n > 4
beside(x, i) = crowded && !log_x && span > 0 ? x + (i - (n + 1) / 2.0) * 0.006 * span : x
set ylabel y_label[1] noenhanced
plot for [i = 1:n] dat index (i - 1) using 1:10 with lines lc rgb '#909090' lw 1 dt 3 notitle, \
    for [i = 1:n] dat index (i - 1) using 1:11 with lines lc rgb '#909090' lw 1 dt 2 notitle, \
    for [i = 1:n] dat index (i - 1) using 1:5 with lines lc rgb '#404040' dt 1 lw 0.6 notitle, \
    for [i = 1:(crowded ? 0 : n)] dat index (i - 1) using 1:3:4 with filledcurves lt style_of(i) fs transparent solid 0.22 noborder notitle, \
    for [i = 1:(crowded ? n : 0)] dat index (i - 1) using (beside($1, i)):2:3:4 with yerrorbars lc rgb colour_of(style_of(i)) dt 1 pt 0 lw 0.7 notitle, \
    for [i = 1:n] dat index (i - 1) using (beside($1, i)):2 with linespoints lt style_of(i) pt point_of(i) ps 0.7 title label[i], \
    for [i = 1:n] dat index (i - 1) using 1:6 with points lc rgb '#202020' lw 1 pt 6 ps 2 notitle, \
    for [i = 1:published] NaN with points lc rgb '#202020' lw 1 pt 6 ps 2 title 'the paper', \
    for [i = 1:theory] NaN with lines lc rgb '#404040' dt 1 lw 0.6 title 'theory', \
    for [i = 1:bounds] NaN with lines lc rgb '#909090' lw 1 dt 2 title 'bound'
if (residuals) {
    unset logscale y
    set ytics autofreq
    set title ''
    unset key
    set tmargin at screen 0.36
    set bmargin at screen 0.12
    set xlabel x_label noenhanced
    set ylabel 'ours - paper, in bands'
    set yrange [-3:3]
    clip(y) = y > 2.9 ? 2.9 : y < -2.9 ? -2.9 : y
    plot 1 with lines lc rgb '#909090' dt 1 lw 1 notitle, -1 with lines lc rgb '#909090' dt 1 lw 1 notitle, 0 with lines lc rgb '#909090' dt 3 notitle, \
        for [i = 1:n] dat index (i - 1) using 1:(clip($7)):(clip($8)):(clip($9)) with yerrorbars lc rgb colour_of(style_of(i)) dt 1 lw 1 pt point_of(i) ps 0.7 notitle
    unset multiplot
}
