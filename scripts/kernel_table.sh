#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The table operation x ISA x variant of kernels/README.md, of every architecture: what the build registers,
# from the names of the kernel files and the rows of their tables.
#   kernel_table.sh            prints it
#   kernel_table.sh --write    puts it in its place in kernels/README.md
#   kernel_table.sh --check    fails where that is stale (make lint)
set -u
cd "$(dirname "$0")/.."

table() {
    echo '| operation | rows, weakest ISA first (+ the same bits, * free order: by name only) |'
    echo '|---|---|'
    local op isa file ops
    ops=$(sed -n 's/^OP.\([a-z0-9_]*\),.*/\1/p' kernels/ops.def | paste -sd '|')
    sed -n 's/^OP.\([a-z0-9_]*\),.*/\1/p' kernels/ops.def | while read -r op; do
        sed -n 's/^ISA.\([a-z0-9]*\),.*/\1/p' kernels/isa.def | while read -r isa; do
            for file in kernels/{,*/}"$op"_"$isa".c kernels/{,*/}"$op"_*_"$isa".c; do
                # Of the operations that its name starts with, a file belongs to the longest (pack_split_avx2.c).
                [ "$(basename "$file" | grep -oE "^($ops)_")" = "${op}_" ] && [ -e "$file" ] && sed -n 's/^ *KERNEL("\([^"]*\)", [a-z0-9_]*, KERNEL_\([A-Z]*\),.*/\1 \2/p' "$file" |
                    sed "s|^|$isa/|; s| DEFAULT||; s| SAME|+|; s| FREE|*|"
            done
        done | paste -sd ' ' | sed "s/^/| $op | /; s/$/ |/"
    done
}

readme() {
    awk -v table="$(table)" '/^<!-- scripts.kernel_table.sh -->$/ { print; print table; skip = 1 }
        /^<!-- end of the table -->$/ { skip = 0 }
        !skip' kernels/README.md
}
case ${1:-} in
    '') table ;;
    --write) new=$(readme) && printf '%s\n' "$new" > kernels/README.md ;;
    --check) readme | diff -q - kernels/README.md > /dev/null || { echo 'kernels/README.md: the table is stale: scripts/kernel_table.sh --write'; exit 1; } ;;
    *) echo "usage: kernel_table.sh [--write | --check]" >&2; exit 2 ;;
esac
