#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What llvm-mca predicts for the inner loops of NEON kernels: a model, not a measurement, on a CPU that it
# has a model of its own for (LLVM 14 has none of a Neoverse): Kunpeng 920, with two 128-bit pipes and two
# load ports as a Neoverse N1 has.  Loads hit L1; prologues, tails and reductions are left out.
#   make CC=aarch64-linux-gnu-gcc WORKER=1      first
#   neon_model.sh [FILE:FUNCTION:INSTRUCTION:UNITS:NEEDED ...]
# A FILE of kernels/ and a FUNCTION in it (empty: any), what to look for in its loops, how many units of work
# one such instruction does, and how many a vector needs.
set -eu
cd "$(dirname "$0")/.."
cpu=${CPU:-tsv110} mhz=${MHZ:-2600}
# d = 384 (scan_lut: 4 bits, batches); fht_f32: n = 256, 8 stages of one addition or subtraction an element.
[ $# -gt 0 ] || set -- dot_f32_neon::fmla:4:384 dot_i8_neondot::sdot:16:384 tile_i8_neoni8mm::smmla:32:384 \
    scan_lut_neondot:scan_4:sdot:16:384 "fht_f32_neon::fadd|fsub:4:2048"

# Innermost loops end in a branch back and hold no other; of these the one with most of the work.
heaviest_loop() {
    aarch64-linux-gnu-objdump -d --no-show-raw-insn "$1" | awk -v work="$2" -v function_="$3" '
        function hex(s,    i, n) { for (i = 1; i <= length(s); i++) n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return n }
        /^[0-9a-f]+ </ { inner = NR; mine = function_ == "" || index($2, "<" function_ ">") }
        mine && /^ +[0-9a-f]+:/ {
            sub(/:$/, "", $1); at[NR] = hex($1); word[NR] = $2; line[NR] = $0; sub(/^ *[0-9a-f]+:?[ \t]*/, "", line[NR])
            if ($2 !~ /^(b\..*|cbn?z|tbn?z)$/) next
            to = $0; sub(/ *<.*/, "", to); sub(/.*[ \t]/, "", to); to = hex(to)
            if (to > at[NR]) next
            for (first = NR; first > inner && at[first] > to; first--) ;
            if (at[first] != to || first <= inner) next
            inner = NR; count = 0
            for (i = first; i <= NR; i++) count += word[i] ~ "^(" work ")$"
            if (count > best) { best = count; from = first; end = NR }
        }
        END { print "# " best + 0; print "1:"; for (i = from; best && i < end; i++) print line[i]; if (best) print "b.ne 1b" }'
}

printf '%-20s %8s %14s %14s %16s\n' kernel loop 'cycles/turn' 'cycles/vector' "ns at $mhz MHz"
for asked; do
    IFS=: read -r file function word units needed <<<"$asked"
    object=$(echo build/aarch64*-release-worker/kernels/*/"$file".o)
    [ -e "$object" ] || { echo "$file: not built for aarch64" >&2; exit 1; }
    loop=$(heaviest_loop "$object" "$word" "$function")
    count=$(sed -n '1s/# //p' <<<"$loop")
    [ "$count" -gt 0 ] || { echo "$file: no loop with $word" >&2; exit 1; }
    cycles=$(sed 1d <<<"$loop" | llvm-mca -mtriple=aarch64 -mcpu="$cpu" -mattr=+dotprod,+i8mm -iterations=200 - 2>/dev/null |
        sed -n 's/^Total Cycles: *//p')
    awk -v file="$file" -v count="$count" -v cycles="$cycles" -v units="$units" -v needed="$needed" -v mhz="$mhz" -v word="$word" 'BEGIN {
        turn = cycles / 200; vector = turn * needed / (count * units)
        printf "%-20s %4d %-10s %7.1f %14.1f %16.1f\n", file, count, word, turn, vector, vector * 1000 / mhz }'
done
