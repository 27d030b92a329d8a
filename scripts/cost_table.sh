#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What size costs: generated knowledge bases of 384 dimensions and five relations an entity, each opened without
# and with the cache file, each asked 200 questions by one thread, index flat scan and ivf.
#   scripts/cost_table.sh FOLDER [N ...]      default 1000 10000 100000 1000000; the largest takes 3 GB and minutes
# Prints a table, and keeps FOLDER/cost.jsonl; bases are removed once they are measured.
set -eu
assay=${ASSAY:-$(dirname "$0")/../build/assay}
folder=${1:?usage: cost_table.sh FOLDER [N ...]}
shift
[ $# -gt 0 ] || set -- 1000 10000 100000 1000000
mkdir -p "$folder"
: > "$folder/cost.jsonl"

# cost N INDEX PASSES CACHE: one row
cost() {
    local line
    line=$("$assay" kb cost "$folder/$1/kb.sqlite" --query "$folder/$1/query.fvecs" --set "index=$2" --passes "$3" --json)
    printf '{"index":"%s","cache":"%s",%s\n' "$2" "$4" "${line#\{}" | tee -a "$folder/cost.jsonl" | awk -F'[:,}]' '{
        for (i = 1; i < NF; i += 2) { gsub(/[{"]/, "", $i); gsub(/"/, "", $(i + 1)); v[$i] = $(i + 1) }
        printf "%9d  %-10s  %-6s  %9.3f  %9.3f  %9.3f  %9.3f  %10.2f  %9.1f  %6.2f\n", v["rows"], v["index"], v["cache"],
            v["first_s"], v["build_s"], v["p50_ms"], v["p99_ms"], v["cache_bytes"] / 1e6, v["peak_bytes"] / 1e6,
            (v["peak_bytes"] - 20e6) / v["data_bytes"] }'
}

printf '%9s  %-10s  %-6s  %9s  %9s  %9s  %9s  %10s  %9s  %6s\n' entities index cache 'first, s' 'build, s' 'p50, ms' \
    'p99, ms' 'cache, MB' 'peak, MB' factor
for n in "$@"; do
    "$assay" data gen --kind kg --n "$n" --dim 384 --relations $((5 * n)) --queries 200 --seed 1 --out "$folder/$n" > /dev/null
    for index in turboquant ivf; do
        rm -f "$folder/$n/kb.sqlite.assay"
        cost "$n" "$index" 1 none
        cost "$n" "$index" 20 kept
    done
    rm -r "${folder:?}/$n"
done
echo 'first: from nothing to the first answer.  p50, p99: of the least time of each question in all passes (1 without,'
echo '20 with the cache).  factor: (peak - 20 MB) / (vectors + codes + graph).'
