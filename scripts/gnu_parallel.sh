#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A sweep over the hosts of a file (one a line, a shared folder OUT; ":" is this machine), one shard at a time on each:
# points that are timed want a machine to themselves.  Called again it does the shards that failed.
# Then: assay sweep merge OUT --out OUT/sweep.csv
#   scripts/gnu_parallel.sh HOSTS SWEEP.yaml OUT [SHARDS]      (SHARDS: as many as hosts)
set -eu
mkdir -p "$3"
shards=${4:-$(grep -c . "$1")}
exec parallel --sshloginfile "$1" --jobs 1 --joblog "$3/parallel.log" --resume-failed \
    "cd $(printf %q "$PWD") && assay sweep run $(printf '%q --out %q' "$2" "$3") --shard {}/$shards" \
    ::: $(seq 0 $((shards - 1)))
