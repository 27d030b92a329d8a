#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a compiler does not see: the direction of includes, the shape of the text, and that every
# CPU feature the ISA flags switch on is one that kernels/needs.h records.
#   lint.sh ISA:FLAGS ...      as `make lint` calls it; CC= the compiler that takes those flags
set -u
cd "$(dirname "$0")/.."

# Not the inputs of fuzz targets: they are bytes.
files() { find kernels index pipeline datasets bench scripts .ci Makefile -type f -not -path '*/fuzz_*/*' "$@" | sort; }
mapfile -t code < <(files \( -name '*.[ch]' -o -name '*.cpp' \))
mapfile -t text < <(files; find README.md DESIGN.md CONTRIBUTING.md CHANGELOG.md CITATION.cff results/README.md 2>/dev/null)
mapfile -t libraries < <(printf '%s\n' "${code[@]}" | grep -E '^(kernels|index|pipeline|datasets)/' | grep -vE '/(test|check|fuzz)[_.]')

# report WHAT: every line of standard input is one finding
report() {
    local line
    while IFS= read -r line; do printf '%s: %s\n' "${line:0:100}" "$1"; done
}

# may FOLDER ALLOWED: the sources right in FOLDER include from ALLOWED only.  Tests and fuzz targets are on
# top of their folder: they may look wherever an oracle is.
may() {
    local sources
    mapfile -t sources < <(printf '%s\n' "${code[@]}" | grep -E "^$1/[^/]*$" | grep -vE '/(test|fuzz)_')
    [ "${#sources[@]}" = 0 ] || grep -nHE '^# *include "' "${sources[@]}" |
        grep -vE "include \"($2|gen)/[^/\"]*\"" | report "$1 may not include this"
}

includes() {
    may kernels/base 'kernels/base'
    may kernels 'kernels|kernels/base'
    local family
    for family in rows codes; do may kernels/$family "kernels/$family|kernels|kernels/base"; done
    for family in tiles rotations lists; do may kernels/$family "kernels/$family|kernels/rows|kernels|kernels/base"; done
    may kernels/scans 'kernels/scans|kernels/codes|kernels|kernels/base'
    may index 'index|kernels/codes|kernels|kernels/base'
    may datasets 'datasets|kernels/base'
    may pipeline 'pipeline|index|kernels|kernels/base'
    # The rooms of bench/, each sees those before it; bench/*.c sees all.
    local under='kernels|kernels/[a-z]+|index|pipeline|datasets' seen=
    for room in time quality rows 'micro points kb' sweep 'contest papers report'; do
        for r in $room; do may "bench/$r" "$under$seen|bench/$r"; done
        seen="$seen|bench/${room// /|bench/}"
    done
    may bench/peers 'bench/peers|index|kernels/base'
}

shape() {
    grep -nHP '[^\x00-\x7F]' "${text[@]}" | report 'not ASCII'
    grep -nHE '[[:blank:]]+$' "${text[@]}" | report 'blanks at the end'
    printf '%s\n' "${text[@]}" | grep -vE '^Makefile$|\.tsv$' | xargs grep -nHP '\t' | report 'tab'
    for f in "${text[@]}"; do
        [ ! -s "$f" ] || [ -z "$(tail -c 1 "$f")" ] || echo "$f"
    done | report 'no newline at the end'
    printf '%s\n' "${text[@]}" | grep -E '\.(c|h|cpp|sh|gp|sql)$' | while read -r f; do
        head -n 2 "$f" | grep -q 'SPDX-License-Identifier: MIT' || echo "$f"
    done | report 'no SPDX line on top'
}

# A body runs from a brace alone in column 1 to the brace that closes it.
functions() {
    awk 'FNR == 1 { start = 0 }
         /^\{$/ { start = FNR }
         /^\}/ && start {
             if (FNR - start + 1 > 70) printf "%s:%d: %d lines\n", FILENAME, start, FNR - start + 1
             start = 0
         }' "${code[@]}" | report 'function of more than 70'
}

# Libraries return errors.  (A child after fork may _exit.)
calls() {
    grep -nHP '(?<![\w.>])(v?printf|puts|putchar|perror|exit|abort) *\(|\bf(printf|putc) *\( *std(out|err)|\bfputs *\(.*std(out|err)' \
        "${libraries[@]}" | grep -vE '^[^:]*:[0-9]*: *(\*|/\*|//)' | report 'a library neither prints nor exits'
}

# A bare worker leaves out what includes an optional library (Makefile): whoever uses such a file must include one, too, or
# do without by ASSAY_WORKER, or no worker links.
worker() {
    local left user header with
    with=$(sed -n 's/^optional := //p' Makefile | sed 's/[.]/[.]/g; s/ /|/g')
    left=$(printf '%s\n' "${code[@]}" | grep '[.]c$' | xargs grep -lE "^#include <($with)>")
    for header in $(sed 's/c$/h/' <<<"$left"); do
        printf '%s\n' "${code[@]}" | grep '[.]c$' | xargs grep -l "^#include \"$header\"" | while read -r user; do
            grep -qxF "$user" <<<"$left" || grep -q ASSAY_WORKER "$user" || echo "$user: $header"
        done
    done | report 'a bare worker has not what this includes'
}

# A feature that a flag switches on and needs.h does not know would run unchecked.  Left out is
# what every CPU with Armv8.2 has.
macros() { "${CC:-cc}" "$@" -dM -E -x c /dev/null | awk '{ print $2 }' | sort; }
features() {
    local row
    for row in "$@"; do
        # shellcheck disable=SC2086
        comm -13 <(macros) <(macros ${row#*:}) |
            grep -E '^__(AVX|FMA|F16C|GFNI|BMI|LZCNT|VAES|VPCLMUL|AMX|ARM_NEON|ARM_FEATURE)' |
            grep -vE '^__ARM_FEATURE_(ATOMICS|CRC32|QRDMX)$' |
            while read -r macro; do
                grep -qw "$macro" kernels/needs.h || echo "kernels/isa.def: ${row%%:*}: $macro"
            done
    done | report 'enabled, but not recorded by kernels/needs.h'
}

findings=$(includes; shape; scripts/kernel_table.sh --check; functions; calls; worker; features "$@")
[ -z "$findings" ] && exit 0
printf '%s\n' "$findings"
echo "lint: $(printf '%s\n' "$findings" | wc -l) findings"
exit 1
