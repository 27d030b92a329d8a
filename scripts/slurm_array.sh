#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One shard of a sweep a task; a point belongs to a shard by its id, so any number of tasks, retries
# and machines will do.  Then: assay sweep merge OUT --out OUT/sweep.csv
#   sbatch --array=0-15 --exclusive scripts/slurm_array.sh SWEEP.yaml OUT
set -eu
exec assay sweep run "$1" --out "$2" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
