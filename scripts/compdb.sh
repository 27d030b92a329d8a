#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# compile_commands.json for editors, from what make would run: what is built is the same list, with the same flags.
#   compdb.sh TARGET...      as `make compdb` calls it
set -eu
cd "$(dirname "$0")/.."
make --no-print-directory --dry-run --always-make V=1 "$@" |
    sed -e ':a' -e '/\\$/N; s/\\\n//; ta' |
    awk -v folder="$PWD" '
        / -c [^ ]+\.c -o / {
            match($0, / -c [^ ]+\.c /)
            file = substr($0, RSTART + 4, RLENGTH - 5)
            if (file in seen) next # a baseline compiles a scalar source once more
            seen[file] = 1
            gsub(/\\/, "\\\\")
            gsub(/"/, "\\\"")
            gsub(/[ \t]+/, " ")
            sub(/^ /, "")
            printf "%s{ \"directory\": \"%s\", \"file\": \"%s\", \"command\": \"%s\" }", n++ ? ",\n" : "[\n", folder, file, $0
        }
        END { print n ? "\n]" : "[]" }' >compile_commands.json.new
mv compile_commands.json.new compile_commands.json
echo "compile_commands.json: $(grep -c '"file"' compile_commands.json) files"
