# SPDX-License-Identifier: MIT
# Opens the terminal `term` for a figure that bench/rows/figure_frame.c has laid out.  A unit is a pixel of the SVG and a
# point of the PDF; axes run from 0 to 1, and x_of(v), y_of(p, v) say where a value lies.  Of each layout
# (wide, narrow, tex) there are
#   L_numbers                  width_, height_, font_ (units), png_ (pixels a unit), panels_, left_, right_ (share of the
#                              page), x_of(), y_of()
#   L_heights                  bottom and top of each panel
#   L_slots                    the style of each series, of style.gp
#   L_x_ticks, L_y_ticks1 ...  as set xtics () takes them, without texts
#   L_decor                    statements: all texts and samples
layout = narrow ? 'narrow_' : term eq 'tex' ? 'tex_' : 'wide_'
eval value(layout.'numbers')
heights = value(layout.'heights')
slots = value(layout.'slots')
x_ticks = value(layout.'x_ticks')
y_ticks(p) = value(layout.'y_ticks'.p)
if (term eq 'png') {
    set terminal pngcairo size int(png_ * width_), int(png_ * height_) font sprintf('DejaVu Sans,%g', font_) \
        fontscale 0.75 * png_ linewidth 0.085 * font_ * png_ pointscale 0.055 * font_ * png_ noenhanced
}
if (hover) {
    set terminal svg name name_.(narrow ? '_narrow' : '') size width_, height_ dynamic \
        font sprintf('DejaVu Sans,%g', font_) linewidth 0.09 * font_ noenhanced background 'white'
}
if (term eq 'pdf') {
    set terminal pdfcairo size width_ / 72.0, height_ / 72.0 font sprintf('DejaVu Sans,%g', font_) fontscale 0.75 \
        linewidth 0.12 * font_ pointscale 0.055 * font_ noenhanced
}
if (term eq 'tex') {
    set terminal cairolatex pdf input size width_ / 72.0, height_ / 72.0 font sprintf(',%g', font_) fontscale 0.75 \
        linewidth 0.12 * font_ pointscale 0.055 * font_
}
set output value('out_'.term)
unset key
unset title
unset xlabel
unset ylabel
set xrange [0:1]
set yrange [0:1]
set lmargin at screen left_
set rmargin at screen right_
slot(i) = int(word(slots, i))
is_own(i) = slot(i) <= 8
# Makes panel p the one to be drawn into; texts are drawn with the first.
panel = "if (p == 1) { eval value(layout.'decor') } else { unset label; unset arrow }; \
    set bmargin at screen word(heights, 2 * p - 1) + 0; set tmargin at screen word(heights, 2 * p) + 0; \
    eval 'set xtics ('.x_ticks.')'; eval 'set ytics ('.y_ticks(p).')'"
