# SPDX-License-Identifier: MIT
# Violins: where the samples of each kernel lie around their own median.  Wants label[1..n]; a block
# a kernel: the outline, position and percent.
width = 4.0 + 0.45 * n
keep = n
n = 0
load plots.'/open.gp'
n = keep
unset key
unset xlabel
set ylabel 'sample against its median (%), 5th to 95th percentile' noenhanced
set xrange [0.4:n + 0.6]
set xtics () nomirror rotate by 35 right noenhanced
do for [i = 1:n] { set xtics add (label[i] i) }
# One kernel that was preempted must not flatten the others: no further than Tukey's far fences of all outlines.
stats dat using 2 nooutput
reach = 3 * (STATS_up_quartile - STATS_lo_quartile)
low = STATS_lo_quartile - reach < STATS_min ? STATS_min : STATS_lo_quartile - reach
high = STATS_up_quartile + reach > STATS_max ? STATS_max : STATS_up_quartile + reach
if (high > low) { set yrange [low:high] }
set style fill solid 0.5 border
plot 0 with lines lc rgb '#909090' dt 3, \
     for [i = 1:n] dat index (i - 1) using 1:2 with filledcurves closed lt style_of(i) dt 1
