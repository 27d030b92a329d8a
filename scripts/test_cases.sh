#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Small inputs that used to be misread in silence, one of each kind (scripts/cases), replayed as a user would: either the
# answer is the right one, or the message names file, line, field and value.  Prints TAP.
#   ASSAY=build/.../assay test_cases.sh     (make check ONLY=scripts/)
set -u
ASSAY=$(realpath "$ASSAY")
kept=$(realpath "$(dirname "$0")/cases")
case_count=0 bad=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export ASSAY_CACHE=$folder/cache
cd "$folder" || exit 1
cases=$folder/cases
cp -r "$kept" "$cases"
for f in "$cases"/*.b64; do base64 -d "$f" >"${f%.b64}"; done # what is no plain text

# ok NAME COMMAND...: one case
ok() {
    case_count=$((case_count + 1))
    if "${@:2}" >said 2>&1; then echo "ok $case_count - $1"; return; fi
    bad=1
    echo "not ok $case_count - $1"
    tail -n 15 said
}

# says STATUS WORDS ARGUMENTS...: the program ends so, and says these words
says() {
    local status
    "$ASSAY" "${@:3}" >out 2>&1
    status=$?
    cat out
    [ "$status" = "$1" ] && grep -qF -- "$2" out
}

one() { sqlite3 "$1" "$2"; }

# --- ids -------------------------------------------------------------------------------------
text_ids() {
    says 0 'made of 4 entities' kb create 1.sqlite --entities "$cases/string_ids_entities.jsonl" \
        --relations "$cases/string_ids_relations.jsonl" --dim 32 || return
    [ "$(one 1.sqlite "SELECT a.name || ' -> ' || b.name FROM kg_relations JOIN kg_entities a ON a.id = source_id
                       JOIN kg_entities b ON b.id = target_id")" = "Sailing boat -> Violin" ] || return
    says 0 'MRR 1.0000' rag --kb 1.sqlite --query "$cases/string_ids_queries.jsonl" --qrels "$cases/string_ids_qrels.tsv" \
        -k 1 --min-calls 2
}
relevant_ids() {
    mkdir r && says 0 '1 queries beside it' kb create r/1.sqlite --entities "$cases/string_ids_entities.jsonl" \
        --queries "$cases/string_ids_relevant.jsonl" --dim 32 &&
        says 0 'MRR 1.0000' rag --kb r/1.sqlite --query r/queries.jsonl --qrels r/qrels.txt -k 1 --min-calls 2
}

# The same by words as ids, and what is written by them: a run and labels as trec_eval reads them, JSON.
word_ids() {
    local here
    sed 's/"_id":"\([0-9]*\)"/"_id":"doc-\1"/' "$cases/string_ids_entities.jsonl" >e.jsonl
    sed 's/:2,/:"doc-2",/; s/:1,/:"doc-1",/' "$cases/string_ids_relations.jsonl" >r.jsonl
    sed 's/\t\([0-9]*\)\t/\tdoc-\1\t/' "$cases/string_ids_qrels.tsv" >qrels.tsv
    says 0 'made of 4' kb create w.sqlite --entities e.jsonl --relations r.jsonl --dim 32 || return
    says 0 'MRR 1.0000' rag --kb w.sqlite --query "$cases/string_ids_queries.jsonl" --qrels qrels.tsv -k 3 --min-calls 2 \
        --run run.txt --qrels-out labels.txt --out words || return
    cat run.txt labels.txt
    [ "$(sed -n '2,$s/\t.*//p' words/*.pq.tsv | sort -u | tr '\n' ' ')" = "q7 q8 " ] || return
    here=$(awk '$4 == 1 { printf "%s %s ", $1, $3 }' run.txt)
    [ "$here" = "q7 doc-2 q8 doc-1 " ] && awk 'NF != 6 { exit 1 }' run.txt && grep -qP '^q7\t0\tdoc-2\t1$' labels.txt || return
    # scores of a question fall in float32, which is what trec_eval sorts by
    awk '$1 == q && $5 >= s { exit 1 } { q = $1; s = $5 }' run.txt || return
    says 0 '"id":"doc-2"' query w.sqlite 'moved by wind' -k 1 --json && ! grep -q '"id":[0-9]' out || return
    says 0 'learnt from 2 questions' rag --kb w.sqlite --query "$cases/string_ids_queries.jsonl" --qrels qrels.tsv -k 3 --min-calls 2 \
        --set rerank=memrl --learn 1 --utility learnt.tsv && grep -qP '^doc-1\t' learnt.tsv || return
    says 0 'added' kb import w.sqlite --relations r.jsonl || return
    says 1 'line 1: "source" is '"'2'"': no entity has this id' kb import w.sqlite --relations "$cases/string_ids_relations.jsonl"
}

