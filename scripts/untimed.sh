#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# untimed.sh FOLDER: the rows of a sweep, its shards merged, without what was timed and without who wrote them when; what
# two runs of one sweep must have in common.  ASSAY names the program.
set -eu
merged=$(mktemp)
trap 'rm -f "$merged"' EXIT
"$ASSAY" sweep merge "$1" --out "$merged" && awk -F, '
    /^#/ { next }
    !names { for (i = 1; i <= NF; i++)
                 if ($i !~ /^(run_id|lat_.*|qps.*|ns_per_vector.*|t_.*|.*_us|build_s|train_s|.*_ms|peak_rss_bytes|.*_s)$/) keep[++names] = i }
    { line = ""; for (i = 1; i <= names; i++) line = line "," $keep[i]; print line }' "$merged"
