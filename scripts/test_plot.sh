#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Figures and a report out of real rows: every file is there, says what it should, and bad input is
# refused by name.  Prints TAP.
#   ASSAY=build/.../assay test_plot.sh     (make check ONLY=scripts/)
set -u
case_count=0 bad=0
screen=$(cd "$(dirname "$0")" && pwd)/screen.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# ok NAME COMMAND...: one case
ok() {
    case_count=$((case_count + 1))
    if "${@:2}" >said 2>&1; then echo "ok $case_count - $1"; return; fi
    bad=1
    echo "not ok $case_count - $1"
    tail -n 15 said
}
refuses() { ! "$ASSAY" "${@:2}" >refused 2>&1 && grep -F "$1" refused; }
# Each NAME is the start of the name of a figure, whole in all four files.
drawn() {
    local name data
    for name in "$@"; do
        data=$(ls "$name"*.dat) && set -- "${data%.dat}" || return 1
        [ -s "$1.png" ] && grep -q '</svg>' "$1.svg" && grep -q '</svg>' "$1.narrow.svg" && [ "$(head -c 5 "$1.pdf")" = %PDF- ] || return 1
    done
}

if ! command -v gnuplot >/dev/null; then
    echo 'ok 1 - figures # SKIP gnuplot is not installed'
    echo '1..1'
    exit 0
fi
"$ASSAY" data gen --kind clustered --n 2000 --dim 32 --queries 20 --out d >/dev/null
"$ASSAY" ann --base d/base.fvecs --query d/query.fvecs --index turboquant:bits=1..3 --min-calls 500 --out r >/dev/null
"$ASSAY" data gen --kind twohop --n 300 --dim 16 --queries 20 --out g >/dev/null
for depth in 0 1 2; do
    "$ASSAY" rag --kb g/kb.sqlite --query g/query.fvecs --set graph_depth=$depth --min-calls 20 --out r >/dev/null
done
ok 'draws what the rows can fill' "$ASSAY" plot r/ann.csv r/rag.csv
ok 'in PNG, SVG, PDF and data' drawn r/recall_latency r/qps_recall r/recall_bits r/recall_bytes r/stages
ok 'what does not move is a sentence' sh -c 'grep "^candidates\|^graph_depth" r/flat.txt || ls r/graph_depth*.svg'
ok 'draws one kind' "$ASSAY" plot --kind recall_bytes r/ann.csv --out one
ok 'and nothing else' test "$(ls one | wc -l)" = 5
ok 'in the width of a column' "$ASSAY" plot --kind recall_bytes r/ann.csv --size one-column --out column
ok 'and for LaTeX' grep -q 'includegraphics.*{recall_bytes_tex}' column/recall_bytes_tex.tex
ok 'as wide as a column, with its fonts' sh -c 'grep -aq "MediaBox \[ 0 0 238 " column/recall_bytes.pdf && grep -aq FontFile column/recall_bytes.pdf'
ok 'no such size' refuses 'one-column' plot --size one-colum r/ann.csv
ok 'each point has a hidden mark that says which' sh -c \
    'id=$(grep -o "[0-9a-f]\{16\}\$" r/recall_bytes*.dat | head -n 1) && grep "showHypertext(evt,.$id.)" r/recall_bytes*.narrow.svg'
ok 'reports a folder' "$ASSAY" report r
ok 'the page needs nothing else' sh -c '! grep -E "(src|href)=\"?(http|//)" r/report.html'
ok 'the page holds figures and rows' sh -c 'grep -q "<svg" r/report.html && grep -q "turboquant:bits=2" r/report.html'
ok 'quintiles of difficulty' drawn r/strata_lid_d r/strata_contrast_g
ok 'and the rows of them' grep -q 'lid_quintile,contrast_quintile' r/strata.csv
ok 'any figure of a stratum' "$ASSAY" plot --stratum lid=5 --kind recall_bytes r/ann.csv --out hard
ok 'by its name' drawn hard/recall_bytes_lid5
ok 'a fifth that is none' refuses 'lid=1..5' plot --stratum lid=6 r/ann.csv
ok 'no such kind' refuses "nearest is 'recall_bytes'" plot --kind recall_byte r/ann.csv
ok 'no such file' refuses 'nothing.csv' plot nothing.csv
ok 'not a table' refuses 'd/base.fvecs' plot d/base.fvecs
ok 'nothing to draw' refuses 'no figure' plot --kind churn r/ann.csv
ok 'no such folder' refuses 'nowhere' report nowhere
# The closing screen over rows of the same columns, from whatever was measured above.
mkdir -p s/clustered s/twohop
cp r/ann.csv s/clustered/sweep.csv
cp r/rag.csv s/twohop/sweep.csv
cp r/rag.csv s/sweep.csv
"$ASSAY" paper turboquant/distortion --seeds 2 --quick --out s >/dev/null
"$ASSAY" bench dot_f32 --dim 32 --where l2 --rounds 12 --csv >s/bench.csv
"$ASSAY" bench dot_f32 --dim 32,40,48 --where l2 --quick --out b >/dev/null
# Widest stroke of figures whose marks and lines have all one width; what the axes take is 2.6.
is_thin() { [ -s "$1" ] && grep -ho 'stroke-width="[0-9.]*"' "$@" | awk -F'"' '$2 > most { most = $2 } END { print most; exit !(most > 0 && most <= 2.6) }'; }
ok 'no line is fat by its place in a figure' is_thin s/turboquant_distortion_384.svg b/dot_f32_dim_1.svg
ok 'no power of ten for a tick' sh -c '! grep "<text>.*[0-9]e[+-]" s/*.svg b/*.svg'
prints() { local line; for line in "$@"; do grep -q -- "$line" screen || { cat screen; return 1; }; done; }
ok 'closing screen' sh -c "'$screen' '$dir/s' >screen"
ok 'closing screen: every part of it' prints '^  paper  *0.36 ' '^  theory.* 0.00944' '^  turboquant  *[0-9]* B [01][.]' \
    '^  RaBitQ-Library .*0.600' '^  dot_f32 .*x[0-9.]* \[' '^  planted two-hop graph, graph_depth=1 ' '^  WordNet: '
# As after a part of a run: WordNet's rows at 1 and 4 bits alone, between those of other widths.
mkdir -p part/clustered part/twohop
cp r/ann.csv part/clustered/sweep.csv
cp s/turboquant_distortion.csv s/bench.csv part/
bits_depths() { # FILE BITS...
    printf 'status,bit_width,bits,graph_depth,top_k_candidates,top_k_rerank,vector_weight,graph_weight,retrieve,expand,score,calibration,index,label_recall_at_10\n' >"$1"
    for b in "${@:2}"; do for depth in 0 1; do
        echo "ok,$b,$b,$depth,50,20,0.6,0.4,index,bfs,pool_fraction,none,turboquant,0.$b$depth$b"
    done; done >>"$1"
}
bits_depths part/twohop/sweep.csv 1 2 3 4
bits_depths part/sweep.csv 1 3
ok 'closing screen of a part of a run' sh -c "'$screen' '$dir/part' >screen"
ok 'closing screen of a part: numbers stand under their widths' prints \
    '^  bits  *1        2        3        4$' \
    '^  WordNet, graph_depth=0  *0.101        -    0.303        -$' '^  WordNet, graph_depth=1  *0.111        -    0.313        -$'
echo "1..$case_count"
exit $bad
