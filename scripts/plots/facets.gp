# SPDX-License-Identifier: MIT
# Small panels, rows_ by columns_, of one scale: lines of differences with their intervals about 0.  Blocks: panel by panel,
# line by line; columns x ours lo hi.  Wants rows_, columns_, panel_title[], label[], n.
width = 1.5 + 2.1 * columns_
height = 1.1 + 1.75 * rows_
load plots.'/open.gp'
stats dat using 3 nooutput name 'LO'
stats dat using 4 nooutput name 'HI'
margin = 0.05 * (HI_max - LO_min)
bottom = 0.42 / height
top = 1 - 0.72 / height
left = 0.85 / width
gap_x = 0.012
gap_y = 0.26 / height
cell_w = (1 - left - 0.01 - (columns_ - 1) * gap_x) / columns_
cell_h = (top - bottom - (rows_ - 1) * gap_y) / rows_
set multiplot
unset title
unset xlabel
unset ylabel
unset key
do for [i = 1:n] {
    set label 10 + i label[i] at screen left + (i - 1) * 2.3 / width + 0.08 / width, screen 1 - 0.42 / height left noenhanced \
        point lt 1 lc rgb colour_of(i + 1) pt mark_of(i + 1) ps 1 offset character 1.2, 0
}
set label 1 title at screen left, screen 1 - 0.2 / height left noenhanced
set label 2 x_label at screen 0.5 * (1 + left), screen 0.13 / height center noenhanced
set label 3 y_label[1] at screen 0.16 / width, screen 0.5 * (bottom + top) center rotate by 90 noenhanced
set yrange [LO_min - margin:HI_max + margin]
set xrange [0.6:4.4]
set xtics 1
do for [p = 1:rows_ * columns_] {
    r_ = (p - 1) / columns_
    c_ = (p - 1) % columns_
    set lmargin at screen left + c_ * (cell_w + gap_x)
    set rmargin at screen left + c_ * (cell_w + gap_x) + cell_w
    set tmargin at screen top - r_ * (cell_h + gap_y)
    set bmargin at screen top - r_ * (cell_h + gap_y) - cell_h
    if (c_ == 0) { set format y '%+.2f' } else { set format y '' }
    if (r_ == rows_ - 1) { set format x '%g' } else { set format x '' }
    set label 4 panel_title[p] at graph 0.03, graph 1.06 left noenhanced font ',9'
    plot 0 with lines lc rgb '#808080' lw 0.9 dt 1 notitle, \
        for [i = 1:n] dat index ((p - 1) * n + i - 1) using ($1 + 0.16 * (i - (n + 1) / 2.0)):2:3:4 with yerrorbars \
            lc rgb colour_of(i + 1) dt 1 pt mark_of(i + 1) ps 0.8 lw 1.1 notitle
    unset label 1
    unset label 2
    unset label 3
    do for [i = 1:n] { unset label 10 + i }
}
unset multiplot
