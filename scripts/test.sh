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
    make --no-print-directory -j "$jobs" check ALL=1 "$@" 2>&1 | tee -a "$log"
    [ "${PIPESTATUS[0]}" = 0 ] || { failed_suites=$((failed_suites + 1)); echo "suite failed: $name" >>"$log"; }
}

# The suites link nothing; who runs them first of all will want the program too.
[ -e build/assay ] || make --no-print-directory -j "$jobs" all
emulated="kernels/ index/test_agree datasets/test_gen_bytes"
[ "${1:-native}" = native ] || export LONG=1 # test_kills.sh
suite "native, release"
if [ "${1:-native}" = native ]; then
    suite "kernels and base under ASan and UBSan" MODE=asan ONLY=kernels/
else
    suite "everything under ASan and UBSan" MODE=asan
    suite "kernels, gcc -O0" MODE=debug ONLY=kernels/
    suite "threads under TSan" MODE=tsan ONLY="pipeline/test_threads pipeline/test_live pipeline/test_extension"
    suite "clang" CC=clang
    make --no-print-directory check-caps 2>&1 | tee -a "$log"
    [ "${PIPESTATUS[0]}" = 0 ] || failed_suites=$((failed_suites + 1))
    suite "kernels, clang -O0" CC=clang MODE=debug ONLY=kernels/
    # STRICT: what this CPU must run, and not skip
    on_x86() { suite "kernels on $1 (qemu)" ONLY="$emulated" RUN="qemu-x86_64 -cpu $1" STRICT="$2"; }
    on_arm() {
        suite "kernels on aarch64 $1 (qemu)" CC=aarch64-linux-gnu-gcc WORKER=1 ONLY="$emulated" \
            RUN="qemu-aarch64 -cpu $1" STRICT="$2"
    }
    on_x86 Nehalem ""
    on_x86 Haswell avx2
    on_arm max neon,neondot,neoni8mm
    on_arm cortex-a53 neon
fi
make --no-print-directory -j "$jobs" --output-sync count symbols lint || failed_suites=$((failed_suites + 1))
# A suite that did not even build counts as a failure.
awk -v broken=$failed_suites '/^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3; s += $5 }
    END { if (broken && !f) f = broken; printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 }' "$log"
