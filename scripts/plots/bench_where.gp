# SPDX-License-Identifier: MIT
# Time against working set, with the sizes of the caches.  Wants label[1..n], cache1..cache3 (KiB, 0:
# none); a block a kernel of KiB, ns, lo, hi.
load plots.'/open.gp'
set logscale xy
set logscale x 2
set format x '%.0f'
set ylabel 'ns per vector' noenhanced
stats dat using 1 nooutput
stats dat using 3 prefix 'LOW' nooutput
stats dat using 4 prefix 'HIGH' nooutput
set yrange [LOW_min / 1.2 : HIGH_max * 1.2]
eval ticks_of
last = STATS_max
do for [size in sprintf('%f %f %f', cache1, cache2, cache3)] { if (size + 0 > last) { last = size + 0 } }
set xrange [STATS_min / 1.5 : last * 1.5]
array cache[3] = [cache1, cache2, cache3]
do for [i = 1:3] {
    if (cache[i] > 0) {
        set arrow from first cache[i], graph 0 to first cache[i], graph 1 nohead back lc rgb '#909090' dt 3
        set label sprintf('L%d', i) at first cache[i], graph 0.97 right offset -0.5, 0 font ',8' noenhanced
    }
}
plot for [i = 1:n] dat index (i - 1) using 1:2 with lines lt style_of(i) notitle, \
     for [i = 1:n] dat index (i - 1) using 1:2:3:4 with yerrorbars lt style_of(i) dt 1 pt point_of(i) title label[i]
