#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Bases, side files, sweeps and names that others made, or made to harm, replayed as a user would: what is no row of ours
# is counted and left out, nothing is sent, nothing is obeyed by the terminal, every end is a message.  Prints TAP.
#   ASSAY=build/.../assay test_strangers.sh     (make check ONLY=scripts/); ASSAY may be a sanitizer's build
set -u
ASSAY=$(realpath "$ASSAY")
cases=$(realpath "$(dirname "$0")/cases")
case_count=0 bad=0
folder=$(mktemp -d)
trap 'umount "$folder/disk" 2>/dev/null; rm -rf "$folder"' EXIT
export ASSAY_CACHE=$folder/cache
cd "$folder" || exit 1
command -v sqlite3 >/dev/null || { echo "ok 1 - strangers # SKIP sqlite3, the shell, is not installed"; echo "1..1"; exit 0; }

# ok NAME COMMAND...: one case
ok() {
    case_count=$((case_count + 1))
    skipped=
    if "${@:2}" >said 2>&1; then echo "ok $case_count - $1${skipped:+ # SKIP $skipped}"; return; fi
    bad=1
    echo "not ok $case_count - $1"
    tail -n 15 said
}

# says STATUS WORDS ARGUMENTS...: the program ends so, and says these words
says() {
    local status
    timeout 120 "$ASSAY" "${@:3}" >out 2>&1
    status=$?
    cat -v out
    [ "$status" = "$1" ] && grep -qF -- "$2" out
}
made() { "$ASSAY" kb create "$1" --entities "$cases/four_entities.jsonl" --dim 8 >/dev/null; }
fixed=(--set embed=fixed --set embed_vector=1,0,0,0)
tables="CREATE TABLE kg_entities(id INTEGER PRIMARY KEY, entity_type TEXT, name TEXT, properties TEXT);
CREATE TABLE kg_relations(id INTEGER PRIMARY KEY, source_id, target_id, rel_type TEXT, weight);
CREATE TABLE kg_vectors(entity_id INTEGER PRIMARY KEY, vector BLOB, dimension INTEGER);"
one="x'0000803f000000000000000000000000'"

# --- bases -------------------------------------------------------------------------------------
text_ids() {
    sqlite3 1.sqlite <"$cases/kb_text_id_heap_write.sql" >/dev/null
    says 0 'passed over: 1 entities' query 1.sqlite x "${fixed[@]}" || return
    says 1 'BAD   entities whose id is no integer' kb check 1.sqlite && grep -qF "first '2'" out
}
nothing_is_sent() {
    made 2.sqlite
    sqlite3 2.sqlite "CREATE TABLE IF NOT EXISTS assay_settings(key TEXT PRIMARY KEY, value TEXT NOT NULL);
        INSERT OR REPLACE INTO assay_settings VALUES ('embed', 'http'), ('embed_model', 'm'), ('embed_url', 'http://127.0.0.1:9911/steal');"
    says 2 'it is the base that names the service http://127.0.0.1:9911/steal' query 2.sqlite private || return
    says 1 "Couldn't connect" query 2.sqlite private --trust --set embed_retries=0 || return
    printf '{"id":1,"text":"private"}\n' >q.jsonl
    printf 'kb: 2.sqlite\nqueries: q.jsonl\nbase: {embed_retries: 0}\naxes: {graph_depth: [0]}\n' >s.yaml
    says 1 'points failed' sweep run s.yaml --out untrusted && grep -q 'it is the base that names' untrusted/sweep.csv || return
    says 1 'points failed' sweep run s.yaml --out trusted --trust && grep -q "Couldn't connect" trusted/sweep.csv || return
    says 2 'it is the base that names' compare rag:2.sqlite,embed_retries=0 rag:2.sqlite,embed_retries=0 --questions q.jsonl || return
    says 1 "Couldn't connect" compare rag:2.sqlite,embed_retries=0 rag:2.sqlite,embed_retries=0 --questions q.jsonl --trust || return
    says 2 'it is the base that names' kb cost 2.sqlite --query q.jsonl --set embed_retries=0 || return
    says 1 "Couldn't connect" kb cost 2.sqlite --query q.jsonl --set embed_retries=0 --trust
}
foreign_words() {
    made 3.sqlite
    base64 -d "$cases/words_oob.assay-words.b64" >3.sqlite.assay-words
    cp 3.sqlite.assay-words before
    says 0 'red apple' query 3.sqlite apple --set retrieve=bm25 && ! cmp -s before 3.sqlite.assay-words
}
one_large() {
    sqlite3 4.sqlite "$tables INSERT INTO kg_entities VALUES (1, 't', 'a', '{}'), (2, 't', 'b', '{}'), (3, 't', 'c', '{}');
        INSERT INTO kg_vectors VALUES (1, $one, 4), (2, zeroblob(${LARGE:-8000000}), 2000000), (3, $one, 4);
        WITH RECURSIVE r(x) AS (SELECT 10 UNION ALL SELECT x + 1 FROM r WHERE x < ${MANY:-4000})
        INSERT INTO kg_vectors SELECT x, $one, 4 FROM r;"
    says 0 '1 vectors of another dimension than most' query 4.sqlite x "${fixed[@]}" || return
    says 1 'rows are bad' kb check 4.sqlite && grep -q '^BAD *vectors of another dimension than most *1 *first 2$' out
}

