#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every kind of figure out of committed rows, and a contact sheet of them: to be looked at.
#   gallery.sh [DIR]      (make gallery; default build/gallery)
set -eu
cd "$(dirname "$0")/.."
out=${1:-build/gallery} assay=build/assay ref=results/reference rows=results/gallery
rm -rf "$out"
mkdir -p "$out"
draw() { echo "$*" >>"$out/log"; $assay plot "$@" >>"$out/log"; } # FILES... --out DIR
draw $ref/clustered.csv $ref/wordnet.csv $ref/twohop.csv results/recorded_peers.csv --out "$out/reference"
draw $rows/rows.csv --out "$out/methods"
draw $rows/scale.csv --out "$out/scale"
draw $rows/n.csv --kind n --out "$out/scale"
draw $rows/churn.csv --out "$out/churn"
draw $rows/rows.csv $rows/after.csv --kind before_after --out "$out/methods"
draw $rows/compare.csv $rows/raw.csv --out "$out/compare"
# The first figure of each kind.
kinds=$(find "$out" -name '*.png' | sed 's|.*/||; s|[.]png$||; s/_\(clustered\|wordnet\|twohop\|isotropic\|laplace\|anisotropic\|batch\|threads\).*//' | sort -u)
files='' sizes='' count=0
for kind in $kinds; do
    file=$(find "$out/reference" "$out"/[a-qs-z]* -name "$kind*.png" | head -n 1)
    files="$files $file"
    sizes="$sizes $(od -An -tu4 --endian=big -j16 -N8 "$file")"
    count=$((count + 1))
done
gnuplot -e "files = '$files'; sizes = '$sizes'; columns = 4; out = '$out/sheet.png'" scripts/plots/sheet.gp
echo "$out/sheet.png: $count kinds; $(find "$out" -name '*.svg' ! -name '*.narrow.svg' | wc -l) figures under $out"
