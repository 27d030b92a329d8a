#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The closing screen of `make run` over a folder of results: each line with its figure, all of them
# out of the CSV files.
#   screen.sh results/default
set -eu -o pipefail
out=$(realpath "$1")
cd "$(dirname "$0")/.."
import() {
    [ -s "$1" ] || { echo "screen.sh: $1 is missing" >&2; exit 1; }
    printf '.import --csv "|grep -v ^# %s" %s\n' "$1" "$2"
}
{
    import "$out/turboquant_distortion.csv" paper
    import "$out/clustered/sweep.csv" clustered
    import results/recorded_peers.csv recorded
    import "$out/bench.csv" bench
    import "$out/twohop/sweep.csv" twohop
    import "$out/sweep.csv" wordnet
    cat scripts/screen.sql
} | sqlite3 -bail :memory:
