#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Measures the kernels of this machine beside their ceilings and other libraries, and writes results/kernels/README.md.
#   kernel_page.sh measure [STEP ...]   into results/kernels/: LINE.csv (kernels), LINE/*.csv (shapes), LINE/index.csv; quiet
#                                       machine, some ten minutes; steps: kernels shapes data batch query build pipeline
#   kernel_page.sh page [LINE ...]      the page of what is committed, to standard output; no number of its own
#   kernel_page.sh claims [LINE ...]    what README says of speed: the page in a few lines
#   kernel_page.sh write | check        both into their places; or whether they stand there (a test asks)
# OLD=PATH: an assay of another day, whose batches are timed by turns with this one's.  DATA=DIR: where its data lies (build/data).
# SHAPES=REGEX: of the shapes those whose names begin so.
set -eu
cd "$(dirname "$0")/.."
assay=${ASSAY:-build/assay} dir=${KERNELS:-results/kernels} data=${DATA:-build/data} processes=12 reps=${REPS:-8}

# What is timed besides one run over all operations: name, filter, arguments, and the target of the page.
shapes() {
    cat <<'S'
tile_i8_64x256 tile_i8 --dim 384 --batch 64 --rows 256
tile_i8_256x4096 tile_i8 --dim 1536 --batch 256 --rows 4096
tile_f32_384 tile_f32 --dim 384 --batch 256 --rows 4096
tile_f32_1536 tile_f32 --dim 1536 --batch 256 --rows 4096
sign_dram scan_sign --dim 384 --where dram
sign_100k scan_sign --dim 384 --rows 100000
sign_100k_1536 scan_sign --dim 1536 --rows 100000
dot_f32_l1 dot_f32 --dim 384 --where l1
dot_f32_dram dot_f32 --dim 1536 --where dram
dot_f16_l3 dot_f16 --dim 384 --where l3
dot_bf16_l3 dot_bf16 --dim 384 --where l3
dot_i8_l3 dot_i8 --dim 384 --where l3
cosine_f16_l3 cosine_f16 --dim 384 --where l3
cosine_f16_dram cosine_f16 --dim 384 --where dram
unpack_l3 unpack --dim 384 --where l3
scan_lut_64 scan_lut --dim 384 --where l2 --batch 64
scan_sign_64 scan_sign --dim 384 --where l2 --batch 64
S
}

line() { "$assay" info | sed -n 's/^line  *\([a-z0-9]*\)$/\1/p' | grep . || echo unknown; }

bench() { "$assay" bench "$@" --processes $processes --rounds 12 >/dev/null; }

# field NAME: the number of that name in the last JSON object of the input
field() { sed -n "s/.*\"$1\":\([0-9.e+-]*\).*/\1/p" | tail -n 1; }

# row WORK ARM REP COLUMN COMMAND...: one line of index.csv, out of what the command prints as JSON
row() {
    local work=$1 arm=$2 rep=$3 column=$4 said
    said=$("${@:5}" --json)
    echo "$work,$arm,$rep,$column,$(field "$column" <<<"$said"),$(field recall_strict <<<"$said")" >>"$index"
}

ann() { echo "$1" ann --base "$data/kernels_$2/base.fvecs" --query "$data/kernels_$2/query.fvecs" --truth "$data/kernels_$2/truth.ivecs"; }

make_data() {
    local dim
    for dim in 384 1536; do
        [ ! -e "$data/kernels_$dim/truth.ivecs" ] || continue
        "$assay" data gen --kind clustered --n 100000 --dim $dim --queries 1000 --seed 1 --out "$data/kernels_$dim"
        "$assay" data truth --base "$data/kernels_$dim/base.fvecs" --query "$data/kernels_$dim/query.fvecs" -k 10 --metric cosine \
            --out "$data/kernels_$dim/truth.ivecs"
    done
    [ -e "$data/kernels_kg/kb.sqlite" ] ||
        "$assay" data gen --kind kg --n 20000 --dim 384 --relations 100000 --queries 200 --seed 1 --out "$data/kernels_kg"
}