# --- fields, lines -----------------------------------------------------------------------------
unknown_fields() {
    says 1 'unknown_fields_relations.jsonl: line 1: "weigth" is no field; nearest is "weight"' kb create 2.sqlite \
        --entities "$cases/unknown_fields_entities.jsonl" --relations "$cases/unknown_fields_relations.jsonl" --dim 16 || return
    says 0 '1 fields "observations", kept as properties' kb create 2.sqlite --entities "$cases/unknown_fields_entities.jsonl" \
        --dim 16 || return
    [ "$(one 2.sqlite "SELECT entity_type || ' ' || (properties ->> '\$.observations[0]') FROM kg_entities WHERE id = 1")" = \
        "place ships anchor here at night" ]
}
# A document that is there and empty, as published corpora have them: kept, and said.
empty_document() {
    printf '{"_id":"d1","title":"","text":""}\n{"_id":"d2","title":"boat","text":"sails"}\n' >empty.jsonl
    says 0 '1 entities whose name and text are empty (the first: d1)' kb create empty.sqlite --entities empty.jsonl --dim 8 &&
        [ "$(one empty.sqlite 'SELECT count(*) FROM assay_ids')" = 2 ]
}
memory_style() {
    says 1 'line 1: "entityType" is no field; nearest is "entity_type"' kb create m.sqlite \
        --entities "$cases/mcp_memory_style.jsonl" --dim 16
}
marks() {
    says 0 'made of 1 entities' kb create bom.sqlite --entities "$cases/bom_entities.jsonl" --dim 8 &&
        [ "$(one bom.sqlite 'SELECT name FROM kg_entities WHERE id = 1')" = harbour ] &&
        says 0 '2 questions' rag --kb kb.sqlite --query "$cases/bom_queries.jsonl" -k 1 --min-calls 2
}
odd_texts() {
    says 1 'odd_query_texts.jsonl: line 1: a text holds \u0000' rag --kb kb.sqlite --query "$cases/odd_query_texts.jsonl" -k 1 || return
    sed 1d "$cases/odd_query_texts.jsonl" >list.jsonl
    says 1 'list.jsonl: line 1: "text" is ' rag --kb kb.sqlite --query list.jsonl -k 1
}
nulls() {
    says 0 '1 relations' kb create nul.sqlite --entities "$cases/four_entities.jsonl" --relations "$cases/nulls_relation.jsonl" \
        --dim 8 && [ "$(one nul.sqlite "SELECT rel_type || weight || properties FROM kg_relations")" = 'related1.0{}' ]
}

