# SPDX-License-Identifier: MIT
# Common to all figures.  `podo` is a palette that colour-blind readers can tell apart; point types
# differ too, and beyond eight series the dashes.  noenhanced: names hold _ and @.
reset
width = 8.0   # inches; a figure may change it before it loads open.gp
height = 4.6
set colorsequence podo
set linetype 5 lc rgb '#777777' # its yellow is lost on white
# Eight lines that differ three times over: colours that colour-blind readers tell apart, dashes and marks for those who
# see grey.  The ninth is of what is many; 10 a front; 11 a ceiling.
colours = "#000000 #d55e00 #0072b2 #009e73 #cc79a7 #e69f00 #56b4e9 #882255 #a0a0a0 #c4c4c4 #606060"
colour_of(i) = word(colours, i)
mark_of(i) = int(word("7 5 9 13 11 4 6 8 7 0 0", i))
do for [i = 1:11] { set linetype i lc rgb colour_of(i) lw 1.4 pt mark_of(i) }
set linetype 2 dt (10, 3)
set linetype 3 dt (3, 2)
set linetype 4 dt (10, 2, 2, 2)
set linetype 5 dt (6, 2)
set linetype 6 dt (1.5, 1.5)
set linetype 7 dt (12, 2, 2, 2, 2, 2)
set linetype 8 dt (5, 5)
set linetype 10 lw 4
set linetype 11 dt (2, 3)
# Levels on a map.
do for [i = 12:15] { set linetype i lc rgb word('#ff9d00 #ff4040 #ff00c8 #000000', i - 11) lw 2.5 }
# Ticks at 1, 2 and 5 of each decade, in plain notation: to be added to an axis, which takes those that it shows.
ticks_of = "do for [d_ = -6:9] { do for [m_ in '1 2 5'] { set ytics add (sprintf(d_ < 0 ? sprintf('%%.%df', -d_) : '%.0f', m_ * 10.0**d_) m_ * 10.0**d_) } }"
set encoding utf8
set datafile separator whitespace
set datafile missing 'NaN'
set border 3 lc rgb '#404040' lw 1
set tics nomirror out scale 0.6
set grid lc rgb '#d8d8d8' lw 0.7 dt solid
set key outside right top Left reverse noenhanced samplen 2 spacing 1.15 maxcols 1
set title title noenhanced
set xlabel x_label noenhanced
point_types = "7 5 9 11 13 4 6 8 10 12 14 1 2 3"
point_of(i) = int(word(point_types, (i - 1) % words(point_types) + 1))
# The look of series i where there may be more than eight.  Named in each plot: a line that names a colour alone takes its
# width from its place in the command, and some of the types above are fat.
style_of(i) = (i - 1) % 8 + 1
if (!exists("panels")) { panels = 1 }
# Ends of the 95 % interval of x and of the p-th y, as render.gp has them.
x_lo = panels + 2
x_hi = panels + 3
y_lo(p) = panels + 2 + 2 * p
y_hi(p) = panels + 3 + 2 * p
# Hidden marks over the points, in SVG alone: a page makes tooltips of them, and finds the rows of a table by them.
narrow = term eq 'narrow'
hover = term eq 'svg' || narrow
tip = 3 * panels + 4 # column of what they say, as bench/cmd_plot.c writes it
hidden = "with labels hypertext point pt 7 ps 1.4 lc rgb '#ff000000' notitle"
longest = 0
do for [i = 1:n] { if (strlen(label[i]) > longest) { longest = strlen(label[i]) } }
