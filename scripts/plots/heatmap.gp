# SPDX-License-Identifier: MIT
# Columns x, rows series, colour and number y1.  (gnuplot 5.4 has no viridis; these are its corners.)
load plots.'/open.gp'
set palette defined (0 0.267 0.005 0.329, 0.25 0.230 0.322 0.546, 0.5 0.128 0.567 0.551, \
    0.75 0.369 0.789 0.383, 1 0.993 0.906 0.144)
set key off
unset grid
set style fill solid noborder
stats dat using 1 nooutput
set xrange [STATS_min - 0.5:STATS_max + 0.5]
set xtics 1 scale 0
stats dat using 2 nooutput
low = STATS_min
high = STATS_max > STATS_min ? STATS_max : STATS_min + 1e-9
set cbrange [low:high]
set cblabel y_label[1] noenhanced
set yrange [0.5:n + 0.5]
set ytics scale 0 ("" 0)
set for [i = 1:n] ytics add (label[i] i)
ink(v) = v > low + 0.6 * (high - low) ? 0x000000 : 0xffffff
# Half the width of the interval beside the number.
cell(v, lo, hi) = lo == lo && hi == hi ? sprintf("%.3f\n+- %.3f", v, (hi - lo) / 2) : sprintf('%.3f', v)
plot for [i = 1:n] dat index (i - 1) using 1:(i):(0.5):(0.5):2 with boxxyerror fc palette notitle, \
    for [i = 1:n] dat index (i - 1) using 1:(i):(cell($2, column(y_lo(1)), column(y_hi(1)))):(ink($2)) with labels tc rgb variable notitle, \
    for [i = 1:hover * n] dat index (i - 1) using 1:(i):(strcol(tip)) @hidden
