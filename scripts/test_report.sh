#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A report in headless Chromium: what a reader sees, presses and reads.  Skips, saying so, without the tools
# (scripts/setup.sh --page installs them).  Prints TAP.
#   ASSAY=build/.../assay test_report.sh     (make check ONLY=scripts/test_report)
set -u
scripts=$(cd "$(dirname "$0")" && pwd)
skip() { printf 'ok 1 - report in a browser # SKIP %s\n1..1\n' "$1"; exit 0; }
tools=${TOOLS:-$scripts/../build/tools}
chromium=$(command -v chromium || command -v chromium-browser) || skip 'no chromium'
command -v node >/dev/null || skip 'no node'
command -v gnuplot >/dev/null || skip 'no gnuplot'
[ -e "$tools/node_modules/playwright-core" ] && [ -e "$tools/node_modules/axe-core" ] ||
    skip 'no playwright-core and axe-core in build/tools (scripts/setup.sh --page)'
tools=$(cd "$tools" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
fail() { echo "not ok 1 - $1"; cat log; echo '1..1'; exit 1; }

"$ASSAY" data gen --kind clustered --n 2000 --dim 32 --queries 40 --out d >log 2>&1 || fail 'data gen'
for run in a b; do
    "$ASSAY" ann --base d/base.fvecs --query d/query.fvecs --index turboquant:bits=1..4 --index rabitq:bits=1..4 --index flat \
        --min-calls 500 --seed 1 --out $run >log 2>&1 || fail 'ann'
    "$ASSAY" plot $run/ann.csv >log 2>&1 || fail 'plot'
    printf 'context_depth\td: recall 0.9 [0.8, 0.95] at 1, 2 and 3\n' >>$run/flat.txt
done
# Markup in names of columns and files, in cells and notes, in a figure.
mkdir strange
cat >strange/rows.csv <<'X'
# note: </pre><script>taken=1</script>
name,<img src=x onerror=taken=1>,"quoted ""x"" </script><script>taken=1</script>"
</script><script>taken=1</script>,1,<b>a</b>
"<img src=x onerror=""taken=1"">",2,b
X
cat >'strange/<img src=x onerror=taken=1>.svg' <<'X'
<svg viewBox="0 0 9 9" onload="taken=1"><script>taken=1</script><foreignObject><img src="x" onerror="taken=1"/></foreignObject>
<g onmousemove="gnuplot_svg.showHypertext(evt,'&lt;/title>&lt;script>taken=1</title><script>taken=1</script>')"><title> </title><path d="M0,0"/></g></svg>
X
for run in a b strange; do "$ASSAY" report $run >log 2>&1 || fail "report $run"; done
"$ASSAY" report a b >log 2>&1 || fail 'report a b'
node "$scripts/browse_report.mjs" "$tools" "$chromium" "$dir/a/report.html" "$dir/a/ann.csv" "$dir/strange/report.html" "$dir/b/changes.html"
