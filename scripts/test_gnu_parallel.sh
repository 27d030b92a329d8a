#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gnu_parallel.sh on this machine alone: a shard is killed, the script called again, and the merged rows are those of the
# unsharded run but for what was timed.  TAP.
set -u
export ASSAY=${ASSAY:-build/assay}
assay=$(realpath "$ASSAY")
here=$(cd "$(dirname "$0")" && pwd)
if ! parallel --version 2>/dev/null | grep -q 'GNU parallel'; then
    echo "ok 1 - shards by GNU parallel # SKIP parallel is not installed (Debian: parallel)"
    echo "1..1"
    exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/bin"
ln -s "$assay" "$dir/bin/assay"
export PATH="$dir/bin:$PATH" HOME="$dir"
mkdir "$dir/.parallel"
touch "$dir/.parallel/will-cite"
echo : >"$dir/hosts"
"$assay" data gen --kind clustered --n 300 --dim 16 --queries 10 --seed 1 --out "$dir/d" >/dev/null
cat >"$dir/a sweep.yaml" <<END
dataset: {base: $dir/d/base.fvecs, query: $dir/d/query.fvecs, metric: cosine}
axes: {index: [flat, 'turboquant:bits=2'], k: 1..15}
reps: 2
min_calls: 200
END
"$assay" sweep run "$dir/a sweep.yaml" --out "$dir/whole" >/dev/null
"$here/untimed.sh" "$dir/whole" >"$dir/want"
(
    for ((i = 0; i < 1000; i++)); do
        grep -q ',ok,' "$dir/out/sweep.1-of-3.csv" && break
        sleep 0.02
    done
    kill -9 $(pgrep -f -- "^assay sweep run $dir/a sweep.yaml --out $dir/out --shard 1/3$" | head -n 1)
) 2>/dev/null &
"$here/gnu_parallel.sh" "$dir/hosts" "$dir/a sweep.yaml" "$dir/out" 3 >/dev/null 2>&1
first=$?
"$here/gnu_parallel.sh" "$dir/hosts" "$dir/a sweep.yaml" "$dir/out" 3 >"$dir/said" 2>&1
second=$?
"$here/untimed.sh" "$dir/out" >"$dir/got"
if [ $first = 1 ] && [ $second = 0 ] && cmp -s "$dir/want" "$dir/got" && [ "$(grep -c 'points: ' "$dir/said")" = 1 ]; then
    echo "ok 1 - shards by GNU parallel: one killed, called again, merged: the rows of the unsharded run"
    bad=0
else
    echo "not ok 1 - shards by GNU parallel: status $first, then $second"
    cat "$dir/said"
    diff "$dir/want" "$dir/got" | head -n 6
    bad=1
fi
echo "1..1"
exit $bad
