#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs test programs that print TAP, shows what failed, and ends with "N passed, N failed, N skipped".
# As many run at a time as there are CPUs, scripts first, for they take longest; what they say comes in
# the order of the arguments all the same, each as soon as those before it are through.
#   run_tests.sh PROGRAM...      RUN="qemu-aarch64 -cpu max" wraps each   JOBS=1 runs one at a time
set -u
jobs=${JOBS:-$(nproc)}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
programs=("$@")
passed=0 failed=0 skipped=0 shown=0

# run NUMBER: the program's words, its exit status and its seconds into files of that number
run() {
    local started=$SECONDS status
    # shellcheck disable=SC2086
    ${RUN:-} "${programs[$1]}" >"$logs/$1" 2>&1
    status=$?
    echo "$status $((SECONDS - started))" >"$logs/$1.new" && mv "$logs/$1.new" "$logs/$1.done"
}

show() {
    local log=$logs/$1 program=${programs[$1]} name status seconds ok bad skip
    name=$(basename "$(dirname "$program")")/$(basename "$program")
    read -r status seconds <"$log.done"
    ok=$(grep -c '^ok ' "$log") bad=$(grep -c '^not ok ' "$log") skip=$(grep -c '^ok .*# SKIP' "$log")
    # A program that died without a word is one failure.
    if [ "$bad" = 0 ] && [ "$status" != 0 ]; then bad=1; fi
    if [ "$ok" = 0 ] && [ "$bad" = 0 ]; then bad=1; echo "$name: ran no case"; fi
    passed=$((passed + ok - skip)) failed=$((failed + bad)) skipped=$((skipped + skip))
    printf '%-40s %4d ok %3d failed %3d skipped %4d s\n' "$name" $((ok - skip)) "$bad" "$skip" "$seconds"
    grep '^ok .*# SKIP' "$log" | sed 's/^ok [0-9]* - /    skipped: /; s/# SKIP/:/' | head -n 20
    [ "$bad" = 0 ] || { grep -v '^ok ' "$log" | head -n 60 | sed 's/^/    /'; echo "    exit status $status"; }
}

show_ready() {
    while [ $shown -lt ${#programs[@]} ] && [ -e "$logs/$shown.done" ]; do show $shown; shown=$((shown + 1)); done
}

order=()
for i in "${!programs[@]}"; do [[ ${programs[i]} != *.sh ]] || order+=("$i"); done
for i in "${!programs[@]}"; do [[ ${programs[i]} == *.sh ]] || order+=("$i"); done
pids=()
for i in "${order[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    show_ready
    run "$i" &
    pids[i]=$!
done
for i in "${!programs[@]}"; do wait "${pids[i]}"; show_ready; done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