# What a file of another program's answers may be: numbers or names of rows, lines or a run of trec_eval.
text_answers() {
    local b="$cases/base.npy" q="$cases/query.npy"
    printf 'q7 doc-2 0.9\nq8 doc-1 0.8\n' >answers.txt
    says 1 "answers.txt: line 1: query 'q7' is no query number" ann --base "$b" --query "$q" --index ids:answers.txt || return
    says 0 '' data truth --base "$b" --query "$q" -k 10 --out exact.ivecs || return
    od -An -v -td4 -w44 exact.ivecs | awk '{ for (i = 2; i <= 11; i++) printf "q%d Q0 doc-%d %d %g x\n", NR, $i, i - 1, 20 - i }' >exact.run
    seq 0 59 | sed 's/^/doc-/' >row.ids
    seq 6 | sed 's/^/q/' >query.ids
    says 0 'ids:exact.run' ann --base "$b" --query "$q" --index ids:exact.run,row_ids=row.ids,query_ids=query.ids --min-calls 6 &&
        grep -q '^ids.* 1.0000  1.0000' out || return
    sed 's/doc-2$/doc-x/' row.ids >absent.ids
    says 1 "is not among row_ids" ann --base "$b" --query "$q" --index ids:exact.run,row_ids=absent.ids,query_ids=query.ids || return
    sed 's/ / Q0 /; s/ \([^ ]*\)$/ 1 \1 tag/' answers.txt >answers.run
    says 0 'MRR 1.0000' rag --kb w.sqlite --query "$cases/string_ids_queries.jsonl" --qrels qrels.tsv -k 1 --min-calls 2 \
        --set retrieve=replay --set replay_file=answers.run || return
    says 0 'MRR 1.0000' rag --kb w.sqlite --query "$cases/string_ids_queries.jsonl" --qrels qrels.tsv -k 1 --min-calls 2 \
        --set retrieve=replay --set replay_file=answers.txt || return
    sed 's/doc-2/doc-78/' answers.txt >absent.txt
    says 1 'doc-78' rag --kb w.sqlite --query "$cases/string_ids_queries.jsonl" -k 1 --set retrieve=replay --set replay_file=absent.txt
}
own_distance() {
    says 0 ', l2' data truth --base "$cases/described.hdf5:train" --self -k 2 --out l2.ivecs || return
    says 0 "metric dot, where the file's own distance is euclidean" data truth --base "$cases/described.hdf5:train" --self -k 2 \
        --metric dot --out dot.ivecs || return
    says 0 'distance  euclidean, --metric l2' data info "$cases/described.hdf5" && grep -q 'contrast .*, l2)' out || return
    grep -q '^says .*dimension' out || return
    says 0 "by cosine, where the file's own distance is euclidean" data info "$cases/described.hdf5" --metric cosine &&
        grep -q 'contrast .*, cosine)' out || return
    says 0 ', l2, k=2' ann --base "$cases/described.hdf5:train" --query "$cases/described.hdf5:test" --index flat -k 2 --min-calls 3 || return
    says 0 "metric cosine, where the file's own distance is euclidean" ann --base "$cases/described.hdf5:train" \
        --query "$cases/described.hdf5:test" --index flat -k 2 --metric cosine --min-calls 3
}

# --- labels --------------------------------------------------------------------------------------
dangling() {
    says 0 '1 labels of documents that are not there, kept: relevant and never found (the first: a-gone)' data import beir \
        --from "$cases/beir_dangling" --dim 16 --out b || return
    says 0 'MAP 0.5000' rag --kb b/kb.sqlite --query b/queries.report.jsonl --qrels b/qrels.report.txt -k 1 --min-calls 1 \
        --set retrieve=bm25 --set rerank=none || return
    says 0 'labels of documents that are not there, dropped' data import beir --from "$cases/beir_dangling" --dim 16 --out b2 \
        --drop-unjudgeable && [ "$(wc -l <b2/qrels.report.txt)" = 1 ]
}
unknown_entity() {
    says 0 '1 labels of documents that are not there, kept: relevant and never found (the first: 999)' rag --kb kb.sqlite \
        --query "$cases/two_queries.jsonl" --qrels "$cases/qrels_unknown_entity.txt" -k 3 --min-calls 2 && grep -q 'MRR 0.5000' out
}
first_line() {
    says 1 'qrels_first_line_float.txt: line 1: "grade" is '"'1.0'"': not a whole number' rag --kb kb.sqlite \
        --query "$cases/two_queries.jsonl" --qrels "$cases/qrels_first_line_float.txt" -k 3
}
contradiction() {
    says 1 'qrels_contradict.txt: lines 1 and 2: ' rag --kb kb.sqlite --query "$cases/two_queries.jsonl" \
        --qrels "$cases/qrels_contradict.txt" -k 3
}