step() {
    local rep dim bits name filter arguments
    case $1 in
    kernels) bench --dim 384 --where l2 --budget 0.1 --save "$dir/$line.csv" ;;
    shapes) shapes | grep -E "^${SHAPES:-.}" | while read -r name filter arguments; do
        # shellcheck disable=SC2086
        bench "$filter" $arguments --no-baselines --budget 0.3 --save "$dir/$line/$name.csv"
    done ;;
    data) make_data ;;
    batch) for rep in $(seq "$reps"); do for dim in 384 1536; do for bits in 4 8; do
        # shellcheck disable=SC2046
        [ -z "${OLD:-}" ] || row batch_${bits}_$dim old $rep ns_per_vector $(ann "$OLD" $dim) --index turboquant:bits=$bits --batch 1000 --min-calls 3
        # shellcheck disable=SC2046
        row batch_${bits}_$dim ours $rep ns_per_vector $(ann "$assay" $dim) --index turboquant:bits=$bits --batch 1000 --min-calls 3
    done; done; done ;;
    query) for rep in $(seq "$reps"); do for dim in 384 1536; do
        # shellcheck disable=SC2046
        row query_4_$dim ours $rep ns_per_vector $(ann "$assay" $dim) --index turboquant:bits=4
    done; done ;;
    build) for rep in $(seq "$reps"); do
        # shellcheck disable=SC2046
        row ivf_512 ours $rep build_s $(ann "$assay" 384) --index ivf:nlist=512 --min-calls 200
        # shellcheck disable=SC2046
        row pq_8 ours $rep ns_per_vector $(ann "$assay" 384) --index pq:nbits=8,m=96 --min-calls 200
    done ;;
    pipeline) for rep in $(seq "$reps"); do
        row rag_p50 ours $rep lat_p50_us "$assay" rag --kb "$data/kernels_kg/kb.sqlite" --query "$data/kernels_kg/query.fvecs" -k 10
    done ;;
    *) echo "kernel_page.sh: no step $1" >&2; exit 2 ;;
    esac
}

