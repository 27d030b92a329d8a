#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A sweep over the hosts of a file (one a line, a shared folder OUT), one shard a host: points that are
# timed want a machine to themselves.  Then: assay sweep merge OUT --out OUT/sweep.csv
#   scripts/gnu_parallel.sh HOSTS SWEEP.yaml OUT
set -eu
mkdir -p "$3"
hosts=$(grep -c . "$1")
exec parallel --sshloginfile "$1" --jobs 1 --joblog "$3/parallel.log" --resume-failed \
    "cd $(pwd) && assay sweep run $2 --out $3 --shard {}/$hosts" ::: $(seq 0 $((hosts - 1)))
