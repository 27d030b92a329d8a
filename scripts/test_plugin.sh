#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The plug-in rule, tried: in a temporary copy of the tree, with its objects, one plug-in of every kind is
# dropped in as a file and nothing else is touched.  Each must then be listed, held to the tests of its
# kind, and of use.  Prints TAP.
#   ASSAY=build/.../assay test_plugin.sh     (make check ONLY=scripts/)
set -u
cd "$(dirname "$0")/.."
case_count=0 bad=0
log=$(mktemp)
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$log" "$log.said"' EXIT

# ok NAME COMMAND...: one case
ok() {
    case_count=$((case_count + 1))
    if "${@:2}" >"$log" 2>&1; then echo "ok $case_count - $1"; return; fi
    bad=1
    echo "not ok $case_count - $1"
    tail -n 15 "$log"
}

out=$(dirname "$ASSAY")
mkdir "$tree/build"
cp -a Makefile kernels index pipeline datasets bench scripts results "$tree/"
cp -a "$out" "$tree/build/"
cd "$tree" || exit 1
built=build/$(basename "$out")

# A commit of exactly these sources: what is dropped in later is not in it.
command -v git >/dev/null && git init -q . && echo build/ >.gitignore && git add . &&
    git -c user.name=test -c user.email=test@example.org commit -q -m copy

# A plug-in of each kind, made of one that is there: drop FROM TO SED changes its names and, where it
# can, plants a fault that the tests of its kind must find.
dropped=1
drop() {
    local edit
    cp "$1" "$2"
    for edit in "${@:3}"; do
        sed "$edit" "$2" >"$2.new"
        cmp -s "$2" "$2.new" && { dropped=0; echo "# $1: nothing to change by $edit"; }
        mv "$2.new" "$2"
    done
}
drop kernels/rows/dot_f32_scalar.c kernels/rows/dot_f32_dropped_scalar.c 's/KERNEL("plain"/KERNEL("dropped"/'
drop index/index_flat.c index/index_dropped.c 's/index_flat/index_dropped/' 's/"flat/"dropped/' \
    's/first < f->ids.count/first + 1 < f->ids.count/' # loses the last row where it is alone
drop index/index_flat.c index/index_fixed.c 's/index_flat/index_fixed/' 's/"flat/"fixed/' '/\.remove = /d' '/\.replace = /d'
drop pipeline/filter_threshold.c pipeline/filter_dropped.c 's/filter_threshold/filter_dropped/' 's/"threshold"/"dropped"/'
drop datasets/read_vecs.c datasets/read_dropped.c 's/read_vecs/read_dropped/' 's/"vecs"/"dropped"/' \
    's/suffixes = "[^"]*"/suffixes = ".dropped"/'
drop bench/quality/metric_recall_strict.c bench/quality/metric_dropped.c 's/metric_recall_strict/metric_dropped/' 's/"recall_strict"/"dropped"/'
drop datasets/import_beir.c datasets/import_dropped.c 's/import_beir/import_dropped/' 's/"beir"/"dropped"/'
drop datasets/gen_clustered.c datasets/gen_dropped.c 's/gen_clustered/gen_dropped/' 's/"clustered"/"dropped"/'
drop bench/papers/paper_turboquant.c bench/papers/paper_dropped.c 's/paper_turboquant/paper_dropped/' 's/"turboquant"/"dropped"/'
drop bench/cmd_roofline.c bench/cmd_dropped.c 's/cmd_roofline/cmd_dropped/' 's/"roofline"/"dropped"/'
# The workload of a family stands in for the one that it is made of: no operation may be in two.
drop bench/micro/work_lists.c bench/micro/work_dropped.c 's/work_lists/work_dropped/'
rm bench/micro/work_lists.c
drop bench/micro/rival_openblas.c bench/micro/rival_dropped.c 's/rival_openblas/rival_dropped/' 's/"openblas"/"dropped"/'
[ ! -e "$built/peer_hnswlib.so" ] ||
    drop bench/peers/peer_hnswlib.cpp bench/peers/peer_dropped.cpp 's/peer_hnswlib/peer_dropped/' 's/"hnswlib"/"dropped"/'