# Letters that a terminal obeys, in everything that a base names; and properties that are no JSON.
obeyed() {
    local evil="'x' || char(27) || '[2J' || char(10, 13, 8, 127, 155) || 'y'"
    sqlite3 5.sqlite "$tables CREATE TABLE assay_ids(entity_id INTEGER PRIMARY KEY, external_id TEXT);
        CREATE TABLE assay_meta(key TEXT PRIMARY KEY, value TEXT);
        INSERT INTO kg_entities VALUES (1, $evil, $evil, '{}, \"id\": 9, \"x\": {'), (2, 't', CAST(x'ff9b324a' AS TEXT), '{\"a\": 1,' || char(10) || '\"b\":2}');
        INSERT INTO kg_vectors VALUES (1, $one, 4), (2, x'0000803f0000803f0000000000000000', 4);
        INSERT INTO kg_relations VALUES (1, 1, 2, $evil, 0.5);
        INSERT INTO assay_ids VALUES (1, $evil); INSERT INTO assay_meta VALUES ('notes', $evil);"
    local verb
    for verb in "query 5.sqlite x --explain" "query 5.sqlite x --json" "kb stats 5.sqlite"; do
        # shellcheck disable=SC2086
        case $verb in q*) says 0 x $verb "${fixed[@]}" || return ;; *) says 0 x $verb || return ;; esac
        ! grep -qaP '[\x00-\x09\x0b-\x1f\x7f\x80-\x9f\xff]' <(iconv -f utf8 -t utf16be out 2>/dev/null | iconv -f utf16be -t latin1//TRANSLIT) || return
        iconv -f utf8 -t utf8 out >/dev/null || return
    done
    "$ASSAY" query 5.sqlite x --json "${fixed[@]}" 2>/dev/null >lines || return
    [ "$(wc -l <lines)" = 2 ] || return
    while read -r line; do
        [ "$(sqlite3 :memory: "SELECT json_valid('$(sed "s/'/''/g" <<<"$line")')")" = 1 ] || { echo "$line"; return 1; }
    done <lines
    grep -q '"properties":{"a":1,"b":2}' lines || return
    printf '{"id":1,"text":"x"}\n' >q.jsonl
    says 2 'holds a blank' rag --kb 5.sqlite --query q.jsonl -k 2 --min-calls 1 --run run.txt "${fixed[@]}"
}

# --- names and media -------------------------------------------------------------------------------
names() {
    local name
    for name in ':memory:' 'file:x?mode=memory' 'file::memory:?cache=shared'; do
        says 0 'made of 4' kb create "$name" --entities "$cases/four_entities.jsonl" --dim 8 && [ -s "$name" ] &&
            says 0 '#' query "$name" boat || return
        rm -f "$name" "$name".*
    done
}
# Where a file is asked for: a pipe that nobody writes to, what has no end, a folder.
no_files() {
    local what e status left
    for f in base query; do base64 -d "$cases/$f.npy.b64" >$f.npy; done
    printf '{"id":1,"text":"x"}\n' >q.jsonl
    for what in pipe zero folder; do
        for e in fvecs npy hdf5 ivecs fbin jsonl txt tsv yaml csv sqlite assay; do
            case $what in pipe) mkfifo "pipe.$e" ;; zero) ln -s /dev/zero "zero.$e" ;; folder) mkdir "folder.$e" ;; esac
        done
        while read -r left; do
            # shellcheck disable=SC2086
            timeout 20 "$ASSAY" ${left//@/$what} >out 2>&1 </dev/null
            status=$?
            [ $status = 1 ] || [ $status = 2 ] || { echo "$status: $left with a $what"; cat out; return 1; }
            grep -q '^assay' out || { echo "no message: $left with a $what"; return 1; }
        done <<'END'
ann --base @.fvecs --query query.npy --index flat
ann --base @.npy --query query.npy --index flat
ann --base @.hdf5:train --query query.npy --index flat
ann --base base.npy --query @.fbin --index flat
ann --base base.npy --query query.npy --truth @.ivecs --index flat
ann --base base.npy --query query.npy --index ids:@.ivecs
rag --kb @.sqlite --query q.jsonl
rag --kb kb.sqlite --query @.jsonl
rag --kb kb.sqlite --query @.txt
rag --kb kb.sqlite --query q.jsonl --qrels @.tsv
rag --kb kb.sqlite --query query.npy --query-ids @.txt
rag --kb kb.sqlite --query q.jsonl --set retrieve=replay --set replay_file=@.txt
rag --kb kb.sqlite --query q.jsonl --set rerank=memrl --set utility_file=@.tsv
query kb.sqlite x --set embed=file --set embed_file=@.fvecs
query @.sqlite x
kb check @.sqlite
kb create new.sqlite --entities @.jsonl
kb create new.sqlite --entities q.jsonl --relations @.jsonl
kb create new.sqlite --entities q.jsonl --vectors @.fvecs
kb import kb.sqlite --entities @.jsonl
data info @.hdf5
data truth --base @.npy --query query.npy --out t.ivecs
data import triples --from @.tsv --out imported
data import tsv --from @.tsv --out imported
index info @.assay
index search @.assay --query query.npy
sweep plan @.yaml
sweep merge @.csv --out merged.csv
sweep best @.csv --max k
table @.csv
cite @.csv 0
plot @.csv --out plots
compare @.yaml @.yaml
END
    done
    mkfifo kb.sqlite.assay kb.sqlite.assay-words
    says 0 '#' query kb.sqlite boat --set retrieve=hybrid --set index=flat
}
# A disk that cannot be written: a base with its log or its journal on it, and one without.
read_only() {
    mkdir -p disk
    mount -t tmpfs none disk 2>/dev/null || { skipped="no right to mount a disk"; return 0; }
    sqlite3 disk/plain.sqlite "$tables INSERT INTO kg_entities VALUES (1, 't', 'a', '{}'); INSERT INTO kg_vectors VALUES (1, $one, 4)"
    cp disk/plain.sqlite disk/log.sqlite
    cp disk/plain.sqlite disk/clean.sqlite
    cp disk/plain.sqlite torn.sqlite
    sqlite3 disk/clean.sqlite 'PRAGMA journal_mode = WAL' >/dev/null
    # A writer that is killed leaves its log, or the journal of what it had begun.
    killed log.sqlite "PRAGMA journal_mode = WAL; INSERT INTO kg_entities VALUES (2, 't', 'in the log', '{}');"
    cp log.sqlite log.sqlite-wal disk/ || return
    killed torn.sqlite "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; CREATE TABLE much(x); WITH RECURSIVE r(x) AS
        (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 3000) INSERT INTO much SELECT randomblob(400) FROM r;"
    cp torn.sqlite torn.sqlite-journal disk/ || return
    mount -o remount,ro disk || return
    says 0 '#1' query disk/plain.sqlite x "${fixed[@]}" || return
    says 0 '#1' query disk/clean.sqlite x "${fixed[@]}" || return
    says 1 'part of it is in its log, disk/log.sqlite-wal, and its folder cannot be written: copy both' query disk/log.sqlite x "${fixed[@]}" || return
    says 1 'a writer crashed and left disk/torn.sqlite-journal' query disk/torn.sqlite x "${fixed[@]}" || return
    mkdir copy && cp disk/log.sqlite* disk/torn.sqlite* copy/
    says 0 '#1' query copy/log.sqlite x "${fixed[@]}" && says 0 'entities' kb stats copy/log.sqlite && grep -q 'entities *2$' out || return
    says 1 'a writer crashed' query copy/torn.sqlite x "${fixed[@]}" || return
    sqlite3 copy/torn.sqlite 'SELECT count(*) FROM kg_entities' >/dev/null && says 0 '#1' query copy/torn.sqlite x "${fixed[@]}"
}
# killed FILE SQL: by a process that dies before it is done
killed() {
    [ -e "$1" ] || cp disk/"$1" .
    { echo "$2"; echo ".shell kill -9 \$PPID"; } | sqlite3 "$1" >/dev/null 2>&1
    :
}

