#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The program, and assay.so in SQLite's shell, beside a process that adds to, changes and shrinks the same base all the
# time: `rag` measures or says that the base changed, `query` and SQL answer, nobody crashes.  TAP.
#   test_beside.sh        a few seconds;  SECONDS_EACH=60 for longer; ASSAY may be a sanitizer's build
set -u
assay=$(realpath "${ASSAY:-build/assay}")
each=${SECONDS_EACH:-1}
dir=$(mktemp -d)
writer=""
trap '[ -z "$writer" ] || kill "$writer" 2>/dev/null; rm -rf "$dir"' EXIT
export ASSAY_CACHE=$dir/cache
n=0 bad=0
if ! command -v sqlite3 >/dev/null; then
    echo "ok 1 - beside a writer # SKIP sqlite3, the shell, is not installed"
    echo "1..1"
    exit 0
fi

# statements of a writer without end: new entities, vectors and relations, other vectors, fewer of all
statements() {
    local i
    echo ".timeout 10000"
    for ((i = 1000;; i++)); do
        read -rt "0.0$((RANDOM % 30 + 10))" <>"$dir/never" # readers have to get the lock of a rollback journal too
        echo "BEGIN IMMEDIATE; INSERT OR IGNORE INTO kg_entities (id, entity_type, name) VALUES ($i, 't', 'entity $i');"
        echo "INSERT OR IGNORE INTO kg_vectors SELECT $i, vector, dimension, 0 FROM kg_vectors WHERE entity_id < 300 ORDER BY random() LIMIT 1;"
        echo "INSERT INTO kg_relations (source_id, target_id, rel_type, weight, created_at) VALUES (1 + $i % 300, $i, 'r', 0.5, 0); COMMIT;"
        ((i % 5)) || echo "UPDATE kg_vectors SET vector = (SELECT vector FROM kg_vectors WHERE entity_id = 1 + $i % 200) WHERE entity_id = 1 + $i % 90;"
        ((i % 50)) || echo "BEGIN; DELETE FROM kg_vectors WHERE entity_id >= 1000; DELETE FROM kg_relations WHERE target_id >= 1000; DELETE FROM kg_entities WHERE id >= 1000; COMMIT;"
    done
}

mkfifo "$dir/never"

# beside NAME JOURNAL WORDS COMMAND...: runs the command again and again; status 0, or 1 with those words
beside() {
    local name=$1 journal=$2 words=$3 ok=0 busy=0 wrong="" end got changes
    shift 3
    sqlite3 "$dir/kg/kb.sqlite" "PRAGMA journal_mode = $journal" >/dev/null
    statements 2>/dev/null | sqlite3 "$dir/kg/kb.sqlite" >/dev/null 2>&1 &
    writer=$!
    sleep 0.2
    end=$((SECONDS + each))
    while [ -z "$wrong" ] && { [ $SECONDS -lt $end ] || [ $((ok + busy)) = 0 ]; }; do
        timeout 120 "$@" >"$dir/out" 2>"$dir/err"
        got=$?
        if [ $got = 0 ]; then ok=$((ok + 1))
        elif [ $got = 1 ] && grep -qE "$words" "$dir/err"; then busy=$((busy + 1))
        else wrong="status $got: $(tail -n 3 "$dir/err")"; fi
    done
    kill -0 "$writer" 2>/dev/null || wrong="$wrong; the writer is gone"
    kill "$writer" 2>/dev/null
    wait "$writer" 2>/dev/null
    writer=""
    changes=$(sqlite3 "$dir/kg/kb.sqlite" "SELECT max(seq) FROM sqlite_sequence WHERE name = 'kg_relations'")
    [ "${changes:-0}" -gt "$before" ] || wrong="$wrong; nothing was written"
    before=$changes
    n=$((n + 1))
    if [ -z "$wrong" ]; then echo "ok $n - $name, $journal: $ok answered, $busy said that it changed"
    else echo "not ok $n - $name, $journal"; echo "  $wrong"; bad=1; fi
}

"$assay" data gen --kind kg --n 300 --dim 16 --relations 900 --queries 20 --seed 1 --out "$dir/kg" >/dev/null || exit 1
before=$(sqlite3 "$dir/kg/kb.sqlite" "SELECT max(seq) FROM sqlite_sequence WHERE name = 'kg_relations'")
for i in {1..20}; do echo "{\"id\": \"q$i\", \"text\": \"entity $i\"}"; done >"$dir/questions.jsonl"
vector=$(printf '0.25,%.0s' {1..16})
changed='changed while it was measured|locked by another process|changes faster than it is loaded'
sql() {
    local i
    printf '.bail on\n.timeout 5000\n.load %s\n' "${assay%/*}/assay.so"
    for ((i = 0; i < 10; i++)); do
        echo "SELECT count(*) FROM kg_search((SELECT vector FROM kg_vectors WHERE entity_id = 7), 10);"
        echo "SELECT count(*) FROM kg_bfs(1, 3); SELECT round(sum(score), 3) FROM kg_pagerank(); SELECT kg_stats();"
    done
}
sql >"$dir/ask.sql"
# A sanitizer's library has to be there before the program that loads it.
sanitizer=$(ldd "${assay%/*}/assay.so" | sed -n 's/.*=> \([^ ]*lib[at]san[^ ]*\).*/\1/p')
extension() { ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=$sanitizer sqlite3 "$dir/kg/kb.sqlite" <"$dir/ask.sql"; }
export -f extension
export dir sanitizer
for journal in DELETE WAL; do
    beside "rag" $journal "$changed" "$assay" rag --kb "$dir/kg/kb.sqlite" --query "$dir/kg/query.fvecs" -k 5 --min-calls 20
    beside "rag, words" $journal "$changed" "$assay" rag --kb "$dir/kg/kb.sqlite" --query "$dir/questions.jsonl" -k 5 --min-calls 20 \
        --set retrieve=bm25 --set expand=ppr --set score=ppr --set hyperedges=true --threads 2
    beside "query" $journal "$changed" "$assay" query "$dir/kg/kb.sqlite" word -k 5 --explain --set embed=fixed --set "embed_vector=${vector%,}"
    beside "assay.so" $journal 'locked' bash -c extension
done
echo "1..$n"
exit $bad
