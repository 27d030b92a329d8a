# SPDX-License-Identifier: MIT
# A line a method, the fastest on top: queries a second (log) at each level of recall that it reaches.
# Foreign ones hollow: their speed is no claim.
levels = 3
height = 1.7 + 0.3 * n
load plots.'/open.gp'
# Wide labels stand left of the plot.
set lmargin longest * 0.92 + 2
set rmargin at screen 0.97
set key inside bottom right Left reverse samplen 1
set tmargin at screen 1 - 0.45 / height
set bmargin at screen 0.62 / height
set logscale x
low = 1e300
high = 0
do for [i = 1:n] {
    stats dat index (i - 1) using (column(y_lo(1)) == column(y_lo(1)) ? column(y_lo(1)) : $2) nooutput
    if (STATS_min < low) { low = STATS_min }
    stats dat index (i - 1) using (column(y_hi(1)) == column(y_hi(1)) ? column(y_hi(1)) : $2) nooutput
    if (STATS_max > high) { high = STATS_max }
}
set xrange [low / 1.4:high * 1.4]
set xtics ("" 1)
do for [e = 0:9] { do for [m in "1 2 5"] {
    v = m * 10.0**e
    set xtics add ((v >= 1e6 ? sprintf('%gM', v / 1e6) : v >= 1e3 ? sprintf('%gk', v / 1e3) : sprintf('%g', v)) v)
} }
set yrange [0.4:n + 0.6]
set ytics ("" 1) nomirror scale 0 noenhanced
do for [i = 1:n] { set ytics add (label[i] n + 1 - i) }
set xlabel y_label[1].' (more is better)' noenhanced
colour(p) = word('#0072b2 #e69f00 #009e73', p)
size_of(p) = real(word('1.9 1.35 0.85', p)) # of one place all are seen
full(p) = int(word('7 5 9', p))
hollow(p) = int(word('6 4 8', p))
plot for [i = 1:n] dat index (i - 1) using 2:(n + 1 - i) with lines lc rgb '#c8c8c8' lw 2 notitle, \
    for [i = 1:n] dat index (i - 1) using 2:(n + 1 - i):(column(y_lo(1))):(column(y_hi(1))) with xerrorbars \
        lc rgb '#808080' pt 0 lw 1 notitle, \
    for [p = 1:levels] for [i = 1:n] dat index (i - 1) every ::(p - 1)::(p - 1) using 2:(n + 1 - i) with points \
        pt (is_foreign[i] ? hollow(p) : full(p)) ps size_of(p) lc rgb colour(p) notitle, \
    for [i = 1:hover * n] dat index (i - 1) using 2:(n + 1 - i):(strcol(tip)) @hidden, \
    for [p = 1:levels] NaN with points pt full(p) ps size_of(p) lc rgb colour(p) title 'recall >= '.word('.90 .95 .99', p)
