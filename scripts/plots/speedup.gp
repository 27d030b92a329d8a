# SPDX-License-Identifier: MIT
# A bar a kernel and shape: how many times faster than the compilers' best (log2), 95 % interval.
# Columns median, low, high; a bar that does not clear 1 is a loss, and shown.
height = 1.2 + 0.24 * n
load plots.'/open.gp'
set xlabel 'times as fast as the faster of the compilers (log scale, 95 % interval)'
set key off
set logscale x 2
set yrange [n + 0.6:0.4]
set grid noytics
set style fill solid noborder
set border 1
set ytics scale 0 ("" 0)
set for [i = 1:n] ytics add (label[i] i)
set arrow 1 from 1, graph 0 to 1, graph 1 nohead lc rgb '#404040' lw 1.5 front
plot for [i = 1:n] dat index (i - 1) using 2:(i):(1):2:(i - 0.36):(i + 0.36) with boxxyerror lc 3 notitle, \
    for [i = 1:n] dat index (i - 1) using 2:(i):3:4 with xerrorbars lc 1 pt 0 notitle, \
    for [i = 1:n] dat index (i - 1) using 4:(i):(sprintf('  x%.2f', $2)) with labels left notitle
