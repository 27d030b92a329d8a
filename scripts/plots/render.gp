# SPDX-License-Identifier: MIT
# Draws one figure four times, the fourth as wide as a telephone.  Set by the caller (bench/cmd_plot.c):
#   plots       this folder
#   figure      which file of it
#   dat         data: one block a series, columns x y1 y2 ..., then the ends of their
#               95 % intervals: x_lo x_hi y1_lo y1_hi ... (NaN: none), then of cmd_plot.c the id of the
#               point's settings (hexadecimal; -: none)
#   out_png, out_svg, out_narrow, out_pdf    where each is drawn
#   n, ours, foreign, label[1..n]   series: first ours, then foreign ones (recorded elsewhere, peers),
#               then the Pareto front if there is one
#   is_foreign[1..n]                1 for the foreign ones, wherever they stand
#   panels, y_label[1..panels]      columns y
#   name_, title, x_label
#   terms       which to draw: png svg narrow pdf tex
do for [term in terms] {
    load plots.'/style.gp'
    load plots.'/'.figure.'.gp'
    unset output
}
