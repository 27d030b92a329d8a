# SPDX-License-Identifier: MIT
# Measured distortion (log) between Shannon's lower and the Panter-Dite upper bound, as theorems 1
# and 3 of arXiv 2504.19874 have them; columns ours, theory, published.
load plots.'/open.gp'
set logscale y 4
set ylabel y_label[1] noenhanced
set format y '%.2g'
stats dat using 1 nooutput
set xrange [STATS_min - 0.2:STATS_max + 0.2]
plot 2.7207 * 4**(-x) with lines lc rgb '#808080' dt 2 title 'upper bound 2.72 * 4^-b', \
    4**(-x) with lines lc rgb '#808080' dt 3 title 'lower bound 4^-b', \
    dat index 0 using 1:3 with points lc rgb '#404040' pt 1 ps 1.6 title 'theory: exact Lloyd-Max', \
    dat index 0 using 1:4 with points lc rgb '#404040' pt 6 ps 2 title 'as the paper prints it', \
    for [i = 1:n] dat index (i - 1) using 1:(column(y_lo(1))):(column(y_hi(1))) with filledcurves lc i \
        fs transparent solid 0.25 noborder notitle, \
    for [i = 1:n] dat index (i - 1) using 1:2 with linespoints lc i pt point_of(i) ps 0.7 title label[i]
