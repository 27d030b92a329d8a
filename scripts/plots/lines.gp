# SPDX-License-Identifier: MIT
# Lines with markers, a panel a measurement.  The ribbon or the bars are 95 % intervals; small faded marks are points that
# another of their series beats; dashed without markers is what a line cannot be above.
load plots.'/canvas.gp'
is_front(i) = slot(i) == 10
set multiplot
do for [p = 1:panels_] {
    eval panel
    plot for [i = 1:n] dat index (i - 1) every :::0::0 using (is_front(i) ? x_of($1) : NaN):(y_of(p, $2)) with fsteps lc rgb '#c4c4c4' dt 1 lw 4, \
        for [i = 1:ribbons * n] dat index (i - 1) every :::0::0 using (is_own(i) ? x_of($1) : NaN):(y_of(p, column(y_lo(p)))):(y_of(p, column(y_hi(p)))) \
            with filledcurves lc rgb colour_of(slot(i)) fs transparent solid 0.16 noborder, \
        for [i = 1:bars * n] dat index (i - 1) every :::0::0 using (is_own(i) ? x_of($1) : NaN):(y_of(p, column(p + 1))):(y_of(p, column(y_lo(p)))):(y_of(p, column(y_hi(p)))) \
            with yerrorbars lc rgb colour_of(slot(i)) dt 1 pt 0 lw 0.8, \
        for [i = 1:bars * n] dat index (i - 1) every :::0::0 using (is_own(i) ? x_of($1) : NaN):(y_of(p, column(p + 1))):(x_of(column(x_lo))):(x_of(column(x_hi))) \
            with xerrorbars lc rgb colour_of(slot(i)) dt 1 pt 0 lw 0.8, \
        for [i = 1:n] dat index (i - 1) every :::0::0 using (slot(i) == 9 ? x_of($1) : NaN):(y_of(p, column(p + 1))) with points lt 9 ps 0.45, \
        for [i = 1:n] dat index (i - 1) every :::1::1 using (is_own(i) ? x_of($1) : NaN):(y_of(p, column(p + 1))) \
            with points pt mark_of(slot(i)) ps 0.45 lc rgb '#90'.substr(colour_of(slot(i)), 2, 7), \
        for [i = 1:ceiling_ * n] dat index (i - 1) every :::0::0 using (is_own(i) ? x_of($1) : NaN):(y_of(p, $3)) with lines lc rgb colour_of(slot(i)) dt (2, 3), \
        for [i = 1:(steps_ ? 0 : n)] dat index (i - 1) every :::0::0 using (is_own(i) && !is_foreign[i] ? x_of($1) : NaN):(y_of(p, column(p + 1))) with lines lt slot(i), \
        for [i = 1:(steps_ ? n : 0)] dat index (i - 1) every :::0::0 using (is_own(i) && !is_foreign[i] ? x_of($1) : NaN):(y_of(p, column(p + 1))) with steps lt slot(i), \
        for [i = 1:marks_ * n] dat index (i - 1) every :::0::0 using (is_own(i) ? x_of($1) : NaN):(y_of(p, column(p + 1))) with points lt slot(i), \
        for [i = 1:hover * n] dat index (i - 1) using (is_front(i) ? NaN : x_of($1)):(y_of(p, column(p + 1))):(strcol(tip)) @hidden
}
unset multiplot
