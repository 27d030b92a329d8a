#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One shard of a sweep a task of a Slurm array: MIN-MAX or MIN-MAX:STEP, from any number on.  A point belongs to a shard by
# its id.  OUT/shards keeps the array of the first submission, so that a few of its tasks can be submitted again:
#   sbatch --array=1-16 --exclusive scripts/slurm_array.sh SWEEP.yaml OUT
#   sbatch --array=3,7 --exclusive scripts/slurm_array.sh SWEEP.yaml OUT
#   assay sweep merge OUT --out OUT/sweep.csv
# For another division of the same sweep remove OUT/shards: what is measured stays measured.
set -eu
id=$SLURM_ARRAY_TASK_ID min=$SLURM_ARRAY_TASK_MIN max=$SLURM_ARRAY_TASK_MAX step=${SLURM_ARRAY_TASK_STEP:-1}
kept="$2/shards"
mkdir -p "$2"
if [ ! -e "$kept" ]; then
    # A list (--array=3,7) is of no use as the first: it does not say what the whole is.
    if [ $(((max - min) / step + 1)) != "${SLURM_ARRAY_TASK_COUNT:-0}" ]; then
        echo "slurm_array.sh: the first submission into $2 needs --array=MIN-MAX[:STEP]; this one has" \
            "${SLURM_ARRAY_TASK_COUNT:-0} tasks from $min to $max" >&2
        exit 2
    fi
    echo "$min $max $step" >"$kept.$id.$$"
    ln "$kept.$id.$$" "$kept" 2>/dev/null || true # the first task makes it, whole; the others find it
    rm -f "$kept.$id.$$"
fi
read -r min max step <"$kept"
if [ "$id" -lt "$min" ] || [ "$id" -gt "$max" ] || [ $(((id - min) % step)) != 0 ]; then
    echo "slurm_array.sh: task $id is none of the array $min-$max:$step that $kept holds; remove that file to divide anew" >&2
    exit 2
fi
exec assay sweep run "$1" --out "$2" --shard $(((id - min) / step))/$(((max - min) / step + 1))
