#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How the program ends where the system says no: full and read-only disks, limits, signals.  TAP.
set -u
assay=${ASSAY:-build/assay}
dir=$(mktemp -d)
trap 'umount "$dir/ro" 2>/dev/null; rm -rf "$dir"' EXIT
n=0 bad=0

# ends NAME WANTED-STATUS TEXT COMMAND...: its status, and what it says on stderr
ends() {
    local name=$1 want=$2 text=$3 got
    shift 3
    "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    n=$((n + 1))
    if [ $got = "$want" ] && { [ -z "$text" ] || grep -q -- "$text" "$dir/err"; }; then echo "ok $n - $name"
    else echo "not ok $n - $name"; echo "  status $got: $(cat "$dir/err")"; bad=1; fi
}
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }

gen() { "$assay" data gen --kind clustered --n "$1" --dim 24 --queries 20 --seed 1 --out "$2"; }
full() { "$assay" "$@" >/dev/full; }
ends "--help that cannot be printed" 1 'could not be written' full --help
ends "a verb's --help the same" 1 'sweep: standard output could not be written' full sweep --help
ends "--version the same" 1 'could not be written' full --version

small() { (ulimit -f 1; gen 1000 "$dir/small"); }
ends "a file size limit ends in a message" 1 'small/query.fvecs: cannot be written: File too large' small
mkdir "$dir/ro"
if mount -t tmpfs -o ro none "$dir/ro" 2>/dev/null; then
    ends "a read-only disk is named" 1 'ro/x: cannot be made: Read-only file system' gen 10 "$dir/ro/x"
else
    skip "a read-only disk is named" "no right to mount one"
fi

gen 300 "$dir/d" >/dev/null
# Under a limit of memory no thread gets its stack and its arena: fewer threads, the same answer, and an end.
narrow() { (ulimit -v 150000; timeout 60 "$assay" ann --base "$dir/d/base.fvecs" --query "$dir/d/query.fvecs" --index flat -k 5 --threads 8); }
ends "refused threads are done without" 0 '' narrow

cat >"$dir/s.yaml" <<END
dataset: {base: $dir/d/base.fvecs, query: $dir/d/query.fvecs, metric: cosine}
axes: {index: flat, k: 1..300}
END
# interrupt SIGNAL: a sweep of many points, stopped in the middle
interrupt() {
    "$assay" sweep run "$dir/s.yaml" --out "$dir/$1" &
    local pid=$!
    until [ "$(grep -cs ',ok,' "$dir/$1/sweep.csv")" -ge 3 ] 2>/dev/null || ! kill -0 $pid 2>/dev/null; do sleep 0.05; done
    kill -"$1" $pid
    wait $pid
}
for signal in INT TERM; do
    [ $signal = TERM ] || set -m # a job in the background ignores SIGINT otherwise
    ends "SIG$signal says what is done and how to go on" 1 "stopped by SIG$signal: [0-9]* of 300 points are done and stay in .*the same command goes on" interrupt $signal
    set +m
done

# Room for some rows and no more; failures have no row either, so the end must say it.
tight() { (trap '' XFSZ; ulimit -f "$1"; "$assay" sweep run "$dir/s.yaml" --out "$dir/tight"); }
ends "rows that found no room are counted, with the reason" 1 'tight/sweep.csv: .*: [0-9]* of 300 points have no row; the same command goes on' tight 32
ends "and the same command goes on" 0 '' "$assay" sweep run "$dir/s.yaml" --out "$dir/tight"
ends "and comes to all rows" 0 '' test "$(grep -c ',ok,' "$dir/tight/sweep.csv")" = 300
echo "1..$n"
exit $bad
