#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs fuzz targets (kernels/base/fuzz.h); `make fuzz`, `make fuzz-lines` and `make fuzz-planted` call it.
#   fuzz.sh run SECONDS PROGRAM...      as many at a time as there are processors; ends with the totals
#   fuzz.sh lines PROGRAM...            the lines of each target's reader that its inputs reach, of a build with MODE=cov
#   fuzz.sh planted SECONDS F/fuzz_X... plants the bug that the target's file describes in a copy, and looks for it
set -u
cd "$(dirname "$0")/.."
what=$1
shift

# note NAME FILE.c: what a comment on top of a target's file says
note() { sed -n "s|^ \* $1: \(.*\)|\1|p" "$2"; }
# build/x86_64-clang-fuzz/pipeline/fuzz_x -> pipeline/fuzz_x
target_of() { printf '%s\n' "$1" | sed -E 's|^.*/((kernels\|index\|pipeline\|datasets\|bench)/.*)|\1|'; }

# fuzz_one SECONDS PROGRAM: one line; status 1 when an input broke it
fuzz_one() {
    local target kept log n status=0
    target=$(target_of "$2")
    kept=build/fuzz/$target
    log=$kept.log
    mkdir -p "$kept"
    "$2" -max_total_time="$1" -timeout=20 -rss_limit_mb=4096 -max_len="$(longest "$target")" -print_final_stats=1 \
        -artifact_prefix="$kept/../found-${target##*/}-" "$kept" "$target" >"$log" 2>&1 || status=1
    n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    printf '%-28s %9s inputs  %s\n' "$target" "${n:-?}" "$([ $status = 0 ] && echo nothing found || { grep -m 1 -E 'ERROR: |runtime error|SUMMARY|Assertion' "$log" | cut -c 1-160; echo "    see $log"; })"
    return $status
}
longest() { sed -n 's/.*\.longest = \([0-9]*\).*/\1/p' "$1.c" | grep . || echo 4096; }

run() {
    local seconds=$1 bad=0
    shift
    export -f fuzz_one target_of longest
    printf '%s\n' "$@" | xargs -P "$(nproc)" -I {} bash -c "fuzz_one $seconds {}" | tee build/fuzz.txt
    [ "${PIPESTATUS[1]}" = 0 ] || bad=1
    awk '$3 == "inputs" { n += $2; t++ } END { printf "%d targets, %d inputs\n", t, n }' build/fuzz.txt
    return $bad
}

lines() {
    local bad=0 program target file covered all
    for program in "$@"; do
        target=$(target_of "$program")
        find "${program%"$target"}" -name '*.gcda' -delete
        "$program" $([ ! -d "build/fuzz/$target" ] || echo "build/fuzz/$target") >/dev/null || bad=1
        for file in $(note reader "$target.c"); do
            read -r covered all < <(gcov -n -o "${program%"$target"}${file%.c}.o" "$file" 2>/dev/null | grep -A 1 "File '$file'" |
                sed -n 's/^Lines executed:\([0-9.]*\)% of \([0-9]*\)/\1 \2/p')
            printf '%-28s reaches %6s %% of %4s lines of %s\n' "$target" "${covered:-0}" "${all:-0}" "$file"
            awk "BEGIN { exit !(${covered:-0} < 80) }" && bad=1
        done
    done
    return $bad
}

planted() {
    local seconds=$1 bad=0 target copy file command
    shift
    for target in "$@"; do
        copy=$(mktemp -d)
        git ls-files -z -c -o --exclude-standard | xargs -0 cp --parents -t "$copy"
        read -r file command < <(note planted "$target.c")
        cp "$copy/$file" "$copy/before"
        sed -i "$command" "$copy/$file"
        if cmp -s "$copy/before" "$copy/$file"; then
            echo "$target: its planted bug changes nothing: $file $command"
            bad=1
        elif ! make -C "$copy" --no-print-directory CC=clang MODE=fuzz ONLY="$target" fuzz-programs >"$copy/log" 2>&1; then
            tail -n 5 "$copy/log"
            bad=1
        elif (cd "$copy" && scripts/fuzz.sh run "$seconds" "build/$(uname -m)-clang-fuzz/$target") >"$copy/log" 2>&1; then
            echo "$target: the planted bug was not found in $seconds s: $file $command"
            bad=1
        else
            sed -n "s|^$target|& found what was planted in $file:|p" "$copy/log"
        fi
        rm -rf "$copy"
    done
    return $bad
}

mkdir -p build/fuzz
$what "$@"
