# SPDX-License-Identifier: MIT
# Ratios with their intervals, one a line; hollow where not resolved.  Wants n, label[1..n]; columns:
# position, ratio, lo, hi, resolved.
height = 1.4 + 0.35 * n
key_height = 0
load plots.'/open.gp'
unset key
set logscale x 2
set yrange [n + 0.6:0.4]
set lmargin longest * 0.95 + 2
set ytics () nomirror
do for [i = 1:n] { set ytics add (label[i] i) }
set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb '#404040' dt 2
set offsets graph 0.05, graph 0.05, 0, 0
plot dat using 2:1:3:4 with xerrorbars lc 3 lw 2 pt 0, \
     dat using ($5 == 1 ? $2 : NaN):1 with points lc 3 pt 7, \
     dat using ($5 == 0 ? $2 : NaN):1 with points lc 3 pt 6
