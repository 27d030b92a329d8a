# SPDX-License-Identifier: MIT
# Columns x, rows series, colour and number y1; the lines of equal y1 come with decor.  (gnuplot 5.4 has no viridis; these
# are its corners.)
load plots.'/canvas.gp'
set palette defined (0 0.267 0.005 0.329, 0.25 0.230 0.322 0.546, 0.5 0.128 0.567 0.551, \
    0.75 0.369 0.789 0.383, 1 0.993 0.906 0.144)
set cbrange [0:1]
unset colorbox
unset grid
set style fill solid noborder
row_of(i) = 1 - (i - 0.5) / n
middle(v) = (column_of(v) + 0.5) / columns_
ink(v) = y_of(1, v) > 0.6 ? 0x000000 : 0xffffff
# Half the width of the interval beside the number.
# Where a cell is too narrow for it, the interval is left out.
is_wide = (right_ - left_) * width_ / columns_ > 6 * font_
half_of(lo, hi) = is_wide && lo == lo && hi == hi ? sprintf("+- %.3f", (hi - lo) / 2) : ''
p = 1
eval panel
set xtics scale 0
unset ytics
plot for [i = 1:n] dat index (i - 1) using (middle($1)):(row_of(i)):(0.5 / columns_):(0.5 / n):(y_of(1, $2)) with boxxyerror fc palette, \
    for [i = 1:n] dat index (i - 1) using (middle($1)):(row_of(i) + (is_wide ? 0.2 : 0) / n):(sprintf('%.3f', $2)):(ink($2)) with labels tc rgb variable, \
    for [i = 1:n] dat index (i - 1) using (middle($1)):(row_of(i) - 0.2 / n):(half_of(column(y_lo(1)), column(y_hi(1)))):(ink($2)) with labels tc rgb variable, \
    for [i = 1:hover * n] dat index (i - 1) using (middle($1)):(row_of(i)):(strcol(tip)) @hidden