# --- vectors --------------------------------------------------------------------------------------
whose_rows() {
    local q="$cases/query.npy"
    says 0 'made of' kb create v.sqlite --entities v.jsonl --vectors "$cases/base.npy" || return
    "$ASSAY" data info "$q" | awk '$1 == "shape" { for (i = 1; i <= $2; i++) print "q" i }' >ids.txt
    printf 'q2\t0\t%s\t1\n' "$(sed -n 's/{"id":\([0-9]*\).*/\1/p' v.jsonl | head -n 1)" >v.qrels
    says 2 "question 'q2' is no row" rag --kb v.sqlite --query "$q" --qrels v.qrels -k 3 || return
    says 0 'MRR' rag --kb v.sqlite --query "$q" --query-ids ids.txt --qrels v.qrels -k 3 --min-calls 2 || return
    says 2 'ids for' rag --kb v.sqlite --query "$q" --query-ids v.qrels.short --qrels v.qrels -k 3
}

# The same questions in a sweep and in tune; a label of nothing is dropped on demand, and what is written says so.
swept() {
    local drop left
    says 2 "--queries $cases/query.npy holds vectors" kb create w2.sqlite --entities v.jsonl --queries "$cases/query.npy" || return
    awk -F'\t' '{ print; print $1 "\t0\tgone\t1" }' v.qrels >gone.qrels
    for drop in false true; do
        left='kept: relevant and never found'
        [ $drop = true ] && left=dropped
        cat >sweep.yaml <<END
kb: v.sqlite
queries: $cases/query.npy
query_ids: ids.txt
qrels: gone.qrels
drop_unjudgeable: $drop
axes: {bit_width: [4]}
min_calls: 6
END
        says 0 '1 measured' sweep run sweep.yaml --out swept || return
        [ "$(grep '^# left_out' swept/sweep.csv)" = "# left_out: 1 labels of documents that are not there, $left (the first: gone)" ] || return
        grep -q '^q2' swept/*.pq.tsv || return
    done
    sed /^query_ids/d sweep.yaml >no_ids.yaml
    says 2 "question 'q2' is no row" sweep run no_ids.yaml --out no_ids || return
    sed 's/: true/: maybe/' sweep.yaml >maybe.yaml
    says 2 'true or false is wanted' sweep plan maybe.yaml
}

# truth STATUS WORDS FILE [METRIC]
truth() {
    says "$1" "$2" ann --base "$cases/base.npy" --query "$cases/query.npy" --truth "$3" --index flat --metric "${4:-cosine}" \
        -k 10 --min-calls 6
}
given_truths() {
    truth 0 'flat' "$cases/truth_cosine.ivecs" && grep -qE '1\.0000' out || return
    truth 2 'of a sample of these are the nearest by cosine; --metric l2 fits' "$cases/truth_l2.ivecs" || return
    truth 0 'flat' "$cases/truth_l2.ivecs" l2 || return
    truth 1 'query 0: neighbour 55 twice' "$cases/truth_duplicates.ivecs" || return
    truth 0 '6 queries with fewer neighbours than k in the truth' "$cases/truth_padded.ivecs" || return
    # counted from 1, of other rows, in another order: bytes of the file that is right
    "$ASSAY" data truth --base "$cases/base.npy" --query "$cases/base.npy" -k 10 --metric cosine --out other.ivecs >/dev/null
    head -c 264 other.ivecs >other6.ivecs
    truth 2 'are they of other base or query rows?' other6.ivecs
}

# Vectors of zeros are counted wherever they come in; lengths that no float32 squares are named.
zero_vectors() {
    "$ASSAY" data gen --kind clustered --n 40 --dim 4 --queries 4 --seed 1 --out z >/dev/null || return
    { cat z/base.fvecs; head -c 4 z/base.fvecs; head -c 16 /dev/zero; } >z/b.fvecs
    { head -c 4 z/base.fvecs; head -c 16 /dev/zero; cat z/query.fvecs; } >z/q.fvecs
    says 0 'ann: 1 base vectors of zeros, similar to nothing (the first: row 40)' ann --base z/b.fvecs --query z/q.fvecs --index flat \
        --min-calls 5 --out zz && grep -q 'ann: 1 queries of zeros, similar to nothing (the first: row 0)' out &&
        grep -q '^# left_out: 1 base vectors of zeros' zz/ann.csv || return
    says 0 'index: 1 vectors of zeros' index build --base z/b.fvecs --index flat --out z/b.assay || return
    says 0 'truth: 1 queries of zeros' data truth --base z/b.fvecs --query z/q.fvecs -k 3 --out z/t.ivecs && grep -q '1 base vectors' out || return
    { head -c 36 kg/query.fvecs; head -c 4 kg/query.fvecs; head -c 32 /dev/zero; } >kg/zero.fvecs
    says 0 'rag: 1 questions that are vectors of zeros (the first: 1)' rag --kb kg/kb.sqlite --query kg/zero.fvecs --query-ids rows --min-calls 2 || return
    { head -c 4 z/base.fvecs; printf '\354\170\255\140'; head -c 12 /dev/zero; cat z/base.fvecs; } >z/huge.fvecs # 1e20
    says 2 'truth: base row 0: the sum of its absolute values is 1e+20, at most 1e18' data truth --base z/huge.fvecs --query z/query.fvecs \
        -k 3 --metric l2 --out z/t.ivecs || return
    says 0 'cosine' data truth --base z/huge.fvecs --query z/query.fvecs -k 3 --out z/huge.ivecs
}

# A grid of which no point meets the limit, and books of more entries than rows.
tune_shows() {
    "$ASSAY" data gen --kind kg --n 200 --dim 8 --relations 400 --queries 40 --seed 1 --out kg >/dev/null &&
        says 1 'no point keeps to the limit' tune kg/kb.sqlite --query kg/query.fvecs --max-p99-ms 0.0001 --min-calls 500 \
            --axis bit_width=2,4 --axis top_k_candidates=50 && grep -qE 'bit_width=4.* [0-9.]+ ' out
}
# What tune writes says what was left out; its winner, as YAML, drops the same.
tune_drops() {
    local i
    for i in $(seq 40); do echo "w$i" >&3; echo "w$i 0 $i 1"; done 3>kg/ids >kg/labels
    awk '{ print; print $1, 0, "gone", 1 }' kg/labels >kg/gone
    says 0 'winner: ' tune kg/kb.sqlite --query kg/query.fvecs --query-ids kg/ids --qrels kg/gone --drop-unjudgeable --out tuned \
        --min-calls 500 --max-p99-ms 10000 --axis bit_width=4 --axis top_k_candidates=50 --axis graph_depth=0 || return
    grep -q '^# left_out: 40 labels of documents that are not there, dropped (the first: gone)' tuned/tune.csv || return
    says 0 '1 points' sweep plan tuned/winner.yaml && grep -q '^drop_unjudgeable: true' tuned/winner.yaml
}

# --- questions of words ------------------------------------------------------------------------------
# A base whose vectors are not from words of ours is asked by words alone; the rows say whose scores order the answers.
words_alone() {
    local q="$cases/two_queries.jsonl" rag="rag --kb v2.sqlite -k 2 --min-calls 2 --set retrieve=bm25"
    printf '1 0 1 1\n2 0 3 1\n' >two.qrels
    "$ASSAY" data gen --kind clustered --n 4 --dim 8 --queries 2 --seed 1 --out four >/dev/null
    says 0 'made of 4' kb create v2.sqlite --entities "$cases/four_entities.jsonl" --vectors four/base.fvecs || return
    # shellcheck disable=SC2086
    says 0 'MRR 1.0000' $rag --query "$q" --qrels two.qrels --set rerank=none --out blind || return
    ! grep '^# order' blind/rag.csv || return
    # shellcheck disable=SC2086
    says 0 '"embed":"none","retrieve":"bm25","rerank":"none"' $rag --query "$q" --qrels two.qrels --json || return
    says 1 'by retrieve=bm25' rag --kb v2.sqlite --query "$q" -k 2 || return
    # shellcheck disable=SC2086
    says 1 'by retrieve=bm25' $rag --query "$q" --set rerank=cosine || return
    says 0 '' rag --kb kb.sqlite --query "$q" -k 2 --min-calls 2 --set retrieve=bm25 --out cosine &&
        grep '^# order: rerank=cosine replaces the order of retrieve=bm25, which rerank=none would keep' cosine/rag.csv
}
# Three reasons for a vector of zeros, told apart, by either embedder.
zeros() {
    local kind
    printf '{"id":1,"name":"same red"}\n{"id":2,"name":"same blue"}\n' >same.jsonl
    for kind in rp lsa; do
        "$ASSAY" kb create $kind.sqlite --entities same.jsonl --embed $kind --dim 8 >/dev/null
        says 0 'no word of "zzz" is known' query $kind.sqlite zzz -k 1 || return
        says 0 'the 1 known words of "same" are in every text' query $kind.sqlite same -k 1 || return
        says 0 '#1' query $kind.sqlite red -k 1 && ! grep zeros out || return
    done
    says 0 'the vector of "red" is zeros' query rp.sqlite red -k 1 --set embed=fixed --set embed_vector=0,0,0,0,0,0,0,0
}
# Wherever such an index is made, and in the provenance of what was measured with it.
pq_warns() {
    local few='codebooks of 256 entries for' b="$cases/base.npy" q="$cases/query.npy"
    says 0 "$few" ann --base "$b" --query "$q" --index pq:m=2 --index 'ivf:nlist=2,inner=(pq:m=2)' --min-calls 6 --out few || return
    [ "$(grep -c '^# doubt: .*pq:m=2: codebooks.*; pq:.*: codebooks' few/ann.csv)" = 1 ] || return
    says 0 "$few" index build --base "$b" --index pq:m=2 --out few.assay || return
    says 0 "$few" rag --kb v.sqlite --query "$q" --query-ids rows --set index=pq:m=2 --min-calls 6 --out few && grep -q '^# doubt' few/rag.csv || return
    says 0 '' ann --base "$b" --query "$q" --index flat --min-calls 6 && ! grep codebooks out || return
    printf 'kb: v.sqlite\nqueries: %s\nquery_ids: rows\naxes: {index: [flat, pq:m=2]}\nmin_calls: 6\n' "$q" >few.yaml
    says 0 '2 measured' sweep run few.yaml --out few && grep -q "^# doubt: pq.*$few" few/sweep.csv || return
    printf 'dataset: {base: %s, query: %s}\naxes: {index: [flat, pq:m=2]}\nmin_calls: 6\n' "$b" "$q" >few.yaml
    says 0 '2 measured' sweep run few.yaml --out few2 && grep -q "^# doubt: pq.*$few" few2/sweep.csv
}

command -v sqlite3 >/dev/null || { echo "ok 1 - cases # SKIP sqlite3, the shell, is not installed"; echo "1..1"; exit 0; }
"$ASSAY" kb create kb.sqlite --entities "$cases/four_entities.jsonl" --dim 32 >/dev/null
"$ASSAY" data info "$cases/base.npy" | awk '$1 == "shape" { for (i = 1; i <= $2; i++) printf "{\"id\":%d,\"name\":\"n\"}\n", i }' >v.jsonl
echo one >v.qrels.short
ok "ids that are text stay what they are: relations, qrels" text_ids
ok "ids in a question's list of what is relevant" relevant_ids
ok "ids that are words: run, labels, JSON, a later import" word_ids
ok "another program's answers, by ids of text" text_answers
ok "fields: unknown ones kept and named, slips refused" unknown_fields
ok "lines of another program's spelling" memory_style
ok "an empty document" empty_document
ok "a byte order mark, CRLF" marks
ok "a zero in a text, a list for a text" odd_texts
ok "null is missing" nulls
ok "labels of documents that are not there" dangling
ok "labels of an entity that is not there" unknown_entity
ok "the first line of qrels is data" first_line
ok "a pair judged twice" contradiction
ok "questions that are vectors: whose rows" whose_rows
ok "questions that are vectors, labels of nothing: in a sweep" swept
ok "the distance that a file is made for" own_distance
ok "a given truth: another metric, twice, padded, of other rows" given_truths
ok "tune prints its table where no point meets the limit" tune_shows
ok "tune drops labels of nothing, and says so" tune_drops
ok "bm25 of a base that is not from words; whose order it is" words_alone
ok "why a vector is zeros" zeros
ok "pq of more entries than rows" pq_warns
ok "vectors of zeros, and too long ones" zero_vectors
echo "1..$case_count"
exit $bad
