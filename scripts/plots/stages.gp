# SPDX-License-Identifier: MIT
# A bar a configuration, cut into the mean time of each stage.
load plots.'/canvas.gp'
row_of(i) = 1 - (i - 0.5 + row_shift_) / n
half = (row_shift_ > 0 ? 0.22 : 0.36) / n
sum_to(p) = p < 1 ? 0 : sum [c = 1:p] column(c + 1)
p = 1
eval panel
unset ytics
set style fill solid border lc rgb '#ffffff'
plot for [p = 1:panels] for [i = 1:n] dat index (i - 1) \
    using (x_of(sum_to(p))):(row_of(i)):(x_of(sum_to(p - 1))):(x_of(sum_to(p))):(row_of(i) - half):(row_of(i) + half) \
        with boxxyerror lc rgb colour_of(slot(p)) dt 1 lw 1, \
    for [i = 1:n] dat index (i - 1) using (x_of($1)):(row_of(i)):(x_of(column(x_lo))):(x_of(column(x_hi))) with xerrorbars lc rgb '#202020' dt 1 pt 0 lw 1, \
    for [i = 1:hover * n] dat index (i - 1) using (x_of($1)):(row_of(i)):(strcol(tip)) @hidden
