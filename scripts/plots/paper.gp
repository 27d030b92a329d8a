# SPDX-License-Identifier: MIT
# A paper's figure: ours with its 99.9 % interval, theory as a thin line, published points hollow in the colour of the line
# that they belong to, bounds grey (a triangle that points to the side that is allowed).  Below, where numbers are compared,
# how far ours lies from the paper's, in halves of its last digit (and what is allowed beyond): between the grey lines it
# agrees.  Texts lie as in the other figures: title, what all lines have in common and the y axis on top, names below.
# Columns: x ours lo hi theory published residual lo hi at_least at_most
# Wants sub, origin (whose the published points are), y_label[1], label[], place[] (of a line among all of the item, for its colour), n, log_x, log_y, residuals, theory, bounds, published, x_ticks ("" : gnuplot's own),
# y_low, y_high (equal: gnuplot's own).
width = 6.4
wraps = strlen(title) > 84
extras = theory + bounds
entry = 0.7 + 0.085 * (longest > 9 ? longest : 9)
per_row = int((width - 0.15) / entry)
per_row = per_row < 1 ? 1 : per_row
legend_rows = (n + extras + per_row - 1) / per_row + published # whose the points are: a line of its own
top_in = 0.82 + 0.22 * wraps
bottom_in = 0.54 + 0.24 * legend_rows
below_in = residuals ? 1.75 : 0
height = top_in + 3.3 + below_in + bottom_in
longest = 0
load plots.'/open.gp'
up(inches) = inches / height
right_of(inches) = inches / width
if (log_y) {
    set logscale y
    set format y '%g'
    stats dat using 2 nooutput name 'Y'
    if (Y_min > 0 && (Y_max / Y_min > 1000 || Y_min < 1e-4)) { # decades, written out: 0.00001
        decades = ''
        do for [d = int(floor(log10(Y_min))):int(ceil(log10(Y_max)))] {
            decades = decades.(decades eq '' ? '' : ', ').sprintf(sprintf("'%%.%df' %%g", d < 0 ? -d : 0), 10.0 ** d, 10.0 ** d)
        }
        eval 'set ytics ('.decades.')'
    }
}
if (log_x) { set logscale x 2 }
stats dat using 1 nooutput
span = STATS_max - STATS_min
if (log_x) { set xrange [STATS_min / 1.1:STATS_max * 1.1] }
if (!log_x) { set xrange [STATS_min - 0.05 * span - 0.01:STATS_max + 0.05 * span + 0.01] }
if (x_ticks ne '') { eval 'set xtics ('.x_ticks.')' }
if (y_low < y_high) { set yrange [y_low:y_high] }
unset key
unset title
unset xlabel
unset ylabel
set lmargin at screen right_of(0.72)
set rmargin at screen 1 - right_of(0.15)
set tmargin at screen 1 - up(top_in)
set bmargin at screen up(bottom_in + below_in)
cut = 84
while (wraps && cut > 40 && substr(title, cut, cut) ne ' ') { cut = cut - 1 }
set label 1 (wraps ? substr(title, 1, cut) : title) at screen right_of(0.08), screen 1 - up(0.2) left noenhanced
if (wraps) { set label 2 substr(title, cut + 1, strlen(title)) at screen right_of(0.08), screen 1 - up(0.42) left noenhanced }
set label 3 sub at screen right_of(0.08), screen 1 - up(0.42 + 0.22 * wraps) left noenhanced tc rgb '#606060' font ',9'
set label 4 y_label[1] at screen right_of(0.08), screen 1 - up(top_in - 0.15) left noenhanced tc rgb '#606060'
set label 5 x_label at screen 0.5, screen up(bottom_in - 0.4) center noenhanced tc rgb '#606060'
slot_x(i) = right_of(0.1 + entry * ((i - 1) % per_row))
slot_y(i) = up(bottom_in - 0.6 - 0.24 * ((i - 1) / per_row))
hue(i) = (place[i] - 1) % 8 + 1
do for [i = 1:n] {
    set arrow 10 + i from screen slot_x(i), screen slot_y(i) to screen slot_x(i) + right_of(0.4), screen slot_y(i) nohead lt hue(i)
    set label 10 + i label[i] at screen slot_x(i) + right_of(0.2), screen slot_y(i) left noenhanced \
        point lt 1 lc rgb colour_of(hue(i)) pt point_of(place[i]) ps 0.7 offset character 3.4, -0.08
}
last = n
if (theory) {
    last = last + 1
    set arrow 10 + last from screen slot_x(last), screen slot_y(last) to screen slot_x(last) + right_of(0.4), screen slot_y(last) nohead \
        lt 1 lc rgb '#404040' lw 0.6 dt 1
    set label 10 + last 'theory' at screen slot_x(last) + right_of(0.2), screen slot_y(last) left offset character 3.4, -0.08
}
if (bounds) {
    last = last + 1
    set label 10 + last 'bound' at screen slot_x(last) + right_of(0.2), screen slot_y(last) left \
        point lt 1 lc rgb '#808080' pt 10 ps 1 offset character 3.4, -0.08
}
if (published) {
    set label 11 + last origin at screen slot_x(1) + right_of(0.2), screen up(bottom_in - 0.6 - 0.24 * (legend_rows - 1)) left noenhanced \
        point lt 1 lc rgb '#404040' pt 6 ps 1.7 offset character 3.4, -0.08
}
set multiplot
# Bands of more than four lines hide each other: bars then, side by side.
crowded = n > 4
beside(x, i) = crowded && !log_x && span > 0 ? x + (i - (n + 1) / 2.0) * 0.006 * span : x
plot for [i = 1:n] dat index (i - 1) using 1:10 with linespoints lc rgb '#808080' dt 3 pt 8 ps 0.7 notitle, \
    for [i = 1:n] dat index (i - 1) using 1:11 with linespoints lc rgb '#808080' dt 2 pt 10 ps 0.7 notitle, \
    for [i = 1:(crowded ? 0 : n)] dat index (i - 1) using 1:3:4 with filledcurves lc rgb colour_of(hue(i)) fs transparent solid 0.14 noborder notitle, \
    for [i = 1:(crowded ? n : 0)] dat index (i - 1) using (beside($1, i)):2:3:4 with yerrorbars lc rgb colour_of(hue(i)) dt 1 pt 0 lw 0.7 notitle, \
    for [i = 1:n] dat index (i - 1) using (beside($1, i)):2 with lines lt hue(i) notitle, \
    for [i = 1:n] dat index (i - 1) using (beside($1, i)):2 with points lt 1 lc rgb colour_of(hue(i)) pt point_of(place[i]) ps 0.9 lw 0.7 notitle, \
    for [i = 1:n] dat index (i - 1) using 1:5 with lines lc rgb '#404040' lw 0.6 dt 1 notitle, \
    for [i = 1:n] dat index (i - 1) using (beside($1, i)):6 with points lc rgb colour_of(hue(i)) pt 6 ps 1.7 lw 1.2 notitle
if (residuals) {
    do for [i = 1:11 + last] { unset label i }
    unset arrow
    unset logscale y
    set format y '%g'
    set ytics autofreq
    set ytics 1
    set tmargin at screen up(bottom_in + 1.3)
    set bmargin at screen up(bottom_in)
    set label 1 'ours - paper, in halves of its last digit and what is allowed beyond: between the lines it agrees' \
        at screen right_of(0.08), screen up(bottom_in + 1.42) left noenhanced tc rgb '#606060' font ',9'
    set yrange [-3:3]
    clip(y) = y > 2.9 ? 2.9 : y < -2.9 ? -2.9 : y
    plot 1 with lines lc rgb '#909090' dt 1 notitle, -1 with lines lc rgb '#909090' dt 1 notitle, 0 with lines lc rgb '#909090' dt 3 notitle, \
        for [i = 1:n] dat index (i - 1) using (beside($1, i)):(clip($7)):(clip($8)):(clip($9)) with yerrorbars \
            lc rgb colour_of(hue(i)) dt 1 pt point_of(place[i]) ps 0.7 notitle
}
unset multiplot
