# SPDX-License-Identifier: MIT
# A bar a configuration, cut into the mean time of each stage.
height = 1.6 + 0.24 * n
load plots.'/open.gp'
set xlabel 'mean time of a query by stage (us)'
set key outside right top
set yrange [n + 0.6:0.4]
set grid noytics
set style fill solid noborder
# Two parts more than there are colours.
set linetype 9 lc rgb '#8c564b'
set linetype 10 lc rgb '#c8c8c8'
set linetype cycle 10
set border 1
set ytics scale 0 ("" 0)
set for [i = 1:n] ytics add (label[i] i)
stage(p) = y_label[p][3:strlen(y_label[p]) - 3]   # t_rerank_us
sum_to(p) = p < 1 ? 0 : sum [c = 1:p] column(c + 1)
plot for [p = 1:panels] for [i = 1:n] dat index (i - 1) \
    using (sum_to(p)):(i):(sum_to(p - 1)):(sum_to(p)):(i - 0.38):(i + 0.38) with boxxyerror lc p + 1 notitle, \
    for [i = 1:n] dat index (i - 1) using 1:(i):(column(x_lo)):(column(x_hi)) with xerrorbars lc rgb '#404040' pt 0 lw 1 notitle, \
    for [i = 1:hover * n] dat index (i - 1) using 1:(i):(strcol(tip)) @hidden, \
    for [p = 1:panels] NaN with boxes lc p + 1 title stage(p)
