# SPDX-License-Identifier: MIT
# What a set of vectors is like, on one page: six panels.  Wants has_queries, rank, dim; blocks as
# bench/rows/portrait_out.c writes them, of each histogram the middle of a bin and the density there.
width = 11.0
height = 7.0
load plots.'/open.gp'
set multiplot layout 2, 3 title title noenhanced
unset title
set key inside top right samplen 1.5
set style fill solid 0.35
set ylabel 'density' noenhanced
set yrange [0:*]
set offsets 0, 0, graph 0.15, 0 # room for the key
set lmargin 9
set bmargin 3.5

set xlabel 'cosine' noenhanced
plot dat index 1 using 1:2 with fillsteps lt 2 dt 1 title 'random pairs', \
     dat index 2 using 1:2 with fillsteps lt 3 dt 1 title 'nearest neighbours'

set xlabel 'length of a row' noenhanced
# Three ticks: lengths that are nearly alike have labels of seven places.
stats dat index 0 using 1 nooutput
if (STATS_records > 0) {
    middle = (STATS_min + STATS_max) / 2
    set xtics (sprintf('%.5g', STATS_min) STATS_min, sprintf('%.5g', middle) middle, sprintf('%.5g', STATS_max) STATS_max)
}
plot dat index 0 using 1:2 with fillsteps lt 1 notitle
set xtics autofreq

set xlabel 'local dimension (100 neighbours)' noenhanced
if (has_queries) {
    plot dat index 3 using 1:2 with fillsteps lt 1 title 'base', dat index 5 using 1:2 with steps lt 4 title 'queries'
} else {
    plot dat index 3 using 1:2 with fillsteps lt 1 title 'base'
}

set xlabel 'relative contrast (mean distance / that of the 100th)' noenhanced
if (has_queries) {
    plot dat index 4 using 1:2 with fillsteps lt 1 title 'base', \
         dat index 6 using 1:2 with steps lt 4 title 'queries'
} else {
    plot dat index 4 using 1:2 with fillsteps lt 1 title 'base'
}

unset offsets
set key inside bottom right
set xlabel 'share of the principal directions, strongest first' noenhanced
set ylabel 'share of variance' noenhanced
set yrange [0:1.02]
set xrange [0:1]
plot dat index 7 using 1:2 with lines lt 6 dt 1 title sprintf('effective rank %.4g of %d', rank, dim), \
     x with lines lc rgb '#909090' dt 3 title 'isotropic'

set key inside top right
set xlabel 'times among the first 10 of others, plus 0.5' noenhanced
set ylabel 'share of rows, this often or more' noenhanced
set xrange [0.4:*]
set yrange [*:1.1]
set logscale xy
plot dat index 8 using 1:2 with steps lt 7 dt 1 notitle
unset multiplot
