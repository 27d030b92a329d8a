#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Sweeps that are killed at random moments and started again hold, when they are done, the rows of the unbroken one:
# every (point, repetition) once, equal but for what was timed.  TAP.
#   test_kills.sh        a few dozen kills;   LONG=1: 2,000 over 50 points, and 50 over 500 points in two shards
# (make test-all sets LONG).  A seed that failed is printed and can be given again as SEED.
set -u
export ASSAY=${ASSAY:-build/assay}
assay=$ASSAY
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
RANDOM=${SEED:-$(date +%N | sed 's/^0*//')}
seed=$RANDOM
RANDOM=$seed
n=0 bad=0

"$assay" data gen --kind clustered --n 300 --dim 16 --queries 10 --seed 1 --out "$dir/d" >/dev/null || exit 1


# start OUT SHARD-ARGUMENTS...
start() {
    local out=$1
    shift
    "$assay" sweep run "$dir/s.yaml" --out "$out" "$@" >"$dir/said" 2>&1
}

# kills NAME KILLS POINTS SHARDS LONGEST: each start lives for at most LONGEST ms; a sweep that is done is compared, and
# another begun, until all kills are used up
kills() {
    local name=$1 left=$2 points=$3 shards=$4 longest=$5 sweeps=0 killed=0 wrong="" pids pid i
    cat >"$dir/s.yaml" <<END
dataset: {base: $dir/d/base.fvecs, query: $dir/d/query.fvecs, metric: cosine}
axes: {index: [flat, 'turboquant:bits=2', 'sq:bits=4', 'rabitq:bits=1', 'pq:m=4'], k: 1..$((points / 5))}
reps: 3
min_calls: 10
END
    rm -rf "$dir/whole" "$dir/killed"
    start "$dir/whole" || wrong="the unbroken run: $(tail -n 1 "$dir/said")"
    "$here/untimed.sh" "$dir/whole" >"$dir/want"
    [ "$(($(wc -l <"$dir/want") - 1))" = $((3 * points)) ] || wrong="$(wc -l <"$dir/want") lines in the unbroken run"
    while [ -z "$wrong" ] && [ "$left" -gt 0 ]; do
        pids=""
        for ((i = 0; i < shards; i++)); do
            if [ "$shards" = 1 ]; then start "$dir/killed" & else start "$dir/killed" --shard $i/"$shards" & fi
            pids="$pids $!"
        done
        sleep "$(printf '0.%03d' $((RANDOM % longest)))"
        for pid in $pids; do
            # The shell function is the parent of the program that is to die.
            kill -9 $(cat /proc/"$pid"/task/"$pid"/children 2>/dev/null) 2>/dev/null && killed=$((killed + 1)) left=$((left - 1))
        done
        wait $pids 2>/dev/null
        "$assay" sweep status "$dir/s.yaml" --out "$dir/killed" >"$dir/status" 2>&1 || { [ -e "$dir/killed" ] && wrong="status: $(cat "$dir/status")"; }
        if [ "$left" -le 0 ] || grep -q " $points done" "$dir/status"; then
            for ((i = 0; i < shards; i++)); do
                if [ "$shards" = 1 ]; then start "$dir/killed"; else start "$dir/killed" --shard $i/"$shards"; fi || wrong="resuming: $(tail -n 1 "$dir/said")"
            done
            "$here/untimed.sh" "$dir/killed" >"$dir/got"
            cmp -s "$dir/want" "$dir/got" || { wrong="other rows"; diff "$dir/want" "$dir/got" | head -n 6; }
            # merge keeps the first of equal keys: none may be there twice
            [ "$(cat "$dir"/killed/sweep*.csv | grep -c ',ok,')" = $((3 * points)) ] || wrong="$(cat "$dir"/killed/sweep*.csv | grep -c ',ok,') rows"
            sweeps=$((sweeps + 1))
            rm -rf "$dir/killed"
        fi
    done
    n=$((n + 1))
    if [ -z "$wrong" ]; then echo "ok $n - $name: $killed kills, $sweeps sweeps of $points points at reps 3"
    else echo "not ok $n - $name"; echo "  SEED=$seed, $killed kills, sweep $sweeps: $wrong"; bad=1; fi
}

# whole FILE: it ends as files of its kind do
whole() {
    case $1 in
    *.png) [ "$(tail -c 8 "$1" | head -c 4)" = IEND ] ;;
    *.svg | *.html) grep -qE '</(svg|html)>' <(tail -n 2 "$1") ;;
    *.pdf) [ "$(tail -n 1 "$1")" = %%EOF ] ;;
    *) [ -s "$1" ] && [ -z "$(tail -c 1 "$1")" ] ;;
    esac
}

# figures KILLS: a figure, its data and the page of a folder are whole or absent, whenever their program dies
figures() {
    local left=$1 done_files=0 wrong="" f pid
    n=$((n + 1))
    command -v gnuplot >/dev/null || { echo "ok $n - figures # SKIP gnuplot is not installed"; return; }
    "$assay" ann --base "$dir/d/base.fvecs" --query "$dir/d/query.fvecs" --index turboquant:bits=1..4 -k 5 --min-calls 500 \
        --out "$dir/f" >/dev/null 2>&1
    cp -r "$dir/f" "$dir/rows"
    while [ -z "$wrong" ] && [ "$left" -gt 0 ]; do
        [ $((left % 4)) != 0 ] || { rm -rf "$dir/f" && cp -r "$dir/rows" "$dir/f"; } # half of them over figures that are there
        if [ $((left % 2)) = 0 ]; then "$assay" plot "$dir/f/ann.csv" --out "$dir/f" >/dev/null 2>&1 & pid=$!
        else "$assay" report "$dir/f" >/dev/null 2>&1 & pid=$!; fi
        sleep "$(printf '0.%03d' $((RANDOM % 800)))"
        kill -9 $pid 2>/dev/null
        wait $pid 2>/dev/null
        for f in "$dir"/f/*.*; do
            [ "${f%.partial}" = "$f" ] || continue # of the one that died; the next sweeps it away
            whole "$f" || wrong="$f: $(wc -c <"$f") bytes"
            case $f in *.png | *.svg | *.pdf | *.html) done_files=$((done_files + 1)) ;; esac
        done
        left=$((left - 1))
    done
    "$assay" plot "$dir/f/ann.csv" --out "$dir/f" >/dev/null 2>&1 && "$assay" report "$dir/f" >/dev/null 2>&1 || wrong="the last time"
    [ -z "$(find "$dir/f" -name '*partial*')" ] || wrong="left: $(find "$dir/f" -name '*partial*' | head -n 2)"
    if [ -z "$wrong" ]; then echo "ok $n - figures: $1 kills, $done_files files seen, all whole"
    else echo "not ok $n - figures"; echo "  SEED=$seed: $wrong"; bad=1; fi
}

figures 8
kills "killed and resumed" 20 10 1 300
kills "two shards, killed and resumed" 8 10 2 300
if [ -n "${LONG:-}" ]; then
    figures 60
    kills "many kills" 2000 50 1 400
    kills "many points, two shards" 50 500 2 999
fi
echo "1..$n"
exit $bad
