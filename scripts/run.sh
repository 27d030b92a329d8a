#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# From a built program to results/<size>: data, sweeps, figures, report, and a screen of what came out.
# What is there is not made again: data by their files, sweeps point by point.
#   run.sh default|full      (make run, make run-full)
set -eu
cd "$(dirname "$0")/.."
size=${1:-default}
assay=build/assay data=build/data out=results/$size
[ -f "scripts/sweeps/$size.yaml" ] || { echo "run.sh: no scripts/sweeps/$size.yaml" >&2; exit 2; }
# Rows of other sources may have other columns and other speeds: they are kept, but apart.
version=$($assay --version)
if [ -e "$out/version.txt" ] && [ "$(cat "$out/version.txt")" != "$version" ]; then
    aside=$out-$(sed 's/.* //' "$out/version.txt") # the hash of its sources
    rm -rf "$aside"
    mv "$out" "$aside"
    echo "$out was measured by another build and is now $aside"
fi
mkdir -p "$data" "$out"
echo "$version" >"$out/version.txt"

step() { printf '%4d s  %s\n' $SECONDS "$*"; }
# make_once FILE WHAT COMMAND...: runs it unless FILE is there from an earlier run
make_once() {
    [ -e "$1" ] && { step "$2: kept"; return; }
    step "$2"
    "${@:3}" >"$data/log" || { cat "$data/log" >&2; exit 1; }
}
sweep() {
    step "sweep: $1, into $2"
    $assay sweep run "scripts/sweeps/$1.yaml" --out "$2"
}

make_once $data/wordnet/kb.sqlite 'data: WordNet into a knowledge base' $assay data import wordnet --out $data/wordnet
head -n 500 $data/wordnet/queries.tune.jsonl >$data/wordnet/queries.500.jsonl
make_once $data/clustered/base.fvecs 'data: clustered, 100,000 x 384' \
    $assay data gen --kind clustered --n 100000 --dim 384 --queries 1000 --seed 1 --out $data/clustered
make_once $data/twohop/kb.sqlite 'data: planted two-hop graph' $assay data gen --kind twohop --seed 1 --out $data/twohop

sweep "$size" "$out"
sweep clustered "$out/clustered"
sweep twohop "$out/twohop"
make_once "$out/turboquant_distortion.csv" 'paper: TurboQuant, distortion' $assay paper turboquant/distortion --quick --out "$out"
make_once "$out/bench.csv" 'bench: kernels against the compilers' $assay bench --quick --out $data/bench
[ ! -d $data/bench ] || cp $data/bench/bench.csv $data/bench/gains.* "$out/" # without the raw samples

step 'figures and report'
$assay plot "$out/sweep.csv" "$out/clustered/sweep.csv" "$out/twohop/sweep.csv" results/recorded_peers.csv --out "$out" >"$data/log"

scripts/screen.sh "$out" >"$out/summary.txt"
$assay report "$out" >>"$data/log"
step "$out: $(ls "$out"/*.png | wc -l) figures (PNG, SVG, PDF), report.html, sweep.csv"
echo
cat "$out/summary.txt"
cat <<'EOT'

Next, with files of your own:
  build/assay ann --base mine.npy --query mine_queries.npy --index turboquant:bits=1..8 --index flat --out mine
  build/assay kb create mine.sqlite --entities entities.jsonl --relations relations.jsonl
  build/assay query mine.sqlite "a question" -k 5 --explain
EOT
