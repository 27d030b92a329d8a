#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How often does this machine see a difference where there is none?  Compares a subject with itself N times over, or saves
# a run of `assay bench` and compares with it N times over, and counts what is resolved; 5 % of the runs may be wrong.
#   null_runs.sh [N [SUBJECT [compare options]]]      e.g. null_runs.sh 40 kernel:dot_f32 --where l1
#   null_runs.sh N bench [bench options]              e.g. null_runs.sh 40 bench dot_f32 --dim 384 --where l1 --rounds 12
# FIRST=21 starts with the 21st seed: a long series in pieces.
set -eu
cd "$(dirname "$0")/.."
assay=${ASSAY:-build/assay} # while it runs, do not build over it
first=${FIRST:-1} runs=${1:-40} subject=${2:-kernel:dot_f32}
shift $(($# < 2 ? $# : 2))

if [ "$subject" = bench ]; then
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    for ((i = first; i < first + runs; i++)); do
        "$assay" bench "$@" --seed "$i" --save "$dir/then.csv" >/dev/null
        "$assay" bench "$@" --seed "$i" --baseline "$dir/then.csv" --fail-slower 1 && echo "exit status 0" || echo "exit status $?"
    done 2>/dev/null | awk '
        function number_before(word) { return match($0, "[0-9]+ " word) ? substr($0, RSTART) + 0 : 0 }
        /^since saved,/ {
            n++
            here = number_before("rows faster") + number_before("slower")
            rows += here
            resolved += here > 0
            match($0, /moved, [0-9.]+/)
            drift += substr($0, RSTART + 7)
        }
        /^exit status 1/ { failed++ }
        END { printf "%d null runs of bench --baseline, %d with a row resolved (%.1f %%; 5 %% may be; %d rows), %d with exit status 1; controls moved %.2f %% on average\n",
            n, resolved, 100 * resolved / n, rows, failed, drift / n }'
    exit
fi

for ((i = first; i < first + runs; i++)); do
    "$assay" compare "$subject" "$subject" --seed "$i" --json "$@"
done | awk '
    /"arm":"A\/A"/ { null_resolved += /"verdict":"(faster|slower)"/; next }
    {
        n++
        wrong += /"verdict":"(faster|slower)"/
        match($0, /"detectable_pct":[0-9.e+-]+/)
        if (RSTART) detectable[++m] = substr($0, RSTART + 17, RLENGTH - 17) + 0
    }
    END {
        for (i = 1; i <= m; i++) for (j = i + 1; j <= m; j++)
            if (detectable[j] < detectable[i]) { t = detectable[i]; detectable[i] = detectable[j]; detectable[j] = t }
        printf "%d null runs of compare, %d resolved (%.1f %%; 5 %% may be), %d A/A arms off by more than chance; median smallest detectable difference %.2f %%\n",
            n, wrong, 100 * wrong / n, null_resolved, detectable[int((m + 1) / 2)]
    }'
