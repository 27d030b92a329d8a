# SPDX-License-Identifier: MIT
# A logarithmic y axis that fits column 2 and has its ticks at round numbers.
stats dat using 2 nooutput
set logscale y
set yrange [STATS_min / 1.15:STATS_max * 1.15]
set ytics ("" 1)
do for [e = -6:9] {
    do for [m in "1 1.5 2 3 5 7"] { set ytics add (sprintf('%g', m * 10.0**e) m * 10.0**e) }
}