measure() {
    line=$(line) index=$dir/$line/index.csv
    mkdir -p "$dir/$line" "$data"
    [ $# -gt 0 ] || { set -- data kernels shapes batch query build pipeline; rm -f "$index"; }
    [ -e "$index" ] || { cat "$dir/$line.csv" 2>/dev/null | sed -n "/^# \(machine\|cpu\|hypervisor\|build\|assay\|time\):/p"; echo work,arm,rep,what,value,recall; } >"$index"
    local one
    for one in "$@"; do step "$one"; done
}

# has_amx LINE...: one of them was measured with tiles.
has_amx() { (cd "$dir" && grep -lq '^tile_i8/amxint8/tiles' "${@/%/.csv}"); }

# targets LINE: the table of what was asked for, out of the tables of `assay table` and index.csv.  An interval of eight pairs
# is from the least to the most of them (sign test, 99 %).
targets() {
    local name amx=0
    ! has_amx "$1" || amx=1
    {
        for name in "$dir/$1"/*.csv; do
            [ "${name##*/}" = index.csv ] && continue
            echo "file ${name##*/} $(sed -n 's/^# ceiling \([a-z0-9_]*\): \([0-9.]*\) .*/\1 \2/p' "$name" | tr '\n' ' ')"
            "$assay" table --markdown "$name" | grep '^| [a-z0-9_]* | d = '
        done
        grep -v '^#' "$dir/$1/index.csv" 2>/dev/null | tail -n +2
    } | awk -v line="$1" -v amx=$amx '
    function met(is) { return is ? "yes" : "**no**" }
    # "x1.24 [1.20, 1.26]" behind `what` in s: value, low, high
    function factor(s, what,   at) {
        at = what == "" ? 1 : index(s, what)
        if (!at || !match(substr(s, at), /x[0-9.]+ \[[0-9.]+, [0-9.]+\]/)) return 0
        cell = substr(s, at + RSTART - 1, RLENGTH)
        split(cell, n, /[][ x,]+/)
        value = n[2]; low = n[3]; high = n[4]
        return 1
    }
    function out(work, ours, beside, target, verdict, command) {
        printf "| %s | %s | %s | %s | %s | `%s` |\n", work, ours, beside, target, verdict, command
    }
    function level(name) { return low >= 1 ? "yes" : high >= 1 ? "level: not resolved" : "**no**" }
    function peer(name, work, who, target) {
        if (!(name in ns)) return
        if (factor(peers[name], who)) out(work, ns[name] " ns", who " " cell, target, target == "-" ? "" : level(name), "kernel_page.sh measure shapes")
        else out(work, ns[name] " ns", who ": not there in this run", target, "not measured", "kernel_page.sh measure shapes")
    }
    function share(name, work, ceiling, target, least,   s) {
        if (!(name in ns)) return
        s = ceiling == "" ? read[name] + 0 : 100 * dim[name] / (peak[name, ceiling] * ns[name])
        out(work, ns[name] " ns", sprintf("%.0f %% of the %s", s, ceiling == "" ? "read loop" : "int8 peak, " peak[name, ceiling] " G products/s"),
            target, met(s >= least), "kernel_page.sh measure shapes")
    }
    # median, least and most of the values of work and arm; of their ratios by pairs where two arms are named
    function gather(work, arm, over,   i, j, k, t) {
        count = 0
        for (i = 1; (work, arm, i) in seen; i++) v[++count] = over == "" ? seen[work, arm, i] : seen[work, over, i] / seen[work, arm, i]
        for (i = 2; i <= count; i++) for (j = i; j > 1 && v[j - 1] > v[j]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
        if (!count) return 0
        k = int((count + 1) / 2)
        value = count % 2 ? v[k] : (v[k] + v[k + 1]) / 2; low = v[1]; high = v[count]
        return 1
    }
    function range(unit) { return sprintf("%.3g%s [%.3g, %.3g]", value, unit, low, high) }
    # most: ns, where there is AMX
    function batch(bits, d, work, most,   ours) {
        if (!gather("batch_" bits "_" d, "ours", "")) return
        ours = range(" ns") ", recall " recall["batch_" bits "_" d, "ours"]
        if (amx) { out(work, ours, "-", "<= " most " ns", met(value <= most), "kernel_page.sh measure batch"); return }
        if (gather("batch_" bits "_" d, "ours", "old"))
            out(work, ours, "of the day the target was set: x" range(""), "no slower than then", level(""), "OLD=... kernel_page.sh measure batch")
        else out(work, ours, "-", "no slower than when the target was set", "not measured (OLD=)", "kernel_page.sh measure batch")
    }
    function tile(name, work, most) {
        if (!amx) share(name, work, "dot_i8", ">= 80 % of the int8 peak", 80)
        else if (name in ns) out(work, ns[name] " ns", "-", "<= " most " ns", met(ns[name] <= most), "kernel_page.sh measure shapes")
    }
    # The lines for which a target of their own was set, and all others.
    function signs(name, work) {
        if (!(name in ns)) return
        if (line == "zen4")
            out(work, ns[name] " ns", read[name] " of the read loop over the signs alone",
                "no worse than its file says on Zen 4: 1.93 ns, with `survive`", met(ns[name] <= 1.93), "kernel_page.sh measure shapes")
        else share(name, work, "", ">= 78 % of the read loop", 78)
    }
    function query(d, sign, work,   ours, bound, mine) {
        if (!gather("query_4_" d, "ours", "") || !(sign in readns)) return
        ours = range(" ns"); mine = value
        bound = readns[sign] * (d / 8 + 8) / (d / 8) # two floats a row: survive (ops.def)
        out(work, ours, sprintf("read loop over %d bytes of signs and factors: %.3g ns", d / 8 + 8, bound), "<= 1.15 x that",
            met(mine <= 1.15 * bound) sprintf(" (%.2f)", mine / bound), "kernel_page.sh measure query shapes")
    }
    function limit(work, name, unit, most, target,   ours) {
        if (!gather(name, "ours", "")) return
        out(work, range(unit), "-", target, met(value <= most), "kernel_page.sh measure")
    }
    /^file / { name = $2; sub(/\.csv$/, "", name); for (i = 3; i < NF; i += 2) peak[name, $i] = $(i + 1); next }
    /^\| / {
        split($0, c, / *\| */)
        ns[name] = c[5]; read[name] = c[6]; peers[name] = c[11]; match(c[3], /[0-9]+/); dim[name] = substr(c[3], RSTART, RLENGTH)
        readns[name] = ns[name] * c[6] / 100
        next
    }
    { split($0, c, ","); seen[c[1], c[2], c[3]] = c[5]; recall[c[1], c[2]] = c[6] }
    END {
        print "| work | here | beside it | target " (amx ? "with" : "without") " AMX | met | command |"
        print "| :--- | :--- | :--- | :--- | :--- | :--- |"
        batch(4, 384, "batch of 1,000, 4 bits, 100k x 384", .35); batch(8, 384, "batch of 1,000, 8 bits, 100k x 384", .40)
        batch(4, 1536, "batch of 1,000, 4 bits, 100k x 1536", 1.5); batch(8, 1536, "batch of 1,000, 8 bits, 100k x 1536", 1.7)
        tile("tile_i8_64x256", "tile_i8, 64 x 256, d = 384", .30)
        tile("tile_i8_256x4096", "tile_i8, 256 x 4096, d = 1536", 1.3)
        peer("tile_f32_384", "tile_f32, 256 x 4096, d = 384", "openblas", "<= sgemm")
        peer("tile_f32_1536", "tile_f32, 256 x 4096, d = 1536", "openblas", "<= sgemm")
        signs("sign_dram", "scan_sign, one query, DRAM, d = 384")
        query(384, "sign_100k", "one query, 4 bits, 100k x 384")
        query(1536, "sign_100k_1536", "one query, 4 bits, 100k x 1536")
        share("dot_f32_l1", "dot_f32, L1, d = 384", "", ">= 80 % of the read loop", 80)
        peer("dot_f32_l1", "dot_f32, L1, d = 384", "simsimd", "-")
        peer("dot_f32_dram", "dot_f32, DRAM, d = 1536", "openblas", "<= sgemv")
        peer("dot_f16_l3", "dot_f16, L3, d = 384", "simsimd", "<= SimSIMD")
        peer("dot_bf16_l3", "dot_bf16, L3, d = 384", "simsimd", "<= NumKong, which is not to be had here; SimSIMD")
        peer("dot_i8_l3", "dot_i8, L3, d = 384", "simsimd", "-")
        limit("ivf, nlist=512, 12 rounds of k-means, 100k x 384, trained and filled", "ivf_512", " s", 2.4, "<= 2.4 s")
        limit("pq, nbits=8, m=96, one query, 100k x 384", "pq_8", " ns", 25, "<= 25 ns")
        limit("pipeline, 20k x 384, 100k relations, p50", "rag_p50", " us", 220, "<= 220 us")
    }'
}

page() {
    local file line
    cat <<'P'
# Kernels, measured: which row is best where

Made by `scripts/kernel_page.sh` out of the samples beside it, which `scripts/kernel_page.sh measure` took on a quiet machine;
no number here is typed. Times of one thread; `x` is a time over ours, so above 1 we are faster; [intervals] are exact, 95 % for
all rows of a line together, over processes that pair rows round by round, and wider by what the default was off from itself
(A/A). "The widest" is the default of the strongest instruction set that has a row. Other machines' figures are not this one's.
P
    [ $# -gt 0 ] || set -- $(lines)
    for line in "$@"; do
        printf '\n## %s\n\n### Targets\n\n' "$line"
        targets "$line"
        has_amx $(lines) ||
            printf '\nRows for AMX run on no machine that was at hand: what they should cost is modelled, in `kernels/*/*amx*.c`.\n'
        printf '\n### Every operation\n\n'
        "$assay" table --markdown "$dir/$line.csv"
        printf '\n### Single shapes\n'
        for file in "$dir/$line"/*.csv; do
            [ "${file##*/}" = index.csv ] || { echo; "$assay" table --markdown "$file"; }
        done
    done
}

# claims LINE...: lines for README, each out of the page's tables.
claims() {
    local line
    for line in "$@"; do
        { targets "$line"; "$assay" table --markdown "$dir/$line.csv"; } | awk -F ' *[|] *' -v line="$line" '
        function factor(s) { return match(s, /x[0-9.]+ \[[0-9.]+, [0-9.]+\]/) ? substr(s, RSTART, RLENGTH) : "" }
        /^`/ { match($0, /cpu: [^,;]*/); cpu = substr($0, RSTART + 5, RLENGTH - 5) }
        NF == 8 && $6 ~ /^(yes|.*no|level)/ {
            if ($6 ~ /^yes/) met++
            else missed = missed (missed ? "; " : "") $2 (factor($4) ? " (" factor($4) ")" : $4 ~ /%/ ? " (" $4 ")" : " (" $3 ")")
            all++
            if ($4 ~ /^(openblas|simsimd)/) beside = beside (beside ? "; " : "") $2 " " $4
        }
        NF == 13 && $3 ~ /^d = / {
            rows++
            if ($9 == "best here") best++
            else if ($9 ~ /^not resolved/) open++
            else if ($9 ~ /^.*not best/) worse = worse (worse ? ", " : "") $2 " (" factor($9) " by " substr($9, index($9, " by ") + 4) ")"
            if (!factor($10)) next
            split(factor($10), n, /[][ x,]+/)
            compared++
            if (n[3] > 1) ahead++
            for (i = ++sorted; i > 1 && gain[i - 1] > n[2]; i--) gain[i] = gain[i - 1]
            gain[i] = n[2]
            if (n[2] > most) { most = n[2]; which = $2 }
        }
        END {
            printf "* %s (%s), one thread, 384 dimensions in L2: %d of %d default rows are faster than the best that gcc and clang make of the\n", line, cpu, ahead, compared
            printf "  scalar source, half of them x%.2f or more, at most x%.1f (`%s`).\n", gain[int((sorted + 1) / 2)], most, which
            printf "* Of %d operations the widest row is the best of those with the same bits in %d, not resolved from another in %d, and not the best in%s.\n", rows, best, open, worse == "" ? " none" : ":\n  " worse
            if (beside != "") printf "* Beside other libraries, in the same rounds: %s.\n", beside
            if (all) printf "* %d of %d targets are met%s.\n", met, all, missed == "" ? "" : "; not, or not resolved: " missed
        }'
    done
}

lines() { (cd "$dir" && ls -- *.csv | sed 's/\.csv$//'); }

# README with the claims between its marks
readme() {
    awk -v claims="$(claims $(lines))" '/^<!-- scripts.kernel_page.sh -->$/ { print; print claims; skip = 1 }
        /^<!-- end of the claims -->$/ { skip = 0 }
        !skip' README.md
}

case ${1:-} in
    measure) measure "${@:2}" ;;
    page) page "${@:2}" ;;
    claims) [ $# -gt 1 ] || set -- claims $(lines); claims "${@:2}" ;;
    write) new=$(page) && printf '%s\n' "$new" >"$dir/README.md" && new=$(readme) && printf '%s\n' "$new" >README.md ;;
    check) page | diff - "$dir/README.md" && readme | diff - README.md ;;
    *) sed -n 's/^# \{0,1\}//p' "$0" | sed -n 3,10p >&2; exit 2 ;;
esac