build() { env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -j "$(nproc)" ${CC:+CC="$CC"} "$@"; }
lists() { "$built/assay" info --list | grep -E "^$1 .*dropped"; }
prints() { grep -qF "$1" < <("${@:2}" 2>&1 | tee "$log.said") || { cat "$log.said"; return 1; }; }
passes() { build "$1" && "$1"; }
fails() { build "$1" && ! "$1" >"$log.said" 2>&1 && grep -F dropped "$log.said"; }
assay() { "$built/assay" "$@"; }

ok 'the copies differ from what they are made of' test $dropped = 1
ok 'one file each and no other edit: it builds' build
dirty_and_apart() { # the version says that it is no commit, and the hash of the sources is another
    local then now
    now=$(assay --version) then=$("$ASSAY" --version)
    echo "$now"
    [[ $now == *-dirty,* || ! -d .git ]] && [[ $now =~ sources\ [0-9a-f]{16}$ ]] && [ "${now##* }" != "${then##* }" ]
}
ok 'provenance: the version is dirty, and the hash of sources another' dirty_and_apart
for kind in kernel index stage reader importer generator metric paper command; do ok "$kind: listed" lists "$kind"; done
build "$built/kernels/rows/test_dot_f32" >/dev/null
ok 'kernel: tested, and named' prints 'scalar/dropped' "$built/kernels/rows/test_dot_f32"
ok 'index: a planted fault is found, and named' fails "$built/index/test_index.dropped"
ok 'index: one that cannot remove or replace keeps the contract' passes "$built/index/test_index.fixed"
ok 'kernel: benchable' prints 'scalar/dropped' assay bench dot_f32/scalar --dim 32 --rows 64 --rounds 12
ok 'kernels of another library: beside ours' prints 'peer/dropped' assay bench dot_f32/scalar --dim 32 --rows 64 --rounds 12
assay data gen --kind clustered --n 300 --dim 16 --queries 20 --out d >/dev/null
cp d/base.fvecs d/base.dropped
ok 'reader: reads' prints '300 x 16' assay data info d/base.dropped
ok 'generator: makes what its model makes' assay data gen --kind dropped --n 300 --dim 16 --queries 20 --out d2
ok 'generator: the same bytes' cmp d/base.fvecs d2/base.fvecs
ok 'index: benchable' prints '"index":"dropped"' assay ann --base d/base.dropped --query d/query.fvecs --index dropped --json
ok 'metric: a column' prints '"dropped":1' assay ann --base d/base.dropped --query d/query.fvecs --index flat --json
assay data gen --kind twohop --n 300 --dim 16 --queries 20 --out g >/dev/null
ok 'stage: benchable' prints '"filter":"dropped"' assay rag --kb g/kb.sqlite --query g/query.fvecs --set filter=dropped --json
mkdir -p set/qrels
echo '{"_id": "a", "title": "cats", "text": "small animals"}' >set/corpus.jsonl
echo '{"_id": "q", "text": "cat"}' >set/queries.jsonl
printf 'query-id\tcorpus-id\tscore\nq\ta\t1\n' >set/qrels/test.tsv
ok 'importer: imports' assay data import dropped --from set --dim 16 --out kb
ok 'workload: drives its operations' prints 'above_f32' assay bench above_f32/scalar --rows 64 --rounds 12
ok 'command: runs' prints 'usage: assay' assay dropped --help
if [ -e bench/peers/peer_dropped.cpp ]; then
    ok 'peer: benchable' prints '"recall_strict":1' assay ann --base d/base.fvecs --query d/query.fvecs \
        --index 'peer:dropped:(M=16,ef=50)' --json
else
    case_count=$((case_count + 1))
    echo "ok $case_count - peer # SKIP no library of a peer is installed (scripts/setup.sh --peers)"
fi
echo "1..$case_count"
exit $bad
