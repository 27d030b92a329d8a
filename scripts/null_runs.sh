#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How often does this machine see a difference where there is none?  Compares a subject with itself
# N times over and counts verdicts; 5 % of them may be wrong.
#   null_runs.sh [N [SUBJECT [compare options]]]      e.g. null_runs.sh 40 kernel:dot_f32 --where l1
set -eu
cd "$(dirname "$0")/.."
assay=${ASSAY:-build/assay} # while it runs, do not build over it
runs=${1:-40} subject=${2:-kernel:dot_f32}
shift $(($# < 2 ? $# : 2))
for ((i = 1; i <= runs; i++)); do
    "$assay" compare "$subject" "$subject" --seed "$i" --json "$@"
done | awk '
    /"arm":"A\/A"/ { # the base against itself; the other line is the same with another name
        n++
        wrong += /"verdict":"(faster|slower)"/
        match($0, /"detectable_pct":[0-9.e+-]+/)
        if (RSTART) detectable[++m] = substr($0, RSTART + 17, RLENGTH - 17) + 0
    }
    END {
        for (i = 1; i <= m; i++) for (j = i + 1; j <= m; j++)
            if (detectable[j] < detectable[i]) { t = detectable[i]; detectable[i] = detectable[j]; detectable[j] = t }
        printf "%d A/A comparisons, %d resolved (%.1f %%; 5 %% may be); median smallest detectable difference %.2f %%\n",
            n, wrong, 100 * wrong / n, detectable[int((m + 1) / 2)]
    }'
