# SPDX-License-Identifier: MIT
# Opens the terminal `term` at width x height inches, higher where the key needs it.
if (narrow) {
    width = 3.6
    height = (height < 3 || height > 1.6 + 0.24 * n ? height : 3) + (longest > 0 ? 0.17 * n : 0)
    set key bmargin left maxcols 1 maxrows n spacing 1 font ',9'
    set title font ',9'
    set xtics font ',9'
    set ytics font ',9'
} else {
    if (longest > 18) { width = width + 0.08 * (longest - 18) }
    if (height < 1.0 + 0.23 * n) { height = 1.0 + 0.23 * n }
}
if (term eq 'png') {
    set terminal pngcairo size 200 * width, 200 * height font 'DejaVu Sans,10' fontscale 1.55 \
        linewidth 2.2 pointscale 1.5 noenhanced
}
if (hover) {
    set terminal svg name name_.(narrow ? '_narrow' : '') size 100 * width, 100 * height dynamic font 'DejaVu Sans,11' \
        linewidth 1.3 noenhanced background 'white'
}
if (term eq 'pdf') {
    set terminal pdfcairo size width, height font 'DejaVu Sans,9' fontscale 0.75 linewidth 1.3 noenhanced
}
set output value('out_'.term)
