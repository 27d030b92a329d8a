#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is committed about the speed of kernels is what the samples beside it say: the page, README's claims, and the lines of
# CPUs that rows call themselves the default of.  Prints TAP.
#   ASSAY=build/.../assay test_kernel_page.sh     (make check ONLY=scripts/)
set -u
cd "$(dirname "$0")/.."
case_count=0 bad=0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# ok NAME COMMAND...: one case
ok() {
    case_count=$((case_count + 1))
    if "${@:2}" >"$copy.said" 2>&1; then echo "ok $case_count - $1"; else
        bad=1
        echo "not ok $case_count - $1"
        head -n 15 "$copy.said"
    fi
    rm -f "$copy.said"
}
# is_noticed SED FILE: one sample file changed, and the page is another
is_noticed() {
    rm -rf "$copy/kernels" && cp -r results/kernels "$copy/kernels" && sed -i "$1" "$copy/kernels/$2" &&
        ! cmp "results/kernels/$2" "$copy/kernels/$2" && ! KERNELS=$copy/kernels scripts/kernel_page.sh check
}
# A line of CPUs with tiles beside those committed: its own heading and targets, and the others' stay as they are.
with_tiles() {
    rm -rf "$copy/kernels" && cp -r results/kernels "$copy/kernels" && cd "$copy/kernels" && cp -r zen4 redwoodcove &&
        sed 's|avx512vnni\([:/]\)panels|amxint8\1tiles2x2|; s/^# cpu: .*/# cpu: A CPU with tiles/' zen4.csv >redwoodcove.csv &&
        cd - >/dev/null && KERNELS=$copy/kernels scripts/kernel_page.sh page >"$copy/page" &&
        awk '/^## / { line = $2 } /^### / { part = $2 } { print line, part, $0 }' "$copy/page" >"$copy/lines" &&
        grep -q '^redwoodcove Targets | work .* target with AMX' "$copy/lines" &&
        grep -q '^redwoodcove Targets | tile_i8, 64 x 256, d = 384 .*| <= 0.3 ns |' "$copy/lines" &&
        grep -q '^redwoodcove Every | tile_i8 | .*| amxint8/tiles2x2 |' "$copy/lines" &&
        ! grep -E '^redwoodcove .*Zen 4' "$copy/lines" && ! grep 'no machine that was at hand' "$copy/page" &&
        grep -q '^zen4 Targets | work .* target without AMX' "$copy/lines" &&
        KERNELS=$copy/kernels scripts/kernel_page.sh claims | grep -q '^\* redwoodcove (A CPU with tiles), one thread'
}
# A row that calls itself the default of a line of CPUs beats the widest there at some shape that is committed, and at none is
# the widest the best.
lines_are_earned() {
    local file line op row
    for file in $(grep -l '\.lines = "' kernels/*/*.c); do
        row=${file##*_} row=${row%.c} op=$(basename "$file" "_$row.c")
        row=$row/$(grep -B 3 '\.lines = "' "$file" | sed -n 's/.*KERNEL("\([^"]*\)".*/\1/p')
        for line in $(sed -n 's/.*\.lines = "\([^"]*\)".*/\1/p' "$file"); do
            scripts/kernel_page.sh page "$line" | awk -F ' *[|] *' -v op="$op" -v row="$row" '
                $2 == op && $4 == row { print; won += $9 ~ "not best.* by " row; lost += $9 == "best here" }
                END { exit !(won && !lost) }' || { echo "$file: $line"; return 1; }
        done
    done
}

case $(uname -m) in
    x86_64) ;;
    *) echo 'ok 1 - kernel page # SKIP the samples are of rows that this build has not'; echo '1..1'; exit 0 ;;
esac
ok 'page and claims are what the samples say' scripts/kernel_page.sh check
line=$(cd results/kernels && grep -l '^pq_8' -- */index.csv | sed -n '1s|/.*||p')
ok 'a sample that differs makes another page' is_noticed '/^dot_f32\/avx2\/rows3/s/,[0-9.]*$/,1/' "$line.csv"
ok 'so does a measurement of an index' is_noticed '/^pq_8/s/per_vector,[0-9.]*/per_vector,99/' "$line/index.csv"
ok 'a line of CPUs with AMX has a page and targets of its own' with_tiles
ok 'rows that are defaults of lines of CPUs beat the widest there, and lose nowhere' lines_are_earned
echo "1..$case_count"
exit $bad
