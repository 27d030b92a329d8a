#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs test programs that print TAP, shows what failed, and ends with "N passed, N failed, N skipped".
# As many run at a time as there are CPUs, scripts first, for they take longest; what they say comes in
# the order of the arguments all the same, each as soon as those before it are through.
#   run_tests.sh PROGRAM...      RUN="qemu-aarch64 -cpu max" wraps each   JOBS=1 runs one at a time
# USES=DIR: the files there list what each program uses; one that passed before and uses nothing newer is not run again,
# and counts as it did.  ALL=1 runs them all.
set -u
jobs=${JOBS:-$(nproc)}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
passed=0 failed=0 skipped=0 shown=0 as_before=0
around="${RUN:-} ${CC:-} ${STRICT:-} ${ASSAY_ISA:-}"

# unchanged PROGRAM: it passed, in these surroundings, and all that it uses is older than that
unchanged() {
    local uses=${USES:-}/${1//\//_} before
    [ -n "${USES:-}" ] && [ -z "${ALL:-}" ] && [ -e "$uses.passed" ] || return 1
    { read -r ok skip && IFS= read -r before; } <"$uses.passed"
    # shellcheck disable=SC2046
    [ "$before" = "$around" ] && [ -z "$(find -L $(cat "$uses") -newer "$uses.passed" -print -quit 2>&1)" ]
}

programs=()
for program in "$@"; do
    if unchanged "$program"; then
        passed=$((passed + ok - skip)) skipped=$((skipped + skip)) as_before=$((as_before + 1))
    else programs+=("$program"); fi
done

# run NUMBER: the program's words, its exit status and its seconds into files of that number
run() {
    local started=$SECONDS status uses=${USES:-}/${programs[$1]//\//_}
    [ -z "${USES:-}" ] || { rm -f "$uses.passed"; touch "$uses.started"; }
    # shellcheck disable=SC2086
    ${RUN:-} "${programs[$1]}" >"$logs/$1" 2>&1
    status=$?
    echo "$status $((SECONDS - started))" >"$logs/$1.new" && mv "$logs/$1.new" "$logs/$1.done"
}

show() {
    local log=$logs/$1 program=${programs[$1]} name status seconds ok bad skip uses=${USES:-}/${programs[$1]//\//_}
    name=$(basename "$(dirname "$program")")/$(basename "$program")
    read -r status seconds <"$log.done"
    ok=$(grep -c '^ok ' "$log") bad=$(grep -c '^not ok ' "$log") skip=$(grep -c '^ok .*# SKIP' "$log")
    # A program that died without a word is one failure.
    if [ "$bad" = 0 ] && [ "$status" != 0 ]; then bad=1; fi
    if [ "$ok" = 0 ] && [ "$bad" = 0 ]; then bad=1; echo "$name: ran no case"; fi
    passed=$((passed + ok - skip)) failed=$((failed + bad)) skipped=$((skipped + skip))
    printf '%-40s %4d ok %3d failed %3d skipped %4d s\n' "$name" $((ok - skip)) "$bad" "$skip" "$seconds"
    grep '^ok .*# SKIP' "$log" | sed 's/^ok [0-9]* - /    skipped: /; s/# SKIP/:/' | head -n 20
    [ "$bad" != 0 ] || [ -z "${USES:-}" ] ||
        { printf '%s %s\n%s\n' "$ok" "$skip" "$around" >"$uses.passed" && touch -r "$uses.started" "$uses.passed"; }
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
[ $as_before = 0 ] || echo "$as_before programs are as they were when they passed (ALL=1 runs them too)"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
