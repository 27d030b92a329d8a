#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which shard a task of a Slurm array takes, by the variables that Slurm sets: every shard once, and the same again in a
# retry of a few tasks.  An `assay` that prints its arguments stands in for the program.  TAP.
set -u
script=$(dirname "$0")/slurm_array.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0 bad=0
printf '#!/bin/sh\necho "$7"\n' >"$dir/assay"
chmod +x "$dir/assay"

# task OUT ID MIN MAX STEP COUNT
task() {
    PATH="$dir:$PATH" SLURM_ARRAY_TASK_ID=$2 SLURM_ARRAY_TASK_MIN=$3 SLURM_ARRAY_TASK_MAX=$4 SLURM_ARRAY_TASK_STEP=$5 \
        SLURM_ARRAY_TASK_COUNT=$6 bash "$script" s.yaml "$dir/$1" 2>&1
}
is() {
    n=$((n + 1))
    if [ "$2" = "$3" ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; echo "  '$2' is not '$3'"; bad=1; fi
}
says() {
    n=$((n + 1))
    case "$2" in *"$3"*) echo "ok $n - $1" ;; *) echo "not ok $n - $1"; echo "  '$2' has no '$3'"; bad=1 ;; esac
}
all() { for i in $(seq "$2" "$4" "$3"); do task "$1" "$i" "$2" "$3" "$4" $((($3 - $2) / $4 + 1)); done | tr '\n' ' '; }

is "--array=0-3" "$(all zero 0 3 1)" "0/4 1/4 2/4 3/4 "
is "--array=1-3" "$(all one 1 3 1)" "0/3 1/3 2/3 "
is "--array=2-8:3" "$(all step 2 8 3)" "0/3 1/3 2/3 "
is "a retry of tasks 1 and 3 of 1-3" "$(task one 1 1 3 1 2) $(task one 3 1 3 1 2)" "0/3 2/3"
is "a retry of one task" "$(task step 5 5 5 1 1)" "1/3"
says "a list as the first submission is refused" "$(task list 3 3 7 1 2)" "needs --array=MIN-MAX"
says "a task that the first array did not have is refused" "$(task one 9 9 9 1 1)" "task 9 is none of the array 1-3:1"
says "nor one between its steps" "$(task step 3 3 3 1 1)" "task 3 is none of the array 2-8:3"
# All tasks of a large array start at once.
for i in $(seq 1 24); do task race "$i" 1 24 1 24 & done >"$dir/said"
wait
is "24 tasks that start at once" "$(sort -n "$dir/said" | tr '\n' ' ')" "$(seq -f '%g/24' 0 23 | tr '\n' ' ')"
is "no file is left but the division" "$(ls "$dir/race")" "shards"
echo "1..$n"
exit $bad
