# SPDX-License-Identifier: MIT
# A contact sheet of PNGs.  Wants files and sizes (names, and width and height of each, between spaces), columns, out.
count = words(files)
rows = (count + columns - 1) / columns
cell = 760
tallest = 620
set terminal pngcairo size columns * cell, rows * tallest background 'white'
set output out
unset key
unset border
unset tics
set lmargin 0
set rmargin 0
set tmargin 0
set bmargin 0
set multiplot
do for [i = 1:count] {
    across = word(sizes, 2 * i - 1) + 0.0
    down = word(sizes, 2 * i) + 0.0
    # The picture keeps its shape within a cell.
    wide = 0.97 * (across / down > 1.0 * cell / tallest ? 1 : across / down * tallest / cell)
    high = 0.97 * (across / down > 1.0 * cell / tallest ? down / across * cell / tallest : 1)
    set size wide / columns, high / rows
    set origin ((i - 1) % columns) / (1.0 * columns), 1 - (((i - 1) / columns) + high) / (1.0 * rows)
    set xrange [0:across]
    set yrange [0:down]
    plot word(files, i) binary filetype=png with rgbimage
}
unset multiplot
unset output