# --- sweeps ----------------------------------------------------------------------------------------
sweep_files() {
    for f in base query; do base64 -d "$cases/$f.npy.b64" >$f.npy; done
    cp "$cases/two_queries.jsonl" .
    says 2 'dup_keys.yaml:2: dataset comes twice: in line 1' sweep plan "$cases/dup_keys.yaml" || return
    says 2 'bits_twice.yaml:2: bits is given twice' sweep plan "$cases/bits_twice.yaml" || return
    says 2 'qrels_empty.yaml:3: qrels: it has no value' sweep plan "$cases/qrels_empty.yaml"
}
bombs() {
    printf 'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n' >laughs.yaml
    says 2 'laughs.yaml:1' sweep plan laughs.yaml || return
    printf 'dataset: {base: base.npy, query: query.npy}\naxes: &a {index: [flat], k: *a}\n' >self.yaml
    says 2 'self.yaml:2' sweep plan self.yaml || return
    printf 'dataset: {base: base.npy, query: query.npy}\naxes: {index: "turboquant:bits=1..100000000"}\n' >bits.yaml
    says 2 'bits.yaml:2' sweep plan bits.yaml || return
    says 2 'bits=1..100000000' ann --base base.npy --query query.npy --index turboquant:bits=1..100000000 || return
    head -c 5000000 /dev/zero | tr '\0' '#' >long.yaml
    says 2 'a sweep has at most' sweep plan long.yaml || return
    printf 'dataset: {base: base.npy, query: query.npy}\naxes: {index: [flat], k: [%s1]}\n' "$(printf '1,%.0s' {1..100001})" >values.yaml
    says 2 'values.yaml:2' sweep plan values.yaml
}
# The last row is gone, twice: it comes back, and no other.
repetitions() {
    local i
    "$ASSAY" data gen --kind clustered --n 200 --dim 12 --queries 10 --seed 1 --out d12 >/dev/null
    says 0 '1 measured' sweep run "$cases/reps.yaml" --out reps || return
    for i in 1 2; do
        sed -i '$d' reps/sweep.csv
        says 0 '1 measured' sweep run "$cases/reps.yaml" --out reps || return
        [ "$(grep ',ok,' reps/sweep.csv | cut -d, -f 3,4 | sort | uniq -c | awk '{ print $1 }' | xargs)" = "1 1" ] || return
    done
}

"$ASSAY" kb create kb.sqlite --entities "$cases/four_entities.jsonl" --dim 32 >/dev/null
ok "ids of text in a table of entities" text_ids
ok "a question is sent nowhere but with --trust: query, sweep, compare, cost" nothing_is_sent
ok "a foreign file of words" foreign_words
ok "one large vector among many" one_large
ok "what a terminal would obey" obeyed
ok "names that are more than names" names
ok "pipes, folders and devices for files" no_files
ok "logs and journals on a disk that cannot be written" read_only
ok "sweeps that say things twice, or not" sweep_files
ok "sweeps that expand without end" bombs
ok "repetitions by key" repetitions
echo "1..$case_count"
exit $bad
