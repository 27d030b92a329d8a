#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A real Slurm of one node on loopback, as root and in a folder of its own (Debian: slurm-wlm, munge): an array of shards,
# one task killed and submitted again, merged, and held against the unsharded run.  With LONG=1 (make test-all) only.  TAP.
set -u
export ASSAY=${ASSAY:-build/assay}
assay=$(realpath "$ASSAY")
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin
skip() { echo "ok 1 - an array on a real Slurm # SKIP $1"; echo "1..1"; exit 0; }
[ -n "${LONG:-}" ] || skip "only with LONG=1, as make test-all sets it"
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in munged slurmctld slurmd sbatch scancel; do command -v $tool >/dev/null || skip "$tool is not installed (Debian: slurm-wlm, munge)"; done

dir=$(mktemp -d /tmp/assay_slurm.XXXXXX)
chmod 755 "$dir"
pids=
finish() {
    for pid in $pids; do kill "$pid" 2>/dev/null; done
    for pid in $pids; do wait "$pid" 2>/dev/null; done
    rm -rf "$dir"
}
trap finish EXIT
mkdir "$dir/munge" "$dir/state" "$dir/spool" "$dir/bin"
chmod 700 "$dir/munge"
ln -s "$assay" "$dir/bin/assay"
head -c 1024 /dev/urandom >"$dir/munge/key"
chmod 400 "$dir/munge/key"
host=$(hostname -s)
ctl_port=$((20000 + $$ % 20000)) node_port=$((20001 + $$ % 20000))
cat >"$dir/slurm.conf" <<END
ClusterName=loopback
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$ctl_port
SlurmdPort=$node_port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=10 State=UP
END
export SLURM_CONF=$dir/slurm.conf
munged --foreground --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
    --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" >/dev/null 2>&1 &
pids="$!"
slurmctld -D -f "$SLURM_CONF" >/dev/null 2>&1 &
pids="$! $pids"
slurmd -D -f "$SLURM_CONF" -N "$host" >/dev/null 2>&1 &
pids="$! $pids"
for ((i = 0; i < 100; i++)); do
    sinfo -h -o %t 2>/dev/null | grep -q idle && break
    sleep 0.2
done
sinfo -h -o %t 2>/dev/null | grep -q idle || skip "Slurm does not start here: $(tail -qn 1 "$dir/munge/log" "$dir/slurmctld.log" "$dir/slurmd.log" 2>/dev/null | tr '\n' ' ')"

"$assay" data gen --kind clustered --n 300 --dim 16 --queries 10 --seed 1 --out "$dir/d" >/dev/null
cat >"$dir/s.yaml" <<END
dataset: {base: $dir/d/base.fvecs, query: $dir/d/query.fvecs, metric: cosine}
axes: {index: [flat, 'turboquant:bits=2', 'sq:bits=4'], k: 1..80}
reps: 2
min_calls: 1000
END
# submit ARRAY: returns when its tasks have ended
submit() {
    sbatch --parsable --wait --array="$1" --output="$dir/task-%a.out" --export="ALL,PATH=$dir/bin:$PATH" \
        "$here/slurm_array.sh" "$dir/s.yaml" "$dir/out"
}
"$assay" sweep run "$dir/s.yaml" --out "$dir/whole" >/dev/null || exit 1
"$here/untimed.sh" "$dir/whole" >"$dir/want"
# The last task is killed as soon as it has rows, wherever it is.
(
    for ((i = 0; i < 1000; i++)); do
        grep -q ',ok,' "$dir/out/sweep.3-of-4.csv" && break
        sleep 0.02
    done
    kill -9 $(pgrep -f -- "^assay sweep run $dir/s.yaml --out $dir/out --shard 3/4$" | head -n 1)
) 2>/dev/null &
first=$(submit 1-4)
echo "# sbatch --array=1-4: job $first, status $?, $("$assay" sweep status "$dir/s.yaml" --out "$dir/out")"
missing=$("$assay" sweep status "$dir/s.yaml" --out "$dir/out" --json | sed 's/.*"missing":\([0-9]*\).*/\1/')
again=$(submit 4)
status=$?
echo "# sbatch --array=4: job $again, status $status, $("$assay" sweep status "$dir/s.yaml" --out "$dir/out")"
"$here/untimed.sh" "$dir/out" >"$dir/got"
if [ "$status" = 0 ] && [ "${missing:-0}" -gt 0 ] && cmp -s "$dir/want" "$dir/got"; then
    echo "ok 1 - an array on a real Slurm: a task killed, submitted again, merged: the rows of the unsharded run"
    bad=0
else
    echo "not ok 1 - an array on a real Slurm"
    echo "  $missing points were missing after the kill"
    diff "$dir/want" "$dir/got" | head -n 6
    tail -n 3 "$dir"/task-*.out
    bad=1
fi
echo "1..1"
exit $bad
