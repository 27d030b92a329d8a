#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The test suites of `make test` (native) and `make test-all` (all); ends with one line of totals.
set -u
cd "$(dirname "$0")/.."
jobs=$(nproc)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed_suites=0

# suite NAME make-arguments...: its own heading, its totals kept for the end
suite() {
    local name=$1
    shift
    echo "== $name"
    make --no-print-directory -j "$jobs" check "$@" 2>&1 | tee -a "$log"
    [ "${PIPESTATUS[0]}" = 0 ] || { failed_suites=$((failed_suites + 1)); echo "suite failed: $name" >>"$log"; }
}

suite "native, release"
suite "kernels and base under ASan and UBSan" MODE=asan ONLY=kernels/
if [ "${1:-native}" = all ]; then
    suite "everything under ASan and UBSan" MODE=asan
    suite "kernels, gcc -O0" MODE=debug ONLY=kernels/
    suite "threads under TSan" MODE=tsan ONLY=pipeline/test_threads
    suite "clang" CC=clang
    suite "kernels, clang -O0" CC=clang MODE=debug ONLY=kernels/
    for cpu in Nehalem Haswell; do
        suite "kernels on $cpu (qemu)" ONLY=kernels/ RUN="qemu-x86_64 -cpu $cpu"
    done
    for cpu in max cortex-a53; do
        suite "kernels on aarch64 $cpu (qemu)" CC=aarch64-linux-gnu-gcc WORKER=1 ONLY=kernels/ RUN="qemu-aarch64 -cpu $cpu"
    done
fi
make --no-print-directory symbols lint || failed_suites=$((failed_suites + 1))
# A suite that did not even build counts as a failure.
awk -v broken=$failed_suites '/^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3; s += $5 }
    END { if (broken && !f) f = broken; printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 }' "$log"
