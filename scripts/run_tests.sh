#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs test programs that print TAP, shows what failed, and ends with "N passed, N failed, N skipped".
#   run_tests.sh PROGRAM...      RUN="qemu-aarch64 -cpu max" wraps each
set -u
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program in "$@"; do
    name=$(basename "$(dirname "$program")")/$(basename "$program")
    started=$SECONDS
    # shellcheck disable=SC2086
    $RUN "$program" >"$log" 2>&1
    status=$?
    ok=$(grep -c '^ok ' "$log") bad=$(grep -c '^not ok ' "$log") skip=$(grep -c '^ok .*# SKIP' "$log")
    # A program that died without a word is one failure.
    if [ "$bad" = 0 ] && [ $status != 0 ]; then bad=1; fi
    if [ "$ok" = 0 ] && [ "$bad" = 0 ]; then bad=1; echo "$name: ran no case"; fi
    passed=$((passed + ok - skip)) failed=$((failed + bad)) skipped=$((skipped + skip))
    printf '%-40s %4d ok %3d failed %3d skipped %4d s\n' "$name" $((ok - skip)) "$bad" "$skip" $((SECONDS - started))
    grep '^ok .*# SKIP' "$log" | sed 's/^ok [0-9]* - /    skipped: /; s/# SKIP/:/' | head -n 20
    [ "$bad" = 0 ] || { grep -v '^ok ' "$log" | head -n 60 | sed 's/^/    /'; echo "    exit status $status"; }
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
